//! Edits of pins: bytes to bytes. What is meant is changed where it stands, everything else stays as it is, and what
//! comes out is read again: it must show the intended change and no other, or nothing is edited.
//!
//! A version is changed where it lives, in whatever file that is. All else stands in the service's own file.

mod draft;
mod flux;
mod hold;
mod keys;
mod map;
mod needs;
mod pin;
mod proof;
mod restore;
mod scalar;
mod splice;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use draft::Draft;
pub use draft::own_path;
pub use flux::{muted, written_past};
use jiff::Timestamp;
use splice::Splice;

use crate::git::{Content, File, FileChange, content_id};
use crate::image::Digest;
use crate::pins::{Held, Known, Reading, Service, ServiceName, read_again};
use crate::problem::{Place, Problem, located};
use crate::version::{Range, Version};

/// What the files of one revision say, as [`crate::pins::read_from`] gave it.
#[derive(Debug, Clone, Copy)]
pub struct Said<'f> {
    /// The folder of the pins in the repository.
    pub root: &'f str,
    /// The files that were read, by path.
    pub files: &'f [File],
    /// What they say.
    pub reading: &'f Reading,
    /// What each of them says on its own: those that stay need not be read again.
    pub known: Option<&'f Known>,
}

/// The same of a revision that an edit goes back to, kept for as long as the edit.
#[derive(Debug)]
pub struct Then {
    /// The folder of the pins in the repository.
    pub root: String,
    /// The files that were read, by path.
    pub files: Vec<File>,
    /// What they say.
    pub reading: Reading,
}

impl Then {
    fn said(&self) -> Said<'_> {
        Said { root: &self.root, files: &self.files, reading: &self.reading, known: None }
    }
}

/// One change to one service.
#[derive(Debug, Clone)]
pub enum Edit {
    /// Pins a version, where the version lives.
    Pin {
        /// The version.
        version: Version,
        /// Of its image. A digest that stands in the files belongs to the version before, and must be replaced.
        digest: Option<Digest>,
        /// What this version needs otherwise than the one before.
        needs: Vec<(ServiceName, Range)>,
    },
    /// Puts the version-bound keys back as they were at another revision: `version`, `image`, `tag`, `digest`,
    /// `dependsOn` without its tables (which describe all versions), `verify`, `local`.
    Restore {
        /// That revision.
        as_of: Arc<Then>,
        /// What the service was called then.
        name: ServiceName,
    },
    /// Writes a hold, in place of the one that there is; a marker of Flux behind the pin is muted.
    Hold(NewHold),
    /// Removes the hold; the marker is what it was.
    Release,
}

/// A hold to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// Which versions.
    pub versions: Held,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub by: Option<String>,
    /// Past this it still holds, and says so.
    pub until: Option<Timestamp>,
}

/// What an edit makes.
#[derive(Debug, Clone)]
pub struct Edited {
    /// The files that change, by path; none where all is so already.
    pub files: Vec<FileChange>,
    /// What the revision says then.
    pub reading: Reading,
}

/// Why nothing is edited: what stands in the way, where, and one way out.
pub type Refusal = Box<Problem>;

/// Carries the edits out on the files of a revision.
///
/// # Errors
/// A service that is not there or has errors; a value that cannot be changed where it stands; a result that would show
/// anything but the intended change. Nothing is edited then.
pub fn edit(tip: &Said<'_>, edits: &[(ServiceName, Edit)]) -> Result<Edited, Refusal> {
    let mut files = Files::of(tip);
    // 1. Versions, wherever they live: places in the files as they are.
    let (values, splices) = versions(tip, edits)?;
    files.splice(splices)?;
    // 2. The other keys, in each service's own file.
    let mut wanted = BTreeMap::new();
    for (name, edit) in edits {
        let before = wanted.get(name).map_or_else(|| service(tip, name), Ok)?.clone();
        let mut own = files.own(tip.root, name);
        let in_image = values.get(name).is_some_and(|value| value.is_image(&before));
        wanted.insert(name.clone(), keys::edit(&mut own, (&before, in_image), edit)?);
        files.put(own);
    }
    // 3. What comes out is read again.
    let edited = Edited { files: files.changed(), reading: read_again(tip.root, &files.all(), tip.known) };
    proof::only(tip.reading, &edited, &wanted)?;
    Ok(edited)
}

/// The values that pin the services, and what becomes of them.
#[expect(clippy::type_complexity, reason = "two lists, named where they are used")]
fn versions(tip: &Said<'_>, edits: &[(ServiceName, Edit)]) -> Result<(pin::Values, Vec<(Arc<str>, Splice)>), Refusal> {
    let moved = edits.iter().filter(|(_, edit)| matches!(edit, Edit::Pin { .. } | Edit::Restore { .. }));
    let moved = moved.map(|(name, edit)| Ok((service(tip, name)?, edit))).collect::<Result<Vec<_>, Refusal>>()?;
    let values = pin::values(tip, moved.iter().map(|(service, _)| *service))?;
    let earlier = earlier(edits)?;
    let mut splices = Vec::new();
    for (service, edit) in moved {
        let Some(value) = values.get(&service.name) else { continue };
        let splice = match edit {
            Edit::Pin { version, digest, .. } => pin::pinned(tip, (service, value), version, digest.as_ref())?,
            Edit::Restore { as_of, name } => {
                let was = self::service(&as_of.said(), name)?;
                let Some(then) = earlier.get(&Arc::as_ptr(as_of)).and_then(|values| values.get(name)) else {
                    continue;
                };
                pin::restored(tip, (service, value), (was, then))
            }
            Edit::Hold(_) | Edit::Release => continue,
        };
        splices.push((Arc::clone(&service.version_at.path), splice));
    }
    for (name, edit) in edits {
        let service = service(tip, name)?;
        let splice = flux::splice(tip, service, edit);
        splices.extend(splice.map(|splice| (Arc::clone(&service.version_at.path), splice)));
    }
    Ok((values, splices))
}

/// The values at other revisions, by these.
fn earlier(edits: &[(ServiceName, Edit)]) -> Result<HashMap<*const Then, pin::Values>, Refusal> {
    let mut revisions: HashMap<*const Then, (&Then, Vec<&ServiceName>)> = HashMap::new();
    for (_, edit) in edits {
        if let Edit::Restore { as_of, name } = edit {
            revisions.entry(Arc::as_ptr(as_of)).or_insert_with(|| (as_of, Vec::new())).1.push(name);
        }
    }
    let values = |(at, (then, names)): (_, (&Then, Vec<&ServiceName>))| {
        let said = then.said();
        let services = names.into_iter().map(|name| service(&said, name));
        Ok((at, pin::values(&said, services.collect::<Result<Vec<_>, _>>()?)?))
    };
    revisions.into_iter().map(values).collect()
}

/// The service that is edited.
fn service<'f>(tip: &Said<'f>, name: &ServiceName) -> Result<&'f Service, Refusal> {
    if let Some(service) = tip.reading.pins.services.get(name) {
        return Ok(service);
    }
    let own = Place::file(&draft::own_path(tip.root, name).into());
    let problem = match tip.reading.pins.broken.get(name) {
        Some(why) => Problem::error(format!("`{name}` cannot be edited as it is: {why}"), own),
        None => Problem::error(format!("there is no service `{name}`"), own),
    };
    Err(Box::new(problem.of(name).hint("`pintle check` shows all that is wrong")))
}

/// In one line, with the place: `services/x.yaml:3:5: …`.
pub fn in_words(refusal: &Problem, files: &[File]) -> String {
    let file = files.iter().find(|file| file.path == refusal.place.path).map(|file| &file.content);
    located(refusal, if let Some(Content::Bytes(bytes)) = file { bytes } else { &[] })
}

/// The files of a revision, and what has become of them.
struct Files<'f> {
    before: &'f [File],
    now: BTreeMap<Arc<str>, Option<Arc<[u8]>>>,
}

impl<'f> Files<'f> {
    fn of(said: &Said<'f>) -> Self {
        Self { before: said.files, now: BTreeMap::new() }
    }

    fn before(&self, path: &str) -> Option<&'f Arc<[u8]>> {
        bytes(self.before, path)
    }

    /// Puts texts in place of others.
    fn splice(&mut self, splices: Vec<(Arc<str>, Splice)>) -> Result<(), Refusal> {
        let mut of_file: BTreeMap<Arc<str>, Vec<Splice>> = BTreeMap::new();
        for (path, splice) in splices {
            of_file.entry(path).or_default().push(splice);
        }
        for (path, splices) in of_file {
            let bytes = self.before(&path).map_or(&[][..], |bytes| bytes);
            let content = splice::all(bytes, splices).map_err(|span| {
                let twice = Problem::error("this value would become two values at once", Place::at(&path, span));
                Box::new(twice.hint("edit one of the services that share it at a time"))
            })?;
            self.now.insert(path, Some(content.into()));
        }
        Ok(())
    }

    /// The own file of a service; empty where there is none.
    fn own(&self, root: &str, name: &ServiceName) -> Draft {
        let path: Arc<str> = draft::own_path(root, name).into();
        let now = self.now.get(&path).map_or_else(|| self.before(&path), Option::as_ref);
        Draft::new(path, now.map(|bytes| &**bytes))
    }

    fn put(&mut self, own: Draft) {
        if own.is_changed() {
            let (path, content) = own.finish();
            self.now.insert(path, content.map(Arc::from));
        }
    }

    /// Those that differ now.
    fn changed(&self) -> Vec<FileChange> {
        let differs = |(path, now): &(&Arc<str>, &Option<Arc<[u8]>>)| self.before(path) != now.as_ref();
        let now = self.now.iter().filter(differs);
        now.map(|(path, content)| FileChange { path: Arc::clone(path), content: content.clone() }).collect()
    }

    /// All of them, as they are now.
    fn all(&self) -> Vec<File> {
        let same = self.before.iter().filter(|file| !self.now.contains_key(&file.path)).cloned();
        let now = self.now.iter().filter_map(|(path, content)| {
            let content = content.as_ref()?;
            let (path, blob) = (Arc::clone(path), content_id(content));
            Some(File { path, blob, content: Content::Bytes(Arc::clone(content)) })
        });
        let mut all: Vec<File> = same.chain(now).collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }
}

/// The files of a revision, with these in place of those.
pub fn overlay(files: &[File], changes: &[FileChange]) -> Vec<File> {
    let now = changes.iter().map(|it| (Arc::clone(&it.path), it.content.clone())).collect();
    Files { before: files, now }.all()
}

/// The content of a file that was read.
fn bytes<'f>(files: &'f [File], path: &str) -> Option<&'f Arc<[u8]>> {
    let at = files.binary_search_by(|file| file.path.as_ref().cmp(path)).ok()?;
    let file = &files[at];
    if let Content::Bytes(bytes) = &file.content { Some(bytes) } else { None }
}

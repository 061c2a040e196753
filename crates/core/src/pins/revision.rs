//! A whole revision: its settings, the files that they and the files of services name, and what these say together.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use super::idle::Names;
use super::layout::folder_path;
use super::{Fragment, Layout, Pattern, Pins, Reading, Settings, assemble, misnamed_settings, read_all, settings_path};
use crate::git::{Changes, Content, File, Listing};
use crate::problem::{self, Place, Problem, located};

/// Where the files of a revision come from.
pub struct Files<'f, E> {
    /// The file at a path, if there is one.
    pub file: &'f dyn Fn(&str) -> Result<Option<File>, E>,
    /// The files that a layout wants, by path.
    pub wanted: &'f dyn Fn(&Layout) -> Result<Listing, E>,
    /// The names in a folder, for hints.
    pub names: &'f Names<'f>,
}

/// All that was read of a revision.
#[derive(Debug)]
pub struct Contents {
    /// The files that hold pins, each read on its own.
    pub known: Known,
    /// The pins, and what is wrong with them.
    pub reading: Reading,
    /// The files that were read, by path; the settings too.
    pub files: Vec<File>,
}

/// The files of a revision that hold pins, each read on its own: what is the same in another revision need not be read
/// again.
#[derive(Debug, Clone)]
pub struct Known {
    /// Which files hold pins.
    pub layout: Layout,
    listing: Listing,
    /// What each file says, in their order.
    fragments: Vec<Arc<Fragment>>,
}

impl Known {
    /// The files of another revision, by what has changed; none where that does not tell it.
    pub fn listing_after(&self, changes: Changes) -> Option<Listing> {
        // What is wrong with a path is told of the paths that are there.
        if !self.listing.problems.is_empty() {
            return None;
        }
        let Changes { now, gone } = changes;
        let other: HashSet<&str> =
            now.files.iter().map(|file| &*file.path).chain(gone.iter().map(|path| &**path)).collect();
        let same = self.listing.files.iter().filter(|file| !other.contains(&*file.path)).cloned();
        let mut files: Vec<File> = same.collect();
        files.extend(now.files.iter().cloned());
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Some(Listing { files, problems: now.problems })
    }

    /// Reads what another one has not read.
    fn read(layout: Layout, listing: Listing, before: Option<&Self>) -> Self {
        let before = before.filter(|before| before.layout == layout);
        let known = |file: &File| before.and_then(|before| before.fragment(file));
        let new: Vec<&File> = listing.files.iter().filter(|file| known(file).is_none()).collect();
        let mut new = read_all(&new, &layout).into_iter().map(Arc::new);
        let fragments = listing.files.iter().filter_map(|file| known(file).map(Arc::clone).or_else(|| new.next()));
        Self { fragments: fragments.collect(), layout, listing }
    }

    /// What a file says, where it was read.
    fn fragment(&self, file: &File) -> Option<&Arc<Fragment>> {
        let at = self.listing.files.binary_search_by(|known| known.path.cmp(&file.path)).ok()?;
        self.fragments.get(at).filter(|_| self.listing.files[at] == *file)
    }

    /// What the file at a path says.
    #[cfg(test)]
    pub(super) fn fragment_of(&self, path: &str) -> Option<&Arc<Fragment>> {
        let at = self.listing.files.iter().position(|file| *file.path == *path)?;
        self.fragments.get(at)
    }

    /// The patterns of service files.
    fn own(&self) -> Vec<Pattern> {
        self.fragments.iter().flat_map(|fragment| fragment.patterns()).cloned().collect()
    }
}

/// Reads a revision, save what was read `before`. Where it has no settings, those of `without` hold, else the defaults,
/// unless there is a `pintle.yml`.
pub fn read_from<E>(
    root: &str,
    from: &Files<'_, E>,
    without: Option<&Settings>,
    before: Option<&Known>,
) -> Result<Contents, E> {
    let path = settings_path(root);
    let (file, misnamed) = ((from.file)(&path)?, (from.file)(&misnamed_settings(root))?);
    let (settings, mut problems) = match &file {
        Some(File { path, content: Content::Bytes(bytes), .. }) => Settings::read(path, bytes),
        Some(File { path, .. }) => (None, vec![Problem::error("this is not a regular file", Place::file(path))]),
        None => {
            let default = || Settings { place: Place::file(&path.as_str().into()), ..Settings::default() };
            (without.cloned().or_else(|| misnamed.is_none().then(default)), Vec::new())
        }
    };
    let passed_over = misnamed.iter().filter(|_| file.is_some() || without.is_none());
    problems.extend(passed_over.map(|misnamed| Settings::misnamed(&misnamed.path, file.is_some())));
    let known = wanted(root, from, settings.as_ref().unwrap_or(&Settings::default()), before)?;
    let fragments = known.fragments.iter().map(Arc::as_ref);
    let mut files = known.listing.files.clone();
    files.extend(file.into_iter().chain(misnamed));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut reading = match &settings {
        Some(settings) => assemble(settings, fragments, from.names),
        None => without_settings(problems.first(), fragments, &files),
    };
    reading.problems.extend(problems.into_iter().chain(known.listing.problems.iter().cloned()));
    problem::sort(&mut reading.problems);
    Ok(Contents { known, reading, files })
}

/// Reads a revision whose files are in memory; other files may be among them.
pub fn read(root: &str, files: &[File]) -> Reading {
    read_again(root, files, None)
}

/// The same, save what was read `before`.
pub fn read_again(root: &str, files: &[File], before: Option<&Known>) -> Reading {
    let pick =
        |wanted: &dyn Fn(&str) -> bool| files.iter().filter(|file| wanted(&file.path)).cloned().collect::<Vec<_>>();
    let folder_names = |folder: &str| {
        let folder = folder_path(&format!("{root}/{folder}"));
        let inside = files.iter().filter_map(|file| file.path.strip_prefix(&folder));
        inside.filter_map(|rest| rest.split('/').next()).map(str::to_owned).collect()
    };
    let from = Files::<Infallible> {
        file: &|path| Ok(pick(&|other| other == path).pop()),
        wanted: &|layout| Ok(Listing { files: pick(&|path| layout.wants(path)), problems: Vec::new() }),
        names: &folder_names,
    };
    match read_from(root, &from, None, before) {
        Ok(contents) => contents.reading,
        Err(never) => match never {},
    }
}

/// The files that hold pins, each read on its own: those that the settings name, then those that service files name,
/// which mostly name the same as before.
fn wanted<E>(root: &str, from: &Files<'_, E>, settings: &Settings, before: Option<&Known>) -> Result<Known, E> {
    let read = |own: Vec<Pattern>| {
        let layout = Layout::new(root, settings, own);
        let listing = (from.wanted)(&layout)?;
        Ok(Known::read(layout, listing, before))
    };
    let expected = before.map(Known::own).unwrap_or_default();
    let first = read(expected.clone())?;
    let own = first.own();
    if own == expected { Ok(first) } else { read(own) }
}

/// Without settings nobody knows where the pins are: only what is wrong with each file on its own is told.
fn without_settings<'f>(
    why: Option<&Problem>,
    fragments: impl Iterator<Item = &'f Fragment>,
    files: &[File],
) -> Reading {
    let unusable = why.map(|problem| {
        let content = files.iter().find(|file| file.path == problem.place.path).map(|file| &file.content);
        located(problem, if let Some(Content::Bytes(bytes)) = content { bytes } else { &[] })
    });
    let problems = fragments.flat_map(|fragment| fragment.problems.iter().cloned()).collect();
    let pins = Pins { settings: Settings::default(), services: BTreeMap::new(), broken: BTreeMap::new() };
    Reading { pins, faulty: BTreeMap::new(), problems, unusable }
}

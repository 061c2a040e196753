//! Reads a whole revision: the settings, the files that hold pins, and the pins they declare together.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use super::idle::Names;
use super::layout::folder_path;
use super::{Fragment, Layout, Pattern, Pins, Reading, Settings, assemble, misnamed_settings, read_all, settings_path};
use crate::git::{Changes, Content, File, Listing};
use crate::problem::{self, Place, Problem, located};

/// The source of a revision's files.
pub struct Files<'f, E> {
    /// Returns the file at a path, if it exists.
    pub file: &'f dyn Fn(&str) -> Result<Option<File>, E>,
    /// Returns the files that a layout wants, sorted by path.
    pub wanted: &'f dyn Fn(&Layout) -> Result<Listing, E>,
    /// Returns the names in a folder, for hints.
    pub names: &'f Names<'f>,
}

/// A revision after reading.
#[derive(Debug)]
pub struct Contents {
    pub known: Known,
    /// The pins and their problems.
    pub reading: Reading,
    /// The files that were read, sorted by path, with the settings.
    pub files: Vec<File>,
}

/// The pin files of a revision, each with its fragment. Another revision reuses the fragments of unchanged files.
#[derive(Debug, Clone)]
pub struct Known {
    pub layout: Layout,
    listing: Listing,
    /// The fragments, in the order of the listing.
    fragments: Vec<Arc<Fragment>>,
}

impl Known {
    /// Returns the listing of another revision, given the changes since this one. None if the changes are not enough.
    pub fn listing_after(&self, changes: Changes) -> Option<Listing> {
        // Problems of paths are known only for the paths that were listed, so they cannot be carried over.
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

    /// Builds the fragments of a listing. Unchanged files keep their fragments from `before`.
    fn read(layout: Layout, listing: Listing, before: Option<&Self>) -> Self {
        let before = before.filter(|before| before.layout == layout);
        let known = |file: &File| before.and_then(|before| before.fragment(file));
        let new: Vec<&File> = listing.files.iter().filter(|file| known(file).is_none()).collect();
        let mut new = read_all(&new, &layout).into_iter().map(Arc::new);
        let fragments = listing.files.iter().filter_map(|file| known(file).map(Arc::clone).or_else(|| new.next()));
        Self { fragments: fragments.collect(), layout, listing }
    }

    /// Returns the fragment of a file, if the same content was read at the same path.
    fn fragment(&self, file: &File) -> Option<&Arc<Fragment>> {
        let at = self.listing.files.binary_search_by(|known| known.path.cmp(&file.path)).ok()?;
        self.fragments.get(at).filter(|_| self.listing.files[at] == *file)
    }

    #[cfg(test)]
    pub(super) fn fragment_of(&self, path: &str) -> Option<&Arc<Fragment>> {
        let at = self.listing.files.iter().position(|file| *file.path == *path)?;
        self.fragments.get(at)
    }

    /// Returns the patterns from the `pin:` keys of service files.
    fn own(&self) -> Vec<Pattern> {
        self.fragments.iter().flat_map(|fragment| fragment.patterns()).cloned().collect()
    }
}

/// Reads a revision. Fragments of files unchanged since `before` are reused. A revision without `pintle.yaml` uses the
/// settings `without`, or else the defaults. The defaults do not apply if a misnamed `pintle.yml` exists.
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

/// Reads a revision from files in memory. Files without pins may be among them.
pub fn read(root: &str, files: &[File]) -> Reading {
    read_again(root, files, None)
}

/// Reads a revision from files in memory, and reuses the fragments of files unchanged since `before`.
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

/// Reads the files that hold pins. Service files can name further files, so a second pass may be needed. The `pin:`
/// keys of `before` usually still hold, and save that pass.
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

/// Returns a reading without pins. Without settings the location of the pins is unknown, so only the problems within
/// single files are reported.
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

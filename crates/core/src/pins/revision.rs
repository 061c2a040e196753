//! Reads a whole revision: the settings, the files that hold pins, and the pins they declare together.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use super::idle::FolderNames;
use super::layout::folder_path;
use super::{
    Fragment, Layout, ParsedRevision, PinPattern, Pins, Settings, assemble_revision, misnamed_settings_path,
    read_fragments, settings_path,
};
use crate::git::{FileContent, FileListing, RepoFile, TreeChanges};
use crate::problem::{self, FilePlace, Problem, one_line_message};

/// The source of a revision's files.
pub struct FileSource<'f, E> {
    /// Returns the file at a path, if it exists.
    pub file: &'f dyn Fn(&str) -> Result<Option<RepoFile>, E>,
    /// Returns the files that a layout wants, sorted by path.
    pub listing: &'f dyn Fn(&Layout) -> Result<FileListing, E>,
    /// Returns the names in a folder, for hints.
    pub names: &'f FolderNames<'f>,
}

/// A revision after reading.
#[derive(Debug)]
pub struct RevisionContents {
    pub fragments: FragmentCache,
    /// The pins and their problems.
    pub reading: ParsedRevision,
    /// The files that were read, sorted by path, with the settings.
    pub files: Vec<RepoFile>,
}

/// The pin files of a revision, each with its fragment. Another revision reuses the fragments of unchanged files.
#[derive(Debug, Clone)]
pub struct FragmentCache {
    pub layout: Layout,
    listing: FileListing,
    /// The fragments, in the order of the listing.
    fragments: Vec<Arc<Fragment>>,
}

impl FragmentCache {
    /// Returns the listing of another revision, given the changes since this one. None if the changes are not enough.
    pub fn listing_after(&self, changes: TreeChanges) -> Option<FileListing> {
        // Problems of paths are known only for the paths that were listed, so they cannot be carried over.
        if !self.listing.problems.is_empty() {
            return None;
        }
        let TreeChanges { changed: now, removed: gone } = changes;
        let other: HashSet<&str> =
            now.files.iter().map(|file| &*file.path).chain(gone.iter().map(|path| &**path)).collect();
        let same = self.listing.files.iter().filter(|file| !other.contains(&*file.path)).cloned();
        let mut files: Vec<RepoFile> = same.collect();
        files.extend(now.files.iter().cloned());
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Some(FileListing { files, problems: now.problems })
    }

    /// Builds the fragments of a listing. Unchanged files keep their fragments from `before`.
    fn read(layout: Layout, listing: FileListing, before: Option<&Self>) -> Self {
        let before = before.filter(|before| before.layout == layout);
        let known = |file: &RepoFile| before.and_then(|before| before.fragment(file));
        let new: Vec<&RepoFile> = listing.files.iter().filter(|file| known(file).is_none()).collect();
        let mut new = read_fragments(&new, &layout).into_iter().map(Arc::new);
        let fragments = listing.files.iter().filter_map(|file| known(file).map(Arc::clone).or_else(|| new.next()));
        Self { fragments: fragments.collect(), layout, listing }
    }

    /// Returns the fragment of a file, if the same content was read at the same path.
    fn fragment(&self, file: &RepoFile) -> Option<&Arc<Fragment>> {
        let at = self.listing.files.binary_search_by(|known| known.path.cmp(&file.path)).ok()?;
        self.fragments.get(at).filter(|_| self.listing.files[at] == *file)
    }

    #[cfg(test)]
    pub(super) fn fragment_of(&self, path: &str) -> Option<&Arc<Fragment>> {
        let at = self.listing.files.iter().position(|file| *file.path == *path)?;
        self.fragments.get(at)
    }

    /// Returns the patterns from the `pin:` keys of service files.
    fn own(&self) -> Vec<PinPattern> {
        self.fragments.iter().flat_map(|fragment| fragment.patterns()).cloned().collect()
    }
}

/// Reads a revision. Fragments of files unchanged since `before` are reused. A revision without `pintle.yaml` uses the
/// settings `without`, or else the defaults. The defaults do not apply if a misnamed `pintle.yml` exists.
pub fn load_revision<E>(
    root: &str,
    from: &FileSource<'_, E>,
    without: Option<&Settings>,
    before: Option<&FragmentCache>,
) -> Result<RevisionContents, E> {
    let path = settings_path(root);
    let (file, misnamed) = ((from.file)(&path)?, (from.file)(&misnamed_settings_path(root))?);
    let (settings, mut problems) = match &file {
        Some(RepoFile { path, content: FileContent::Bytes(bytes), .. }) => Settings::read(path, bytes),
        Some(RepoFile { path, .. }) => {
            (None, vec![Problem::error("this is not a regular file", FilePlace::whole_file(path))])
        }
        None => {
            let default = || Settings { place: FilePlace::whole_file(&path.as_str().into()), ..Settings::default() };
            (without.cloned().or_else(|| misnamed.is_none().then(default)), Vec::new())
        }
    };
    let passed_over = misnamed.iter().filter(|_| file.is_some() || without.is_none());
    problems.extend(passed_over.map(|misnamed| Settings::misnamed_problem(&misnamed.path, file.is_some())));
    let known = read_wanted_files(root, from, settings.as_ref().unwrap_or(&Settings::default()), before)?;
    let fragments = known.fragments.iter().map(Arc::as_ref);
    let mut files = known.listing.files.clone();
    files.extend(file.into_iter().chain(misnamed));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut reading = match &settings {
        Some(settings) => assemble_revision(settings, fragments, from.names),
        None => without_settings(problems.first(), fragments, &files),
    };
    reading.problems.extend(problems.into_iter().chain(known.listing.problems.iter().cloned()));
    problem::sort_problems(&mut reading.problems);
    Ok(RevisionContents { fragments: known, reading, files })
}

/// Reads a revision from files in memory. Files without pins may be among them.
pub fn parse_revision(root: &str, files: &[RepoFile]) -> ParsedRevision {
    reparse_revision(root, files, None)
}

/// Reads a revision from files in memory, and reuses the fragments of files unchanged since `before`.
pub fn reparse_revision(root: &str, files: &[RepoFile], before: Option<&FragmentCache>) -> ParsedRevision {
    let pick =
        |wanted: &dyn Fn(&str) -> bool| files.iter().filter(|file| wanted(&file.path)).cloned().collect::<Vec<_>>();
    let folder_names = |folder: &str| {
        let folder = folder_path(&format!("{root}/{folder}"));
        let inside = files.iter().filter_map(|file| file.path.strip_prefix(&folder));
        inside.filter_map(|rest| rest.split('/').next()).map(str::to_owned).collect()
    };
    let from = FileSource::<Infallible> {
        file: &|path| Ok(pick(&|other| other == path).pop()),
        listing: &|layout| Ok(FileListing { files: pick(&|path| layout.may_hold_pins(path)), problems: Vec::new() }),
        names: &folder_names,
    };
    match load_revision(root, &from, None, before) {
        Ok(contents) => contents.reading,
        Err(never) => match never {},
    }
}

/// Reads the files that hold pins. Service files can name further files, so a second pass may be needed. The `pin:`
/// keys of `before` usually still hold, and save that pass.
fn read_wanted_files<E>(
    root: &str,
    from: &FileSource<'_, E>,
    settings: &Settings,
    before: Option<&FragmentCache>,
) -> Result<FragmentCache, E> {
    let read = |own: Vec<PinPattern>| {
        let layout = Layout::new(root, settings, own);
        let listing = (from.listing)(&layout)?;
        Ok(FragmentCache::read(layout, listing, before))
    };
    let expected = before.map(FragmentCache::own).unwrap_or_default();
    let first = read(expected.clone())?;
    let own = first.own();
    if own == expected { Ok(first) } else { read(own) }
}

/// Returns a reading without pins. Without settings the location of the pins is unknown, so only the problems within
/// single files are reported.
fn without_settings<'f>(
    why: Option<&Problem>,
    fragments: impl Iterator<Item = &'f Fragment>,
    files: &[RepoFile],
) -> ParsedRevision {
    let unusable = why.map(|problem| {
        let content = files.iter().find(|file| file.path == problem.place.path).map(|file| &file.content);
        one_line_message(problem, if let Some(FileContent::Bytes(bytes)) = content { bytes } else { &[] })
    });
    let problems = fragments.flat_map(|fragment| fragment.problems.iter().cloned()).collect();
    let pins = Pins { settings: Settings::default(), services: BTreeMap::new(), broken: BTreeMap::new() };
    ParsedRevision { pins, faulty: BTreeMap::new(), problems, unusable }
}

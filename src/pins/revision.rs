//! A whole revision: its settings, the files that they and the files of services name, and what these say together.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::idle::Names;
use super::layout::folder_path;
use super::{Fragment, Layout, Pins, Reading, Settings, assemble, misnamed_settings, read_all, settings_path};
use crate::problem::{self, Place, Problem, located};
use crate::source::{Content, File, Listing};

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
    /// Which files hold pins.
    pub layout: Layout,
    /// The pins, and what is wrong with them.
    pub reading: Reading,
    /// The files that were read, by path.
    pub files: Vec<File>,
}

/// Reads a revision. Where it has no settings, those of `without` hold, else the defaults, unless there is a `pintle.yml`.
pub fn read_from<E>(root: &str, from: &Files<'_, E>, without: Option<&Settings>) -> Result<Contents, E> {
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
    let (layout, listing, fragments) = wanted(root, from, settings.as_ref().unwrap_or(&Settings::default()))?;
    let mut files = listing.files;
    files.extend(file.into_iter().chain(misnamed));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut reading = match &settings {
        Some(settings) => assemble(settings, &fragments, from.names),
        None => without_settings(problems.first(), &fragments, &files),
    };
    reading.problems.extend(problems.into_iter().chain(listing.problems));
    problem::sort(&mut reading.problems);
    Ok(Contents { layout, reading, files })
}

/// Reads a revision whose files are in memory; other files may be among them.
pub fn read(root: &str, files: &[File]) -> Reading {
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
    match read_from(root, &from, None) {
        Ok(contents) => contents.reading,
        Err(never) => match never {},
    }
}

/// The files that hold pins, each read on its own: those that the settings name, then those that service files name.
fn wanted<E>(root: &str, from: &Files<'_, E>, settings: &Settings) -> Result<(Layout, Listing, Vec<Fragment>), E> {
    let read = |layout: Layout| {
        let listing = (from.wanted)(&layout)?;
        let fragments = read_all(&listing.files.iter().collect::<Vec<_>>(), &layout);
        Ok((layout, listing, fragments))
    };
    let first = read(Layout::new(root, settings, []))?;
    let own: Vec<_> = first.2.iter().flat_map(Fragment::patterns).cloned().collect();
    if own.is_empty() { Ok(first) } else { read(Layout::new(root, settings, own)) }
}

/// Without settings nobody knows where the pins are: only what is wrong with each file on its own is told.
fn without_settings(why: Option<&Problem>, fragments: &[Fragment], files: &[File]) -> Reading {
    let unusable = why.map(|problem| {
        let content = files.iter().find(|file| file.path == problem.place.path).map(|file| &file.content);
        located(problem, if let Some(Content::Bytes(bytes)) = content { bytes } else { &[] })
    });
    let problems = fragments.iter().flat_map(|fragment| fragment.problems.iter().cloned()).collect();
    let pins = Pins { settings: Settings::default(), services: BTreeMap::new(), broken: BTreeMap::new() };
    Reading { pins, faulty: BTreeMap::new(), problems, unusable }
}

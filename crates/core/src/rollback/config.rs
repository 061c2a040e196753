//! The lines beside the pins that reverted commits have changed, taken back on the tip.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::edit::{EarlierRevision, Edit, Edited, RevisionFiles, edit, in_words, overlay, own_path};
use crate::git::{File, FileChange};
use crate::pins::{Pins, Reading, Service, ServiceName, read};

/// Other lines as they were before some commits.
pub struct ConfigRevert {
    /// The files of the tip in which other lines go back.
    pub files: Vec<FileChange>,
    /// The pins of the tip as these files say then.
    pub pins: Pins,
}

/// Why other lines cannot go back.
#[derive(Debug)]
pub enum ConfigRefusal {
    /// The pins of a side cannot be edited: the problem, with its place.
    Edit(String),
    /// Nothing of the revision could be used then.
    Unusable(String),
    /// A service would have an error.
    Broken(ServiceName, String),
    /// The reverted commits and later ones have both changed these lines of the tip.
    Conflict(Arc<str>, Vec<RangeInclusive<usize>>),
}

/// Merges three versions of a file: carries out on the second what leads from the first to the third.
///
/// The error names the lines of the second version, counted from one, that both sides have changed.
pub type Merge<'m> = &'m dyn Fn([&[u8]; 3]) -> Result<Vec<u8>, Vec<RangeInclusive<usize>>>;

/// Takes back what lies between two revisions, except the pins. All sides get the pins of the later revision first, so that
/// pins that have moved since do not conflict with their neighbours.
///
/// # Errors
/// What stands in the way; nothing goes back then.
pub fn revert_config(
    tip: &RevisionFiles<'_>,
    [before, after]: [&Arc<EarlierRevision>; 2],
    merge: Merge<'_>,
) -> Result<ConfigRevert, ConfigRefusal> {
    let differs =
        |file: &&File| before.bytes(&file.path).is_some_and(|was| after.bytes(&file.path).is_some_and(|is| was != is));
    let paths: Vec<Arc<str>> = tip.files.iter().filter(differs).map(|file| Arc::clone(&file.path)).collect();
    // 1. The same pins everywhere.
    let names = pinned_in(&paths, tip, [before, after]);
    let theirs = with_pins(&before.said(), &names, after)?;
    let ours = with_pins(tip, &names, after)?;
    // 2. What is left of the difference, on the tip.
    let mut merged = Vec::new();
    for path in &paths {
        let (Some(base), Some(ours), Some(theirs)) = (after.bytes(path), ours.bytes(path), theirs.bytes(path)) else {
            continue;
        };
        let content = merge([base, ours, theirs]).map_err(|lines| ConfigRefusal::Conflict(Arc::clone(path), lines))?;
        merged.push(FileChange { path: Arc::clone(path), content: Some(content.into()) });
    }
    let files = overlay(&ours.files, &merged);
    let reading = usable(read(tip.root, &files), tip.reading)?;
    let merged = EarlierRevision { root: tip.root.to_owned(), files, reading };
    // 3. The pins of the tip again.
    let pins_of_tip =
        EarlierRevision { root: tip.root.to_owned(), files: tip.files.to_vec(), reading: tip.reading.clone() };
    let with = with_pins(&merged.said(), &names, &Arc::new(pins_of_tip))?;
    let files = with.files.iter().filter(|file| tip.bytes(&file.path) != with.bytes(&file.path));
    let change =
        |file: &File| FileChange { path: Arc::clone(&file.path), content: with.bytes(&file.path).map(Arc::from) };
    Ok(ConfigRevert { files: files.map(change).collect(), pins: with.reading.pins })
}

/// Returns the services that these files pin in all three revisions.
fn pinned_in(
    paths: &[Arc<str>],
    tip: &RevisionFiles<'_>,
    earlier: [&Arc<EarlierRevision>; 2],
) -> BTreeSet<ServiceName> {
    let stands_there = |service: &&Service| {
        let own = own_path(tip.root, &service.name);
        paths.iter().any(|path| **path == *own || *path == service.version_at.path)
    };
    let services = tip.reading.pins.services.values().filter(stands_there);
    let is_everywhere =
        |name: &ServiceName| earlier.iter().all(|revision| revision.reading.pins.services.contains_key(name));
    services.map(|service| service.name.clone()).filter(is_everywhere).collect()
}

/// Returns a side on which these services are pinned as at another revision.
fn with_pins(
    side: &RevisionFiles<'_>,
    names: &BTreeSet<ServiceName>,
    as_of: &Arc<EarlierRevision>,
) -> Result<EarlierRevision, ConfigRefusal> {
    let restore = |name: &ServiceName| (name.clone(), Edit::Restore { as_of: Arc::clone(as_of), name: name.clone() });
    let edits: Vec<(ServiceName, Edit)> = names.iter().map(restore).collect();
    let side = RevisionFiles { known: None, ..*side };
    let Edited { files, reading } =
        edit(&side, &edits).map_err(|refusal| ConfigRefusal::Edit(in_words(&refusal, side.files)))?;
    Ok(EarlierRevision { root: side.root.to_owned(), files: overlay(side.files, &files), reading })
}

/// Returns what is read with these lines, if no more is wrong with it than was.
fn usable(reading: Reading, tip: &Reading) -> Result<Reading, ConfigRefusal> {
    if let Some(why) = reading.unusable {
        return Err(ConfigRefusal::Unusable(why));
    }
    let is_new = |name: &ServiceName| !tip.pins.broken.contains_key(name);
    let broken = reading.pins.broken.iter().find(|(name, _)| is_new(name));
    match broken.map(|(name, why)| (name.clone(), why.clone())) {
        Some((name, why)) => Err(ConfigRefusal::Broken(name, why)),
        None => Ok(reading),
    }
}

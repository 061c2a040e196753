//! Reverts configuration: lines that the reverted commits changed beside the pins.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::edit::{EarlierRevision, Edit, Edited, RevisionFiles, apply_edits, in_words, overlay, own_path};
use crate::git::{FileChange, RepoFile};
use crate::pins::{ParsedRevision, Pins, Service, ServiceName, parse_revision};

/// Configuration as it was before some commits.
pub struct ConfigRevert {
    /// The files of the tip that change.
    pub files: Vec<FileChange>,
    /// The pins of the tip with the changed files.
    pub pins: Pins,
}

/// The reason why configuration cannot be reverted.
#[derive(Debug)]
pub enum ConfigRefusal {
    /// The pins of a revision cannot be edited. Has the problem with its place.
    Edit(String),
    /// No pins of the result would be usable. Has the reason.
    Unusable(String),
    /// A service would have an error. Has the reason.
    Broken(ServiceName, String),
    /// The reverted commits and later ones changed the same lines of a file of the tip. Has its path and these lines.
    Conflict(Arc<str>, Vec<RangeInclusive<usize>>),
}

/// Merges three versions of a file: applies the change from the first to the third to the second.
///
/// The error has the conflicting lines of the second version, counted from one.
pub type Merge<'m> = &'m dyn Fn([&[u8]; 3]) -> Result<Vec<u8>, Vec<RangeInclusive<usize>>>;

/// Reverts the change between two revisions on the tip, except for pins.
///
/// The other two revisions first get the pins of the later one. Pins that moved since thus do not conflict with lines
/// next to them.
///
/// # Errors
/// Returns the first obstacle. Nothing is reverted then.
pub fn revert_config(
    tip: &RevisionFiles<'_>,
    [before, after]: [&Arc<EarlierRevision>; 2],
    merge: Merge<'_>,
) -> Result<ConfigRevert, ConfigRefusal> {
    let differs = |file: &&RepoFile| {
        before.bytes(&file.path).is_some_and(|was| after.bytes(&file.path).is_some_and(|is| was != is))
    };
    let paths: Vec<Arc<str>> = tip.files.iter().filter(differs).map(|file| Arc::clone(&file.path)).collect();
    // 1. Give all three revisions the pins of the later one.
    let names = pinned_in(&paths, tip, [before, after]);
    let theirs = with_pins(&before.said(), &names, after)?;
    let ours = with_pins(tip, &names, after)?;
    // 2. Merge the remaining difference into the tip.
    let mut merged = Vec::new();
    for path in &paths {
        let (Some(base), Some(ours), Some(theirs)) = (after.bytes(path), ours.bytes(path), theirs.bytes(path)) else {
            continue;
        };
        let content = merge([base, ours, theirs]).map_err(|lines| ConfigRefusal::Conflict(Arc::clone(path), lines))?;
        merged.push(FileChange { path: Arc::clone(path), content: Some(content.into()) });
    }
    let files = overlay(&ours.files, &merged);
    let reading = usable(parse_revision(tip.root, &files), tip.reading)?;
    let merged = EarlierRevision { root: tip.root.to_owned(), files, reading };
    // 3. Restore the pins of the tip.
    let pins_of_tip =
        EarlierRevision { root: tip.root.to_owned(), files: tip.files.to_vec(), reading: tip.reading.clone() };
    let with = with_pins(&merged.said(), &names, &Arc::new(pins_of_tip))?;
    let files = with.files.iter().filter(|file| tip.bytes(&file.path) != with.bytes(&file.path));
    let change =
        |file: &RepoFile| FileChange { path: Arc::clone(&file.path), content: with.bytes(&file.path).map(Arc::from) };
    Ok(ConfigRevert { files: files.map(change).collect(), pins: with.reading.pins })
}

/// Returns the services that have their pin in these files, and are pinned in all three revisions.
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

/// Returns the revision with these services pinned as at another one.
fn with_pins(
    side: &RevisionFiles<'_>,
    names: &BTreeSet<ServiceName>,
    as_of: &Arc<EarlierRevision>,
) -> Result<EarlierRevision, ConfigRefusal> {
    let restore = |name: &ServiceName| (name.clone(), Edit::Restore { as_of: Arc::clone(as_of), name: name.clone() });
    let edits: Vec<(ServiceName, Edit)> = names.iter().map(restore).collect();
    let side = RevisionFiles { known: None, ..*side };
    let Edited { files, reading } =
        apply_edits(&side, &edits).map_err(|refusal| ConfigRefusal::Edit(in_words(&refusal, side.files)))?;
    Ok(EarlierRevision { root: side.root.to_owned(), files: overlay(side.files, &files), reading })
}

/// Returns the reading of the merged files, if it has no errors that the tip does not have.
fn usable(reading: ParsedRevision, tip: &ParsedRevision) -> Result<ParsedRevision, ConfigRefusal> {
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

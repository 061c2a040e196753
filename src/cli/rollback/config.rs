//! The lines beside the pins that reverted commits have changed, taken back on the tip (`--include-config`).

use std::collections::BTreeSet;
use std::sync::Arc;

use pintle_core::edit::{self, Edit, Edited, Said, Then, edit, overlay, own_path};
use pintle_core::git::{Commit, File, FileChange};
use pintle_core::pins::{Pins, Reading, Service, ServiceName, read};
use pintle_core::problem::display_safe;

use crate::cli::config::Config;
use crate::cli::diff::{self, FileDiff};
use crate::cli::exit::Failure;
use crate::cli::load::{Loaded, Revision};
use crate::source::merge;

/// The files of the tip in which other lines go back, and the pins of the tip as they say then.
pub(super) struct Besides {
    pub(super) files: Vec<FileChange>,
    pub(super) pins: Pins,
}

/// The files of a revision, and what they say.
struct Side {
    files: Vec<File>,
    reading: Reading,
}

/// The other lines that go back with these pins; and those of which `--include-config` would take back more, where it can.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) taken: Vec<FileDiff>,
    pub(super) left: Vec<FileDiff>,
}

/// Whatever these edits change beside pins, on the tip with other lines in it; and what these would that are not in it.
pub(super) fn lines(
    config: &Config,
    loaded: &Loaded,
    edits: &[(ServiceName, Edit)],
    [beneath, more]: [&[FileChange]; 2],
) -> Result<Lines, Failure> {
    let after = |beneath| edited_on(config, loaded, beneath, edits);
    let (tip, now) = (side(&loaded.at), after(beneath)?);
    let differ = |old: &Side, new: &Side| {
        let sides = [old, new].map(|side| (&*side.files, &side.reading.pins));
        diff::other_lines(sides, &loaded.history)
    };
    let left = if more.is_empty() { Vec::new() } else { differ(&now, &after(more)?) };
    Ok(Lines { taken: differ(&tip, &now), left })
}

fn edited_on(
    config: &Config,
    loaded: &Loaded,
    beneath: &[FileChange],
    edits: &[(ServiceName, Edit)],
) -> Result<Side, Failure> {
    let root = config.root.as_str();
    let files = overlay(&loaded.at.files, beneath);
    let reading = read(root, &files);
    let said = Said { root, files: &files, reading: &reading, known: None };
    let edited = edit(&said, edits).map_err(|refusal| Failure::error(edit::in_words(&refusal, &files)));
    let Edited { files: changed, reading } = edited?;
    Ok(Side { files: overlay(&files, &changed), reading })
}

/// Takes back what the commits between these two have changed, but for pins: all sides get the pins that stood there after
/// the commits, so that neighbours of lines that have moved since do not conflict.
pub(super) fn besides(config: &Config, loaded: &Loaded, ends: &[Arc<Commit>; 2]) -> Result<Besides, Failure> {
    let root = config.root.as_str();
    let [before, after] = diff::read(&loaded.source, root, ends, &loaded.at)?;
    let tip = &loaded.at;
    let differs =
        |file: &&File| before.bytes(&file.path).is_some_and(|was| after.bytes(&file.path).is_some_and(|is| was != is));
    let paths: Vec<Arc<str>> = tip.files.iter().filter(differs).map(|file| Arc::clone(&file.path)).collect();
    // 1. The same pins everywhere.
    let names = concerned(root, [&before, &after, tip], &paths);
    let theirs = with_pins(root, &names, &side(&before), &then(root, &after))?;
    let ours = with_pins(root, &names, &side(tip), &then(root, &after))?;
    // 2. What is left of the difference, on the tip.
    let mut merged = Vec::new();
    for path in &paths {
        let (Some(base), Some(ours), Some(theirs)) = (after.bytes(path), bytes(&ours, path), bytes(&theirs, path))
        else {
            continue;
        };
        let content = merge([base, ours, theirs]).map_err(|lines| conflict(path, &lines))?;
        merged.push(FileChange { path: Arc::clone(path), content: Some(content.into()) });
    }
    let files = overlay(&ours.files, &merged);
    let merged = Side { reading: usable(read(root, &files), &tip.reading)?, files };
    // 3. The pins of the tip again.
    let with = with_pins(root, &names, &merged, &then(root, tip))?;
    let files = with.files.iter().filter(|file| tip.bytes(&file.path) != bytes(&with, &file.path));
    let change =
        |file: &File| FileChange { path: Arc::clone(&file.path), content: bytes(&with, &file.path).map(Arc::from) };
    let files = files.map(change).collect();
    let mut pins = with.reading.pins;
    pins.settings.namespace = config.namespace.clone().or(pins.settings.namespace);
    Ok(Besides { files, pins })
}

/// The services that say something in these files, in all three revisions.
fn concerned(root: &str, all: [&Revision; 3], paths: &[Arc<str>]) -> BTreeSet<ServiceName> {
    let says_there = |service: &Service| {
        let own = own_path(root, &service.name);
        paths.iter().any(|path| **path == *own || *path == service.version_at.path)
    };
    let services = all[2].reading.pins.services.values().filter(|service| says_there(service));
    let is_everywhere =
        |name: &ServiceName| all.iter().all(|revision| revision.reading.pins.services.contains_key(name));
    services.map(|service| service.name.clone()).filter(is_everywhere).collect()
}

/// A side on which these services are pinned as they were then.
fn with_pins(root: &str, names: &BTreeSet<ServiceName>, side: &Side, then: &Arc<Then>) -> Result<Side, Failure> {
    let restore = |name: &ServiceName| (name.clone(), Edit::Restore { as_of: Arc::clone(then), name: name.clone() });
    let edits: Vec<(ServiceName, Edit)> = names.iter().map(restore).collect();
    let said = Said { root, files: &side.files, reading: &side.reading, known: None };
    let edited = edit(&said, &edits).map_err(|refusal| {
        let failure = Failure::error(format!("--include-config: {}", edit::in_words(&refusal, &side.files)));
        Failure { hint: Some(BY_HAND.to_owned()), ..failure }
    })?;
    let Edited { files, reading } = edited;
    Ok(Side { files: overlay(&side.files, &files), reading })
}

const BY_HAND: &str = "leave out --include-config, and take these lines back by hand";

fn side(revision: &Revision) -> Side {
    Side { files: revision.files.clone(), reading: revision.reading.clone() }
}

fn then(root: &str, revision: &Revision) -> Arc<Then> {
    let Side { files, reading } = side(revision);
    Arc::new(Then { root: root.to_owned(), files, reading })
}

fn bytes<'s>(side: &'s Side, path: &str) -> Option<&'s [u8]> {
    let file = side.files.iter().find(|file| &*file.path == path)?;
    if let pintle_core::git::Content::Bytes(bytes) = &file.content { Some(bytes) } else { None }
}

/// What would be read with these lines, if no more is wrong with it than was.
fn usable(reading: Reading, tip: &Reading) -> Result<Reading, Failure> {
    let is_new = |name: &&ServiceName| !tip.pins.broken.contains_key(*name);
    let broken = reading.pins.broken.iter().find(|(name, _)| is_new(name));
    let why =
        reading.unusable.clone().or_else(|| broken.map(|(name, why)| format!("{name} would have an error: {why}")));
    let failure = |why| Failure::error(format!("--include-config: with these lines as they were, {why}")).hint(BY_HAND);
    why.map_or(Ok(reading), |why| Err(failure(why)))
}

fn conflict(path: &str, lines: &[std::ops::RangeInclusive<usize>]) -> Failure {
    let line = |lines: &std::ops::RangeInclusive<usize>| match (lines.start(), lines.end()) {
        (start, end) if start == end => start.to_string(),
        (start, end) => format!("{start}-{end}"),
    };
    let lines = lines.iter().map(line).collect::<Vec<_>>().join(", ");
    let path = display_safe(path, 200);
    Failure::error(format!("--include-config: {path}:{lines}: changed by the reverted commits, and otherwise since"))
        .hint(BY_HAND)
}

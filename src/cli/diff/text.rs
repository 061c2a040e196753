//! The lines of pin files that differ, but for those that the moves have told already.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pintle_core::change::ServiceChange;
use pintle_core::git::{FileContent, RepoFile};
use pintle_core::pins::Service;
use pintle_core::problem::display_safe;
use pintle_core::problem::{FilePlace, line_col};
use serde::Serialize;
use similar::{Change, ChangeTag, TextDiff};

use crate::cli::output::{BAD_STYLE, DIM_STYLE, GOOD_STYLE, NAME_STYLE, Output, counted, styled};

/// Longer lines are cut.
const MAX_LINE_CHARS: usize = 200;

/// What is new of one file; also `--output json`. Files that are new or gone as a whole are named only: the moves tell
/// what they pin.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileDiff {
    path: Arc<str>,
    /// Whether the file is new, gone, or another one.
    status: &'static str,
    /// The number of its lines, or of those it had.
    lines: usize,
    hunks: Vec<DiffHunk>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DiffHunk {
    header: String,
    /// Each with its sign: ` `, `-` or `+`.
    lines: Vec<String>,
}

/// The lines of one side, by path and number from zero, that the moves have told.
type ToldLines = BTreeSet<(Arc<str>, usize)>;

/// The files that differ in lines that no move tells. `whole`: whether lines that a move tells are shown among these.
pub(super) fn file_diffs([old, new]: [&[RepoFile]; 2], moved: &[ServiceChange], whole: bool) -> Vec<FileDiff> {
    let told = [
        told(old, moved.iter().filter_map(|moved| moved.from.as_ref())),
        told(new, moved.iter().filter_map(|moved| moved.to.as_ref())),
    ];
    let mut sides: BTreeMap<&Arc<str>, [Option<&RepoFile>; 2]> = BTreeMap::new();
    for (side, files) in [old, new].into_iter().enumerate() {
        for file in files {
            sides.entry(&file.path).or_default()[side] = Some(file);
        }
    }
    let differing = sides.into_iter().filter(|(_, [a, b])| a.map(|a| a.blob) != b.map(|b| b.blob));
    differing.filter_map(|(path, sides)| file(path, sides, (&told, whole))).collect()
}

/// Where the pins that moved are written: their versions and their needs.
fn told<'s>(files: &[RepoFile], services: impl Iterator<Item = &'s Service>) -> ToldLines {
    let line = |place: &FilePlace| {
        let file = files.iter().find(|file| file.path == place.path)?;
        let FileContent::Bytes(bytes) = &file.content else { return None };
        let (line, _) = line_col(bytes, place.span.as_ref()?.start);
        Some((Arc::clone(&place.path), line - 1))
    };
    let needs = |service: &'s Service| service.needs_at.values().flat_map(|at| at.ranges.iter().chain([&at.provider]));
    let places = services.flat_map(|service| needs(service).chain([&service.version_at]));
    places.filter_map(line).collect()
}

fn file(path: &Arc<str>, sides: [Option<&RepoFile>; 2], (told, whole): (&[ToldLines; 2], bool)) -> Option<FileDiff> {
    let [old, new] = sides.map(|file| file.map(shown).unwrap_or_default());
    let named =
        |status, text: &str| FileDiff { path: Arc::clone(path), status, lines: text.lines().count(), hunks: vec![] };
    match sides {
        [None, _] => return Some(named("added", &new)),
        [_, None] => return Some(named("removed", &old)),
        [Some(_), Some(_)] => {}
    }
    let is_told = |change: &Change<&str>| match (change.tag(), change.old_index(), change.new_index()) {
        (ChangeTag::Delete, Some(line), _) => told[0].contains(&(Arc::clone(path), line)),
        (ChangeTag::Insert, _, Some(line)) => told[1].contains(&(Arc::clone(path), line)),
        _ => false,
    };
    let hunks = hunks(&old, &new, is_told, whole);
    (!hunks.is_empty()).then(|| FileDiff { hunks, ..named("changed", &new) })
}

/// All that an edit changes in a file; a file that is new or gone is shown whole.
pub(crate) fn diff_edited(path: &Arc<str>, old: Option<&[u8]>, new: Option<&[u8]>) -> FileDiff {
    let status = match (old, new) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    let [old, new] = [old, new].map(|bytes| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned());
    FileDiff { path: Arc::clone(path), status, lines: new.lines().count(), hunks: hunks(&old, &new, |_| false, true) }
}

/// The places that differ, but for those of which all is told already; `whole`: with the lines that are.
fn hunks(old: &str, new: &str, is_told: impl Fn(&Change<&str>) -> bool, whole: bool) -> Vec<DiffHunk> {
    let diff = TextDiff::from_lines(old, new);
    let mut unified = diff.unified_diff();
    let hunks = unified.context_radius(2).iter_hunks();
    hunks
        .filter(|hunk| !hunk.iter_changes().all(|change| change.tag() == ChangeTag::Equal || is_told(&change)))
        .map(|hunk| DiffHunk {
            header: hunk.header().to_string(),
            lines: hunk
                .iter_changes()
                .filter(|change| whole || change.tag() == ChangeTag::Equal || !is_told(change))
                .map(|change| {
                    format!(
                        "{}{}",
                        change.tag(),
                        display_safe(change.value().trim_end_matches(['\r', '\n']), MAX_LINE_CHARS)
                    )
                })
                .collect(),
        })
        .collect()
}

/// The text of a file, or what it is instead.
fn shown(file: &RepoFile) -> String {
    match &file.content {
        FileContent::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        FileContent::TooLarge(size) => format!("(a file of {size} bytes)\n"),
        FileContent::Symlink => "(a symbolic link)\n".to_owned(),
        FileContent::Submodule => "(a submodule)\n".to_owned(),
    }
}

impl FileDiff {
    /// It has more than one line.
    pub(crate) fn is_long(&self) -> bool {
        !self.hunks.is_empty()
    }

    /// For people.
    pub(crate) fn print(&self, output: &mut Output) {
        for line in self.lines() {
            output.line(line);
        }
    }

    /// The same, line by line.
    pub(crate) fn lines(&self) -> Vec<String> {
        let path = styled(NAME_STYLE, display_safe(&self.path, MAX_LINE_CHARS));
        let mut lines = vec![match (self.status, self.hunks.as_slice()) {
            ("changed", _) => path,
            (status, []) => format!("{path} {status}, {}", counted(self.lines, "line")),
            (status, _) => format!("{path} {status}"),
        }];
        for hunk in &self.hunks {
            lines.push(styled(DIM_STYLE, &hunk.header));
            lines.extend(hunk.lines.iter().map(|line| match line.as_bytes().first() {
                Some(b'-') => styled(BAD_STYLE, line),
                Some(b'+') => styled(GOOD_STYLE, line),
                _ => line.clone(),
            }));
        }
        lines
    }
}

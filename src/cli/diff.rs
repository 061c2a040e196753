//! `pintle diff`: what moved between two revisions, in the words of pins first, then the other lines as text.

mod moves;
mod text;

use std::sync::Arc;

use clap::Args;
use moves::DiffReport;
use pintle_core::change::changes_between;
use pintle_core::git::{Commit, RepoFile};
use pintle_core::graph::version_order;
use pintle_core::history::History;
use pintle_core::pins::{Pins, Service, ServiceName};
use pintle_core::version::Version;
pub(super) use text::{FileDiff, diff_edited};

use super::exit::{CommandError, CommandExit, help};
use super::load::{OpenedRepository, Revision, open_repository, warn_if_stale};
use super::output::{Output, OutputArgs};
use crate::cli::config::CliConfig;
use crate::source::Source;

/// Show what moved between two revisions
///
/// First the pins that moved, and how: upgrade, downgrade, return to a version pinned before; then what is needed
/// otherwise; then the other lines of the pin files that differ.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle diff HEAD~5\npintle diff v41 v42\npintle diff origin/main..my-branch --output json",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage],
))]
pub(super) struct DiffCommand {
    /// Two revisions, as `A B` or `A..B`; without the second, the tip of the branch
    #[arg(value_name = "REV", required = true, num_args = 1..=2)]
    revs: Vec<String>,
    #[command(flatten)]
    printing: OutputArgs,
}

/// So many commits are looked back for the last one that moved a pin.
const MAX_COMMITS_SEARCHED: usize = 10_000;

impl DiffCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let (from, to) = self.ends()?;
        let opened = open_repository(config)?;
        let from = Arc::new(opened.source.resolve(from)?);
        let to = to.map_or_else(|| opened.tip(), |to| Ok(Arc::new(opened.source.resolve(to)?)))?;
        let report = compare(opened, config, &[from, to], output)?;
        output.result(self.printing.output, &report, |output| report.print(output))?;
        Ok(CommandExit::Ok)
    }

    /// The two revisions as typed.
    fn ends(&self) -> Result<(&str, Option<&str>), CommandError> {
        let ranges = self.revs.iter().filter(|rev| rev.contains("..")).count();
        let hint = "write `pintle diff A B`, `pintle diff A..B`, or `pintle diff A` for the tip of the branch";
        match self.revs.as_slice() {
            [from, to] if ranges == 0 => Ok((from, Some(to))),
            [from] if ranges == 0 => Ok((from, None)),
            [range] => match range.split_once("..") {
                Some((from, to)) if !from.is_empty() && !to.starts_with('.') && !to.contains("..") => {
                    Ok((from, Some(to).filter(|to| !to.is_empty())))
                }
                _ => Err(CommandError::usage(format!("{range:?} does not name two revisions")).hint(hint)),
            },
            _ => Err(CommandError::usage("a range and a revision are three revisions").hint(hint)),
        }
    }
}

/// Compares them in the light of the history up to the tip, which is the one that is kept.
fn compare(
    opened: OpenedRepository,
    config: &CliConfig,
    ends: &[Arc<Commit>; 2],
    output: &mut Output,
) -> Result<DiffReport, CommandError> {
    let tip = Revision::read(&opened.source, &config.pin_folder, Some(opened.tip()?))?;
    let [old, new] = read_both(&opened.source, &config.pin_folder, ends, &tip)?;
    let loaded = opened.with_history(config, tip)?;
    warn_if_stale(loaded.fetch_error.as_ref(), output);
    for revision in [&old, &new] {
        revision.warn_if_unusable(output);
    }
    let position = position(&loaded.source, &loaded.history, &ends[0]);
    let order = |service: &Service| version_order(service, &loaded.history);
    let before = |name: &ServiceName, version: &Version| {
        let records = loaded.history.records(name).iter();
        let mut records = records.take_while(|record| position.is_some_and(|position| record.position <= position));
        records.any(|record| record.pin.as_ref().is_some_and(|pin| pin.version == *version))
    };
    let moved = changes_between(&old.reading.pins, &new.reading.pins, order, before);
    Ok(DiffReport::of(&old, &new, moved))
}

/// What pin files say, with the pins in them.
pub(super) type RevisionFilesAndPins<'s> = (&'s [RepoFile], &'s Pins);

/// The lines of pin files that two sides differ in, but for those of pins and needs that moved.
pub(super) fn other_lines([old, new]: [RevisionFilesAndPins<'_>; 2], history: &History) -> Vec<FileDiff> {
    let moved = changes_between(old.1, new.1, |service| version_order(service, history), |_, _| true);
    text::file_diffs([old.0, new.0], &moved, false).into_iter().filter(FileDiff::is_long).collect()
}

/// Reads both; where one has no `pintle.yaml`, by that of the other, else by that of the tip, as history does.
pub(super) fn read_both(
    source: &Source,
    root: &str,
    ends: &[Arc<Commit>; 2],
    tip: &Revision,
) -> Result<[Revision; 2], CommandError> {
    let [old, new] = ends.each_ref().map(|commit| Revision::read(source, root, Some(Arc::clone(commit))));
    let both = [old?, new?];
    let known = both.iter().rev().chain([tip]).find(|revision| revision.has_settings());
    let Some(settings) = known.map(|revision| revision.reading.pins.settings.clone()) else { return Ok(both) };
    let again = |revision: Revision| {
        let commit = revision.commit.clone().filter(|_| !revision.has_settings());
        commit.map_or(Ok(revision), |commit| Revision::read_with(source, root, Some(commit), Some(&settings)))
    };
    let [old, new] = both.map(again);
    Ok([old?, new?])
}

/// The place in history of a commit, or of the last one before it that moved a pin; none where there is none.
fn position(source: &Source, history: &History, commit: &Commit) -> Option<u32> {
    let mut id = commit.id;
    for _ in 0..MAX_COMMITS_SEARCHED {
        if let Some(position) = history.position_of(id) {
            return Some(position);
        }
        id = source.resolve(&format!("{id}~1")).ok()?.id;
    }
    None
}

//! `pintle diff`: what moved between two revisions, in the words of pins first, then the other lines as text.

mod moves;
mod text;

use std::sync::Arc;

use clap::Args;
use moves::Report;
use pintle_core::change::between;
use pintle_core::git::{Commit, File};
use pintle_core::graph::order_of;
use pintle_core::history::History;
use pintle_core::pins::{Pins, Service, ServiceName};
use pintle_core::version::Version;
pub(super) use text::{FileDiff, edited};

use super::exit::{Exit, Failure, help};
use super::load::{Opened, Revision, open, say_stale};
use super::output::{Output, Printing};
use crate::cli::config::Config;
use crate::source::Source;

/// Show what moved between two revisions
///
/// First the pins that moved, and how: upgrade, downgrade, return to a version pinned before; then what is needed
/// otherwise; then the other lines of the pin files that differ.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle diff HEAD~5\npintle diff v41 v42\npintle diff origin/main..my-branch --output json",
    &[Exit::Ok, Exit::Error, Exit::Usage],
))]
pub(super) struct Diff {
    /// Two revisions, as `A B` or `A..B`; without the second, the tip of the branch
    #[arg(value_name = "REV", required = true, num_args = 1..=2)]
    revs: Vec<String>,
    #[command(flatten)]
    printing: Printing,
}

/// So many commits are looked back for the last one that moved a pin.
const LOOK_BACK: usize = 10_000;

impl Diff {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let (from, to) = self.ends()?;
        let opened = open(config)?;
        let from = Arc::new(opened.source.resolve(from)?);
        let to = to.map_or_else(|| opened.tip(), |to| Ok(Arc::new(opened.source.resolve(to)?)))?;
        let report = compare(opened, config, &[from, to], output)?;
        output.result(self.printing.output, &report, |output| report.print(output))?;
        Ok(Exit::Ok)
    }

    /// The two revisions as typed.
    fn ends(&self) -> Result<(&str, Option<&str>), Failure> {
        let ranges = self.revs.iter().filter(|rev| rev.contains("..")).count();
        let hint = "write `pintle diff A B`, `pintle diff A..B`, or `pintle diff A` for the tip of the branch";
        match self.revs.as_slice() {
            [from, to] if ranges == 0 => Ok((from, Some(to))),
            [from] if ranges == 0 => Ok((from, None)),
            [range] => match range.split_once("..") {
                Some((from, to)) if !from.is_empty() && !to.starts_with('.') && !to.contains("..") => {
                    Ok((from, Some(to).filter(|to| !to.is_empty())))
                }
                _ => Err(Failure::usage(format!("{range:?} does not name two revisions")).hint(hint)),
            },
            _ => Err(Failure::usage("a range and a revision are three revisions").hint(hint)),
        }
    }
}

/// Compares them in the light of the history up to the tip, which is the one that is kept.
fn compare(opened: Opened, config: &Config, ends: &[Arc<Commit>; 2], output: &mut Output) -> Result<Report, Failure> {
    let tip = Revision::read(&opened.source, &config.root, Some(opened.tip()?))?;
    let [old, new] = read(&opened.source, &config.root, ends, &tip)?;
    let loaded = opened.with_history(config, tip)?;
    say_stale(loaded.stale.as_ref(), output);
    for revision in [&old, &new] {
        revision.warn(output);
    }
    let position = position(&loaded.source, &loaded.history, &ends[0]);
    let order = |service: &Service| order_of(service, &loaded.history);
    let before = |name: &ServiceName, version: &Version| {
        let records = loaded.history.records(name).iter();
        let mut records = records.take_while(|record| position.is_some_and(|position| record.position <= position));
        records.any(|record| record.pin.as_ref().is_some_and(|pin| pin.version == *version))
    };
    let moved = between(&old.reading.pins, &new.reading.pins, order, before);
    Ok(Report::of(&old, &new, moved))
}

/// What pin files say, with the pins in them.
pub(super) type Side<'s> = (&'s [File], &'s Pins);

/// The lines of pin files that two sides differ in, but for those of pins and needs that moved.
pub(super) fn other_lines([old, new]: [Side<'_>; 2], history: &History) -> Vec<FileDiff> {
    let moved = between(old.1, new.1, |service| order_of(service, history), |_, _| true);
    text::files([old.0, new.0], &moved, false).into_iter().filter(FileDiff::is_long).collect()
}

/// Reads both; where one has no `pintle.yaml`, by that of the other, else by that of the tip, as history does.
pub(super) fn read(
    source: &Source,
    root: &str,
    ends: &[Arc<Commit>; 2],
    tip: &Revision,
) -> Result<[Revision; 2], Failure> {
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
    for _ in 0..LOOK_BACK {
        if let Some(position) = history.position(id) {
            return Some(position);
        }
        id = source.resolve(&format!("{id}~1")).ok()?.id;
    }
    None
}

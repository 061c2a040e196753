//! `pintle diff`: what moved between two revisions, in the words of pins first, then the other lines as text.

mod moves;
mod text;

use std::sync::Arc;

use clap::Args;

use super::exit::{Exit, Failure, help};
use super::load::{Opened, Revision, open};
use super::output::{Output, Printing};
use crate::change::between;
use crate::config::Config;
use crate::graph::order_of;
use crate::pins::{Service, ServiceName};
use crate::source::{Commit, History, Source};
use crate::version::Version;
use moves::Report;

/// Show what moved between two revisions
///
/// First the pins that moved, and how: upgrade, downgrade, return to a version pinned before; then what is needed
/// otherwise; then the other lines of the pin files that differ.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle diff HEAD~5\npintle diff v41 v42\npintle diff origin/main..my-branch --output json",
    &[Exit::Ok, Exit::Error, Exit::Usage],
))]
pub struct Diff {
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
        let report = compare(opened, config, (from, to), output)?;
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

fn compare(
    opened: Opened,
    config: &Config,
    (from, to): (Arc<Commit>, Arc<Commit>),
    output: &mut Output,
) -> Result<Report, Failure> {
    let (old, new) = read_both(&opened.source, &config.root, &from, to)?;
    let loaded = opened.with_history(config, new)?;
    loaded.warn(output);
    let position = position(&loaded.source, &loaded.history, &from)?;
    let order = |service: &Service| order_of(service, &loaded.history);
    let before = |name: &ServiceName, version: &Version| {
        let records = loaded.history.records(name).iter();
        let mut records = records.take_while(|record| position.is_some_and(|position| record.position <= position));
        records.any(|record| record.pin.as_ref().is_some_and(|pin| pin.version == *version))
    };
    let between = between(&old.reading.pins, &loaded.at.reading.pins, order, before);
    Ok(Report::of(&old, &loaded.at, between))
}

/// Reads both; where one has no `pintle.yaml`, by that of the other.
fn read_both(
    source: &Source,
    root: &str,
    from: &Arc<Commit>,
    to: Arc<Commit>,
) -> Result<(Revision, Revision), Failure> {
    let old = Revision::read(source, root, Some(Arc::clone(from)))?;
    let new = Revision::read_with(source, root, Some(to), &old.reading.pins.settings)?;
    if old.has_settings() || !new.has_settings() {
        return Ok((old, new));
    }
    let old = Revision::read_with(source, root, Some(Arc::clone(from)), &new.reading.pins.settings)?;
    Ok((old, new))
}

/// The place in history of a commit, or of the last one before it that moved a pin; none where there is none.
fn position(source: &Source, history: &History, commit: &Commit) -> Result<Option<u32>, Failure> {
    let mut id = commit.id;
    for _ in 0..LOOK_BACK {
        if let Some(position) = history.position(id) {
            return Ok(Some(position));
        }
        let Ok(parent) = source.resolve(&format!("{id}~1")) else { return Ok(None) };
        id = parent.id;
    }
    Ok(None)
}

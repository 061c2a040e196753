//! `pintle history`: each pin that a service had, or the last commits that moved pins.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

mod all;
mod entries;
mod one;
mod proven;
mod undone;

use std::cmp::Ordering;

use clap::Args;
use entries::HistoryEntries;
use jiff::Timestamp;
use pintle_core::change::ChangeKind;

use super::exit::{CommandError, CommandExit, help};
use super::load::load;
use super::output::{BAD_STYLE, BUSY_STYLE, DIM_STYLE, GOOD_STYLE, Output, OutputArgs};
use super::table::TableCell;
use super::words::known_service;
use crate::cli::config::CliConfig;

/// Show the pins that a service had, newest first
///
/// For each: the version, how it came (deploy, upgrade, downgrade, return to a version pinned before, sidegrade, image,
/// release), the commit, and how long it stood. Without a service: the last commits that moved any pin. Rollbacks,
/// reapplies and reverts, by whatever tool, are told with the commits that they take back. Where a cluster answers within
/// two seconds: when each pin was last verified there, and how long that took.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle history checkout\npintle history --limit 50\npintle history checkout --output json",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage],
))]
pub(super) struct HistoryCommand {
    /// The service; without one, the last moves of all
    #[arg(value_name = "SERVICE")]
    service: Option<String>,
    /// The history up to this revision instead of the tip of the branch
    #[arg(long)]
    rev: Option<String>,
    /// Show so many moves; 0 for all
    #[arg(long, value_name = "N", default_value = "20")]
    limit: usize,
    #[command(flatten)]
    printing: OutputArgs,
}

impl HistoryCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let loaded = load(config, self.rev.as_deref())?;
        loaded.warn_if_outdated(output);
        let known = |typed: &String| known_service(typed, loaded.history.services().map(|(name, _)| name));
        let service = self.service.as_ref().map(known).transpose()?;
        let proofs = proven::ask(config, &loaded, service.as_ref(), output);
        let limit = if self.limit == 0 { usize::MAX } else { self.limit };
        let entries = HistoryEntries::new(&loaded, service.as_ref(), limit, proofs);
        let (format, now) = (self.printing.output, Timestamp::now());
        let shown = match &service {
            Some(name) => output.result(format, &one::ServiceHistoryJson::new(name, &entries), |output| {
                one::table(&entries, now).print(output);
            }),
            None => output
                .result(format, &all::HistoryJson::new(&entries), |output| all::table(&entries, now).print(output)),
        };
        shown?;
        let more = entries.total - entries.moves.len();
        if more > 0 {
            output.note(format_args!("… and {more} more: --limit 0 shows all"));
        }
        Ok(CommandExit::Ok)
    }
}

/// The word for a move, with an arrow where it goes up or down.
pub(super) fn change_cell(kind: Option<ChangeKind>) -> TableCell {
    let Some(kind) = kind else { return TableCell::new(DIM_STYLE, "needs") };
    let (arrow, style) = match kind.version_direction() {
        Ordering::Greater => ("↑ ", GOOD_STYLE),
        Ordering::Less => ("↓ ", BUSY_STYLE),
        Ordering::Equal if kind == ChangeKind::Release => ("", BAD_STYLE),
        Ordering::Equal => ("", anstyle::Style::new()),
    };
    TableCell::new(style, format!("{arrow}{kind}"))
}

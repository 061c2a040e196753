//! `pintle history`: each pin that a service had, or the last commits that moved pins.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

mod all;
mod one;
mod proven;
mod undone;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use clap::Args;
use jiff::Timestamp;
use pintle_core::change::{ChangeKind, Move, line};
use pintle_core::graph::order_of;
use pintle_core::pins::ServiceName;
use proven::{Proof, Proofs};
use undone::{Messages, Undone};

use super::exit::{Exit, Failure, help};
use super::load::{Loaded, load};
use super::output::{BAD, BUSY, DIM, GOOD, Output, Printing};
use super::table::Cell;
use super::words::known;
use crate::cli::config::Config;

/// Show the pins that a service had, newest first
///
/// For each: the version, how it came (deploy, upgrade, downgrade, return to a version pinned before, sidegrade, image,
/// release), the commit, and how long it stood. Without a service: the last commits that moved any pin. Rollbacks,
/// reapplies and reverts, by whatever tool, are told with the commits that they take back. Where a cluster answers within
/// two seconds: when each pin was last verified there, and how long that took.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle history checkout\npintle history --limit 50\npintle history checkout --output json",
    &[Exit::Ok, Exit::Error, Exit::Usage],
))]
pub(super) struct History {
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
    printing: Printing,
}

/// Moves of one service or of all, newest first.
#[derive(Debug)]
struct Told {
    /// The cluster that was asked what it has verified; none where none was.
    cluster: Option<String>,
    total: usize,
    moves: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    service: ServiceName,
    one: Move,
    proven: Option<Proof>,
    /// What its commit takes back.
    undoes: Option<Undone>,
}

impl History {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let loaded = load(config, self.rev.as_deref())?;
        loaded.warn(output);
        let known = |typed: &String| known(typed, loaded.history.services().map(|(name, _)| name));
        let service = self.service.as_ref().map(known).transpose()?;
        let proofs = proven::ask(config, &loaded, service.as_ref(), output);
        let limit = if self.limit == 0 { usize::MAX } else { self.limit };
        let told = Told::of(&loaded, service.as_ref(), limit, proofs);
        let (format, now) = (self.printing.output, Timestamp::now());
        let shown = match &service {
            Some(name) => {
                output.result(format, &one::Shown::of(name, &told), |output| one::table(&told, now).print(output))
            }
            None => output.result(format, &all::Shown::of(&told), |output| all::table(&told, now).print(output)),
        };
        shown?;
        let more = told.total - told.moves.len();
        if more > 0 {
            output.note(format_args!("… and {more} more: --limit 0 shows all"));
        }
        Ok(Exit::Ok)
    }
}

impl Told {
    fn of(loaded: &Loaded, service: Option<&ServiceName>, limit: usize, mut proofs: Option<Proofs>) -> Self {
        let (history, pins) = (&loaded.history, &loaded.at.reading.pins.services);
        // Of all, moves of an earlier name are told as those of the later one.
        let earlier: BTreeSet<&ServiceName> = pins.values().filter_map(|service| service.formerly.as_ref()).collect();
        let wanted = |name: &ServiceName| service.map_or(!earlier.contains(name), |service| service == name);
        let mut all = Vec::new();
        for (name, records) in history.services().filter(|(name, _)| wanted(name)) {
            let order = pins.get(name).map_or_else(|| history.order(name, None), |service| order_of(service, history));
            let moves = line(records, &order).into_iter().zip(records);
            all.extend(moves.map(|(one, record)| (record.position, name, one)));
        }
        all.sort_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
        let (total, cluster) = (all.len(), proofs.as_ref().map(|proofs| proofs.cluster.clone()));
        let mut messages = Messages::of(loaded);
        let entry = |(_, name, one): (u32, &ServiceName, Move)| {
            let proven = proofs.as_mut().and_then(|proofs| proofs.take(&loaded.source, name, &one));
            Entry { service: name.clone(), proven, undoes: messages.undone(&one.commit), one }
        };
        Self { cluster, total, moves: all.into_iter().take(limit).map(entry).collect() }
    }
}

/// The word for a move, with an arrow where it goes up or down.
pub(super) fn word(kind: Option<ChangeKind>) -> Cell {
    let Some(kind) = kind else { return Cell::new(DIM, "needs") };
    let (arrow, style) = match kind.direction() {
        Ordering::Greater => ("↑ ", GOOD),
        Ordering::Less => ("↓ ", BUSY),
        Ordering::Equal if kind == ChangeKind::Release => ("", BAD),
        Ordering::Equal => ("", anstyle::Style::new()),
    };
    Cell::new(style, format!("{arrow}{kind}"))
}

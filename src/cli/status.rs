//! `pintle status`: what is pinned, what runs, and what it is waiting for.
#![expect(clippy::disallowed_methods, reason = "ages are told from now")]

mod row;
mod table;

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use pintle_core::graph::ServiceId;
use pintle_core::verify::HealthStatus;
use serde::Serialize;

use self::row::StatusRow;
use self::table::{shared, table, writer_words};
use super::exit::{CommandError, CommandExit, help};
use super::load::{load, warn_if_stale};
use super::output::{Output, OutputArgs};
use super::session::{self, ClusterCommand, Session};
use super::words::known_service;
use crate::cli::config::CliConfig;
use crate::cluster::{Cluster, ClusterError, LeaseHolder};
use crate::controller::{RolloutOutcome, Snapshot, targets};

/// Show what is pinned, what runs, and what it is waiting for
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle status\npintle status checkout --watch\npintle status --exit-code || echo 'not what is pinned'",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Changes, CommandExit::Unhealthy, CommandExit::Refused, CommandExit::Usage],
))]
pub(super) struct StatusCommand {
    /// Only these services
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Stay, and show it anew whenever it changes
    #[arg(short, long)]
    pub watch: bool,
    /// Exit with 2 where not everything is in sync, also by a hold or a pause of somebody's choice
    #[arg(long, conflicts_with = "watch")]
    pub exit_code: bool,
    #[command(flatten)]
    printing: OutputArgs,
}

/// How everything stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusJson {
    /// The one writer, where there is one; none as well where that may not be asked.
    writer: Option<LeaseHolder>,
    services: Vec<StatusRow>,
}

impl ClusterCommand for StatusCommand {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(
        &self,
        _: &CliConfig,
        session: Session<C>,
        output: &mut Output,
    ) -> Result<CommandExit, CommandError> {
        for name in &self.services {
            // Of a revision that cannot be used no service is known.
            let known = known_service(name, session.desired.graph.ids().map(|id| session.desired.graph.name(id)));
            known.or_else(|unknown| session.loaded.revision.refuse_if_unusable().and(Err(unknown)))?;
        }
        let mut before = None;
        loop {
            let snapshot = session.see().await?;
            let broken = session
                .loaded
                .revision
                .refuse_if_broken()
                .and_then(|()| session.guard_history(&snapshot, None).map(drop));
            let writer = session.cluster.lease_holder(&session.lease()).await;
            let writer_known = writer.clone().ok().flatten();
            let services = self.rows(&session, snapshot, writer_known.as_ref());
            let shown = StatusJson { writer: writer_known, services };
            // A sign of life alone is no news; in place, ages go on all the same.
            if before.as_ref() != Some(&shown.services) || output.is_in_place(self.printing.output) {
                if before.is_some() {
                    output.start_redraw(self.printing.output);
                }
                self.print(&session, &shown, writer.err().as_ref(), output)?;
            }
            if !self.watch || output.is_closed() {
                return broken.map(|()| self.exit(&shown.services));
            }
            if let Some(failure) = broken.err().filter(|_| before.is_none()) {
                output.failure(&failure);
            }
            before = Some(shown.services);
            session.cluster.wait_for_change(Duration::from_secs(5)).await?;
        }
    }
}

impl StatusCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let loaded = load(config, None)?;
        warn_if_stale(loaded.fetch_error.as_ref(), output);
        loaded.warn_of_uncommitted(output)?;
        session::run(self, config, loaded, output)
    }

    fn rows(
        &self,
        session: &Session<impl Cluster>,
        snapshot: Snapshot,
        writer: Option<&LeaseHolder>,
    ) -> Vec<StatusRow> {
        let when = if writer.is_some() { "in a moment" } else { "at the next apply" };
        let Snapshot { observed, look } = snapshot;
        let wanted = targets(&session.desired, &look);
        let pass = RolloutOutcome::still(&session.desired, look, wanted).last;
        let shown = |id: &ServiceId| {
            self.services.is_empty()
                || self.services.iter().any(|name| name == session.desired.graph.name(*id).as_str())
        };
        let row = |id: ServiceId| StatusRow::new(&session.desired, id, (&pass, &observed), when);
        session.desired.graph.ids().filter(shown).map(row).collect()
    }

    fn exit(&self, rows: &[StatusRow]) -> CommandExit {
        let unwell = |row: &StatusRow| matches!(row.health, HealthStatus::Degraded | HealthStatus::Missing);
        match () {
            () if rows.iter().any(unwell) => CommandExit::Unhealthy,
            () if self.exit_code && !rows.iter().all(|row| row.in_sync) => CommandExit::Changes,
            () => CommandExit::Ok,
        }
    }

    fn print(
        &self,
        session: &Session<impl Cluster>,
        shown: &StatusJson,
        unknown: Option<&ClusterError>,
        output: &mut Output,
    ) -> Result<(), CommandError> {
        output.result(self.printing.output, shown, |output| {
            let (rows, now) = (&shown.services, Timestamp::now());
            let shared = shared(rows);
            table(rows, &shared, now).print(output);
            for (why, services) in &shared {
                output.line(format_args!("{}: {}", services.join(", "), why));
            }
            let in_sync = rows.iter().filter(|row| row.in_sync).count();
            output.line(format_args!("{in_sync} of {} in sync", rows.len()));
            let writer = match unknown {
                Some(why) => format!("Whether a pintle run is at work is not known: {why}"),
                None => writer_words(shown.writer.as_ref(), session.commit.id, now),
            };
            output.line(writer);
        })
    }
}

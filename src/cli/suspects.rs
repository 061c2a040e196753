//! `pintle suspects`: what may be the cause of an alarm, the likeliest first, and what to type.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

mod report;
mod text;

use std::collections::BTreeSet;

use clap::Args;
use jiff::Timestamp;
use report::SuspectsReport;

use super::evidence::ask_cluster;
use super::exit::{CommandError, CommandExit, help};
use super::load::load;
use super::output::{Output, OutputArgs};
use super::words::{TIME_FORMATS, known_service, parse_time};
use crate::cli::config::CliConfig;
use crate::controller::{ClusterEvidence, SuspicionInput};

/// Show what may be the cause of an alarm, the likeliest first
///
/// Suspects are the services that changed since all was well and that alarm, or that one that alarms depends on, directly
/// or through others. They are ranked by the time since the change and by the distance, each with its reasons and with
/// what takes it back. A service alarms where its pods are not well, or where you name it: because of its metrics, say.
/// It was well when it was verified last in the cluster at hand; --since says otherwise. Without a cluster and without a
/// name all that changed is told, the newest first.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle suspects\npintle suspects --since 2h\npintle suspects checkout --output json",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Unhealthy, CommandExit::Usage],
))]
pub(super) struct SuspectsCommand {
    /// Services that alarm, by what else you know
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Only what changed since then (2h, 2h ago, or 2026-11-20T10:00 in UTC)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    #[command(flatten)]
    printing: OutputArgs,
}

impl SuspectsCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let now = Timestamp::now();
        let loaded = load(config, None)?;
        loaded.warn_if_outdated(output);
        loaded.revision.refuse_if_unusable()?;
        let tip = loaded.revision.commit.clone().ok_or_else(|| CommandError::error("a revision is needed"))?;
        let since = self.since.as_deref().map(|typed| since(typed, now)).transpose()?;
        let services = &loaded.revision.reading.pins.services;
        let named = self.services.iter().map(|typed| known_service(typed, services.keys()));
        let named = named.collect::<Result<BTreeSet<_>, _>>()?;
        let pins = loaded.revision.pins(config);
        let seen = ask_cluster(config, &tip, (&pins, &loaded), "health is not known", output);
        let ClusterEvidence { desired, look, observed, proven, .. } = &seen;
        let input = SuspicionInput { desired, look, observed: observed.as_ref(), proven, named: &named, since, now };
        let suspicion = input.suspicion(
            |service, order, moved| seen.proof(&loaded.source, (service, order), moved),
            |commit| loaded.source.is_rollback(commit),
        );
        let report = SuspectsReport::new(&seen, &suspicion, since);
        output.result(self.printing.output, &report, |output| text::print(&report, now, output))?;
        Ok(if suspicion.alarms.is_empty() { CommandExit::Ok } else { CommandExit::Unhealthy })
    }
}

fn since(typed: &str, now: Timestamp) -> Result<Timestamp, CommandError> {
    let wrong = || CommandError::usage(format!("--since {typed:?} is no time")).hint(format!("write {TIME_FORMATS}"));
    parse_time(typed, now).ok_or_else(wrong)
}

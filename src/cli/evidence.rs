//! Asks the cluster at hand what it runs and has proven; without one, the pins stand in.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::git::Commit;
use pintle_core::pins::Pins;

use super::best_effort::{BestEffortSnapshot, best_effort_snapshot};
use super::load::LoadedRevision;
use super::output::Output;
use crate::cli::config::CliConfig;
use crate::cluster::{ClusterError, Observation};
use crate::controller::{ClusterEvidence, Desired, assess};

/// Asks the cluster at hand. If it does not answer, warns with what there is `instead`, and why.
pub(super) fn ask_cluster(
    config: &CliConfig,
    tip: &Commit,
    (pins, loaded): (&Pins, &LoadedRevision),
    instead: &str,
    output: &mut Output,
) -> ClusterEvidence {
    let whole =
        |desired: &Desired, observed: &Observation| assess(desired, observed, Timestamp::now()).unseen.is_empty();
    let snapshot = best_effort_snapshot(config, (tip.id, pins.clone(), Arc::clone(&loaded.history)), whole);
    let evidence = |BestEffortSnapshot { server, desired, observed }| {
        let evidence = ClusterEvidence::from_observation(server, desired, observed, Timestamp::now());
        evidence.map_err(|error: ClusterError| error.to_string())
    };
    let evidence = snapshot.and_then(|snapshot| snapshot.map(evidence).transpose()).unwrap_or_else(|why| {
        output.warn(format_args!("{instead}: {why}"));
        None
    });
    let without_cluster = || {
        let state = DesiredState::new(tip.id, pins.clone(), Arc::clone(&loaded.history), String::new());
        ClusterEvidence::from_pins(Desired::from(state))
    };
    evidence.unwrap_or_else(without_cluster)
}

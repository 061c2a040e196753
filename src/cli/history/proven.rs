//! What the cluster at hand has verified of the pins. It is an addition: where there is no cluster, or none that answers
//! at once, the history is shown without.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::change::PinMove;
use pintle_core::pins::ServiceName;
use pintle_core::workload::ProvenVersion;
use serde::Serialize;

use crate::cli::best_effort::{BestEffortSnapshot, best_effort_snapshot};
use crate::cli::config::CliConfig;
use crate::cli::load::LoadedRevision;
use crate::cli::output::Output;
use crate::cli::table::TableCell;
use crate::cli::words::{seconds_text, short_duration};
use crate::controller::proven_versions;
use crate::source::Source;

/// What a cluster has verified.
pub(super) struct ClusterProofs {
    /// Which cluster.
    pub(super) cluster: String,
    /// Of each service, what all of its workloads remember.
    of: BTreeMap<ServiceName, Vec<ProvenVersion>>,
}

/// When a pin was verified last, and how long that took from the write on.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct PinProof {
    at: Timestamp,
    seconds: f64,
}

/// Asks the cluster at hand for what it has verified, of one service or of all. Says why where there is one that does not
/// answer.
pub(super) fn ask(
    config: &CliConfig,
    loaded: &LoadedRevision,
    only: Option<&ServiceName>,
    output: &mut Output,
) -> Option<ClusterProofs> {
    let mut pins = loaded.revision.pins(config);
    pins.services.retain(|name, _| only.is_none_or(|only| name == only));
    let commit = loaded.revision.commit.clone()?;
    if pins.services.is_empty() {
        return None;
    }
    let snapshot = best_effort_snapshot(config, (commit.id, pins, Arc::clone(&loaded.history)), |_, _| true);
    let proofs = |snapshot: BestEffortSnapshot| {
        let of = proven_versions(&snapshot.desired, &snapshot.observed).map_err(|error| error.to_string())?;
        Ok(ClusterProofs { cluster: snapshot.server, of })
    };
    let proofs = snapshot.and_then(|snapshot| snapshot.map(proofs).transpose());
    proofs.unwrap_or_else(|why: String| {
        output.warn(format_args!("what was proven is not shown: {why}"));
        None
    })
}

impl ClusterProofs {
    /// The proof of a move, each once: asked from the newest move to the oldest, it belongs to the one that stood when its
    /// version was verified.
    pub(super) fn take(&mut self, source: &Source, service: &ServiceName, one: &PinMove) -> Option<PinProof> {
        let pin = one.to.as_ref().filter(|_| one.kind.is_some())?;
        let proven = self.of.get_mut(service)?;
        let place = proven.iter().position(|proven| proven.version == pin.version)?;
        let (from, to) = (one.commit.id, proven[place].commit);
        let stood = from == to || source.has_commit(to) && source.is_ancestor(from, to).unwrap_or(false);
        let ProvenVersion { at, took_ms, .. } = stood.then(|| proven.remove(place))?;
        Some(PinProof { at, seconds: Duration::from_millis(took_ms).as_secs_f64() })
    }
}

impl PinProof {
    /// `5m ago, in 12s`; nothing where there is no proof.
    pub(super) fn cell(proof: Option<Self>, now: Timestamp) -> TableCell {
        let words = |Self { at, seconds }| {
            format!("{} ago, in {}", short_duration(now.duration_since(at)), seconds_text(seconds))
        };
        proof.map_or_else(|| "-".to_owned(), words).into()
    }
}

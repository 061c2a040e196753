//! How one service stands.

use jiff::Timestamp;
use pintle_core::graph::ServiceId;
use pintle_core::plan::{HoldReason, PlanStep};
use pintle_core::verify::HealthStatus;
use serde::Serialize;
use serde_json::Value;

use crate::cli::describe::{Describe, Sentence, health_parts};
use crate::cluster::{ClusterError, Observation};
use crate::controller::{Desired, PassOutcome};

/// How one service stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusRow {
    pub(super) service: String,
    /// Where it runs; none where its file has errors.
    pub(super) namespace: Option<String>,
    /// What is pinned: the version, or the image where the version alone does not tell it from what runs; none where its
    /// file has errors.
    pub(super) pinned: Option<String>,
    pub(super) runs: String,
    pub(super) health: HealthStatus,
    /// When what runs was verified.
    pub(super) since: Option<Timestamp>,
    pub(super) in_sync: bool,
    /// Why not, and what it waits for; also where it is in sync, until when it is paused.
    pub(super) why: Option<Sentence>,
    /// The same as a code with its parts.
    pub(super) reason: Option<Value>,
    /// It cannot be written: a namespace that does not exist is in the way of all that it shall hold.
    #[serde(skip)]
    pub(super) is_obstructed: bool,
}

impl StatusRow {
    /// Describes a service; `when` it would start.
    pub(super) fn new(
        desired: &Desired,
        id: ServiceId,
        (pass, observed): (&PassOutcome, &Observation),
        when: &str,
    ) -> Self {
        let row = row(desired, id, pass, when);
        if !lacks_namespace(desired, id, observed) {
            return row;
        }
        Self { runs: "nothing".to_owned(), health: HealthStatus::Missing, ..row }
    }
}

/// Whether the namespace of a service does not exist: then nothing of it does.
fn lacks_namespace(desired: &Desired, id: ServiceId, observed: &Observation) -> bool {
    let workloads = desired.service(id).map(|service| desired.workloads(service)).unwrap_or_default();
    let mut unknown = workloads.iter().filter_map(|id| observed.unobservable.get(id));
    unknown.any(|why| matches!(why, ClusterError::NamespaceNotFound(_)))
}

fn row(desired: &Desired, id: ServiceId, pass: &PassOutcome, when: &str) -> StatusRow {
    let describe = Describe::new(desired, pass.live_state.at);
    let (seen, running) = (&pass.live_state.services[id.index()], pass.live_state.live[id.index()].running.as_slice());
    let worst = seen.workloads.iter().map(|it| &it.health).max_by_key(|health| health.status.severity());
    let health = worst.map_or(HealthStatus::Unknown, |health| health.status);
    let step = pass.next.step_of(id);
    let reason = worst.filter(|health| health.status != HealthStatus::Healthy).map(|health| &health.reason);
    let stay = seen.suppression.as_ref().filter(|_| seen.pause.is_some());
    let health_of = |it: Describe<'_>| reason.map(|reason| it.health(reason)).unwrap_or_default();
    let why = match step {
        Some(PlanStep::UnderWay) => Some(describe.both(|it| format!("under way: {}", health_of(it)))),
        Some(PlanStep::Start(_)) => {
            let missing = worst.filter(|health| health.status == HealthStatus::Missing);
            let why = |it: Describe<'_>| missing.map(|health| it.health(&health.reason) + "; ").unwrap_or_default();
            Some(describe.both(|it| why(it) + "starts " + when))
        }
        Some(step) => Some(describe.both(|it| it.step(id, step))),
        None => match stay {
            Some(stay) => Some(describe.both(|it| it.suppressed(id, stay))),
            None => reason.is_some().then(|| describe.both(health_of)),
        },
    };
    let parts = match (step, stay) {
        (Some(PlanStep::Held(_) | PlanStep::Failed(_) | PlanStep::Waits(_) | PlanStep::Refused(_)), _) => {
            step.map(|step| describe.step_parts(step))
        }
        (None, Some(stay)) => Some(describe.hold_parts(&HoldReason::Suppressed(stay.clone()))),
        _ => reason.map(health_parts),
    };
    let states = || seen.workloads.iter().filter_map(|it| it.workload.as_deref()?.state.as_ref());
    StatusRow {
        service: describe.name(id).to_owned(),
        namespace: describe.namespace(id),
        pinned: desired.service(id).map(|_| describe.beside(id, running)),
        runs: describe.all(id, running),
        health,
        since: states()
            .filter_map(|state| state.proven.first())
            .filter(|_| step.is_none())
            .map(|proven| proven.at)
            .max(),
        in_sync: step.is_none(),
        why,
        reason: parts,
        is_obstructed: seen.obstacle.is_some(),
    }
}

//! What a rollout came to, and which commit is to blame for what has failed.

use std::sync::Arc;

use pintle_core::desired::DesiredState;
use pintle_core::git::Commit;
use pintle_core::pins::ServiceName;
use pintle_core::plan::{Plan, PlanStep};

use super::{Desired, RolloutOutcome};

/// What a rollout came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolloutResult {
    /// Everything runs what is pinned, save what somebody chose to leave.
    Complete,
    /// Somebody stopped it.
    Stopped,
    /// Something has failed, or is still under way.
    Unhealthy,
    /// The pins hold or refuse something.
    Refused,
}

impl RolloutResult {
    /// Judges what is left of the plan at the end.
    pub fn of(outcome: &RolloutOutcome, left: &Plan) -> Self {
        let any = |is: fn(&PlanStep) -> bool| left.unreached.iter().any(|(_, step)| is(step));
        let is_refused = |step: &PlanStep| match step {
            PlanStep::Held(reason) => !reason.is_by_choice(),
            step => matches!(step, PlanStep::Refused(_) | PlanStep::Waits(_)),
        };
        let has_failed = any(|step| matches!(step, PlanStep::Failed(_)));
        match () {
            () if outcome.stopped => Self::Stopped,
            () if has_failed || outcome.out_of_patience || !left.under_way.is_empty() => Self::Unhealthy,
            () if any(is_refused) => Self::Refused,
            () => Self::Complete,
        }
    }
}

/// Drops from a plan the services that nobody selected: they are the other writer's, who may be at it.
pub fn drop_unselected(desired: &Desired, left: &mut Plan) {
    let Some(selected) = &desired.options.selected else { return };
    left.unreached.retain(|(id, _)| selected.contains(id));
    left.under_way.retain(|id| selected.contains(id));
}

/// Returns the commit that moved the pin of a failed service; none where a rollback would not mend it, because the
/// version ran before or is the first pin.
pub fn commit_to_revert(desired: &DesiredState, outcome: &RolloutOutcome, service: &str) -> Option<Arc<Commit>> {
    let name = ServiceName::new(service).ok()?;
    let [.., before, record] = desired.history.records(&name) else { return None };
    let (_, pin) = (before.pin.as_ref()?, record.pin.as_ref()?);
    let seen = &outcome.last.live_state.services[desired.graph.id(&name)?.index()];
    let states = seen.workloads.iter().filter_map(|it| it.workload.as_deref()?.state.as_ref());
    let ran = states.flat_map(|state| &state.proven).any(|proven| proven.version == pin.version);
    (!ran).then(|| Arc::clone(&record.commit))
}

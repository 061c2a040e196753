//! The next safe steps: the heart, one pure function.

use super::engine::WaitTracker;
use super::state::{Phase, PlanState};
use super::{Next, PlanInput, PlanStep, RolloutProgress};
use crate::graph::ServiceId;

/// Says of each service that is not where it should be what it does now: the rules of the design's §4, in their order.
///
/// Because targets fit, a safe start never becomes unsafe by the start or the finish of another: all of them may be
/// written at once, and whatever has finished when it is called again, the answer is right.
pub fn next(at: PlanInput<'_>) -> Next {
    // 1. Targets fit, or are held.
    let board = PlanState::set(at);
    // 2 to 5. What each service waits for. 6. What no finish will end.
    let engine = WaitTracker::new(board);
    let open = engine.steps(at.graph.ids());
    let others = at.graph.ids().filter_map(|id| Some((id, settled_step(&engine.state, id)?)));
    let mut steps: Vec<(ServiceId, PlanStep)> = others.chain(open).collect();
    steps.sort_by_key(|&(id, _)| id);
    Next { steps }
}

/// What is said of a service that is not open.
pub(super) fn settled_step(board: &PlanState<'_>, id: ServiceId) -> Option<PlanStep> {
    match (board.phase(id), &board.live(id).progress) {
        (Phase::There | Phase::Open, _) => None,
        (Phase::Held(why), _) => Some(PlanStep::Held(why.clone())),
        (Phase::Written, RolloutProgress::Failed(words)) => Some(PlanStep::Failed(words.clone())),
        (Phase::Written, RolloutProgress::Still | RolloutProgress::UnderWay) => Some(PlanStep::UnderWay),
    }
}

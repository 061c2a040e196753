//! What a service waits for, looking at its neighbours alone: rules 2 to 5.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::state::PlanState;
use super::{EdgeWait, RolloutProgress, WaitReason};
use crate::graph::{EdgeId, ServiceId};
use crate::running::{Label, Running};

/// What each open service waits for; nothing means that it may start.
pub(super) type Waits = BTreeMap<ServiceId, Vec<EdgeWait>>;

/// Rules 2 to 4 on one edge: what the service at this end of it waits for.
pub(super) fn edge_waits(board: &PlanState<'_>, id: ServiceId, edge: EdgeId) -> Vec<EdgeWait> {
    let mut waits = incompatible(board, id, edge);
    waits.extend(unverified(board, id, edge));
    waits
}

/// Rules 2 and 4: what runs at the other end and does not fit the target. Where some workloads are written already, the
/// start of the others adds nothing. (Pods alone do not count: they may be gone by the time of the write.)
fn incompatible(board: &PlanState<'_>, id: ServiceId, edge: EdgeId) -> Vec<EdgeWait> {
    if board.is_half_written(id) {
        return Vec::new();
    }
    let on = board.graph.edge(edge).other_end(id);
    let bad = board.live(on).running.iter().filter(|running| !target_fits(board, edge, id, running));
    let waits: Vec<EdgeWait> =
        bad.map(|running| EdgeWait { on, edge, reason: WaitReason::Incompatible(running.clone()) }).collect();
    if waits.is_empty() || restricts_nothing(board, edge) { Vec::new() } else { waits }
}

/// Rule 4: what is broken cannot get worse, and must not block its own repair. Nor must the half of a lockstep group
/// that has started block the other.
fn restricts_nothing(board: &PlanState<'_>, edge: EdgeId) -> bool {
    let provider = board.graph.edge(edge).provider;
    !board.has_ok_pair(edge) || board.is_down_off_target(provider) || is_half_started(board, edge)
}

/// Rule 6: one end of a lockstep group has started, and does not run well beside what the other still runs. A pass that
/// dies between two writes leaves it so, and what has started may never get well alone.
fn is_half_started(board: &PlanState<'_>, edge: EdgeId) -> bool {
    let ends = board.graph.edge(edge);
    let is_apart = |id: ServiceId, other: ServiceId| {
        board.has_started(id) && board.live(other).running.iter().any(|running| !target_fits(board, edge, id, running))
    };
    (is_apart(ends.consumer, ends.provider) || is_apart(ends.provider, ends.consumer))
        && board.lockstep.iter().any(|group| group.contains(&ends.consumer) && group.contains(&ends.provider))
}

/// Whether the target of `id` fits what runs at the other end.
fn target_fits(board: &PlanState<'_>, edge: EdgeId, id: ServiceId, running: &Running) -> bool {
    let is_consumer = board.graph.edge(edge).consumer == id;
    board
        .targets(id)
        .iter()
        .all(|target| if is_consumer { board.ok(edge, target, running) } else { board.ok(edge, running, target) })
}

/// Rule 3: a provider that runs its target alone, and is not verified there. A target that needs nothing of it does not
/// wait.
fn unverified(board: &PlanState<'_>, id: ServiceId, edge: EdgeId) -> Option<EdgeWait> {
    let on = board.graph.edge(edge).provider;
    if on == id || !board.is_written(on) || !board.runs_only_target(on) || !board.is_needed(edge) {
        return None;
    }
    let because = match &board.live(on).progress {
        RolloutProgress::Still => return None,
        RolloutProgress::UnderWay => WaitReason::Unverified,
        RolloutProgress::Failed(words) => WaitReason::Failed(words.clone()),
    };
    Some(EdgeWait { on, edge, reason: because })
}

/// Rule 5: neighbours that could start too, or have, and go first. `coming`: the services that a preference waits for,
/// because nothing but time keeps them from starting. `circles`: those whose preferences would wait for each other. A
/// provider waits for what its consumer leaves behind, not for the health of what comes: that may depend on the
/// provider, so it would be a deadlock.
pub(super) fn preference_waits(
    board: &PlanState<'_>,
    id: ServiceId,
    coming: &BTreeSet<ServiceId>,
    circles: &BTreeSet<ServiceId>,
) -> Vec<EdgeWait> {
    let in_circle = |other: &ServiceId| circles.contains(&id) && circles.contains(other);
    let on_its_way = |edge: EdgeId, other: ServiceId| {
        board.is_under_way(other) && (board.graph.edge(edge).provider == other || board.origins(other).next().is_some())
    };
    board
        .graph
        .neighbours(id)
        .filter(|&(edge, other)| coming.contains(&other) || on_its_way(edge, other))
        .filter(|(_, other)| !in_circle(other))
        .filter(|&(edge, _)| yields_to_neighbour(board, id, edge))
        .map(|(edge, on)| EdgeWait { on, edge, reason: WaitReason::Preference })
        .collect()
}

/// Whether the service at this end of an edge lets the one at the other end go first. Rule 4 counts here too: a provider
/// that is down would wait for a consumer that cannot get ready without it.
pub(super) fn yields_to_neighbour(board: &PlanState<'_>, id: ServiceId, edge: EdgeId) -> bool {
    let ends = board.graph.edge(edge);
    let goes_first =
        if ends.consumer == id { goes_up(board, ends.provider) } else { !goes_up(board, id) && board.live(id).ready };
    goes_first && !restricts_nothing(board, edge)
}

/// Whether a provider goes up. A deploy does; so does a move between versions without an order: it is a release, until
/// somebody says otherwise.
fn goes_up(board: &PlanState<'_>, id: ServiceId) -> bool {
    let order = board.graph.version_order(id);
    let is_below = |target: &Running, origin: Label<'_>| match (target.label(), origin) {
        (Label::Version(target), Label::Version(origin)) => order.compare(target, origin) == Some(Ordering::Less),
        _ => false,
    };
    !board.targets(id).iter().any(|target| board.origins(id).any(|origin| is_below(target, origin)))
}

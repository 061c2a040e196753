//! Waits that no finish will end: lockstep groups start together, the rest is refused (rule 6).
//!
//! Asked only where nothing starts and nothing is under way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::circles::nodes_leading_to_cycles;
use super::state::{Phase, PlanState};
use super::waits::{Waits, edge_waits};
use super::{EdgeWait, HoldReason, PlanStep};
use crate::graph::ServiceId;

/// Says of each open service what it does.
pub(super) fn resolve_deadlock(board: &PlanState<'_>, mut waits: Waits) -> BTreeMap<ServiceId, PlanStep> {
    let mut steps = BTreeMap::new();
    for (number, group) in board.lockstep.iter().enumerate() {
        start_together(board, &mut waits, &mut steps, (number, group));
    }
    let stuck = stuck(&waits, &steps);
    let refused: Vec<_> = stuck.iter().filter_map(|&id| Some((id, cycle(&waits, &stuck, id)?))).collect();
    steps.extend(refused.into_iter().map(|(id, cycle)| (id, PlanStep::Refused(cycle))));
    for (id, waits) in waits {
        let step = if waits.is_empty() { PlanStep::Start(None) } else { PlanStep::Waits(waits) };
        steps.entry(id).or_insert(step);
    }
    steps
}

/// The services whose waits lead into a circle: the others will pass.
fn stuck(waits: &Waits, steps: &BTreeMap<ServiceId, PlanStep>) -> BTreeSet<ServiceId> {
    let is_open = |id: &ServiceId| waits.contains_key(id) && !steps.contains_key(id);
    let open = waits.iter().filter(|(id, _)| is_open(id));
    let pairs = open.flat_map(|(&id, waits)| waits.iter().map(move |wait| (id, wait.on)));
    nodes_leading_to_cycles(&pairs.filter(|(_, on)| is_open(on)).collect::<Vec<_>>())
}

/// Starts the members of a lockstep group that are stuck, if that is all that keeps them.
fn start_together(
    board: &PlanState<'_>,
    waits: &mut Waits,
    steps: &mut BTreeMap<ServiceId, PlanStep>,
    (number, group): (usize, &Vec<ServiceId>),
) {
    let stuck = stuck(waits, steps);
    let members: Vec<ServiceId> = group.iter().copied().filter(|id| stuck.contains(id)).collect();
    let others = |id: ServiceId| board.graph.neighbours(id).filter(|(_, other)| !members.contains(other));
    let free = |&id: &ServiceId| others(id).all(|(edge, _)| edge_waits(board, id, edge).is_empty());
    if members.len() < 2 || !members.iter().all(free) {
        return;
    }
    let held = group.iter().find(|&&id| matches!(board.phase(id), Phase::Held(_)));
    let step = held.map_or(PlanStep::Start(Some(number)), |&held| PlanStep::Held(HoldReason::Lockstep(held)));
    for id in members {
        waits.insert(id, Vec::new());
        steps.insert(id, step.clone());
    }
}

/// The shortest circle of waits through a service: breadth first, back to where it began.
fn cycle(waits: &Waits, stuck: &BTreeSet<ServiceId>, start: ServiceId) -> Option<Vec<(ServiceId, EdgeWait)>> {
    let mut came: BTreeMap<ServiceId, (ServiceId, &EdgeWait)> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(id) = queue.pop_front() {
        for wait in waits.get(&id)?.iter().filter(|wait| stuck.contains(&wait.on)) {
            if came.contains_key(&wait.on) {
                continue;
            }
            came.insert(wait.on, (id, wait));
            if wait.on == start {
                return Some(back(&came, start));
            }
            queue.push_back(wait.on);
        }
    }
    None
}

fn back(came: &BTreeMap<ServiceId, (ServiceId, &EdgeWait)>, start: ServiceId) -> Vec<(ServiceId, EdgeWait)> {
    let mut circle = Vec::new();
    let mut at = start;
    while let Some(&(from, wait)) = came.get(&at) {
        circle.push((from, wait.clone()));
        at = from;
        if at == start {
            break;
        }
    }
    circle.reverse();
    circle
}

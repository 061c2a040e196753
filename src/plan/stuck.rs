//! Waits that no finish will end: preferences are set aside, lockstep groups start together, the rest is refused (rules
//! 5 and 6).
//!
//! Asked only where nothing starts and nothing is under way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::engine::Waits;
use super::waits::{incompatible, unverified};
use super::world::{Board, Stand};
use super::{Because, Step, Wait, Why};
use crate::graph::Id;

/// Says of each open service what it does.
pub(super) fn resolve(board: &Board<'_>, mut waits: Waits) -> BTreeMap<Id, Step> {
    set_preferences_aside(&mut waits);
    let mut steps = BTreeMap::new();
    for (number, group) in board.lockstep.iter().enumerate() {
        start_together(board, &mut waits, &mut steps, (number, group));
    }
    let stuck = stuck(&waits, &steps);
    let refused: Vec<_> = stuck.iter().filter_map(|&id| Some((id, cycle(&waits, &stuck, id)?))).collect();
    steps.extend(refused.into_iter().map(|(id, cycle)| (id, Step::Refused(cycle))));
    for (id, waits) in waits {
        let step = if waits.is_empty() { Step::Start(None) } else { Step::Waits(waits) };
        steps.entry(id).or_insert(step);
    }
    steps
}

/// Preferences that wait for each other in a circle are no reason to stand still.
fn set_preferences_aside(waits: &mut Waits) {
    for id in stuck(waits, &BTreeMap::new()) {
        let Some(waits) = waits.get_mut(&id) else { continue };
        if waits.iter().all(|wait| wait.because == Because::Preference) {
            waits.clear();
        }
    }
}

/// The services whose waits lead into a circle: all that is left when those which will pass are taken away.
fn stuck(waits: &Waits, steps: &BTreeMap<Id, Step>) -> BTreeSet<Id> {
    let mut waiting: BTreeMap<Id, usize> = BTreeMap::new();
    let mut released_by: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    let is_open = |id: &Id| waits.contains_key(id) && !steps.contains_key(id);
    for (&id, waits) in waits.iter().filter(|(id, _)| is_open(id)) {
        let on: BTreeSet<Id> = waits.iter().map(|wait| wait.on).filter(is_open).collect();
        waiting.insert(id, on.len());
        for other in on {
            released_by.entry(other).or_default().push(id);
        }
    }
    let mut passing: Vec<Id> = waiting.iter().filter(|&(_, &count)| count == 0).map(|(&id, _)| id).collect();
    while let Some(id) = passing.pop() {
        waiting.remove(&id);
        for other in released_by.remove(&id).unwrap_or_default() {
            if let Some(count) = waiting.get_mut(&other) {
                *count -= 1;
                if *count == 0 {
                    passing.push(other);
                }
            }
        }
    }
    waiting.into_keys().collect()
}

/// Starts the members of a lockstep group that are stuck, if that is all that keeps them.
fn start_together(
    board: &Board<'_>,
    waits: &mut Waits,
    steps: &mut BTreeMap<Id, Step>,
    (number, group): (usize, &Vec<Id>),
) {
    let stuck = stuck(waits, steps);
    let members: Vec<Id> = group.iter().copied().filter(|id| stuck.contains(id)).collect();
    let free = |&id: &Id| incompatible(board, id, &members).is_empty() && unverified(board, id).is_empty();
    if members.len() < 2 || !members.iter().all(free) {
        return;
    }
    let held = group.iter().find(|&&id| matches!(board.stand(id), Stand::Held(_)));
    let step = held.map_or(Step::Start(Some(number)), |&held| Step::Held(Why::Lockstep(held)));
    for id in members {
        waits.insert(id, Vec::new());
        steps.insert(id, step.clone());
    }
}

/// The shortest circle of waits through a service: breadth first, back to where it began.
fn cycle(waits: &Waits, stuck: &BTreeSet<Id>, start: Id) -> Option<Vec<(Id, Wait)>> {
    let mut came: BTreeMap<Id, (Id, &Wait)> = BTreeMap::new();
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

fn back(came: &BTreeMap<Id, (Id, &Wait)>, start: Id) -> Vec<(Id, Wait)> {
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

//! Resolves a request to targets: for each service, the earlier pin that it goes back to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::earlier::{EarlierPin, earlier_pins, newest_equal_pin, objection};
use super::running::running_pin;
use super::{Request, RollbackError, RollbackInput, RollbackTarget, SkipReason, Skipped};
use crate::graph::ServiceId;
use crate::history::PinRecord;
use crate::pins::{Pin, Service, ServiceName};
use crate::version::Version;

/// The resolved request.
pub(super) struct ResolvedTargets<'a> {
    /// Target by service. Services that are already at their target are left out.
    pub(super) moves: BTreeMap<ServiceId, EarlierPin<'a>>,
    pub(super) skipped: Vec<Skipped>,
}

pub(super) fn resolve_targets<'a>(
    input: RollbackInput<'a>,
    request: &Request,
) -> Result<ResolvedTargets<'a>, RollbackError> {
    match request {
        Request::Services(names, aim) => each(input, names, aim),
        Request::All(aim) => Ok(system_targets(input, place_of_all(input, aim)?)),
        Request::Moved(places) => Ok(commit_targets(input, places, false)),
        Request::Reapply(place) => Ok(commit_targets(input, &(*place..=*place), true)),
    }
}

/// Resolves a request that names services. If one of them cannot go back, the whole request is refused.
fn each<'a>(
    input: RollbackInput<'a>,
    names: &[ServiceName],
    aim: &RollbackTarget,
) -> Result<ResolvedTargets<'a>, RollbackError> {
    let mut moves = BTreeMap::new();
    for name in names {
        let found = input.pins.services.get(name).and_then(|service| Some((input.graph.id(name)?, service)));
        let Some((id, service)) = found else {
            let why = input.pins.broken.get(name).cloned();
            return Err(RollbackError::NotPinned { service: name.clone(), why });
        };
        let target = target_of(input, service, aim)?;
        if target.pin.is_same_release(&service.pin) {
            continue;
        }
        if let Some(objection) = objection(input, service, &target.pin.version) {
            let version = target.pin.version.clone();
            return Err(RollbackError::Objected { service: name.clone(), version, objection });
        }
        moves.insert(id, target);
    }
    Ok(ResolvedTargets { moves, skipped: Vec::new() })
}

fn target_of<'a>(
    input: RollbackInput<'a>,
    service: &Service,
    aim: &RollbackTarget,
) -> Result<EarlierPin<'a>, RollbackError> {
    let name = || service.name.clone();
    match aim {
        RollbackTarget::Good => last_good_pin(input, service),
        RollbackTarget::Steps(steps) => {
            let all = earlier_pins(input, service);
            let found = steps.checked_sub(1).and_then(|step| all.get(step).copied());
            found.ok_or_else(|| RollbackError::TooFewPins { service: name(), steps: *steps, has: all.len() })
        }
        RollbackTarget::Version(version) => {
            let record = input.history.newest_record(&service.name, version);
            let pin = record.and_then(|record| record.pin.as_ref());
            pin.and_then(|pin| newest_equal_pin(input, service, pin))
                .ok_or_else(|| RollbackError::NeverPinned { service: name(), version: version.clone() })
        }
        RollbackTarget::Running => running_pin(input, service),
        RollbackTarget::At(place) => {
            let pin = input.history.pinned_at(&service.name, *place);
            pin.and_then(|pin| newest_equal_pin(input, service, pin))
                .ok_or_else(|| RollbackError::NotPinnedThen { service: name() })
        }
    }
}

/// Returns the newest earlier pin that is proven and without objection; else the nearest without objection; else the
/// nearest of all, whose objection the caller reports.
fn last_good_pin<'a>(input: RollbackInput<'a>, service: &Service) -> Result<EarlierPin<'a>, RollbackError> {
    let all = earlier_pins(input, service);
    let may_run = |it: &&EarlierPin<'_>| objection(input, service, &it.pin.version).is_none();
    let is_proven = |it: &&EarlierPin<'_>| input.proof(&service.name, &it.pin.version).is_some();
    let found = all.iter().filter(may_run).find(is_proven).or_else(|| all.iter().find(may_run)).or(all.first());
    let version = || service.pin.version.clone();
    found.copied().ok_or_else(|| RollbackError::NoEarlierPin { service: service.name.clone(), version: version() })
}

/// Moves every service back to its pin at a position. Services with an objection, and those not pinned then, stay.
fn system_targets(input: RollbackInput<'_>, place: u32) -> ResolvedTargets<'_> {
    let pinned = input.pins.services.values();
    let pinned = pinned.map(|service| (service, input.history.pinned_at(&service.name, place)));
    let mut targets = ResolvedTargets { moves: BTreeMap::new(), skipped: Vec::new() };
    for (service, then) in pinned {
        targets.add_move(input, service, then.map(AsRef::as_ref));
    }
    let gone = input.history.services().map(|(name, _)| name).filter(|name| input.graph.id(name).is_none());
    let earlier_names: BTreeSet<_> = input.pins.services.values().filter_map(|it| it.formerly.as_ref()).collect();
    for name in gone.filter(|name| !earlier_names.contains(name)) {
        if input.history.pinned_at(name, place).is_some() {
            targets.skipped.push(Skipped { service: name.clone(), why: SkipReason::Gone });
        }
    }
    targets.leave_broken(input);
    targets
}

/// Moves services back to their pins before the first of these commits. `unless_since` skips services that moved again
/// since.
fn commit_targets<'a>(
    input: RollbackInput<'a>,
    places: &RangeInclusive<u32>,
    unless_since: bool,
) -> ResolvedTargets<'a> {
    let mut targets = ResolvedTargets { moves: BTreeMap::new(), skipped: Vec::new() };
    let earlier_names: BTreeSet<_> = input.pins.services.values().filter_map(|it| it.formerly.as_ref()).collect();
    for (name, records) in input.history.services().filter(|(name, _)| !earlier_names.contains(name)) {
        let first = records.partition_point(|record| record.position < *places.start());
        let end = records.partition_point(|record| record.position <= *places.end());
        let pin = |record: &'a PinRecord| record.pin.as_deref();
        let before = first.checked_sub(1).and_then(|before| pin(&records[before]));
        let after = end.checked_sub(1).and_then(|last| pin(&records[last]));
        let moved = match (before, after) {
            (Some(before), Some(after)) => !before.is_same_release(after),
            (before, after) => before.is_some() != after.is_some(),
        };
        if first == end {
            continue;
        }
        if !moved {
            let differs = |record: &PinRecord| {
                record.pin.as_deref().zip(before).is_some_and(|(pin, was)| !pin.is_same_release(was))
            };
            if let Some(before) = before.filter(|_| records[first..end].iter().any(differs)) {
                targets.add_skipped(name, SkipReason::Cancelled { version: before.version.clone() });
            }
            continue;
        }
        match input.pins.services.get(name) {
            Some(service) => match after.and_then(|after| moved_since(service, [before, Some(after)], records)) {
                Some(why) if unless_since => targets.add_skipped(name, why),
                _ => targets.add_move(input, service, before),
            },
            None if input.pins.broken.contains_key(name) => targets.add_skipped(name, SkipReason::Broken),
            None if before.is_some() => targets.add_skipped(name, SkipReason::Gone),
            None => {}
        }
    }
    targets
}

/// Returns the last move of a service that is pinned neither as before some moves nor as after them.
fn moved_since(service: &Service, ends: [Option<&Pin>; 2], records: &[PinRecord]) -> Option<SkipReason> {
    let is_there = ends.into_iter().flatten().any(|pin| pin.is_same_release(&service.pin));
    let last = records.last().filter(|_| !is_there)?;
    Some(SkipReason::Since { version: service.pin.version.clone(), commit: Arc::clone(&last.commit) })
}

impl<'a> ResolvedTargets<'a> {
    /// Adds a service of a larger request with its pin at that time, or the reason to skip it.
    fn add_move(&mut self, input: RollbackInput<'a>, service: &Service, then: Option<&Pin>) {
        let name = &service.name;
        let found = then.and_then(|pin| newest_equal_pin(input, service, pin)).zip(input.graph.id(name));
        let Some((target, id)) = found else { return self.add_skipped(name, SkipReason::New) };
        if target.pin.is_same_release(&service.pin) {
            return;
        }
        match objection(input, service, &target.pin.version) {
            Some(objection) => {
                self.add_skipped(name, SkipReason::Objected { version: target.pin.version.clone(), objection });
            }
            None => drop(self.moves.insert(id, target)),
        }
    }

    fn add_skipped(&mut self, service: &ServiceName, why: SkipReason) {
        self.skipped.push(Skipped { service: service.clone(), why });
    }

    fn leave_broken(&mut self, input: RollbackInput<'_>) {
        input.pins.broken.keys().for_each(|name| self.add_skipped(name, SkipReason::Broken));
    }
}

/// Returns the position in history that the whole system goes back to.
fn place_of_all(input: RollbackInput<'_>, aim: &RollbackTarget) -> Result<u32, RollbackError> {
    let moves = input.history.moves().len();
    match aim {
        RollbackTarget::At(place) => Ok(*place),
        RollbackTarget::Steps(steps) => {
            let place = moves.checked_sub(steps + 1).and_then(|place| u32::try_from(place).ok());
            place.ok_or(RollbackError::TooFewCommits { steps: *steps, has: moves.saturating_sub(1) })
        }
        RollbackTarget::Good => proven_as_a_whole(input).ok_or(RollbackError::NothingProven),
        RollbackTarget::Version(_) | RollbackTarget::Running => Err(RollbackError::NothingProven),
    }
}

/// Returns the position of the newest revision that differs from the tip and has only proven versions. External
/// services are not considered, as their proofs are elsewhere.
fn proven_as_a_whole(input: RollbackInput<'_>) -> Option<u32> {
    let services: Vec<&Service> = input.pins.services.values().filter(|service| !service.external).collect();
    let mut by_place: Vec<(u32, usize, Option<&Pin>)> = Vec::new();
    for (number, service) in services.iter().enumerate() {
        let mut before = None;
        for record in input.history.records(&service.name) {
            by_place.push((record.position, number, before));
            before = record.pin.as_deref();
        }
    }
    by_place.sort_by_key(|&(place, number, _)| (std::cmp::Reverse(place), number));
    let is_proven = |number: usize, version: &Version| input.proof(&services[number].name, version).is_some();
    let differs = |number: usize, pin: Option<&Pin>| pin.is_some_and(|pin| !pin.is_same_release(&services[number].pin));
    let unproven = |number: usize, pin: Option<&Pin>| pin.is_some_and(|pin| !is_proven(number, &pin.version));
    let mut state: Vec<Option<&Pin>> = services.iter().map(|service| Some(&service.pin)).collect();
    let (mut different, mut open) = (0_usize, (0..state.len()).filter(|&it| unproven(it, state[it])).count());
    let mut steps = by_place.into_iter().peekable();
    while let Some((place, number, before)) = steps.next() {
        let now = std::mem::replace(&mut state[number], before);
        different = different + usize::from(differs(number, before)) - usize::from(differs(number, now));
        open = open + usize::from(unproven(number, before)) - usize::from(unproven(number, now));
        let whole = steps.peek().is_none_or(|(next, ..)| *next != place);
        if whole && different > 0 && open == 0 {
            return place.checked_sub(1);
        }
    }
    None
}

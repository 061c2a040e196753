//! The services that must go back together: the smallest set, and the reasons that lead to each of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::earlier::{EarlierPin, earlier_pins, objection};
use super::search::{CandidateMove, ClosureSearch, MoveSet};
use super::{
    ClosureConflict, Direction, Member, MemberReason, Objection, OrderWait, RollbackError, RollbackInput, Unmet,
};
use crate::graph::{EdgeId, ServiceId};
use crate::pins::Service;
use crate::plan::{EdgeWait, WaitReason};
use crate::running::Label;

/// What goes back together.
pub(super) struct Closure {
    pub(super) members: Vec<Member>,
    /// Needs that are not met between services that stay.
    pub(super) unmet_elsewhere: Vec<Unmet>,
    /// Whether all sets were considered.
    pub(super) is_exhaustive: bool,
}

/// Moves, beside what is pinned.
#[derive(Clone, Copy)]
struct MovesBesidePins<'s, 'a> {
    input: RollbackInput<'a>,
    /// What each service is pinned at.
    pinned: &'s [Label<'a>],
    moves: &'s MoveSet<'a>,
}

pub(super) fn find_closure(
    input: RollbackInput<'_>,
    asked: &BTreeMap<ServiceId, EarlierPin<'_>>,
) -> Result<Closure, RollbackError> {
    let proven = |id: ServiceId, to: &EarlierPin<'_>| input.proof(input.graph.name(id), &to.pin.version).is_some();
    let asked: MoveSet<'_> =
        asked.iter().map(|(&id, &to)| (id, CandidateMove { to, is_proven: proven(id, &to) })).collect();
    clash(input, &asked).map_or(Ok(()), |unmet| Err(RollbackError::IncompatibleTargets { unmet }))?;
    let pinned = input.pinned();
    let mut search = ClosureSearch::new(input, &pinned);
    let complete = search.run(&asked);
    let ClosureSearch { best, dead_end, no_order, .. } = search;
    let asked_for = MovesBesidePins { input, pinned: &pinned, moves: &asked };
    let Some((_, moves)) = best else {
        return Err(match (no_order, dead_end) {
            _ if !complete => RollbackError::OutOfBudget,
            (Some((moves, circle)), _) => MovesBesidePins { moves: &moves, ..asked_for }.no_order(&circle),
            (None, Some((moves, stuck))) => RollbackError::Conflict(Box::new(
                MovesBesidePins { moves: &moves, ..asked_for }.conflict(&asked, stuck),
            )),
            // A search that is complete has found a set, or one of these.
            (None, None) => RollbackError::OutOfBudget,
        });
    };
    let set = MovesBesidePins { moves: &moves, ..asked_for };
    let members = set.reasons(&asked).into_iter().filter_map(|(id, why)| set.member(id, why)).collect();
    Ok(Closure { members, unmet_elsewhere: set.elsewhere(), is_exhaustive: complete })
}

/// A need between two that were asked for which their targets do not meet.
fn clash(input: RollbackInput<'_>, asked: &MoveSet<'_>) -> Option<Unmet> {
    let needs = asked.keys().flat_map(|&id| input.graph.needs(id));
    let mut between = needs.filter_map(|&edge| {
        let ends = input.graph.edge(edge);
        Some((edge, asked.get(&ends.consumer)?.label(), asked.get(&ends.provider)?.label()))
    });
    between.find_map(|(edge, x, y)| input.unmet(edge, x, y))
}

impl<'a> MovesBesidePins<'_, 'a> {
    /// What a service is pinned at.
    fn pinned_version(self, id: ServiceId) -> Label<'a> {
        self.pinned[id.index()]
    }

    /// Each move and why it is made: first those asked for, then each after the one that forces it.
    fn reasons(self, asked: &MoveSet<'_>) -> Vec<(ServiceId, MemberReason)> {
        let mut reasons: Vec<(ServiceId, MemberReason)> = asked.keys().map(|&id| (id, MemberReason::Asked)).collect();
        let mut reached: BTreeSet<ServiceId> = asked.keys().copied().collect();
        let mut queue: VecDeque<ServiceId> = asked.keys().copied().collect();
        while let Some(id) = queue.pop_front() {
            let Some(choice) = self.moves.get(&id) else { continue };
            for (edge, other) in self.input.graph.neighbours(id) {
                if reached.contains(&other) || !self.moves.contains_key(&other) {
                    continue;
                }
                if let Some(unmet) = self.between(edge, id, [choice.label(), self.pinned_version(other)]) {
                    reached.insert(other);
                    reasons.push((other, MemberReason::Unmet(unmet)));
                    queue.push_back(other);
                }
            }
        }
        reasons
    }

    /// The need on an edge that what is at `at` and what is at the other end do not meet.
    fn between(self, edge: EdgeId, at: ServiceId, [x, y]: [Label<'_>; 2]) -> Option<Unmet> {
        let is_consumer = self.input.graph.edge(edge).consumer == at;
        if is_consumer { self.input.unmet(edge, x, y) } else { self.input.unmet(edge, y, x) }
    }

    fn member(self, id: ServiceId, why: MemberReason) -> Option<Member> {
        let input = self.input;
        let service = input.pins.services.get(input.graph.name(id))?;
        let CandidateMove { to: EarlierPin { record, pin, pins_back: back }, .. } = *self.moves.get(&id)?;
        let has_nearer = back > 1 && why != MemberReason::Asked;
        let nearer = if has_nearer { earlier_pins(input, service) } else { Vec::new() };
        let nearer = nearer.into_iter().take_while(|it| it.pins_back < back);
        let passed_over =
            nearer.filter_map(|it| Some((it.pin.version.clone(), self.objection_to(service, it)?))).collect();
        Some(Member {
            service: service.name.clone(),
            from: service.pin.clone(),
            target: record.clone(),
            to: Member::restored(pin, &service.pin),
            back: (back > 0).then_some(back),
            why,
            proven: input.proof(&service.name, &pin.version).cloned(),
            passed_over,
        })
    }

    /// What speaks against an earlier pin of a service while these moves are made: its own limits, then what moves, then
    /// what would have to move too.
    fn objection_to(self, service: &Service, it: EarlierPin<'_>) -> Option<Objection> {
        let Self { input, moves, .. } = self;
        let id = input.graph.id(&service.name)?;
        let label = Label::Version(&it.pin.version);
        let others = || input.graph.neighbours(id).filter(|(_, other)| *other != id);
        let go = others().filter_map(|(edge, other)| Some((edge, moves.get(&other)?.label())));
        let stay = others()
            .filter(|(_, other)| !moves.contains_key(other))
            .map(|(edge, other)| (edge, self.pinned_version(other)));
        let unmet = || go.chain(stay).find_map(|(edge, other)| self.between(edge, id, [label, other]));
        objection(input, service, &it.pin.version).or_else(|| unmet().map(Objection::Unmet))
    }

    /// Needs that are not met at the tip between services that stay.
    fn elsewhere(self) -> Vec<Unmet> {
        let Self { input, moves, .. } = self;
        let input = RollbackInput { evidence: None, ..input };
        let unmet = |edge: EdgeId| {
            let ends = input.graph.edge(edge);
            let unmet = input.unmet(edge, self.pinned_version(ends.consumer), self.pinned_version(ends.provider))?;
            let stay = !moves.contains_key(&ends.consumer) && !moves.contains_key(&ends.provider);
            stay.then_some(unmet)
        };
        input.graph.edges().filter_map(unmet).collect()
    }

    /// Why a service that must go back cannot, and what leads to it.
    fn conflict(self, asked: &MoveSet<'_>, stuck: ServiceId) -> ClosureConflict {
        let Self { input, moves, .. } = self;
        let mut with_it = moves.clone();
        // It is reached as those are that move; where to does not matter for that.
        with_it.extend(moves.first_key_value().map(|(_, choice)| (stuck, *choice)));
        let reasons: BTreeMap<ServiceId, MemberReason> =
            MovesBesidePins { moves: &with_it, ..self }.reasons(asked).into_iter().collect();
        let mut links = Vec::new();
        let mut at = Some(stuck);
        while let Some(id) = at {
            let Some(MemberReason::Unmet(unmet)) = reasons.get(&id) else { break };
            let from = [&unmet.consumer, &unmet.provider].into_iter().find(|name| *name != input.graph.name(id));
            at = from.and_then(|name| input.graph.id(name));
            links.push(unmet.clone());
        }
        links.reverse();
        let tried = input.pins.services.get(input.graph.name(stuck)).map(|service| {
            let all = earlier_pins(input, service).into_iter();
            all.filter_map(|it| Some((it.pin.version.clone(), self.objection_to(service, it)?))).collect()
        });
        let asked =
            asked.iter().map(|(&id, choice)| (input.graph.name(id).clone(), choice.to.pin.version.clone())).collect();
        ClosureConflict {
            asked,
            unmet_needs: links,
            stuck_service: input.graph.name(stuck).clone(),
            objections: tried.unwrap_or_default(),
            direction: Direction::Back,
        }
    }

    /// The circle of waits that keeps these moves from having an order.
    fn no_order(self, circle: &[(ServiceId, EdgeWait)]) -> RollbackError {
        let name = |id: ServiceId| self.input.graph.name(id).clone();
        let wait = |(id, wait): &(ServiceId, EdgeWait)| OrderWait {
            service: name(*id),
            to: self.moves.get(id).map(|choice| choice.to.pin.version.clone()),
            on: name(wait.on),
            gone: match (&wait.reason, self.pinned_version(wait.on)) {
                (WaitReason::Incompatible(_), Label::Version(version)) => Some(version.clone()),
                _ => None,
            },
        };
        RollbackError::NoOrder { waits: circle.iter().map(wait).collect() }
    }
}

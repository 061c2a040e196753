//! The services that must go back together: the smallest set, and the reasons that lead to each of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::earlier::{Earlier, earlier, objection};
use super::search::{Choice, Moves, Search};
use super::{Conflict, Direction, Member, MemberReason, Objection, OrderWait, Refusal, RollbackInput, Unmet};
use crate::graph::{EdgeId, Id};
use crate::pins::Service;
use crate::plan::{Wait, WaitReason};
use crate::running::Label;

/// What goes back together.
pub(super) struct Closure {
    pub(super) members: Vec<Member>,
    /// Needs that are not met between services that stay.
    pub(super) elsewhere: Vec<Unmet>,
    /// Whether all sets were considered.
    pub(super) complete: bool,
}

/// Moves, beside what is pinned.
#[derive(Clone, Copy)]
struct Set<'s, 'a> {
    input: RollbackInput<'a>,
    /// What each service is pinned at.
    pinned: &'s [Label<'a>],
    moves: &'s Moves<'a>,
}

pub(super) fn of(input: RollbackInput<'_>, asked: &BTreeMap<Id, Earlier<'_>>) -> Result<Closure, Refusal> {
    let proven = |id: Id, to: &Earlier<'_>| input.proof(input.graph.name(id), &to.pin.version).is_some();
    let asked: Moves<'_> = asked.iter().map(|(&id, &to)| (id, Choice { to, proven: proven(id, &to) })).collect();
    clash(input, &asked).map_or(Ok(()), |unmet| Err(Refusal::Clash { unmet }))?;
    let pinned = input.pinned();
    let mut search = Search::new(input, &pinned);
    let complete = search.run(&asked);
    let Search { best, dead_end, no_order, .. } = search;
    let asked_for = Set { input, pinned: &pinned, moves: &asked };
    let Some((_, moves)) = best else {
        return Err(match (no_order, dead_end) {
            _ if !complete => Refusal::OutOfBudget,
            (Some((moves, circle)), _) => Set { moves: &moves, ..asked_for }.no_order(&circle),
            (None, Some((moves, stuck))) => {
                Refusal::Conflict(Box::new(Set { moves: &moves, ..asked_for }.conflict(&asked, stuck)))
            }
            // A search that is complete has found a set, or one of these.
            (None, None) => Refusal::OutOfBudget,
        });
    };
    let set = Set { moves: &moves, ..asked_for };
    let members = set.reasons(&asked).into_iter().filter_map(|(id, why)| set.member(id, why)).collect();
    Ok(Closure { members, elsewhere: set.elsewhere(), complete })
}

/// A need between two that were asked for which their targets do not meet.
fn clash(input: RollbackInput<'_>, asked: &Moves<'_>) -> Option<Unmet> {
    let needs = asked.keys().flat_map(|&id| input.graph.needs(id));
    let mut between = needs.filter_map(|&edge| {
        let ends = input.graph.edge(edge);
        Some((edge, asked.get(&ends.consumer)?.label(), asked.get(&ends.provider)?.label()))
    });
    between.find_map(|(edge, x, y)| input.unmet(edge, x, y))
}

impl<'a> Set<'_, 'a> {
    /// What a service is pinned at.
    fn at_tip(self, id: Id) -> Label<'a> {
        self.pinned[id.index()]
    }

    /// Each move and why it is made: first those asked for, then each after the one that forces it.
    fn reasons(self, asked: &Moves<'_>) -> Vec<(Id, MemberReason)> {
        let mut reasons: Vec<(Id, MemberReason)> = asked.keys().map(|&id| (id, MemberReason::Asked)).collect();
        let mut reached: BTreeSet<Id> = asked.keys().copied().collect();
        let mut queue: VecDeque<Id> = asked.keys().copied().collect();
        while let Some(id) = queue.pop_front() {
            let Some(choice) = self.moves.get(&id) else { continue };
            for (edge, other) in self.input.graph.around(id) {
                if reached.contains(&other) || !self.moves.contains_key(&other) {
                    continue;
                }
                if let Some(unmet) = self.between(edge, id, [choice.label(), self.at_tip(other)]) {
                    reached.insert(other);
                    reasons.push((other, MemberReason::Unmet(unmet)));
                    queue.push_back(other);
                }
            }
        }
        reasons
    }

    /// The need on an edge that what is at `at` and what is at the other end do not meet.
    fn between(self, edge: EdgeId, at: Id, [x, y]: [Label<'_>; 2]) -> Option<Unmet> {
        let is_consumer = self.input.graph.edge(edge).consumer == at;
        if is_consumer { self.input.unmet(edge, x, y) } else { self.input.unmet(edge, y, x) }
    }

    fn member(self, id: Id, why: MemberReason) -> Option<Member> {
        let input = self.input;
        let service = input.pins.services.get(input.graph.name(id))?;
        let Choice { to: Earlier { record, pin, back }, .. } = *self.moves.get(&id)?;
        let has_nearer = back > 1 && why != MemberReason::Asked;
        let nearer = if has_nearer { earlier(input, service) } else { Vec::new() };
        let nearer = nearer.into_iter().take_while(|it| it.back < back);
        let passed_over = nearer.filter_map(|it| Some((it.pin.version.clone(), self.against(service, it)?))).collect();
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
    fn against(self, service: &Service, it: Earlier<'_>) -> Option<Objection> {
        let Self { input, moves, .. } = self;
        let id = input.graph.id(&service.name)?;
        let label = Label::Version(&it.pin.version);
        let others = || input.graph.around(id).filter(|(_, other)| *other != id);
        let go = others().filter_map(|(edge, other)| Some((edge, moves.get(&other)?.label())));
        let stay =
            others().filter(|(_, other)| !moves.contains_key(other)).map(|(edge, other)| (edge, self.at_tip(other)));
        let unmet = || go.chain(stay).find_map(|(edge, other)| self.between(edge, id, [label, other]));
        objection(input, service, &it.pin.version).or_else(|| unmet().map(Objection::Unmet))
    }

    /// Needs that are not met at the tip between services that stay.
    fn elsewhere(self) -> Vec<Unmet> {
        let Self { input, moves, .. } = self;
        let input = RollbackInput { evidence: None, ..input };
        let unmet = |edge: EdgeId| {
            let ends = input.graph.edge(edge);
            let unmet = input.unmet(edge, self.at_tip(ends.consumer), self.at_tip(ends.provider))?;
            let stay = !moves.contains_key(&ends.consumer) && !moves.contains_key(&ends.provider);
            stay.then_some(unmet)
        };
        input.graph.edges().filter_map(unmet).collect()
    }

    /// Why a service that must go back cannot, and what leads to it.
    fn conflict(self, asked: &Moves<'_>, stuck: Id) -> Conflict {
        let Self { input, moves, .. } = self;
        let mut with_it = moves.clone();
        // It is reached as those are that move; where to does not matter for that.
        with_it.extend(moves.first_key_value().map(|(_, choice)| (stuck, *choice)));
        let reasons: BTreeMap<Id, MemberReason> = Set { moves: &with_it, ..self }.reasons(asked).into_iter().collect();
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
            let all = earlier(input, service).into_iter();
            all.filter_map(|it| Some((it.pin.version.clone(), self.against(service, it)?))).collect()
        });
        let asked =
            asked.iter().map(|(&id, choice)| (input.graph.name(id).clone(), choice.to.pin.version.clone())).collect();
        Conflict {
            asked,
            links,
            service: input.graph.name(stuck).clone(),
            tried: tried.unwrap_or_default(),
            direction: Direction::Back,
        }
    }

    /// The circle of waits that keeps these moves from having an order.
    fn no_order(self, circle: &[(Id, Wait)]) -> Refusal {
        let name = |id: Id| self.input.graph.name(id).clone();
        let wait = |(id, wait): &(Id, Wait)| OrderWait {
            service: name(*id),
            to: self.moves.get(id).map(|choice| choice.to.pin.version.clone()),
            on: name(wait.on),
            gone: match (&wait.because, self.at_tip(wait.on)) {
                (WaitReason::Incompatible(_), Label::Version(version)) => Some(version.clone()),
                _ => None,
            },
        };
        Refusal::NoOrder { waits: circle.iter().map(wait).collect() }
    }
}

//! The services that must go back together: the smallest set, and the reasons that lead to each of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::earlier::{Earlier, earlier, objection};
use super::search::{Choice, Moves, Search};
use super::{Conflict, Known, Member, Objection, Refusal, Unmet, Why};
use crate::graph::{EdgeId, Id, Label};
use crate::pins::{Service, ServiceName};
use crate::plan::{Because, Wait};

/// What goes back together.
pub(super) struct Closure {
    pub(super) members: Vec<Member>,
    /// Needs that are not met between services that stay.
    pub(super) elsewhere: Vec<Unmet>,
    /// Whether all sets were considered.
    pub(super) complete: bool,
}

pub(super) fn of(known: Known<'_>, asked: &BTreeMap<Id, Earlier<'_>>) -> Result<Closure, Refusal> {
    let proven = |id: Id, to: &Earlier<'_>| known.proof(known.graph.name(id), &to.pin.version).is_some();
    let asked: Moves<'_> = asked.iter().map(|(&id, &to)| (id, Choice { to, proven: proven(id, &to) })).collect();
    clash(known, &asked).map_or(Ok(()), |unmet| Err(Refusal::Clash { unmet }))?;
    let mut search = Search::new(known);
    let complete = search.run(&asked);
    let Search { best, dead_end, no_order, .. } = search;
    let Some((_, moves)) = best else {
        return Err(match (no_order, dead_end) {
            _ if !complete => Refusal::OutOfBudget,
            (Some((moves, circle)), _) => no_order_of(known, &moves, &circle),
            (None, Some((moves, stuck))) => Refusal::Conflict(Box::new(conflict(known, &asked, &moves, stuck))),
            // A search that is complete has found a set, or one of these.
            (None, None) => Refusal::OutOfBudget,
        });
    };
    let reasons = reasons(known, &asked, &moves);
    let member = |(id, why): (Id, Why)| member(known, &moves, id, why);
    let members = reasons.into_iter().filter_map(member).collect();
    Ok(Closure { members, elsewhere: elsewhere(known, &moves), complete })
}

/// A need between two that were asked for which their targets do not meet.
fn clash(known: Known<'_>, asked: &Moves<'_>) -> Option<Unmet> {
    let needs = asked.keys().flat_map(|&id| known.graph.needs(id));
    let mut between = needs.filter_map(|&edge| {
        let ends = known.graph.edge(edge);
        Some((edge, asked.get(&ends.consumer)?.label(), asked.get(&ends.provider)?.label()))
    });
    between.find_map(|(edge, x, y)| known.unmet(edge, x, y))
}

/// Each of these moves and why it is made: first those asked for, then each after the one that forces it.
fn reasons(known: Known<'_>, asked: &Moves<'_>, moves: &Moves<'_>) -> Vec<(Id, Why)> {
    let mut reasons: Vec<(Id, Why)> = asked.keys().map(|&id| (id, Why::Asked)).collect();
    let mut reached: BTreeSet<Id> = asked.keys().copied().collect();
    let mut queue: VecDeque<Id> = asked.keys().copied().collect();
    while let Some(id) = queue.pop_front() {
        let Some(choice) = moves.get(&id) else { continue };
        for (edge, other) in known.graph.around(id).filter(|(_, other)| moves.contains_key(other)) {
            let unmet = between(known, edge, id, [choice.label(), known.pinned(other)]);
            if let Some(unmet) = unmet.filter(|_| reached.insert(other)) {
                reasons.push((other, Why::Unmet(unmet)));
                queue.push_back(other);
            }
        }
    }
    reasons
}

/// The need on an edge that what is at `at` and what is at the other end do not meet.
fn between(known: Known<'_>, edge: EdgeId, at: Id, [x, y]: [Label<'_>; 2]) -> Option<Unmet> {
    if known.graph.edge(edge).consumer == at { known.unmet(edge, x, y) } else { known.unmet(edge, y, x) }
}

fn member(known: Known<'_>, moves: &Moves<'_>, id: Id, why: Why) -> Option<Member> {
    let service = known.pins.services.get(known.graph.name(id))?;
    let Choice { to: Earlier { record, pin, back }, .. } = *moves.get(&id)?;
    let nearer = earlier(known, service).into_iter().take_while(|it| it.back < back && why != Why::Asked);
    let passed_over =
        nearer.filter_map(|it| Some((it.pin.version.clone(), against(known, moves, service, it)?))).collect();
    Some(Member {
        service: service.name.clone(),
        from: service.pin.clone(),
        target: record.clone(),
        to: Member::restored(pin, &service.pin),
        back: (back > 0).then_some(back),
        why,
        proven: known.proof(&service.name, &pin.version).cloned(),
        passed_over,
    })
}

/// What speaks against an earlier pin of a service while these moves are made: its own limits, then what moves, then what
/// would have to move too.
fn against(known: Known<'_>, moves: &Moves<'_>, service: &Service, it: Earlier<'_>) -> Option<Objection> {
    let id = known.graph.id(&service.name)?;
    let label = Label::Version(&it.pin.version);
    let others = || known.graph.around(id).filter(|(_, other)| *other != id);
    let go = others().filter_map(|(edge, other)| Some((edge, moves.get(&other)?.label())));
    let stay =
        others().filter(|(_, other)| !moves.contains_key(other)).map(|(edge, other)| (edge, known.pinned(other)));
    let unmet = || go.chain(stay).find_map(|(edge, other)| between(known, edge, id, [label, other]));
    objection(known, service, &it.pin.version).or_else(|| unmet().map(Objection::Unmet))
}

/// Needs that are not met at the tip between services that stay.
fn elsewhere(known: Known<'_>, moves: &Moves<'_>) -> Vec<Unmet> {
    let known = Known { evidence: None, ..known };
    let unmet = |edge: EdgeId| {
        let ends = known.graph.edge(edge);
        let stay = !moves.contains_key(&ends.consumer) && !moves.contains_key(&ends.provider);
        stay.then(|| known.unmet(edge, known.pinned(ends.consumer), known.pinned(ends.provider)))?
    };
    known.graph.edges().filter_map(unmet).collect()
}

/// Why a service that must go back cannot, and what leads to it.
fn conflict(known: Known<'_>, asked: &Moves<'_>, moves: &Moves<'_>, stuck: Id) -> Conflict {
    let mut with_it = moves.clone();
    // It is reached as those are that move; where to does not matter for that.
    with_it.extend(moves.first_key_value().map(|(_, choice)| (stuck, *choice)));
    let reasons: BTreeMap<Id, Why> = reasons(known, asked, &with_it).into_iter().collect();
    let mut links = Vec::new();
    let mut at = Some(stuck);
    while let Some(id) = at {
        let Some(Why::Unmet(unmet)) = reasons.get(&id) else { break };
        let from = [&unmet.consumer, &unmet.provider].into_iter().find(|name| *name != known.graph.name(id));
        at = from.and_then(|name| known.graph.id(name));
        links.push(unmet.clone());
    }
    links.reverse();
    let tried = known.pins.services.get(known.graph.name(stuck)).map(|service| {
        let all = earlier(known, service).into_iter();
        all.filter_map(|it| Some((it.pin.version.clone(), against(known, moves, service, it)?))).collect()
    });
    let asked =
        asked.iter().map(|(&id, choice)| (known.graph.name(id).clone(), choice.to.pin.version.clone())).collect();
    Conflict { asked, links, service: known.graph.name(stuck).clone(), tried: tried.unwrap_or_default() }
}

/// The circle of waits that keeps these moves from having an order.
fn no_order_of(known: Known<'_>, moves: &Moves<'_>, circle: &[(Id, Wait)]) -> Refusal {
    let name = |id: Id| known.graph.name(id);
    let at = |id: Id| moves.get(&id).map_or_else(String::new, |choice| format!(" {}", choice.to.pin.version));
    let leaves = |wait: &Wait| match (&wait.because, known.pinned(wait.on)) {
        (Because::Incompatible(_), Label::Version(version)) => format!("{} {version} is gone", name(wait.on)),
        _ => format!("{} has moved", name(wait.on)),
    };
    let waits = circle.iter().map(|(id, wait)| format!("{}{} waits until {}", name(*id), at(*id), leaves(wait)));
    let services: Vec<ServiceName> = circle.iter().map(|&(id, _)| name(id).clone()).collect();
    Refusal::NoOrder { waits: waits.collect(), services }
}

//! The pairs of versions on the way of a plan of which neither a range nor history says that they run together.

use std::collections::{BTreeMap, BTreeSet};

use pintle_core::desired::DesiredState;
use pintle_core::evidence::VersionPair;
use pintle_core::graph::ServiceId;
use pintle_core::pins::UnseenPolicy;
use pintle_core::plan::{Plan, PlannedChange};
use pintle_core::running::{Label, Running};

use super::status::LiveState;

/// The pairs that come together while a plan is carried out, stage by stage. What ran its target before brings none, nor
/// what starts from nothing.
pub fn unseen_pairs_of_plan(desired: &DesiredState, look: &LiveState, plan: &Plan) -> Vec<VersionPair> {
    if desired.pins.settings.unseen == UnseenPolicy::Ignore {
        return Vec::new();
    }
    let stages = plan.stages.iter().zip(0_usize..);
    let places: BTreeMap<ServiceId, usize> =
        stages.flat_map(|(stage, number)| stage.changes.iter().map(move |change| (change.service, number))).collect();
    let comes_new =
        |change: &&PlannedChange| !look.live[change.service.index()].is_drift && change.from != [Running::Absent];
    let changes = plan.changes().filter(comes_new);
    let pairs: BTreeSet<VersionPair> =
        changes.flat_map(|change| pairs_of_start(desired, look, &places, change.service)).collect();
    pairs.into_iter().collect()
}

/// The pairs that a service comes into by its start.
fn pairs_of_start(
    desired: &DesiredState,
    look: &LiveState,
    places: &BTreeMap<ServiceId, usize>,
    id: ServiceId,
) -> Vec<VersionPair> {
    let target = |id: ServiceId| desired.service(id).map(|service| Label::Version(&service.pin.version));
    let (Some(new), evidence, graph) = (target(id), desired.evidence(), &desired.graph) else { return Vec::new() };
    let mut pairs = Vec::new();
    for (edge, other) in graph.neighbours(id).filter(|(_, other)| *other != id) {
        let (mine, its) = (places.get(&id), places.get(&other));
        let arrives = target(other).filter(|_| its.is_some() && its <= mine);
        let is_there = look.live[other.index()].running.iter().map(Running::label);
        let is_there = is_there.filter(|_| its.is_none() || its >= mine);
        for label in is_there.chain(arrives) {
            let (x, y) = if graph.edge(edge).consumer == id { (new, label) } else { (label, new) };
            pairs.extend(evidence.unseen_pair(graph, edge, x, y));
        }
    }
    pairs
}

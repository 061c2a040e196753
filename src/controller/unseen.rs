//! The pairs of versions on the way of a plan of which neither a range nor history says that they run together.

use std::collections::{BTreeMap, BTreeSet};

use pintle_core::desired::DesiredState;
use pintle_core::evidence::Pair;
use pintle_core::graph::Id;
use pintle_core::pins::Unseen;
use pintle_core::plan::{Change, Plan};
use pintle_core::running::{Label, Running};

use super::status::LiveState;

/// The pairs that come together while a plan is carried out, stage by stage. What ran its target before brings none, nor
/// what starts from nothing.
pub fn on_the_way(desired: &DesiredState, look: &LiveState, plan: &Plan) -> Vec<Pair> {
    if desired.pins.settings.unseen == Unseen::Ignore {
        return Vec::new();
    }
    let stages = plan.stages.iter().zip(0_usize..);
    let places: BTreeMap<Id, usize> =
        stages.flat_map(|(stage, number)| stage.changes.iter().map(move |change| (change.service, number))).collect();
    let comes_new = |change: &&Change| !look.live[change.service.index()].is_drift && change.from != [Running::Absent];
    let changes = plan.changes().filter(comes_new);
    let pairs: BTreeSet<Pair> = changes.flat_map(|change| beside(desired, look, &places, change.service)).collect();
    pairs.into_iter().collect()
}

/// The pairs that a service comes into by its start.
fn beside(desired: &DesiredState, look: &LiveState, places: &BTreeMap<Id, usize>, id: Id) -> Vec<Pair> {
    let target = |id: Id| desired.service(id).map(|service| Label::Version(&service.pin.version));
    let (Some(new), evidence, graph) = (target(id), desired.evidence(), &desired.graph) else { return Vec::new() };
    let mut pairs = Vec::new();
    for (edge, other) in graph.around(id).filter(|(_, other)| *other != id) {
        let (mine, its) = (places.get(&id), places.get(&other));
        let arrives = target(other).filter(|_| its.is_some() && its <= mine);
        let is_there = look.live[other.index()].running.iter().map(Running::label);
        let is_there = is_there.filter(|_| its.is_none() || its >= mine);
        for label in is_there.chain(arrives) {
            let (x, y) = if graph.edge(edge).consumer == id { (new, label) } else { (label, new) };
            pairs.extend(evidence.lacks(graph, edge, x, y));
        }
    }
    pairs
}

//! What becomes of some services when other targets are wanted of them: the plan of their surroundings alone.

use std::collections::{BTreeMap, BTreeSet};

use super::ahead::simulate;
use super::engine::WaitTracker;
use super::state::{PlanState, stays};
use super::{EdgeWait, HoldReason, LiveService, PlanInput, PlanStep, ServiceTarget};
use crate::graph::{ServiceId, Subgraph};

/// The part of a situation that decides what becomes of some services: they, all that moves or is to move and hangs
/// together with them by edges or lockstep groups, and the neighbours of all these. What stays where it is passes nothing
/// on.
pub struct Neighbourhood {
    part: Subgraph,
    wanted: Vec<ServiceTarget>,
    live: Vec<LiveService>,
    lockstep: Vec<Vec<ServiceId>>,
}

impl Neighbourhood {
    /// The surroundings of the services of which something else than in `at` is wanted.
    pub fn of(at: PlanInput<'_>, instead: &BTreeMap<ServiceId, ServiceTarget>) -> Self {
        let wanted = |id: ServiceId| instead.get(&id).unwrap_or(&at.wanted[id.index()]);
        let part = at.graph.subgraph(&surroundings(at, instead));
        let number = |id: &ServiceId| part.local_id(*id);
        Self {
            wanted: part.ids().iter().map(|&id| wanted(id).clone()).collect(),
            live: part.ids().iter().map(|id| at.live[id.index()].clone()).collect(),
            // A group keeps its place: steps name it.
            lockstep: at.lockstep.iter().map(|group| group.iter().filter_map(number).collect()).collect(),
            part,
        }
    }

    /// The services that are looked at.
    pub fn ids(&self) -> &[ServiceId] {
        self.part.ids()
    }

    /// What [`Plan::unreached`](super::Plan::unreached) would say of these services.
    pub fn unreached(&self) -> Vec<(ServiceId, PlanStep)> {
        let Self { part: Subgraph { graph, .. }, wanted, live, lockstep } = self;
        let at = PlanInput { graph, wanted, live, lockstep, evidence: None };
        let rest = simulate(WaitTracker::new(PlanState::set(at)), at).unreached;
        rest.into_iter().map(|(id, step)| (self.part.whole_id(id), self.in_whole(step))).collect()
    }

    fn in_whole(&self, step: PlanStep) -> PlanStep {
        let wait =
            |wait: EdgeWait| EdgeWait { on: self.part.whole_id(wait.on), edge: self.part.edge(wait.edge), ..wait };
        match step {
            PlanStep::Waits(waits) => PlanStep::Waits(waits.into_iter().map(wait).collect()),
            PlanStep::Refused(circle) => {
                PlanStep::Refused(circle.into_iter().map(|(id, it)| (self.part.whole_id(id), wait(it))).collect())
            }
            PlanStep::Held(HoldReason::Misfit(edge)) => PlanStep::Held(HoldReason::Misfit(self.part.edge(edge))),
            PlanStep::Held(HoldReason::Lockstep(id)) => PlanStep::Held(HoldReason::Lockstep(self.part.whole_id(id))),
            PlanStep::Held(_) | PlanStep::Start(_) | PlanStep::UnderWay | PlanStep::Failed(_) => step,
        }
    }
}

fn surroundings(at: PlanInput<'_>, instead: &BTreeMap<ServiceId, ServiceTarget>) -> BTreeSet<ServiceId> {
    let passes_on = |id: ServiceId| instead.contains_key(&id) || !stays(&at.wanted[id.index()], &at.live[id.index()]);
    let mut near: BTreeSet<ServiceId> = instead.keys().copied().collect();
    let mut pending: Vec<ServiceId> = near.iter().copied().collect();
    while let Some(id) = pending.pop() {
        let groups = at.lockstep.iter().filter(|group| group.contains(&id)).flatten().copied();
        for other in at.graph.neighbours(id).map(|(_, other)| other).chain(groups) {
            if near.insert(other) && passes_on(other) {
                pending.push(other);
            }
        }
    }
    near
}

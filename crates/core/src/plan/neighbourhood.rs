//! What becomes of some services when other targets are wanted of them: the plan of their surroundings alone.

use std::collections::{BTreeMap, BTreeSet};

use super::ahead::simulate;
use super::engine::Engine;
use super::state::{PlanState, stays};
use super::{HoldReason, Live, PlanInput, Step, Wait, Wanted};
use crate::graph::{Id, Part};

/// The part of a situation that decides what becomes of some services: they, all that moves or is to move and hangs
/// together with them by edges or lockstep groups, and the neighbours of all these. What stays where it is passes nothing
/// on.
pub struct Neighbourhood {
    part: Part,
    wanted: Vec<Wanted>,
    live: Vec<Live>,
    lockstep: Vec<Vec<Id>>,
}

impl Neighbourhood {
    /// The surroundings of the services of which something else than in `at` is wanted.
    pub fn of(at: PlanInput<'_>, instead: &BTreeMap<Id, Wanted>) -> Self {
        let wanted = |id: Id| instead.get(&id).unwrap_or(&at.wanted[id.index()]);
        let part = at.graph.part(&surroundings(at, instead));
        let number = |id: &Id| part.number(*id);
        Self {
            wanted: part.ids().iter().map(|&id| wanted(id).clone()).collect(),
            live: part.ids().iter().map(|id| at.live[id.index()].clone()).collect(),
            // A group keeps its place: steps name it.
            lockstep: at.lockstep.iter().map(|group| group.iter().filter_map(number).collect()).collect(),
            part,
        }
    }

    /// The services that are looked at.
    pub fn ids(&self) -> &[Id] {
        self.part.ids()
    }

    /// What [`Plan::unreached`](super::Plan::unreached) would say of these services.
    pub fn unreached(&self) -> Vec<(Id, Step)> {
        let Self { part: Part { graph, .. }, wanted, live, lockstep } = self;
        let at = PlanInput { graph, wanted, live, lockstep, evidence: None };
        let rest = simulate(Engine::new(PlanState::set(at)), at).unreached;
        rest.into_iter().map(|(id, step)| (self.part.id(id), self.in_whole(step))).collect()
    }

    fn in_whole(&self, step: Step) -> Step {
        let wait = |wait: Wait| Wait { on: self.part.id(wait.on), edge: self.part.edge(wait.edge), ..wait };
        match step {
            Step::Waits(waits) => Step::Waits(waits.into_iter().map(wait).collect()),
            Step::Refused(circle) => {
                Step::Refused(circle.into_iter().map(|(id, it)| (self.part.id(id), wait(it))).collect())
            }
            Step::Held(HoldReason::Misfit(edge)) => Step::Held(HoldReason::Misfit(self.part.edge(edge))),
            Step::Held(HoldReason::Lockstep(id)) => Step::Held(HoldReason::Lockstep(self.part.id(id))),
            Step::Held(_) | Step::Start(_) | Step::UnderWay | Step::Failed(_) => step,
        }
    }
}

fn surroundings(at: PlanInput<'_>, instead: &BTreeMap<Id, Wanted>) -> BTreeSet<Id> {
    let passes_on = |id: Id| instead.contains_key(&id) || !stays(&at.wanted[id.index()], &at.live[id.index()]);
    let mut near: BTreeSet<Id> = instead.keys().copied().collect();
    let mut pending: Vec<Id> = near.iter().copied().collect();
    while let Some(id) = pending.pop() {
        let groups = at.lockstep.iter().filter(|group| group.contains(&id)).flatten().copied();
        for other in at.graph.around(id).map(|(_, other)| other).chain(groups) {
            if near.insert(other) && passes_on(other) {
                pending.push(other);
            }
        }
    }
    near
}

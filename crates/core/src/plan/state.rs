//! The board that [`next`](super::next) plays on: where each service stands, and which targets fit (rule 1).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use super::{HoldReason, LiveService, PlanInput, RolloutProgress, ServiceTarget};
use crate::evidence::Evidence;
use crate::graph::{Edge, EdgeId, Graph, ServiceId};
use crate::running::{Label, Running};

/// Where a service stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Where it should be, and nothing of it is on its way.
    There,
    /// Written, but not the only thing that runs, or not verified.
    Written,
    /// To be written.
    Open,
    /// Not to be written.
    Held(HoldReason),
}

/// A [`PlanInput`], and where each service stands in it. Moves can be made on it: that is how a plan runs ahead.
#[derive(Clone)]
pub(super) struct PlanState<'a> {
    pub(super) graph: &'a Graph,
    pub(super) lockstep: &'a [Vec<ServiceId>],
    evidence: Option<Evidence<'a>>,
    wanted: &'a [ServiceTarget],
    /// Borrowed, until a move is made.
    live: Vec<Cow<'a, LiveService>>,
    phases: Vec<Phase>,
    /// The services that stand [`Phase::Open`], sorted.
    pub(super) open: BTreeSet<ServiceId>,
}

impl<'a> PlanState<'a> {
    /// Rule 1: targets fit, or their changes are held.
    pub(super) fn set(at: PlanInput<'a>) -> Self {
        let stands: Vec<Phase> = at.wanted.iter().zip(at.live).map(|(wanted, live)| stand(wanted, live)).collect();
        let open = at.graph.ids().filter(|id| stands[id.index()] == Phase::Open).collect();
        let PlanInput { graph, wanted, live, lockstep, evidence } = at;
        let live = live.iter().map(Cow::Borrowed).collect();
        let mut board = Self { graph, lockstep, evidence, wanted, live, phases: stands, open };
        board.hold_misfits();
        board
    }

    pub(super) fn phase(&self, id: ServiceId) -> &Phase {
        &self.phases[id.index()]
    }

    pub(super) fn live(&self, id: ServiceId) -> &LiveService {
        &self.live[id.index()]
    }

    /// The target is written: it may run from now on, beside what runs already.
    pub(super) fn start(&mut self, id: ServiceId) {
        let ServiceTarget::Run(target) = &self.wanted[id.index()] else { return };
        let live = self.live[id.index()].to_mut();
        if !live.running.contains(target) {
            live.running.push(target.clone());
        }
        live.spec = vec![target.clone()];
        live.progress = RolloutProgress::UnderWay;
        self.phases[id.index()] = Phase::Written;
        self.open.remove(&id);
    }

    /// What was written is verified, and what ran before is gone.
    pub(super) fn finish(&mut self, id: ServiceId) {
        let live = self.live[id.index()].to_mut();
        live.running.clone_from(&live.spec);
        live.progress = RolloutProgress::Still;
        live.ready = true;
        if self.phases[id.index()] == Phase::Written {
            self.phases[id.index()] = Phase::There;
        }
    }

    /// What the service is going to run: its target, or, where it is held, what its specifications say.
    pub(super) fn targets(&self, id: ServiceId) -> &[Running] {
        match (&self.wanted[id.index()], self.phase(id)) {
            (ServiceTarget::Run(target), Phase::There | Phase::Written | Phase::Open) => slice::from_ref(target),
            _ => &self.live(id).spec,
        }
    }

    /// It is written, and neither verified nor failed.
    pub(super) fn is_under_way(&self, id: ServiceId) -> bool {
        self.is_written(id) && !matches!(self.live(id).progress, RolloutProgress::Failed(_))
    }

    /// It is written and not verified; a hold does not stop what is on its way.
    pub(super) fn is_written(&self, id: ServiceId) -> bool {
        match self.phase(id) {
            Phase::Written => true,
            Phase::Held(_) => self.live(id).progress != RolloutProgress::Still,
            Phase::There | Phase::Open => false,
        }
    }

    /// It is written by this rollout, and not verified.
    pub(super) fn has_started(&self, id: ServiceId) -> bool {
        *self.phase(id) == Phase::Written
    }

    pub(super) fn is_open(&self, id: ServiceId) -> bool {
        *self.phase(id) == Phase::Open
    }

    /// Its target is written to some of its workloads.
    pub(super) fn is_half_written(&self, id: ServiceId) -> bool {
        matches!(&self.wanted[id.index()], ServiceTarget::Run(target) if self.live(id).spec.contains(target))
    }

    /// The target of the consumer needs the provider.
    pub(super) fn is_needed(&self, edge: EdgeId) -> bool {
        let needs =
            |x: &Running| matches!(x.label(), Label::Version(x) if self.graph.required_range(edge, x).is_some());
        self.targets(self.graph.edge(edge).consumer).iter().any(needs)
    }

    /// Its live set is its target, and nothing else.
    pub(super) fn runs_only_target(&self, id: ServiceId) -> bool {
        let targets = self.targets(id);
        targets.len() == 1 && self.live(id).running == targets
    }

    /// Whether `x` at the consumer's end of an edge and `y` at the provider's run well together.
    pub(super) fn ok(&self, edge: EdgeId, x: &Running, y: &Running) -> bool {
        self.graph.is_compatible(edge, x.label(), y.label())
    }

    fn hold_misfits(&mut self) {
        let graph = self.graph;
        let around = |ids: &[ServiceId]| -> Vec<EdgeId> {
            ids.iter().flat_map(|&id| graph.neighbours(id)).map(|(edge, _)| edge).collect()
        };
        let mut misfits = BTreeMap::new();
        let mut look_at = around(&self.open.iter().copied().collect::<Vec<_>>());
        loop {
            for edge in look_at {
                match self.misfit(edge) {
                    Some(why) => misfits.insert(edge, why),
                    None => misfits.remove(&edge),
                };
            }
            let held = self.hold_ends(&misfits, |edge| edge.consumer);
            let held = if held.is_empty() { self.hold_ends(&misfits, |edge| edge.provider) } else { held };
            if held.is_empty() {
                return;
            }
            look_at = around(&held);
        }
    }

    /// Why the targets of an edge do not fit.
    fn misfit(&self, edge: EdgeId) -> Option<HoldReason> {
        let ends = self.graph.edge(edge);
        let providers = self.targets(ends.provider);
        let mut pairs = self.targets(ends.consumer).iter().flat_map(|x| providers.iter().map(move |y| (x, y)));
        if pairs.clone().any(|(x, y)| !self.ok(edge, x, y)) {
            return Some(HoldReason::Misfit(edge));
        }
        let evidence = self.evidence?;
        pairs.find_map(|(x, y)| evidence.unseen_pair(self.graph, edge, x.label(), y.label())).map(HoldReason::Unseen)
    }

    /// Holds those ends of the edges that are still open, and says which. What ran its target before, or runs nothing
    /// at all, needs no evidence.
    fn hold_ends(
        &mut self,
        misfits: &BTreeMap<EdgeId, HoldReason>,
        end: impl Fn(&Edge) -> ServiceId,
    ) -> Vec<ServiceId> {
        let mut held = Vec::new();
        for (&edge, why) in misfits {
            let id = end(self.graph.edge(edge));
            let goes_on = self.live(id).is_drift || self.live(id).running == [Running::Absent];
            if (goes_on && matches!(why, HoldReason::Unseen(_))) || !self.open.remove(&id) {
                continue;
            }
            self.phases[id.index()] = Phase::Held(why.clone());
            held.push(id);
        }
        held
    }

    /// Some pair that runs on this edge is ok. Absence needs nothing, so a consumer that is missing always has one.
    pub(super) fn has_ok_pair(&self, edge: EdgeId) -> bool {
        let ends = self.graph.edge(edge);
        let providers = &self.live(ends.provider).running;
        self.live(ends.consumer).running.iter().any(|x| providers.iter().any(|y| self.ok(edge, x, y)))
    }

    /// It has failed on something that is not its target, and no pod of it is ready.
    pub(super) fn is_down_off_target(&self, id: ServiceId) -> bool {
        let live = self.live(id);
        matches!(live.progress, RolloutProgress::Failed(_)) && !live.ready && live.spec != self.targets(id)
    }

    /// The versions that a service comes from.
    pub(super) fn origins(&self, id: ServiceId) -> impl Iterator<Item = Label<'_>> {
        let targets = self.targets(id);
        self.live(id).running.iter().filter(move |running| !targets.contains(running)).map(Running::label)
    }
}

/// Whether a service is where it stays, whatever its neighbours do: there, or held and not on its way.
pub(super) fn stays(wanted: &ServiceTarget, live: &LiveService) -> bool {
    match stand(wanted, live) {
        Phase::There => true,
        Phase::Held(_) => live.progress == RolloutProgress::Still,
        Phase::Written | Phase::Open => false,
    }
}

fn stand(wanted: &ServiceTarget, live: &LiveService) -> Phase {
    let is_there = |target| live.progress == RolloutProgress::Still && is_at(target, live);
    match wanted {
        ServiceTarget::Run(target) | ServiceTarget::Held(Some(target), _) if is_there(target) => Phase::There,
        ServiceTarget::Held(_, why) => Phase::Held(why.clone()),
        ServiceTarget::Run(target) if live.spec != slice::from_ref(target) => Phase::Open,
        ServiceTarget::Run(_) => Phase::Written,
    }
}

fn is_at(target: &Running, live: &LiveService) -> bool {
    live.spec == slice::from_ref(target) && live.running == slice::from_ref(target)
}

//! Alarms and suspects as the cluster at hand shows them: who is unwell, what changed last, and who may be the cause. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pintle_core::change::{PinMove, pin_moves};
use pintle_core::git::CommitId;
use pintle_core::graph::{EdgeId, ServiceId, version_order};
use pintle_core::image::Image;
use pintle_core::pins::ServiceName;
use pintle_core::plan::RolloutProgress;
use pintle_core::running::{Label, Running};
use pintle_core::suspects::{LastChange, PeerHealth, RunningMove, Suspect, SuspectInput, ranked_suspects};
use pintle_core::verify::{HealthStatus, WorkloadHealth};
use pintle_core::version::VersionOrder;
use pintle_core::workload::{Container, Pod, ProvenVersion};

use super::desired::Desired;
use super::status::LiveState;
use crate::cluster::Observation;

/// What suspicion rests on.
#[derive(Clone, Copy)]
pub struct SuspicionInput<'a> {
    /// What is desired, with its history.
    pub desired: &'a Desired,
    /// What runs; without a cluster, what is pinned.
    pub look: &'a LiveState,
    /// What was observed; none without a cluster: health is not known then.
    pub observed: Option<&'a Observation>,
    /// What each service is proven to run.
    pub proven: &'a BTreeMap<ServiceName, Vec<ProvenVersion>>,
    /// The services that somebody says are unwell.
    pub named: &'a BTreeSet<ServiceName>,
    /// What changed before is no suspect.
    pub since: Option<Timestamp>,
    /// The time of judgement.
    pub now: Timestamp,
}

/// Why a service alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// Its workload is unwell.
    Unwell(WorkloadHealth),
    /// Somebody says so.
    Named,
}

/// The alarms, what changed, and the suspects, the likeliest first.
#[derive(Debug)]
pub struct Suspicion {
    /// The services that alarm.
    pub alarms: BTreeMap<ServiceId, Alarm>,
    /// The last change of each service that ever changed.
    pub changes: BTreeMap<ServiceId, LastChange>,
    /// Who may be the cause.
    pub suspects: Vec<Suspect>,
}

impl SuspicionInput<'_> {
    /// Finds the alarms, the changes and the suspects. `proof` gives the verification of what a move of a service pinned,
    /// `is_rollback` says of a commit whether it is a rollback.
    pub fn suspicion<'p>(
        self,
        proof: impl Fn(&ServiceName, &VersionOrder, &PinMove) -> Option<&'p ProvenVersion>,
        is_rollback: impl Fn(CommitId) -> bool,
    ) -> Suspicion {
        let graph = &self.desired.graph;
        let alarms: BTreeMap<ServiceId, Alarm> = graph.ids().filter_map(|id| Some((id, self.alarm(id)?))).collect();
        let change = |id| Some((id, self.last_change(id, &proof, &is_rollback)?));
        let changes: BTreeMap<ServiceId, LastChange> = graph.ids().filter_map(change).collect();
        let peers = |(&id, change): (&ServiceId, &LastChange)| Some((id, self.peers(id, change.image()?)?));
        let proven = |id: ServiceId| Some((id, self.proven.get(graph.name(id))?.iter().map(|it| it.at).max()?));
        let alarming: BTreeSet<ServiceId> = alarms.keys().copied().collect();
        let suspects = ranked_suspects(SuspectInput {
            graph,
            needed: &self.needed(),
            changed: &changes.iter().map(|(&id, change)| (id, change.at)).collect(),
            peers: &changes.iter().filter_map(peers).collect(),
            alarms: (self.observed.is_some() || !alarming.is_empty()).then_some(&alarming),
            verified: &graph.ids().filter_map(proven).collect(),
            soak: self.desired.pins.settings.soak,
            since: self.since,
            now: self.now,
        });
        Suspicion { alarms, changes, suspects }
    }

    /// Why a service alarms; none where it is well, or on its way as it was asked to be.
    fn alarm(self, id: ServiceId) -> Option<Alarm> {
        let is_still = self.look.live[id.index()].progress == RolloutProgress::Still;
        let alarms = |word: HealthStatus| match word {
            HealthStatus::Degraded | HealthStatus::Missing => true,
            HealthStatus::Progressing => is_still,
            HealthStatus::Healthy | HealthStatus::Suspended | HealthStatus::Unknown => false,
        };
        let mut workloads = self.look.services[id.index()].workloads.iter().filter(|it| !it.ending);
        let unwell = self.observed.and_then(|_| workloads.find(|it| alarms(it.health.status)));
        let named = || self.named.contains(self.desired.graph.name(id)).then_some(Alarm::Named);
        unwell.map(|it| Alarm::Unwell(it.health.clone())).or_else(named)
    }

    /// How the pods of a service are that do not run this image yet, where there are any and they agree.
    fn peers(self, id: ServiceId, image: &Image) -> Option<PeerHealth> {
        let observed = self.observed?;
        let mut ready = BTreeSet::new();
        for one in &self.look.services[id.index()].workloads {
            let (Some(workload), Some(pods)) = (&one.workload, observed.pods.get(&one.id)) else { continue };
            let runs =
                |it: &Container| it.image.as_ref().is_some_and(|there| workload.image_as_written(there) == *image);
            let of_service = |it: &&Container| one.containers.contains(&it.name);
            let has_changed = |pod: &Pod| pod.containers.iter().filter(of_service).any(runs);
            let staying = pods.iter().filter(|pod| pod.is_running() && !pod.terminating);
            ready.extend(staying.filter(|pod| !has_changed(pod)).map(|pod| pod.ready));
        }
        match (ready.contains(&true), ready.contains(&false)) {
            (true, false) => Some(PeerHealth::Well),
            (false, true) => Some(PeerHealth::Unwell),
            (true, true) | (false, false) => None,
        }
    }

    /// The edges by which what runs, or what is pinned, needs another service.
    fn needed(self) -> BTreeSet<EdgeId> {
        let graph = &self.desired.graph;
        let is_needed = |edge: &EdgeId| {
            let consumer = graph.edge(*edge).consumer;
            let runs = self.look.live[consumer.index()].running.iter().map(Running::label);
            let pinned = self.desired.service(consumer).map(|service| Label::Version(&service.pin.version));
            runs.chain(pinned)
                .any(|label| matches!(label, Label::Version(x) if graph.required_range(*edge, x).is_some()))
        };
        graph.edges().filter(is_needed).collect()
    }

    /// The last change of a service: of what runs, by hand, or of its pin.
    fn last_change<'p>(
        self,
        id: ServiceId,
        proof: &impl Fn(&ServiceName, &VersionOrder, &PinMove) -> Option<&'p ProvenVersion>,
        is_rollback: &impl Fn(CommitId) -> bool,
    ) -> Option<LastChange> {
        let (service, status) = (self.desired.service(id)?, &self.look.services[id.index()]);
        if let Some(hand) = status.manual_change.as_ref().filter(|_| status.drifted) {
            return Some(LastChange::by_hand(hand.at?));
        }
        let order = version_order(service, &self.desired.history);
        let moves = pin_moves(self.desired.history.records(&service.name), &order);
        let found = RunningMove::find(&moves, &order, &self.look.live[id.index()].running)?;
        let written = status.workloads.iter().filter_map(|it| it.written).max();
        let proof = proof(&service.name, &order, found.moved);
        Some(LastChange::by_commit(found, proof, written, || is_rollback(found.moved.commit.id)))
    }
}

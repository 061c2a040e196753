//! What is desired at one revision: its pins and their history, as the graph that `next` walks.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::evidence::Evidence;
use crate::git::CommitId;
use crate::graph::{Graph, ServiceId};
use crate::history::History;
use crate::pins::{LocalSpec, Pins, Runtime, Service, ServiceName, WorkloadRef, withheld};
use crate::plan::{HoldReason, LiveService, RolloutProgress, ServiceTarget};
use crate::running::Running;
use crate::version::Version;
use crate::workload::WorkloadId;

/// What is desired at one revision.
#[derive(Debug, Clone)]
pub struct DesiredState {
    /// The revision; every write names it.
    pub commit: CommitId,
    /// The pins.
    pub pins: Pins,
    /// Each service's pins up to the revision; renamed services go on with the history of their earlier names.
    pub history: Arc<History>,
    /// Who needs whom, for all services of the pins, broken ones too.
    pub graph: Graph,
    /// The settings' lockstep groups.
    pub lockstep: Vec<Vec<ServiceId>>,
    /// For services that name no namespace, nor do the settings; empty where no cluster was asked.
    pub namespace: String,
}

impl DesiredState {
    /// Puts pins and history together. `namespace` is that of the context.
    pub fn new(commit: CommitId, pins: Pins, history: Arc<History>, namespace: String) -> Self {
        let graph = Graph::from_pins(&pins, &history);
        let ids = |group: &Vec<ServiceName>| group.iter().filter_map(|name| graph.id(name)).collect();
        let lockstep = pins.settings.lockstep.iter().map(ids).collect();
        Self { commit, pins, history, graph, lockstep, namespace }
    }

    /// The service of a number; none where its file cannot be used.
    pub fn service(&self, id: ServiceId) -> Option<&Service> {
        self.pins.services.get(self.graph.name(id))
    }

    /// Returns the pinned version of a service; the last that could be read where its file has errors.
    pub fn version(&self, id: ServiceId) -> Option<&Version> {
        let last = || self.history.last_pin(self.graph.name(id)).map(Arc::as_ref);
        self.service(id).map(|service| &service.pin).or_else(last).map(|pin| &pin.version)
    }

    /// What history knows of pairs.
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence::new(&self.history, self.pins.settings.soak)
    }

    /// The workloads of a service, in full.
    pub fn workloads(&self, service: &Service) -> Vec<WorkloadId> {
        let namespace = self.namespace_of(service);
        let id = |it: &WorkloadRef| WorkloadId { namespace: namespace.to_owned(), workload: it.clone() };
        service.workloads.iter().map(id).collect()
    }

    /// Where a service runs; empty where nobody says it and no cluster was asked.
    pub fn namespace_of<'a>(&'a self, service: &'a Service) -> &'a str {
        let settings = self.pins.settings.namespace.as_deref();
        service.namespace.as_deref().or(settings).unwrap_or(&self.namespace)
    }

    /// The workloads of all services.
    pub fn all_workloads(&self) -> BTreeSet<WorkloadId> {
        self.pins.services.values().flat_map(|service| self.workloads(service)).collect()
    }

    /// Returns the live states in which `pins` are all settled: a plan without a cluster, for the check of a pull request.
    pub fn live_settled_at(&self, pins: &Pins) -> Vec<LiveService> {
        self.graph.ids().map(|id| self.live_as_pinned(pins, id)).collect()
    }

    /// Returns what the pins alone want of a service.
    pub fn target(&self, id: ServiceId) -> ServiceTarget {
        let Some(service) = self.service(id) else {
            let why = self.pins.broken.get(self.graph.name(id)).cloned().unwrap_or_default();
            return ServiceTarget::Held(None, HoldReason::BrokenFile(why));
        };
        let target = Running::pinned(&service.pin);
        match withheld(service, self.graph.version_order(id)) {
            Some(why) => ServiceTarget::Held(Some(target), HoldReason::Withheld(why)),
            None => ServiceTarget::Run(target),
        }
    }

    fn live_as_pinned(&self, pins: &Pins, id: ServiceId) -> LiveService {
        let name = self.graph.name(id);
        let earlier = self.service(id).and_then(|service| service.formerly.as_ref());
        let service = pins.services.get(name).or_else(|| pins.services.get(earlier?));
        // A file that could not be read there: what it pinned last.
        let recorded = || pins.broken.get(name).and_then(|_| self.history.last_pin(name)).map(Arc::as_ref);
        let running = service.map(|service| &service.pin).or_else(recorded).map_or(Running::Absent, Running::pinned);
        let surge = u32::from(self.pins.settings.runtime == Runtime::Kubernetes || service.is_some_and(is_rolling));
        LiveService {
            running: vec![running.clone()],
            spec: vec![running],
            progress: RolloutProgress::Still,
            ready: true,
            replaced_pods: 1,
            surge_pods: surge,
            is_drift: false,
        }
    }
}

/// The new process of the local runtime starts beside the old one.
fn is_rolling(service: &Service) -> bool {
    matches!(service.pin.local.as_deref(), Some(LocalSpec::Process { rolling: true, .. }))
}

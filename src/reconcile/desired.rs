//! What is wanted at one revision: pins and their history, as the graph that `next` walks.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cluster::WorkloadId;
use crate::graph::{Graph, Id, Node};
use crate::pins::{Pins, Service, ServiceName};
use crate::source::{CommitId, History};

/// What is wanted at one revision.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The revision; every write names it.
    pub commit: CommitId,
    /// The pins.
    pub pins: Pins,
    /// Each service's pins up to the revision.
    pub history: History,
    /// Who needs whom, for all services of the pins, broken ones too.
    pub graph: Graph,
    /// The settings' lockstep groups.
    pub lockstep: Vec<Vec<Id>>,
    /// For services that name no namespace, nor the settings.
    pub namespace: String,
}

impl Desired {
    /// Puts pins and history together. `namespace` is that of the context.
    pub fn new(commit: CommitId, pins: Pins, history: History, namespace: String) -> Self {
        let history = history.renamed(&renames(&pins));
        let usable = pins.services.values().map(|service| node(service, &history));
        let broken = pins.broken.keys().map(|name| broken_node(name, &history));
        let graph = Graph::new(usable.chain(broken).collect());
        let ids = |group: &Vec<ServiceName>| group.iter().filter_map(|name| graph.id(name)).collect();
        let lockstep = pins.settings.lockstep.iter().map(ids).collect();
        Self { commit, pins, history, graph, lockstep, namespace }
    }

    /// The service of a number; none where its file cannot be used.
    pub fn service(&self, id: Id) -> Option<&Service> {
        self.pins.services.get(self.graph.name(id))
    }

    /// The workloads of a service, in full.
    pub fn workloads(&self, service: &Service) -> Vec<WorkloadId> {
        let settings = self.pins.settings.namespace.as_deref();
        let namespace = service.namespace.as_deref().or(settings).unwrap_or(&self.namespace);
        let id = |workload: &crate::pins::WorkloadRef| WorkloadId {
            namespace: namespace.to_owned(),
            workload: workload.clone(),
        };
        service.workloads.iter().map(id).collect()
    }

    /// The workloads of all services that are not deployed elsewhere.
    pub fn all_workloads(&self) -> Vec<WorkloadId> {
        self.pins.services.values().flat_map(|service| self.workloads(service)).collect()
    }
}

fn renames(pins: &Pins) -> BTreeMap<ServiceName, ServiceName> {
    let rename = |service: &Service| Some((service.formerly.clone()?, service.name.clone()));
    pins.services.values().filter_map(rename).collect()
}

fn node(service: &Service, history: &History) -> Node {
    let mut versions = known_versions(&service.name, history);
    // The pin itself counts even where the history does not reach it.
    versions.push((service.pin.version.clone(), Arc::clone(&service.pin.depends_on)));
    Node {
        name: service.name.clone(),
        order: history.order(&service.name, service.versioning),
        now: Arc::clone(&service.pin.depends_on),
        versions,
    }
}

/// A service whose file cannot be read still runs, and what it runs still needs what it needed.
fn broken_node(name: &ServiceName, history: &History) -> Node {
    Node {
        name: name.clone(),
        order: history.order(name, None),
        now: Arc::default(),
        versions: known_versions(name, history),
    }
}

fn known_versions(
    name: &ServiceName,
    history: &History,
) -> Vec<(crate::version::Version, Arc<crate::pins::DependsOn>)> {
    let pins = history.records(name).iter().filter_map(|record| record.pin.as_ref());
    pins.filter(|pin| {
        history
            .newest(name, &pin.version)
            .and_then(|newest| newest.pin.as_ref())
            .is_some_and(|newest| Arc::ptr_eq(newest, pin))
    })
    .filter(|pin| !pin.depends_on.is_empty())
    .map(|pin| (pin.version.clone(), Arc::clone(&pin.depends_on)))
    .collect()
}

//! What is wanted at one revision: pins and their history, as the graph that `next` walks.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cluster::WorkloadId;
use crate::evidence::Evidence;
use crate::graph::{Graph, Id};
use crate::pins::{Pins, Service, ServiceName, WorkloadRef};
use crate::source::{CommitId, History};

/// What is wanted at one revision.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The revision; every write names it.
    pub commit: CommitId,
    /// The pins.
    pub pins: Pins,
    /// Each service's pins up to the revision; renamed services go on with the history of their earlier names.
    pub history: Arc<History>,
    /// Who needs whom, for all services of the pins, broken ones too.
    pub graph: Graph,
    /// The settings' lockstep groups.
    pub lockstep: Vec<Vec<Id>>,
    /// For services that name no namespace, nor do the settings; empty where no cluster was asked.
    pub namespace: String,
    /// Commits of a history that was rewritten, as somebody has accepted: workloads that name one of them shall name the
    /// revision instead.
    pub let_go: BTreeSet<CommitId>,
    /// The services that somebody named: only they are written, and their drift at once, whatever policy and grace say;
    /// none where nobody named any.
    pub only: Option<BTreeSet<Id>>,
    /// Services whose schedule has come: their drift is corrected, as long as they stand here.
    pub due: BTreeSet<Id>,
}

impl Desired {
    /// Puts pins and history together. `namespace` is that of the context.
    pub fn new(commit: CommitId, pins: Pins, history: Arc<History>, namespace: String) -> Self {
        let graph = Graph::of(&pins, &history);
        let ids = |group: &Vec<ServiceName>| group.iter().filter_map(|name| graph.id(name)).collect();
        let lockstep = pins.settings.lockstep.iter().map(ids).collect();
        let (let_go, only, due) = (BTreeSet::new(), None, BTreeSet::new());
        Self { commit, pins, history, graph, lockstep, namespace, let_go, only, due }
    }

    /// The service of a number; none where its file cannot be used.
    pub fn service(&self, id: Id) -> Option<&Service> {
        self.pins.services.get(self.graph.name(id))
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
}

//! What a rollback is decided by.

use std::collections::BTreeMap;

use super::Unmet;
use crate::desired::DesiredState;
use crate::evidence::Evidence;
use crate::graph::{EdgeId, Graph, ServiceId};
use crate::history::History;
use crate::pins::{Pins, ServiceName};
use crate::plan::{LiveService, ServiceTarget};
use crate::running::Label;
use crate::version::Version;
use crate::workload::ProvenVersion;

/// All that a rollback is decided by. Slices have an entry for each service of the graph.
#[derive(Debug, Clone, Copy)]
pub struct RollbackInput<'a> {
    /// The pins at the tip.
    pub pins: &'a Pins,
    /// Each service's pins up to the tip.
    pub history: &'a History,
    /// Who needs whom, in all versions.
    pub graph: &'a Graph,
    /// Groups that may start together where no safe order exists.
    pub lockstep: &'a [Vec<ServiceId>],
    /// What is wanted of each service at the tip.
    pub wanted: &'a [ServiceTarget],
    /// What runs of each service; where that is not known, what is pinned.
    pub live: &'a [LiveService],
    /// What each service is proven to run; nothing where no cluster was asked.
    pub proven: &'a BTreeMap<ServiceName, Vec<ProvenVersion>>,
    /// What tells that pairs were seen together, where nothing else shall come together.
    pub evidence: Option<Evidence<'a>>,
}

impl<'a> RollbackInput<'a> {
    /// Puts together what is known at a revision. Nothing else need have been seen together.
    pub fn at(
        desired: &'a DesiredState,
        (wanted, live): (&'a [ServiceTarget], &'a [LiveService]),
        proven: &'a BTreeMap<ServiceName, Vec<ProvenVersion>>,
    ) -> Self {
        let DesiredState { pins, history, graph, lockstep, .. } = desired;
        Self { pins, history, graph, lockstep, wanted, live, proven, evidence: None }
    }

    /// What each service is pinned at; where its file has errors, what it was pinned at last.
    pub(super) fn pinned(&self) -> Vec<Label<'a>> {
        // Both are in the order of names.
        let mut services = self.pins.services.values().peekable();
        let label = |id: ServiceId| match services.next_if(|service| service.name == *self.graph.name(id)) {
            Some(service) => Label::Version(&service.pin.version),
            None => self.pinned_last(self.graph.name(id)),
        };
        self.graph.ids().map(label).collect()
    }

    fn pinned_last(&self, name: &ServiceName) -> Label<'a> {
        self.history.last_pin(name).map_or(Label::Unknown, |pin| Label::Version(&pin.version))
    }

    pub(super) fn proof(&self, service: &ServiceName, version: &Version) -> Option<&'a ProvenVersion> {
        self.proven.get(service)?.iter().find(|proven| proven.version == *version)
    }

    /// Whether these versions of the ends of an edge may come together.
    pub(super) fn fits(&self, edge: EdgeId, x: Label<'_>, y: Label<'_>) -> bool {
        self.graph.is_compatible(edge, x, y)
            && self.evidence.is_none_or(|it| it.unseen_pair(self.graph, edge, x, y).is_none())
    }

    /// The need on an edge, where these versions do not meet it, or must have been seen together and were not.
    pub(super) fn unmet(&self, edge: EdgeId, x: Label<'_>, y: Label<'_>) -> Option<Unmet> {
        let Label::Version(version) = x else { return None };
        let range = match self.graph.unmet_range(edge, x, y) {
            Some(range) => Some(range.clone()),
            None => self.evidence?.unseen_pair(self.graph, edge, x, y).map(|_| None)?,
        };
        let ends = self.graph.edge(edge);
        let found = if let Label::Version(found) = y { Some(found.clone()) } else { None };
        let [consumer, provider] = [ends.consumer, ends.provider].map(|id| self.graph.name(id).clone());
        Some(Unmet { consumer, version: version.clone(), provider, range, found })
    }
}

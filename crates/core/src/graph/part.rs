//! Subgraphs, so that the cost of a question about some services depends on these alone.

use std::collections::BTreeSet;

use super::{Edge, EdgeId, Graph, ServiceId};

/// A subgraph: some services, and the edges between them. Its indices are in the same order as in the whole graph.
#[derive(Debug, Clone)]
pub struct Subgraph {
    /// The subgraph, with indices of its own.
    pub graph: Graph,
    /// For each service, its index in the whole graph.
    ids: Vec<ServiceId>,
    /// For each edge, its index in the whole graph.
    edges: Vec<EdgeId>,
}

impl Graph {
    /// Returns the subgraph of these services.
    pub fn subgraph(&self, services: &BTreeSet<ServiceId>) -> Subgraph {
        let ids: Vec<ServiceId> = services.iter().copied().collect();
        let number = |id: ServiceId| number(&ids, id);
        let between = ids.iter().flat_map(|&id| self.needs(id)).filter_map(|&edge| {
            let Edge { consumer, provider, rule } = self.edge(edge);
            Some((edge, Edge { consumer: number(*consumer)?, provider: number(*provider)?, rule: rule.clone() }))
        });
        let (numbers, edges) = between.unzip();
        let names = ids.iter().map(|&id| self.name(id).clone()).collect();
        let orders = ids.iter().map(|&id| self.version_order(id).clone()).collect();
        Subgraph { graph: Self::from_parts(names, orders, edges), ids, edges: numbers }
    }
}

impl Subgraph {
    /// Returns the services by their indices in the whole graph, sorted.
    pub fn ids(&self) -> &[ServiceId] {
        &self.ids
    }

    /// Converts the index of a service to the one in the whole graph.
    pub fn whole_id(&self, id: ServiceId) -> ServiceId {
        self.ids[id.index()]
    }

    /// Converts the index of an edge to the one in the whole graph.
    pub fn edge(&self, edge: EdgeId) -> EdgeId {
        self.edges[edge.0 as usize]
    }

    /// Converts an index of the whole graph to the one in the subgraph; `None` if the service is not in it.
    pub fn local_id(&self, id: ServiceId) -> Option<ServiceId> {
        number(&self.ids, id)
    }
}

fn number(ids: &[ServiceId], id: ServiceId) -> Option<ServiceId> {
    let at = ids.binary_search(&id).ok()?;
    u32::try_from(at).ok().map(ServiceId)
}

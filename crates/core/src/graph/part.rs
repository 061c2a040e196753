//! Some services of a graph as a graph of their own: what is asked of a neighbourhood costs the neighbourhood.

use std::collections::BTreeSet;

use super::{Edge, EdgeId, Graph, Id};

/// Some services of a graph, and the edges between them. Their numbers are in the same order as in the whole.
#[derive(Debug, Clone)]
pub struct Part {
    /// They alone, with numbers of their own.
    pub graph: Graph,
    /// Of each service, its number in the whole.
    ids: Vec<Id>,
    /// Of each edge, its number in the whole.
    edges: Vec<EdgeId>,
}

impl Graph {
    /// These services, and the edges between them.
    pub fn part(&self, services: &BTreeSet<Id>) -> Part {
        let ids: Vec<Id> = services.iter().copied().collect();
        let number = |id: Id| number(&ids, id);
        let between = ids.iter().flat_map(|&id| self.needs(id)).filter_map(|&edge| {
            let Edge { consumer, provider, rule } = self.edge(edge);
            Some((edge, Edge { consumer: number(*consumer)?, provider: number(*provider)?, rule: rule.clone() }))
        });
        let (numbers, edges) = between.unzip();
        let names = ids.iter().map(|&id| self.name(id).clone()).collect();
        let orders = ids.iter().map(|&id| self.order(id).clone()).collect();
        Part { graph: Self::of_parts(names, orders, edges), ids, edges: numbers }
    }
}

impl Part {
    /// The services, by their numbers in the whole, in order.
    pub fn ids(&self) -> &[Id] {
        &self.ids
    }

    /// The number in the whole of a service of the part.
    pub fn id(&self, id: Id) -> Id {
        self.ids[id.index()]
    }

    /// The number in the whole of an edge of the part.
    pub fn edge(&self, edge: EdgeId) -> EdgeId {
        self.edges[edge.0 as usize]
    }

    /// The number in the part of a service of the whole; none where it is not in it.
    pub fn number(&self, id: Id) -> Option<Id> {
        number(&self.ids, id)
    }
}

fn number(ids: &[Id], id: Id) -> Option<Id> {
    let at = ids.binary_search(&id).ok()?;
    u32::try_from(at).ok().map(Id)
}

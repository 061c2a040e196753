//! The graph of services and their needs, built from pins and history.
//!
//! There is an edge if *any* version of the consumer needs the provider, because versions that still run count as much
//! as wanted ones.

mod links;
mod of;
mod part;
mod rule;
mod waves;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use links::{Link, Links};
pub use of::version_order;
pub use part::Subgraph;
use rule::{EdgeRule, is_at_least};

use crate::pins::{DependsOn, Need, ServiceName};
use crate::running::Label;
use crate::version::{Version, VersionOrder, VersionRange};

/// The index of a service in a [`Graph`]. Indices sort as names do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceId(u32);

/// The index of an edge in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeId(u32);

/// The input of a [`Graph`] for one service: all that is known of its versions.
#[derive(Debug, Clone)]
pub struct ServiceNode {
    pub name: ServiceName,
    pub order: VersionOrder,
    /// The needs in the current pins. Tables among them apply to all versions.
    pub current_needs: Arc<DependsOn>,
    /// The needs of each version, as of the newest revision that pins it.
    pub versions: Vec<(Version, Arc<DependsOn>)>,
}

/// Services and the needs of their versions.
#[derive(Debug, Clone)]
pub struct Graph {
    names: Vec<ServiceName>,
    orders: Vec<VersionOrder>,
    edges: Vec<Edge>,
    /// For each service, the edges in which it is the consumer.
    provider_edges: Vec<Vec<EdgeId>>,
    /// For each service, the edges in which it is the provider.
    consumer_edges: Vec<Vec<EdgeId>>,
}

/// A need of one service for another, in some version.
#[derive(Debug, Clone)]
pub struct Edge {
    pub consumer: ServiceId,
    pub provider: ServiceId,
    rule: Arc<EdgeRule>,
}

impl ServiceId {
    /// Returns the index into a vector with one entry for each service.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Graph {
    /// Builds the graph. Needs for services that are not among the nodes are left out; the `pins` module reports them.
    pub fn new(mut nodes: Vec<ServiceNode>) -> Self {
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let numbers: HashMap<&ServiceName, ServiceId> =
            nodes.iter().zip(0..).map(|(node, n)| (&node.name, ServiceId(n))).collect();
        let edges: Vec<Edge> =
            nodes.iter().zip(0..).flat_map(|(node, n)| edges_of(node, ServiceId(n), &numbers)).collect();
        let (names, orders) = nodes.into_iter().map(|node| (node.name, node.order)).unzip();
        Self::from_parts(names, orders, edges)
    }

    /// Builds the graph from sorted names, orders parallel to them, and edges sorted by consumer.
    fn from_parts(names: Vec<ServiceName>, orders: Vec<VersionOrder>, edges: Vec<Edge>) -> Self {
        let mut provider_edges = vec![Vec::new(); names.len()];
        let mut consumer_edges = vec![Vec::new(); names.len()];
        for (edge, n) in edges.iter().zip(0..) {
            provider_edges[edge.consumer.index()].push(EdgeId(n));
            consumer_edges[edge.provider.index()].push(EdgeId(n));
        }
        Self { names, orders, edges, provider_edges, consumer_edges }
    }

    /// Returns the number of services.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns all services, sorted by name.
    pub fn ids(&self) -> impl Iterator<Item = ServiceId> + use<> {
        (0..u32::try_from(self.names.len()).unwrap_or(u32::MAX)).map(ServiceId)
    }

    pub fn id(&self, name: &ServiceName) -> Option<ServiceId> {
        let at = self.names.binary_search(name).ok()?;
        u32::try_from(at).ok().map(ServiceId)
    }

    pub fn name(&self, id: ServiceId) -> &ServiceName {
        &self.names[id.index()]
    }

    pub fn version_order(&self, id: ServiceId) -> &VersionOrder {
        &self.orders[id.index()]
    }

    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.edges[id.0 as usize]
    }

    pub fn edges(&self) -> impl Iterator<Item = EdgeId> + use<> {
        (0..u32::try_from(self.edges.len()).unwrap_or(u32::MAX)).map(EdgeId)
    }

    /// Returns the edges to the providers of a service.
    pub fn needs(&self, id: ServiceId) -> &[EdgeId] {
        &self.provider_edges[id.index()]
    }

    /// Returns the edges to the consumers of a service.
    pub fn needed(&self, id: ServiceId) -> &[EdgeId] {
        &self.consumer_edges[id.index()]
    }

    /// Returns all edges of a service, each with the service at the other end.
    pub fn neighbours(&self, id: ServiceId) -> impl Iterator<Item = (EdgeId, ServiceId)> + '_ {
        let providers = self.needs(id).iter().map(|&edge| (edge, self.edge(edge).provider));
        let consumers = self.needed(id).iter().map(|&edge| (edge, self.edge(edge).consumer));
        providers.chain(consumers)
    }

    /// Returns the range that version `x` of the consumer needs; `None` if it does not need the provider.
    pub fn required_range(&self, edge: EdgeId, x: &Version) -> Option<&VersionRange> {
        let edge = self.edge(edge);
        edge.rule.required_range(x, self.version_order(edge.consumer))
    }

    /// Returns whether `x` of the consumer is compatible with `y` of the provider.
    ///
    /// A consumer version that was never pinned needs nothing. A provider version that was never pinned satisfies only
    /// [`VersionRange::any`].
    pub fn is_compatible(&self, edge: EdgeId, x: Label<'_>, y: Label<'_>) -> bool {
        self.unmet_range(edge, x, y).is_none()
    }

    /// Returns the range that `x` of the consumer needs, if `y` of the provider does not satisfy it.
    pub fn unmet_range(&self, edge: EdgeId, x: Label<'_>, y: Label<'_>) -> Option<&VersionRange> {
        let Label::Version(x) = x else { return None };
        let range = self.required_range(edge, x)?;
        let is_met = match y {
            Label::Absent => false,
            Label::Unknown => range.is_any(),
            Label::Version(y) => range.contains(y, self.version_order(self.edge(edge).provider)),
        };
        (!is_met).then_some(range)
    }
}

impl Edge {
    pub fn other_end(&self, id: ServiceId) -> ServiceId {
        if self.consumer == id { self.provider } else { self.consumer }
    }
}

fn edges_of(node: &ServiceNode, consumer: ServiceId, numbers: &HashMap<&ServiceName, ServiceId>) -> Vec<Edge> {
    let mut rules: BTreeMap<ServiceId, EdgeRule> = BTreeMap::new();
    for (provider, need) in node.current_needs.iter() {
        if let (Some(&provider), Need::Table(rows)) = (numbers.get(provider), need) {
            let mut rows = rows.clone();
            rows.sort_by(|(a, _), (b, _)| node.order.compare(a, b).unwrap_or(Ordering::Equal));
            rules.insert(provider, EdgeRule::Table(rows));
        }
    }
    let mut by_version: BTreeMap<ServiceId, BTreeMap<Version, VersionRange>> = BTreeMap::new();
    for (version, depends_on) in &node.versions {
        for (provider, need) in depends_on.iter() {
            let Some(provider) = numbers.get(provider).filter(|provider| !rules.contains_key(provider)) else {
                continue;
            };
            let range = match need {
                Need::Range(range) => Some(range),
                Need::Table(rows) => row_of(&node.order, rows, version),
            };
            let rows = by_version.entry(*provider).or_default();
            rows.extend(range.map(|range| (version.clone(), range.clone())));
        }
    }
    rules.extend(by_version.into_iter().map(|(provider, rows)| (provider, EdgeRule::Versions(rows.into()))));
    rules.into_iter().map(|(provider, rule)| Edge { consumer, provider, rule: Arc::new(rule) }).collect()
}

/// Returns the row of the newest version not newer than `x`. The rows need not be sorted.
fn row_of<'a>(order: &VersionOrder, rows: &'a [(Version, VersionRange)], x: &Version) -> Option<&'a VersionRange> {
    rows.iter()
        .filter(|(from, _)| is_at_least(order, x, from))
        .max_by(|(a, _), (b, _)| order.compare(a, b).unwrap_or(Ordering::Equal))
        .map(|(_, range)| range)
}

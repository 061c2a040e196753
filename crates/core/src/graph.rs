//! Who needs whom: pins and their history to a graph of services, with a number for each.
//!
//! An edge stands wherever *some* version of the consumer needs the provider, because versions that are still running
//! count as much as those that are wanted.

mod links;
mod of;
mod part;
mod rule;
mod waves;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use links::{Link, Links};
pub use of::order_of;
pub use part::Part;
use rule::{Rule, reaches};

use crate::pins::{DependsOn, Need, ServiceName};
use crate::running::Label;
use crate::version::{Order, Range, Version};

/// The number of a service in a [`Graph`]: names sort as numbers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

/// The number of an edge in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeId(u32);

/// What a [`Graph`] is made of: one service and all that is known of its versions.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: ServiceName,
    /// The order of its versions.
    pub order: Order,
    /// What the pins say now. Its tables speak for all versions.
    pub now: Arc<DependsOn>,
    /// What each version needs, as the file said at the newest revision that pins it.
    pub versions: Vec<(Version, Arc<DependsOn>)>,
}

/// Services and what their versions need of each other.
#[derive(Debug, Clone)]
pub struct Graph {
    names: Vec<ServiceName>,
    orders: Vec<Order>,
    edges: Vec<Edge>,
    /// Of each service, the edges in which it is the consumer.
    needs: Vec<Vec<EdgeId>>,
    /// Of each service, the edges in which it is the provider.
    needed: Vec<Vec<EdgeId>>,
}

/// One service needs another, in some version.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Who needs.
    pub consumer: Id,
    /// Who is needed.
    pub provider: Id,
    rule: Arc<Rule>,
}

impl Id {
    /// As an index into a vector with an entry for each service.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Graph {
    /// Puts the nodes together. Needs of services that are not among the nodes are left out: `pins` reports them.
    pub fn new(mut nodes: Vec<Node>) -> Self {
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let numbers: HashMap<&ServiceName, Id> = nodes.iter().zip(0..).map(|(node, n)| (&node.name, Id(n))).collect();
        let edges: Vec<Edge> = nodes.iter().zip(0..).flat_map(|(node, n)| edges_of(node, Id(n), &numbers)).collect();
        let (names, orders) = nodes.into_iter().map(|node| (node.name, node.order)).unzip();
        Self::of_parts(names, orders, edges)
    }

    /// Names are sorted, orders beside them, and the edges sorted by their consumers.
    fn of_parts(names: Vec<ServiceName>, orders: Vec<Order>, edges: Vec<Edge>) -> Self {
        let mut needs = vec![Vec::new(); names.len()];
        let mut needed = vec![Vec::new(); names.len()];
        for (edge, n) in edges.iter().zip(0..) {
            needs[edge.consumer.index()].push(EdgeId(n));
            needed[edge.provider.index()].push(EdgeId(n));
        }
        Self { names, orders, edges, needs, needed }
    }

    /// How many services there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All services, in the order of their names.
    pub fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..u32::try_from(self.names.len()).unwrap_or(u32::MAX)).map(Id)
    }

    /// The number of a service.
    pub fn id(&self, name: &ServiceName) -> Option<Id> {
        let at = self.names.binary_search(name).ok()?;
        u32::try_from(at).ok().map(Id)
    }

    /// The name of a service.
    pub fn name(&self, id: Id) -> &ServiceName {
        &self.names[id.index()]
    }

    /// The order of its versions.
    pub fn order(&self, id: Id) -> &Order {
        &self.orders[id.index()]
    }

    /// An edge.
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.edges[id.0 as usize]
    }

    /// All edges.
    pub fn edges(&self) -> impl Iterator<Item = EdgeId> + use<> {
        (0..u32::try_from(self.edges.len()).unwrap_or(u32::MAX)).map(EdgeId)
    }

    /// The edges to the providers of a service.
    pub fn needs(&self, id: Id) -> &[EdgeId] {
        &self.needs[id.index()]
    }

    /// The edges to the consumers of a service.
    pub fn needed(&self, id: Id) -> &[EdgeId] {
        &self.needed[id.index()]
    }

    /// All edges of a service, each with the service at its other end.
    pub fn around(&self, id: Id) -> impl Iterator<Item = (EdgeId, Id)> + '_ {
        let providers = self.needs(id).iter().map(|&edge| (edge, self.edge(edge).provider));
        let consumers = self.needed(id).iter().map(|&edge| (edge, self.edge(edge).consumer));
        providers.chain(consumers)
    }

    /// What version `x` of the consumer needs of the provider; none where it does not need it.
    pub fn need(&self, edge: EdgeId, x: &Version) -> Option<&Range> {
        let edge = self.edge(edge);
        edge.rule.need(x, self.order(edge.consumer))
    }

    /// Whether `y` of the provider lies in the range that `x` of the consumer needs. A version never pinned needs
    /// nothing, and is accepted by [`Range::any`] alone.
    pub fn ok(&self, edge: EdgeId, x: Label<'_>, y: Label<'_>) -> bool {
        self.unmet(edge, x, y).is_none()
    }

    /// What `x` of the consumer needs, where `y` of the provider does not lie in it.
    pub fn unmet(&self, edge: EdgeId, x: Label<'_>, y: Label<'_>) -> Option<&Range> {
        let Label::Version(x) = x else { return None };
        let range = self.need(edge, x)?;
        let is_met = match y {
            Label::Absent => false,
            Label::Unknown => range.is_any(),
            Label::Version(y) => range.contains(y, self.order(self.edge(edge).provider)),
        };
        (!is_met).then_some(range)
    }
}

impl Edge {
    /// The service at the other end.
    pub fn opposite(&self, id: Id) -> Id {
        if self.consumer == id { self.provider } else { self.consumer }
    }
}

fn edges_of(node: &Node, consumer: Id, numbers: &HashMap<&ServiceName, Id>) -> Vec<Edge> {
    let mut rules: BTreeMap<Id, Rule> = BTreeMap::new();
    for (provider, need) in node.now.iter() {
        if let (Some(&provider), Need::Table(rows)) = (numbers.get(provider), need) {
            let mut rows = rows.clone();
            rows.sort_by(|(a, _), (b, _)| node.order.compare(a, b).unwrap_or(Ordering::Equal));
            rules.insert(provider, Rule::Table(rows));
        }
    }
    let mut by_version: BTreeMap<Id, BTreeMap<Version, Range>> = BTreeMap::new();
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
    rules.extend(by_version.into_iter().map(|(provider, rows)| (provider, Rule::Versions(rows.into()))));
    rules.into_iter().map(|(provider, rule)| Edge { consumer, provider, rule: Arc::new(rule) }).collect()
}

/// The row of the newest version that `x` reaches, whatever the order of the rows.
fn row_of<'a>(order: &Order, rows: &'a [(Version, Range)], x: &Version) -> Option<&'a Range> {
    rows.iter()
        .filter(|(from, _)| reaches(order, x, from))
        .max_by(|(a, _), (b, _)| order.compare(a, b).unwrap_or(Ordering::Equal))
        .map(|(_, range)| range)
}

//! The services and needs of one revision, as input of all drawings.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{EdgeId, Graph, Label};
use crate::history::History;
use crate::pins::{Pins, ServiceName};
use crate::version::{Version, VersionRange};

/// The services and needs to draw; also the form of `--output json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Links {
    /// The services with their pinned versions; `None` if a file has errors.
    pub services: BTreeMap<ServiceName, Option<Version>>,
    /// Sorted by consumer, then provider.
    pub needs: Vec<Link>,
}

/// A need of the pinned version of one service for another.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    pub consumer: ServiceName,
    pub provider: ServiceName,
    #[serde(serialize_with = "text")]
    pub range: VersionRange,
    /// Whether the pinned version of the provider is in the range; `None` if that version is unknown.
    pub fits: Option<bool>,
}

fn text<S: serde::Serializer>(range: &VersionRange, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(range.as_str())
}

impl Links {
    /// Collects the needs of the pinned versions.
    pub fn of(pins: &Pins, history: &History) -> Self {
        let graph = Graph::from_pins(pins, history);
        let version = |name: &ServiceName| pins.services.get(name).map(|service| &service.pin.version);
        let link = |edge: EdgeId| {
            let ends = graph.edge(edge);
            let [consumer, provider] = [ends.consumer, ends.provider].map(|end| graph.name(end));
            let x = version(consumer)?;
            let fits = version(provider).map(|y| graph.is_compatible(edge, Label::Version(x), Label::Version(y)));
            let range = graph.required_range(edge, x)?.clone();
            Some(Link { consumer: consumer.clone(), provider: provider.clone(), range, fits })
        };
        let names = graph.ids().map(|id| graph.name(id));
        let mut needs: Vec<Link> = graph.edges().filter_map(link).collect();
        needs.sort_by(|a, b| (&a.consumer, &a.provider).cmp(&(&b.consumer, &b.provider)));
        Self { services: names.map(|name| (name.clone(), version(name).cloned())).collect(), needs }
    }

    pub fn names(&self) -> impl Iterator<Item = &ServiceName> {
        self.services.keys()
    }

    /// Keeps only a service, its direct and indirect providers, and its direct and indirect consumers.
    #[must_use]
    pub fn around(mut self, service: &ServiceName) -> Self {
        let mut near: BTreeSet<ServiceName> = self.reach(service, |link| (&link.consumer, &link.provider));
        near.extend(self.reach(service, |link| (&link.provider, &link.consumer)));
        self.services.retain(|name, _| near.contains(name));
        self.needs.retain(|link| near.contains(&link.consumer) && near.contains(&link.provider));
        self
    }

    /// Groups the needs by consumer; by provider if `upwards` is set.
    pub fn by_service(&self, upwards: bool) -> BTreeMap<&ServiceName, Vec<&Link>> {
        let mut by_service: BTreeMap<&ServiceName, Vec<&Link>> = BTreeMap::new();
        for link in &self.needs {
            by_service.entry(if upwards { &link.provider } else { &link.consumer }).or_default().push(link);
        }
        by_service
    }

    fn reach<'a>(
        &'a self,
        from: &ServiceName,
        ends: impl Fn(&'a Link) -> (&'a ServiceName, &'a ServiceName),
    ) -> BTreeSet<ServiceName> {
        let mut next: BTreeMap<&ServiceName, Vec<&ServiceName>> = BTreeMap::new();
        for (one, other) in self.needs.iter().map(ends) {
            next.entry(one).or_default().push(other);
        }
        let mut reached = BTreeSet::from([from.clone()]);
        let mut pending = vec![from];
        while let Some(service) = pending.pop() {
            for &other in next.get(service).into_iter().flatten() {
                if reached.insert(other.clone()) {
                    pending.push(other);
                }
            }
        }
        reached
    }
}

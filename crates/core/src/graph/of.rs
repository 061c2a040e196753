//! Builds the graph of a revision from its services and their history.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Graph, ServiceNode};
use crate::history::History;
use crate::pins::{DependsOn, Pin, Pins, Service, ServiceName};
use crate::version::{Version, VersionOrder};

impl Graph {
    /// Builds the graph of these pins. A pinned version has the needs in the pins, any other version those in its
    /// newest record.
    ///
    /// A service whose file has errors keeps its last known needs, as it may still run.
    pub fn from_pins(pins: &Pins, history: &History) -> Self {
        let usable = pins.services.values().map(|service| (&service.name, Some(service)));
        let broken = pins.broken.keys().map(|name| (name, None));
        Self::new(usable.chain(broken).map(|(name, service)| node(name, service, history)).collect())
    }
}

/// Returns the version order of a service: its history, then the present pin.
pub fn version_order(service: &Service, history: &History) -> VersionOrder {
    let mut order = history.version_order(&service.name, service.versioning);
    order.append(service.pin.version.clone());
    order
}

fn node(name: &ServiceName, service: Option<&Service>, history: &History) -> ServiceNode {
    let pinned = history.records(name).iter().filter_map(|record| record.pin.as_deref());
    let last = pinned.clone().next_back().map(|pin| &pin.depends_on);
    let now = service.map(|service| &service.pin.depends_on).or(last).cloned().unwrap_or_default();
    let current = service.map(|service| &service.pin);
    let mut versions: HashMap<&Version, &Arc<DependsOn>> = HashMap::new();
    versions.extend(pinned.chain(current).map(|Pin { version, depends_on, .. }| (version, depends_on)));
    // A version without needs restricts nothing.
    versions.retain(|_, needs| !needs.is_empty());
    let versions = versions.into_iter().map(|(version, needs)| (version.clone(), Arc::clone(needs))).collect();
    let order = service.map_or_else(|| history.version_order(name, None), |service| version_order(service, history));
    ServiceNode { name: name.clone(), order, current_needs: now, versions }
}

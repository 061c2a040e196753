//! The order in which services are stopped.

use std::collections::BTreeSet;

use super::{Graph, ServiceId};

impl Graph {
    /// Groups the services into waves, each consumer in an earlier wave than its providers. All services in dependency
    /// cycles, and all their providers, share the last wave.
    pub fn consumers_first(&self) -> Vec<Vec<ServiceId>> {
        let mut left: BTreeSet<ServiceId> = self.ids().collect();
        let mut waves = Vec::new();
        while !left.is_empty() {
            let is_needed =
                |&id: &ServiceId| self.needed(id).iter().any(|&edge| left.contains(&self.edge(edge).consumer));
            let (needed, mut wave): (BTreeSet<ServiceId>, BTreeSet<ServiceId>) =
                left.iter().copied().partition(is_needed);
            left = needed;
            if wave.is_empty() {
                wave = std::mem::take(&mut left);
            }
            waves.push(wave.into_iter().collect());
        }
        waves
    }
}

//! A list of pods, indexed by owner, so that finding one workload's pods does not scan all. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::workload::Pod;

use crate::cluster::ClusterError;
use crate::cluster::kube::feed::{CacheChange, ResourceCache, WatchUpdate};
use crate::cluster::kube::read::{PodOwner, WatchedPod, WatchedWorkload};

/// A list of pods, indexed by owner.
#[derive(Debug)]
pub(super) struct PodCache {
    cache: ResourceCache<WatchedPod>,
    /// The pod names by owner. A name may be stale: the pod can have another owner by now.
    names_by_owner: BTreeMap<PodOwner, BTreeSet<String>>,
}

impl PodCache {
    /// Creates an empty list.
    pub(super) fn new(number: u64) -> Self {
        Self { cache: ResourceCache::new(number), names_by_owner: BTreeMap::new() }
    }

    /// Returns the number of the watch.
    pub(super) fn watch_id(&self) -> u64 {
        self.cache.watch_id
    }

    /// Returns whether the list is complete.
    pub(super) fn is_listed(&self) -> bool {
        self.cache.items().is_some()
    }

    /// Returns why the list is unreliable.
    pub(super) fn failure_after(&self, now: Timestamp, grace: Duration) -> Option<(Timestamp, &ClusterError)> {
        self.cache.trouble(now, grace)
    }

    /// Returns the pods of a workload; none if they are not listed.
    pub(super) fn of(&self, seen: &WatchedWorkload) -> Option<Vec<Arc<Pod>>> {
        let items = self.cache.items()?;
        let names = seen.owners().into_iter().filter_map(|owner| self.names_by_owner.get(&owner)).flatten();
        let pods = names.filter_map(|name| items.get(name)).filter(|pod| pod.belongs_to(seen));
        Some(pods.map(|pod| Arc::clone(&pod.pod)).collect())
    }

    /// Applies an event of the watch.
    pub(super) fn apply_update(&mut self, news: WatchUpdate<WatchedPod>, now: Timestamp) -> CacheChange {
        let owner = news.object().and_then(|pod| pod.owner.clone());
        let difference = self.cache.apply_update(news, now);
        match (&difference, owner) {
            (CacheChange::All, _) => self.index(),
            (CacheChange::Object(name), Some(owner)) => self.note(name, owner),
            _ => {}
        }
        difference
    }

    fn note(&mut self, name: &str, owner: PodOwner) {
        if self.cache.item(name).is_some() {
            self.names_by_owner.entry(owner).or_default().insert(name.to_owned());
        } else if let Some(names) = self.names_by_owner.get_mut(&owner) {
            names.remove(name);
            if names.is_empty() {
                self.names_by_owner.remove(&owner);
            }
        }
    }

    fn index(&mut self) {
        self.names_by_owner.clear();
        for (name, pod) in self.cache.items().into_iter().flatten() {
            if let Some(owner) = pod.owner.clone() {
                self.names_by_owner.entry(owner).or_default().insert(name.clone());
            }
        }
    }
}

//! A list of pods, indexed by owner, so that finding one workload's pods does not scan all. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::workload::Pod;

use crate::cluster::ClusterError;
use crate::cluster::kube::feed::{Difference, Feed, News};
use crate::cluster::kube::read::{Owner, SeenPod, SeenWorkload};

/// A list of pods, indexed by owner.
#[derive(Debug)]
pub(super) struct PodFeed {
    feed: Feed<SeenPod>,
    /// The pod names by owner. A name may be stale: the pod can have another owner by now.
    of: BTreeMap<Owner, BTreeSet<String>>,
}

impl PodFeed {
    /// Creates an empty list.
    pub(super) fn new(number: u64) -> Self {
        Self { feed: Feed::new(number), of: BTreeMap::new() }
    }

    /// Returns the number of the watch.
    pub(super) fn number(&self) -> u64 {
        self.feed.number
    }

    /// Returns whether the list is complete.
    pub(super) fn is_listed(&self) -> bool {
        self.feed.items().is_some()
    }

    /// Returns why the list is unreliable.
    pub(super) fn trouble(&self, now: Timestamp, grace: Duration) -> Option<(Timestamp, &ClusterError)> {
        self.feed.trouble(now, grace)
    }

    /// Returns the pods of a workload; none if they are not listed.
    pub(super) fn of(&self, seen: &SeenWorkload) -> Option<Vec<Arc<Pod>>> {
        let items = self.feed.items()?;
        let names = seen.owners().into_iter().filter_map(|owner| self.of.get(&owner)).flatten();
        let pods = names.filter_map(|name| items.get(name)).filter(|pod| pod.belongs_to(seen));
        Some(pods.map(|pod| Arc::clone(&pod.pod)).collect())
    }

    /// Applies an event of the watch.
    pub(super) fn take(&mut self, news: News<SeenPod>, now: Timestamp) -> Difference {
        let owner = news.object().and_then(|pod| pod.owner.clone());
        let difference = self.feed.take(news, now);
        match (&difference, owner) {
            (Difference::All, _) => self.index(),
            (Difference::One(name), Some(owner)) => self.note(name, owner),
            _ => {}
        }
        difference
    }

    fn note(&mut self, name: &str, owner: Owner) {
        if self.feed.item(name).is_some() {
            self.of.entry(owner).or_default().insert(name.to_owned());
        } else if let Some(names) = self.of.get_mut(&owner) {
            names.remove(name);
            if names.is_empty() {
                self.of.remove(&owner);
            }
        }
    }

    fn index(&mut self) {
        self.of.clear();
        for (name, pod) in self.feed.items().into_iter().flatten() {
            if let Some(owner) = pod.owner.clone() {
                self.of.entry(owner).or_default().insert(name.clone());
            }
        }
    }
}

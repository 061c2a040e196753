//! The pods of unsettled workloads: the watches they need, and their observation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::workload::{Left, Pod, Workload, WorkloadId};

use super::owned::PodCache;
use super::{ObjectStore, WatchSubject, with_since};
use crate::cluster::Observation;
use crate::cluster::kube::read::Busy;

/// The maximum number of pod watches in a namespace. More unsettled workloads share one watch of all its pods.
const MAX_POD_WATCHES_PER_NAMESPACE: usize = 8;

impl ObjectStore {
    /// Returns the pod watches needed: one per unsettled workload, or one per namespace above [`MOST_POD_WATCHES`].
    ///
    /// Existing watches stay open until the namespace watch has its first list, so no known pod is forgotten.
    pub(in crate::cluster::kube) fn pod_subjects(&self) -> BTreeSet<WatchSubject> {
        let mut by_namespace: BTreeMap<&str, Vec<&WorkloadId>> = BTreeMap::new();
        for id in &self.unsettled {
            by_namespace.entry(&id.namespace).or_default().push(id);
        }
        let mut subjects = BTreeSet::new();
        for (namespace, ids) in by_namespace {
            let all = WatchSubject::Pods { namespace: namespace.to_owned(), workload: None };
            let shared = self.pods.get(&all);
            let is_listed = shared.is_some_and(PodCache::is_listed);
            let own = || ids.iter().filter_map(|id| self.own_subject(id));
            if ids.len() <= MAX_POD_WATCHES_PER_NAMESPACE && shared.is_none() {
                subjects.extend(own());
                continue;
            }
            if !is_listed {
                subjects.extend(own().filter(|subject| self.pods.contains_key(subject)));
            }
            subjects.insert(all);
        }
        subjects
    }

    /// Returns the checks of left templates that are needed.
    pub(in crate::cluster::kube) fn left_subjects(&self) -> BTreeSet<WatchSubject> {
        let subject = |id: &WorkloadId| {
            let resource_version = self.asks_for_left(id)?.resource_version.clone();
            let selector = self.seen(id)?.selector.as_ref()?.to_string();
            Some(WatchSubject::Left { id: id.clone(), selector, resource_version })
        };
        self.left.ids().filter_map(subject).collect()
    }

    /// Returns the workload if its left templates must be checked. Known templates are checked once the controller has seen
    /// the last change, because before that it may still turn to them. Unknown ones are checked at once.
    pub(in crate::cluster::kube) fn asks_for_left(&self, id: &WorkloadId) -> Option<Arc<Workload>> {
        let workload = self.workload(id)?;
        let asks = match self.left_of(id) {
            Left::Nothing => false,
            Left::Templates(_) => workload.status.observed_generation >= Some(workload.generation),
            Left::Unknown => true,
        };
        asks.then(|| Arc::clone(workload))
    }

    /// Returns the templates that a workload has left: none without a selector, because its pods cannot be found.
    pub(super) fn left_of(&self, id: &WorkloadId) -> Left {
        let seen = self.seen(id).filter(|seen| seen.selector.is_some());
        seen.map_or(Left::Nothing, |seen| self.left.of(id, &seen.workload))
    }

    /// Records the templates whose pods exist or may come. Returns whether the visible state changed.
    pub(in crate::cluster::kube) fn take_left(
        &mut self,
        id: &WorkloadId,
        generation: i64,
        busy: &Busy,
        now: Timestamp,
    ) -> bool {
        let Some(workload) = self.workload(id).map(Arc::clone) else { return false };
        if workload.generation != generation || !self.left.answered(id, &workload, busy, now) {
            return false;
        }
        self.update_unsettled_one(id);
        self.follow_templates(id, None);
        true
    }

    pub(super) fn add_pods_to(&self, observation: &mut Observation, now: Timestamp, grace: Duration) {
        for id in &self.unsettled {
            let trouble =
                |feed: &PodCache| feed.failure_after(now, grace).map(|(since, error)| with_since(error, since));
            let listed = self.pod_feeds(id).find(|feed| feed.is_listed());
            let trouble = match listed {
                Some(feed) => trouble(feed),
                None => self.pod_feeds(id).find_map(trouble),
            };
            if let Some(error) = trouble {
                observation.workloads.remove(id);
                observation.unobservable.insert(id.clone(), error);
            } else if let Some(pods) = self.pods_of(id) {
                observation.pods.insert(id.clone(), pods);
            } else if let Some(containers) = self.templates.containers(id) {
                observation.templates.insert(id.clone(), containers.to_vec());
            }
        }
    }

    fn own_subject(&self, id: &WorkloadId) -> Option<WatchSubject> {
        let selector = self.seen(id)?.selector.as_ref()?.to_string();
        Some(WatchSubject::Pods { namespace: id.namespace.clone(), workload: Some((id.workload.clone(), selector)) })
    }

    /// Returns the watches that may show the pods of a workload.
    fn pod_feeds(&self, id: &WorkloadId) -> impl Iterator<Item = &PodCache> {
        let all = WatchSubject::Pods { namespace: id.namespace.clone(), workload: None };
        let subjects = [self.own_subject(id), Some(all)];
        subjects.into_iter().flatten().filter_map(|subject| self.pods.get(&subject))
    }

    /// Returns the pods of a workload; none if they are not listed.
    pub(super) fn pods_of(&self, id: &WorkloadId) -> Option<Vec<Arc<Pod>>> {
        let seen = self.seen(id)?;
        self.pod_feeds(id).find_map(|feed| feed.of(seen))
    }
}

//! The known state of the cluster, built from watch events, and the watches it needs. Pure.

mod left;
mod owned;
mod pods;
mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::pins::{WorkloadKind, WorkloadRef};
use pintle_core::verify::is_settled;
use pintle_core::workload::{Left, Workload, WorkloadId};

use self::left::Leaving;
use self::owned::PodCache;
use self::templates::TemplateHistory;
use super::feed::{CacheChange, ResourceCache, WatchUpdate};
use super::read::{PodOwner, WatchedPod, WatchedWorkload};
use crate::cluster::{ClusterError, Observation};

/// The objects of one watch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WatchSubject {
    /// The workloads of a kind in a namespace.
    Workloads(String, WorkloadKind),
    /// The pods that match a selector.
    Pods {
        namespace: String,
        /// The workload and its selector; none for all pods of the namespace.
        workload: Option<(WorkloadRef, String)>,
    },
    /// The left templates of a workload. They are listed repeatedly, because no watch shows them.
    Left {
        id: WorkloadId,
        selector: String,
        /// Every report of the controller starts the check anew.
        resource_version: String,
    },
}

/// The known state of the cluster.
#[derive(Debug, Default)]
pub(super) struct ObjectStore {
    wanted: BTreeSet<WorkloadId>,
    workloads: BTreeMap<String, BTreeMap<WorkloadKind, ResourceCache<WatchedWorkload>>>,
    pods: BTreeMap<WatchSubject, PodCache>,
    /// The requested workloads that are not settled.
    unsettled: BTreeSet<WorkloadId>,
    /// The templates their pods can run, until the pods are listed.
    templates: TemplateHistory,
    /// The templates that specifications have left and whose pods may still come.
    left: Leaving,
    /// Whether the set of needed pod watches may have changed.
    pod_watches_changed: bool,
}

/// The result of an assessment.
#[derive(Debug)]
pub(super) enum StoreView {
    /// Not everything is listed yet.
    Incomplete,
    /// The server does not answer at all.
    Unreachable(ClusterError),
    Complete(Observation),
}

impl ObjectStore {
    /// Sets the requested workloads.
    pub(super) fn set_wanted(&mut self, wanted: &BTreeSet<WorkloadId>) {
        let before = std::mem::replace(&mut self.wanted, wanted.clone());
        self.unsettled.retain(|id| wanted.contains(id));
        self.templates.retain(|id| wanted.contains(id));
        self.left.retain(|id| wanted.contains(id));
        self.pod_watches_changed = true;
        for id in wanted {
            if !before.contains(id) {
                self.follow_left(id, None, Timestamp::MIN);
            }
            self.update_unsettled_one(id);
        }
    }

    /// Returns the needed workload watches: one per requested kind and namespace.
    pub(super) fn workload_subjects(&self) -> BTreeSet<WatchSubject> {
        self.wanted.iter().map(|id| WatchSubject::Workloads(id.namespace.clone(), id.workload.kind)).collect()
    }

    /// Registers a new watch.
    pub(super) fn add_watch(&mut self, subject: &WatchSubject, number: u64) {
        match subject {
            WatchSubject::Workloads(namespace, kind) => {
                self.workloads.entry(namespace.clone()).or_default().insert(*kind, ResourceCache::new(number));
            }
            WatchSubject::Pods { .. } => drop(self.pods.insert(subject.clone(), PodCache::new(number))),
            WatchSubject::Left { .. } => {}
        }
    }

    /// Forgets the objects of a watch.
    pub(super) fn remove_watch(&mut self, subject: &WatchSubject) {
        match subject {
            WatchSubject::Workloads(namespace, kind) => {
                if let Some(kinds) = self.workloads.get_mut(namespace) {
                    kinds.remove(kind);
                }
            }
            WatchSubject::Pods { .. } => drop(self.pods.remove(subject)),
            WatchSubject::Left { .. } => {}
        }
    }

    /// Applies an event of a workload watch. Returns whether the visible state changed.
    pub(super) fn apply_workload_update(
        &mut self,
        (namespace, kind): (&str, WorkloadKind),
        number: u64,
        news: WatchUpdate<WatchedWorkload>,
        now: Timestamp,
    ) -> bool {
        let feed = self.workloads.get_mut(namespace).and_then(|kinds| kinds.get_mut(&kind));
        let Some(feed) = feed.filter(|feed| feed.watch_id == number) else { return false };
        let is_seen = |feed: &ResourceCache<WatchedWorkload>, name: &str| {
            feed.item(name).is_some_and(|seen| seen.workload.state.is_some())
        };
        let before = news.object().and_then(|object| feed.item(&object.name)).map(|seen| Arc::clone(&seen.workload));
        let was_seen = before.as_ref().is_some_and(|workload| workload.state.is_some());
        let all = if matches!(news, WatchUpdate::ListCompleted(_)) { feed.items().map(all_of) } else { None };
        let difference = feed.apply_update(news, now);
        let shows = match &difference {
            CacheChange::None => false,
            CacheChange::Object(name) if was_seen || is_seen(feed, name) => true,
            CacheChange::Object(name) => {
                let workload = WorkloadRef { kind, name: name.clone() };
                self.wanted.contains(&WorkloadId { namespace: namespace.to_owned(), workload })
            }
            CacheChange::All | CacheChange::Reliability => true,
        };
        match &difference {
            CacheChange::Object(name) => {
                let workload = WorkloadRef { kind, name: name.clone() };
                self.follow_left(&WorkloadId { namespace: namespace.to_owned(), workload }, before.as_deref(), now);
            }
            CacheChange::All => self.compare_left((namespace, kind), &all.unwrap_or_default(), now),
            CacheChange::None | CacheChange::Reliability => {}
        }
        self.update_unsettled(namespace, kind, &difference);
        if let CacheChange::Object(name) = difference {
            let workload = WorkloadRef { kind, name };
            self.follow_templates(&WorkloadId { namespace: namespace.to_owned(), workload }, before.as_deref());
        }
        shows
    }

    /// Applies an event of a pod watch. Returns whether the visible state changed.
    pub(super) fn apply_pod_update(
        &mut self,
        subject: &WatchSubject,
        number: u64,
        news: WatchUpdate<WatchedPod>,
        now: Timestamp,
    ) -> bool {
        let Some(feed) = self.pods.get_mut(subject).filter(|feed| feed.watch_id() == number) else { return false };
        let owner = news.object().and_then(|pod| pod.owner.clone());
        let difference = feed.apply_update(news, now);
        self.pod_watches_changed |= difference == CacheChange::All;
        // If the server does not report terminating pods, a Deployment is settled only once its pods show it.
        let concerned: Vec<WorkloadId> = match (&difference, owner, subject) {
            (CacheChange::Object(_), Some(PodOwner::Deployment(name)), WatchSubject::Pods { namespace, .. }) => {
                let workload = WorkloadRef { kind: WorkloadKind::Deployment, name };
                vec![WorkloadId { namespace: namespace.clone(), workload }]
            }
            (CacheChange::None | CacheChange::Object(_), ..) => Vec::new(),
            (CacheChange::All | CacheChange::Reliability, ..) => self.unsettled.iter().cloned().collect(),
        };
        for id in &concerned {
            if self.unsettled.contains(id) && self.reports_no_ending(id) {
                self.update_unsettled_one(id);
            }
        }
        difference != CacheChange::None
    }

    /// Returns whether the needed pod watches may have changed since the last call.
    pub(super) fn take_pod_watches_changed(&mut self) -> bool {
        std::mem::take(&mut self.pod_watches_changed)
    }

    /// Records that no pods are watched. The next caller that needs pods then requests all watches.
    pub(super) fn mark_pod_watches_changed(&mut self) {
        self.pod_watches_changed = true;
    }

    /// Records the answer to a write over `before`, whether its watch event has arrived or not.
    pub(super) fn record_write(
        &mut self,
        id: &WorkloadId,
        before: &Workload,
        mut seen: WatchedWorkload,
        now: Timestamp,
    ) {
        if before.containers == seen.workload.containers && is_settled(id, before, None) {
            // An annotation increments a Deployment's generation. The fence proves that nothing else changed, so a
            // settled workload stays settled without a report of its controller.
            seen.mark_generation_observed();
        }
        let kinds = self.workloads.get_mut(&id.namespace);
        if let Some(feed) = kinds.and_then(|kinds| kinds.get_mut(&id.workload.kind)) {
            let told = feed.item(&id.workload.name).map(|seen| Arc::clone(&seen.workload));
            feed.upsert(seen);
            // The workload before the write may be newer than the last watch event, or older.
            if told.as_ref().is_some_and(|told| told.generation < before.generation) && self.wanted.contains(id) {
                self.left.follow(id, told.as_deref(), Some(before), now);
            }
            self.follow_left(id, Some(before), now);
            self.update_unsettled_one(id);
            self.follow_templates(id, Some(before));
        }
    }

    /// Returns a workload.
    pub(super) fn workload(&self, id: &WorkloadId) -> Option<&Arc<Workload>> {
        self.seen(id).map(|seen| &seen.workload)
    }

    /// Assembles the observation.
    pub(super) fn view(&self, now: Timestamp, grace: Duration) -> StoreView {
        let feeds = || {
            self.workloads
                .iter()
                .flat_map(|(namespace, kinds)| kinds.iter().map(move |(kind, feed)| (namespace, *kind, feed)))
        };
        let mut observation = Observation::default();
        let mut answers = self.wanted.is_empty();
        let mut last = None;
        for (namespace, kind, feed) in feeds() {
            if let Some((since, error)) = feed.trouble(now, grace) {
                let error = with_since(error, since);
                let unknown = self.wanted.iter().filter(|id| id.namespace == *namespace && id.workload.kind == kind);
                observation.unobservable.extend(unknown.map(|id| (id.clone(), error.clone())));
                answers |= !matches!(error, ClusterError::Unreachable(_));
                last = Some(error);
                continue;
            }
            let Some(items) = feed.items() else { return StoreView::Incomplete };
            answers = true;
            self.look_at(namespace, kind, items, &mut observation);
        }
        match last {
            Some(error) if !answers => return StoreView::Unreachable(error),
            None if !answers => return StoreView::Incomplete,
            _ => {}
        }
        self.add_pods_to(&mut observation, now, grace);
        StoreView::Complete(observation)
    }

    fn look_at(
        &self,
        namespace: &str,
        kind: WorkloadKind,
        items: &BTreeMap<String, WatchedWorkload>,
        observation: &mut Observation,
    ) {
        for (name, seen) in items {
            let workload = WorkloadRef { kind, name: name.clone() };
            let id = WorkloadId { namespace: namespace.to_owned(), workload };
            if seen.workload.state.is_some() || self.wanted.contains(&id) {
                let mut workload = Arc::clone(&seen.workload);
                let left = self.left_of(&id);
                if left != Left::Nothing {
                    Arc::make_mut(&mut workload).status.left = left;
                }
                observation.workloads.insert(id, workload);
            }
        }
    }

    fn seen(&self, id: &WorkloadId) -> Option<&WatchedWorkload> {
        self.workloads.get(&id.namespace)?.get(&id.workload.kind)?.item(&id.workload.name)
    }

    fn reports_no_ending(&self, id: &WorkloadId) -> bool {
        id.workload.kind == WorkloadKind::Deployment
            && self.workload(id).is_some_and(|workload| workload.status.terminating.is_none())
    }

    fn update_unsettled(&mut self, namespace: &str, kind: WorkloadKind, difference: &CacheChange) {
        match difference {
            CacheChange::None | CacheChange::Reliability => {}
            CacheChange::All => {
                self.pod_watches_changed = true;
                let of_feed = |id: &&WorkloadId| id.namespace == namespace && id.workload.kind == kind;
                let ids: Vec<_> = self.wanted.iter().filter(of_feed).cloned().collect();
                for id in &ids {
                    self.update_unsettled_one(id);
                }
                // A list does not show the versions in between.
                self.templates.retain(|id| !of_feed(&id));
            }
            CacheChange::Object(name) => {
                let workload = WorkloadRef { kind, name: name.clone() };
                self.update_unsettled_one(&WorkloadId { namespace: namespace.to_owned(), workload });
            }
        }
    }

    fn update_unsettled_one(&mut self, id: &WorkloadId) {
        let Some(workload) = self.workload(id).filter(|_| self.wanted.contains(id)).map(Arc::clone) else {
            self.pod_watches_changed |= self.unsettled.remove(id);
            return;
        };
        let is_settled = is_settled(id, &workload, self.pods_of(id).as_deref());
        if is_settled {
            self.left.settled(id, &workload);
        }
        if self.left.knows(id) {
            // The check depends on the state of the workload.
            self.pod_watches_changed = true;
        }
        if !is_settled || self.left_of(id) != Left::Nothing {
            self.pod_watches_changed |= self.unsettled.insert(id.clone());
            return;
        }
        self.pod_watches_changed |= self.unsettled.remove(id);
        if self.reports_no_ending(id) {
            self.note_none_ending(id);
        }
    }

    fn follow_left(&mut self, id: &WorkloadId, before: Option<&Workload>, now: Timestamp) {
        let workload = self.workload(id).filter(|_| self.wanted.contains(id)).map(Arc::clone);
        self.left.follow(id, before, workload.as_deref(), now);
    }

    /// Compares a list with the workloads `before`. A list does not show the changes in between.
    fn compare_left(
        &mut self,
        (namespace, kind): (&str, WorkloadKind),
        before: &BTreeMap<String, Arc<Workload>>,
        now: Timestamp,
    ) {
        let of_feed = |id: &&WorkloadId| id.namespace == namespace && id.workload.kind == kind;
        let ids: Vec<_> = self.wanted.iter().filter(of_feed).cloned().collect();
        for id in ids {
            let before = before.get(&id.workload.name);
            self.follow_left(&id, before.map(Arc::as_ref), now);
            if let Some((before, workload)) = before.zip(self.workload(&id).map(Arc::clone)) {
                self.left.skipped(&id, before, &workload, now);
            }
        }
    }

    fn follow_templates(&mut self, id: &WorkloadId, before: Option<&Workload>) {
        let now = self.workload(id).filter(|_| self.unsettled.contains(id)).map(Arc::clone);
        self.templates.track(id, before, now.as_deref());
    }

    /// Records that no pod is terminating, if the server does not report it, because the pods are no longer watched.
    fn note_none_ending(&mut self, id: &WorkloadId) {
        let feed = self.workloads.get_mut(&id.namespace).and_then(|kinds| kinds.get_mut(&id.workload.kind));
        if let Some(seen) = feed.and_then(|feed| feed.item_mut(&id.workload.name)) {
            seen.mark_none_terminating();
        }
    }
}

fn all_of(items: &BTreeMap<String, WatchedWorkload>) -> BTreeMap<String, Arc<Workload>> {
    items.iter().map(|(name, seen)| (name.clone(), Arc::clone(&seen.workload))).collect()
}

fn with_since(error: &ClusterError, since: Timestamp) -> ClusterError {
    match error {
        ClusterError::Unreachable(why) => ClusterError::Unreachable(format!("{why}, since {since:.0}")),
        other => other.clone(),
    }
}

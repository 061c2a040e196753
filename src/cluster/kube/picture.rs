//! The known state of the cluster, built from watch events, and the watches it needs. Pure.

mod owned;
mod pods;
mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::pins::{WorkloadKind, WorkloadRef};
use pintle_core::verify::settled;
use pintle_core::workload::{Workload, WorkloadId};

use self::owned::PodFeed;
use self::templates::Templates;
use super::feed::{Difference, Feed, News};
use super::read::{Owner, SeenPod, SeenWorkload};
use crate::cluster::{ClusterError, Observation};

/// The objects of one watch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The workloads of a kind in a namespace.
    Workloads(String, WorkloadKind),
    /// The pods that match a selector.
    Pods {
        namespace: String,
        /// The workload and its selector; none for all pods of the namespace.
        of: Option<(WorkloadRef, String)>,
    },
}

/// The known state of the cluster.
#[derive(Debug, Default)]
pub(super) struct Picture {
    wanted: BTreeSet<WorkloadId>,
    workloads: BTreeMap<String, BTreeMap<WorkloadKind, Feed<SeenWorkload>>>,
    pods: BTreeMap<Subject, PodFeed>,
    /// The requested workloads that are not settled.
    unsettled: BTreeSet<WorkloadId>,
    /// The templates their pods can run, until the pods are listed.
    templates: Templates,
    /// Whether the set of needed pod watches may have changed.
    other_pods: bool,
}

/// The result of an assessment.
#[derive(Debug)]
pub(super) enum Look {
    /// Not everything is listed yet.
    NotYet,
    /// The server does not answer at all.
    Nothing(ClusterError),
    Seen(Observation),
}

impl Picture {
    /// Sets the requested workloads.
    pub(super) fn scope(&mut self, wanted: &BTreeSet<WorkloadId>) {
        self.wanted.clone_from(wanted);
        self.unsettled.retain(|id| wanted.contains(id));
        self.templates.retain(|id| wanted.contains(id));
        self.other_pods = true;
        for id in wanted {
            self.resettle_one(id);
        }
    }

    /// Returns the needed workload watches: one per requested kind and namespace.
    pub(super) fn workload_subjects(&self) -> BTreeSet<Subject> {
        self.wanted.iter().map(|id| Subject::Workloads(id.namespace.clone(), id.workload.kind)).collect()
    }

    /// Registers a new watch.
    pub(super) fn begin(&mut self, subject: &Subject, number: u64) {
        match subject {
            Subject::Workloads(namespace, kind) => {
                self.workloads.entry(namespace.clone()).or_default().insert(*kind, Feed::new(number));
            }
            Subject::Pods { .. } => drop(self.pods.insert(subject.clone(), PodFeed::new(number))),
        }
    }

    /// Forgets the objects of a watch.
    pub(super) fn end(&mut self, subject: &Subject) {
        match subject {
            Subject::Workloads(namespace, kind) => {
                if let Some(kinds) = self.workloads.get_mut(namespace) {
                    kinds.remove(kind);
                }
            }
            Subject::Pods { .. } => drop(self.pods.remove(subject)),
        }
    }

    /// Applies an event of a workload watch. Returns whether the visible state changed.
    pub(super) fn take_workloads(
        &mut self,
        (namespace, kind): (&str, WorkloadKind),
        number: u64,
        news: News<SeenWorkload>,
        now: Timestamp,
    ) -> bool {
        let feed = self.workloads.get_mut(namespace).and_then(|kinds| kinds.get_mut(&kind));
        let Some(feed) = feed.filter(|feed| feed.number == number) else { return false };
        let is_seen =
            |feed: &Feed<SeenWorkload>, name: &str| feed.item(name).is_some_and(|seen| seen.workload.state.is_some());
        let before = news.object().and_then(|object| feed.item(&object.name)).map(|seen| Arc::clone(&seen.workload));
        let was_seen = before.as_ref().is_some_and(|workload| workload.state.is_some());
        let difference = feed.take(news, now);
        let shows = match &difference {
            Difference::None => false,
            Difference::One(name) if was_seen || is_seen(feed, name) => true,
            Difference::One(name) => {
                let workload = WorkloadRef { kind, name: name.clone() };
                self.wanted.contains(&WorkloadId { namespace: namespace.to_owned(), workload })
            }
            Difference::All | Difference::Trouble => true,
        };
        self.resettle(namespace, kind, &difference);
        if let Difference::One(name) = difference {
            let workload = WorkloadRef { kind, name };
            self.follow_templates(&WorkloadId { namespace: namespace.to_owned(), workload }, before.as_deref());
        }
        shows
    }

    /// Applies an event of a pod watch. Returns whether the visible state changed.
    pub(super) fn take_pods(&mut self, subject: &Subject, number: u64, news: News<SeenPod>, now: Timestamp) -> bool {
        let Some(feed) = self.pods.get_mut(subject).filter(|feed| feed.number() == number) else { return false };
        let owner = news.object().and_then(|pod| pod.owner.clone());
        let difference = feed.take(news, now);
        self.other_pods |= difference == Difference::All;
        // If the server does not report terminating pods, a Deployment is settled only once its pods show it.
        let concerned: Vec<WorkloadId> = match (&difference, owner, subject) {
            (Difference::One(_), Some(Owner::Deployment(name)), Subject::Pods { namespace, .. }) => {
                let workload = WorkloadRef { kind: WorkloadKind::Deployment, name };
                vec![WorkloadId { namespace: namespace.clone(), workload }]
            }
            (Difference::None | Difference::One(_), ..) => Vec::new(),
            (Difference::All | Difference::Trouble, ..) => self.unsettled.iter().cloned().collect(),
        };
        for id in &concerned {
            if self.unsettled.contains(id) && self.reports_no_ending(id) {
                self.resettle_one(id);
            }
        }
        difference != Difference::None
    }

    /// Returns whether the needed pod watches may have changed since the last call.
    pub(super) fn needs_other_pods(&mut self) -> bool {
        std::mem::take(&mut self.other_pods)
    }

    /// Records that no pods are watched. The next caller that needs pods then requests all watches.
    pub(super) fn note_no_pods(&mut self) {
        self.other_pods = true;
    }

    /// Records the answer to a write over `before`, whether its watch event has arrived or not.
    pub(super) fn wrote(&mut self, id: &WorkloadId, before: &Workload, mut seen: SeenWorkload) {
        if before.containers == seen.workload.containers && settled(id, before, None) {
            // An annotation increments a Deployment's generation. The fence proves that nothing else changed, so a
            // settled workload stays settled without a report of its controller.
            seen.note_seen();
        }
        let kinds = self.workloads.get_mut(&id.namespace);
        if let Some(feed) = kinds.and_then(|kinds| kinds.get_mut(&id.workload.kind)) {
            feed.put(seen);
            self.resettle_one(id);
            self.follow_templates(id, Some(before));
        }
    }

    /// Returns a workload.
    pub(super) fn workload(&self, id: &WorkloadId) -> Option<&Arc<Workload>> {
        self.seen(id).map(|seen| &seen.workload)
    }

    /// Assembles the observation.
    pub(super) fn look(&self, now: Timestamp, grace: Duration) -> Look {
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
                observation.unknown.extend(unknown.map(|id| (id.clone(), error.clone())));
                answers |= !matches!(error, ClusterError::Unreachable(_));
                last = Some(error);
                continue;
            }
            let Some(items) = feed.items() else { return Look::NotYet };
            answers = true;
            self.look_at(namespace, kind, items, &mut observation);
        }
        match last {
            Some(error) if !answers => return Look::Nothing(error),
            None if !answers => return Look::NotYet,
            _ => {}
        }
        self.look_at_pods(&mut observation, now, grace);
        Look::Seen(observation)
    }

    fn look_at(
        &self,
        namespace: &str,
        kind: WorkloadKind,
        items: &BTreeMap<String, SeenWorkload>,
        observation: &mut Observation,
    ) {
        for (name, seen) in items {
            let workload = WorkloadRef { kind, name: name.clone() };
            let id = WorkloadId { namespace: namespace.to_owned(), workload };
            if seen.workload.state.is_some() || self.wanted.contains(&id) {
                observation.workloads.insert(id, Arc::clone(&seen.workload));
            }
        }
    }

    fn seen(&self, id: &WorkloadId) -> Option<&SeenWorkload> {
        self.workloads.get(&id.namespace)?.get(&id.workload.kind)?.item(&id.workload.name)
    }

    fn reports_no_ending(&self, id: &WorkloadId) -> bool {
        id.workload.kind == WorkloadKind::Deployment
            && self.workload(id).is_some_and(|workload| workload.status.terminating.is_none())
    }

    fn resettle(&mut self, namespace: &str, kind: WorkloadKind, difference: &Difference) {
        match difference {
            Difference::None | Difference::Trouble => {}
            Difference::All => {
                self.other_pods = true;
                let of_feed = |id: &&WorkloadId| id.namespace == namespace && id.workload.kind == kind;
                let ids: Vec<_> = self.wanted.iter().filter(of_feed).cloned().collect();
                for id in &ids {
                    self.resettle_one(id);
                }
                // A list does not show the versions in between.
                self.templates.retain(|id| !of_feed(&id));
            }
            Difference::One(name) => {
                let workload = WorkloadRef { kind, name: name.clone() };
                self.resettle_one(&WorkloadId { namespace: namespace.to_owned(), workload });
            }
        }
    }

    fn resettle_one(&mut self, id: &WorkloadId) {
        let Some(workload) = self.workload(id).filter(|_| self.wanted.contains(id)).map(Arc::clone) else {
            self.other_pods |= self.unsettled.remove(id);
            return;
        };
        if !settled(id, &workload, self.pods_of(id).as_deref()) {
            self.other_pods |= self.unsettled.insert(id.clone());
            return;
        }
        self.other_pods |= self.unsettled.remove(id);
        if self.reports_no_ending(id) {
            self.note_none_ending(id);
        }
    }

    fn follow_templates(&mut self, id: &WorkloadId, before: Option<&Workload>) {
        let now = self.workload(id).filter(|_| self.unsettled.contains(id)).map(Arc::clone);
        self.templates.follow(id, before, now.as_deref());
    }

    /// Records that no pod is terminating, if the server does not report it, because the pods are no longer watched.
    fn note_none_ending(&mut self, id: &WorkloadId) {
        let feed = self.workloads.get_mut(&id.namespace).and_then(|kinds| kinds.get_mut(&id.workload.kind));
        if let Some(seen) = feed.and_then(|feed| feed.item_mut(&id.workload.name)) {
            seen.note_none_ending();
        }
    }
}

fn with_since(error: &ClusterError, since: Timestamp) -> ClusterError {
    match error {
        ClusterError::Unreachable(why) => ClusterError::Unreachable(format!("{why}, since {since:.0}")),
        other => other.clone(),
    }
}

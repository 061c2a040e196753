//! The pods of what is unsettled: which watches show them, and what is seen through these.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cluster::kube::feed::Feed;
use crate::cluster::kube::read::SeenPod;
use crate::cluster::{Observation, Pod, WorkloadId};

use super::{Picture, Subject, with_since};

/// More unsettled workloads of a namespace share one watch of all its pods.
const MOST_POD_WATCHES: usize = 8;

impl Picture {
    /// The watches that what is unsettled takes: one each; where there are too many, one for all, but those that listen
    /// already stay until that has listed, so that nothing that is known becomes unknown.
    pub(in crate::cluster::kube) fn pod_subjects(&self) -> BTreeSet<Subject> {
        let mut by_namespace: BTreeMap<&str, Vec<&WorkloadId>> = BTreeMap::new();
        for id in self.unsettled.difference(&self.writing) {
            by_namespace.entry(&id.namespace).or_default().push(id);
        }
        let mut subjects = BTreeSet::new();
        for (namespace, ids) in by_namespace {
            let all = Subject::Pods { namespace: namespace.to_owned(), of: None };
            let shared = self.pods.get(&all);
            let is_listed = shared.is_some_and(|feed| feed.items().is_some());
            let own = || ids.iter().filter_map(|id| self.own_subject(id));
            if ids.len() <= MOST_POD_WATCHES && shared.is_none() {
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

    pub(super) fn look_at_pods(&self, observation: &mut Observation, now: Timestamp, grace: Duration) {
        for id in &self.unsettled {
            if let Some(pods) = self.pods_of(id) {
                observation.pods.insert(id.clone(), pods);
                continue;
            }
            let trouble = self.pod_feeds(id).find_map(|feed| feed.trouble(now, grace));
            if let Some((since, error)) = trouble {
                observation.workloads.remove(id);
                observation.unknown.insert(id.clone(), with_since(error, since));
            }
        }
    }

    fn own_subject(&self, id: &WorkloadId) -> Option<Subject> {
        let selector = self.seen(id)?.selector.as_ref()?.to_string();
        Some(Subject::Pods { namespace: id.namespace.clone(), of: Some((id.workload.clone(), selector)) })
    }

    /// The feeds that may show the pods of a workload.
    fn pod_feeds(&self, id: &WorkloadId) -> impl Iterator<Item = &Feed<SeenPod>> {
        let all = Subject::Pods { namespace: id.namespace.clone(), of: None };
        let subjects = [self.own_subject(id), Some(all)];
        subjects.into_iter().flatten().filter_map(|subject| self.pods.get(&subject))
    }

    /// The pods of a workload; none where they have not been listed.
    pub(super) fn pods_of(&self, id: &WorkloadId) -> Option<Vec<Arc<Pod>>> {
        let seen = self.seen(id)?;
        let items = self.pod_feeds(id).find_map(Feed::items)?;
        Some(items.values().filter(|pod| pod.belongs_to(seen)).map(|pod| Arc::clone(&pod.pod)).collect())
    }
}

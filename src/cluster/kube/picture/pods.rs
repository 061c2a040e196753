//! The pods of unsettled workloads: the watches they need, and their observation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::workload::{Pod, WorkloadId};

use super::owned::PodFeed;
use super::{Picture, Subject, with_since};
use crate::cluster::Observation;

/// The maximum number of pod watches in a namespace. More unsettled workloads share one watch of all its pods.
const MOST_POD_WATCHES: usize = 8;

impl Picture {
    /// Returns the pod watches needed: one per unsettled workload, or one per namespace above [`MOST_POD_WATCHES`].
    ///
    /// Existing watches stay open until the namespace watch has its first list, so no known pod is forgotten.
    pub(in crate::cluster::kube) fn pod_subjects(&self) -> BTreeSet<Subject> {
        let mut by_namespace: BTreeMap<&str, Vec<&WorkloadId>> = BTreeMap::new();
        for id in &self.unsettled {
            by_namespace.entry(&id.namespace).or_default().push(id);
        }
        let mut subjects = BTreeSet::new();
        for (namespace, ids) in by_namespace {
            let all = Subject::Pods { namespace: namespace.to_owned(), of: None };
            let shared = self.pods.get(&all);
            let is_listed = shared.is_some_and(PodFeed::is_listed);
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
            let trouble = |feed: &PodFeed| feed.trouble(now, grace).map(|(since, error)| with_since(error, since));
            let listed = self.pod_feeds(id).find(|feed| feed.is_listed());
            let trouble = match listed {
                Some(feed) => trouble(feed),
                None => self.pod_feeds(id).find_map(trouble),
            };
            if let Some(error) = trouble {
                observation.workloads.remove(id);
                observation.unknown.insert(id.clone(), error);
            } else if let Some(pods) = self.pods_of(id) {
                observation.pods.insert(id.clone(), pods);
            } else if let Some(containers) = self.templates.of(id) {
                observation.templates.insert(id.clone(), containers.to_vec());
            }
        }
    }

    fn own_subject(&self, id: &WorkloadId) -> Option<Subject> {
        let selector = self.seen(id)?.selector.as_ref()?.to_string();
        Some(Subject::Pods { namespace: id.namespace.clone(), of: Some((id.workload.clone(), selector)) })
    }

    /// Returns the watches that may show the pods of a workload.
    fn pod_feeds(&self, id: &WorkloadId) -> impl Iterator<Item = &PodFeed> {
        let all = Subject::Pods { namespace: id.namespace.clone(), of: None };
        let subjects = [self.own_subject(id), Some(all)];
        subjects.into_iter().flatten().filter_map(|subject| self.pods.get(&subject))
    }

    /// Returns the pods of a workload; none if they are not listed.
    pub(super) fn pods_of(&self, id: &WorkloadId) -> Option<Vec<Arc<Pod>>> {
        let seen = self.seen(id)?;
        self.pod_feeds(id).find_map(|feed| feed.of(seen))
    }
}

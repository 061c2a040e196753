//! Workloads and pods as items of a watched list. Pure.

use std::sync::Arc;

use pintle_core::workload::Workload;

use super::feed::CachedObject;
use super::read::{WatchedPod, WatchedWorkload};

impl WatchedWorkload {
    /// Records that the status covers this generation, although the controller has not reported it.
    pub(super) fn mark_generation_observed(&mut self) {
        let workload = Arc::make_mut(&mut self.workload);
        workload.status.observed_generation = Some(workload.generation);
    }

    /// Records that no pod is terminating, for servers that do not report it.
    pub(super) fn mark_none_terminating(&mut self) {
        Arc::make_mut(&mut self.workload).status.terminating = Some(0);
    }
}

impl CachedObject for WatchedWorkload {
    fn name(&self) -> &str {
        &self.name
    }

    fn uid(&self) -> &str {
        &self.workload.uid
    }

    fn resource_version(&self) -> &str {
        &self.workload.resource_version
    }

    fn is_equivalent(&self, other: &Self) -> bool {
        let mut same_version = Workload::clone(&self.workload);
        same_version.resource_version.clone_from(&other.workload.resource_version);
        same_version == *other.workload
    }

    fn carry_over(&mut self, older: &Self) {
        let (new, old) = (&self.workload, &older.workload);
        if new.uid != old.uid || new.generation != old.generation {
            return;
        }
        let (new, old) = (&new.status, &old.status);
        let none_ending = new.terminating.is_none() && old.terminating == Some(0);
        if old.observed_generation > new.observed_generation {
            self.mark_generation_observed();
        }
        if none_ending {
            self.mark_none_terminating();
        }
    }
}

impl CachedObject for WatchedPod {
    fn name(&self) -> &str {
        &self.pod.name
    }

    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn is_equivalent(&self, other: &Self) -> bool {
        self.pod == other.pod && self.uid == other.uid && self.owner == other.owner
    }

    fn carry_over(&mut self, _older: &Self) {}
}

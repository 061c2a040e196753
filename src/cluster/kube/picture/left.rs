//! The templates that specifications have left and whose pods may still come. Pure.
//!
//! A Deployment counts the pods that its replica sets report. A replica set that is asked for pods, and at once for none
//! again, may have made some that nobody has counted. Meanwhile the Deployment is back at its earlier template and reports
//! that it is rolled out, and a list shows no pod. So a template counts from when the specification has it until its replica
//! set wants no pods, the replica set's controller has seen that, and a later list shows none.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pintle_core::pins::WorkloadKind;
use pintle_core::verify::is_rolled_out;
use pintle_core::workload::{Container, Left, StateAnnotation, Workload, WorkloadId};

use crate::cluster::kube::read::Busy;

/// The time after the last change when no pod of a left template comes any more, if replica sets may not be listed. An API
/// server carries out no request after a minute.
const LATEST_POD: SignedDuration = SignedDuration::from_secs(60);

/// The workloads whose specification has changed since all their pods were known to be of it.
#[derive(Debug, Default)]
pub(super) struct Leaving(BTreeMap<WorkloadId, Had>);

#[derive(Debug)]
struct Had {
    /// The templates of the specification since then. None if they are not known.
    templates: Option<Vec<Vec<Container>>>,
    /// The time of the last change.
    changed: Timestamp,
}

impl Leaving {
    /// Returns the templates that a workload has left.
    pub(super) fn of(&self, id: &WorkloadId, workload: &Workload) -> Left {
        let Some(had) = self.0.get(id) else { return Left::Nothing };
        let Some(templates) = &had.templates else { return Left::Unknown };
        let left: Vec<Container> =
            templates.iter().filter(|it| **it != workload.containers).flatten().cloned().collect();
        if left.is_empty() { Left::Nothing } else { Left::Templates(left) }
    }

    /// Returns the workloads that may have left templates.
    pub(super) fn ids(&self) -> impl Iterator<Item = &WorkloadId> {
        self.0.keys()
    }

    /// Returns whether the workload may have left templates.
    pub(super) fn knows(&self, id: &WorkloadId) -> bool {
        self.0.contains_key(id)
    }

    /// Records a change of a workload. `before` is none if the workload was missing, `then` if it is gone.
    pub(super) fn follow(
        &mut self,
        id: &WorkloadId,
        before: Option<&Workload>,
        then: Option<&Workload>,
        now: Timestamp,
    ) {
        let Some(then) = then else {
            self.0.remove(id);
            return;
        };
        let Some(before) = before.filter(|before| before.uid == then.uid) else {
            self.0.remove(id);
            if is_deployment(id) && may_have_changed(id, then) {
                self.0.insert(id.clone(), Had { templates: None, changed: now });
            }
            return;
        };
        if before.containers == then.containers {
            return;
        }
        let had = self.0.entry(id.clone()).or_insert(Had { templates: Some(Vec::new()), changed: now });
        had.changed = now;
        if let Some(templates) = had.templates.as_mut().filter(|it| !it.contains(&then.containers)) {
            templates.push(then.containers.clone());
        }
    }

    /// Records that the watch skipped changes between two lists.
    pub(super) fn skipped(&mut self, id: &WorkloadId, before: &Workload, then: &Workload, now: Timestamp) {
        if is_deployment(id) && before.uid == then.uid && then.generation > before.generation + 1 {
            self.0.insert(id.clone(), Had { templates: None, changed: now });
        }
    }

    /// Records that a workload is settled. A controller that makes pods without replica sets knows all of them.
    pub(super) fn settled(&mut self, id: &WorkloadId, workload: &Workload) {
        if !is_deployment(id) || self.of(id, workload) == Left::Nothing {
            self.0.remove(id);
        }
    }

    /// Records the templates whose pods exist or may come. Returns whether the left templates changed.
    pub(super) fn answered(&mut self, id: &WorkloadId, workload: &Workload, busy: &Busy, now: Timestamp) -> bool {
        let before = self.of(id, workload);
        let Some(had) = self.0.get_mut(id) else { return false };
        if !busy.with_sets
            && is_deployment(id)
            && had.templates.is_some()
            && now.duration_since(had.changed) < LATEST_POD
        {
            return false;
        }
        let mut templates = had.templates.take().unwrap_or_else(|| busy.templates.clone());
        templates.retain(|it| *it != workload.containers && busy.has(it));
        templates.push(workload.containers.clone());
        had.templates = Some(templates);
        self.of(id, workload) != before
    }

    /// Forgets all other workloads.
    pub(super) fn retain(&mut self, keep: impl Fn(&WorkloadId) -> bool) {
        self.0.retain(|id, _| keep(id));
    }
}

fn is_deployment(id: &WorkloadId) -> bool {
    id.workload.kind == WorkloadKind::Deployment
}

/// Returns whether a workload that is seen for the first time may have left templates. Its rollout is not complete, or
/// nobody has verified it.
fn may_have_changed(id: &WorkloadId, workload: &Workload) -> bool {
    !is_rolled_out(id.workload.kind, workload)
        || workload.state.as_ref().is_some_and(|state| !StateAnnotation::is_proven(state))
}

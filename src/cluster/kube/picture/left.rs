//! The templates that workloads have left while pods of these could still come. Pure.
//!
//! A Deployment counts what its replica sets report. One that is asked for pods and at once for none again may have made
//! some that nobody has counted: meanwhile the Deployment, back at what it ran before, says that it is rolled out, and a look
//! at the pods shows none of them. So a template counts from when the specification has it until its replica set wants no
//! pods, its controller has seen that, and a look after that shows none.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::cluster::kube::read::Busy;
use crate::cluster::rollout::{self, Rollout};
use crate::cluster::{Container, Left, State, Workload, WorkloadId};
use crate::pins::WorkloadKind;

/// Where replica sets may not be listed, so long after the specification has left it no pod comes of a template: an API
/// server carries out no request after a minute.
const LATEST: SignedDuration = SignedDuration::from_secs(60);

/// What is known of the workloads whose specification has changed since it was certain that all their pods were of it.
#[derive(Debug, Default)]
pub(super) struct Leaving(BTreeMap<WorkloadId, Had>);

#[derive(Debug)]
struct Had {
    /// The templates that it had since; none where that is not known.
    templates: Option<Vec<Vec<Container>>>,
    /// When it changed last.
    changed: Timestamp,
}

impl Leaving {
    /// What a workload has left.
    pub(super) fn of(&self, id: &WorkloadId, workload: &Workload) -> Left {
        let Some(had) = self.0.get(id) else { return Left::Nothing };
        let Some(templates) = &had.templates else { return Left::Unknown };
        let left: Vec<Container> =
            templates.iter().filter(|it| **it != workload.containers).flatten().cloned().collect();
        if left.is_empty() { Left::Nothing } else { Left::Templates(left) }
    }

    /// Those of which something may be left.
    pub(super) fn ids(&self) -> impl Iterator<Item = &WorkloadId> {
        self.0.keys()
    }

    /// Whether something may be left of it.
    pub(super) fn knows(&self, id: &WorkloadId) -> bool {
        self.0.contains_key(id)
    }

    /// Takes in a change of a workload: as it was `before`, none where it was not there, and as it is `then`, none where
    /// it is gone.
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

    /// Notes what changes were not told, between two looks.
    pub(super) fn skipped(&mut self, id: &WorkloadId, before: &Workload, then: &Workload, now: Timestamp) {
        if is_deployment(id) && before.uid == then.uid && then.generation > before.generation + 1 {
            self.0.insert(id.clone(), Had { templates: None, changed: now });
        }
    }

    /// Takes in that a workload says it is settled. Whoever makes its pods without replica sets knows of all of them.
    pub(super) fn settled(&mut self, id: &WorkloadId, workload: &Workload) {
        if !is_deployment(id) || self.of(id, workload) == Left::Nothing {
            self.0.remove(id);
        }
    }

    /// Takes in of which templates pods exist or may come; answers whether that says anything new.
    pub(super) fn answered(&mut self, id: &WorkloadId, workload: &Workload, busy: &Busy, now: Timestamp) -> bool {
        let before = self.of(id, workload);
        let Some(had) = self.0.get_mut(id) else { return false };
        if !busy.with_sets && is_deployment(id) && had.templates.is_some() && now.duration_since(had.changed) < LATEST {
            return false;
        }
        let mut templates = had.templates.take().unwrap_or_else(|| busy.templates.clone());
        templates.retain(|it| *it != workload.containers && busy.has(it));
        templates.push(workload.containers.clone());
        had.templates = Some(templates);
        self.of(id, workload) != before
    }

    /// Forgets what is known of others.
    pub(super) fn retain(&mut self, keep: impl Fn(&WorkloadId) -> bool) {
        self.0.retain(|id, _| keep(id));
    }
}

fn is_deployment(id: &WorkloadId) -> bool {
    id.workload.kind == WorkloadKind::Deployment
}

/// Whether a workload that is seen for the first time may have pods to come of what its specification has left: its
/// rollout is not over, or nobody has seen that it is.
fn may_have_changed(id: &WorkloadId, workload: &Workload) -> bool {
    let is_over = rollout::of(id.workload.kind, workload) == Rollout::Done;
    !is_over || workload.state.as_ref().is_some_and(|state| !State::is_proven(state))
}

//! How the services looked that rest: as long as nothing of them changes, they look the same. What it costs to look again
//! is in proportion to what has changed. Pure.

use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::git::CommitId;
use pintle_core::plan::LiveService;
use pintle_core::workload::WorkloadId;

use super::assess::assess_service;
use super::desired::Desired;
use super::status::{LiveState, ServiceStatus, WorkloadStatus};
use crate::cluster::Observation;

/// How the services looked that rest. It may be lost at any time: to look anew shows the same.
#[derive(Debug, Default)]
pub(super) struct SettledCache {
    /// The revision that they were looked at for.
    of: Option<CommitId>,
    /// By the services' numbers; none of those that do not rest.
    resting: Vec<Option<(LiveService, Arc<ServiceStatus>)>>,
}

impl SettledCache {
    /// The same as a [look](super::look()) that knows of none before.
    pub(super) fn assess(&mut self, desired: &Desired, observed: &Observation, now: Timestamp) -> LiveState {
        if self.of != Some(desired.commit) || desired.options.selected.is_some() {
            self.resting = vec![None; desired.graph.len()];
            self.of = desired.options.selected.is_none().then_some(desired.commit);
        }
        let mut look = LiveState { at: now, live: Vec::new(), services: Vec::new(), unseen: Vec::new() };
        for (id, resting) in desired.graph.ids().zip(&mut self.resting) {
            if let Some((live, seen)) = resting.as_ref().filter(|(_, seen)| is_unchanged(seen, observed)) {
                look.push(id, Some(live.clone()), Arc::clone(seen));
                continue;
            }
            let (live, seen) = assess_service(desired, id, observed, now);
            let seen = Arc::new(seen);
            *resting = live.as_ref().filter(|_| rests(&seen, observed)).map(|live| (live.clone(), Arc::clone(&seen)));
            look.push(id, live, seen);
        }
        look
    }
}

/// Reads an observation. `now` is the time of judgement.
pub fn assess(desired: &Desired, observed: &Observation, now: Timestamp) -> LiveState {
    SettledCache::default().assess(desired, observed, now)
}

/// Nothing of it changes by the passing of time alone, as what is under way, paused or moved by hand does.
fn rests(seen: &ServiceStatus, observed: &Observation) -> bool {
    let settled = |it: &WorkloadStatus| it.health.settled && shows_alone(&it.id, observed);
    !seen.workloads.is_empty()
        && seen.workloads.iter().all(settled)
        && seen.suppression.is_none()
        && seen.manual_change.is_none()
}

fn is_unchanged(seen: &ServiceStatus, observed: &Observation) -> bool {
    seen.workloads.iter().all(|it| {
        let now = observed.workloads.get(&it.id);
        let same = now.zip(it.workload.as_ref()).is_some_and(|(now, before)| Arc::ptr_eq(now, before));
        same && shows_alone(&it.id, observed)
    })
}

/// The workload itself is all that there is to see of it.
fn shows_alone(id: &WorkloadId, observed: &Observation) -> bool {
    let Observation { workloads: _, pods, templates, idle_reasons: idle, unobservable: unknown } = observed;
    !(pods.contains_key(id) || templates.contains_key(id) || idle.contains_key(id) || unknown.contains_key(id))
}

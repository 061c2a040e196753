//! Pauses that an undo has dropped. `kubectl rollout undo` puts back the annotations of an older replica set, whoever
//! wrote them since: whoever saw a pause before holds on to it, and writes it back. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::plan::Suppression;
use pintle_core::workload::{PauseAnnotation, Workload, WorkloadId};

use super::manual_change::UNDO;
use super::status::LiveState;

/// The pauses that were seen.
#[derive(Debug, Default)]
pub(super) struct PauseLog {
    seen: BTreeMap<WorkloadId, ObservedPause>,
    /// What was seen and is dropped, and the workload as it is.
    dropped: Vec<(WorkloadId, Arc<Workload>, PauseAnnotation)>,
}

/// A pause, and the workload that it was seen on.
#[derive(Debug)]
struct ObservedPause {
    pause: PauseAnnotation,
    on: Arc<Workload>,
}

impl PauseLog {
    /// Takes in what is paused; what an undo has dropped holds on.
    pub(super) fn record_and_restore(&mut self, look: &mut LiveState, now: Timestamp) {
        self.dropped.clear();
        for seen in &mut look.services {
            let mut dropped = None;
            for it in &seen.workloads {
                let Some(workload) = &it.workload else { continue };
                let known = self.seen.get(&it.id).filter(|known| known.is_dropped(workload, now));
                if let Some(known) = known {
                    self.dropped.push((it.id.clone(), Arc::clone(workload), known.pause.clone()));
                    dropped = Some(known.pause.clone());
                } else if let Some(pause) = workload.pause.clone().filter(|pause| pause.is_active(now)) {
                    self.seen.insert(it.id.clone(), ObservedPause { pause, on: Arc::clone(workload) });
                } else {
                    self.seen.remove(&it.id);
                }
            }
            if let Some(pause) = dropped.filter(|_| !seen.suppression.as_ref().is_some_and(Suppression::writes_nothing))
            {
                let seen = Arc::make_mut(seen);
                (seen.suppression, seen.to_record) = (Some(pause.clone().into()), false);
                seen.pause = Some(pause);
            }
        }
    }

    /// What is to be written back: each pause, and the workload that it is to be written over.
    pub(super) fn dropped(&self) -> &[(WorkloadId, Arc<Workload>, PauseAnnotation)] {
        &self.dropped
    }
}

impl ObservedPause {
    /// An undo since has dropped it, or put an older one in its place. Where nothing was undone, somebody has ended it.
    fn is_dropped(&self, workload: &Workload, now: Timestamp) -> bool {
        let is_gone = workload.pause.as_ref().is_none_or(|there| there.at < self.pause.at);
        let by_undo = workload.image_managers.first().is_some_and(|manager| manager.name == UNDO);
        let moved = workload.image_managers.first() != self.on.image_managers.first()
            || workload.containers != self.on.containers;
        is_gone && by_undo && moved && workload.uid == self.on.uid && self.pause.is_active(now)
    }
}

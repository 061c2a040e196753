//! Hands that take back what was corrected: nobody is fought. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pintle_core::graph::ServiceId;
use pintle_core::plan::{SuppressedBy, Suppression};
use pintle_core::workload::WorkloadId;

use super::status::{LiveState, WorkloadStatus};

/// Whoever takes an image back within this time after it was corrected is left alone for as long.
const TEN_MINUTES: SignedDuration = SignedDuration::from_mins(10);

/// The corrections that this process made.
#[derive(Debug, Default)]
pub(super) struct Corrections {
    /// Sent, and not answered yet.
    sent: BTreeMap<WorkloadId, Timestamp>,
    made: BTreeMap<WorkloadId, Timestamp>,
}

impl Corrections {
    /// Of the services that start, what somebody has moved is corrected.
    pub(super) fn begin(&mut self, look: &LiveState, starts: &[ServiceId], now: Timestamp) {
        let moved =
            starts.iter().flat_map(|id| &look.services[id.index()].workloads).filter(|it| it.manual_change.is_some());
        self.sent = moved.map(|it| (it.id.clone(), now)).collect();
    }

    /// A write was accepted.
    pub(super) fn accepted(&mut self, id: &WorkloadId) {
        self.made.extend(self.sent.remove_entry(id));
    }

    /// What was moved again since it was corrected is left as it is.
    pub(super) fn see(&mut self, look: &mut LiveState, now: Timestamp) {
        self.made.retain(|_, at| now.duration_since(*at) < TEN_MINUTES * 2);
        for seen in &mut look.services {
            let is_corrected = seen.suppression.as_ref().is_none_or(|it| matches!(it.by, SuppressedBy::Drift { .. }));
            if !seen.drifted || !is_corrected || seen.is_called_back() {
                continue;
            }
            let contended = seen.workloads.iter().find_map(|it| self.contended(it, now));
            if contended.is_some() {
                Arc::make_mut(seen).suppression = contended;
            }
        }
    }

    fn contended(&self, it: &WorkloadStatus, now: Timestamp) -> Option<Suppression> {
        let (hand, corrected) = (it.manual_change.as_ref()?, *self.made.get(&it.id)?);
        let moved = hand.at.unwrap_or(corrected);
        let until = moved.checked_add(TEN_MINUTES).ok().filter(|until| now < *until)?;
        let soon = moved.duration_since(corrected) <= TEN_MINUTES;
        let by = || SuppressedBy::Contention { manager: hand.manager.clone(), workload: it.id.workload.clone() };
        soon.then(|| Suppression { by: by(), until: Some(until) })
    }
}

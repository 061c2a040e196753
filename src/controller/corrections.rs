//! Hands that take back what was corrected: nobody is fought. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pintle_core::desired::DesiredState;
use pintle_core::graph::Id;
use pintle_core::pins::ServiceName;
use pintle_core::workload::WorkloadId;

use super::drift::{Stay, StayBy};
use super::look::{Look, SeenWorkload};
use super::words::clock;

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
    pub(super) fn begin(&mut self, look: &Look, starts: &[Id], now: Timestamp) {
        let moved = starts.iter().flat_map(|id| &look.services[id.index()].workloads).filter(|it| it.hand.is_some());
        self.sent = moved.map(|it| (it.id.clone(), now)).collect();
    }

    /// A write was accepted.
    pub(super) fn accepted(&mut self, id: &WorkloadId) {
        self.made.extend(self.sent.remove_entry(id));
    }

    /// What was moved again since it was corrected is left as it is.
    pub(super) fn see(&mut self, desired: &DesiredState, look: &mut Look, now: Timestamp) {
        self.made.retain(|_, at| now.duration_since(*at) < TEN_MINUTES * 2);
        for (id, seen) in desired.graph.ids().zip(&mut look.services) {
            let is_corrected = seen.stay.as_ref().is_none_or(|stay| stay.by == StayBy::Drift);
            if !seen.drifted || !is_corrected || seen.is_called_back() {
                continue;
            }
            let name = desired.graph.name(id);
            let contended = seen.workloads.iter().find_map(|it| self.contended(name, it, now));
            if contended.is_some() {
                Arc::make_mut(seen).stay = contended;
            }
        }
    }

    fn contended(&self, name: &ServiceName, it: &SeenWorkload, now: Timestamp) -> Option<Stay> {
        let (hand, corrected) = (it.hand.as_ref()?, *self.made.get(&it.id)?);
        let moved = hand.at.unwrap_or(corrected);
        let until = moved.checked_add(TEN_MINUTES).ok().filter(|until| now < *until)?;
        let why = format!(
            "contended: {} has taken the image of {} back twice in ten minutes; stop what does that, or pin what it \
             wants. Corrected once more at {}, or now: pintle apply {name}",
            hand.manager,
            it.id.workload,
            clock(until, now)
        );
        let soon = moved.duration_since(corrected) <= TEN_MINUTES;
        soon.then_some(Stay { by: StayBy::Contended, why, until: Some(until) })
    }
}

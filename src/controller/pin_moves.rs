//! When this process heard that pins have moved. A commit is older than the push that brings it: what somebody moved by
//! hand in between is older than the pin too, and no drift. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::pins::ServiceName;
use pintle_core::plan::Suppression;

use super::status::LiveState;

/// What was heard of pins.
#[derive(Debug, Default)]
pub(super) struct PinMoveLog {
    last: Option<Arc<DesiredState>>,
    moved: BTreeMap<ServiceName, Timestamp>,
}

impl PinMoveLog {
    /// Takes in another revision; which pins it moves is known where there was one before.
    pub(super) fn note_revision(&mut self, desired: &Arc<DesiredState>, now: Timestamp) {
        let Some(last) = self.last.replace(Arc::clone(desired)) else { return };
        for (name, service) in &desired.pins.services {
            if last.pins.services.get(name).is_some_and(|before| !before.pin.is_same_release(&service.pin)) {
                self.moved.insert(name.clone(), now);
            }
        }
    }

    /// What was moved by hand before its pin moved is not held for that.
    pub(super) fn see(&self, desired: &DesiredState, look: &mut LiveState) {
        for (id, (seen, live)) in desired.graph.ids().zip(look.services.iter_mut().zip(&mut look.live)) {
            let Some(pin_moves) = self.moved.get(desired.graph.name(id)).filter(|_| seen.drifted) else { continue };
            // The API server notes whole seconds.
            if seen
                .manual_change
                .as_ref()
                .and_then(|hand| hand.at)
                .is_some_and(|at| at.as_second() < pin_moves.as_second())
            {
                let seen = Arc::make_mut(seen);
                (seen.drifted, seen.manual_change, live.is_drift) = (false, None, false);
                seen.suppression = seen.suppression.take().filter(Suppression::writes_nothing);
            }
        }
    }
}

//! Pins taken as what runs: a plan without a cluster, for the check of a pull request.

use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::pins::Pins;

use super::status::LiveState;

/// The look at a cluster in which `pins` are all settled: at no time, since no cluster was asked.
pub fn assess_pins(desired: &DesiredState, pins: &Pins) -> LiveState {
    LiveState {
        at: Timestamp::UNIX_EPOCH,
        live: desired.live_settled_at(pins),
        services: vec![Arc::default(); desired.graph.len()],
        unseen: Vec::new(),
    }
}

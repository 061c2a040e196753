//! Pins taken as what runs: a plan without a cluster, for the check of a pull request.

use std::sync::Arc;

use pintle_core::desired::DesiredState;
use pintle_core::pins::Pins;

use super::look::Look;

/// The look at a cluster in which `pins` are all settled.
pub fn look_at_pins(desired: &DesiredState, pins: &Pins) -> Look {
    Look { live: desired.live_at(pins), services: vec![Arc::default(); desired.graph.len()], unseen: Vec::new() }
}

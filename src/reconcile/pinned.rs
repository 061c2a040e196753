//! Pins taken as what runs: a plan without a cluster, for the check of a pull request.

use std::sync::Arc;

use super::desired::Desired;
use super::look::Look;
use crate::pins::{Local, Pins, Runtime, Service};
use crate::plan::{Live, Motion, Running};

/// The look at a cluster in which `pins` are all settled.
pub fn look_at_pins(desired: &Desired, pins: &Pins) -> Look {
    let live = |id| live(desired, pins, id);
    Look {
        live: desired.graph.ids().map(live).collect(),
        services: vec![Arc::default(); desired.graph.len()],
        unseen: Vec::new(),
    }
}

/// The new process of the local runtime starts beside the old one.
fn is_rolling(service: &Service) -> bool {
    matches!(service.pin.local.as_deref(), Some(Local::Process { rolling: true, .. }))
}

fn live(desired: &Desired, pins: &Pins, id: crate::graph::Id) -> Live {
    let name = desired.graph.name(id);
    let earlier = desired.service(id).and_then(|service| service.formerly.as_ref());
    let service = pins.services.get(name).or_else(|| pins.services.get(earlier?));
    // A file that could not be read there: what it pinned last.
    let recorded = || {
        pins.broken.get(name).and_then(|_| desired.history.records(name).iter().rev().find_map(|it| it.pin.as_deref()))
    };
    let running = match service.map(|service| &service.pin).or_else(recorded) {
        None => Running::Absent,
        Some(pin) => Running::Image(pin.image.clone(), Some(pin.version.clone())),
    };
    let surge = u32::from(desired.pins.settings.runtime == Runtime::Kubernetes || service.is_some_and(is_rolling));
    Live {
        running: vec![running.clone()],
        spec: vec![running],
        motion: Motion::Still,
        ready: true,
        pods: 1,
        surge,
        returns: false,
    }
}

//! The earlier pins that a service can go back to, and the objections to them.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use super::{Objection, RollbackInput};
use crate::history::PinRecord;
use crate::pins::{Pin, Service};
use crate::version::{Version, VersionOrder};

/// An earlier pin of a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct EarlierPin<'a> {
    /// The newest record with this pin.
    pub(super) record: &'a PinRecord,
    pub(super) pin: &'a Arc<Pin>,
    /// Distance from the present pin, counted in distinct earlier pins.
    pub(super) pins_back: usize,
}

/// Returns the distinct pins that a service can go back to, nearest first.
///
/// Versions newer than the present pin are left out: a rollback has already left them. Only `--to` can name them.
pub(super) fn earlier_pins<'a>(input: RollbackInput<'a>, service: &Service) -> Vec<EarlierPin<'a>> {
    let order = order(input, service);
    let mut versions: HashSet<&Version> = HashSet::new();
    let now = &service.pin;
    let is_earlier = |pin: &Pin| {
        let compared = order.and_then(|order| order.compare(&pin.version, &now.version));
        !pin.is_same_release(now) && compared != Some(Ordering::Greater)
    };
    let records = input.history.records(&service.name).iter().rev();
    let mut all: Vec<EarlierPin<'a>> = Vec::new();
    for (record, pin) in records.filter_map(|record| Some((record, record.pin.as_ref()?))) {
        // The set spares new versions the scan. A repeated version needs it, as it may have another image.
        if is_earlier(pin) && (versions.insert(&pin.version) || !all.iter().any(|it| it.pin.is_same_release(pin))) {
            all.push(EarlierPin { record, pin, pins_back: all.len() + 1 });
        }
    }
    all
}

/// Returns the newest record of the same release, with its distance; 0 if it is not an earlier pin.
pub(super) fn newest_equal_pin<'a>(input: RollbackInput<'a>, service: &Service, pin: &Pin) -> Option<EarlierPin<'a>> {
    let mut records = input.history.records(&service.name).iter().rev();
    let (record, pin) =
        records.find_map(|record| Some((record, record.pin.as_ref().filter(|it| it.is_same_release(pin))?)))?;
    let back = earlier_pins(input, service).iter().find(|it| it.pin.is_same_release(pin)).map_or(0, |it| it.pins_back);
    Some(EarlierPin { record, pin, pins_back: back })
}

/// Returns the objection that a service itself has to one of its versions.
pub(super) fn objection(input: RollbackInput<'_>, service: &Service, version: &Version) -> Option<Objection> {
    if service.external {
        return Some(Objection::External);
    }
    if service.hold.is_none() && service.rollback_floor.is_none() {
        return None;
    }
    let order = order(input, service)?;
    if let Some(floor) = service.violated_floor(version, order) {
        return Some(Objection::Floor { floor: floor.clone() });
    }
    let hold = service.hold.as_ref().filter(|hold| hold.blocks(version, order))?;
    Some(Objection::Held(Box::new(hold.clone())))
}

fn order<'a>(input: RollbackInput<'a>, service: &Service) -> Option<&'a VersionOrder> {
    input.graph.id(&service.name).map(|id| input.graph.version_order(id))
}

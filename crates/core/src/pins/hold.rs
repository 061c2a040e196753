//! Which versions a rollback floor or a hold excludes.

use std::cmp::Ordering;

use super::{Held, Hold, Service};
use crate::version::{Order, Range, Version};

impl Service {
    /// Returns the rollback floor if the version is older than it.
    pub fn floor_above(&self, version: &Version, order: &Order) -> Option<&Version> {
        let floor = self.rollback_floor.as_ref()?;
        (order.compare(version, floor) == Some(Ordering::Less)).then_some(floor)
    }
}

impl Hold {
    /// Returns whether the hold excludes a version.
    pub fn catches(&self, version: &Version, order: &Order) -> bool {
        self.versions.catch(version, order)
    }
}

impl Held {
    /// Returns whether a version is excluded.
    pub fn catch(&self, version: &Version, order: &Order) -> bool {
        match self {
            Self::Above(limit) => order.compare(version, limit) == Some(Ordering::Greater),
            Self::Versions(range) => range.contains(version, order),
        }
    }

    /// Returns whether this provably includes all versions of the other. False may also mean unknown.
    fn covers(&self, other: &Self, order: &Order) -> bool {
        self == other
            || match other {
                Self::Above(limit) => matches!(self, Self::Above(_)) && self.catch(limit, order),
                Self::Versions(range) => only(range).is_some_and(|version| self.catch(&version, order)),
            }
    }

    /// Returns the union of both: the one that covers the other, or else one range. None if no range can express the
    /// union.
    pub fn and(&self, other: &Self, order: &Order) -> Option<Self> {
        if self.covers(other, order) {
            return Some(self.clone());
        }
        if other.covers(self, order) {
            return Some(other.clone());
        }
        let written = |held: &Self| match held {
            Self::Above(limit) => format!(">{limit}"),
            Self::Versions(range) => range.to_string(),
        };
        format!("{} || {}", written(self), written(other)).parse().ok().map(Self::Versions)
    }
}

/// Returns the version of an exact range such as `=2.2.1`.
fn only(range: &Range) -> Option<Version> {
    Version::new(range.as_str().strip_prefix('=')?.trim()).ok()
}

/// Returns why the pins exclude a service from writes: it is external, below its rollback floor, or on hold.
pub fn held(service: &Service, order: &Order) -> Option<String> {
    if service.external {
        return Some("deployed elsewhere (`external: true`)".to_owned());
    }
    let pinned = &service.pin.version;
    if let Some(floor) = service.floor_above(pinned, order) {
        return Some(format!(
            "{pinned} is older than its `rollbackFloor` {floor}: its data has moved on; pin {floor} or newer"
        ));
    }
    let hold = service.hold.as_ref().filter(|hold| hold.catches(pinned, order))?;
    Some(format!("{}; release it: pintle release {}", on_hold(pinned, hold), service.name))
}

/// Returns whether somebody chose to hold the service. Such a service does not make an apply fail.
pub fn held_by_choice(service: &Service, order: &Order) -> bool {
    let on_hold = || service.hold.as_ref().is_some_and(|hold| hold.catches(&service.pin.version, order));
    service.external || (service.floor_above(&service.pin.version, order).is_none() && on_hold())
}

/// Describes a hold, as in `2.1.0 is on hold by Ada (above 2.0.3): loses refunds`.
pub fn on_hold(version: &Version, hold: &Hold) -> String {
    let versions = match &hold.versions {
        Held::Above(limit) => format!("above {limit}"),
        Held::Versions(range) => range.in_words(),
    };
    let by = hold.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let reason = hold.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let until = hold.until.map(|until| format!(", until {until}")).unwrap_or_default();
    format!("{version} is on hold{by} ({versions}{until}){reason}")
}

//! Which versions a rollback floor or a hold excludes.

use std::cmp::Ordering;

use super::{HeldVersions, Hold, Service};
use crate::version::{Version, VersionOrder, VersionRange};

impl Service {
    /// Returns the rollback floor if the version is older than it.
    pub fn violated_floor(&self, version: &Version, order: &VersionOrder) -> Option<&Version> {
        let floor = self.rollback_floor.as_ref()?;
        (order.compare(version, floor) == Some(Ordering::Less)).then_some(floor)
    }
}

impl Hold {
    /// Returns whether the hold excludes a version.
    pub fn blocks(&self, version: &Version, order: &VersionOrder) -> bool {
        self.versions.contains(version, order)
    }
}

impl HeldVersions {
    /// Returns whether a version is excluded.
    pub fn contains(&self, version: &Version, order: &VersionOrder) -> bool {
        match self {
            Self::Above(limit) => order.compare(version, limit) == Some(Ordering::Greater),
            Self::Versions(range) => range.contains(version, order),
        }
    }

    /// Returns whether this provably includes all versions of the other. False may also mean unknown.
    fn covers(&self, other: &Self, order: &VersionOrder) -> bool {
        self == other
            || match other {
                Self::Above(limit) => matches!(self, Self::Above(_)) && self.contains(limit, order),
                Self::Versions(range) => only(range).is_some_and(|version| self.contains(&version, order)),
            }
    }

    /// Returns the union of both: the one that covers the other, or else one range. None if no range can express the
    /// union.
    pub fn union(&self, other: &Self, order: &VersionOrder) -> Option<Self> {
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
fn only(range: &VersionRange) -> Option<Version> {
    Version::new(range.as_str().strip_prefix('=')?.trim()).ok()
}

/// Why the file of a service withholds the pinned version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withheld {
    /// The service is deployed elsewhere.
    External,
    /// The pinned version lies below the `rollbackFloor`.
    BelowFloor { pinned: Version, floor: Version },
    /// A hold catches the pinned version.
    OnHold { pinned: Version, hold: Hold },
}

impl Withheld {
    /// Whether somebody chose so: that is no failure of an apply.
    pub fn is_by_choice(&self) -> bool {
        match self {
            Self::External | Self::OnHold { .. } => true,
            Self::BelowFloor { .. } => false,
        }
    }
}

/// Returns why the pinned version of a service is withheld; none where it may be written.
pub fn withheld(service: &Service, order: &VersionOrder) -> Option<Withheld> {
    if service.external {
        return Some(Withheld::External);
    }
    let pinned = service.pin.version.clone();
    if let Some(floor) = service.violated_floor(&pinned, order) {
        return Some(Withheld::BelowFloor { floor: floor.clone(), pinned });
    }
    let hold = service.hold.clone().filter(|hold| hold.blocks(&pinned, order))?;
    Some(Withheld::OnHold { pinned, hold })
}

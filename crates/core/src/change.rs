//! Classifies moves of pins, between two revisions and along a service's history, and reads reverts from commit
//! messages.
//!
//! The `plan` module decides what to do about a move.

mod between;
mod line;
mod named;
#[cfg(test)]
mod tests;
mod undo;

use std::cmp::Ordering;
use std::fmt;

pub use between::{NeedChange, ServiceChange, changes_between, need_changes_between};
pub use line::{PinMove, moves_newest_first, pin_moves};
pub use undo::{
    REAPPLY_SUBJECT_PREFIX, REVERT_SUBJECT_PREFIX, UndoClaim, UndoKind, UndoReference, undo_claim,
    without_pull_request_number,
};

use crate::image::Image;
use crate::pins::Pin;
use crate::version::{Version, VersionOrder};

/// The kind of a change of what is pinned, or of what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A first version: nothing was there before.
    Deploy,
    /// A newer version that was not pinned before.
    Upgrade,
    /// An older version that was not pinned before.
    Downgrade,
    /// A version that was pinned before. The ordering compares it to the replaced version; `Equal` if they have no
    /// order.
    Return(Ordering),
    /// Another version that is neither newer nor older, as far as is known.
    Sidegrade,
    /// The same version in another image.
    Image,
    /// The end of a pin: Pintle manages the service no longer.
    Release,
}

/// One end of a change: a pin or a running image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeEnd<'a> {
    /// `None` if the image was never pinned.
    pub version: Option<&'a Version>,
    pub image: &'a Image,
}

impl ChangeKind {
    /// Returns the kind of change between two ends; `None` if they are equal. `pinned_before` states whether the
    /// version at `to` was pinned at any time before `from`.
    pub fn between(
        from: Option<ChangeEnd<'_>>,
        to: Option<ChangeEnd<'_>>,
        order: &VersionOrder,
        pinned_before: bool,
    ) -> Option<Self> {
        let (from, to) = match (from, to) {
            (None, None) => return None,
            (None, Some(_)) => return Some(Self::Deploy),
            (Some(_), None) => return Some(Self::Release),
            (Some(from), Some(to)) => (from, to),
        };
        if from.version == to.version && from.version.is_some() {
            return (from.image != to.image).then_some(Self::Image);
        }
        let compared = from.version.zip(to.version).and_then(|(from, to)| order.compare(to, from));
        Some(match compared {
            _ if from == to => return None,
            _ if pinned_before => Self::Return(compared.unwrap_or(Ordering::Equal)),
            Some(Ordering::Greater) => Self::Upgrade,
            Some(Ordering::Less) => Self::Downgrade,
            Some(Ordering::Equal) | None => Self::Sidegrade,
        })
    }

    /// Returns whether the change leads to a newer or an older version; `Equal` if to neither.
    pub fn version_direction(self) -> Ordering {
        match self {
            Self::Upgrade => Ordering::Greater,
            Self::Downgrade => Ordering::Less,
            Self::Return(direction) => direction,
            Self::Deploy | Self::Sidegrade | Self::Image | Self::Release => Ordering::Equal,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
            Self::Return(_) => "return",
            Self::Sidegrade => "sidegrade",
            Self::Image => "image",
            Self::Release => "release",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<'a> From<&'a Pin> for ChangeEnd<'a> {
    fn from(pin: &'a Pin) -> Self {
        Self { version: Some(&pin.version), image: &pin.image }
    }
}

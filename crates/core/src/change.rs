//! How one pin became another: the words for a move, between two revisions and along the history of a service; and what
//! commits say that they take back.
//!
//! Where this stops: what is done about a move is for `plan` to say.

mod between;
mod line;
mod named;
#[cfg(test)]
mod tests;
mod undo;

use std::cmp::Ordering;
use std::fmt;

pub use between::{Moved, NeedMoved, between, needs_between};
pub use line::{Move, line, moves_newest_first};
pub use undo::{Act, Named, REAPPLY, REVERT, Undo, undo, without_number};

use crate::image::Image;
use crate::pins::Pin;
use crate::version::{Order, Version};

/// How what is pinned, or what runs, became another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Nothing was there before.
    Deploy,
    /// A newer version that was not pinned before.
    Upgrade,
    /// An older version that was not pinned before.
    Downgrade,
    /// A version pinned before: an older or a newer one than the one it replaces, or one without a place beside it.
    Return(Ordering),
    /// Another version that is neither newer nor older, as far as is known.
    Sidegrade,
    /// The same version in another image.
    Image,
    /// It is let go.
    Release,
}

/// One end of a change: what is pinned or runs there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End<'a> {
    /// The version; none where the image was never pinned.
    pub version: Option<&'a Version>,
    /// The image.
    pub image: &'a Image,
}

impl ChangeKind {
    /// What leads from one end to the other; none where they are equal. `pinned_before` says whether the version at `to`
    /// had been pinned before `from` was.
    pub fn of(from: Option<End<'_>>, to: Option<End<'_>>, order: &Order, pinned_before: bool) -> Option<Self> {
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

    /// Whether it leads to a newer or to an older version; equal where it does neither.
    pub fn direction(self) -> Ordering {
        match self {
            Self::Upgrade => Ordering::Greater,
            Self::Downgrade => Ordering::Less,
            Self::Return(direction) => direction,
            Self::Deploy | Self::Sidegrade | Self::Image | Self::Release => Ordering::Equal,
        }
    }

    /// In one word.
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

impl<'a> From<&'a Pin> for End<'a> {
    fn from(pin: &'a Pin) -> Self {
        Self { version: Some(&pin.version), image: &pin.image }
    }
}

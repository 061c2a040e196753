//! What somebody asks to go back, and how far.

use std::ops::RangeInclusive;

use crate::pins::ServiceName;
use crate::version::Version;

/// What somebody wants to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// These services.
    Services(Vec<ServiceName>, RollbackTarget),
    /// The whole system.
    All(RollbackTarget),
    /// What the commits at these places of [`History::moves`](crate::history::History::moves) moved.
    Moved(RangeInclusive<u32>),
    /// What the commit at this place moved, but for what was moved since: forward again.
    Reapply(u32),
}

/// How far back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackTarget {
    /// To what was good: of a service its newest earlier pin that is proven and not held, else the one before; of the
    /// system the newest revision that is proven as a whole.
    Good,
    /// So many pins of each service, or so many commits of the system that moved pins.
    Steps(usize),
    /// To this version.
    Version(Version),
    /// To what was pinned at this place of [`History::moves`](crate::history::History::moves).
    At(u32),
    /// To what runs, which somebody has put there by hand.
    Running,
}

/// Which versions are held after a rollback, of the services that were asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldPolicy {
    /// All above the target: the next build mostly has the same fault.
    Above,
    /// The version that is left.
    Version,
    /// None.
    None,
}

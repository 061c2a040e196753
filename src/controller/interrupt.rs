//! When a pass sends no more of its writes: what is left is judged anew by the next one.
#![expect(clippy::disallowed_methods, reason = "how old a decision is, is read between writes")]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What is to be sent later than this after the first is judged anew: what it depends on may be unwell by then.
const FRESH: Duration = Duration::from_secs(1);

/// What the write of a service rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteCoupling {
    /// Its group has started: it starts too.
    Group,
    /// How its neighbours were.
    Neighbours,
    /// Nothing but itself.
    None,
}

/// Whether a pass sends no more than it must: another revision waits, somebody has stopped it, or what it decided by is
/// too old.
#[derive(Default)]
pub struct Interrupt {
    says: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    began: OnceLock<Instant>,
}

impl Interrupt {
    /// When this says so.
    pub fn when(says: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { says: Some(Box::new(says)), began: OnceLock::new() }
    }

    /// Asked before each write that is tied to no group; time runs from the first on.
    pub(super) fn stops(&self, coupling: WriteCoupling) -> bool {
        let is_stale = self.began.get_or_init(Instant::now).elapsed() > FRESH;
        let is_told = self.says.as_ref().is_some_and(|says| says());
        is_told || coupling == WriteCoupling::Neighbours && is_stale
    }
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interrupt").field("began", &self.began).finish_non_exhaustive()
    }
}

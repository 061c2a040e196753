//! The emergency limit of waits.

use std::time::Duration;

/// Ends a wait for an event that never comes. It decides no outcome: beside eight busy processes nothing takes half of it.
pub(crate) const EMERGENCY: Duration = Duration::from_secs(300);

//! Each service's pins through history: what the index on disk holds, and the questions the other stages ask of it.
//!
//! History means the first-parent line of the branch, everywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Commit;
use crate::pins::{Pin, ServiceName};

/// The pins of every service along the first parents of one branch, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The newest commit it covers; none for an empty history.
    pub tip: Option<Arc<Commit>>,
    /// The records of each service, oldest first; a service that was removed ends in a record without a pin.
    pub services: BTreeMap<ServiceName, Vec<Record>>,
}

/// A commit that moved a service's pin, or what the pin needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The commit.
    pub commit: Arc<Commit>,
    /// The pin from here on; none where the service was removed, or could not be read.
    pub pin: Option<Arc<Pin>>,
}

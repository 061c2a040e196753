//! What is to be edited, and what comes out.

use std::sync::Arc;

use jiff::Timestamp;

use super::revision::EarlierRevision;
use crate::git::FileChange;
use crate::image::Digest;
use crate::pins::{Held, Reading, ServiceName};
use crate::version::{Range, Version};

/// One change to one service.
#[derive(Debug, Clone)]
pub enum Edit {
    /// Pins a version, where the version lives.
    Pin {
        /// The version.
        version: Version,
        /// Of its image. A digest that stands in the files belongs to the version before, and must be replaced.
        digest: Option<Digest>,
        /// What this version needs otherwise than the one before.
        needs: Vec<(ServiceName, Range)>,
    },
    /// Puts the version-bound keys back as they were at another revision: `version`, `image`, `tag`, `digest`,
    /// `dependsOn` without its tables (which describe all versions), `verify`, `local`.
    Restore {
        /// That revision.
        as_of: Arc<EarlierRevision>,
        /// What the service was called then.
        name: ServiceName,
    },
    /// Writes a hold, in place of the one that there is; a marker of Flux behind the pin is muted.
    Hold(NewHold),
    /// Removes the hold; the marker is what it was.
    Release,
}

/// A hold to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// Which versions.
    pub versions: Held,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub by: Option<String>,
    /// Past this it still holds, and says so.
    pub until: Option<Timestamp>,
}

/// What an edit makes.
#[derive(Debug, Clone)]
pub struct Edited {
    /// The files that change, by path; none where all is so already.
    pub files: Vec<FileChange>,
    /// What the revision says then.
    pub reading: Reading,
}

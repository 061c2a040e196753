//! The edits of services, and their result.

use std::sync::Arc;

use jiff::Timestamp;

use super::revision::EarlierRevision;
use crate::git::FileChange;
use crate::image::Digest;
use crate::pins::{HeldVersions, ParsedRevision, ServiceName};
use crate::version::{Version, VersionRange};

/// One change to one service.
#[derive(Debug, Clone)]
pub enum Edit {
    /// Pins a version, in the file that holds it.
    Pin {
        version: Version,
        /// Digest of the new image. Required if the files have a digest, which identifies the previous version.
        digest: Option<Digest>,
        /// Needs of this version that differ from those of the previous one.
        needs: Vec<(ServiceName, VersionRange)>,
    },
    /// Restores the version-bound keys from another revision: `version`, `image`, `tag`, `digest`, `dependsOn`,
    /// `verify`, `local`. Tables in `dependsOn` stay, because they describe all versions.
    Restore {
        as_of: Arc<EarlierRevision>,
        /// Name of the service at that revision.
        name: ServiceName,
    },
    /// Writes a hold over the present one, and mutes Flux's marker behind the pin.
    Hold(NewHold),
    /// Removes the hold, and restores Flux's marker.
    Release,
}

/// A hold to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    pub versions: HeldVersions,
    pub reason: String,
    /// Author of the hold.
    pub by: Option<String>,
    /// Time after which the hold is reported as overdue. It does not end by itself.
    pub until: Option<Timestamp>,
}

/// The result of an edit.
#[derive(Debug, Clone)]
pub struct Edited {
    /// The changed files, by path; empty if the files already show the wanted state.
    pub files: Vec<FileChange>,
    /// The pins after the edit.
    pub reading: ParsedRevision,
}

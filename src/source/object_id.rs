//! Ids of commits and contents as gix writes them.

use gix::ObjectId;
use pintle_core::git::{BlobId, CommitId};

/// Converts an id of the core to gix's, and back. Both are SHA-1: a repository of another object format is refused when
/// it is opened.
pub(super) trait GixId {
    /// Converts gix's id.
    fn of(id: ObjectId) -> Self;
    /// Returns gix's id.
    fn object(self) -> ObjectId;
}

impl GixId for CommitId {
    fn of(id: ObjectId) -> Self {
        bytes_of(id).into()
    }

    fn object(self) -> ObjectId {
        ObjectId::Sha1(*self.as_bytes())
    }
}

impl GixId for BlobId {
    fn of(id: ObjectId) -> Self {
        bytes_of(id).into()
    }

    fn object(self) -> ObjectId {
        ObjectId::Sha1(*self.as_bytes())
    }
}

fn bytes_of(id: ObjectId) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&id.as_slice()[..20]);
    bytes
}

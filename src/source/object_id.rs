//! Conversion of object ids to and from gix.

use gix::ObjectId;
use pintle_core::git::{BlobId, CommitId};

/// Converts between object ids of the core and of gix. Both are SHA-1, as repositories with another object format are
/// refused when opened.
pub(super) trait GixId {
    fn from_gix(id: ObjectId) -> Self;
    fn to_gix(self) -> ObjectId;
}

impl GixId for CommitId {
    fn from_gix(id: ObjectId) -> Self {
        bytes_of(id).into()
    }

    fn to_gix(self) -> ObjectId {
        ObjectId::Sha1(*self.as_bytes())
    }
}

impl GixId for BlobId {
    fn from_gix(id: ObjectId) -> Self {
        bytes_of(id).into()
    }

    fn to_gix(self) -> ObjectId {
        ObjectId::Sha1(*self.as_bytes())
    }
}

fn bytes_of(id: ObjectId) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&id.as_slice()[..20]);
    bytes
}

//! Plain data of Git: commits, files and their changes. `source` reads it.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId([u8; 20]);

/// The id of a file's content. Two files with equal ids have equal bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobId([u8; 20]);

/// The metadata of a commit for display. Commits are ordered by the graph, never by these times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub id: CommitId,
    /// The author as `Name <mail>`, with bytes that are not UTF-8 replaced.
    pub author: Arc<str>,
    /// The committer date.
    pub time: Timestamp,
    /// The first line of the message.
    pub subject: Arc<str>,
}

/// A file of a revision or of the working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoFile {
    /// The path from the root of the repository.
    pub path: Arc<str>,
    pub blob: BlobId,
    pub content: FileContent,
}

/// A change to one file of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The path from the root of the repository.
    pub path: Arc<str>,
    /// The new content. None removes the file.
    pub content: Option<Arc<[u8]>>,
}

/// Selected files of a revision or of the working tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileListing {
    /// The files, sorted by path.
    pub files: Vec<RepoFile>,
    /// The files left out, with the reasons.
    pub problems: Vec<Problem>,
}

/// The changes between two commits, limited to the selected files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeChanges {
    /// The added and modified files.
    pub changed: FileListing,
    /// The paths of the removed files.
    pub removed: Vec<Arc<str>>,
}

/// The largest file that is read, in bytes. A pin file of 8 MiB is a mistake.
pub const MAX_FILE_BYTES: u64 = 8 << 20;

/// The kind of object at a path, and the content of a regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileContent {
    Bytes(Arc<[u8]>),
    /// A regular file above the limit, with its size in bytes. It was not read.
    TooLarge(u64),
    /// A symbolic link. It is never followed.
    Symlink,
    Submodule,
}

impl CommitId {
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Returns all 40 hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// Returns the first 8 hexadecimal digits.
    pub fn short(self) -> String {
        self.to_hex()[..8].to_owned()
    }
}

impl BlobId {
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Returns all 40 hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

impl TryFrom<String> for BlobId {
    type Error = String;

    fn try_from(hex: String) -> Result<Self, String> {
        CommitId::try_from(hex).map(|id| Self(id.0))
    }
}

impl From<BlobId> for String {
    fn from(id: BlobId) -> Self {
        id.to_hex()
    }
}

impl From<[u8; 20]> for BlobId {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

/// Returns the blob id that Git gives to a content.
pub fn blob_id(content: &[u8]) -> BlobId {
    let mut hasher = sha1dc::Hasher::new();
    hasher.update(format!("blob {}\0", content.len()).as_bytes());
    hasher.update(content);
    // Hashing fails only for content that attempts a SHA-1 collision, which Git refuses too. The fallback equals no
    // real id.
    hasher.finalize().map_or(BlobId([0xff; 20]), |digest| BlobId(digest.into()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl From<[u8; 20]> for CommitId {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<String> for CommitId {
    type Error = String;

    fn try_from(hex: String) -> Result<Self, String> {
        let mut bytes = [0; 20];
        let ok = hex.len() == 40 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        for (i, byte) in bytes.iter_mut().enumerate().take_while(|_| ok) {
            *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).map_err(|error| error.to_string())?;
        }
        if ok { Ok(Self(bytes)) } else { Err(format!("{hex:?} is not a full object id")) }
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.to_hex()
    }
}

impl std::fmt::Debug for CommitId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.short())
    }
}

impl std::fmt::Display for CommitId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_hex())
    }
}

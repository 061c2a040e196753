//! The plain data of Git: commits, files and what changed of them. Nothing here reads a repository; `source` does.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// The full id of a commit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId([u8; 20]);

/// The id of a file's content; two files with equal ids have equal bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobId([u8; 20]);

/// What is shown of a commit. Order comes from the graph, never from the times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Who wrote it, as `Name <mail>`; bytes that are not UTF-8 replaced.
    pub author: Arc<str>,
    /// When it was committed.
    pub time: Timestamp,
    /// The first line of its message.
    pub subject: Arc<str>,
}

/// One file of a revision or of the working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path from the root of the repository.
    pub path: Arc<str>,
    /// The id of its content.
    pub blob: BlobId,
    /// What stands at the path.
    pub content: Content,
}

/// A file of a revision that is to be another one, or to be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The path from the root of the repository.
    pub path: Arc<str>,
    /// What it holds then; none where it is removed.
    pub content: Option<Arc<[u8]>>,
}

/// The files of a revision or of the working tree that somebody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files, by path.
    pub files: Vec<File>,
    /// What was left out, and why.
    pub problems: Vec<Problem>,
}

/// What changed between two commits, among the wanted files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The files that are new or have another content.
    pub now: Listing,
    /// The paths of those that are gone.
    pub gone: Vec<Arc<str>>,
}

/// A file is read up to this size; a pin file of 8 MiB is a mistake.
pub const FILE_LIMIT: u64 = 8 << 20;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A regular file.
    Bytes(Arc<[u8]>),
    /// A regular file larger than the limit, with its size in bytes; it was not read.
    TooLarge(u64),
    /// A symbolic link, never followed.
    Symlink,
    /// A submodule.
    Submodule,
}

impl CommitId {
    /// The bytes of the id.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// All 40 hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// The first 8 digits, for people.
    pub fn short(self) -> String {
        self.to_hex()[..8].to_owned()
    }
}

impl BlobId {
    /// The bytes of the id.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// All 40 hexadecimal digits.
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

/// The id that git gives to a content.
pub fn content_id(content: &[u8]) -> BlobId {
    let mut hasher = sha1dc::Hasher::new();
    hasher.update(format!("blob {}\0", content.len()).as_bytes());
    hasher.update(content);
    // Fails only where the content is made to collide with another, which git refuses as well: nothing equals it then.
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

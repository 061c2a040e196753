//! Errors of reading the pin repository: what was attempted, what prevented it, and one hint.

use std::fmt::Display;
use std::path::PathBuf;

use jiff::Timestamp;
use pintle_core::git::CommitId;
use pintle_core::problem::display_safe;

pub(super) type SourceResult<T, E = SourceError> = std::result::Result<T, E>;

/// A failed attempt to read the repository.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The location typed by the user is invalid.
    #[error("{typed:?} is not a repository that can be used: {why}")]
    Location {
        /// The text as typed, without credentials.
        typed: String,
        /// The violated rule.
        why: &'static str,
        hint: &'static str,
    },
    #[error("cannot open the repository {}: {why}", path.display())]
    Open { path: PathBuf, why: String },
    #[error("the repository {} has SHA-256 object ids: unsupported object format", path.display())]
    ObjectFormat { path: PathBuf },
    #[error("{} is not inside a Git repository", path.display())]
    NoRepository {
        /// The folder where the search started.
        path: PathBuf,
    },
    #[error("{location} has no commit yet")]
    Empty { location: String },
    #[error("{name:?} is not the name of a branch: {why}")]
    BranchName {
        /// The name as typed, shortened and escaped.
        name: String,
        /// The violated rule.
        why: String,
    },
    #[error("{location} has no branch {name:?}")]
    NoBranch {
        name: String,
        location: String,
        /// Similar names.
        similar: Vec<String>,
    },
    #[error("{name:?} is both a branch and a tag")]
    Ambiguous { name: String },
    #[error("{location} has no commit {rev:?}: {why}")]
    Revision {
        /// The revision as typed, shortened and escaped.
        rev: String,
        location: String,
        why: String,
        /// Similar names.
        similar: Vec<String>,
        /// Whether the commit may lie beyond the boundary of a shallow clone.
        may_be_before_shallow: bool,
    },
    /// An object could not be read.
    #[error("cannot read {what} of {location}: {why}")]
    Read {
        /// The object, in words.
        what: String,
        location: String,
        why: String,
    },
    #[error("{location} cannot be reached: {why}{}", last_reached.map(|since| format!(" (last reached {since:.0})")).unwrap_or_default())]
    Unreachable {
        location: String,
        /// The cause, in one line.
        why: String,
        /// The last successful contact; none if there was none.
        last_reached: Option<Timestamp>,
        kind: Reach,
    },
    #[error("{location} has no working tree")]
    NoWorktree { location: String },
    /// A file of the working tree or of the cache could not be read or written.
    #[error("cannot {attempt} {}: {error}", path.display())]
    File {
        /// The operation: `read`, `write`, …
        attempt: &'static str,
        path: PathBuf,
        error: std::io::Error,
    },
    /// Another process held the lock of the cache until the time limit.
    #[error("another process has held {} for too long", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
}

/// Why a remote cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Temporary: a network failure, a busy server, a timeout.
    Passing,
    /// Missing or wrong credentials.
    Credentials,
    /// Valid credentials without permission.
    Forbidden,
    /// No such repository, or one that is invisible to these credentials.
    NotFound,
    /// An untrusted server certificate or host key.
    Untrusted,
    /// The server does not speak the Git protocol.
    Protocol,
    /// A required program is not installed.
    Program,
}

impl SourceError {
    /// Returns whether the same attempt may succeed later without any local change.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unreachable { kind, .. } => *kind == Reach::Passing,
            Self::Locked { .. } | Self::Empty { .. } => true,
            _ => false,
        }
    }

    /// Returns one remedy.
    pub fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::Location { hint, .. } => hint,
            Self::Open { .. } | Self::NoRepository { .. } => {
                "name a folder with a Git repository, or a URL: --repo <path|url>"
            }
            Self::ObjectFormat { .. } => "use a repository with SHA-1 ids (git init --object-format=sha1)",
            Self::Empty { .. } => "commit the pins first; until then nothing is changed",
            Self::BranchName { .. } => "name a branch such as main; other revisions go to --rev",
            Self::NoBranch { similar: near, .. } | Self::Revision { similar: near, .. } if !near.is_empty() => {
                return Some(format!("did you mean {}?", near.join(", ")));
            }
            Self::NoBranch { .. } => "see `git branch --all` there",
            Self::Revision { .. } => "name a branch, a tag or a commit that `git log` shows there",
            Self::Ambiguous { name } => return Some(format!("write refs/heads/{name} or refs/tags/{name}")),
            Self::Read { .. } => "look at it with `git fsck`",
            Self::Unreachable { kind, .. } => kind.hint(),
            Self::NoWorktree { .. } => "name a clone with a working tree",
            Self::File { .. } => "look at the permissions and the free space there",
            Self::Locked { .. } => "end the other process, or name another cache folder",
        };
        Some(fixed.to_owned())
    }
}

impl Reach {
    fn hint(self) -> &'static str {
        match self {
            Self::Passing => "what runs is kept as it is; does `git ls-remote` reach it?",
            Self::Credentials => "give a token or a key that may read the repository",
            Self::Forbidden => "let the token or key read the repository",
            Self::NotFound => "look at the spelling, and whether the token or key may see the repository",
            Self::Untrusted => "verify the server's key or certificate, then add it (known_hosts, or the CA bundle)",
            Self::Protocol => "look at the URL with `git ls-remote`",
            Self::Program => "install it, or use an https URL",
        }
    }
}

/// Returns gix's whole error chain as one line that is safe to print.
pub(super) fn gix_error_text(error: &gix::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for error in error.iter_errors() {
        let part = error.to_string();
        if !part.is_empty() && !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
    }
    display_safe(&parts.join(": "), 400)
}

/// Builds the error for an unreadable object.
pub(super) fn object_error(what: impl Into<String>, location: &impl Display, error: &gix::Error) -> SourceError {
    SourceError::Read { what: what.into(), location: location.to_string(), why: gix_error_text(error) }
}

/// Builds the error for an unreadable commit.
pub(super) fn commit_error(id: CommitId, location: &impl Display, error: &gix::Error) -> SourceError {
    object_error(format!("the commit {}", id.short()), location, error)
}

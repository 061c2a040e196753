//! What can go wrong on the way to the pins: what was attempted, what stood in the way, and one hint.

use std::fmt::Display;
use std::path::PathBuf;

use jiff::Timestamp;
use pintle_core::git::CommitId;
use pintle_core::problem::display_safe;

/// The result of everything in this stage.
pub(super) type Result<T, E = SourceError> = std::result::Result<T, E>;

/// A failed attempt to read the repository.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Read what the user typed as the place of the repository. `shown` carries no credentials.
    #[error("{shown:?} is not a repository that can be used: {why}")]
    Location {
        /// What was typed, without credentials.
        shown: String,
        /// Which rule it breaks.
        why: &'static str,
        /// What to type instead.
        hint: &'static str,
    },
    /// Opened the repository.
    #[error("cannot open the repository {}: {why}", path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// What git says about it.
        why: String,
    },
    /// Opened a repository whose ids are SHA-256.
    #[error("the repository {} has SHA-256 object ids: unsupported object format", path.display())]
    ObjectFormat {
        /// The folder.
        path: PathBuf,
    },
    /// Looked for a repository around a folder.
    #[error("{} is not inside a Git repository", path.display())]
    NoRepository {
        /// Where the search started.
        path: PathBuf,
    },
    /// Read the tip of a repository that has no commit.
    #[error("{location} has no commit yet")]
    Empty {
        /// The repository.
        location: String,
    },
    /// Read a name of a branch that git would not take.
    #[error("{name:?} is not the name of a branch: {why}")]
    BranchName {
        /// As typed, cut and escaped.
        name: String,
        /// The rule it breaks.
        why: String,
    },
    /// Looked up a branch.
    #[error("{location} has no branch {name:?}")]
    NoBranch {
        /// As typed.
        name: String,
        /// The repository.
        location: String,
        /// Names that look like it.
        near: Vec<String>,
    },
    /// Looked up a name that both a branch and a tag have.
    #[error("{name:?} is both a branch and a tag")]
    Ambiguous {
        /// The name.
        name: String,
    },
    /// Looked up a revision.
    #[error("{location} has no commit {rev:?}: {why}")]
    Revision {
        /// As typed, cut and escaped.
        rev: String,
        /// The repository.
        location: String,
        /// What git says.
        why: String,
        /// Names that look like it.
        near: Vec<String>,
        /// It may lie before where a shallow clone begins.
        deeper: bool,
    },
    /// Read a commit, and what it holds.
    #[error("cannot read {what} of {location}: {why}")]
    Read {
        /// The object.
        what: String,
        /// The repository.
        location: String,
        /// What git says.
        why: String,
    },
    /// Asked the remote for news.
    #[error("{location} cannot be reached: {why}{}", since.map(|since| format!(" (last reached {since:.0})")).unwrap_or_default())]
    Unreachable {
        /// The remote.
        location: String,
        /// What stood in the way, in one line.
        why: String,
        /// When it last answered; none where it never did.
        since: Option<Timestamp>,
        /// What kind of obstacle.
        kind: Reach,
    },
    /// Used the working tree of a repository that has none.
    #[error("{location} has no working tree")]
    NoWorktree {
        /// The repository.
        location: String,
    },
    /// Read or wrote a file: of the working tree or of the cache.
    #[error("cannot {attempt} {}: {error}", path.display())]
    File {
        /// `read`, `write`, …
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Waited for another process that uses the same cache.
    #[error("another process has held {} for too long", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
}

/// Why a remote cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It may pass: the network, a server that is busy, a time-out.
    Passing,
    /// Credentials are missing or wrong.
    Credentials,
    /// The credentials are right and do not suffice.
    Forbidden,
    /// There is no such repository, or it hides itself.
    NotFound,
    /// The server's certificate or host key is not trusted.
    Untrusted,
    /// What answers is not a Git server, or one that speaks otherwise.
    Protocol,
    /// A program that is needed for it is not installed.
    Program,
}

impl SourceError {
    /// Whether the same attempt may succeed later, with nothing changed here.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unreachable { kind, .. } => *kind == Reach::Passing,
            Self::Locked { .. } | Self::Empty { .. } => true,
            _ => false,
        }
    }

    /// One way out.
    pub fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::Location { hint, .. } => hint,
            Self::Open { .. } | Self::NoRepository { .. } => {
                "name a folder with a Git repository, or a URL: --repo <path|url>"
            }
            Self::ObjectFormat { .. } => "use a repository with SHA-1 ids (git init --object-format=sha1)",
            Self::Empty { .. } => "commit the pins first; until then nothing is changed",
            Self::BranchName { .. } => "name a branch such as main; other revisions go to --rev",
            Self::NoBranch { near, .. } | Self::Revision { near, .. } if !near.is_empty() => {
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

/// All that gix says, in one line that is safe to show.
pub(super) fn say(error: &gix::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for error in error.iter_errors() {
        let part = error.to_string();
        if !part.is_empty() && !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
    }
    display_safe(&parts.join(": "), 400)
}

/// The failed reading of an object.
pub(super) fn unread(what: impl Into<String>, location: &impl Display, error: &gix::Error) -> SourceError {
    SourceError::Read { what: what.into(), location: location.to_string(), why: say(error) }
}

/// The failed reading of a commit.
pub(super) fn unread_commit(id: CommitId, location: &impl Display, error: &gix::Error) -> SourceError {
    unread(format!("the commit {}", id.short()), location, error)
}

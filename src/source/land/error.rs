//! What can keep a commit from landing.

use std::sync::Arc;

use pintle_core::git::CommitId;
use pintle_core::problem::display_safe;

use super::super::SourceError;

/// The result of everything in this room.
pub(super) type Result<T, E = LandError> = std::result::Result<T, E>;

/// Why a commit has not landed. Nothing has changed then, but for [`LandError::Unsure`].
#[derive(Debug, thiserror::Error)]
pub enum LandError {
    /// Read the repository, or reached its remote.
    #[error(transparent)]
    Source(SourceError),
    /// Looked for the branch of HEAD.
    #[error("HEAD of {location} is on no branch, so a commit would be on none")]
    Detached {
        /// The repository.
        location: String,
    },
    /// Looked for a remote to push to.
    #[error("the branch {branch} has no upstream to push to")]
    NoUpstream {
        /// The plain name of the branch.
        branch: String,
    },
    /// Looked whether a push could go on from what the remote has.
    #[error("{branch} does not go on from {remote}")]
    Parted {
        /// The plain name of the branch.
        branch: String,
        /// The branch of the remote, as people call it.
        remote: String,
    },
    /// Looked who else shows the branch.
    #[error("the branch {branch} is checked out in {folder}")]
    Elsewhere {
        /// The plain name of the branch.
        branch: String,
        /// The other working tree.
        folder: String,
    },
    /// Looked whether the working tree can follow.
    #[error("these files have changes that are not committed: {}", named(files))]
    Dirty {
        /// Their paths.
        files: Vec<Arc<str>>,
    },
    /// Looked whether the working tree can follow what others have changed.
    #[error("only git itself can bring {} along", display_safe(file, 200))]
    Special {
        /// A file that goes through a filter of git's, or is a submodule.
        file: String,
    },
    /// Looked whether something else is at work.
    #[error("{what} is in progress in this working tree")]
    Busy {
        /// `a merge`, …
        what: &'static str,
    },
    /// Looked for author and committer.
    #[error("git does not know who commits: {what} is not set")]
    NoIdentity {
        /// The setting.
        what: &'static str,
    },
    /// Moved the branch of the clone.
    #[error("{branch} has moved to {} meanwhile", now.short())]
    Moved {
        /// The plain name of the branch.
        branch: String,
        /// Where it is.
        now: CommitId,
    },
    /// Pushed, and somebody was faster: fetch, and evaluate anew.
    #[error("{remote} is not where it was when this was decided{}", now.map(|now| format!(", but at {}", now.short())).unwrap_or_default())]
    Raced {
        /// The branch of the remote, as people call it.
        remote: String,
        /// Where it is, where that was told.
        now: Option<CommitId>,
    },
    /// Brought the clone to where somebody else has pushed.
    #[error("{error}, and {branch} cannot follow: {why}")]
    LeftBehind {
        /// That somebody was faster.
        error: Box<Self>,
        /// The plain name of the branch.
        branch: String,
        /// Why it cannot follow.
        why: Box<Self>,
    },
    /// Tried again each time that somebody was faster.
    #[error("somebody else was faster {times} times")]
    Overtaken {
        /// How often.
        times: u32,
    },
    /// Pushed, and the server does not take it: a protected branch, a hook, a repository that is read only.
    #[error("{remote} refuses the commit: {words}")]
    Refused {
        /// The branch of the remote, as people call it.
        remote: String,
        /// The server's words, in one line.
        words: String,
    },
    /// Pushed a branch for a pull request, and the server does not take that either.
    #[error("{remote} refuses the branch: {words}")]
    Unproposed {
        /// The branch of the remote, as people call it.
        remote: String,
        /// The server's words, in one line.
        words: String,
    },
    /// Pushed a branch for a pull request, and there is one of that name, with something else on it.
    #[error("{remote} is there already, at {}, with something else", now.short())]
    Taken {
        /// The branch of the remote, as people call it.
        remote: String,
        /// Where it is.
        now: CommitId,
    },
    /// Pushed, and the connection ended before the server answered; asked again, it could not say either.
    #[error("whether {remote} has taken the commit {} is not known: {why}", commit.short())]
    Unsure {
        /// The branch of the remote, as people call it.
        remote: String,
        /// The commit that it may have.
        commit: CommitId,
        /// What went wrong.
        why: String,
    },
    /// Asked git for something that should not fail.
    #[error("cannot {attempt}: {why}")]
    Git {
        /// `write the commit`, …
        attempt: &'static str,
        /// What it says.
        why: String,
    },
}

impl LandError {
    pub(super) fn git(attempt: &'static str, error: &git2::Error) -> Self {
        Self::Git { attempt, why: display_safe(error.message(), 300) }
    }

    /// One way out.
    pub fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::Source(error) => return error.hint(),
            Self::LeftBehind { why, .. } => return why.hint(),
            Self::Overtaken { .. } => "type it again",
            Self::Detached { .. } => "go to a branch (git switch main), or name one: --branch main",
            Self::NoUpstream { branch } => {
                return Some(format!(
                    "git push --set-upstream origin {branch}, or keep the commit here: --commit-only"
                ));
            }
            Self::Elsewhere { .. } => "go there, and type it there",
            Self::Dirty { .. } => "commit or stash them first",
            Self::Busy { .. } => "end it first, see git status",
            Self::NoIdentity { what } => return Some(format!("git config --global {what} \"…\"")),
            Self::Moved { .. } => "look at what has changed, then type it again",
            Self::Parted { .. } | Self::Raced { .. } | Self::Special { .. } => "git pull --rebase, then type it again",
            Self::Refused { .. } => "open a pull request instead: --propose",
            Self::Unproposed { .. } => "send it as a patch: --patch",
            Self::Taken { .. } => "name another branch: --propose=NAME; or delete that one, if nobody needs it",
            Self::Unsure { .. } => "look at the branch there before you type it again",
            Self::Git { .. } => return None,
        };
        Some(fixed.to_owned())
    }
}

fn named(files: &[Arc<str>]) -> String {
    let names: Vec<String> = files.iter().take(5).map(|file| display_safe(file, 200)).collect();
    let more = files.len().saturating_sub(names.len());
    names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

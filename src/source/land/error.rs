//! Errors of landing a commit.

use std::sync::Arc;

use pintle_core::git::CommitId;
use pintle_core::problem::display_safe;

use super::super::SourceError;

pub(super) type LandResult<T, E = LandError> = std::result::Result<T, E>;

/// Why a commit did not land. Nothing has changed, except after [`LandError::PushUnconfirmed`].
#[derive(Debug, thiserror::Error)]
pub enum LandError {
    /// The repository could not be read, or its remote could not be reached.
    #[error(transparent)]
    Source(SourceError),
    #[error("HEAD of {location} is on no branch, so a commit would be on none")]
    Detached { location: String },
    #[error("the branch {branch} has no upstream to push to")]
    NoUpstream { branch: String },
    /// The branch and its upstream have diverged.
    #[error("{branch} does not go on from {remote}")]
    Diverged { branch: String, remote: String },
    /// Another working tree has the branch checked out.
    #[error("the branch {branch} is checked out in {folder}")]
    CheckedOutElsewhere {
        branch: String,
        /// The other working tree.
        folder: String,
    },
    /// Uncommitted changes are in the way.
    #[error("these files have changes that are not committed: {}", named(files))]
    Dirty { files: Vec<Arc<str>> },
    /// A file to check out needs a filter, or is a submodule.
    #[error("only git itself can bring {} along", display_safe(file, 200))]
    UnsupportedFile { file: String },
    /// Another Git operation is in progress.
    #[error("{what} is in progress in this working tree")]
    OperationInProgress {
        /// The operation: `a merge`, …
        what: &'static str,
    },
    /// Author or committer is unknown.
    #[error("git does not know who commits: {what} is not set")]
    NoIdentity {
        /// The missing setting.
        what: &'static str,
    },
    /// The clone's branch moved after the decision.
    #[error("{branch} has moved to {} meanwhile", now.short())]
    Moved {
        branch: String,
        /// The new tip.
        now: CommitId,
    },
    /// Another push came first: fetch and decide again.
    #[error("{remote} is not where it was when this was decided{}", now.map(|now| format!(", but at {}", now.short())).unwrap_or_default())]
    Raced {
        remote: String,
        /// The new tip, if the server reported it.
        now: Option<CommitId>,
    },
    /// The clone could not be fast-forwarded after another push came first.
    #[error("{error}, and {branch} cannot follow: {why}")]
    LeftBehind {
        /// The error of the push.
        error: Box<Self>,
        branch: String,
        /// Why it cannot follow.
        why: Box<Self>,
    },
    /// Another push came first in every attempt.
    #[error("somebody else was faster {times} times")]
    Overtaken {
        /// The number of attempts.
        times: u32,
    },
    /// The server rejected the push: a protected branch, a hook, a read-only repository.
    #[error("{remote} refuses the commit: {words}")]
    Refused {
        remote: String,
        /// The server's message, in one line.
        words: String,
    },
    /// The server rejected the branch for a pull request.
    #[error("{remote} refuses the branch: {words}")]
    ProposalRefused {
        remote: String,
        /// The server's message, in one line.
        words: String,
    },
    /// The branch for a pull request exists with other content.
    #[error("{remote} is there already, at {}, with something else", now.short())]
    BranchTaken {
        remote: String,
        /// The tip of that branch.
        now: CommitId,
    },
    /// The connection ended before the server acknowledged the push, and a second query failed too.
    #[error("whether {remote} has taken the commit {} is not known: {why}", commit.short())]
    PushUnconfirmed {
        remote: String,
        /// The commit that may have arrived.
        commit: CommitId,
        why: String,
    },
    /// An operation of libgit2 failed unexpectedly.
    #[error("cannot {attempt}: {why}")]
    Git {
        /// The operation: `write the commit`, …
        attempt: &'static str,
        why: String,
    },
}

impl LandError {
    pub(super) fn from_git(attempt: &'static str, error: &git2::Error) -> Self {
        Self::Git { attempt, why: display_safe(error.message(), 300) }
    }

    /// Returns one remedy.
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
            Self::CheckedOutElsewhere { .. } => "go there, and type it there",
            Self::Dirty { .. } => "commit or stash them first",
            Self::OperationInProgress { .. } => "end it first, see git status",
            Self::NoIdentity { what } => return Some(format!("git config --global {what} \"…\"")),
            Self::Moved { .. } => "look at what has changed, then type it again",
            Self::Diverged { .. } | Self::Raced { .. } | Self::UnsupportedFile { .. } => {
                "git pull --rebase, then type it again"
            }
            Self::Refused { .. } => "open a pull request instead: --propose",
            Self::ProposalRefused { .. } => "send it as a patch: --patch",
            Self::BranchTaken { .. } => "name another branch: --propose=NAME; or delete that one, if nobody needs it",
            Self::PushUnconfirmed { .. } => "look at the branch there before you type it again",
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

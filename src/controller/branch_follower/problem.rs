//! Why a branch gives the loop nothing to keep.

use std::fmt::{self, Display};

use pintle_core::git::CommitId;

use crate::source::SourceError;

/// Why a branch gives the loop nothing to keep: what runs is held.
#[derive(Debug)]
pub enum BranchProblem {
    /// The repository refuses, or holds no such branch.
    Source(SourceError),
    /// The repository has not answered for more than so many minutes.
    Silent { minutes: u64, outage: Outage },
    /// The revision cannot be read.
    Unreadable { commit: CommitId, error: SourceError },
    /// The settings of the revision cannot be used.
    Unusable { commit: CommitId, why: String },
    /// The settings of the revision name another instance, runtime or namespace than at the start.
    InstanceChanged { commit: CommitId },
}

/// Why the repository does not answer.
#[derive(Debug)]
pub struct Outage {
    /// What failed.
    pub error: SourceError,
    /// The mirror on this disk failed, not the remote.
    pub is_cache: bool,
}

impl Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_cache {
            return self.error.fmt(f);
        }
        write!(f, "the cache cannot be used: {}", self.error)?;
        self.error.hint().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

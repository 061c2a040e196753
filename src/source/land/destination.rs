//! Where a commit goes, and how the clone follows where somebody else was faster.

use pintle_core::git::{CommitId, FileChange};

use super::error::{LandError, Result};
use super::{Beside, Landed, Landing, Message, Proposed};

/// Where a commit goes.
pub enum Destination<'l> {
    /// Into the clone.
    Clone,
    /// To the upstream.
    Upstream,
    /// To a branch of its own, for a pull request.
    Proposal(Box<Beside<'l>>),
    /// Nowhere: it becomes a patch.
    Patch,
}

/// What has become of a commit.
pub enum Outcome {
    /// It is on the branch.
    Landed(Landed),
    /// It is on a branch of its own.
    Proposed(Proposed),
    /// The patch.
    Patch(String),
}

/// Somebody else pushed first: it is to be decided again.
pub struct Overtaken {
    /// The branch of the remote, as people call it.
    pub remote: String,
    /// The branch of the clone that has followed; none without a clone.
    pub followed: Option<String>,
}

/// Names of branches are typed and shown in lists.
const STEM: usize = 60;

impl Destination<'_> {
    /// Refuses where something stands in the way.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn check(&self, landing: &Landing<'_>, files: &[FileChange]) -> Result<()> {
        match self {
            Self::Clone => landing.check(files, false),
            Self::Upstream => landing.check(files, true),
            Self::Proposal(_) => landing.goes_on(),
            Self::Patch => Ok(()),
        }
    }

    /// Writes the commit on `tip`, and takes it there.
    ///
    /// # Errors
    /// As [`Landing::land`], [`Beside::propose`] and [`Landing::patch`].
    pub fn commit(
        &self,
        (landing, tip): (&Landing<'_>, CommitId),
        files: &[FileChange],
        message: &Message,
    ) -> Result<Outcome> {
        match self {
            Self::Clone | Self::Upstream => {
                let push = matches!(self, Self::Upstream);
                landing.land(tip, files, &message.to_text(), push).map(Outcome::Landed)
            }
            Self::Proposal(beside) => beside.propose(tip, files, message).map(Outcome::Proposed),
            Self::Patch => landing.patch(tip, files, &message.to_text()).map(Outcome::Patch),
        }
    }

    /// Makes ready to decide again where somebody else pushed first: a clone follows the remote where it has nothing of its
    /// own; without a clone the next fetch has it.
    ///
    /// # Errors
    /// The error itself where nobody was faster, or why the clone cannot follow.
    pub fn catch_up_after(&self, error: LandError, (landing, tip): (&Landing<'_>, CommitId)) -> Result<Overtaken> {
        let (LandError::Raced { remote, .. } | LandError::Parted { remote, .. }, Self::Upstream) = (&error, self)
        else {
            return Err(error);
        };
        let remote = remote.clone();
        if !landing.is_clone() {
            return Ok(Overtaken { remote, followed: None });
        }
        let branch = landing.branch().to_owned();
        match landing.catch_up(tip) {
            Ok(()) => Ok(Overtaken { remote, followed: Some(branch) }),
            Err(why) => Err(LandError::LeftBehind { error: Box::new(error), branch, why: Box::new(why) }),
        }
    }
}

/// Returns the name of a branch for a change: what it does, and the id of the change.
pub fn branch_name(stem: &str, id: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let stem: String = stem.chars().map(fine).take(STEM).collect();
    let stem = stem.split('.').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    format!("pintle/{}-{}", stem.trim_matches(['.', '-']), &id[..id.len().min(8)])
}

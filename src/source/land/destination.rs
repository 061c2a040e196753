//! The destination of a commit, and the retry after another push won the race.

use pintle_core::git::{CommitId, FileChange};

use super::error::{LandError, LandResult};
use super::{Beside, CommitMessage, LandedCommit, Landing, PushedProposal};

pub enum Destination<'l> {
    /// The clone's branch, without a push.
    Clone,
    /// The upstream branch.
    Upstream,
    /// A branch of its own, for a pull request.
    Proposal(Box<Beside<'l>>),
    /// No branch: the commit is printed as a patch.
    Patch,
}

/// The result of a commit.
pub enum Outcome {
    /// The commit is on the branch.
    Landed(LandedCommit),
    /// The commit is on a branch of its own.
    Proposed(PushedProposal),
    Patch(String),
}

/// Another push came first; the change must be decided again.
pub struct Overtaken {
    /// The display name of the remote branch.
    pub remote: String,
    /// The clone's branch that was fast-forwarded; none without a clone.
    pub followed: Option<String>,
}

/// The maximum length of the readable part of a branch name, which people type and see in lists.
const STEM: usize = 60;

impl Destination<'_> {
    /// Checks that a commit can go there.
    ///
    /// # Errors
    /// The obstacle.
    pub fn check(&self, landing: &Landing<'_>, files: &[FileChange]) -> LandResult<()> {
        match self {
            Self::Clone => landing.refuse_if_blocked(files, false),
            Self::Upstream => landing.refuse_if_blocked(files, true),
            Self::Proposal(_) => landing.refuse_if_diverged(),
            Self::Patch => Ok(()),
        }
    }

    /// Writes the commit on `tip` and delivers it.
    ///
    /// # Errors
    /// As [`Landing::land`], [`Beside::propose`] and [`Landing::to_mail_patch`].
    pub fn commit(
        &self,
        (landing, tip): (&Landing<'_>, CommitId),
        files: &[FileChange],
        message: &CommitMessage,
    ) -> LandResult<Outcome> {
        match self {
            Self::Clone | Self::Upstream => {
                let push = matches!(self, Self::Upstream);
                landing.land(tip, files, &message.to_text(), push).map(Outcome::Landed)
            }
            Self::Proposal(beside) => beside.propose(tip, files, message).map(Outcome::Proposed),
            Self::Patch => landing.to_mail_patch(tip, files, &message.to_text()).map(Outcome::Patch),
        }
    }

    /// Prepares a new attempt after another push came first. A clone without commits of its own is fast-forwarded;
    /// without a clone, the next fetch suffices.
    ///
    /// # Errors
    /// The given error if no other push caused it, or the reason why the clone cannot follow.
    pub fn catch_up_after(&self, error: LandError, (landing, tip): (&Landing<'_>, CommitId)) -> LandResult<Overtaken> {
        let (LandError::Raced { remote, .. } | LandError::Diverged { remote, .. }, Self::Upstream) = (&error, self)
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

/// Returns the branch name for a change: a readable stem and the id of the change.
pub fn branch_name(stem: &str, id: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let stem: String = stem.chars().map(fine).take(STEM).collect();
    let stem = stem.split('.').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    format!("pintle/{}-{}", stem.trim_matches(['.', '-']), &id[..id.len().min(8)])
}

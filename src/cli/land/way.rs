//! Where a commit goes, and what keeps it from there.

use clap::Args;
use pintle_core::git::{CommitId, FileChange};

use super::Done;
use crate::cli::exit::Failure;
use crate::cli::output::{Output, counted};
use crate::cli::progress::Progress;
use crate::source::{Beside, LandError, Landing, Message};

/// Where a commit goes, as typed.
#[derive(Debug, Args)]
pub(super) struct Route {
    /// Push, and fail where there is nowhere to push to [default: push where the branch has an upstream]
    #[arg(long)]
    push: bool,
    /// Commit in this clone, and push nothing
    #[arg(long, conflicts_with = "push")]
    commit_only: bool,
    /// Push it as a branch of its own, for a pull request, and print the page that opens one [default name: what it does]
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    #[arg(conflicts_with_all = ["push", "commit_only"])]
    propose: Option<String>,
    /// Print it as a patch for `git am`, and change nothing
    #[arg(long, conflicts_with_all = ["push", "commit_only", "propose", "output"])]
    pub(super) patch: bool,
}

/// Where a commit goes.
pub(super) enum Way<'l> {
    /// Into the clone.
    Here,
    /// To the upstream.
    Pushed,
    /// To a branch of its own.
    Proposed(Box<Beside<'l>>),
    /// Nowhere: it is printed.
    Printed,
}

impl Route {
    /// What is meant; `name` is that of a branch of its own, where none was typed.
    pub(super) fn way<'l>(&self, landing: &'l Landing<'l>, name: &str) -> Result<Way<'l>, Failure> {
        if self.patch {
            return Ok(Way::Printed);
        }
        if let Some(typed) = &self.propose {
            let name = if typed.is_empty() { name } else { typed };
            return Ok(Way::Proposed(Box::new(landing.beside(name)?)));
        }
        match landing.upstream() {
            Some(_) if self.commit_only && !landing.is_clone() => {
                let failure = Failure::usage("--commit-only needs a clone of your own to commit in");
                Err(failure.hint("leave it out, or clone the repository and name it: --repo PATH"))
            }
            None if self.push => Err(LandError::NoUpstream { branch: landing.branch().to_owned() }.into()),
            Some(_) if !self.commit_only => Ok(Way::Pushed),
            _ => Ok(Way::Here),
        }
    }
}

impl Way<'_> {
    /// Refuses where something stands in the way.
    pub(super) fn check(&self, landing: &Landing<'_>, files: &[FileChange]) -> Result<(), LandError> {
        match self {
            Self::Here => landing.check(files, false),
            Self::Pushed => landing.check(files, true),
            Self::Proposed(_) => landing.goes_on(),
            Self::Printed => Ok(()),
        }
    }

    /// The commit goes there.
    pub(super) fn take(
        &self,
        (landing, tip): (&Landing<'_>, CommitId),
        files: &[FileChange],
        message: &Message,
    ) -> Result<Done, LandError> {
        let _pushing = Progress::of("pushing");
        match self {
            Self::Here | Self::Pushed => {
                let landed = landing.land(tip, files, &message.to_text(), matches!(self, Self::Pushed))?;
                Ok(Done::landed(landed, landing))
            }
            Self::Proposed(beside) => Ok(Done::proposed(beside.propose(tip, files, message)?)),
            Self::Printed => Ok(Done::printed(&landing.patch(tip, files, &message.to_text())?, landing)),
        }
    }

    /// Where somebody was faster, it is decided anew on what they have pushed: a mirror has it at the next look, and a clone
    /// follows where it has nothing of its own.
    pub(super) fn overtaken(
        &self,
        error: LandError,
        (landing, tip): (&Landing<'_>, CommitId),
        output: &mut Output,
    ) -> Result<Option<Done>, Failure> {
        let (LandError::Raced { remote, .. } | LandError::Parted { remote, .. }, Self::Pushed) = (&error, self) else {
            return Err(error.into());
        };
        if landing.is_clone() {
            let branch = landing.branch();
            landing.catch_up(tip).map_err(|why| {
                let failure = Failure::error(format!("{error}, and {branch} cannot follow: {why}"));
                Failure { hint: why.hint(), ..failure }
            })?;
            output.note(format_args!("{remote} has moved on meanwhile: {branch} follows, deciding anew"));
        } else {
            output.note(format_args!("{remote} has moved on meanwhile: deciding anew"));
        }
        Ok(None)
    }

    /// Says where it will go.
    pub(super) fn foresee(&self, landing: &Landing<'_>, output: &mut Output) {
        let (branch, unpushed) = (landing.branch(), landing.unpushed());
        let along = match (self, landing.upstream()) {
            (Self::Printed, _) => return,
            (Self::Proposed(beside), _) => {
                output.note(format_args!("push it as {}, to be merged into {}", beside.name(), beside.base()));
                "are part of that"
            }
            (Self::Pushed, Some(upstream)) => {
                output.note(format_args!("commit on {branch}, and push to {upstream}"));
                "will be pushed too"
            }
            (Self::Here | Self::Pushed, _) => {
                output.note(format_args!("commit on {branch}, and push nothing"));
                return;
            }
        };
        if unpushed > 0 {
            output.warn(format_args!("{} of {branch} not pushed yet {along}", counted(unpushed, "commit")));
        }
    }
}

//! Where a commit goes, as typed, and what is said of that.

use clap::Args;
use pintle_core::git::CommitId;

use super::outcome::CommitOutcome;
use crate::cli::exit::CommandError;
use crate::cli::output::{Output, counted};
use crate::source::{Destination, LandError, Landing, Overtaken};

/// Where a commit goes, as typed.
#[derive(Debug, Args)]
pub(super) struct DestinationArgs {
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

impl DestinationArgs {
    /// What is meant; `name` is that of a branch of its own, where none was typed.
    pub(super) fn destination<'l>(
        &self,
        landing: &'l Landing<'l>,
        name: &str,
    ) -> Result<Destination<'l>, CommandError> {
        if self.patch {
            return Ok(Destination::Patch);
        }
        if let Some(typed) = &self.propose {
            let name = if typed.is_empty() { name } else { typed };
            return Ok(Destination::Proposal(Box::new(landing.proposal_branch(name)?)));
        }
        match landing.upstream() {
            Some(_) if self.commit_only && !landing.is_clone() => {
                let failure = CommandError::usage("--commit-only needs a clone of your own to commit in");
                Err(failure.hint("leave it out, or clone the repository and name it: --repo PATH"))
            }
            None if self.push => Err(LandError::NoUpstream { branch: landing.branch().to_owned() }.into()),
            Some(_) if !self.commit_only => Ok(Destination::Upstream),
            _ => Ok(Destination::Clone),
        }
    }
}

/// Says that somebody was faster; the next attempt decides on what they have pushed.
pub(super) fn decide_anew(
    destination: &Destination<'_>,
    error: LandError,
    at: (&Landing<'_>, CommitId),
    output: &mut Output,
) -> Result<Option<CommitOutcome>, CommandError> {
    let Overtaken { remote, followed } = destination.catch_up_after(error, at)?;
    match followed {
        Some(branch) => {
            output.note(format_args!("{remote} has moved on meanwhile: {branch} follows, deciding anew"));
        }
        None => output.note(format_args!("{remote} has moved on meanwhile: deciding anew")),
    }
    Ok(None)
}

/// Says where the commit will go.
pub(super) fn announce(destination: &Destination<'_>, landing: &Landing<'_>, output: &mut Output) {
    let (branch, unpushed) = (landing.branch(), landing.unpushed_commits());
    let along = match (destination, landing.upstream()) {
        (Destination::Patch, _) => return,
        (Destination::Proposal(beside), _) => {
            output.note(format_args!("push it as {}, to be merged into {}", beside.name(), beside.base()));
            "are part of that"
        }
        (Destination::Upstream, Some(upstream)) => {
            output.note(format_args!("commit on {branch}, and push to {upstream}"));
            "will be pushed too"
        }
        (Destination::Clone | Destination::Upstream, _) => {
            output.note(format_args!("commit on {branch}, and push nothing"));
            return;
        }
    };
    if unpushed > 0 {
        output.warn(format_args!("{} of {branch} not pushed yet {along}", counted(unpushed, "commit")));
    }
}

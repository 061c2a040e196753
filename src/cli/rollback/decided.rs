//! What the core decides in the light of what is at hand: the pins, and what the cluster shows.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use jiff::Timestamp;
use pintle_core::evidence::VersionPair;
use pintle_core::rollback::{HoldPolicy, Request, Revert, RollbackError, RollbackInput, plan_revert, unseen_pairs};

use crate::cli::describe::remedy;
use crate::cli::exit::{CommandError, CommandExit};
use crate::cli::load::LoadedRevision;
use crate::controller::{ClusterEvidence, Desired, LiveState, assess, assess_pins, targets};

impl ClusterEvidence {
    /// Decides what goes back; where `only_seen`, no two come together that were never seen so.
    pub(super) fn revert(
        &self,
        request: &Request,
        holding: HoldPolicy,
        only_seen: bool,
    ) -> Result<Revert, RollbackError> {
        let wanted = targets(&self.desired, &self.look);
        let evidence = only_seen.then(|| self.desired.evidence());
        let known = RollbackInput::at(&self.desired, (&wanted, &self.look.live), &self.proven);
        plan_revert(RollbackInput { evidence, ..known }, request, holding)
    }

    /// Refuses targets that are not proven, where a proven version was pinned before a shallow clone begins.
    pub(super) fn proven_here(&self, revert: &Revert, loaded: &LoadedRevision) -> Result<(), CommandError> {
        let unknown = revert.proof_beyond_history(&loaded.history, &self.proven);
        let Some((service, version)) = unknown.filter(|_| loaded.source.is_shallow()) else { return Ok(()) };
        Err(CommandError::error(format!("{service} {version} is proven, and when it was pinned is not known"))
            .suspect_shallow_clone())
    }

    /// Returns the pairs that were never seen together, where the settings want that told.
    pub(super) fn unseen(&self, revert: &Revert) -> Vec<VersionPair> {
        let known = RollbackInput::at(&self.desired, (&[], &self.look.live), &self.proven);
        unseen_pairs(known, revert, self.desired.evidence())
    }

    /// Returns what will be wanted after the commit, and what runs as that sees it.
    pub(super) fn after(&self, revert: &Revert) -> (Desired, LiveState) {
        let desired = Desired::from(revert.desired(&self.desired));
        let look = match &self.observed {
            Some(observed) => assess(&desired, observed, Timestamp::now()),
            None => assess_pins(&desired, &self.desired.pins),
        };
        (desired, look)
    }
}

/// Says why nothing goes back, with the way out.
pub(super) fn refused(refusal: &RollbackError, loaded: &LoadedRevision) -> CommandError {
    let exit = if refusal.is_blocked_by_rule() { CommandExit::Refused } else { CommandExit::Error };
    let failure = CommandError { exit, ..CommandError::error(refusal.to_string()) }.hint(remedy(&refusal.remedy()));
    if refusal.may_be_outside_history() { loaded.suspect_shallow_clone(failure) } else { failure }
}

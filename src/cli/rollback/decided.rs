//! What the core decides in the light of what is at hand: the pins, and what the cluster shows.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use jiff::Timestamp;
use pintle_core::evidence::Pair;
use pintle_core::rollback::{HoldPolicy, Refusal, Request, Revert, RollbackInput, revert, unseen};

use crate::cli::describe::remedy;
use crate::cli::exit::{Exit, Failure};
use crate::cli::load::Loaded;
use crate::controller::{ClusterEvidence, Desired, LiveState, assess, assess_pins, targets};

impl ClusterEvidence {
    /// Decides what goes back; where `only_seen`, no two come together that were never seen so.
    pub(super) fn revert(&self, request: &Request, holding: HoldPolicy, only_seen: bool) -> Result<Revert, Refusal> {
        let wanted = targets(&self.desired, &self.look);
        let evidence = only_seen.then(|| self.desired.evidence());
        let known = RollbackInput::at(&self.desired, (&wanted, &self.look.live), &self.proven);
        revert(RollbackInput { evidence, ..known }, request, holding)
    }

    /// Refuses targets that are not proven, where a proven version was pinned before a shallow clone begins.
    pub(super) fn proven_here(&self, revert: &Revert, loaded: &Loaded) -> Result<(), Failure> {
        let unknown = revert.proof_beyond_history(&loaded.history, &self.proven);
        let Some((service, version)) = unknown.filter(|_| loaded.source.is_shallow()) else { return Ok(()) };
        Err(Failure::error(format!("{service} {version} is proven, and when it was pinned is not known")).cut_off())
    }

    /// Returns the pairs that were never seen together, where the settings want that told.
    pub(super) fn unseen(&self, revert: &Revert) -> Vec<Pair> {
        let known = RollbackInput::at(&self.desired, (&[], &self.look.live), &self.proven);
        unseen(known, revert, self.desired.evidence())
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
pub(super) fn refused(refusal: &Refusal, loaded: &Loaded) -> Failure {
    let exit = if refusal.is_by_rule() { Exit::Refused } else { Exit::Error };
    let failure = Failure { exit, ..Failure::error(refusal.to_string()) }.hint(remedy(&refusal.remedy()));
    if refusal.is_of_history() { loaded.as_far_as_known(failure) } else { failure }
}

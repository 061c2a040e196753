//! What is decided in the light of what is at hand: who goes back, what of that was never seen, and what comes of it.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::evidence::Pair;
use pintle_core::pins;
use pintle_core::plan::Wanted;
use pintle_core::rollback::{Holding, Known, Member, Refusal, Request, Revert, Why, revert, unseen};
use pintle_core::workload::Proven;

use crate::cli::exit::{Exit, Failure};
use crate::cli::load::Loaded;
use crate::controller::{ClusterEvidence, Desired, Look, look, look_at_pins, want};

impl ClusterEvidence {
    fn known<'a>(&'a self, wanted: &'a [Wanted]) -> Known<'a> {
        let DesiredState { pins, history, graph, lockstep, .. } = &*self.desired.state;
        let (live, proven) = (&self.look.live, &self.proven);
        Known { pins, history, graph, lockstep, wanted, live, proven, evidence: None }
    }

    /// What goes back; where `only_seen`, no two come together that were never seen so.
    pub(super) fn revert(&self, request: &Request, holding: Holding, only_seen: bool) -> Result<Revert, Refusal> {
        let wanted = want(&self.desired, &self.look);
        let evidence = only_seen.then(|| self.desired.evidence());
        revert(Known { evidence, ..self.known(&wanted) }, request, holding)
    }

    /// Refuses targets that are not proven, where what is proven of the service was pinned before a shallow clone begins.
    pub(super) fn proven_here(&self, revert: &Revert, loaded: &Loaded) -> Result<(), Failure> {
        if !loaded.source.is_shallow() {
            return Ok(());
        }
        for Member { service, to, .. } in revert.members.iter().filter(|it| it.why == Why::Asked) {
            let proven = self.proven.get(service).map_or(&[][..], Vec::as_slice);
            let unknown = proven.iter().find(|it| loaded.history.newest(service, &it.version).is_none());
            if let Some(Proven { version, .. }) = unknown.filter(|_| proven.iter().all(|it| it.version != to.version)) {
                let failure =
                    Failure::error(format!("{service} {version} is proven, and when it was pinned is not known"));
                return Err(failure.cut_off());
            }
        }
        Ok(())
    }

    /// The pairs that were never seen together, where the settings want that told.
    pub(super) fn unseen(&self, revert: &Revert) -> Vec<Pair> {
        match self.desired.pins.settings.unseen {
            pins::Unseen::Ignore => Vec::new(),
            pins::Unseen::Warn | pins::Unseen::Refuse => unseen(self.known(&[]), revert, self.desired.evidence()),
        }
    }

    /// What will be wanted after the commit, and what runs as that sees it.
    pub(super) fn after(&self, revert: &Revert) -> (Desired, Look) {
        let DesiredState { commit, pins, history, namespace, .. } = &*self.desired.state;
        let desired =
            Desired::from(DesiredState::new(*commit, revert.pins(pins), Arc::clone(history), namespace.clone()));
        let look = match &self.observed {
            Some(observed) => look(&desired, observed, Timestamp::now()),
            None => look_at_pins(&desired, pins),
        };
        (desired, look)
    }
}

/// Why nothing goes back, in words with the way out.
pub(super) fn refused(refusal: &Refusal, loaded: &Loaded) -> Failure {
    let exit = if refusal.is_by_rule() { Exit::Refused } else { Exit::Error };
    let failure = Failure { exit, hint: refusal.hint(), ..Failure::error(refusal.to_string()) };
    if refusal.is_of_history() { loaded.as_far_as_known(failure) } else { failure }
}

//! What a rollback is decided by: the pins at the tip, and what a cluster shows, where one answers at once.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::ask;
use crate::cli::exit::{Exit, Failure};
use crate::cli::glance::{Glance, glance};
use crate::cli::load::Loaded;
use crate::cli::output::Output;
use crate::cluster::{Observation, Proven};
use crate::config::Config;
use crate::pins::{self, Pins, ServiceName};
use crate::plan::Wanted;
use crate::reconcile::{Desired, Look, look, look_at_pins, want};
use crate::rollback::{Holding, Known, Request, Revert, Unseen, revert, unseen};
use crate::source::Commit;

/// What a rollback is decided by.
pub(super) struct Seen {
    /// What is wanted at the tip.
    pub(super) desired: Arc<Desired>,
    /// What runs; without a cluster, what is pinned at the tip.
    look: Look,
    /// What was observed, if it was whole.
    pub(super) observed: Option<Observation>,
    proven: BTreeMap<ServiceName, Vec<Proven>>,
    /// The cluster that answered.
    pub(super) server: Option<String>,
    /// The history was cut off when the repository was cloned.
    shallow: bool,
}

impl Seen {
    /// Asks the cluster at hand. Says why where there is one that does not answer.
    pub(super) fn now(config: &Config, tip: &Commit, (pins, loaded): (&Pins, &Loaded), output: &mut Output) -> Self {
        let whole =
            |desired: &Desired, observed: &Observation| look(desired, observed, Timestamp::now()).unseen.is_empty();
        let shallow = loaded.source.is_shallow();
        let glanced = glance(config, (tip.id, pins.clone(), Arc::clone(&loaded.history)), whole);
        let proven = |glance: Glance| {
            let proven = glance.proven().map_err(|error| error.to_string())?;
            Ok((glance, proven))
        };
        let seen = glanced.and_then(|glance| glance.map(proven).transpose()).unwrap_or_else(|why: String| {
            output.warn(format_args!("targets from Git alone: {why}"));
            None
        });
        let Some((Glance { server, desired, observed }, proven)) = seen else {
            let desired = Desired::new(tip.id, pins.clone(), Arc::clone(&loaded.history), String::new());
            let look = look_at_pins(&desired, pins);
            return Self {
                desired: Arc::new(desired),
                look,
                observed: None,
                proven: BTreeMap::new(),
                server: None,
                shallow,
            };
        };
        let looked = look(&desired, &observed, Timestamp::now());
        let is_whole = looked.unseen.is_empty();
        let look = if is_whole { looked } else { look_at_pins(&desired, pins) };
        Self { desired, look, observed: is_whole.then_some(observed), proven, server: Some(server), shallow }
    }

    fn known<'a>(&'a self, wanted: &'a [Wanted]) -> Known<'a> {
        let Desired { pins, history, graph, lockstep, .. } = &*self.desired;
        let (live, proven) = (&self.look.live, &self.proven);
        Known { pins, history, graph, lockstep, wanted, live, proven }
    }

    pub(super) fn revert(&self, request: &Request, holding: Holding) -> Result<Revert, Failure> {
        let wanted = want(&self.desired, &self.look);
        revert(self.known(&wanted), request, holding).map_err(|refusal| {
            let exit = if refusal.is_by_rule() { Exit::Refused } else { Exit::Error };
            let failure = Failure { exit, message: refusal.to_string(), hint: refusal.hint() };
            if self.shallow && refusal.is_of_history() { ask::cut_off(failure) } else { failure }
        })
    }

    /// The pairs that were never seen together, where the settings want that told.
    pub(super) fn unseen(&self, revert: &Revert) -> Vec<Unseen> {
        let settings = &self.desired.pins.settings;
        match settings.unseen {
            pins::Unseen::Ignore => Vec::new(),
            pins::Unseen::Warn | pins::Unseen::Refuse => {
                unseen(self.known(&[]), revert, settings.soak, Timestamp::now())
            }
        }
    }

    /// What will be wanted after the commit, and what runs as that sees it.
    pub(super) fn after(&self, revert: &Revert) -> (Desired, Look) {
        let Desired { commit, pins, history, namespace, .. } = &*self.desired;
        let desired = Desired::new(*commit, revert.pins(pins), Arc::clone(history), namespace.clone());
        let look = match &self.observed {
            Some(observed) => look(&desired, observed, Timestamp::now()),
            None => look_at_pins(&desired, pins),
        };
        (desired, look)
    }
}

//! What the cluster at hand runs and has proven, or, without one, what is pinned.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::change::Move;
use pintle_core::desired::DesiredState;
use pintle_core::git::Commit;
use pintle_core::pins::{Pins, ServiceName};
use pintle_core::version::Order;
use pintle_core::workload::Proven;

use super::glance::{Glance, glance};
use super::load::Loaded;
use super::output::Output;
use crate::cli::config::Config;
use crate::cluster::Observation;
use crate::controller::{Desired, Look, look, look_at_pins};
use crate::source::Source;

/// What is at hand for a decision.
pub(super) struct Seen {
    /// What is wanted at the tip.
    pub desired: Arc<Desired>,
    /// What runs; without a cluster, what is pinned at the tip.
    pub look: Look,
    /// What was observed, if it was whole.
    pub observed: Option<Observation>,
    /// What each service is proven to run; nothing where no cluster was asked.
    pub proven: BTreeMap<ServiceName, Vec<Proven>>,
    /// The cluster that answered.
    pub server: Option<String>,
}

impl Seen {
    /// Asks the cluster at hand. Where there is one that does not answer it warns: what there is `instead`, and why.
    pub(super) fn now(
        config: &Config,
        tip: &Commit,
        (pins, loaded): (&Pins, &Loaded),
        instead: &str,
        output: &mut Output,
    ) -> Self {
        let whole =
            |desired: &Desired, observed: &Observation| look(desired, observed, Timestamp::now()).unseen.is_empty();
        let glanced = glance(config, (tip.id, pins.clone(), Arc::clone(&loaded.history)), whole);
        let proven = |glance: Glance| {
            let proven = glance.proven().map_err(|error| error.to_string())?;
            Ok((glance, proven))
        };
        let seen = glanced.and_then(|glance| glance.map(proven).transpose()).unwrap_or_else(|why: String| {
            output.warn(format_args!("{instead}: {why}"));
            None
        });
        let Some((Glance { server, desired, observed }, proven)) = seen else {
            let desired =
                Desired::from(DesiredState::new(tip.id, pins.clone(), Arc::clone(&loaded.history), String::new()));
            let look = look_at_pins(&desired, pins);
            return Self { desired: Arc::new(desired), look, observed: None, proven: BTreeMap::new(), server: None };
        };
        let looked = look(&desired, &observed, Timestamp::now());
        let is_whole = looked.unseen.is_empty();
        let look = if is_whole { looked } else { look_at_pins(&desired, pins) };
        Self { desired, look, observed: is_whole.then_some(observed), proven, server: Some(server) }
    }

    /// The proof of what a move of a service pinned: made while that stood, and not when the same version stood before.
    pub(super) fn proof(
        &self,
        source: &Source,
        (service, order): (&ServiceName, &Order),
        one: &Move,
    ) -> Option<&Proven> {
        let pin = one.to.as_ref()?;
        let is_it = |proven: &&Proven| {
            order.compare(&proven.version, &pin.version).map_or(proven.version == pin.version, Ordering::is_eq)
                && (proven.commit == one.commit.id
                    || source.knows(proven.commit) && source.is_ancestor(one.commit.id, proven.commit).unwrap_or(false))
        };
        self.proven.get(service)?.iter().filter(is_it).max_by_key(|proven| proven.at)
    }
}

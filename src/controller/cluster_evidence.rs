//! What a cluster runs and has proven, for decisions; without a cluster, the pins stand in for what runs.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::change::PinMove;
use pintle_core::desired::DesiredState;
use pintle_core::pins::{Pins, ServiceName};
use pintle_core::version::VersionOrder;
use pintle_core::workload::{ProvenVersion, proven_by_all};

use super::{Desired, LiveState, assess, assess_pins};
use crate::cluster::{ClusterError, Observation};
use crate::source::Source;

/// What a cluster runs and has proven.
pub struct ClusterEvidence {
    /// What is desired at the tip.
    pub desired: Arc<Desired>,
    /// What runs; without a whole picture, what is pinned at the tip.
    pub look: LiveState,
    /// What was observed, if it was whole.
    pub observed: Option<Observation>,
    /// What each service has proven; nothing where no cluster was asked.
    pub proven: BTreeMap<ServiceName, Vec<ProvenVersion>>,
    /// The cluster that answered.
    pub server: Option<String>,
}

impl ClusterEvidence {
    /// Takes the pins as what runs.
    pub fn from_pins(desired: Desired) -> Self {
        let look = assess_pins(&desired, &desired.pins);
        Self { desired: Arc::new(desired), look, observed: None, proven: BTreeMap::new(), server: None }
    }

    /// Reads an observation. Where it is not whole, the pins stand in for what runs.
    pub fn from_observation(
        server: String,
        desired: Arc<Desired>,
        observed: Observation,
        now: Timestamp,
    ) -> Result<Self, ClusterError> {
        let proven = proven_versions(&desired, &observed)?;
        let looked = assess(&desired, &observed, now);
        let is_whole = looked.unseen.is_empty();
        let look = if is_whole { looked } else { assess_pins(&desired, &desired.pins) };
        Ok(Self { desired, look, observed: is_whole.then_some(observed), proven, server: Some(server) })
    }

    /// Returns the proof of what a move of a service pinned. A proof from an earlier time of the same version is none.
    pub fn proof(
        &self,
        source: &Source,
        (service, order): (&ServiceName, &VersionOrder),
        one: &PinMove,
    ) -> Option<&ProvenVersion> {
        let pin = one.to.as_ref()?;
        let is_it = |proven: &&ProvenVersion| {
            order.compare(&proven.version, &pin.version).map_or(proven.version == pin.version, Ordering::is_eq)
                && (proven.commit == one.commit.id
                    || source.has_commit(proven.commit)
                        && source.is_ancestor(one.commit.id, proven.commit).unwrap_or(false))
        };
        self.proven.get(service)?.iter().filter(is_it).max_by_key(|proven| proven.at)
    }
}

/// Returns for each service the versions that all of its workloads have proven, newest first.
///
/// # Errors
/// A workload cannot be looked at.
pub fn proven_versions(
    desired: &DesiredState,
    observed: &Observation,
) -> Result<BTreeMap<ServiceName, Vec<ProvenVersion>>, ClusterError> {
    if let Some(error) = observed.unobservable.values().next() {
        return Err(error.clone());
    }
    let Pins { settings, services, .. } = &desired.pins;
    let of = |service| {
        let states = desired.workloads(service).into_iter().map(|id| {
            let state = observed.workloads.get(&id)?.state.as_ref();
            state.filter(|state| state.instance == settings.instance)
        });
        let states: Option<Vec<_>> = states.collect();
        proven_by_all(states.unwrap_or_default().iter().map(|state| state.proven.as_slice()))
    };
    Ok(services.iter().map(|(name, service)| (name.clone(), of(service))).collect())
}

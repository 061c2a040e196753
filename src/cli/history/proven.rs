//! What the cluster at hand has verified of the pins. It is an addition: where there is no cluster, or none that answers
//! at once, the history is shown without.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::change::Move;
use crate::cli::exit::Failure;
use crate::cli::host::host;
use crate::cli::load::Loaded;
use crate::cli::output::Output;
use crate::cli::site::{block_on, connect};
use crate::cli::table::Cell;
use crate::cli::words::{how_long, took};
use crate::cluster::{Cluster, ClusterError, Observation, Proven};
use crate::config::Config;
use crate::pins::{Pins, Runtime, ServiceName};
use crate::reconcile::Desired;
use crate::source::Source;

/// Nobody waits longer for an addition.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a cluster has verified.
pub(super) struct Proofs {
    /// Which cluster.
    pub(super) cluster: String,
    /// Of each service, what all of its workloads remember.
    of: BTreeMap<ServiceName, Vec<Proven>>,
}

/// When a pin was verified last, and how long that took from the write on.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Proof {
    at: Timestamp,
    seconds: f64,
}

/// Asks the cluster at hand for what it has verified, of one service or of all. Says why where there is one that does not
/// answer.
pub(super) fn ask(config: &Config, loaded: &Loaded, only: Option<&ServiceName>, output: &mut Output) -> Option<Proofs> {
    let mut pins = loaded.at.pins(config);
    pins.services.retain(|name, _| only.is_none_or(|only| name == only));
    let commit = loaded.at.commit.clone()?;
    if pins.services.is_empty() {
        return None;
    }
    let (config, history) = (config.clone(), Arc::clone(&loaded.history));
    let (tell, answer) = channel();
    // Credential plugins and name servers may block: the thread is left behind then, and ends with the program.
    std::thread::spawn(move || {
        let asked = block_on(async {
            match pins.settings.runtime {
                Runtime::Kubernetes => {
                    let (desired, cluster) = connect(&config, commit.id, pins, history).await?;
                    Proofs::of(&desired, &cluster, cluster.server()).await
                }
                Runtime::Local => {
                    let desired = Desired::new(commit.id, pins, history, String::new());
                    let host = host(&config, &desired, None)?;
                    Proofs::of(&desired, &host, host.server()).await
                }
            }
        });
        // Nobody listens any more where it took too long.
        let _ = tell.send(asked);
    });
    let why = match answer.recv_timeout(PATIENCE) {
        Ok(Ok(Ok(proofs))) => return Some(proofs),
        Ok(Ok(Err(ClusterError::NoCluster(_)))) => return None,
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(Failure { message, .. })) => message,
        Err(_) => format!("the cluster does not answer within {PATIENCE:?}"),
    };
    output.warn(format_args!("what was proven is not shown: {why}"));
    None
}

fn proofs(desired: &Desired, observed: &Observation) -> Result<BTreeMap<ServiceName, Vec<Proven>>, ClusterError> {
    if let Some(error) = observed.unknown.values().next() {
        return Err(error.clone());
    }
    let Pins { settings, services, .. } = &desired.pins;
    let of = |service| {
        let states = desired.workloads(service).into_iter().map(|id| {
            let state = observed.workloads.get(&id)?.state.as_ref();
            state.filter(|state| state.instance == settings.instance)
        });
        let states: Option<Vec<_>> = states.collect();
        on_all(states.unwrap_or_default().iter().map(|state| state.proven.as_slice()))
    };
    Ok(services.iter().map(|(name, service)| (name.clone(), of(service))).collect())
}

/// What each of several workloads remembers: the last of them to be verified, and the slowest.
fn on_all<'p>(mut workloads: impl Iterator<Item = &'p [Proven]>) -> Vec<Proven> {
    let mut all = workloads.next().unwrap_or_default().to_vec();
    for other in workloads {
        all.retain_mut(|proven| {
            let found = other.iter().find(|other| other.version == proven.version);
            if let Some(found) = found {
                proven.at = proven.at.max(found.at);
                proven.took_ms = proven.took_ms.max(found.took_ms);
            }
            found.is_some()
        });
    }
    all
}

impl Proofs {
    async fn of(desired: &Desired, cluster: &impl Cluster, server: &str) -> Result<Self, ClusterError> {
        let observed = cluster.observe().await?;
        Ok(Self { cluster: server.to_owned(), of: proofs(desired, &observed)? })
    }

    /// The proof of a move, each once: asked from the newest move to the oldest, it belongs to the one that stood when its
    /// version was verified.
    pub(super) fn take(&mut self, source: &Source, service: &ServiceName, one: &Move) -> Option<Proof> {
        let pin = one.to.as_ref().filter(|_| one.kind.is_some())?;
        let proven = self.of.get_mut(service)?;
        let place = proven.iter().position(|proven| proven.version == pin.version)?;
        let (from, to) = (one.commit.id, proven[place].commit);
        let stood = from == to || source.knows(to) && source.is_ancestor(from, to).unwrap_or(false);
        let Proven { at, took_ms, .. } = stood.then(|| proven.remove(place))?;
        Some(Proof { at, seconds: Duration::from_millis(took_ms).as_secs_f64() })
    }
}

impl Proof {
    /// `5m ago, in 12s`; nothing where there is no proof.
    pub(super) fn cell(proof: Option<Self>, now: Timestamp) -> Cell {
        let words = |Self { at, seconds }| format!("{} ago, in {}", how_long(now.duration_since(at)), took(seconds));
        proof.map_or_else(|| "-".to_owned(), words).into()
    }
}

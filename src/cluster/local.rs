//! The local runtime: services as detached processes of this host, with a state folder.
//!
//! Only a shim stays behind for each process. It bounds the log and records the exit. The next `pintle apply` finds a
//! process that ended and restarts it in dependency order. While a command holds the lock, it restarts processes that
//! end, with back-off.
//!
//! Decisions are in pure modules: `record` (the stored state), `picture` (the observation), `decide` (the next
//! actions).

mod command;
mod decide;
mod down;
mod elsewhere;
mod engine;
mod folder;
mod health;
mod listener;
mod log;
mod picture;
mod process;
mod record;
mod service;
mod shim;
#[cfg(target_os = "linux")]
mod sockets;
mod start;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use log::Follow;
use pintle_core::image::Image;
use pintle_core::pins::Local;
use pintle_core::version::Version;
use pintle_core::workload::{Pause, Workload, WorkloadId};
pub use shim::run_shim;

use self::engine::Engine;
use super::{Cluster, ClusterError, Lead, Leader, Leadership, LeaseName, Observation, Write, Written};

/// The folders of a local runtime.
#[derive(Debug, Clone)]
pub struct Place {
    /// The state folder, created at the first start of a process.
    pub folder: PathBuf,
    /// The working directory of programs.
    pub home: PathBuf,
    /// The executable that runs shims: this program.
    pub shim: PathBuf,
}

/// The pinned state of one service.
#[derive(Debug, Clone)]
pub struct Served {
    pub version: Version,
    /// The image reference that represents the version.
    pub image: Image,
    /// How to run it; none for a service deployed elsewhere.
    pub local: Option<Arc<Local>>,
    /// The time limit of a change, if the pin sets one.
    pub timeout: Option<Duration>,
    /// Earlier pinned versions with their image references.
    pub past: Vec<(Version, Image)>,
}

#[derive(Clone)]
pub struct LocalHost {
    engine: Arc<Engine>,
    name: String,
}

impl LocalHost {
    /// Opens the runtime for reading, without a lock.
    pub fn look(place: Place, services: BTreeMap<WorkloadId, Served>) -> Result<Self, ClusterError> {
        Self::open(place, services, None)
    }

    /// Opens the runtime for changes, and holds its lock while the value lives. `command` names the holder to others.
    pub fn change(place: Place, services: BTreeMap<WorkloadId, Served>, command: &str) -> Result<Self, ClusterError> {
        Self::open(place, services, Some(command))
    }

    fn open(place: Place, services: BTreeMap<WorkloadId, Served>, command: Option<&str>) -> Result<Self, ClusterError> {
        let name = format!("the processes of this host ({})", place.folder.display());
        Ok(Self { engine: Engine::start(place, services, command)?, name })
    }

    /// Returns the cluster's name in messages.
    pub fn server(&self) -> &str {
        &self.name
    }

    /// Sets the pinned services.
    pub fn serve(&self, services: BTreeMap<WorkloadId, Served>) {
        self.engine.serve(services);
    }

    /// Waits until started changes are complete: old processes have ended or were killed, and new ones have replaced
    /// them.
    pub async fn finish(&self) {
        self.engine.finish().await;
    }

    /// Stops every service ever started here: the given ones in this order, all others at once. Returns each stopped
    /// service with its result.
    pub async fn down(&self, order: &[Vec<String>]) -> Vec<(String, Result<(), String>)> {
        self.engine.down(order).await
    }
}

/// Returns the log of a service below a state folder.
pub fn log_of(folder: &Path, service: &str) -> PathBuf {
    folder::Folder::new(folder.to_owned()).log(service)
}

impl Cluster for LocalHost {
    async fn observe(&self) -> Result<Observation, ClusterError> {
        self.engine.observe().await
    }

    async fn changed(&self, at_most: Duration) -> Result<(), ClusterError> {
        self.engine.changed(at_most).await;
        Ok(())
    }

    async fn apply(&self, write: &Write) -> Result<Written, ClusterError> {
        self.engine.write(write)
    }

    /// Reports the lock of the folder, which replaces an election.
    fn lead(&self, _lease: &LeaseName, _what: &str) -> Lead {
        let other = || self.engine.holder().map_or_else(String::new, |leader| leader.holder);
        Lead::settled(if self.engine.lock.is_some() { Leadership::Ours } else { Leadership::Theirs(other()) })
    }

    async fn leader(&self, _lease: &LeaseName) -> Result<Option<Leader>, ClusterError> {
        Ok(self.engine.holder())
    }

    async fn pause(&self, id: &WorkloadId, _seen: &Workload, pause: Option<&Pause>) -> Result<(), ClusterError> {
        self.engine.pause(id, pause)
    }

    /// Always succeeds: local services have no field managers.
    async fn would_conflict(&self, _write: &Write) -> Result<(), ClusterError> {
        Ok(())
    }
}

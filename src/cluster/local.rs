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

pub use log::LogFollower;
use pintle_core::image::Image;
use pintle_core::pins::LocalSpec;
use pintle_core::version::Version;
use pintle_core::workload::{PauseAnnotation, Workload, WorkloadId};
pub use shim::run_shim;

use self::engine::LocalEngine;
use super::{
    Cluster, ClusterError, LeaderElection, Leadership, LeaseHolder, LeaseName, Observation, WorkloadWrite, WriteReceipt,
};

/// The folders of a local runtime.
#[derive(Debug, Clone)]
pub struct LocalPaths {
    /// The state folder, created at the first start of a process.
    pub state_folder: PathBuf,
    /// The working directory of programs.
    pub working_folder: PathBuf,
    /// The executable that runs shims: this program.
    pub shim: PathBuf,
}

/// The pinned state of one service.
#[derive(Debug, Clone)]
pub struct LocalServiceSpec {
    pub version: Version,
    /// The image reference that represents the version.
    pub image: Image,
    /// How to run it; none for a service deployed elsewhere.
    pub local: Option<Arc<LocalSpec>>,
    /// The time limit of a change, if the pin sets one.
    pub timeout: Option<Duration>,
    /// Earlier pinned versions with their image references.
    pub past_pins: Vec<(Version, Image)>,
}

#[derive(Clone)]
pub struct LocalRuntime {
    engine: Arc<LocalEngine>,
    name: String,
}

impl LocalRuntime {
    /// Opens the runtime for reading, without a lock.
    pub fn open_read_only(
        place: LocalPaths,
        services: BTreeMap<WorkloadId, LocalServiceSpec>,
    ) -> Result<Self, ClusterError> {
        Self::open(place, services, None)
    }

    /// Opens the runtime for changes, and holds its lock while the value lives. `command` names the holder to others.
    pub fn open_locked(
        place: LocalPaths,
        services: BTreeMap<WorkloadId, LocalServiceSpec>,
        command: &str,
    ) -> Result<Self, ClusterError> {
        Self::open(place, services, Some(command))
    }

    fn open(
        place: LocalPaths,
        services: BTreeMap<WorkloadId, LocalServiceSpec>,
        command: Option<&str>,
    ) -> Result<Self, ClusterError> {
        let name = format!("the processes of this host ({})", place.state_folder.display());
        Ok(Self { engine: LocalEngine::start(place, services, command)?, name })
    }

    /// Returns the cluster's name in messages.
    pub fn server(&self) -> &str {
        &self.name
    }

    /// Sets the pinned services.
    pub fn set_services(&self, services: BTreeMap<WorkloadId, LocalServiceSpec>) {
        self.engine.set_services(services);
    }

    /// Waits until started changes are complete: old processes have ended or were killed, and new ones have replaced
    /// them.
    pub async fn wait_until_done(&self) {
        self.engine.finish().await;
    }

    /// Stops every service ever started here: the given ones in this order, all others at once. Returns each stopped
    /// service with its result.
    pub async fn stop_all(&self, order: &[Vec<String>]) -> Vec<(String, Result<(), String>)> {
        self.engine.down(order).await
    }
}

/// Returns the log of a service below a state folder.
pub fn log_path(folder: &Path, service: &str) -> PathBuf {
    folder::StateFolder::new(folder.to_owned()).log(service)
}

impl Cluster for LocalRuntime {
    async fn observe(&self) -> Result<Observation, ClusterError> {
        self.engine.observe().await
    }

    async fn wait_for_change(&self, at_most: Duration) -> Result<(), ClusterError> {
        self.engine.wait_for_change(at_most).await;
        Ok(())
    }

    async fn write_workload(&self, write: &WorkloadWrite) -> Result<WriteReceipt, ClusterError> {
        self.engine.write(write)
    }

    /// Reports the lock of the folder, which replaces an election.
    fn campaign(&self, _lease: &LeaseName, _what: &str) -> LeaderElection {
        let other = || self.engine.holder().map_or_else(String::new, |leader| leader.holder);
        LeaderElection::decided(if self.engine.lock.is_some() { Leadership::Ours } else { Leadership::Theirs(other()) })
    }

    async fn lease_holder(&self, _lease: &LeaseName) -> Result<Option<LeaseHolder>, ClusterError> {
        Ok(self.engine.holder())
    }

    async fn set_pause(
        &self,
        id: &WorkloadId,
        _seen: &Workload,
        pause: Option<&PauseAnnotation>,
    ) -> Result<(), ClusterError> {
        self.engine.pause(id, pause)
    }

    /// Always succeeds: local services have no field managers.
    async fn check_field_ownership(&self, _write: &WorkloadWrite) -> Result<(), ClusterError> {
        Ok(())
    }
}

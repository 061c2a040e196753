//! The local runtime: services as processes of this host, detached, with a state folder.
//!
//! Nobody stays behind but a shim for each process, which bounds its log and notes how it ended. A process that ended
//! is found at the next look, and started again by the next `pintle apply`, in the order that the pins demand; while one
//! is at work it starts again what ends, with back-off.
//!
//! What decides is pure: `record` (what is remembered), `picture` (what that looks like), `decide` (what is done next).

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

/// Where a local runtime is.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its state folder; made when something is started.
    pub folder: PathBuf,
    /// The folder in which programs are started.
    pub home: PathBuf,
    /// The program that keeps processes: this one.
    pub shim: PathBuf,
}

/// What is pinned of one service.
#[derive(Debug, Clone)]
pub struct Served {
    /// The pinned version.
    pub version: Version,
    /// What stands for it.
    pub image: Image,
    /// How it is run; none where it is deployed elsewhere.
    pub local: Option<Arc<Local>>,
    /// How long a change may take, where its pin says so.
    pub timeout: Option<Duration>,
    /// Versions that were pinned before, and what stands for them.
    pub past: Vec<(Version, Image)>,
}

/// The services of this host.
#[derive(Clone)]
pub struct LocalHost {
    engine: Arc<Engine>,
    name: String,
}

impl LocalHost {
    /// Looks only: nothing is changed, and nothing is locked.
    pub fn look(place: Place, services: BTreeMap<WorkloadId, Served>) -> Result<Self, ClusterError> {
        Self::open(place, services, None)
    }

    /// Takes the right to change something, as long as the value lives. `command` is what others are told.
    pub fn change(place: Place, services: BTreeMap<WorkloadId, Served>, command: &str) -> Result<Self, ClusterError> {
        Self::open(place, services, Some(command))
    }

    fn open(place: Place, services: BTreeMap<WorkloadId, Served>, command: Option<&str>) -> Result<Self, ClusterError> {
        let name = format!("the processes of this host ({})", place.folder.display());
        Ok(Self { engine: Engine::start(place, services, command)?, name })
    }

    /// The cluster's name in messages.
    pub fn server(&self) -> &str {
        &self.name
    }

    /// What is pinned from now on.
    pub fn serve(&self, services: BTreeMap<WorkloadId, Served>) {
        self.engine.serve(services);
    }

    /// Waits until what was begun is done: old processes have ended, or were killed, and new ones stand in their place.
    pub async fn finish(&self) {
        self.engine.finish().await;
    }

    /// Stops all that was ever started here, these services in this order, the others at once. Returns what was stopped,
    /// and what could not be, with the reason.
    pub async fn down(&self, order: &[Vec<String>]) -> Vec<(String, Result<(), String>)> {
        self.engine.down(order).await
    }
}

/// The log of a service below a state folder.
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

    /// Whoever changes something here has locked the folder.
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

    /// Nobody else owns what runs here.
    async fn would_conflict(&self, _write: &Write) -> Result<(), ClusterError> {
        Ok(())
    }
}

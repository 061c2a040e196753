//! Text to pins: parsed once, into types that cannot be wrong; all problems at once, each with its place.
//!
//! A file is read on its own into a [`Fragment`]; fragments are put together into [`Pins`]. So one changed file costs
//! the reading of one file, and the history index can follow a service through commits by the files that changed.
//! Which files those are the [`Layout`] knows: from the [`Settings`], and from the `pin:` keys of service files, which
//! are therefore read first. [`read_from`] does all of it.
//!
//! YAML is read as a tree that keeps the spelling and the place of every value, not by serde: `1.10` is never a number
//! here, and a file tells all its problems, not the first. Our own files are read strictly, those of other tools by
//! their spelling.

mod assemble;
mod check;
mod found;
mod fragment;
mod glob;
mod hold;
mod idle;
mod keypath;
mod layout;
mod local;
mod locate;
mod needs;
mod reader;
mod resolve;
mod revision;
mod schema;
mod service;
mod settings;
mod suggest;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use assemble::{Reading, assemble, pin_of, read_all};
pub use fragment::Fragment;
pub use hold::{held, held_by_choice, on_hold};
pub use idle::Names;
use jiff::Timestamp;
pub use keypath::{KeyPath, KeyPathError};
pub use layout::{Layout, misnamed_settings, settings_path};
pub(crate) use reader::parse_file;
pub use revision::{Contents, Files, Known, read, read_again, read_from};
pub use schema::{service_schema, settings_schema};
use serde::{Deserialize, Serialize};
pub use suggest::did_you_mean;
pub(crate) use yaml::{Entry, Meaning, Tree, Value, meaning};

use crate::image::Image;
use crate::problem::Place;
pub use crate::service_name::{NameError, ServiceName};
use crate::version::{Range, Version, Versioning};

/// The name of the file of the settings.
pub const SETTINGS: &str = "pintle.yaml";

/// What a repository says at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    /// `pintle.yaml`.
    pub settings: Settings,
    /// The services that can be used, by name.
    pub services: BTreeMap<ServiceName, Service>,
    /// The services that cannot: named by a file that has errors. They are held; the text says why.
    pub broken: BTreeMap<ServiceName, String>,
}

/// One service at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// What is pinned.
    pub pin: Pin,
    /// Where it runs; never empty.
    pub workloads: Vec<WorkloadRef>,
    /// The containers that run the image; none means: each, init containers too, whose repository is the pin's.
    pub containers: Option<Vec<String>>,
    /// The namespace of its workloads; none means the one of the settings, else the one of the context.
    pub namespace: Option<String>,
    /// How its versions are ordered, where the file says so.
    pub versioning: Option<Versioning>,
    /// Versions that must not run.
    pub hold: Option<Hold>,
    /// An older version must not run: its data has moved on.
    pub rollback_floor: Option<Version>,
    /// What to do when it drifts, where it differs from the settings.
    pub drift: Option<DriftPolicy>,
    /// Pinned and reckoned with, never written: it is deployed elsewhere.
    pub external: bool,
    /// Its earlier name, whose history it goes on.
    pub formerly: Option<ServiceName>,
    /// Where the version stands: the value a release or a rollback changes.
    pub version_at: Place,
    /// Where each of its needs stands, for messages.
    pub needs_at: BTreeMap<ServiceName, NeedAt>,
    /// Where the `rollbackFloor` stands, for messages.
    pub rollback_floor_at: Option<Place>,
}

/// The version-bound part of a service: what a rollback restores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The pinned version.
    pub version: Version,
    /// What runs: repository, tag, digest, rendered.
    pub image: Image,
    /// What this version needs of others.
    pub depends_on: Arc<DependsOn>,
    /// When it counts as verified.
    pub verify: Verify,
    /// How the local runtime runs it.
    pub local: Option<Arc<Local>>,
}

/// `dependsOn`: provider to what is needed of it.
pub type DependsOn = BTreeMap<ServiceName, Need>;

/// What a consumer needs of one provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Need {
    /// What the version pinned beside it needs; a plain list of names needs [`Range::any`].
    Range(Range),
    /// For all versions of the consumer: from each version on, the range; rows in the order of the file.
    Table(Vec<(Version, Range)>),
}

/// Where a [`Need`] stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedAt {
    /// Where the provider is named.
    pub provider: Place,
    /// Where the ranges stand, in the order of the rows; none where a plain list names the provider alone.
    pub ranges: Vec<Place>,
}

/// `deployment/checkout`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkloadRef {
    /// What it is.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: String,
}

/// The kinds of workload that Pintle writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkloadKind {
    /// `apps/v1 Deployment`.
    Deployment,
    /// `apps/v1 StatefulSet`.
    StatefulSet,
    /// `apps/v1 DaemonSet`.
    DaemonSet,
    /// What the local runtime runs of a service.
    Process,
}

/// `verify:`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verify {
    /// How long a change may be under way before it counts as failed; none leaves that to Kubernetes'
    /// `progressDeadlineSeconds`.
    pub timeout: Option<Duration>,
}

/// `hold:`: a committed statement that versions must not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// Which versions.
    #[serde(flatten)]
    pub versions: Held,
    /// Why.
    pub reason: Option<String>,
    /// Who said so.
    pub by: Option<String>,
    /// Past this it still holds, and says so.
    pub until: Option<Timestamp>,
    /// Where it stands, for messages.
    #[serde(skip)]
    pub at: Place,
}

/// The versions that a [`Hold`] keeps out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Held {
    /// All versions above this one.
    Above(Version),
    /// All versions of the range.
    Versions(Range),
}

/// `drift:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriftPolicy {
    /// What to do.
    pub policy: Drift,
    /// How long a human's move to a version pinned before stands.
    pub hand_grace: Duration,
}

/// What to do about drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// Write the pin again at once.
    Correct,
    /// Say so only.
    Report,
    /// Write it at the times of the schedule.
    Schedule,
}

/// `local:`: how the local runtime runs a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Local {
    /// A detached process.
    Process {
        /// Program and arguments; `{version}` stands for the version.
        run: Vec<String>,
        /// The port it listens on.
        port: Option<u16>,
        /// How its health is asked.
        health: Option<LocalHealth>,
        /// Starts the new before the old ends (`SO_REUSEPORT`); else the old ends first.
        rolling: bool,
    },
    /// Four commands for what something else keeps.
    Commands {
        /// Starts the version in the environment.
        start: Vec<String>,
        /// Stops it.
        stop: Vec<String>,
        /// Prints the version that runs.
        version: Vec<String>,
        /// Exits with 0 when it is well.
        health: Option<Vec<String>>,
    },
}

/// How the local runtime asks a process for its health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LocalHealth {
    /// A GET of this path on its port answers 2xx.
    Http(String),
    /// Its port accepts a connection.
    Tcp,
    /// This command exits with 0.
    Command(Vec<String>),
}

/// `pintle.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Names the lease and the owner of annotations.
    pub instance: String,
    /// What runs the services.
    pub runtime: Runtime,
    /// For services that name none.
    pub namespace: Option<String>,
    /// What is done about drift.
    pub drift: DriftPolicy,
    /// How long a pin stands before it counts as seen, and healthy before it counts as proven.
    pub soak: Duration,
    /// What to do about pairs of versions never seen together.
    pub unseen: Unseen,
    /// Services that may start together where no safe order exists.
    pub lockstep: Vec<Vec<ServiceName>>,
    /// Where the `lockstep` key stands, if there is one, for messages.
    pub lockstep_at: Option<Place>,
    /// Where versions live that stand in files of their own.
    pub pins: Vec<Pattern>,
    /// Zero pins mean zero pins, not an accident.
    pub allow_empty: bool,
    /// The file as a whole, for messages.
    pub place: Place,
}

/// What runs the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// A Kubernetes cluster.
    Kubernetes,
    /// Processes of this host.
    Local,
}

/// What to do about pairs of versions never seen together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// Nothing.
    Ignore,
    /// The plan names them.
    Warn,
    /// They are held.
    Refuse,
}

/// Where versions live that stand in files which exist already: `pins:` in `pintle.yaml`, or `pin:` in a service file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Which files; `{service}` captures the name of the service, `*` stands for one part of a name.
    pub files: String,
    /// Which value of each.
    pub key: KeyPath,
    /// The repository of the image, `{service}` filled in; none where the value carries it.
    pub image: Option<String>,
    /// What the value is.
    pub value: ValueKind,
    /// The one service it pins: set for `pin:` in a service file.
    pub service: Option<ServiceName>,
    /// Where `files` stands, for messages.
    pub files_at: Place,
    /// Where `key` stands, for messages.
    pub key_at: Place,
}

/// What the value that a [`Pattern`] finds means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A version.
    Version,
    /// `name:tag@digest` in one scalar (`as: image`).
    Image,
}

impl Pin {
    /// Whether both make the same run; what they need may differ.
    pub fn is_same_release(&self, other: &Self) -> bool {
        self.version == other.version && self.image == other.image
    }
}

impl std::fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.name)
    }
}

impl WorkloadKind {
    /// As kubectl types it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::Process => "process",
        }
    }
}

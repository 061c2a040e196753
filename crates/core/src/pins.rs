//! Parses pin files into [`Pins`], and reports every problem with its place.
//!
//! Each file is read on its own into a [`Fragment`], and [`assemble`] combines the fragments into [`Pins`]. A commit
//! that changes one file therefore costs the reading of one file. The history index relies on this to follow a service.
//! The [`Layout`] decides which files hold pins. It comes from the [`Settings`] and from the `pin:` keys of service
//! files, which are therefore read first. [`load_revision`] runs all of these steps.
//!
//! YAML is parsed into a tree that keeps the spelling and place of every value. serde would turn `1.10` into a number,
//! and stop at the first problem. Pintle's own files are read strictly. Files of other tools are read by their
//! spelling.

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

pub use assemble::{ParsedRevision, assemble_pin, assemble_revision, read_fragments};
pub use fragment::Fragment;
pub use hold::{Withheld, withheld};
pub use idle::FolderNames;
use jiff::Timestamp;
pub use keypath::{KeyPath, KeyPathError};
pub use layout::{Layout, misnamed_settings_path, settings_path};
pub(crate) use reader::parse_file;
pub use revision::{FileSource, FragmentCache, RevisionContents, load_revision, parse_revision, reparse_revision};
pub use schema::{service_schema, settings_schema};
use serde::{Deserialize, Serialize};
pub use suggest::did_you_mean;
pub(crate) use yaml::{MapEntry, ScalarMeaning, YamlTree, YamlValue, scalar_meaning};

use crate::image::Image;
use crate::problem::FilePlace;
pub use crate::service_name::{NameError, ServiceName};
use crate::version::{Version, VersionRange, Versioning};

/// The name of the settings file.
pub const SETTINGS_FILE: &str = "pintle.yaml";

/// All pins and settings of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    pub settings: Settings,
    pub services: BTreeMap<ServiceName, Service>,
    /// The services named by a file that has errors, each with its first error. They are held.
    pub broken: BTreeMap<ServiceName, String>,
}

/// One service at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub name: ServiceName,
    pub pin: Pin,
    /// The workloads that run the service. Never empty.
    pub workloads: Vec<WorkloadRef>,
    /// The containers that run the image. Without them, every container with the pin's repository does, init containers
    /// too.
    pub containers: Option<Vec<String>>,
    /// Without it, the namespace of the settings applies, and then the one of the kubeconfig context.
    pub namespace: Option<String>,
    /// The order of its versions. Without it, the history decides between semver and order of appearance.
    pub versioning: Option<Versioning>,
    pub hold: Option<Hold>,
    /// The oldest version that may run. Older versions cannot read the service's data any more.
    pub rollback_floor: Option<Version>,
    /// Overrides the drift policy of the settings.
    pub drift: Option<DriftPolicy>,
    /// The service is deployed elsewhere: it takes part in every decision, but Pintle never writes it.
    pub external: bool,
    /// Its earlier name. The service inherits the history of that name.
    pub formerly: Option<ServiceName>,
    /// The place of the version, which a release or a rollback edits.
    pub version_at: FilePlace,
    /// The place of each need, for messages.
    pub needs_at: BTreeMap<ServiceName, NeedPlaces>,
    /// The place of `rollbackFloor`, for messages.
    pub rollback_floor_at: Option<FilePlace>,
}

/// The part of a service that belongs to its version. A rollback restores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    pub version: Version,
    /// The image with tag and digest filled in.
    pub image: Image,
    pub depends_on: Arc<DependsOn>,
    /// When a change to this version counts as verified.
    pub verify: VerifySettings,
    pub local: Option<Arc<LocalSpec>>,
}

/// The needs of a service, by provider: the value of `dependsOn`.
pub type DependsOn = BTreeMap<ServiceName, Need>;

/// The versions of one provider that a consumer accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Need {
    /// The range that the version pinned in the same file needs. A plain list of names means [`VersionRange::any`].
    Range(VersionRange),
    /// The range that applies from each consumer version on. Rows keep the order of the file.
    Table(Vec<(Version, VersionRange)>),
}

/// The places of a [`Need`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedPlaces {
    pub provider: FilePlace,
    /// The places of the ranges, in the order of the rows. Empty where a plain list names the provider only.
    pub ranges: Vec<FilePlace>,
}

/// A workload as users write it: `deployment/checkout`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkloadRef {
    pub kind: WorkloadKind,
    pub name: String,
}

/// The kinds of workload that Pintle writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
    /// A service that the local runtime runs.
    Process,
}

/// The value of `verify:`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifySettings {
    /// The time a change may take before it counts as failed. Without it, Kubernetes' `progressDeadlineSeconds`
    /// decides.
    pub timeout: Option<Duration>,
}

/// A committed statement that versions of a service must not run: the value of `hold:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    #[serde(flatten)]
    pub versions: HeldVersions,
    pub reason: Option<String>,
    pub by: Option<String>,
    /// The expected end of the hold. A hold past this time still applies, and is reported as overdue.
    pub until: Option<Timestamp>,
    /// The place of the hold, for messages.
    #[serde(skip)]
    pub at: FilePlace,
}

/// The versions that a [`Hold`] excludes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum HeldVersions {
    Above(Version),
    Versions(VersionRange),
}

/// The drift policy of a service or of the repository: the value of `drift:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriftPolicy {
    pub action: DriftAction,
    /// How long a manual change to a version that was pinned before is left in place.
    pub hand_grace: Duration,
}

/// The reaction to drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftAction {
    /// Writes the pin at once.
    Correct,
    /// Reports the drift, and writes nothing.
    Report,
    /// Writes the pin at the next time of the controller's schedule.
    Schedule,
}

/// How the local runtime runs a service: the value of `local:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LocalSpec {
    Process {
        /// The program and its arguments. `{version}` is replaced by the version.
        run: Vec<String>,
        port: Option<u16>,
        health: Option<LocalHealth>,
        /// The new process starts before the old one ends, which needs `SO_REUSEPORT`. Otherwise the old process ends
        /// first.
        rolling: bool,
    },
    /// Four commands, for a service that another program supervises.
    Commands {
        /// Starts the version that the environment names.
        start: Vec<String>,
        stop: Vec<String>,
        /// Prints the running version.
        version: Vec<String>,
        /// Exits with 0 if the service is healthy.
        health: Option<Vec<String>>,
    },
}

/// The health check of a local process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LocalHealth {
    /// A GET request for this path on the service's port answers 2xx.
    Http(String),
    /// The service's port accepts a connection.
    Tcp,
    /// This command exits with 0.
    Command(Vec<String>),
}

/// The content of `pintle.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The name of this Pintle instance. It names the lease, and marks annotations as its own.
    pub instance: String,
    pub runtime: Runtime,
    /// The namespace of services that name none.
    pub namespace: Option<String>,
    pub drift: DriftPolicy,
    /// How long two versions must have been pinned together before the pair counts as seen. A service counts as known
    /// to be good up to this long before its last verification.
    pub soak: Duration,
    /// The reaction to pairs of versions that were never pinned together.
    pub unseen: UnseenPolicy,
    /// Groups of services that may start together where no safe order exists.
    pub lockstep: Vec<Vec<ServiceName>>,
    /// The place of the `lockstep` key, for messages.
    pub lockstep_at: Option<FilePlace>,
    /// The patterns for versions in files of other tools.
    pub pins: Vec<PinPattern>,
    /// A revision without any pin is intended, not an accident.
    pub allow_empty: bool,
    /// The settings file as a whole, for messages.
    pub place: FilePlace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    Kubernetes,
    /// Processes on this host.
    Local,
}

/// The reaction to pairs of versions that were never pinned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnseenPolicy {
    Ignore,
    /// The plan names the pairs.
    Warn,
    /// Services of such a pair are held.
    Refuse,
}

/// A pattern for versions in files that exist already: an entry of `pins:` in `pintle.yaml`, or `pin:` in a service
/// file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinPattern {
    /// The paths of the files. `{service}` captures the name of the service, and `*` matches any part of a file name.
    pub files: String,
    /// The value in each file.
    pub key: KeyPath,
    /// The image repository, which may contain `{service}`. Without it, the value carries the repository.
    pub image: Option<String>,
    pub value: ValueKind,
    /// The one service that the pattern pins, for `pin:` in a service file.
    pub service: Option<ServiceName>,
    /// The place of `files`, for messages.
    pub files_at: FilePlace,
    /// The place of `key`, for messages.
    pub key_at: FilePlace,
}

/// The meaning of the value that a [`PinPattern`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    Version,
    /// An image reference in one scalar, such as `name:tag@digest` (`as: image`).
    Image,
}

impl Pin {
    /// Returns whether both pins run the same version and image. Their needs may differ.
    pub fn is_same_release(&self, other: &Self) -> bool {
        self.version == other.version && self.image == other.image
    }
}

impl std::fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.name)
    }
}

impl WorkloadKind {
    /// Returns the name that kubectl uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::Process => "process",
        }
    }
}

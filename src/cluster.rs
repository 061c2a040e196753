//! The cluster in plain data: observed workloads and pods, and writes.
//!
//! [`Cluster`] is the only trait that exists as a seam. It decides nothing: `verify` judges health and `plan` decides
//! the order.

pub mod kube;
pub mod lease;
pub mod local;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pintle_core::image::Image;
use pintle_core::problem::display_safe;
use pintle_core::workload::{Container, Pause, Pod, State, Workload, WorkloadId, ownership_remedy};

pub use self::kube::Kube;
pub use self::lease::{Lead, Leader, Leadership, LeaseName, Says};
pub use self::local::LocalHost;

/// One observation of the cluster. A requested workload in neither `workloads` nor `unknown` does not exist.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// The requested workloads, and those of the same namespaces that carry a [`State`].
    pub workloads: BTreeMap<WorkloadId, Arc<Workload>>,
    /// The pods of each unsettled workload. A missing key means that they are not listed (yet); an empty list means
    /// that there are none.
    pub pods: BTreeMap<WorkloadId, Vec<Arc<Pod>>>,
    /// The containers of all templates an unsettled workload had since it was last settled. Present only while its pods
    /// are not listed: they can run nothing else.
    pub templates: BTreeMap<WorkloadId, Vec<Container>>,
    /// Workloads of the local runtime that run nothing until the next write, with the reason: they never started, or
    /// ended. Their entries in `workloads` describe what ran last.
    pub idle: BTreeMap<WorkloadId, String>,
    /// Requested workloads that cannot be observed, with the reason. Not even their existence is known.
    pub unknown: BTreeMap<WorkloadId, ClusterError>,
}

/// One write to one workload: its images and Pintle's state. Nothing else is ever written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    pub id: WorkloadId,
    /// The workload the decision was based on. It fences the write: if the workload was replaced, or changed in more
    /// than its status, the write is refused.
    pub seen: Arc<Workload>,
    /// Container name, whether it is an init container, and its image.
    pub images: Vec<(String, bool, Image)>,
    /// The complete new state.
    pub state: State,
}

/// The answer to a [`Write`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub resource_version: String,
    pub generation: i64,
    /// The image of each container after the write. An admission webhook may have changed it.
    pub images: Vec<(String, Image)>,
}

/// An error of the cluster. Its message names the object and one remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The API server did not answer in time. A request may still have taken effect.
    #[error("the API server does not answer: {0}")]
    Unreachable(String),
    /// The workload changed since the observation, which must be repeated.
    #[error("{0} has changed meanwhile")]
    Stale(WorkloadId),
    /// The workload does not exist, or was replaced since the observation.
    #[error("{0} does not exist")]
    Missing(WorkloadId),
    /// Another field manager owns the image field.
    #[error("the image of {id} belongs to {manager}: {}", ownership_remedy(manager))]
    Owned { id: WorkloadId, manager: String },
    #[error("namespace {0} does not exist: create it, or name another one (`namespace:`, --namespace)")]
    NoNamespace(String),
    /// A missing permission, with verb, resource and namespace.
    #[error("{0}")]
    Forbidden(String),
    /// The API server or an admission webhook rejected the write.
    #[error("{id}: {message}")]
    Refused {
        id: WorkloadId,
        /// The server's message.
        message: String,
    },
    /// The connection could not be set up: kubeconfig, context or certificates.
    #[error("{0}")]
    Config(String),
    /// An explicitly named kubeconfig cannot be read.
    #[error("the kubeconfig {} cannot be read: {why}", display_safe(&path.to_string_lossy(), 200))]
    Kubeconfig { path: PathBuf, why: String },
    /// Another process holds the lock of the local runtime's state folder.
    #[error("{0} is at it: wait for it to end")]
    Locked(String),
    /// Another process is the leader, or may have become it. Nothing was sent.
    #[error("the lease is not held any more")]
    NotLeading,
    /// No cluster is configured: there is no kubeconfig, and this process runs in no pod.
    #[error("{0}")]
    NoCluster(String),
}

/// A runtime for services. It is chosen once, when the command line is parsed, so dispatch is static.
pub trait Cluster: Send + Sync {
    /// Sets the workloads to observe.
    fn scope(&self, _wanted: &BTreeSet<WorkloadId>) {}

    /// Lists everything again, in case a watch missed something.
    fn look_anew(&self) {}

    /// Returns the current observation: complete, and never older than the answer to a write made through this value.
    fn observe(&self) -> impl Future<Output = Result<Observation, ClusterError>> + Send;

    /// Returns when the state differs from the last observation, or after `at_most`.
    fn changed(&self, at_most: Duration) -> impl Future<Output = Result<(), ClusterError>> + Send;

    /// Returns when the state differs from the last observation, or after `at_most`, without watching pods.
    fn changed_but_for_pods(&self, at_most: Duration) -> impl Future<Output = Result<(), ClusterError>> + Send {
        self.changed(at_most)
    }

    /// Sends a write, and returns its answer.
    fn apply(&self, write: &Write) -> impl Future<Output = Result<Written, ClusterError>> + Send;

    /// Joins the leader election. From now on, writes need the lease. `what` describes this process to others that
    /// wait.
    fn lead(&self, lease: &LeaseName, what: &str) -> Lead;

    /// Returns the current leader, if there is one.
    fn leader(&self, lease: &LeaseName) -> impl Future<Output = Result<Option<Leader>, ClusterError>> + Send;

    /// Pauses a workload, or resumes it if `pause` is none. Like a write, it is fenced by the `seen` version.
    fn pause(
        &self,
        id: &WorkloadId,
        seen: &Workload,
        pause: Option<&Pause>,
    ) -> impl Future<Output = Result<(), ClusterError>> + Send;

    /// Checks by a dry run whether another field manager would block the write; [`ClusterError::Owned`] names it.
    fn would_conflict(&self, write: &Write) -> impl Future<Output = Result<(), ClusterError>> + Send;
}

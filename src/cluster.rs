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
use pintle_core::workload::{Container, PauseAnnotation, Pod, StateAnnotation, Workload, WorkloadId, ownership_remedy};

pub use self::kube::KubeCluster;
pub use self::lease::{HolderStatus, LeaderElection, Leadership, LeaseHolder, LeaseName};
pub use self::local::LocalRuntime;

/// One observation of the cluster. A requested workload in neither `workloads` nor `unknown` does not exist.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// The requested workloads, and those of the same namespaces that carry a [`StateAnnotation`].
    pub workloads: BTreeMap<WorkloadId, Arc<Workload>>,
    /// The pods of each unsettled workload. A missing key means that they are not listed (yet); an empty list means
    /// that there are none.
    pub pods: BTreeMap<WorkloadId, Vec<Arc<Pod>>>,
    /// The containers of all templates an unsettled workload had since it was last settled. Present only while its pods
    /// are not listed: they can run nothing else.
    pub templates: BTreeMap<WorkloadId, Vec<Container>>,
    /// Workloads of the local runtime that run nothing until the next write, with the reason: they never started, or
    /// ended. Their entries in `workloads` describe what ran last.
    pub idle_reasons: BTreeMap<WorkloadId, String>,
    /// Requested workloads that cannot be observed, with the reason. Not even their existence is known.
    pub unobservable: BTreeMap<WorkloadId, ClusterError>,
}

/// One write to one workload: its images and Pintle's state. Nothing else is ever written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadWrite {
    pub id: WorkloadId,
    /// The workload the decision was based on. It fences the write: if the workload was replaced, or changed in more
    /// than its status, the write is refused.
    pub expected: Arc<Workload>,
    /// Container name, whether it is an init container, and its image.
    pub images: Vec<(String, bool, Image)>,
    /// The complete new state.
    pub state: StateAnnotation,
}

/// The answer to a [`WorkloadWrite`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteReceipt {
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
    Conflict(WorkloadId),
    /// The workload does not exist, or was replaced since the observation.
    #[error("{0} does not exist")]
    NotFound(WorkloadId),
    /// Another field manager owns the image field.
    #[error("the image of {id} belongs to {field_manager}: {}", ownership_remedy(field_manager))]
    FieldOwned { id: WorkloadId, field_manager: String },
    #[error("namespace {0} does not exist: create it, or name another one (`namespace:`, --namespace)")]
    NamespaceNotFound(String),
    /// A missing permission, with verb, resource and namespace.
    #[error("{0}")]
    Forbidden(String),
    /// The API server or an admission webhook rejected the write.
    #[error("{id}: {message}")]
    Rejected {
        id: WorkloadId,
        /// The server's message.
        message: String,
    },
    /// The connection could not be set up: kubeconfig, context or certificates.
    #[error("{0}")]
    ConnectionConfig(String),
    /// An explicitly named kubeconfig cannot be read.
    #[error("the kubeconfig {} cannot be read: {why}", display_safe(&path.to_string_lossy(), 200))]
    Kubeconfig { path: PathBuf, why: String },
    /// Another process holds the lock of the local runtime's state folder.
    #[error("{0} is at it: wait for it to end")]
    Locked(String),
    /// Another process is the leader, or may have become it. Nothing was sent.
    #[error("the lease is not held any more")]
    LeaseNotHeld,
    /// No cluster is configured: there is no kubeconfig, and this process runs in no pod.
    #[error("{0}")]
    NoCluster(String),
}

/// A runtime for services. It is chosen once, when the command line is parsed, so dispatch is static.
pub trait Cluster: Send + Sync {
    /// Sets the workloads to observe.
    fn watch_workloads(&self, _wanted: &BTreeSet<WorkloadId>) {}

    /// Lists everything again, in case a watch missed something.
    fn resync(&self) {}

    /// Returns the current observation: complete, and never older than the answer to a write made through this value.
    fn observe(&self) -> impl Future<Output = Result<Observation, ClusterError>> + Send;

    /// Returns when the state differs from the last observation, or after `at_most`.
    fn wait_for_change(&self, at_most: Duration) -> impl Future<Output = Result<(), ClusterError>> + Send;

    /// Returns when the state differs from the last observation, or after `at_most`, without watching pods.
    fn wait_for_workload_change(&self, at_most: Duration) -> impl Future<Output = Result<(), ClusterError>> + Send {
        self.wait_for_change(at_most)
    }

    /// Sends a write, and returns its answer.
    fn write_workload(&self, write: &WorkloadWrite) -> impl Future<Output = Result<WriteReceipt, ClusterError>> + Send;

    /// Joins the leader election. From now on, writes need the lease. `what` describes this process to others that
    /// wait.
    fn campaign(&self, lease: &LeaseName, what: &str) -> LeaderElection;

    /// Returns the current leader, if there is one.
    fn lease_holder(&self, lease: &LeaseName)
    -> impl Future<Output = Result<Option<LeaseHolder>, ClusterError>> + Send;

    /// Pauses a workload, or resumes it if `pause` is none. Like a write, it is fenced by the `seen` version.
    fn set_pause(
        &self,
        id: &WorkloadId,
        seen: &Workload,
        pause: Option<&PauseAnnotation>,
    ) -> impl Future<Output = Result<(), ClusterError>> + Send;

    /// Checks by a dry run whether another field manager would block the write; [`ClusterError::FieldOwned`] names it.
    fn check_field_ownership(&self, write: &WorkloadWrite) -> impl Future<Output = Result<(), ClusterError>> + Send;
}

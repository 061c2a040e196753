//! The cluster, in plain data: what is observed of workloads and pods, and what is written.
//!
//! [`Cluster`] is the only trait that exists for the sake of a seam. It decides nothing: health is `verify`'s, order is
//! `plan`'s.

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

/// One look at the cluster. A workload that was asked for and is in neither map does not exist.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// The workloads asked for, and those of the same namespaces that carry a [`State`].
    pub workloads: BTreeMap<WorkloadId, Arc<Workload>>,
    /// The pods of each workload that is not settled. Looked at only while it is unsettled: an absent key means not
    /// looked at (yet), an empty list means that there are none.
    pub pods: BTreeMap<WorkloadId, Vec<Arc<Pod>>>,
    /// The containers of all templates that an unsettled workload had since it was settled, where that is known and its
    /// pods have not been looked at yet: they are of no other.
    pub templates: BTreeMap<WorkloadId, Vec<Container>>,
    /// The workloads of which nothing runs until they are written, and why: processes of the local runtime that never
    /// started, or have ended. What `workloads` says of them is what ran last.
    pub idle: BTreeMap<WorkloadId, String>,
    /// The workloads asked for that cannot be looked at, and why: nothing is known of them, not even whether they exist.
    pub unknown: BTreeMap<WorkloadId, ClusterError>,
}

/// One write to one workload: images, and what is remembered. Nothing else is ever written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The workload.
    pub id: WorkloadId,
    /// What it was decided on. Fences: refused where the workload is another one by now, or has changed in more than its
    /// status.
    pub seen: Arc<Workload>,
    /// Container, init or not, and its image.
    pub images: Vec<(String, bool, Image)>,
    /// Sent whole.
    pub state: State,
}

/// What the answer to a [`Write`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The resource version after it.
    pub resource_version: String,
    /// The generation after it.
    pub generation: i64,
    /// The image of each container after it: the server may have made another one of what was sent.
    pub images: Vec<(String, Image)>,
}

/// What the cluster refuses or fails to do; the reader is told the object, and one way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// No answer: the API server is gone, or too slow. What was sent may have been done.
    #[error("the API server does not answer: {0}")]
    Unreachable(String),
    /// The workload has changed since it was observed: look again.
    #[error("{0} has changed meanwhile")]
    Stale(WorkloadId),
    /// The workload does not exist, or is not the one observed.
    #[error("{0} does not exist")]
    Missing(WorkloadId),
    /// Somebody else owns the image field.
    #[error("the image of {id} belongs to {manager}: {}", ownership_remedy(manager))]
    Owned {
        /// The workload.
        id: WorkloadId,
        /// The field manager.
        manager: String,
    },
    /// The namespace does not exist.
    #[error("namespace {0} does not exist: create it, or name another one (`namespace:`, --namespace)")]
    NoNamespace(String),
    /// Not allowed, with verb, resource and namespace.
    #[error("{0}")]
    Forbidden(String),
    /// The API server or an admission webhook refused it, in its own words.
    #[error("{id}: {message}")]
    Refused {
        /// The workload.
        id: WorkloadId,
        /// Its words.
        message: String,
    },
    /// The connection cannot be set up: kubeconfig, context, certificates.
    #[error("{0}")]
    Config(String),
    /// A file that is named to say which cluster cannot be read.
    #[error("the kubeconfig {} cannot be read: {why}", display_safe(&path.to_string_lossy(), 200))]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The state folder of the local runtime is somebody else's to change: whose.
    #[error("{0} is at it: wait for it to end")]
    Locked(String),
    /// Another process is the one writer, or may be by now: nothing was sent.
    #[error("the lease is not held any more")]
    NotLeading,
    /// Nothing names a cluster: neither a kubeconfig, nor a pod that this runs in.
    #[error("{0}")]
    NoCluster(String),
}

/// Where services run. Static dispatch: chosen once, where the command line is read.
pub trait Cluster: Send + Sync {
    /// Says which workloads are asked for from now on.
    fn scope(&self, _wanted: &BTreeSet<WorkloadId>) {}

    /// Looks at everything anew, in case something was missed.
    fn look_anew(&self) {}

    /// The newest picture: complete, and never older than the answer to a write made through this value.
    fn observe(&self) -> impl Future<Output = Result<Observation, ClusterError>> + Send;

    /// Returns when the picture differs from the last one observed, or after `at_most`.
    fn changed(&self, at_most: Duration) -> impl Future<Output = Result<(), ClusterError>> + Send;

    /// The same, for whoever asks for no pods: nothing that only shows them is looked at meanwhile.
    fn changed_but_for_pods(&self, at_most: Duration) -> impl Future<Output = Result<(), ClusterError>> + Send {
        self.changed(at_most)
    }

    /// Writes; ends when it is answered.
    fn apply(&self, write: &Write) -> impl Future<Output = Result<Written, ClusterError>> + Send;

    /// Takes part in the election of the one writer: from now on nothing is written that the lease does not cover. `what`
    /// is done, for others who wait.
    fn lead(&self, lease: &LeaseName, what: &str) -> Lead;

    /// The one writer, where there is one.
    fn leader(&self, lease: &LeaseName) -> impl Future<Output = Result<Option<Leader>, ClusterError>> + Send;

    /// Pauses a workload, or ends its pause where `pause` is none; fenced by what was `seen`, as a write is. Ends when it is
    /// answered.
    fn pause(
        &self,
        id: &WorkloadId,
        seen: &Workload,
        pause: Option<&Pause>,
    ) -> impl Future<Output = Result<(), ClusterError>> + Send;

    /// Asks whether somebody would refuse a different image, and writes nothing: [`ClusterError::Owned`] names who.
    fn would_conflict(&self, write: &Write) -> impl Future<Output = Result<(), ClusterError>> + Send;
}

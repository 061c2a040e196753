//! The cluster, in plain data: what is observed of workloads and pods, and what is written.
//!
//! [`Cluster`] is the only trait that exists for the sake of a seam. It decides nothing: health is `verify`'s, order is
//! `plan`'s.

pub mod kube;
pub mod lease;
pub mod local;
mod pause;
pub(crate) mod rollout;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::image::Image;
use crate::pins::{WorkloadKind, WorkloadRef};
use crate::problem::display_safe;

pub use self::kube::Kube;
pub use self::lease::{Lead, Leader, Leadership, LeaseName, Says};
pub use self::local::LocalHost;
pub use self::rollout::settled;
pub use pause::Pause;
pub use state::{Proven, Rewritten, State};

/// A workload of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct WorkloadId {
    /// Its namespace.
    pub namespace: String,
    /// Kind and name.
    #[serde(flatten)]
    pub workload: WorkloadRef,
}

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

/// A workload as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Fences every write: a workload deleted and made anew is another one.
    pub uid: String,
    /// Fences every write: somebody else's write in between is seen.
    pub resource_version: String,
    /// Counts the changes of the specification.
    pub generation: i64,
    /// Set while it is being deleted.
    pub deleting: bool,
    /// The containers of its template, init containers too.
    pub containers: Vec<Container>,
    /// What Pintle remembers on it; none where there is none, or none that can be read.
    pub state: Option<State>,
    /// Until when nobody writes it, over or not; none where it was never paused, or is no more.
    pub pause: Option<Pause>,
    /// Pintle has applied something to it, now or at some time before.
    pub ours: bool,
    /// Who wrote the image fields, newest first: the field manager's name and time.
    pub managers: Vec<Manager>,
    /// The replicas asked for; none for a DaemonSet.
    pub replicas: Option<i32>,
    /// How it replaces pods.
    pub strategy: Strategy,
    /// A Deployment that is paused.
    pub paused: bool,
    /// What its controller reports.
    pub status: Status,
}

/// A container of a workload's template or of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image; none where the text is no image reference.
    pub image: Option<Image>,
    /// The image as it is written there.
    pub written: String,
    /// An init container.
    pub init: bool,
}

/// A field manager that owns an image field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    /// Its name, such as `kubectl-set` or `argocd-controller`.
    pub name: String,
    /// When it last wrote.
    pub time: Option<Timestamp>,
    /// It wrote by server-side apply.
    pub applied: bool,
    /// The containers whose image it owns.
    pub containers: Vec<String>,
}

/// How a workload replaces its pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strategy {
    /// New pods start before old ones end, so many more at most.
    Rolling {
        /// Pods above the replicas, rounded up as Kubernetes does.
        surge: i32,
    },
    /// All old pods end first.
    Recreate,
    /// Only pods that somebody deletes are replaced.
    OnDelete,
    /// Only pods of ordinals from this one on are replaced.
    Partition(i32),
}

/// What a workload's controller reports; absent numbers stay absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The generation it speaks of.
    pub observed_generation: Option<i64>,
    /// Pods in all (`replicas`; `currentNumberScheduled` of a DaemonSet).
    pub replicas: Option<i32>,
    /// Pods of the newest template.
    pub updated: Option<i32>,
    /// Ready pods.
    pub ready: Option<i32>,
    /// Available pods.
    pub available: Option<i32>,
    /// Pods that are ending, where it is reported.
    pub terminating: Option<i32>,
    /// Pods of the current revision (StatefulSet).
    pub current: Option<i32>,
    /// Pods wanted (`desiredNumberScheduled` of a DaemonSet).
    pub desired: Option<i32>,
    /// The revision most pods have (StatefulSet).
    pub current_revision: Option<String>,
    /// The revision all pods shall have (StatefulSet).
    pub update_revision: Option<String>,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// The templates that its specification has left and of which pods may still come. No controller reports that: whoever
    /// watches finds it out.
    pub left: Left,
}

/// The templates that a specification has left and of which pods may still come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Left {
    /// None.
    #[default]
    Nothing,
    /// Those with these containers.
    Templates(Vec<Container>),
    /// It is not known yet.
    Unknown,
}

/// A condition of a workload's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Such as `Progressing`.
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Such as `ProgressDeadlineExceeded`.
    pub reason: String,
    /// The controller's words.
    pub message: String,
    /// When it was last updated.
    pub updated: Option<Timestamp>,
}

/// A pod as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its containers.
    pub containers: Vec<Container>,
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub phase: String,
    /// It is ready.
    pub ready: bool,
    /// Since when it is not; none where it is, or where nobody has said so yet.
    pub unready_since: Option<Timestamp>,
    /// It is ending.
    pub terminating: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its hash of the template (`pod-template-hash`, `controller-revision-hash`).
    pub template: Option<String>,
    /// What keeps it from being ready, in its own words, worst first.
    pub troubles: Vec<Trouble>,
}

/// What keeps a pod from being ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The container; none where it is the pod as a whole (`Unschedulable`).
    pub container: Option<String>,
    /// Such as `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`, `Error`.
    pub reason: String,
    /// The pod's own words, such as the line that the registry answered.
    pub message: String,
    /// How often the container was started anew.
    pub restarts: i32,
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
    #[error("the image of {id} belongs to {manager}: {}", kube::way_out(manager))]
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

impl std::fmt::Display for WorkloadId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.workload.kind == WorkloadKind::Process {
            return write!(f, "{}", self.workload);
        }
        write!(f, "{} in namespace {}", self.workload, self.namespace)
    }
}

impl std::fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.name)
    }
}

impl Workload {
    /// Whether it is as `other`, save perhaps what its controller reports: what was decided on one holds of both, because
    /// the templates that its pods can be of are the same.
    pub fn is_but_for_its_status(&self, other: &Self) -> bool {
        let (resource_version, status) = (other.resource_version.clone(), other.status.clone());
        self.resource_version == other.resource_version || Self { resource_version, status, ..self.clone() } == *other
    }

    /// As what an image of it was sent, which the server may have rewritten.
    pub fn sent(&self, there: &Image) -> Image {
        let rewritten = self.state.as_ref().and_then(|state| state.rewritten.as_ref());
        rewritten.and_then(|rewritten| rewritten.sent(there)).unwrap_or_else(|| there.clone())
    }
}

impl Pod {
    /// Its containers run, or may yet: a pod that has ended keeps its object, and nothing else.
    pub fn runs(&self) -> bool {
        !matches!(self.phase.as_str(), "Succeeded" | "Failed")
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

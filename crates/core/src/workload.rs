//! The plain data of a cluster: workloads, their pods, and what Pintle remembers on them. Nothing here asks a cluster;
//! `cluster` does.

mod owner;
mod pause;
mod state;

use jiff::Timestamp;
pub use owner::{FIELD_MANAGER, may_take_over, way_out};
pub use pause::Pause;
use serde::Serialize;
pub use state::{Proven, Rewritten, State, proven_by_all};

use crate::image::Image;
use crate::pins::{WorkloadKind, WorkloadRef};

/// A workload of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct WorkloadId {
    /// Its namespace.
    pub namespace: String,
    /// Kind and name.
    #[serde(flatten)]
    pub workload: WorkloadRef,
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

impl std::fmt::Display for WorkloadId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.workload.kind == WorkloadKind::Process {
            return write!(f, "{}", self.workload);
        }
        write!(f, "{} in namespace {}", self.workload, self.namespace)
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

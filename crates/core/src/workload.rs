//! Plain data of a cluster: workloads, their pods, and Pintle's annotations on them. `cluster` reads it.

mod owner;
mod pause;
mod state;

use jiff::Timestamp;
pub use owner::{FIELD_MANAGER, may_take_field_from, ownership_remedy};
pub use pause::PauseAnnotation;
use serde::Serialize;
pub use state::{ImageRewrite, ProvenVersion, StateAnnotation, proven_by_all};

use crate::image::Image;
use crate::pins::{WorkloadKind, WorkloadRef};

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct WorkloadId {
    pub namespace: String,
    #[serde(flatten)]
    pub workload: WorkloadRef,
}

/// The observed state of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Fences every write. A workload that was deleted and created again has another uid.
    pub uid: String,
    /// Fences every write. A concurrent write by anybody else changes it.
    pub resource_version: String,
    /// Counts the changes of the specification.
    pub generation: i64,
    /// The workload is being deleted.
    pub deleting: bool,
    /// The containers of the pod template, init containers too.
    pub containers: Vec<Container>,
    /// Pintle's annotation. None if it is missing or cannot be read.
    pub state: Option<StateAnnotation>,
    /// The pause on the workload, expired or not.
    pub pause: Option<PauseAnnotation>,
    /// Pintle has applied to the workload at some time, now or before.
    pub is_managed: bool,
    /// The field managers of the image fields, newest first.
    pub image_managers: Vec<FieldManager>,
    /// The desired replicas. None for a DaemonSet.
    pub replicas: Option<i32>,
    pub strategy: RolloutStrategy,
    /// `spec.paused` of a Deployment.
    pub paused: bool,
    /// The status that its controller reports.
    pub status: ReportedStatus,
}

/// A container of a pod template or of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub name: String,
    /// The parsed image. None if the text is no image reference.
    pub image: Option<Image>,
    /// The image exactly as the object holds it.
    pub written_image: String,
    pub init: bool,
}

/// A field manager that owns an image field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldManager {
    /// The manager's name, such as `kubectl-set` or `argocd-controller`.
    pub name: String,
    /// The time of its last write.
    pub time: Option<Timestamp>,
    /// The manager used server-side apply.
    pub applied: bool,
    /// The containers whose image it owns.
    pub containers: Vec<String>,
}

/// How a workload replaces its pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RolloutStrategy {
    /// New pods start before old ones end.
    Rolling {
        /// Pods above the desired replicas, rounded up as Kubernetes does.
        surge: i32,
    },
    /// All old pods end before a new one starts.
    Recreate,
    /// A pod is replaced only after somebody deletes it.
    OnDelete,
    /// Only pods with this ordinal or a higher one are replaced.
    Partition(i32),
}

/// The status from a workload's controller. Absent numbers stay absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportedStatus {
    /// The generation that the status describes.
    pub observed_generation: Option<i64>,
    /// All pods: `replicas`, or `currentNumberScheduled` of a DaemonSet.
    pub replicas: Option<i32>,
    /// Pods of the newest template.
    pub updated: Option<i32>,
    pub ready: Option<i32>,
    pub available: Option<i32>,
    /// Terminating pods, where the cluster reports them.
    pub terminating: Option<i32>,
    /// Pods of the current revision (StatefulSet).
    pub current: Option<i32>,
    /// Desired pods (`desiredNumberScheduled` of a DaemonSet).
    pub desired: Option<i32>,
    /// The revision that most pods have (StatefulSet).
    pub current_revision: Option<String>,
    /// The revision that the controller rolls out (StatefulSet).
    pub update_revision: Option<String>,
    pub conditions: Vec<Condition>,
    /// The templates that the specification has left and whose pods may still come. No controller reports them:
    /// `cluster` finds them out.
    pub left: Left,
}

/// The templates that a specification has left and whose pods may still come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Left {
    #[default]
    Nothing,
    /// The containers of these templates.
    Templates(Vec<Container>),
    /// The templates are not known yet.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The condition's type, such as `Progressing`.
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// A reason such as `ProgressDeadlineExceeded`.
    pub reason: String,
    pub message: String,
    /// The time of the last update.
    pub updated: Option<Timestamp>,
}

/// The observed state of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    pub name: String,
    pub containers: Vec<Container>,
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub phase: String,
    pub ready: bool,
    /// The time since when the pod is not ready. None if it is ready, or if no condition has reported on it yet.
    pub unready_since: Option<Timestamp>,
    pub terminating: bool,
    pub created: Option<Timestamp>,
    /// The template hash: `pod-template-hash` or `controller-revision-hash`.
    pub template: Option<String>,
    /// The issues that keep the pod from being ready, worst first.
    pub issues: Vec<PodIssue>,
}

/// An issue that keeps a pod from being ready.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodIssue {
    /// The container. None if the issue concerns the whole pod (`Unschedulable`).
    pub container: Option<String>,
    /// A reason such as `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable` or `Error`.
    pub reason: String,
    /// The cluster's message, such as the answer of the registry.
    pub message: String,
    /// The number of restarts of the container.
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
    /// Returns whether two observations are equal apart from the resource version and the status. A decision on one
    /// then holds for the other, because their pods can have the same templates only.
    pub fn equals_ignoring_status(&self, other: &Self) -> bool {
        let (resource_version, status) = (other.resource_version.clone(), other.status.clone());
        self.resource_version == other.resource_version || Self { resource_version, status, ..self.clone() } == *other
    }

    /// Returns the image as Pintle wrote it, if an admission webhook rewrote it to `there`. Otherwise returns `there`.
    pub fn image_as_written(&self, there: &Image) -> Image {
        let rewritten = self.state.as_ref().and_then(|state| state.image_rewrite.as_ref());
        rewritten.and_then(|rewritten| rewritten.image_as_written(there)).unwrap_or_else(|| there.clone())
    }
}

impl Pod {
    /// Returns whether containers of the pod run or may still start. A finished pod leaves only its object.
    pub fn is_running(&self) -> bool {
        !matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }
}

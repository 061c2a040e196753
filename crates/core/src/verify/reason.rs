//! Why a workload has the health it has, as values.

use std::fmt;

use jiff::SignedDuration;
use jiff::fmt::friendly::SpanPrinter;
use serde::Serialize;

use crate::pins::WorkloadKind;
use crate::workload::{PodIssue, WorkloadId};

/// Why a workload has the health it has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "code", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HealthReason {
    /// The workload does not exist.
    Missing { workload: WorkloadId },
    /// The workload is being deleted.
    Deleting,
    /// Nothing runs until the workload is written, in the words of the local runtime.
    Idle { message: String },
    /// The controller has not observed the last change.
    Unobserved,
    /// The status is of a later generation than the specification.
    StatusAhead { status: i64, specification: i64 },
    /// The status reports a negative number of pods.
    NegativeCount { name: &'static str, count: i32 },
    /// The workload is scaled to 0.
    ScaledToZero,
    /// All pods of a paused Deployment are available.
    PausedAtRest { pods: i32 },
    /// All pods are available.
    Available { pods: i32 },
    /// Pods are still ending.
    Ending { pods: i32 },
    /// The pods have not been looked at yet.
    PodsUnknown,
    /// Fewer pods than there shall be have come so far.
    TooFew { pods: i32, of: i32, milestone: Milestone },
    /// Pods of an older template are left.
    Outdated { pods: i32 },
    /// There are more pods than there shall be.
    TooMany { pods: i32 },
    /// A StatefulSet has another number of pods than there shall be.
    WrongCount { pods: i32, wanted: i32 },
    /// All pods are there, and the controller has not said so yet.
    Unconfirmed { kind: WorkloadKind },
    /// The Deployment does not report that it is available.
    NotAvailable,
    /// The DaemonSet has not counted its nodes yet.
    NodesNotCounted,
    /// A Deployment is paused in the middle of its rollout.
    Paused { updated: i32, of: i32 },
    /// Pods are replaced only when an operator deletes them.
    OnDelete { outdated: i32 },
    /// The partition of a StatefulSet keeps pods on the old revision.
    Partition { outdated: i32 },
    /// A pod of the new template has failed.
    PodFailed { pod: UnreadyPod },
    /// A StatefulSet waits for a broken pod that somebody has to delete.
    PodStuck { pod: UnreadyPod },
    /// The rollout goes on, and this is in its way.
    Obstructed { progress: Box<Self>, by: Obstruction },
    /// Kubernetes gave up waiting.
    GaveUp { why: Box<Self> },
    /// The change takes longer than it may.
    Overdue { after: SignedDuration, why: Box<Self> },
    /// No pod has been ready for longer than a change may take.
    NeverReady { patience: SignedDuration, why: Box<Self> },
}

/// How far pods have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Milestone {
    NewTemplate,
    NewRevision,
    Scheduled,
    Ready,
    Available,
}

/// What is in the way of new pods.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Obstruction {
    /// Pods cannot be made at all, by a quota for example: the condition of the controller.
    ReplicaFailure { reason: String, message: String },
    /// A pod is not ready.
    Pod(UnreadyPod),
}

/// A pod that is not ready, and its worst issue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnreadyPod {
    pub name: String,
    /// The local runtime runs a process, which has no containers.
    pub is_process: bool,
    pub issue: Option<PodIssue>,
}

impl HealthReason {
    /// Returns the pod that this is about, if any: its message is the pod's own, and may be shortened for people.
    pub fn pod_mut(&mut self) -> Option<&mut UnreadyPod> {
        match self {
            Self::PodFailed { pod } | Self::PodStuck { pod } | Self::Obstructed { by: Obstruction::Pod(pod), .. } => {
                Some(pod)
            }
            Self::GaveUp { why } | Self::Overdue { why, .. } | Self::NeverReady { why, .. } => why.pod_mut(),
            _ => None,
        }
    }
}

impl fmt::Display for HealthReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { workload } => write!(f, "{workload} does not exist; Pintle creates none"),
            Self::Deleting => f.write_str("is being deleted"),
            Self::Idle { message } => f.write_str(message),
            Self::Unobserved => f.write_str("its controller has not seen the last change yet"),
            Self::StatusAhead { status, specification } => {
                write!(f, "its status is of generation {status}, its specification of {specification}")
            }
            Self::NegativeCount { name, count } => write!(f, "its status reports {count} {name} pods"),
            Self::ScaledToZero => f.write_str("scaled to 0: nothing runs"),
            Self::PausedAtRest { pods } => write!(f, "paused; {} of this template, available", Pods(*pods)),
            Self::Available { pods } => write!(f, "{}, available", Pods(*pods)),
            Self::PodFailed { pod } => pod.fmt(f),
            Self::PodStuck { pod } => {
                write!(f, "a StatefulSet replaces a broken pod only when it is deleted: {pod}")
            }
            Self::Obstructed { progress, by } => write!(f, "{progress}: {by}"),
            Self::GaveUp { why } => write!(f, "Kubernetes gave up waiting: {why}"),
            Self::Overdue { after, why } => write!(f, "{} after the write: {why}", in_units(after)),
            Self::NeverReady { patience, why } => {
                write!(f, "no pod has been ready for {}: {why}", in_units(patience))
            }
            rollout => rollout.fmt_rollout(f),
        }
    }
}

impl HealthReason {
    fn fmt_rollout(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ending { pods: 1 } => f.write_str("1 pod is still ending"),
            Self::Ending { pods } => write!(f, "{pods} pods are still ending"),
            Self::PodsUnknown => f.write_str("its pods have not been looked at yet"),
            Self::TooFew { pods, of, milestone } => write!(f, "{pods} of {} {milestone}", Pods(*of)),
            Self::Outdated { pods } => write!(f, "{} of an older template still there", Pods(*pods)),
            Self::TooMany { pods } => write!(f, "{} too many still there", Pods(*pods)),
            Self::WrongCount { pods, wanted } => write!(f, "{} there, {wanted} wanted", Pods(*pods)),
            Self::Unconfirmed { kind: WorkloadKind::StatefulSet } => {
                f.write_str("all pods are there, the StatefulSet has not said so yet")
            }
            Self::Unconfirmed { .. } => f.write_str("all pods are there, the Deployment has not said so yet"),
            Self::NotAvailable => f.write_str("the Deployment does not say that it is available"),
            Self::NodesNotCounted => f.write_str("the DaemonSet has not counted its nodes yet"),
            Self::Paused { updated, of } => {
                write!(f, "it is paused: {updated} of {} {}", Pods(*of), Milestone::NewTemplate)
            }
            Self::OnDelete { outdated } => {
                write!(f, "its strategy is OnDelete: {} still to be deleted by an operator", Pods(*outdated))
            }
            Self::Partition { outdated } => {
                write!(f, "waits for an operator: its partition keeps {} on the old revision", Pods(*outdated))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewTemplate => "run the new template",
            Self::NewRevision => "run the new revision",
            Self::Scheduled => "scheduled",
            Self::Ready => "ready",
            Self::Available => "available",
        })
    }
}

impl fmt::Display for Obstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReplicaFailure { reason, message } => {
                f.write_str(format!("{reason}: {message}").trim_end_matches([':', ' ']))
            }
            Self::Pod(pod) => pod.fmt(f),
        }
    }
}

impl fmt::Display for UnreadyPod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.is_process { "process" } else { "pod" }, self.name)?;
        let Some(PodIssue { container, reason, message, restarts }) = &self.issue else {
            return f.write_str(" is not ready");
        };
        if let Some(container) = container.as_ref().filter(|_| !self.is_process) {
            write!(f, ", container {container}")?;
        }
        write!(f, ": {reason}")?;
        match restarts {
            0 => {}
            1 => f.write_str(" after 1 restart")?,
            many => write!(f, " after {many} restarts")?,
        }
        if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
    }
}

/// So many pods.
struct Pods(i32);

impl fmt::Display for Pods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 1 { f.write_str("1 pod") } else { write!(f, "{} pods", self.0) }
    }
}

fn in_units(duration: &SignedDuration) -> String {
    SpanPrinter::new().duration_to_string(duration)
}

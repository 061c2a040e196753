//! Judges what was observed of one workload: its health in Argo CD's words, what that means for a change, and which
//! images it runs. Pure.
//!
//! The rules are kstatus' with four corrections: pods that are still ending count, a broken pod of the new template
//! fails at once, what only a human can move waits for the human, and what the cluster lacks is nobody's failure.

mod live;
mod pods;
mod reason;
mod rollout;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
pub use live::{MissingContainer, live_images, pod_images, service_containers};
pub use reason::{HealthReason, Milestone, Obstruction, UnreadyPod};
pub use rollout::{is_rolled_out, is_settled};
use serde::Serialize;

use self::pods::PodGenerations;
use self::rollout::{RolloutState, RolloutStop};
use crate::workload::{Pod, Workload, WorkloadId};

/// How long pods may be unready where a service does not say how long its changes may take: as long as a Deployment may
/// take to get on, by Kubernetes' own default.
const DEFAULT_UNREADY_TIMEOUT: Duration = Duration::from_secs(600);

/// The health of one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadHealth {
    /// Argo CD's word for it.
    pub status: HealthStatus,
    /// Why.
    pub reason: HealthReason,
    /// Every pod runs the specification and none is ending: the image of the specification is all that runs. A missing
    /// workload is not settled.
    pub settled: bool,
    /// What it means for a change.
    pub verdict: Verdict,
}

/// Argo CD's words for health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum HealthStatus {
    /// All is well.
    Healthy,
    /// On its way.
    Progressing,
    /// Failed, or stuck on something broken.
    Degraded,
    /// There is no such workload.
    Missing,
    /// At rest because somebody said so: scaled to 0, paused, waiting for an operator.
    Suspended,
    /// Cannot be told.
    Unknown,
}

/// What the health of a workload means for a change to it; why is [`WorkloadHealth::reason`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It has arrived. Where the word is not Healthy (scaled to 0), nothing has been proven by it.
    Pass,
    /// Not there yet; with what only a human should do, where nothing else gets it going.
    Wait(Option<WorkloadRemedy>),
    /// It has failed, for certain.
    Fail,
    /// It has not arrived, and that says nothing about the version.
    Inconclusive,
}

/// What a human does where nothing else gets a workload going.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkloadRemedy {
    /// Resume the rollout of a paused Deployment.
    ResumeRollout(WorkloadId),
    /// Delete a pod, which its controller replaces.
    DeletePod {
        /// The namespace of the pod.
        namespace: String,
        /// The name of the pod.
        pod: String,
    },
    /// Set the partition of a StatefulSet to 0.
    ClearPartition(WorkloadId),
}

/// The change that is judged.
#[derive(Debug, Clone, Copy)]
pub struct ChangeTiming {
    /// When it was written, by the API server's clock; none where nothing was.
    pub written_at: Option<Timestamp>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// The time of judgement.
    pub now: Timestamp,
}

/// The health of a workload; `pods` are none where they were not looked at.
pub fn workload_health(
    id: &WorkloadId,
    workload: Option<&Workload>,
    pods: Option<&[Arc<Pod>]>,
    change: &ChangeTiming,
) -> WorkloadHealth {
    let Some(workload) = workload else {
        return WorkloadHealth::waits(HealthStatus::Missing, HealthReason::Missing { workload: id.clone() });
    };
    if workload.deleting {
        return WorkloadHealth::waits(HealthStatus::Progressing, HealthReason::Deleting);
    }
    let kind = id.workload.kind;
    match rollout::rollout_state(kind, workload) {
        RolloutState::Inconsistent(why) => WorkloadHealth::inconclusive(HealthStatus::Unknown, why),
        RolloutState::Unobserved => unobserved_health(change),
        RolloutState::Complete => match rollout::ending_pods(kind, workload, pods) {
            Some(why) => WorkloadHealth::waits(HealthStatus::Progressing, why),
            None => done(id, workload),
        },
        RolloutState::UnderWay(why) => going(id, workload, pods, change, UnfinishedRollout { why, stop: None }),
        RolloutState::Stopped(why, stop) => {
            going(id, workload, pods, change, UnfinishedRollout { why, stop: Some(stop) })
        }
    }
}

/// A rollout that has not arrived.
struct UnfinishedRollout {
    why: HealthReason,
    stop: Option<RolloutStop>,
}

/// Its controller has not seen the last change: what it reports, and the pods there are, say nothing about that.
fn unobserved_health(change: &ChangeTiming) -> WorkloadHealth {
    let why = HealthReason::Unobserved;
    if change.overdue() {
        return WorkloadHealth::inconclusive(HealthStatus::Progressing, change.too_long(why));
    }
    WorkloadHealth::waits(HealthStatus::Progressing, why)
}

fn done(id: &WorkloadId, workload: &Workload) -> WorkloadHealth {
    let pods = rollout::desired_pods(id.workload.kind, workload);
    let (word, reason) = match pods {
        0 => (HealthStatus::Suspended, HealthReason::ScaledToZero),
        _ if workload.paused => (HealthStatus::Suspended, HealthReason::PausedAtRest { pods }),
        _ => (HealthStatus::Healthy, HealthReason::Available { pods }),
    };
    WorkloadHealth { status: word, reason, settled: true, verdict: Verdict::Pass }
}

/// What is certain comes first, then what waits for a human, then what lacks time.
fn going(
    id: &WorkloadId,
    workload: &Workload,
    pods: Option<&[Arc<Pod>]>,
    change: &ChangeTiming,
    going: UnfinishedRollout,
) -> WorkloadHealth {
    let sight = PodGenerations::of(id.workload.kind, workload, pods.unwrap_or_default(), change.now);
    if let Some(pod) = sight.broken() {
        return WorkloadHealth::fails(HealthReason::PodFailed { pod });
    }
    if let Some(stop) = going.stop {
        return stopped(id, going.why, stop, &sight);
    }
    if let Some(pod) = sight.stuck() {
        let reason = HealthReason::PodStuck { pod: sight.unready(pod) };
        let verdict = Verdict::Wait(Some(delete(id, pod)));
        return WorkloadHealth { status: HealthStatus::Degraded, reason, settled: false, verdict };
    }
    let lack = rollout::creation_failure(workload).or_else(|| sight.lack());
    let is_lack = lack.is_some();
    let why = match lack.or_else(|| sight.trouble()) {
        Some(by) => HealthReason::Obstructed { progress: Box::new(going.why), by },
        None => going.why,
    };
    if rollout::exceeded_deadline(workload, change.written_at) {
        return over(HealthReason::GaveUp { why: Box::new(why) }, is_lack);
    }
    if pods.is_some() && change.overdue() {
        return over(change.too_long(why), is_lack);
    }
    let patience = change.timeout.unwrap_or(DEFAULT_UNREADY_TIMEOUT);
    if sight.is_down_for(patience) {
        let patience = SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX);
        return over(HealthReason::NeverReady { patience, why: Box::new(why) }, is_lack);
    }
    WorkloadHealth::waits(HealthStatus::Progressing, why)
}

/// Time is up: the version's failure, unless the cluster lacked something.
fn over(why: HealthReason, lack: bool) -> WorkloadHealth {
    if lack { WorkloadHealth::inconclusive(HealthStatus::Degraded, why) } else { WorkloadHealth::fails(why) }
}

fn stopped(id: &WorkloadId, reason: HealthReason, stop: RolloutStop, sight: &PodGenerations<'_>) -> WorkloadHealth {
    let remedy = match stop {
        RolloutStop::Paused => Some(WorkloadRemedy::ResumeRollout(id.clone())),
        RolloutStop::OnDelete => sight.oldest().map(|pod| delete(id, pod)),
        RolloutStop::Partition => Some(WorkloadRemedy::ClearPartition(id.clone())),
    };
    WorkloadHealth { status: HealthStatus::Suspended, reason, settled: false, verdict: Verdict::Wait(remedy) }
}

fn delete(id: &WorkloadId, pod: &Pod) -> WorkloadRemedy {
    WorkloadRemedy::DeletePod { namespace: id.namespace.clone(), pod: pod.name.clone() }
}

impl HealthStatus {
    /// Returns how bad it is: the health of a service is the worst of its workloads.
    pub fn severity(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Suspended => 1,
            Self::Progressing => 2,
            Self::Unknown => 3,
            Self::Missing => 4,
            Self::Degraded => 5,
        }
    }
}

impl ChangeTiming {
    /// No change: health alone is asked for.
    pub fn without_change(now: Timestamp) -> Self {
        Self { written_at: None, timeout: None, now }
    }

    fn overdue(&self) -> bool {
        let (Some(written), Some(timeout)) = (self.written_at, self.timeout) else { return false };
        Duration::try_from(self.now.duration_since(written)).is_ok_and(|passed| passed > timeout)
    }

    fn too_long(&self, why: HealthReason) -> HealthReason {
        let written = self.written_at.unwrap_or(self.now);
        let after = SignedDuration::from_secs(self.now.duration_since(written).as_secs());
        HealthReason::Overdue { after, why: Box::new(why) }
    }
}

impl WorkloadHealth {
    /// Nothing runs of it until it is written.
    pub fn missing(message: String) -> Self {
        Self::waits(HealthStatus::Missing, HealthReason::Idle { message })
    }

    fn waits(status: HealthStatus, reason: HealthReason) -> Self {
        Self { status, reason, settled: false, verdict: Verdict::Wait(None) }
    }

    fn fails(reason: HealthReason) -> Self {
        Self { status: HealthStatus::Degraded, reason, settled: false, verdict: Verdict::Fail }
    }

    fn inconclusive(status: HealthStatus, reason: HealthReason) -> Self {
        Self { status, reason, settled: false, verdict: Verdict::Inconclusive }
    }
}

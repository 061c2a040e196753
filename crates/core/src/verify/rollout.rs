//! How far a workload's controller has come, from its status alone: the rules of kstatus (cli-utils
//! `pkg/kstatus/status/core.go`), stricter where kstatus is content with less than all pods.

use std::sync::Arc;

use jiff::Timestamp;

use super::reason::{HealthReason, Milestone, Obstruction};
use crate::pins::WorkloadKind;
use crate::workload::{Condition, Left, Pod, ReportedStatus, RolloutStrategy, Workload, WorkloadId};

/// How far it has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RolloutState {
    /// What is reported cannot be so.
    Inconsistent(HealthReason),
    /// What is reported is about an earlier specification.
    Unobserved,
    /// On its way; what is missing.
    UnderWay(HealthReason),
    /// It goes on when somebody moves it.
    Stopped(HealthReason, RolloutStop),
    /// Every pod there shall be is there, of the newest template, and available.
    Complete,
}

/// What stops it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RolloutStop {
    /// The Deployment is paused.
    Paused,
    /// Pods are replaced as somebody deletes them.
    OnDelete,
    /// Pods of lower ordinals keep the old revision.
    Partition,
}

/// Whether all that runs is the image of the specification. Without pods an answer in the affirmative is as certain.
pub fn is_settled(id: &WorkloadId, workload: &Workload, pods: Option<&[Arc<Pod>]>) -> bool {
    !workload.deleting
        && matches!(rollout_state(id.workload.kind, workload), RolloutState::Complete)
        && ending_pods(id.workload.kind, workload, pods).is_none()
}

/// Returns whether the workload's controller reports that its rollout is complete. Terminating pods do not count.
pub fn is_rolled_out(kind: WorkloadKind, workload: &Workload) -> bool {
    matches!(rollout_state(kind, workload), RolloutState::Complete)
}

/// How far `workload` has come.
pub(crate) fn rollout_state(kind: WorkloadKind, workload: &Workload) -> RolloutState {
    let status = &workload.status;
    if let Some(why) = garbled(workload.generation, status) {
        return RolloutState::Inconsistent(why);
    }
    if status.observed_generation.is_none_or(|seen| seen < workload.generation) {
        return RolloutState::Unobserved;
    }
    let missing = match kind {
        WorkloadKind::Deployment | WorkloadKind::Process => deployment(workload),
        WorkloadKind::StatefulSet => stateful_set(workload),
        WorkloadKind::DaemonSet => daemon_set(status),
    };
    let Some(why) = missing else {
        return match status.left {
            Left::Nothing => RolloutState::Complete,
            Left::Templates(_) | Left::Unknown => RolloutState::UnderWay(HealthReason::LeftTemplate),
        };
    };
    match rollout_stop(kind, workload) {
        Some((why, stop)) => RolloutState::Stopped(why, stop),
        None => RolloutState::UnderWay(why),
    }
}

/// The pods there shall be.
pub(crate) fn desired_pods(kind: WorkloadKind, workload: &Workload) -> i32 {
    match kind {
        WorkloadKind::DaemonSet => workload.status.desired.unwrap_or(0),
        _ => workload.replicas.unwrap_or(1),
    }
}

/// Pods that are still ending. A Deployment is Current to kstatus while they run; the other kinds count them themselves.
pub(crate) fn ending_pods(kind: WorkloadKind, workload: &Workload, pods: Option<&[Arc<Pod>]>) -> Option<HealthReason> {
    if !matches!(kind, WorkloadKind::Deployment | WorkloadKind::Process) {
        return None;
    }
    let ending = match (workload.status.terminating, pods) {
        (Some(reported), _) => reported,
        (None, Some(pods)) => {
            i32::try_from(pods.iter().filter(|pod| pod.terminating && pod.is_running()).count()).ok()?
        }
        (None, None) => return Some(HealthReason::PodsUnknown),
    };
    (ending != 0).then_some(HealthReason::Ending { pods: ending })
}

/// Kubernetes gave up on what was written: said after the write. Both times are whole seconds and a deadline is at least
/// one, so that the same second still speaks of what was there before.
pub(crate) fn exceeded_deadline(workload: &Workload, written: Option<Timestamp>) -> bool {
    let Some(progressing) = condition(&workload.status, "Progressing") else { return false };
    progressing.reason == "ProgressDeadlineExceeded"
        && match (written, progressing.updated) {
            (Some(written), Some(updated)) => updated.as_second() > written.as_second(),
            (Some(_), None) => false,
            (None, _) => true,
        }
}

/// What keeps pods from being made at all, such as a quota.
pub(crate) fn creation_failure(workload: &Workload) -> Option<Obstruction> {
    let failure = condition(&workload.status, "ReplicaFailure").filter(|failure| failure.status == "True")?;
    Some(Obstruction::ReplicaFailure { reason: failure.reason.clone(), message: failure.message.clone() })
}

fn garbled(generation: i64, status: &ReportedStatus) -> Option<HealthReason> {
    if let Some(seen) = status.observed_generation.filter(|seen| *seen > generation) {
        return Some(HealthReason::StatusAhead { status: seen, specification: generation });
    }
    let numbers = [
        ("replicas", status.replicas),
        ("updated", status.updated),
        ("ready", status.ready),
        ("available", status.available),
        ("terminating", status.terminating),
        ("current", status.current),
        ("desired", status.desired),
    ];
    let mut counts = numbers.into_iter().filter_map(|(name, count)| Some((name, count?)));
    let (name, count) = counts.find(|(_, count)| count.is_negative())?;
    Some(HealthReason::NegativeCount { name, count })
}

fn deployment(workload: &Workload) -> Option<HealthReason> {
    let (status, wanted) = (&workload.status, workload.replicas.unwrap_or(1));
    let number = |number: Option<i32>| number.unwrap_or(0);
    let (replicas, updated) = (number(status.replicas), number(status.updated));
    if updated < wanted {
        return Some(too_few(updated, wanted, Milestone::NewTemplate));
    }
    if replicas > updated {
        return Some(HealthReason::Outdated { pods: replicas - updated });
    }
    if replicas > wanted {
        return Some(HealthReason::TooMany { pods: replicas - wanted });
    }
    let available = number(status.available);
    if available < updated {
        return Some(too_few(available, updated, Milestone::Available));
    }
    let ready = number(status.ready);
    if ready < wanted {
        return Some(too_few(ready, wanted, Milestone::Ready));
    }
    // A paused Deployment never reports NewReplicaSetAvailable, one without a deadline reports no progress at all.
    let progressing = condition(status, "Progressing").filter(|_| !workload.paused);
    if progressing.is_some_and(|it| it.reason != "NewReplicaSetAvailable" || it.status != "True") {
        return Some(HealthReason::Unconfirmed { kind: WorkloadKind::Deployment });
    }
    if condition(status, "Available").is_none_or(|it| it.status != "True") {
        return Some(HealthReason::NotAvailable);
    }
    None
}

fn stateful_set(workload: &Workload) -> Option<HealthReason> {
    let (status, wanted) = (&workload.status, workload.replicas.unwrap_or(1));
    let number = |number: Option<i32>| number.unwrap_or(0);
    let (replicas, ready) = (number(status.replicas), number(status.ready));
    let same = status.current_revision == status.update_revision;
    // While both revisions are one, some controllers count pods as current only.
    let updated = if same { number(status.updated).max(number(status.current)) } else { number(status.updated) };
    if updated < wanted {
        return Some(too_few(updated, wanted, Milestone::NewRevision));
    }
    if replicas != wanted {
        return Some(HealthReason::WrongCount { pods: replicas, wanted });
    }
    let available = status.available.unwrap_or(ready).min(ready);
    if available < wanted {
        return Some(too_few(available, wanted, Milestone::Available));
    }
    // OnDelete never moves the current revision, a partition only at its end.
    if workload.strategy != RolloutStrategy::OnDelete && !same {
        return Some(HealthReason::Unconfirmed { kind: WorkloadKind::StatefulSet });
    }
    None
}

fn daemon_set(status: &ReportedStatus) -> Option<HealthReason> {
    let Some(wanted) = status.desired else { return Some(HealthReason::NodesNotCounted) };
    let number = |number: Option<i32>| number.unwrap_or(0);
    let reports = [
        (status.updated, Milestone::NewTemplate),
        (status.replicas, Milestone::Scheduled),
        (status.ready, Milestone::Ready),
        (status.available, Milestone::Available),
    ];
    let (few, milestone) = reports.into_iter().find(|(report, _)| number(*report) < wanted)?;
    Some(too_few(number(few), wanted, milestone))
}

/// What stops a rollout that has pods of an older template, where none of its pods is on its way.
fn rollout_stop(kind: WorkloadKind, workload: &Workload) -> Option<(HealthReason, RolloutStop)> {
    let status = &workload.status;
    let wanted = desired_pods(kind, workload);
    let (updated, ready) = (status.updated.unwrap_or(0), status.ready.unwrap_or(0));
    let old = (wanted - updated).max(0);
    if workload.paused && (old > 0 || status.replicas.unwrap_or(0) > updated) {
        return Some((HealthReason::Paused { updated, of: wanted }, RolloutStop::Paused));
    }
    match workload.strategy {
        _ if old == 0 || ready < wanted => None,
        RolloutStrategy::OnDelete => Some((HealthReason::OnDelete { outdated: old }, RolloutStop::OnDelete)),
        RolloutStrategy::Partition(from) if old <= from => {
            Some((HealthReason::Partition { outdated: old }, RolloutStop::Partition))
        }
        _ => None,
    }
}

fn condition<'s>(status: &'s ReportedStatus, kind: &str) -> Option<&'s Condition> {
    status.conditions.iter().find(|condition| condition.kind == kind)
}

fn too_few(pods: i32, of: i32, milestone: Milestone) -> HealthReason {
    HealthReason::TooFew { pods, of, milestone }
}

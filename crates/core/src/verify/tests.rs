//! Workloads as their controllers report them, bent by one method each.

mod health;
mod live;

use std::sync::Arc;

use jiff::Timestamp;

use super::{ChangeTiming, Verdict, WorkloadHealth, WorkloadRemedy};
use crate::pins::{WorkloadKind, WorkloadRef};
use crate::workload::{Condition, Container, Pod, PodIssue, ReportedStatus, RolloutStrategy, Workload, WorkloadId};

const NOW: i64 = 1_790_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

/// A workload, its pods where they were looked at, and the change that is judged.
struct Case {
    id: WorkloadId,
    workload: Workload,
    pods: Option<Vec<Arc<Pod>>>,
    change: ChangeTiming,
}

/// Three pods of checkout:2, all well.
fn deployment() -> Case {
    case(WorkloadKind::Deployment, "checkout")
        .condition("Progressing", "NewReplicaSetAvailable")
        .condition("Available", "MinimumReplicasAvailable")
        .status(|status| status.terminating = Some(0))
}

fn stateful_set() -> Case {
    case(WorkloadKind::StatefulSet, "db").status(|status| {
        status.current = Some(3);
        status.current_revision = Some("db-2".to_owned());
        status.update_revision = Some("db-2".to_owned());
    })
}

fn daemon_set() -> Case {
    let mut case = case(WorkloadKind::DaemonSet, "agent").status(|status| status.desired = Some(3));
    case.workload.replicas = None;
    case
}

fn case(kind: WorkloadKind, name: &str) -> Case {
    let status = ReportedStatus {
        observed_generation: Some(5),
        replicas: Some(3),
        updated: Some(3),
        ready: Some(3),
        available: Some(3),
        ..ReportedStatus::default()
    };
    let workload = Workload {
        uid: "1".to_owned(),
        resource_version: "100".to_owned(),
        generation: 5,
        deleting: false,
        containers: vec![container("app", &format!("acme/{name}:2"))],
        state: None,
        pause: None,
        is_managed: false,
        image_managers: Vec::new(),
        replicas: Some(3),
        strategy: RolloutStrategy::Rolling { surge: 1 },
        paused: false,
        status,
    };
    let workload_ref = WorkloadRef { kind, name: name.to_owned() };
    let id = WorkloadId { namespace: "shop".to_owned(), workload: workload_ref };
    Case { id, workload, pods: None, change: ChangeTiming::without_change(at(0)) }
}

fn container(name: &str, image: &str) -> Container {
    Container { name: name.to_owned(), image: image.parse().ok(), written_image: image.to_owned(), init: false }
}

/// A ready pod, five minutes old.
fn pod(name: &str, image: &str, template: &str) -> Pod {
    Pod {
        name: name.to_owned(),
        containers: vec![container("app", image)],
        phase: "Running".to_owned(),
        ready: true,
        unready_since: None,
        terminating: false,
        created: Some(at(-300)),
        template: Some(template.to_owned()),
        issues: Vec::new(),
    }
}

fn trouble(reason: &str, message: &str, restarts: i32) -> PodIssue {
    PodIssue { container: Some("app".to_owned()), reason: reason.to_owned(), message: message.to_owned(), restarts }
}

impl Case {
    fn workload(mut self, bend: impl FnOnce(&mut Workload)) -> Self {
        bend(&mut self.workload);
        self
    }

    fn status(mut self, bend: impl FnOnce(&mut ReportedStatus)) -> Self {
        bend(&mut self.workload.status);
        self
    }

    fn condition(mut self, kind: &str, reason: &str) -> Self {
        let conditions = &mut self.workload.status.conditions;
        conditions.retain(|condition| condition.kind != kind);
        conditions.push(Condition {
            kind: kind.to_owned(),
            status: if reason == "ProgressDeadlineExceeded" { "False" } else { "True" }.to_owned(),
            reason: reason.to_owned(),
            message: String::new(),
            updated: Some(at(-30)),
        });
        self
    }

    /// One of three pods is updated.
    fn under_way(self) -> Self {
        self.condition("Progressing", "ReplicaSetUpdated").status(|status| {
            status.updated = Some(1);
            status.replicas = Some(4);
        })
    }

    fn pods(mut self, pods: impl IntoIterator<Item = Pod>) -> Self {
        self.pods = Some(pods.into_iter().map(Arc::new).collect());
        self
    }

    fn written(mut self, seconds: i64) -> Self {
        self.change.written_at = Some(at(seconds));
        self
    }

    fn timeout(mut self, seconds: u64) -> Self {
        self.change.timeout = Some(std::time::Duration::from_secs(seconds));
        self
    }

    fn health(&self) -> WorkloadHealth {
        super::workload_health(&self.id, Some(&self.workload), self.pods.as_deref(), &self.change)
    }

    fn show(&self) -> String {
        show(&self.health())
    }
}

impl Pod {
    fn troubled(mut self, trouble: PodIssue) -> Self {
        self.ready = false;
        self.issues.push(trouble);
        self
    }

    fn unready(mut self, since: i64) -> Self {
        (self.ready, self.unready_since) = (false, Some(at(since)));
        self
    }

    fn ending(mut self) -> Self {
        self.terminating = true;
        self
    }

    fn phase(mut self, phase: &str) -> Self {
        phase.clone_into(&mut self.phase);
        self
    }
}

fn show(health: &WorkloadHealth) -> String {
    let WorkloadHealth { status: word, reason, settled, verdict } = health;
    let settled = if *settled { "settled" } else { "not settled" };
    let verdict = match verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Wait(None) => "wait".to_owned(),
        Verdict::Wait(Some(WorkloadRemedy::ResumeRollout(id))) => format!("wait; resume: {id}"),
        Verdict::Wait(Some(WorkloadRemedy::DeletePod { namespace, pod })) => {
            format!("wait; delete: pod {pod} in {namespace}")
        }
        Verdict::Wait(Some(WorkloadRemedy::ClearPartition(id))) => format!("wait; clear the partition: {id}"),
        Verdict::Fail => "fail".to_owned(),
        Verdict::Inconclusive => "inconclusive".to_owned(),
    };
    format!("{word:?}, {settled}: {reason}\n=> {verdict}")
}

fn table(cases: &[(&str, Case)]) -> String {
    let row = |(name, case): &(&str, Case)| format!("{name}: {}", case.show().replace("\n=>", " =>"));
    cases.iter().map(row).collect::<Vec<_>>().join("\n")
}

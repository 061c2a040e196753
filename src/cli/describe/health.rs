//! How a workload is, and what a human types where only a human can move it.

use pintle_core::verify::{HealthReason, WorkloadRemedy};

use super::pod::condense;
use super::{Describe, Sentence};
use crate::controller::WorkloadStatus;

impl Describe<'_> {
    /// Describes the healths of the workloads of a service.
    pub(in crate::cli) fn healths(self, workloads: &[WorkloadStatus]) -> Sentence {
        self.both(|it| workloads.iter().map(|one| it.health(&one.health.reason)).collect::<Vec<_>>().join("; "))
    }

    /// Describes why a workload has the health it has.
    pub(crate) fn health(self, reason: &HealthReason) -> String {
        if !self.is_brief {
            return reason.to_string();
        }
        let mut reason = reason.clone();
        if let Some(pod) = reason.pod_mut() {
            condense(pod);
        }
        reason.to_string()
    }
}

/// Returns the command that carries out a remedy.
pub fn remedy_command(remedy: &WorkloadRemedy) -> String {
    match remedy {
        WorkloadRemedy::ResumeRollout(id) => format!("kubectl rollout resume {} -n {}", id.workload, id.namespace),
        WorkloadRemedy::DeletePod { namespace, pod } => format!("kubectl delete pod {pod} -n {namespace}"),
        WorkloadRemedy::ClearPartition(id) => format!(
            "kubectl patch {} -n {} -p '{{\"spec\":{{\"updateStrategy\":{{\"rollingUpdate\":{{\"partition\":0}}}}}}}}'",
            id.workload, id.namespace
        ),
    }
}

#[cfg(test)]
mod tests {
    use pintle_core::pins::{WorkloadKind, WorkloadRef};
    use pintle_core::workload::WorkloadId;

    use super::*;

    #[test]
    fn each_remedy_has_a_command() {
        let id = |kind, name: &str| {
            let workload = WorkloadRef { kind, name: name.to_owned() };
            WorkloadId { namespace: "shop".to_owned(), workload }
        };
        let resume = WorkloadRemedy::ResumeRollout(id(WorkloadKind::Deployment, "checkout"));
        assert_eq!(remedy_command(&resume), "kubectl rollout resume deployment/checkout -n shop");
        let delete = WorkloadRemedy::DeletePod { namespace: "shop".to_owned(), pod: "db-10".to_owned() };
        assert_eq!(remedy_command(&delete), "kubectl delete pod db-10 -n shop");
        let clear = WorkloadRemedy::ClearPartition(id(WorkloadKind::StatefulSet, "db"));
        let patch = r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}"#;
        assert_eq!(remedy_command(&clear), format!("kubectl patch statefulset/db -n shop -p '{patch}'"));
    }
}

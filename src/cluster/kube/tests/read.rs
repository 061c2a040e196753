//! Conversion of API objects.

use insta::assert_snapshot;
use pintle_core::pins::WorkloadKind;
use pintle_core::verify::{self, ChangeTiming, HealthStatus};
use pintle_core::workload::{FieldManager, PodIssue, RolloutStrategy};
use serde_json::{Value, json};

use super::{at, id, object, seen};
use crate::cluster::kube::read;

#[test]
fn whatever_is_missing_null_or_odd_is_absence_and_never_healthy() {
    for (field, value) in [
        ("status", json!(null)),
        ("status", json!({})),
        ("status", json!({"observedGeneration": null, "conditions": null})),
        ("status", json!({"observedGeneration": 1, "readyReplicas": -1})),
        ("status", json!({"observedGeneration": 99, "replicas": 1})),
        ("spec", json!({})),
        ("spec", json!({"replicas": null, "template": null, "selector": null, "strategy": {"rollingUpdate": null}})),
    ] {
        let mut object = object("s0");
        object[field] = value;
        object["spec"]["replicas"] = json!(2);
        let workload = seen(&object).workload;
        let health = verify::workload_health(&id("s0"), Some(&workload), None, &ChangeTiming::without_change(at(0)));
        assert_ne!(health.status, HealthStatus::Healthy, "{object}");
    }
}

#[test]
fn surge_is_rounded_up_and_strategies_are_told_apart() {
    let strategy = |kind, spec: Value, pods: i32| {
        let mut object = object("s0");
        object["spec"]["replicas"] = json!(pods);
        object["spec"][if kind == WorkloadKind::Deployment { "strategy" } else { "updateStrategy" }] = spec;
        read::workload(kind, serde_json::from_value(object).unwrap()).workload.strategy.clone()
    };
    let deployment = |spec, pods| strategy(WorkloadKind::Deployment, spec, pods);
    let stateful_set = |spec| strategy(WorkloadKind::StatefulSet, spec, 3);
    assert_eq!(deployment(json!(null), 5), RolloutStrategy::Rolling { surge: 2 });
    assert_eq!(deployment(json!({"rollingUpdate": {"maxSurge": "10%"}}), 11), RolloutStrategy::Rolling { surge: 2 });
    assert_eq!(deployment(json!({"rollingUpdate": {"maxSurge": 3}}), 1), RolloutStrategy::Rolling { surge: 3 });
    assert_eq!(deployment(json!({"rollingUpdate": {"maxSurge": "x%"}}), 1), RolloutStrategy::Rolling { surge: 0 });
    assert_eq!(deployment(json!({"type": "Recreate"}), 1), RolloutStrategy::Recreate);
    assert_eq!(stateful_set(json!({"rollingUpdate": {"partition": 2}})), RolloutStrategy::Partition(2));
    assert_eq!(stateful_set(json!({"rollingUpdate": {"partition": 0}})), RolloutStrategy::Rolling { surge: 0 });
    assert_eq!(stateful_set(json!({"type": "OnDelete"})), RolloutStrategy::OnDelete);
    assert_eq!(strategy(WorkloadKind::DaemonSet, json!(null), 3), RolloutStrategy::Rolling { surge: 0 });
}

#[test]
fn a_pods_troubles_come_with_the_containers_last_words_cut_where_they_are_long() {
    let waiting = |reason: &str, message: &str| json!({"waiting": {"reason": reason, "message": message}});
    let ended = |code: i32, reason: &str, message: &str| json!({"terminated": {"exitCode": code, "reason": reason, "message": message}});
    let status = json!({
        "phase": "Pending", "reason": "NodeLost", "message": "gone",
        "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}],
        "initContainerStatuses": [{"name": "done", "restartCount": 0, "state": ended(0, "Completed", "")}],
        "containerStatuses": [
            {"name": "killed", "restartCount": 1, "state": ended(137, "OOMKilled", "")},
            {"name": "starts", "restartCount": 0, "state": waiting("ContainerCreating", "")},
            {"name": "loops", "restartCount": 4, "state": waiting("CrashLoopBackOff", "back-off 40s"),
                "lastState": ended(1, "Error", &format!(" no database {}", "!".repeat(500)))},
            {"name": "pulls", "state": waiting("ErrImagePull", "not found")},
        ],
    });
    let object = json!({"metadata": {"name": "p"}, "spec": {"containers": null}, "status": status});
    let pod = read::pod(serde_json::from_value(object).unwrap()).pod;
    let show = |it: &PodIssue| {
        let container = it.container.as_deref().unwrap_or("the pod");
        format!("{container}: {} {:?} {}", it.reason, it.message.replace('!', ""), it.restarts)
    };
    assert_eq!(pod.issues[0].message.chars().count(), 401);
    assert_snapshot!(pod.issues.iter().map(show).collect::<Vec<_>>().join("\n"), @r#"
    loops: CrashLoopBackOff "exit code 1: no database …" 4
    pulls: ErrImagePull "not found" 0
    killed: OOMKilled "exit code 137 (OOMKilled)" 1
    the pod: Unschedulable "0/3 nodes" 0
    the pod: NodeLost "gone" 0
    "#);
}

#[test]
fn owners_of_images_are_read_newest_first() {
    let image = json!({".": {}, "f:image": {}});
    let pod = |list: &str, name: &str, fields: Value| json!({"f:spec": {"f:template": {"f:spec": {list: {format!("k:{{\"name\":\"{name}\"}}"): fields}}}}});
    let entry = |manager: &str, operation: &str, time: &str, fields: Value| json!({"manager": manager, "operation": operation, "time": time, "fieldsType": "FieldsV1", "fieldsV1": fields});
    let mut status =
        entry("kube-controller-manager", "Update", "2026-09-21T14:00:09Z", pod("f:containers", "app", image.clone()));
    status["subresource"] = json!("status");
    let mut object = object("s0");
    object["metadata"]["managedFields"] = json!([
        entry("pintle", "Apply", "2026-09-21T14:00:00Z", pod("f:initContainers", "migrate", image.clone())),
        entry("kubectl-set", "Update", "2026-09-21T14:00:05Z", pod("f:containers", "app", image.clone())),
        entry("vpa", "Update", "2026-09-21T14:00:07Z", pod("f:containers", "app", json!({"f:resources": {}}))),
        entry("odd", "Update", "2026-09-21T14:00:08Z", json!({"f:spec": 3})),
        {"manager": "empty"},
        status,
    ]);
    let show = |it: &FieldManager| {
        format!("{} {} {:?}", it.name, if it.applied { "applied" } else { "updated" }, it.containers)
    };
    let managers = &seen(&object).workload.image_managers;
    assert_snapshot!(managers.iter().map(show).collect::<Vec<_>>().join("\n"), @r#"
    kubectl-set updated ["app"]
    pintle applied ["migrate"]
    "#);
}

//! Decisions that need no server.

mod left;
mod picture;
mod read;
mod templates;
mod write;

use jiff::Timestamp;
use pintle_core::pins::{WorkloadKind, WorkloadRef};
use pintle_core::workload::WorkloadId;
use serde_json::{Value, json};

use super::read::WatchedWorkload;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn id(name: &str) -> WorkloadId {
    let workload = WorkloadRef { kind: WorkloadKind::Deployment, name: name.to_owned() };
    WorkloadId { namespace: "shop".to_owned(), workload }
}

/// A settled Deployment, observed in its first generation.
fn object(name: &str) -> Value {
    let conditions = json!([
        {"type": "Available", "status": "True"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ]);
    json!({
        "metadata": {"name": name, "uid": format!("uid-{name}"), "generation": 1, "resourceVersion": "100"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"spec": {
                "containers": [{"name": "app", "image": "acme/checkout:1"}, {"name": "proxy", "image": "envoy:1"}],
                "initContainers": [{"name": "migrate", "image": "acme/checkout:1"}],
            }},
        },
        "status": {
            "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "terminatingReplicas": 0, "conditions": conditions,
        },
    })
}

fn seen(object: &Value) -> WatchedWorkload {
    super::read::workload(WorkloadKind::Deployment, serde_json::from_value(object.clone()).unwrap())
}

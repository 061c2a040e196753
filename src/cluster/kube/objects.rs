//! The few fields read from workloads and pods. All others are dropped during parsing. Every field may be absent or
//! null, because other programs write this data.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::{ApiResource, GroupVersionKind, Object};
use pintle_core::pins::WorkloadKind;
use serde::Deserialize;

pub(super) type WorkloadObject = Object<WorkloadSpec, WorkloadStatusObject>;

pub(super) type PodObject = Object<PodSpec, PodStatus>;

/// Returns the API resource of a workload kind.
pub(super) fn resource(kind: WorkloadKind) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("apps", "v1", kind_name(kind)))
}

/// Returns the kind as manifests spell it.
pub(super) fn kind_name(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::Deployment => "Deployment",
        WorkloadKind::StatefulSet => "StatefulSet",
        WorkloadKind::DaemonSet => "DaemonSet",
        // Unreachable: no service of this cluster is a process.
        WorkloadKind::Process => "Process",
    }
}

/// Returns the API resource of replica sets.
pub(super) fn replica_sets() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("apps", "v1", "ReplicaSet"))
}

/// Returns the API resource of pods.
pub(super) fn pods() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WorkloadSpec {
    pub(super) replicas: Option<i32>,
    pub(super) paused: Option<bool>,
    pub(super) selector: Option<LabelSelector>,
    pub(super) template: Option<PodTemplateObject>,
    /// For a Deployment.
    pub(super) strategy: Option<UpdateStrategy>,
    /// For the other kinds.
    pub(super) update_strategy: Option<UpdateStrategy>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct PodTemplateObject {
    pub(super) spec: Option<PodSpec>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UpdateStrategy {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) rolling_update: Option<RollingUpdate>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RollingUpdate {
    pub(super) max_surge: Option<IntOrString>,
    pub(super) partition: Option<i32>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WorkloadStatusObject {
    pub(super) observed_generation: Option<i64>,
    pub(super) replicas: Option<i32>,
    pub(super) updated_replicas: Option<i32>,
    pub(super) ready_replicas: Option<i32>,
    pub(super) available_replicas: Option<i32>,
    pub(super) terminating_replicas: Option<i32>,
    pub(super) current_replicas: Option<i32>,
    pub(super) current_revision: Option<String>,
    pub(super) update_revision: Option<String>,
    pub(super) current_number_scheduled: Option<i32>,
    pub(super) desired_number_scheduled: Option<i32>,
    pub(super) updated_number_scheduled: Option<i32>,
    pub(super) number_ready: Option<i32>,
    pub(super) number_available: Option<i32>,
    pub(super) conditions: Option<Vec<ConditionObject>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConditionObject {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) status: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    pub(super) last_update_time: Option<Time>,
    pub(super) last_transition_time: Option<Time>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodSpec {
    pub(super) containers: Option<Vec<ContainerObject>>,
    pub(super) init_containers: Option<Vec<ContainerObject>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerObject {
    pub(super) name: String,
    pub(super) image: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodStatus {
    pub(super) phase: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    pub(super) conditions: Option<Vec<ConditionObject>>,
    pub(super) container_statuses: Option<Vec<ContainerStatus>>,
    pub(super) init_container_statuses: Option<Vec<ContainerStatus>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContainerStatus {
    pub(super) name: String,
    pub(super) restart_count: Option<i32>,
    pub(super) state: Option<ContainerState>,
    pub(super) last_state: Option<ContainerState>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerState {
    pub(super) waiting: Option<ContainerStateWaiting>,
    pub(super) terminated: Option<ContainerStateTerminated>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerStateWaiting {
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContainerStateTerminated {
    pub(super) exit_code: Option<i32>,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
}

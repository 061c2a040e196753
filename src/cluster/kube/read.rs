//! Converts API objects to plain data. Pure and total: missing or malformed fields become absent.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::{Selector, SelectorExt};
use pintle_core::pins::WorkloadKind;
use pintle_core::workload::{
    Condition, Container, PauseAnnotation, Pod, ReportedStatus, RolloutStrategy, StateAnnotation, Workload,
};

use super::managers;
use super::objects::{ConditionObject, PodObject, PodSpec, UpdateStrategy, WorkloadObject, WorkloadStatusObject};
use super::troubles::pod_issues;

/// A workload and the selector of its pods.
#[derive(Debug, Clone)]
pub(super) struct WatchedWorkload {
    pub(super) name: String,
    pub(super) workload: Arc<Workload>,
    /// None if it is invalid or would match every pod.
    pub(super) selector: Option<Selector>,
}

/// A pod and its owner.
#[derive(Debug, Clone)]
pub(super) struct WatchedPod {
    pub(super) pod: Arc<Pod>,
    pub(super) uid: String,
    pub(super) resource_version: String,
    pub(super) owner: Option<PodOwner>,
    labels: BTreeMap<String, String>,
}

/// A replica set of a Deployment.
#[derive(Debug)]
pub(super) struct ReplicaSetState {
    uid: String,
    /// The uid of its controller.
    owner: Option<String>,
    containers: Vec<Container>,
    /// The replica set wants no pods, and its controller has seen that.
    idle: bool,
}

/// The templates whose pods exist or may come.
#[derive(Debug, Default)]
pub(super) struct Busy {
    pub(super) templates: Vec<Vec<Container>>,
    /// The containers of the existing pods.
    pods: Vec<Vec<Container>>,
    /// The replica sets were listed, before the pods.
    pub(super) with_sets: bool,
}

/// The owner of a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PodOwner {
    /// A Deployment, by name, through one of its replica sets.
    Deployment(String),
    /// Another controller, by uid.
    Uid(String),
}

/// Converts the object of a workload.
pub(super) fn workload(kind: WorkloadKind, object: WorkloadObject) -> WatchedWorkload {
    let (meta, spec) = (object.metadata, object.spec);
    let state = meta.annotations.as_ref().and_then(|all| StateAnnotation::read(all.get(StateAnnotation::ANNOTATION)?));
    let pause = meta.annotations.as_ref().and_then(|all| PauseAnnotation::read(all.get(PauseAnnotation::ANNOTATION)?));
    let containers = containers(&spec.template.and_then(|template| template.spec).unwrap_or_default());
    let status = object.status.map(|status| read_status(kind, status)).unwrap_or_default();
    let pods = if kind == WorkloadKind::DaemonSet { status.desired } else { spec.replicas };
    let workload = Workload {
        uid: meta.uid.unwrap_or_default(),
        resource_version: meta.resource_version.unwrap_or_default(),
        generation: meta.generation.unwrap_or_default(),
        deleting: meta.deletion_timestamp.is_some(),
        containers,
        state,
        pause,
        is_managed: managers::has_pintle_fields(meta.managed_fields.as_deref().unwrap_or_default()),
        image_managers: managers::image_managers(meta.managed_fields.as_deref().unwrap_or_default()),
        replicas: if kind == WorkloadKind::DaemonSet { None } else { spec.replicas },
        strategy: strategy(kind, spec.strategy.or(spec.update_strategy).unwrap_or_default(), pods.unwrap_or(1)),
        paused: spec.paused.unwrap_or(false),
        status,
    };
    let selector = spec.selector.and_then(|selector| Selector::try_from(selector).ok());
    WatchedWorkload {
        name: meta.name.unwrap_or_default(),
        workload: Arc::new(workload),
        selector: selector.filter(|selector| !selector.selects_all()),
    }
}

/// Converts the object of a pod.
pub(super) fn pod(object: PodObject) -> WatchedPod {
    let (meta, status) = (object.metadata, object.status.unwrap_or_default());
    let labels = meta.labels.unwrap_or_default();
    let readiness = status.conditions.iter().flatten().find(|condition| condition.kind.as_deref() == Some("Ready"));
    let ready = readiness.is_some_and(|condition| condition.status.as_deref() == Some("True"));
    let since = readiness.filter(|_| !ready).and_then(|condition| condition.last_transition_time.clone());
    let pod = Pod {
        name: meta.name.unwrap_or_default(),
        containers: containers(&object.spec),
        phase: status.phase.clone().unwrap_or_else(|| "Unknown".to_owned()),
        ready,
        unready_since: since.map(|time| time.0),
        terminating: meta.deletion_timestamp.is_some(),
        created: meta.creation_timestamp.map(|time| time.0),
        template: labels.get("pod-template-hash").or_else(|| labels.get("controller-revision-hash")).cloned(),
        issues: pod_issues(&status),
    };
    let owners = meta.owner_references.unwrap_or_default();
    WatchedPod {
        pod: Arc::new(pod),
        uid: meta.uid.unwrap_or_default(),
        resource_version: meta.resource_version.unwrap_or_default(),
        owner: owners.into_iter().find(|owner| owner.controller == Some(true)).map(PodOwner::of),
        labels,
    }
}

/// Converts the object of a replica set.
pub(super) fn replica_set(object: WorkloadObject) -> ReplicaSetState {
    let (meta, spec, status) = (object.metadata, object.spec, object.status.unwrap_or_default());
    let owners = meta.owner_references.unwrap_or_default();
    ReplicaSetState {
        uid: meta.uid.unwrap_or_default(),
        owner: owners.into_iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid),
        containers: containers(&spec.template.and_then(|template| template.spec).unwrap_or_default()),
        idle: spec.replicas == Some(0) && status.observed_generation >= meta.generation,
    }
}

impl Busy {
    /// Combines the replica sets of a workload and a later list of its pods. The replica sets are none if the workload
    /// has none, or if they may not be listed.
    pub(super) fn of(uid: &str, sets: Option<Vec<ReplicaSetState>>, pods: Vec<PodObject>) -> Self {
        let owner = |pod: &PodObject| {
            let mut owners = pod.metadata.owner_references.iter().flatten();
            owners.find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.clone())
        };
        let pods: Vec<_> = pods.into_iter().map(|object| (owner(&object), pod(object).pod)).collect();
        let runs = |of: &str| pods.iter().any(|(owner, pod)| owner.as_deref() == Some(of) && pod.is_running());
        let with_sets = sets.is_some();
        let sets = sets.into_iter().flatten().filter(|set| set.owner.as_deref() == Some(uid));
        let templates = sets.filter(|set| !set.idle || runs(&set.uid)).map(|set| set.containers).collect();
        let of_pods = pods.iter().filter(|(_, pod)| pod.is_running()).map(|(_, pod)| pod.containers.clone());
        Self { templates, pods: if with_sets { Vec::new() } else { of_pods.collect() }, with_sets }
    }

    /// Returns whether pods of a template exist or may come. A pod may have more containers than its template.
    pub(super) fn has(&self, template: &[Container]) -> bool {
        let of_it = |pod: &Vec<Container>| template.iter().all(|it| pod.contains(it));
        self.templates.iter().any(|it| it == template) || self.pods.iter().any(of_it)
    }
}

impl WatchedPod {
    /// Returns whether the workload's selector matches the pod and the workload owns it. The owner matters where
    /// selectors of workloads overlap.
    pub(super) fn belongs_to(&self, seen: &WatchedWorkload) -> bool {
        let selected = || seen.selector.as_ref().is_some_and(|selector| selector.matches(&self.labels));
        self.owner.as_ref().is_some_and(|owner| seen.owners().contains(owner)) && selected()
    }
}

impl WatchedWorkload {
    /// Returns the forms in which its pods may name this workload as their owner.
    pub(super) fn owners(&self) -> [PodOwner; 2] {
        [PodOwner::Deployment(self.name.clone()), PodOwner::Uid(self.workload.uid.clone())]
    }
}

impl PodOwner {
    /// Reads the owner from a pod's controller reference. A replica set is named after its Deployment, plus a hash.
    fn of(controller: OwnerReference) -> Self {
        match controller.name.rsplit_once('-').filter(|_| controller.kind == "ReplicaSet") {
            Some((deployment, _)) => Self::Deployment(deployment.to_owned()),
            None => Self::Uid(controller.uid),
        }
    }
}

fn containers(spec: &PodSpec) -> Vec<Container> {
    let all = |init: bool| {
        let list = if init { &spec.init_containers } else { &spec.containers };
        list.iter().flatten().map(move |object| {
            let written = object.image.clone().unwrap_or_default();
            Container { name: object.name.clone(), image: written.parse().ok(), written_image: written, init }
        })
    };
    all(false).chain(all(true)).collect()
}

fn strategy(kind: WorkloadKind, strategy: UpdateStrategy, pods: i32) -> RolloutStrategy {
    let rolling = strategy.rolling_update.unwrap_or_default();
    match (strategy.kind.as_deref(), kind) {
        (Some("Recreate"), _) => RolloutStrategy::Recreate,
        (Some("OnDelete"), _) => RolloutStrategy::OnDelete,
        (_, WorkloadKind::StatefulSet) => match rolling.partition {
            Some(from) if from > 0 => RolloutStrategy::Partition(from),
            _ => RolloutStrategy::Rolling { surge: 0 },
        },
        (_, WorkloadKind::DaemonSet) => RolloutStrategy::Rolling { surge: surge(rolling.max_surge, "0", pods) },
        (_, WorkloadKind::Deployment | WorkloadKind::Process) => {
            RolloutStrategy::Rolling { surge: surge(rolling.max_surge, "25%", pods) }
        }
    }
}

/// Returns the surge in pods, with percentages rounded up, as Kubernetes does.
fn surge(max: Option<IntOrString>, default: &str, pods: i32) -> i32 {
    match max.unwrap_or_else(|| IntOrString::String(default.to_owned())) {
        IntOrString::Int(number) => number,
        IntOrString::String(text) => {
            let percent: i32 = text.trim_end_matches('%').parse().unwrap_or(0);
            pods.saturating_mul(percent).saturating_add(99) / 100
        }
    }
}

fn read_status(kind: WorkloadKind, status: WorkloadStatusObject) -> ReportedStatus {
    let common = ReportedStatus {
        observed_generation: status.observed_generation,
        current_revision: status.current_revision,
        update_revision: status.update_revision,
        conditions: status.conditions.into_iter().flatten().map(condition).collect(),
        ..ReportedStatus::default()
    };
    if kind == WorkloadKind::DaemonSet {
        return ReportedStatus {
            replicas: status.current_number_scheduled,
            updated: status.updated_number_scheduled,
            ready: status.number_ready,
            available: status.number_available,
            desired: status.desired_number_scheduled,
            ..common
        };
    }
    ReportedStatus {
        replicas: status.replicas,
        updated: status.updated_replicas,
        ready: status.ready_replicas,
        available: status.available_replicas,
        terminating: status.terminating_replicas,
        current: status.current_replicas,
        ..common
    }
}

fn condition(object: ConditionObject) -> Condition {
    Condition {
        kind: object.kind.unwrap_or_default(),
        status: object.status.unwrap_or_default(),
        reason: object.reason.unwrap_or_default(),
        message: object.message.unwrap_or_default(),
        updated: object.last_update_time.or(object.last_transition_time).map(|time| time.0),
    }
}

//! Request bodies for workloads: images and Pintle's state, fenced. Pure.

use kube::api::{Patch, PatchParams};
use pintle_core::workload::{
    FIELD_MANAGER, PauseAnnotation, StateAnnotation, Workload, WorkloadId, may_take_field_from,
};
use serde_json::{Value, json};

use super::managers::PAUSE_FIELD_MANAGER;
use super::objects::kind_name;
use crate::cluster::{ClusterError, WorkloadWrite};

/// A tag that nobody uses. Equal values do not conflict, so the dry run needs a different image.
const OWNERSHIP_PROBE_TAG: &str = "pintle-asks-who-owns-this";

/// Returns the body of the apply for `write`.
///
/// It fails if the workload was replaced or has changed, or if a container is missing. It also fails if the image belongs
/// to a field manager that Pintle does not take over from.
pub(super) fn apply_body(write: &WorkloadWrite, workload: &Workload) -> Result<Value, ClusterError> {
    check_fence(write, workload)?;
    let mut images: Vec<_> = write
        .images
        .iter()
        .map(|(name, init, _)| (name.as_str(), *init, image_as_written(write, workload, name)))
        .collect();
    images.extend(also_owned(write, workload));
    let mut body = fenced_body(write, workload, &images);
    body["metadata"]["annotations"] = json!({StateAnnotation::ANNOTATION: write.state.write()});
    Ok(body)
}

/// Returns the request that pauses a workload or resumes it, fenced as a write is.
///
/// A separate field manager keeps pauses and writes from deleting each other's fields. Resuming is a merge patch: after
/// an undo, another manager owns the annotation, and an apply without it would not remove it.
pub(super) fn pause_patch(
    id: &WorkloadId,
    seen: &Workload,
    pause: Option<&PauseAnnotation>,
) -> (PatchParams, Patch<Value>) {
    let fence = json!({"uid": seen.uid, "resourceVersion": seen.resource_version});
    let Some(pause) = pause else {
        let mut body = json!({"metadata": fence});
        body["metadata"]["annotations"] = json!({PauseAnnotation::ANNOTATION: null});
        let params = PatchParams { field_manager: Some(PAUSE_FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        return (params, Patch::Merge(body));
    };
    let mut body = json!({"apiVersion": "apps/v1", "kind": kind_name(id.workload.kind), "metadata": fence});
    body["metadata"]["name"] = json!(id.workload.name);
    body["metadata"]["namespace"] = json!(id.namespace);
    body["metadata"]["annotations"] = json!({PauseAnnotation::ANNOTATION: pause.write()});
    (PatchParams::apply(PAUSE_FIELD_MANAGER).force(), Patch::Apply(body))
}

/// Returns the body of the ownership dry run: `write` with different images.
pub(super) fn ownership_probe_body(write: &WorkloadWrite, workload: &Workload) -> Result<Value, ClusterError> {
    check_fence(write, workload)?;
    let other = |image: &pintle_core::image::Image| format!("{}:{OWNERSHIP_PROBE_TAG}", image.repository());
    let images: Vec<_> = write.images.iter().map(|(name, init, image)| (name.as_str(), *init, other(image))).collect();
    Ok(fenced_body(write, workload, &images))
}

/// A container, whether it is an init container, and the text of its image.
type ContainerImage<'w> = (&'w str, bool, String);

fn fenced_body(write: &WorkloadWrite, workload: &Workload, images: &[ContainerImage<'_>]) -> Value {
    let list = |wanted: bool| -> Vec<Value> {
        let of_list = images.iter().filter(|(_, init, _)| *init == wanted);
        of_list.map(|(name, _, image)| json!({"name": name, "image": image})).collect()
    };
    let mut pod = json!({});
    for (key, list) in [("containers", list(false)), ("initContainers", list(true))] {
        if !list.is_empty() {
            pod[key] = list.into();
        }
    }
    // Without the uid, an apply would recreate a workload that was deleted meanwhile.
    json!({
        "apiVersion": "apps/v1",
        "kind": kind_name(write.id.workload.kind),
        "metadata": {
            "name": write.id.workload.name,
            "namespace": write.id.namespace,
            "uid": workload.uid,
            "resourceVersion": workload.resource_version,
        },
        "spec": {"template": {"spec": pod}},
    })
}

fn check_fence(write: &WorkloadWrite, workload: &Workload) -> Result<(), ClusterError> {
    let id = || write.id.clone();
    if workload.uid != write.expected.uid {
        return Err(ClusterError::NotFound(id()));
    }
    if !workload.equals_ignoring_status(&write.expected) {
        return Err(ClusterError::Conflict(id()));
    }
    for (name, init, _) in &write.images {
        // An apply would add the container.
        if !workload.containers.iter().any(|container| container.name == *name && container.init == *init) {
            let names: Vec<_> = workload.containers.iter().map(|container| container.name.as_str()).collect();
            let message = format!("there is no container {name}; there are {}", names.join(", "));
            return Err(ClusterError::Rejected { id: id(), message });
        }
    }
    let of_write = |container: &String| write.images.iter().any(|(name, ..)| name == container);
    let others = workload.image_managers.iter().filter(|manager| !may_take_field_from(&manager.name, manager.applied));
    match others.into_iter().find(|manager| manager.containers.iter().any(of_write)) {
        Some(manager) => Err(ClusterError::FieldOwned { id: id(), field_manager: manager.name.clone() }),
        None => Ok(()),
    }
}

/// Returns the image's current spelling if it means the same; another spelling would replace every pod.
fn image_as_written(write: &WorkloadWrite, workload: &Workload, name: &str) -> String {
    let wanted = write.images.iter().find(|(container, ..)| container == name).map(|(.., image)| image);
    let there = workload.containers.iter().find(|container| container.name == name);
    match (wanted, there) {
        (Some(wanted), Some(there)) if there.image.as_ref() == Some(wanted) => there.written_image.clone(),
        (Some(wanted), _) => wanted.to_string(),
        (None, _) => String::new(),
    }
}

/// Returns the images that Pintle applied earlier and this write does not change. An apply without them would delete
/// them.
fn also_owned<'w>(write: &WorkloadWrite, workload: &'w Workload) -> Vec<ContainerImage<'w>> {
    let ours = |name: &String| {
        let mut managers =
            workload.image_managers.iter().filter(|manager| manager.applied && manager.name == FIELD_MANAGER);
        managers.any(|manager| manager.containers.contains(name))
    };
    let omitted = |name: &String| !write.images.iter().any(|(container, ..)| container == name);
    let containers = workload.containers.iter().filter(|it| ours(&it.name) && omitted(&it.name));
    containers.map(|it| (it.name.as_str(), it.init, it.written_image.clone())).collect()
}

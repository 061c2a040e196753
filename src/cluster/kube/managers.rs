//! Field managers of images: who they are, and which ones Pintle takes over from. Pure.

use std::cmp::Reverse;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use pintle_core::workload::{FIELD_MANAGER, FieldManager};
use serde_json::Value;

/// The field manager of pauses.
pub(super) const PAUSE_FIELD_MANAGER: &str = "pintle-pause";

/// Returns the managers of image fields, newest first.
pub(super) fn image_managers(entries: &[ManagedFieldsEntry]) -> Vec<FieldManager> {
    let mut managers: Vec<_> = entries.iter().filter_map(manager).collect();
    managers.sort_by_key(|manager| Reverse(manager.time));
    managers
}

/// Returns whether Pintle has applied this object. It keeps owning the container's name even after somebody else
/// changed the image.
pub(super) fn has_pintle_fields(entries: &[ManagedFieldsEntry]) -> bool {
    entries
        .iter()
        .any(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.operation.as_deref() == Some("Apply"))
}

fn manager(entry: &ManagedFieldsEntry) -> Option<FieldManager> {
    // Status and scale are irrelevant here.
    if entry.subresource.as_deref().is_some_and(|subresource| !subresource.is_empty()) {
        return None;
    }
    let pod = &entry.fields_v1.as_ref()?.0["f:spec"]["f:template"]["f:spec"];
    let containers: Vec<_> = ["f:containers", "f:initContainers"].iter().flat_map(|list| owned(&pod[list])).collect();
    let manager = FieldManager {
        name: entry.manager.clone().unwrap_or_default(),
        time: entry.time.as_ref().map(|time| time.0),
        applied: entry.operation.as_deref() == Some("Apply"),
        containers,
    };
    (!manager.containers.is_empty()).then_some(manager)
}

/// Returns the names of the containers whose image is owned, from keys such as `k:{"name":"app"}`.
fn owned(list: &Value) -> Vec<String> {
    let entries = list.as_object().into_iter().flatten();
    let name = |key: &str| {
        let key: Value = serde_json::from_str(key.strip_prefix("k:")?).ok()?;
        Some(key["name"].as_str()?.to_owned())
    };
    entries.filter(|(_, fields)| fields.get("f:image").is_some()).filter_map(|(key, _)| name(key)).collect()
}

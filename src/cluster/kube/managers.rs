//! Who owns the image fields, whom Pintle takes them over from, and what to do about the others. Pure.

use std::cmp::Reverse;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use pintle_core::workload::{FIELD_MANAGER, Manager};
use serde_json::Value;

/// The name by which it knows who pauses.
pub(super) const PAUSER: &str = "pintle-pause";

/// The managers of image fields, newest first.
pub(super) fn of_images(entries: &[ManagedFieldsEntry]) -> Vec<Manager> {
    let mut managers: Vec<_> = entries.iter().filter_map(manager).collect();
    managers.sort_by_key(|manager| Reverse(manager.time));
    managers
}

/// Whether Pintle has applied something: of what somebody else has moved since, it still owns the container's name.
pub(super) fn has_ours(entries: &[ManagedFieldsEntry]) -> bool {
    entries
        .iter()
        .any(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.operation.as_deref() == Some("Apply"))
}

fn manager(entry: &ManagedFieldsEntry) -> Option<Manager> {
    // Status and scale are other people's business.
    if entry.subresource.as_deref().is_some_and(|subresource| !subresource.is_empty()) {
        return None;
    }
    let pod = &entry.fields_v1.as_ref()?.0["f:spec"]["f:template"]["f:spec"];
    let containers: Vec<_> = ["f:containers", "f:initContainers"].iter().flat_map(|list| owned(&pod[list])).collect();
    let manager = Manager {
        name: entry.manager.clone().unwrap_or_default(),
        time: entry.time.as_ref().map(|time| time.0),
        applied: entry.operation.as_deref() == Some("Apply"),
        containers,
    };
    (!manager.containers.is_empty()).then_some(manager)
}

/// The names of the containers whose image is owned, from keys such as `k:{"name":"app"}`.
fn owned(list: &Value) -> Vec<String> {
    let entries = list.as_object().into_iter().flatten();
    let name = |key: &str| {
        let key: Value = serde_json::from_str(key.strip_prefix("k:")?).ok()?;
        Some(key["name"].as_str()?.to_owned())
    };
    entries.filter(|(_, fields)| fields.get("f:image").is_some()).filter_map(|(key, _)| name(key)).collect()
}

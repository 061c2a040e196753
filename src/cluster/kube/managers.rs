//! Who owns the image fields, whom Pintle takes them over from, and what to do about the others. Pure.

use std::cmp::Reverse;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

use crate::cluster::Manager;

/// The name by which the API server knows Pintle.
pub(super) const PINTLE: &str = "pintle";

/// The name by which it knows who pauses.
pub(super) const PAUSER: &str = "pintle-pause";

/// GitOps engines, by how the names of their field managers begin. A field taken from them is taken back by their next
/// sync (measured with Argo CD and Flux).
const ENGINES: &[&str] = &["argocd", "kustomize-controller", "helm-controller", "kapp", "fleet", "flux", "configsync"];

/// The managers of image fields, newest first.
pub(super) fn of_images(entries: &[ManagedFieldsEntry]) -> Vec<Manager> {
    let mut managers: Vec<_> = entries.iter().filter_map(manager).collect();
    managers.sort_by_key(|manager| Reverse(manager.time));
    managers
}

/// Whether Pintle has applied something: of what somebody else has moved since, it still owns the container's name.
pub(super) fn has_ours(entries: &[ManagedFieldsEntry]) -> bool {
    entries.iter().any(|entry| entry.manager.as_deref() == Some(PINTLE) && entry.operation.as_deref() == Some("Apply"))
}

/// Whether Pintle takes an image over from this manager: from people and their tools, from client-side appliers that
/// are no engine, from its own past. Whoever applies on the server's side means to own what it applies.
pub fn may_take_over(name: &str, applied: bool) -> bool {
    let is_engine = ENGINES.iter().any(|engine| name.starts_with(engine));
    name == PINTLE || name.starts_with("kubectl") || (!applied && !is_engine)
}

/// What a user can do where `manager` owns the image.
pub fn way_out(manager: &str) -> String {
    match manager {
        it if it.starts_with("argocd") => {
            "in the Argo CD Application, list the image under spec.ignoreDifferences and set \
             the sync option RespectIgnoreDifferences=true"
                .to_owned()
        }
        it if it.starts_with("kustomize-controller") || it.starts_with("flux") => {
            "in the Flux Kustomization, list the image under spec.ignore".to_owned()
        }
        it if it.starts_with("helm") => {
            "drop the tag from the Helm values, so that the chart does not set the image".to_owned()
        }
        _ => format!("take the image out of what {manager} applies"),
    }
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

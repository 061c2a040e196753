//! Finds image fields that a GitOps engine owns: it would revert what Pintle writes there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::InitOptions;
use super::live::RunningPin;
use super::resolve::FoundService;
use super::seen::{ConfigFormat, RepoScan};
use crate::pins::{ServiceName, WorkloadKind, WorkloadRef};
use crate::workload::Workload;
use crate::workload::{may_take_field_from, ownership_remedy};

/// Services whose image fields one engine owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineOwnership {
    /// Field manager, such as `argocd-controller`.
    pub manager: String,
    pub services: BTreeSet<ServiceName>,
    #[serde(rename = "wayOut")]
    pub remedy: String,
}

/// Finds the owners of image fields, in the cluster or else in the files.
pub(super) fn engine_ownership(
    seen: &RepoScan,
    wish: &InitOptions<'_>,
    found: &[FoundService<'_>],
    running: &BTreeMap<ServiceName, RunningPin>,
) -> Vec<EngineOwnership> {
    let of_files = found.iter().map(|service| (&service.name, &service.workloads, Some(service)));
    let of_cluster = running.iter().map(|(name, runs)| (name, &runs.workloads, None));
    let mut owned: BTreeMap<String, BTreeSet<ServiceName>> = BTreeMap::new();
    for (name, workloads, found) in of_files.chain(of_cluster) {
        let workloads = live(wish, name, workloads);
        let manager = match found {
            Some(service) if workloads.is_empty() => as_files_say(seen, service),
            _ => foreign(&workloads),
        };
        if let Some(manager) = manager {
            owned.entry(manager).or_default().insert(name.clone());
        }
    }
    owned
        .into_iter()
        .map(|(manager, services)| EngineOwnership { remedy: ownership_remedy(&manager), manager, services })
        .collect()
}

/// Returns the running workloads of a service.
fn live<'l>(wish: &InitOptions<'l>, name: &ServiceName, workloads: &[WorkloadRef]) -> Vec<&'l Workload> {
    let expected = [WorkloadRef { kind: WorkloadKind::Deployment, name: name.to_string() }];
    let workloads = if workloads.is_empty() { &expected[..] } else { workloads };
    let all = wish.live.into_iter().flat_map(|live| &live.workloads);
    all.filter(|(id, _)| workloads.contains(&id.workload)).map(|(_, workload)| &**workload).collect()
}

/// Returns the field manager from whom Pintle would not take over an image field.
fn foreign(workloads: &[&Workload]) -> Option<String> {
    let mut managers = workloads.iter().flat_map(|workload| &workload.image_managers);
    let foreign = managers.find(|manager| !may_take_field_from(&manager.name, manager.applied))?;
    Some(foreign.name.clone())
}

fn as_files_say(seen: &RepoScan, service: &FoundService<'_>) -> Option<String> {
    if service.spot.layout == ConfigFormat::HelmRelease {
        return Some("helm-controller".to_owned());
    }
    seen.engine_of(&service.spot.path).map(|engine| engine.manager.to_owned())
}

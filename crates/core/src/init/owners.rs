//! Finds image fields that a GitOps engine owns: it would revert what Pintle writes there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Wish;
use super::live::Runs;
use super::resolve::Found;
use super::seen::{Layout, Seen};
use crate::pins::{ServiceName, WorkloadKind, WorkloadRef};
use crate::workload::Workload;
use crate::workload::{may_take_over, ownership_remedy};

/// Services whose image fields one engine owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Owned {
    /// Field manager, such as `argocd-controller`.
    pub manager: String,
    pub services: BTreeSet<ServiceName>,
    /// The remedy.
    pub way_out: String,
}

/// Finds the owners of image fields, in the cluster or else in the files.
pub(super) fn all(
    seen: &Seen,
    wish: &Wish<'_>,
    found: &[Found<'_>],
    running: &BTreeMap<ServiceName, Runs>,
) -> Vec<Owned> {
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
        .map(|(manager, services)| Owned { way_out: ownership_remedy(&manager), manager, services })
        .collect()
}

/// Returns the running workloads of a service.
fn live<'l>(wish: &Wish<'l>, name: &ServiceName, workloads: &[WorkloadRef]) -> Vec<&'l Workload> {
    let expected = [WorkloadRef { kind: WorkloadKind::Deployment, name: name.to_string() }];
    let workloads = if workloads.is_empty() { &expected[..] } else { workloads };
    let all = wish.live.into_iter().flat_map(|live| &live.workloads);
    all.filter(|(id, _)| workloads.contains(&id.workload)).map(|(_, workload)| &**workload).collect()
}

/// Returns the field manager from whom Pintle would not take over an image field.
fn foreign(workloads: &[&Workload]) -> Option<String> {
    let mut managers = workloads.iter().flat_map(|workload| &workload.managers);
    let foreign = managers.find(|manager| !may_take_over(&manager.name, manager.applied))?;
    Some(foreign.name.clone())
}

fn as_files_say(seen: &Seen, service: &Found<'_>) -> Option<String> {
    if service.spot.layout == Layout::Release {
        return Some("helm-controller".to_owned());
    }
    seen.engine(&service.spot.path).map(|engine| engine.manager.to_owned())
}

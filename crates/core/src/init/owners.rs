//! Whose the image fields are: what a GitOps engine applies, it takes back.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Wish;
use super::live::Runs;
use super::resolve::Found;
use super::seen::{Layout, Seen};
use crate::pins::{ServiceName, WorkloadKind, WorkloadRef};
use crate::workload::Workload;
use crate::workload::{may_take_over, way_out};

/// Services whose image fields an engine owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Owned {
    /// The field manager, such as `argocd-controller`.
    pub manager: String,
    /// The services.
    pub services: BTreeSet<ServiceName>,
    /// What to do about it.
    pub way_out: String,
}

/// Who owns what: as the cluster says, else as the files say.
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
    owned.into_iter().map(|(manager, services)| Owned { way_out: way_out(&manager), manager, services }).collect()
}

/// The workloads of a service that run.
fn live<'l>(wish: &Wish<'l>, name: &ServiceName, workloads: &[WorkloadRef]) -> Vec<&'l Workload> {
    let expected = [WorkloadRef { kind: WorkloadKind::Deployment, name: name.to_string() }];
    let workloads = if workloads.is_empty() { &expected[..] } else { workloads };
    let all = wish.live.into_iter().flat_map(|live| &live.workloads);
    all.filter(|(id, _)| workloads.contains(&id.workload)).map(|(_, workload)| &**workload).collect()
}

/// The manager from whom Pintle would not take an image over.
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

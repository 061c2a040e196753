//! Whose the image fields are: what a GitOps engine applies, it takes back.

use std::collections::{BTreeMap, BTreeSet};

use super::Wish;
use super::resolve::Found;
use super::seen::{Layout, Seen};
use crate::cluster::Workload;
use crate::cluster::kube::{may_take_over, way_out};
use crate::pins::{ServiceName, WorkloadKind, WorkloadRef};

/// Services whose image fields an engine owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The field manager, such as `argocd-controller`.
    pub manager: String,
    /// The services.
    pub services: BTreeSet<ServiceName>,
    /// What to do about it.
    pub way_out: String,
}

/// Who owns what: as the cluster says, else as the files say.
pub(super) fn all(seen: &Seen, wish: &Wish<'_>, found: &[Found<'_>]) -> Vec<Owned> {
    let mut owned: BTreeMap<String, BTreeSet<ServiceName>> = BTreeMap::new();
    for service in found {
        let running = running(wish, service);
        let managers = running.iter().flat_map(|workload| &workload.managers);
        let others = managers.filter(|manager| !may_take_over(&manager.name, manager.applied));
        let others = others.map(|manager| manager.name.clone()).next();
        let manager = if running.is_empty() { as_files_say(seen, service) } else { others };
        if let Some(manager) = manager {
            owned.entry(manager).or_default().insert(service.name.clone());
        }
    }
    owned.into_iter().map(|(manager, services)| Owned { way_out: way_out(&manager), manager, services }).collect()
}

/// The workloads of a service that run.
fn running<'l>(wish: &Wish<'l>, service: &Found<'_>) -> Vec<&'l Workload> {
    let expected = [WorkloadRef { kind: WorkloadKind::Deployment, name: service.name.to_string() }];
    let workloads = if service.workloads.is_empty() { &expected[..] } else { &service.workloads };
    let all = wish.live.into_iter().flat_map(|live| &live.workloads);
    all.filter(|(id, _)| workloads.contains(&id.workload)).map(|(_, workload)| &**workload).collect()
}

fn as_files_say(seen: &Seen, service: &Found<'_>) -> Option<String> {
    if service.spot.layout == Layout::Release {
        return Some("helm-controller".to_owned());
    }
    seen.engine(&service.spot.path).map(|engine| engine.manager.to_owned())
}

//! Adds facts from the cluster: workloads whose version is nowhere in Git, and the workloads of a chart.

use std::collections::{BTreeMap, BTreeSet};

use super::node::basename;
use super::resolve::{normal, service_name};
use super::seen::RepoScan;
use super::{InitOptions, UnpinnedItem};
use crate::pins::{Service, ServiceName, WorkloadKind, WorkloadRef};
use crate::workload::{Container, Workload};

/// Services that are pinned as they run.
#[derive(Debug, Default)]
pub(super) struct RunningPins {
    pub(super) pins: BTreeMap<ServiceName, RunningPin>,
    pub(super) unpinned: Vec<UnpinnedItem>,
}

#[derive(Debug)]
pub(super) struct RunningPin {
    /// Version and image repository.
    pub(super) pin: (String, String),
    /// The workloads, if they are not the one that Pintle expects.
    pub(super) workloads: Vec<WorkloadRef>,
}

/// Returns the running services whose version is nowhere in Git.
pub(super) fn nowhere<'p>(
    seen: &RepoScan,
    wish: &InitOptions<'_>,
    pinned: impl Iterator<Item = &'p Service>,
) -> RunningPins {
    let mut running = RunningPins::default();
    let Some(live) = wish.live else { return running };
    let mut repositories: BTreeSet<String> = seen
        .versions
        .iter()
        .filter(|it| it.written.is_some())
        .filter_map(|it| normal(it.repository.as_deref()?))
        .collect();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut workloads: BTreeSet<&WorkloadRef> = BTreeSet::new();
    for service in pinned {
        repositories.insert(service.pin.image.repository().to_owned());
        names.insert(service.name.as_str());
        workloads.extend(&service.workloads);
    }
    for (id, workload) in live.workloads.iter().filter(|(id, _)| !workloads.contains(&id.workload)) {
        let object = &id.workload;
        let in_git = |it: &&Container| it.image.as_ref().is_some_and(|image| repositories.contains(image.repository()));
        if workload.containers.iter().any(|container| in_git(&container)) {
            continue;
        }
        match of_one(&object.name, workload) {
            Ok((name, _)) if names.contains(name.as_str()) || running.pins.contains_key(&name) => {
                let why = "runs, and another service has its name".to_owned();
                running.unpinned.push(UnpinnedItem { item: object.to_string(), reason: why });
            }
            Ok((name, pin)) => {
                let expected = WorkloadRef { kind: WorkloadKind::Deployment, name: name.to_string() };
                let workloads = if *object == expected { Vec::new() } else { vec![object.clone()] };
                running.pins.insert(name, RunningPin { pin, workloads });
            }
            Err(why) => running.unpinned.push(UnpinnedItem { item: object.to_string(), reason: why }),
        }
    }
    running
}

fn of_one(name: &str, workload: &Workload) -> Result<(ServiceName, (String, String)), String> {
    let service = service_name(name).ok_or("has a name that no service can have")?;
    let containers: Vec<&Container> = workload.containers.iter().filter(|container| !container.init).collect();
    let called = |it: &&&Container| it.name == name;
    let imaged = |it: &&&Container| it.image.as_ref().is_some_and(|image| basename(image.repository()) == name);
    let main = match containers.as_slice() {
        [only] => Some(*only),
        all => all.iter().find(called).or_else(|| all.iter().find(imaged)).copied(),
    };
    let main = main.ok_or("runs several containers, and none of them has its name")?;
    let image = main.image.as_ref().ok_or_else(|| format!("runs {}, which is no image", main.written_image))?;
    let tag = image.tag().ok_or_else(|| format!("runs {image}, which names no version"))?;
    Ok((service, (tag.to_owned(), image.short_repository().to_owned())))
}

/// Returns the workloads that run an image.
pub(super) fn running(wish: &InitOptions<'_>, repository: &str, expected: &WorkloadRef) -> Vec<WorkloadRef> {
    let Some(live) = wish.live else { return Vec::new() };
    let runs = |workload: &Workload| {
        workload.containers.iter().any(|it| it.image.as_ref().is_some_and(|image| image.repository() == repository))
    };
    let all: Vec<WorkloadRef> =
        live.workloads.iter().filter(|(_, it)| runs(it)).map(|(id, _)| id.workload.clone()).collect();
    if all.is_empty() && live.workloads.keys().all(|id| id.workload != *expected) { Vec::new() } else { all }
}

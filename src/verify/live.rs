//! Which images of a service run, or may come to run.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::cluster::{Container, Left, Pod, Workload, WorkloadId, settled};
use crate::image::Image;

/// What runs of a service in one workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Runs {
    /// Nothing: the workload does not exist, or is on its way out.
    Absent,
    /// This image.
    Image(Image),
    /// Something whose name is no image reference, as it is written there.
    Unreadable(String),
}

/// A workload has no container for a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{id} has no container {wanted}; it has {}", list(.found))]
pub struct NoContainer {
    /// The workload.
    pub id: WorkloadId,
    /// What was looked for: `app`, or `that runs ghcr.io/acme/checkout`.
    pub wanted: String,
    /// The containers there are, with their images.
    pub found: Vec<(String, String)>,
}

/// The images of `containers` of which pods exist or may come to exist: those that its pods run, where these have not been
/// looked at those of the `templates` that they can be of. None where neither is known, and the workload is not settled.
/// That pods are not there does not say that none come: what the specification has left counts until that is known.
pub fn live(
    id: &WorkloadId,
    workload: Option<&Workload>,
    pods: Option<&[Arc<Pod>]>,
    templates: Option<&[Container]>,
    containers: &[&str],
) -> Option<BTreeSet<Runs>> {
    let Some(workload) = workload else { return Some(BTreeSet::from([Runs::Absent])) };
    let of_service = |all: &[Container]| -> Vec<Runs> {
        all.iter().filter(|container| containers.contains(&container.name.as_str())).map(Runs::of).collect()
    };
    let mut live: BTreeSet<Runs> = of_service(&workload.containers).into_iter().collect();
    if settled(id, workload, pods) {
        return Some(live);
    }
    match &workload.status.left {
        Left::Nothing => {}
        Left::Templates(containers) => live.extend(of_service(containers)),
        Left::Unknown => return None,
    }
    match pods {
        Some(pods) => live.extend(of_pods(pods, containers)),
        None => live.extend(of_service(templates?)),
    }
    if workload.deleting {
        live.insert(Runs::Absent);
    }
    Some(live)
}

/// The images of `containers` of which pods exist.
pub fn of_pods<'p>(pods: &'p [Arc<Pod>], containers: &'p [&str]) -> impl Iterator<Item = Runs> + 'p {
    let of_service = |container: &&Container| containers.contains(&container.name.as_str());
    let running = pods.iter().filter(|pod| pod.runs()).flat_map(|pod| &pod.containers);
    running.filter(of_service).map(Runs::of)
}

/// The containers of a service in a workload: the ones it names, else all, init containers too, that run `image` in
/// whichever version.
pub fn containers_of<'w>(
    id: &WorkloadId,
    workload: &'w Workload,
    named: Option<&[String]>,
    image: &Image,
) -> Result<Vec<&'w Container>, NoContainer> {
    let none = |wanted: String| {
        let found = workload.containers.iter().map(|it| (it.name.clone(), it.written.clone())).collect();
        NoContainer { id: id.clone(), wanted, found }
    };
    if let Some(named) = named {
        let find = |name: &String| workload.containers.iter().find(|container| &container.name == name);
        return named.iter().map(|name| find(name).ok_or_else(|| none(name.clone()))).collect();
    }
    let runs =
        |container: &&Container| container.image.as_ref().is_some_and(|found| found.repository() == image.repository());
    let found: Vec<_> = workload.containers.iter().filter(runs).collect();
    if found.is_empty() { Err(none(format!("that runs {}", image.familiar()))) } else { Ok(found) }
}

impl Runs {
    /// What a container runs.
    pub fn of(container: &Container) -> Self {
        container.image.clone().map_or_else(|| Self::Unreadable(container.written.clone()), Self::Image)
    }
}

fn list(found: &[(String, String)]) -> String {
    found.iter().map(|(name, image)| format!("{name} ({image})")).collect::<Vec<_>>().join(", ")
}

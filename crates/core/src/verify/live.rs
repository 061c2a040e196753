//! Which images of a service run, or may come to run.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::image::Image;
use crate::running::Running;
use crate::verify::is_settled;
use crate::workload::{Container, Left, Pod, Workload, WorkloadId};

/// A workload has no container for a service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{id} has no container {wanted}; it has {}", list(.found))]
pub struct MissingContainer {
    /// The workload.
    pub id: WorkloadId,
    /// What was looked for: `app`, or `that runs ghcr.io/acme/checkout`.
    pub wanted: String,
    /// The containers there are, with their images.
    pub found: Vec<(String, String)>,
}

/// The images of `containers` of which pods exist or may come to exist: those that its pods run, where these have not been
/// looked at those of the `templates` that they can be of. None where neither is known, and the workload is not settled.
/// A template that the specification has left counts until no pod of it can come.
pub fn live_images(
    id: &WorkloadId,
    workload: Option<&Workload>,
    pods: Option<&[Arc<Pod>]>,
    templates: Option<&[Container]>,
    containers: &[&str],
) -> Option<BTreeSet<Running>> {
    let Some(workload) = workload else { return Some(BTreeSet::from([Running::Absent])) };
    let of_service = |all: &[Container]| -> Vec<Running> {
        all.iter()
            .filter(|container| containers.contains(&container.name.as_str()))
            .map(Running::in_container)
            .collect()
    };
    let mut live: BTreeSet<Running> = of_service(&workload.containers).into_iter().collect();
    if is_settled(id, workload, pods) {
        return Some(live);
    }
    match &workload.status.left {
        Left::Nothing => {}
        Left::Templates(containers) => live.extend(of_service(containers)),
        Left::Unknown => return None,
    }
    match pods {
        Some(pods) => live.extend(pod_images(pods, containers)),
        None => live.extend(of_service(templates?)),
    }
    if workload.deleting {
        live.insert(Running::Absent);
    }
    Some(live)
}

/// The images of `containers` of which pods exist.
pub fn pod_images<'p>(pods: &'p [Arc<Pod>], containers: &'p [&str]) -> impl Iterator<Item = Running> + 'p {
    let of_service = |container: &&Container| containers.contains(&container.name.as_str());
    let running = pods.iter().filter(|pod| pod.is_running()).flat_map(|pod| &pod.containers);
    running.filter(of_service).map(Running::in_container)
}

/// The containers of a service in a workload: the ones it names, else all, init containers too, that run `image` in
/// whichever version.
pub fn service_containers<'w>(
    id: &WorkloadId,
    workload: &'w Workload,
    named: Option<&[String]>,
    image: &Image,
) -> Result<Vec<&'w Container>, MissingContainer> {
    let none = |wanted: String| {
        let found = workload.containers.iter().map(|it| (it.name.clone(), it.written_image.clone())).collect();
        MissingContainer { id: id.clone(), wanted, found }
    };
    if let Some(named) = named {
        let find = |name: &String| workload.containers.iter().find(|container| &container.name == name);
        return named.iter().map(|name| find(name).ok_or_else(|| none(name.clone()))).collect();
    }
    let runs =
        |container: &&Container| container.image.as_ref().is_some_and(|found| found.repository() == image.repository());
    let found: Vec<_> = workload.containers.iter().filter(runs).collect();
    if found.is_empty() { Err(none(format!("that runs {}", image.short_repository()))) } else { Ok(found) }
}

fn list(found: &[(String, String)]) -> String {
    found.iter().map(|(name, image)| format!("{name} ({image})")).collect::<Vec<_>>().join(", ")
}

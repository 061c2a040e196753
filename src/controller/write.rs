//! From a start to the writes that make it, and from a verified change to what is remembered of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::graph::ServiceId;
use pintle_core::image::Image;
use pintle_core::pins::Service;
use pintle_core::plan::Suppression;
use pintle_core::workload::{Container, ProvenVersion, StateAnnotation, Workload, WorkloadId};

use super::desired::Desired;
use super::status::{LiveState, ServiceStatus, WorkloadStatus};
use crate::cluster::WorkloadWrite;

/// The writes that start a service's target: one for each workload that does not have it yet.
pub(super) fn start_writes(desired: &DesiredState, id: ServiceId, seen: &ServiceStatus) -> Vec<WorkloadWrite> {
    let Some(service) = desired.service(id) else { return Vec::new() };
    let missing = seen.workloads.iter().filter(|it| !has_target(service, it));
    missing
        .filter_map(|it| Some(write(it, &service.pin.image, started(desired, service, it.workload.as_deref()?))))
        .flatten()
        .collect()
}

/// The writes that record a change verified `at` this time. `began`: when this process wrote a workload, where it did.
pub(super) fn record_writes(
    desired: &Desired,
    id: ServiceId,
    seen: &ServiceStatus,
    at: Timestamp,
    began: &BTreeMap<WorkloadId, Timestamp>,
) -> Vec<WorkloadWrite> {
    let Some(service) = desired.service(id) else { return Vec::new() };
    let record = |it: &WorkloadStatus| {
        let state = rebased(desired, it.workload.as_deref()?.state.clone()?);
        // What the API server noted counts whole seconds.
        let began = began.get(&it.id).copied().or(it.written);
        write(it, &service.pin.image, proven(state, began, at))
    };
    seen.workloads.iter().filter_map(record).collect()
}

/// The writes by which workloads let go of a history that was rewritten: they name this revision, and run what they run.
pub(super) fn commit_adoption_writes(desired: &Desired, seen: &ServiceStatus) -> Vec<WorkloadWrite> {
    let left = seen.suppression.as_ref().is_some_and(Suppression::writes_nothing);
    if desired.options.abandoned_commits.is_empty() || seen.obstacle.is_some() || left {
        return Vec::new();
    }
    let rebase = |it: &WorkloadStatus| {
        let workload = it.workload.as_ref()?;
        let state =
            workload.state.as_ref().filter(|state| desired.options.abandoned_commits.contains(&state.commit))?;
        Some(fenced_write(it, workload, Vec::new(), rebased(desired, state.clone())))
    };
    seen.workloads.iter().filter_map(rebase).collect()
}

/// The writes to workloads that Pintle has never written.
pub(super) fn first_writes(
    desired: &DesiredState,
    look: &LiveState,
    starts: &[ServiceId],
) -> Vec<(ServiceId, WorkloadWrite)> {
    named(starts.iter().copied(), |id| {
        let seen = &look.services[id.index()];
        start_writes(desired, id, seen).into_iter().filter(|write| seen.is_new(&write.id)).collect()
    })
}

/// Names the service of each write.
pub(super) fn named(
    ids: impl Iterator<Item = ServiceId>,
    writes: impl Fn(ServiceId) -> Vec<WorkloadWrite>,
) -> Vec<(ServiceId, WorkloadWrite)> {
    ids.flat_map(|id| writes(id).into_iter().map(move |write| (id, write))).collect()
}

fn write(it: &WorkloadStatus, image: &Image, state: StateAnnotation) -> Option<WorkloadWrite> {
    let workload = it.workload.as_ref()?;
    let ours = workload.containers.iter().filter(|container| it.containers.contains(&container.name));
    // What the server has made of it already is left, whether it would do so again or not.
    let there =
        |container: &Container| container.image.clone().filter(|there| workload.image_as_written(there) == *image);
    let sent = |container: &Container| there(container).unwrap_or_else(|| image.clone());
    let images = ours.map(|container| (container.name.clone(), container.init, sent(container))).collect();
    Some(fenced_write(it, workload, images, state))
}

fn fenced_write(
    it: &WorkloadStatus,
    workload: &Arc<Workload>,
    images: Vec<(String, bool, Image)>,
    state: StateAnnotation,
) -> WorkloadWrite {
    WorkloadWrite { id: it.id.clone(), expected: Arc::clone(workload), images, state }
}

fn has_target(service: &Service, it: &WorkloadStatus) -> bool {
    if it.idle {
        return false;
    }
    let Some(workload) = it.workload.as_deref() else { return true };
    let is_pinned = |image: &Image| workload.image_as_written(image) == service.pin.image;
    let containers = workload.containers.iter().filter(|container| it.containers.contains(&container.name));
    containers.map(|container| &container.image).all(|image| image.as_ref().is_some_and(is_pinned))
}

fn started(desired: &DesiredState, service: &Service, workload: &Workload) -> StateAnnotation {
    StateAnnotation {
        schema: StateAnnotation::SCHEMA,
        instance: desired.pins.settings.instance.clone(),
        commit: desired.commit,
        version: service.pin.version.clone(),
        proven: workload.state.as_ref().map(|state| state.proven.clone()).unwrap_or_default(),
        // By it, what still runs of older images is known.
        image_rewrite: workload.state.as_ref().and_then(|state| state.image_rewrite.clone()),
    }
}

/// The state with this revision in place of one of a history that was rewritten.
fn rebased(desired: &Desired, mut state: StateAnnotation) -> StateAnnotation {
    if desired.options.abandoned_commits.contains(&state.commit) {
        for proven in state.proven.iter_mut().filter(|proven| proven.commit == state.commit) {
            proven.commit = desired.commit;
        }
        state.commit = desired.commit;
    }
    state
}

/// The state with its version proven. A clock that runs behind the API server's gives no time.
fn proven(state: StateAnnotation, began: Option<Timestamp>, at: Timestamp) -> StateAnnotation {
    let took = began.map_or(0, |began| at.duration_since(began).as_millis());
    let (version, commit) = (state.version.clone(), state.commit);
    state.with_proof(ProvenVersion { version, commit, at, took_ms: u64::try_from(took).unwrap_or(0) })
}

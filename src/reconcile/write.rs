//! From a start to the writes that make it, and from a verified change to what is remembered of it.

use jiff::Timestamp;

use super::desired::Desired;
use super::look::{Seen, SeenWorkload};
use crate::cluster::{Proven, State, Workload, Write};
use crate::graph::Id;
use crate::image::Image;
use crate::pins::Service;

/// The writes that start a service's target: one for each workload that does not have it yet.
pub fn start(desired: &Desired, id: Id, seen: &Seen) -> Vec<Write> {
    let Some(service) = desired.service(id) else { return Vec::new() };
    let missing = seen.workloads.iter().filter(|it| !has_target(service, it));
    missing
        .filter_map(|it| Some(write(it, &service.pin.image, started(desired, service, it.workload.as_deref()?))))
        .flatten()
        .collect()
}

/// The writes that record a verified change.
pub fn record(desired: &Desired, id: Id, seen: &Seen, now: Timestamp) -> Vec<Write> {
    let Some(service) = desired.service(id) else { return Vec::new() };
    let record = |it: &SeenWorkload| {
        let state = it.workload.as_deref()?.state.clone()?;
        write(it, &service.pin.image, proven(state, it.written, now))
    };
    seen.workloads.iter().filter_map(record).collect()
}

fn write(it: &SeenWorkload, image: &Image, state: State) -> Option<Write> {
    let workload = it.workload.as_deref()?;
    let ours = workload.containers.iter().filter(|container| it.containers.contains(&container.name));
    Some(Write {
        id: it.id.clone(),
        uid: workload.uid.clone(),
        resource_version: workload.resource_version.clone(),
        images: ours.map(|container| (container.name.clone(), container.init, image.clone())).collect(),
        state,
    })
}

fn has_target(service: &Service, it: &SeenWorkload) -> bool {
    let containers = it.workload.iter().flat_map(|workload| &workload.containers);
    containers
        .filter(|container| it.containers.contains(&container.name))
        .all(|container| container.image.as_ref() == Some(&service.pin.image))
}

fn started(desired: &Desired, service: &Service, workload: &Workload) -> State {
    State {
        schema: State::SCHEMA,
        instance: desired.pins.settings.instance.clone(),
        commit: desired.commit,
        version: service.pin.version.clone(),
        proven: workload.state.as_ref().map(|state| state.proven.clone()).unwrap_or_default(),
    }
}

/// The state with its version proven. A clock that runs behind the API server's gives no time.
fn proven(state: State, written: Option<Timestamp>, now: Timestamp) -> State {
    let took = written.map_or(0, |written| now.duration_since(written).as_millis());
    let (version, commit) = (state.version.clone(), state.commit);
    state.prove(Proven { version, commit, at: now, took_ms: u64::try_from(took).unwrap_or(0) })
}

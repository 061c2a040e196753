//! What was observed, service by service: the live set, whether what was written is on its way, and what is in the way
//! of writing at all.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::graph::ServiceId;
use pintle_core::image::Image;
use pintle_core::pins::Service;
use pintle_core::plan::{LiveService, Obstacle, RolloutProgress, Suppression};
use pintle_core::running::Running;
use pintle_core::verify::{self, ChangeTiming, HealthStatus, MissingContainer, Verdict, WorkloadHealth};
use pintle_core::workload::{Container, FIELD_MANAGER, RolloutStrategy, StateAnnotation, Workload, WorkloadId};

use super::desired::Desired;
use super::drift::suppression;
use super::manual_change::manual_change;
use super::status::{ServiceStatus, WorkloadStatus, absent};
use crate::cluster::{ClusterError, Observation};

/// One service; without its live set where its pods have not been looked at.
pub(super) fn assess_service(
    desired: &Desired,
    id: ServiceId,
    observed: &Observation,
    now: Timestamp,
) -> (Option<LiveService>, ServiceStatus) {
    let Some(service) = desired.service(id) else { return (Some(unreadable(desired, id)), ServiceStatus::default()) };
    let (live, mut seen) = assess_writable(desired, service, observed, now);
    seen.suppression = suppression(desired, id, &seen, live.as_ref(), now);
    seen.to_record &= !seen.suppression.as_ref().is_some_and(Suppression::writes_nothing);
    (live, seen)
}

/// A service whose file cannot be read: it runs what it pinned last, as far as is known, and is not written.
fn unreadable(desired: &Desired, id: ServiceId) -> LiveService {
    let Some(pin) = desired.history.last_pin(desired.graph.name(id)) else { return absent() };
    let running = vec![Running::pinned(pin)];
    LiveService { spec: running.clone(), running, ready: true, ..absent() }
}

/// The service; without its live set where its pods have not been looked at.
fn assess_writable(
    desired: &Desired,
    service: &Service,
    observed: &Observation,
    now: Timestamp,
) -> (Option<LiveService>, ServiceStatus) {
    let instance = &desired.pins.settings.instance;
    let target = Running::pinned(&service.pin);
    let mut seen = ServiceStatus::default();
    let (mut running, mut spec) = (BTreeSet::new(), BTreeSet::new());
    let mut unseen = false;
    let ids = desired.workloads(service);
    if let Some(why) = ids.iter().find_map(|id| observed.unobservable.get(id)) {
        let (live, seen) = unknown(desired, service, target, why);
        return (Some(live), seen);
    }
    for id in ids {
        let one = assess_workload(desired, service, observed, &id, now);
        let label = |found: Running| labelled(desired, service, one.seen.workload.as_deref(), found);
        spec.extend(one.spec.into_iter().map(label));
        unseen |= one.running.is_none();
        running.extend(one.running.into_iter().flatten().map(label));
        let workload = one.seen.workload.as_deref();
        seen.obstacle = seen.obstacle.or(one.obstacle).or_else(|| foreign(workload, instance, &id));
        let pause = workload.and_then(|it| it.pause.clone()).filter(|pause| pause.is_active(now));
        seen.ended = seen.ended.max(workload.and_then(|it| it.pause.as_ref()?.grace_end()));
        seen.pause = seen.pause.into_iter().chain(pause).max_by_key(|pause| pause.until);
        seen.manual_change =
            seen.manual_change.into_iter().chain(one.seen.manual_change.clone()).max_by_key(|hand| hand.at);
        seen.workloads.push(one.seen);
    }
    if service.external && seen.workloads.iter().all(|it| it.workload.is_none()) {
        let running = vec![target.clone()];
        return (Some(LiveService { spec: running.clone(), running, ready: true, ..absent() }), seen);
    }
    if unseen {
        return (None, seen);
    }
    // A workload without a container for the service runs nothing of it.
    let or_absent = |set: BTreeSet<Running>| -> Vec<Running> {
        if set.is_empty() { vec![Running::Absent] } else { set.into_iter().collect() }
    };
    let (running, spec) = (or_absent(running), or_absent(spec));
    let motion = motion(&mut seen, &running, &spec, &target);
    let objects = || seen.workloads.iter().filter_map(|it| it.workload.as_deref());
    let live = LiveService {
        ready: objects().any(|workload| workload.status.ready.unwrap_or(0) > 0),
        replaced_pods: objects().map(pods).sum(),
        surge_pods: objects().map(surge).sum(),
        is_drift: seen.drifted,
        running,
        spec,
        progress: motion,
    };
    (Some(live), seen)
}

/// A service that cannot be looked at: it may run whatever was ever pinned, or anything else, and is not written.
fn unknown(desired: &Desired, service: &Service, target: Running, why: &ClusterError) -> (LiveService, ServiceStatus) {
    let pinned = desired.history.records(&service.name).iter().filter_map(|record| record.pin.as_deref());
    let mut running: BTreeSet<Running> = pinned.map(Running::pinned).collect();
    running.extend([target.clone(), Running::Unreadable("unknown".to_owned())]);
    let live = LiveService { running: running.into_iter().collect(), spec: vec![target], ..absent() };
    let unanswered = matches!(why, ClusterError::Unreachable(_));
    (
        live,
        ServiceStatus { obstacle: Some(Obstacle::Unreadable(why.to_string())), unanswered, ..ServiceStatus::default() },
    )
}

/// What one workload shows.
struct One {
    seen: WorkloadStatus,
    spec: BTreeSet<Running>,
    running: Option<BTreeSet<Running>>,
    obstacle: Option<Obstacle>,
}

fn assess_workload(
    desired: &Desired,
    service: &Service,
    observed: &Observation,
    id: &WorkloadId,
    now: Timestamp,
) -> One {
    let workload = observed.workloads.get(id).cloned();
    let pods = observed.pods.get(id).map(Vec::as_slice);
    let found = workload.as_deref().map(|it| containers_of(desired, service, id, it));
    let (containers, obstacle): (Vec<String>, _) = match found {
        None => (Vec::new(), Some(Obstacle::MissingWorkload(id.clone()))),
        Some(Err(none)) => (Vec::new(), Some(Obstacle::NoContainer(none))),
        Some(Ok(containers)) => (containers.iter().map(|container| container.name.clone()).collect(), None),
    };
    let names: Vec<&str> = containers.iter().map(String::as_str).collect();
    let written = workload.as_deref().and_then(written);
    let is_proven = workload.as_deref().and_then(|it| it.state.as_ref()).is_some_and(StateAnnotation::is_proven);
    let change = ChangeTiming { written_at: written.filter(|_| !is_proven), timeout: service.pin.verify.timeout, now };
    let idle = observed.idle_reasons.get(id);
    let absent = || BTreeSet::from([Running::Absent]);
    let spec = match &workload {
        None => absent(),
        Some(_) if idle.is_some() => absent(),
        Some(it) => {
            it.containers.iter().filter(|it| names.contains(&it.name.as_str())).map(Running::in_container).collect()
        }
    };
    One {
        spec,
        running: match idle {
            Some(_) => Some(verify::pod_images(pods.unwrap_or_default(), &names).chain(absent()).collect()),
            None => verify::live_images(
                id,
                workload.as_deref(),
                pods,
                observed.templates.get(id).map(Vec::as_slice),
                &names,
            ),
        },
        obstacle,
        seen: WorkloadStatus {
            health: idle.map_or_else(
                || verify::workload_health(id, workload.as_deref(), pods, &change),
                |why| WorkloadHealth::missing(why.clone()),
            ),
            id: id.clone(),
            manual_change: workload.as_deref().and_then(|it| manual_change(desired, service, it, &containers)),
            workload,
            ending: pods.is_some_and(|pods| pods.iter().any(|pod| pod.terminating)),
            containers,
            written,
            idle: idle.is_some(),
        },
    }
}

/// The service's containers: by what is pinned now, else by what was pinned before, because a commit may move the image
/// to another repository, else by what the server has made of what Pintle wrote.
fn containers_of<'w>(
    desired: &Desired,
    service: &Service,
    id: &WorkloadId,
    workload: &'w Workload,
) -> Result<Vec<&'w Container>, MissingContainer> {
    let find = |image: &Image| verify::service_containers(id, workload, service.containers.as_deref(), image);
    find(&service.pin.image).or_else(|none| {
        let before = desired.history.records(&service.name).iter().rev().filter_map(|record| record.pin.as_deref());
        let made = workload.state.iter().filter_map(|state| Some(&state.image_rewrite.as_ref()?.to));
        let by_image = before.map(|pin| &pin.image).chain(made).find_map(|image| find(image).ok());
        by_image.or_else(|| rewritten(desired, service, workload)).ok_or(none)
    })
}

/// The containers whose image Pintle has applied and that run something of no other service: what it wrote was rewritten.
fn rewritten<'w>(desired: &Desired, service: &Service, workload: &'w Workload) -> Option<Vec<&'w Container>> {
    let applied = workload.image_managers.iter().find(|manager| manager.applied && manager.name == FIELD_MANAGER)?;
    let of_others = |image: &Image| {
        let mut others = desired.pins.services.values().filter(|other| other.name != service.name);
        others.any(|other| other.pin.image.repository() == image.repository())
    };
    let ours = workload.containers.iter().filter(|it| applied.containers.contains(&it.name));
    let ours: Vec<_> = ours.filter(|it| !it.image.as_ref().is_some_and(of_others)).collect();
    (service.containers.is_none() && workload.state.is_some() && !ours.is_empty()).then_some(ours)
}

/// When Pintle wrote it last.
fn written(workload: &Workload) -> Option<Timestamp> {
    workload
        .image_managers
        .iter()
        .filter(|manager| manager.name == FIELD_MANAGER)
        .filter_map(|manager| manager.time)
        .max()
}

fn foreign(workload: Option<&Workload>, instance: &str, id: &WorkloadId) -> Option<Obstacle> {
    let state = workload?.state.as_ref().filter(|state| state.instance != instance)?;
    Some(Obstacle::OtherInstance { workload: id.clone(), instance: state.instance.clone() })
}

/// Finds the version of an image that was found: what is pinned now, else what history says.
fn labelled(desired: &Desired, service: &Service, workload: Option<&Workload>, found: Running) -> Running {
    let Running::Image(there, _) = found else { return found };
    let image = workload.map_or_else(|| there.clone(), |workload| workload.image_as_written(&there));
    let pinned = Some(&service.pin.version).filter(|_| image == service.pin.image);
    let version = pinned.or_else(|| desired.history.version_of_image(&service.name, &image)).cloned();
    Running::Image(if version.is_some() { image } else { there }, version)
}

/// Whether what was written is on its way. What Pintle did not move here is still, however unwell it is: nobody waits
/// for it; but what is broken and is not the target must not restrict its own repair.
fn motion(seen: &mut ServiceStatus, running: &[Running], spec: &[Running], target: &Running) -> RolloutProgress {
    let mut states = seen.workloads.iter().filter_map(|it| it.workload.as_deref()?.state.as_ref());
    let unproven = states.any(|state| !state.is_proven());
    let at_target = spec == std::slice::from_ref(target);
    seen.drifted = !at_target && seen.manual_change.is_some();
    let failed = seen.workloads.iter().find(|it| it.health.verdict == Verdict::Fail);
    let failed = failed.map(|it| it.health.reason.clone());
    let passed = seen.workloads.iter().all(|it| it.health.verdict == Verdict::Pass);
    if !at_target {
        return failed.map_or(RolloutProgress::Still, RolloutProgress::Failed);
    }
    if !unproven && running == spec {
        return RolloutProgress::Still;
    }
    seen.to_record = unproven && passed && seen.workloads.iter().all(|it| it.health.status == HealthStatus::Healthy);
    match failed {
        Some(reason) => RolloutProgress::Failed(reason),
        None if passed => RolloutProgress::Still,
        None => RolloutProgress::UnderWay,
    }
}

fn pods(workload: &Workload) -> u32 {
    let wanted = workload.replicas.or(workload.status.desired).unwrap_or(1);
    u32::try_from(wanted).unwrap_or(0)
}

fn surge(workload: &Workload) -> u32 {
    match workload.strategy {
        RolloutStrategy::Rolling { surge } => u32::try_from(surge).unwrap_or(0),
        RolloutStrategy::Recreate | RolloutStrategy::OnDelete | RolloutStrategy::Partition(_) => 0,
    }
}

/// How long the last changes of a service took here: the median of what is remembered on its workloads.
pub(super) fn took(seen: &ServiceStatus) -> Option<Duration> {
    let states = seen.workloads.iter().filter_map(|it| it.workload.as_deref()?.state.as_ref());
    let mut times: Vec<u64> = states.flat_map(|state| state.proven.iter().map(|proven| proven.took_ms)).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().map(Duration::from_millis)
}

//! One service as a workload, with a pod for each process. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::image::Image;
use pintle_core::pins::LocalSpec;
use pintle_core::workload::{
    Condition, Container, FIELD_MANAGER, FieldManager, PauseAnnotation, Pod, PodIssue, ReportedStatus, RolloutStrategy,
    Workload,
};

use super::LocalServiceSpec;
use super::folder::RunState;
use super::record::{ExitCause, ProcessExit, ProcessRun, ServiceRecord};

/// The time limit for a process to become healthy, unless `verify: {timeout}` sets it.
const DEFAULT_PROGRESS_DEADLINE: Duration = Duration::from_secs(120);

/// The known state of one service.
#[derive(Debug, Clone, Default)]
pub(super) struct ServiceFacts {
    /// The stored record; none if the service was never started here.
    pub(super) record: Option<ServiceRecord>,
    pub(super) pause: Option<PauseAnnotation>,
    /// Whether a live process restarts it when it ends.
    pub(super) is_supervised: bool,
    /// The state of each run.
    pub(super) run_states: BTreeMap<u32, RunState>,
    /// The health of each live run.
    pub(super) health: BTreeMap<u32, ProcessHealth>,
    /// The state reported by its commands, for services managed by other tools.
    pub(super) external: Option<ExternalService>,
}

/// The health of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProcessHealth {
    /// Not probed yet.
    Unknown,
    Healthy,
    /// Unhealthy, with the reason.
    Unhealthy(String),
}

/// The state reported by a service's commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExternalService {
    /// The running image; none if nothing runs.
    pub(super) runs: Option<Image>,
    pub(super) health: ProcessHealth,
    /// Whether `start` is running.
    pub(super) starting: bool,
    /// The error of `start`.
    pub(super) failed: Option<String>,
}

/// A service in the form of a cluster observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceView {
    pub(super) workload: Arc<Workload>,
    pub(super) pods: Vec<Arc<Pod>>,
    /// Why nothing runs until the next write.
    pub(super) idle: Option<String>,
}

/// Returns the workload and pods of a service as observed at `now`.
pub(super) fn service_view(
    name: &str,
    served: Option<&LocalServiceSpec>,
    facts: &ServiceFacts,
    now: Timestamp,
) -> Option<ServiceView> {
    let mut shown = unpaused(name, served, facts, now)?;
    Arc::make_mut(&mut shown.workload).pause.clone_from(&facts.pause);
    Some(shown)
}

fn unpaused(
    name: &str,
    served: Option<&LocalServiceSpec>,
    facts: &ServiceFacts,
    now: Timestamp,
) -> Option<ServiceView> {
    let pods = pods(name, facts);
    let Some(record) = &facts.record else {
        let served = served?;
        let workload = Workload { uid: String::new(), ..blank(name, &served.image) };
        let (workload, pods) = match facts.external.as_ref().and_then(|it| it.runs.as_ref()) {
            Some(image) => (settle(blank(name, image), &pods), pods),
            None => (workload, Vec::new()),
        };
        let idle = pods.is_empty().then(|| "it was never started here".to_owned());
        return Some(ServiceView { workload: Arc::new(workload), pods, idle });
    };
    let stays = facts.stays();
    let idle = (!facts.is_supervised && stays.is_none()).then(|| why_idle(record, facts));
    let image = if facts.is_supervised { &record.spec.image } else { stays.unwrap_or(&record.spec.image) };
    let workload = Workload {
        uid: record.made.to_string(),
        resource_version: record.revision.to_string(),
        generation: record.generation,
        state: Some(record.state.clone()),
        is_managed: true,
        image_managers: vec![FieldManager {
            name: FIELD_MANAGER.to_owned(),
            time: Some(record.written),
            applied: true,
            containers: vec![name.to_owned()],
        }],
        strategy: if is_rolling(record) { RolloutStrategy::Rolling { surge: 1 } } else { RolloutStrategy::Recreate },
        ..blank(name, image)
    };
    let mut workload = settle(workload, &pods);
    if workload.status.ready == Some(0) && served.is_none_or(|served| served.timeout.is_none()) {
        workload.status.conditions.extend(gave_up(record.written, now));
    }
    Some(ServiceView { workload: Arc::new(workload), pods, idle })
}

impl ServiceFacts {
    /// Returns the image of the newest run that is not stopping.
    fn stays(&self) -> Option<&Image> {
        if let Some(elsewhere) = &self.external {
            return elsewhere.runs.as_ref();
        }
        let stays = |run: &&ProcessRun| {
            run.stopping.is_none() && !matches!(self.run_states.get(&run.number), Some(RunState::Ended(_)))
        };
        self.record.as_ref()?.runs.iter().rev().find(stays).map(|run| &run.spec.image)
    }
}

pub(super) fn is_rolling(record: &ServiceRecord) -> bool {
    matches!(*record.spec.local, LocalSpec::Process { rolling: true, .. })
}

fn why_idle(record: &ServiceRecord, facts: &ServiceFacts) -> String {
    let ended = record.runs.iter().rev().find_map(|run| match facts.run_states.get(&run.number) {
        Some(RunState::Ended(exit)) if run.stopping.is_none() => Some(exit),
        _ => None,
    });
    let how = match ended.or(record.exit.as_ref()) {
        _ if record.down => return "it was stopped by pintle down".to_owned(),
        Some(exit) => match exit.how {
            ExitCause::Code(_) => format!("it has ended with {exit}"),
            ExitCause::Signal(_) => format!("it was {exit}"),
            ExitCause::NotStarted(_) => format!("it could not be started: {exit}"),
            ExitCause::Unknown => exit.to_string(),
        },
        None => "it has ended".to_owned(),
    };
    if record.state.is_proven() { how } else { format!("it failed before it was verified: {how}") }
}

fn blank(name: &str, image: &Image) -> Workload {
    Workload {
        uid: String::new(),
        resource_version: String::new(),
        generation: 0,
        deleting: false,
        containers: vec![container(name, image)],
        state: None,
        pause: None,
        is_managed: false,
        image_managers: Vec::new(),
        replicas: Some(1),
        strategy: RolloutStrategy::Recreate,
        paused: false,
        status: ReportedStatus::default(),
    }
}

/// Fills in the workload's status from its pods.
fn settle(mut workload: Workload, pods: &[Arc<Pod>]) -> Workload {
    let count = |which: &dyn Fn(&Pod) -> bool| {
        i32::try_from(pods.iter().filter(|pod| pod.phase == "Running" && which(pod)).count()).ok()
    };
    let is_new = |pod: &Pod| !pod.terminating && pod.containers == workload.containers;
    let ready = count(&|pod| !pod.terminating && pod.ready);
    workload.status = ReportedStatus {
        observed_generation: Some(workload.generation),
        replicas: count(&|pod| !pod.terminating),
        updated: count(&is_new),
        ready,
        available: ready,
        terminating: count(&|pod| pod.terminating),
        ..ReportedStatus::default()
    };
    let available = if ready > Some(0) { "True" } else { "False" };
    workload.status.conditions.push(condition("Available", available, "", None));
    workload
}

/// Returns the condition with which a Deployment reports an exceeded `progressDeadlineSeconds`.
fn gave_up(written: Timestamp, now: Timestamp) -> Option<Condition> {
    let over = written.checked_add(DEFAULT_PROGRESS_DEADLINE).ok().filter(|over| *over < now)?;
    Some(condition("Progressing", "False", "ProgressDeadlineExceeded", Some(over)))
}

fn condition(kind: &str, status: &str, reason: &str, updated: Option<Timestamp>) -> Condition {
    let (kind, status, reason) = (kind.to_owned(), status.to_owned(), reason.to_owned());
    Condition { kind, status, reason, message: String::new(), updated }
}

fn container(name: &str, image: &Image) -> Container {
    Container { name: name.to_owned(), image: Some(image.clone()), written_image: image.to_string(), init: false }
}

fn pods(name: &str, facts: &ServiceFacts) -> Vec<Arc<Pod>> {
    if let Some(elsewhere) = &facts.external {
        return elsewhere_pods(name, facts, elsewhere);
    }
    let Some(record) = &facts.record else { return Vec::new() };
    let mut pods: Vec<Pod> = record.runs.iter().filter_map(|run| pod(name, record, facts, run)).collect();
    if facts.is_supervised
        && record.current_run().is_none_or(|run| !pods.iter().any(|pod| pod.name == pod_name(name, run.number)))
    {
        // The next process, which waits for the old one to exit, or for its back-off.
        let exit = record.exit.as_ref();
        pods.push(Pod {
            phase: "Pending".to_owned(),
            issues: exit.map(|exit| crash(name, record, exit)).into_iter().collect(),
            ..empty(pod_name(name, record.next), name, &record.spec.image)
        });
    }
    pods.into_iter().map(Arc::new).collect()
}

fn pod(name: &str, record: &ServiceRecord, facts: &ServiceFacts, run: &ProcessRun) -> Option<Pod> {
    let health = facts.health.get(&run.number).unwrap_or(&ProcessHealth::Unknown);
    let life = facts.run_states.get(&run.number)?;
    let mut troubles = Vec::new();
    if run.spec.image == record.spec.image && record.is_crash_looping() && *health != ProcessHealth::Healthy {
        troubles.extend(record.exit.as_ref().map(|exit| crash(name, record, exit)));
    }
    if let ProcessHealth::Unhealthy(words) = health {
        troubles.push(trouble(name, "Unhealthy", words.clone(), 0));
    }
    let shown = Pod {
        ready: *health == ProcessHealth::Healthy,
        terminating: run.stopping.is_some(),
        created: Some(run.begun),
        issues: troubles,
        ..empty(pod_name(name, run.number), name, &run.spec.image)
    };
    match life {
        RunState::Starting => Some(Pod { phase: "Pending".to_owned(), ..shown }),
        RunState::Running(_) => Some(shown),
        RunState::Ended(_) => None,
    }
}

fn elsewhere_pods(name: &str, facts: &ServiceFacts, elsewhere: &ExternalService) -> Vec<Arc<Pod>> {
    let mut pods = Vec::new();
    let wanted = facts.record.as_ref().filter(|_| facts.is_supervised).map(|record| &record.spec.image);
    if let Some(image) = &elsewhere.runs {
        let well = elsewhere.health == ProcessHealth::Healthy;
        let unwell = match &elsewhere.health {
            ProcessHealth::Unhealthy(words) => Some(trouble(name, "Unhealthy", words.clone(), 0)),
            ProcessHealth::Healthy | ProcessHealth::Unknown => None,
        };
        pods.push(Pod { ready: well, issues: unwell.into_iter().collect(), ..empty(name.to_owned(), name, image) });
    }
    if let Some(image) = wanted.filter(|image| elsewhere.runs.as_ref() != Some(*image)) {
        let failed = elsewhere.failed.clone().map(|words| trouble(name, "RunContainerError", words, 0));
        let next = empty(format!("{name}-next"), name, image);
        pods.push(Pod { phase: "Pending".to_owned(), issues: failed.into_iter().collect(), ..next });
    }
    pods.into_iter().map(Arc::new).collect()
}

fn pod_name(name: &str, number: u32) -> String {
    format!("{name}-{number}")
}

fn empty(pod: String, container_name: &str, image: &Image) -> Pod {
    Pod {
        name: pod,
        containers: vec![container(container_name, image)],
        phase: "Running".to_owned(),
        ready: false,
        unready_since: None,
        terminating: false,
        created: None,
        template: Some(image.to_string()),
        issues: Vec::new(),
    }
}

fn crash(name: &str, record: &ServiceRecord, exit: &ProcessExit) -> PodIssue {
    let reason = match () {
        () if exit.how.is_start_failure() => "RunContainerError",
        () if record.is_crash_looping() => "CrashLoopBackOff",
        () => "Error",
    };
    let restarts = i32::try_from(record.crashes.saturating_sub(1)).unwrap_or(i32::MAX);
    trouble(name, reason, exit.to_string(), restarts)
}

fn trouble(name: &str, reason: &str, message: String, restarts: i32) -> PodIssue {
    PodIssue { container: Some(name.to_owned()), reason: reason.to_owned(), message, restarts }
}

//! The control loop: observes, acts, and publishes the result. IO.
#![expect(clippy::disallowed_methods, reason = "the local runtime reads the clock")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use pintle_core::workload::{PauseAnnotation, WorkloadId};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::decide::{ProcessAction, next_actions};
use super::folder::{LockError, RunState, StateFolder, StateFolderLock};
use super::health::{self, HealthProbe};
use super::picture::{ProcessHealth, ServiceFacts, ServiceView, is_rolling, service_view};
use super::record::{ProcessId, ProcessRun};
use super::service::{LocalService, ProbeState};
use super::{LocalPaths, LocalServiceSpec, service};
use crate::cluster::{ClusterError, LeaseHolder, Observation};

/// The polling interval for changes without a notification.
const MAX_ROUND_INTERVAL: Duration = Duration::from_millis(250);

/// The probe interval of an unhealthy process.
const PROBE_INTERVAL_WHILE_UNHEALTHY: Duration = Duration::from_millis(40);

/// The probe interval of a healthy process.
const PROBE_INTERVAL_WHILE_HEALTHY: Duration = Duration::from_secs(1);

/// The number of consecutive failed probes that make a process unhealthy.
const FAILURE_THRESHOLD: u32 = 3;

/// The maximum wait of the first observation for probes.
const FIRST_OBSERVATION_TIMEOUT: Duration = Duration::from_secs(10);

/// The running services and the loop that controls them.
pub(super) struct LocalEngine {
    pub(super) folder: StateFolder,
    pub(super) working_folder: PathBuf,
    pub(super) shim: PathBuf,
    /// The folder's lock; none for reading.
    pub(super) lock: Option<StateFolderLock>,
    pub(super) own_process: Option<ProcessId>,
    services: Mutex<BTreeMap<String, LocalService>>,
    /// Counts the visible changes.
    changes: watch::Sender<u64>,
    /// The count at the last observation.
    last_observed: AtomicU64,
    /// Whether files have changed.
    files_changed: AtomicBool,
    pub(super) wake: Notify,
    watcher: OnceLock<Option<RecommendedWatcher>>,
    task: OnceLock<AbortHandle>,
}

impl LocalEngine {
    /// Reads the state folder and starts the control loop. With a command, the folder is locked.
    pub(super) fn start(
        place: LocalPaths,
        served: BTreeMap<WorkloadId, LocalServiceSpec>,
        command: Option<&str>,
    ) -> Result<Arc<Self>, ClusterError> {
        let folder = StateFolder::new(place.state_folder);
        let locked = |error: LockError| match error {
            LockError::HeldBy(holder) => {
                ClusterError::Locked(holder.map_or_else(|| "another pintle".to_owned(), |holder| holder.to_string()))
            }
            LockError::Unusable(why) => {
                ClusterError::ConnectionConfig(format!("the state folder cannot be used: {why}"))
            }
        };
        let lock = command.map(|command| folder.lock(command)).transpose().map_err(locked)?;
        let mut services = BTreeMap::new();
        for name in folder.services().map_err(ClusterError::ConnectionConfig)? {
            services.insert(name.clone(), LocalService::new(service::unpinned_workload_id(&name), None));
        }
        for (id, served) in served {
            services.insert(id.workload.name.clone(), LocalService::new(id, Some(served)));
        }
        for (name, service) in &mut services {
            service.read(&folder, name);
        }
        let engine = Arc::new(Self {
            folder,
            working_folder: place.working_folder,
            shim: place.shim,
            own_process: lock.as_ref().and_then(|_| ProcessId::current()),
            lock,
            services: Mutex::new(services),
            changes: watch::Sender::new(0),
            last_observed: AtomicU64::new(0),
            files_changed: AtomicBool::new(false),
            wake: Notify::new(),
            watcher: OnceLock::new(),
            task: OnceLock::new(),
        });
        engine.adopt_running_services();
        let weak = Arc::downgrade(&engine);
        let task = tokio::spawn(async move {
            while let Some(engine) = weak.upgrade() {
                let wait = engine.round();
                let woken = tokio::time::timeout(wait, engine.wake.notified());
                let _ = woken.await;
            }
        });
        let _ = engine.task.set(task.abort_handle());
        Ok(engine)
    }

    /// Sets the pinned services. Services that are no longer pinned keep running.
    pub(super) fn set_services(&self, served: BTreeMap<WorkloadId, LocalServiceSpec>) {
        let mut services = self.services();
        services.values_mut().for_each(|service| service.spec = None);
        for (id, served) in served {
            let name = id.workload.name.clone();
            let service = services.entry(name.clone()).or_insert_with(|| {
                let mut new = LocalService::new(id, None);
                new.read(&self.folder, &name);
                new
            });
            service.spec = Some(served);
        }
        drop(services);
        self.changes.send_modify(|count| *count += 1);
        self.wake.notify_one();
    }

    /// Returns the holder of the folder's lock.
    pub(super) fn holder(&self) -> Option<LeaseHolder> {
        self.folder.holder().map(|holder| LeaseHolder { holder: holder.to_string(), renewed: None, status: None })
    }

    /// Takes over the restarting of services that are found running.
    fn adopt_running_services(&self) {
        if self.lock.is_none() {
            return;
        }
        for (name, service) in self.services().iter_mut() {
            service.update_run_states(&self.folder, name);
            let ServiceFacts { record: Some(record), run_states: lives, is_supervised: kept, .. } = &mut service.facts
            else {
                continue;
            };
            let lives =
                |run: &ProcessRun| matches!(lives.get(&run.number), Some(RunState::Running(_) | RunState::Starting));
            *kept = !record.down && record.current_run().is_some_and(lives);
        }
    }

    pub(super) fn services(&self) -> MutexGuard<'_, BTreeMap<String, LocalService>> {
        // Ignores poisoning: no critical section leaves its data inconsistent.
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one iteration. Returns the maximum time until the next one.
    fn round(self: &Arc<Self>) -> Duration {
        // Without file notifications, anything may have changed.
        let deaf = matches!(self.watcher.get(), Some(None));
        let stale = self.files_changed.swap(false, Ordering::Relaxed) || deaf;
        let mut wait = MAX_ROUND_INTERVAL;
        let mut services = self.services();
        for (name, service) in services.iter_mut() {
            if self.lock.is_none() && stale {
                service.read(&self.folder, name);
            } else if stale {
                service.facts.pause = self.folder.pause(name);
            }
            service.update_run_states(&self.folder, name);
            if self.lock.is_some() && service.is_process() {
                wait = wait.min(self.take_next_actions(name, service));
            }
            wait = wait.min(self.ask_all(name, service)).min(self.run_query_commands(name, service));
        }
        drop(services);
        self.publish_views();
        wait
    }

    /// Performs the due actions. Returns the time until the next check.
    fn take_next_actions(&self, name: &str, service: &mut LocalService) -> Duration {
        // Each iteration ends or starts a process, so a few suffice.
        for _ in 0..8 {
            let now = Timestamp::now();
            let (acts, later) = next_actions(&service.facts, now);
            if acts.is_empty() {
                let left = later.map(|later| Duration::try_from(later.duration_since(now)).unwrap_or_default());
                return left.unwrap_or(MAX_ROUND_INTERVAL);
            }
            for act in acts {
                self.carry_out(name, service, act);
            }
            service.update_run_states(&self.folder, name);
        }
        Duration::ZERO
    }

    fn carry_out(&self, name: &str, service: &mut LocalService, act: ProcessAction) {
        match act {
            ProcessAction::Start => self.start_process(name, service),
            ProcessAction::Stop(number) => {
                if let Some(RunState::Running(process)) = service.facts.run_states.get(&number) {
                    process.ask_to_end();
                }
                self.change(name, service, number, |run| run.stopping = Some(Timestamp::now()));
            }
            ProcessAction::Kill(number) => {
                if let Some(RunState::Running(process)) = service.facts.run_states.get(&number) {
                    tracing::info!("{name} does not end: process {} is killed", process.pid);
                    process.kill();
                }
                self.change(name, service, number, |run| run.stopping = Some(Timestamp::now()));
            }
            ProcessAction::Reap(number) => self.reap(name, service, number),
        }
    }

    /// Starts the probes that are due.
    fn ask_all(self: &Arc<Self>, name: &str, service: &mut LocalService) -> Duration {
        let Some(record) = &service.facts.record else { return MAX_ROUND_INTERVAL };
        let shares = is_rolling(record) && record.runs.len() > 1;
        let mut wait = MAX_ROUND_INTERVAL;
        for run in record.runs.iter().filter(|run| run.stopping.is_none()) {
            let Some(RunState::Running(process)) = service.facts.run_states.get(&run.number) else { continue };
            let well = service.facts.health.get(&run.number) == Some(&ProcessHealth::Healthy);
            let every = if well { PROBE_INTERVAL_WHILE_HEALTHY } else { PROBE_INTERVAL_WHILE_UNHEALTHY };
            let before = service.probes.get(&run.number).copied();
            if let Some(before) = before
                && (before.is_pending || before.at.elapsed() < every)
            {
                wait = wait.min(every.saturating_sub(before.at.elapsed()).max(Duration::from_millis(1)));
                continue;
            }
            service.probes.insert(run.number, ProbeState::started_now(before.map_or(0, |before| before.failures)));
            let question = HealthProbe {
                local: Arc::clone(&run.spec.local),
                process: process.clone(),
                age: Duration::try_from(Timestamp::now().duration_since(run.begun)).unwrap_or_default(),
                shares_port: shares,
                command: self.task(name, &run.spec, run.commit),
            };
            let (engine, name, number) = (Arc::clone(self), name.to_owned(), run.number);
            tokio::spawn(async move {
                let answer = health::probe_health(&question).await;
                engine.record_probe_result(&name, number, answer);
            });
        }
        wait
    }

    fn record_probe_result(&self, name: &str, number: u32, answer: Result<(), String>) {
        if let Some(service) = self.services().get_mut(name) {
            let known = service.facts.health.entry(number).or_insert(ProcessHealth::Unknown);
            let Some(asked) = service.probes.get_mut(&number) else { return };
            asked.is_pending = false;
            asked.failures = if answer.is_ok() { 0 } else { asked.failures.saturating_add(1) };
            match answer {
                Ok(()) => *known = ProcessHealth::Healthy,
                Err(why) if asked.failures >= FAILURE_THRESHOLD => *known = ProcessHealth::Unhealthy(why),
                Err(_) => {}
            }
        }
        self.wake.notify_one();
    }

    /// Rebuilds the observation, and notifies readers if it has changed.
    pub(super) fn publish_views(&self) {
        let now = Timestamp::now();
        let mut changed = false;
        for (name, service) in self.services().iter_mut() {
            let shown = service_view(name, service.spec.as_ref(), &service.facts, now);
            changed |= service.view != shown;
            service.view = shown;
        }
        if changed {
            self.changes.send_modify(|count| *count += 1);
        }
    }

    /// Pauses a service, or resumes it.
    pub(super) fn pause(&self, id: &WorkloadId, pause: Option<&PauseAnnotation>) -> Result<(), ClusterError> {
        let name = &id.workload.name;
        let refused = |message| ClusterError::Rejected { id: id.clone(), message };
        self.folder.write_pause(name, pause).map_err(refused)?;
        if let Some(service) = self.services().get_mut(name) {
            service.facts.pause = pause.cloned();
        }
        self.publish_views();
        Ok(())
    }

    /// Returns the observation, once every probe has answered.
    pub(super) async fn observe(&self) -> Result<Observation, ClusterError> {
        let begun = Instant::now();
        let mut changes = self.changes.subscribe();
        while !self.services().values().all(LocalService::is_fully_probed)
            && begun.elapsed() < FIRST_OBSERVATION_TIMEOUT
        {
            let _ = tokio::time::timeout(PROBE_INTERVAL_WHILE_UNHEALTHY, changes.changed()).await;
        }
        self.publish_views();
        self.last_observed.store(*changes.borrow_and_update(), Ordering::Relaxed);
        let mut observation = Observation::default();
        for service in self.services().values() {
            let id = || service.id.clone();
            if let Some(message) = &service.record_error {
                let error = ClusterError::Rejected { id: id(), message: message.clone() };
                observation.unobservable.insert(id(), error);
                continue;
            }
            let Some(ServiceView { workload, pods, idle }) = service.view.clone() else { continue };
            observation.workloads.insert(id(), workload);
            observation.pods.insert(id(), pods);
            observation.idle_reasons.extend(idle.map(|why| (id(), why)));
        }
        Ok(observation)
    }

    /// Returns when the state differs from the last observation.
    pub(super) async fn wait_for_change(self: &Arc<Self>, at_most: Duration) {
        self.watch_state_folder();
        let seen = self.last_observed.load(Ordering::Relaxed);
        let mut changes = self.changes.subscribe();
        let _ = tokio::time::timeout(at_most, changes.wait_for(|count| *count != seen)).await;
    }

    /// Starts watching the folder. If that fails, the folder is polled.
    pub(super) fn watch_state_folder(self: &Arc<Self>) {
        self.watcher.get_or_init(|| {
            let weak = Arc::downgrade(self);
            let heard = move |event: notify::Result<notify::Event>| {
                let Some(engine) = weak.upgrade() else { return };
                // Logs are written constantly.
                if event.is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(|path| !is_log(path))) {
                    engine.files_changed.store(true, Ordering::Relaxed);
                    engine.wake.notify_one();
                }
            };
            let watcher = notify::recommended_watcher(heard)
                .and_then(|mut watcher| watcher.watch(self.folder.path(), RecursiveMode::Recursive).map(|()| watcher));
            // Changes between reading the folder and this watch went unnoticed.
            self.files_changed.store(true, Ordering::Relaxed);
            self.wake.notify_one();
            watcher.inspect_err(|error| tracing::info!("{} is not watched: {error}", self.folder.path().display())).ok()
        });
    }
}

fn is_log(path: &std::path::Path) -> bool {
    path.file_stem().is_some_and(|name| name == "log")
}

impl Drop for LocalEngine {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

//! The control loop: observes, acts, and publishes the result. IO.
#![expect(clippy::disallowed_methods, reason = "the local runtime reads the clock")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use pintle_core::workload::{Pause, WorkloadId};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::decide::{Act, decide};
use super::folder::{Folder, Life, Lock, Locked};
use super::health::{self, Question};
use super::picture::{Facts, Health, Shown, is_rolling, show};
use super::record::{Process, Run};
use super::service::{Asked, Service};
use super::{Place, Served, service};
use crate::cluster::{ClusterError, Leader, Observation};

/// The polling interval for changes without a notification.
const POLL: Duration = Duration::from_millis(250);

/// The probe interval of an unhealthy process.
const ASK_UNWELL: Duration = Duration::from_millis(40);

/// The probe interval of a healthy process.
const ASK_WELL: Duration = Duration::from_secs(1);

/// The number of consecutive failed probes that make a process unhealthy.
const DOUBTS: u32 = 3;

/// The maximum wait of the first observation for probes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The running services and the loop that controls them.
pub(super) struct Engine {
    pub(super) folder: Folder,
    pub(super) home: PathBuf,
    pub(super) shim: PathBuf,
    /// The folder's lock; none for reading.
    pub(super) lock: Option<Lock>,
    pub(super) this: Option<Process>,
    services: Mutex<BTreeMap<String, Service>>,
    /// Counts the visible changes.
    changes: watch::Sender<u64>,
    /// The count at the last observation.
    seen: AtomicU64,
    /// Whether files have changed.
    stale: AtomicBool,
    pub(super) wake: Notify,
    watcher: OnceLock<Option<RecommendedWatcher>>,
    task: OnceLock<AbortHandle>,
}

impl Engine {
    /// Reads the state folder and starts the control loop. With a command, the folder is locked.
    pub(super) fn start(
        place: Place,
        served: BTreeMap<WorkloadId, Served>,
        command: Option<&str>,
    ) -> Result<Arc<Self>, ClusterError> {
        let folder = Folder::new(place.folder);
        let locked = |error: Locked| match error {
            Locked::By(holder) => {
                ClusterError::Locked(holder.map_or_else(|| "another pintle".to_owned(), |holder| holder.to_string()))
            }
            Locked::Unusable(why) => ClusterError::Config(format!("the state folder cannot be used: {why}")),
        };
        let lock = command.map(|command| folder.lock(command)).transpose().map_err(locked)?;
        let mut services = BTreeMap::new();
        for name in folder.services().map_err(ClusterError::Config)? {
            services.insert(name.clone(), Service::new(service::process_id(&name), None));
        }
        for (id, served) in served {
            services.insert(id.workload.name.clone(), Service::new(id, Some(served)));
        }
        for (name, service) in &mut services {
            service.read(&folder, name);
        }
        let engine = Arc::new(Self {
            folder,
            home: place.home,
            shim: place.shim,
            this: lock.as_ref().and_then(|_| Process::this()),
            lock,
            services: Mutex::new(services),
            changes: watch::Sender::new(0),
            seen: AtomicU64::new(0),
            stale: AtomicBool::new(false),
            wake: Notify::new(),
            watcher: OnceLock::new(),
            task: OnceLock::new(),
        });
        engine.take_up();
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
    pub(super) fn serve(&self, served: BTreeMap<WorkloadId, Served>) {
        let mut services = self.services();
        services.values_mut().for_each(|service| service.served = None);
        for (id, served) in served {
            let name = id.workload.name.clone();
            let service = services.entry(name.clone()).or_insert_with(|| {
                let mut new = Service::new(id, None);
                new.read(&self.folder, &name);
                new
            });
            service.served = Some(served);
        }
        drop(services);
        self.changes.send_modify(|count| *count += 1);
        self.wake.notify_one();
    }

    /// Returns the holder of the folder's lock.
    pub(super) fn holder(&self) -> Option<Leader> {
        self.folder.holder().map(|holder| Leader { holder: holder.to_string(), renewed: None, says: None })
    }

    /// Takes over the restarting of services that are found running.
    fn take_up(&self) {
        if self.lock.is_none() {
            return;
        }
        for (name, service) in self.services().iter_mut() {
            service.live(&self.folder, name);
            let Facts { record: Some(record), lives, kept, .. } = &mut service.facts else { continue };
            let lives = |run: &Run| matches!(lives.get(&run.number), Some(Life::Runs(_) | Life::Coming));
            *kept = !record.down && record.current().is_some_and(lives);
        }
    }

    pub(super) fn services(&self) -> MutexGuard<'_, BTreeMap<String, Service>> {
        // Ignores poisoning: no critical section leaves its data inconsistent.
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one iteration. Returns the maximum time until the next one.
    fn round(self: &Arc<Self>) -> Duration {
        // Without file notifications, anything may have changed.
        let deaf = matches!(self.watcher.get(), Some(None));
        let stale = self.stale.swap(false, Ordering::Relaxed) || deaf;
        let mut wait = POLL;
        let mut services = self.services();
        for (name, service) in services.iter_mut() {
            if self.lock.is_none() && stale {
                service.read(&self.folder, name);
            } else if stale {
                service.facts.pause = self.folder.pause(name);
            }
            service.live(&self.folder, name);
            if self.lock.is_some() && service.is_process() {
                wait = wait.min(self.act(name, service));
            }
            wait = wait.min(self.ask_all(name, service)).min(self.ask_commands(name, service));
        }
        drop(services);
        self.publish();
        wait
    }

    /// Performs the due actions. Returns the time until the next check.
    fn act(&self, name: &str, service: &mut Service) -> Duration {
        // Each iteration ends or starts a process, so a few suffice.
        for _ in 0..8 {
            let now = Timestamp::now();
            let (acts, later) = decide(&service.facts, now);
            if acts.is_empty() {
                let left = later.map(|later| Duration::try_from(later.duration_since(now)).unwrap_or_default());
                return left.unwrap_or(POLL);
            }
            for act in acts {
                self.carry_out(name, service, act);
            }
            service.live(&self.folder, name);
        }
        Duration::ZERO
    }

    fn carry_out(&self, name: &str, service: &mut Service, act: Act) {
        match act {
            Act::Start => self.start_process(name, service),
            Act::Stop(number) => {
                if let Some(Life::Runs(process)) = service.facts.lives.get(&number) {
                    process.ask_to_end();
                }
                self.change(name, service, number, |run| run.stopping = Some(Timestamp::now()));
            }
            Act::Kill(number) => {
                if let Some(Life::Runs(process)) = service.facts.lives.get(&number) {
                    tracing::info!("{name} does not end: process {} is killed", process.pid);
                    process.kill();
                }
                self.change(name, service, number, |run| run.stopping = Some(Timestamp::now()));
            }
            Act::Reap(number) => self.reap(name, service, number),
        }
    }

    /// Starts the probes that are due.
    fn ask_all(self: &Arc<Self>, name: &str, service: &mut Service) -> Duration {
        let Some(record) = &service.facts.record else { return POLL };
        let shares = is_rolling(record) && record.runs.len() > 1;
        let mut wait = POLL;
        for run in record.runs.iter().filter(|run| run.stopping.is_none()) {
            let Some(Life::Runs(process)) = service.facts.lives.get(&run.number) else { continue };
            let well = service.facts.health.get(&run.number) == Some(&Health::Well);
            let every = if well { ASK_WELL } else { ASK_UNWELL };
            let before = service.asked.get(&run.number).copied();
            if let Some(before) = before
                && (before.waits || before.at.elapsed() < every)
            {
                wait = wait.min(every.saturating_sub(before.at.elapsed()).max(Duration::from_millis(1)));
                continue;
            }
            service.asked.insert(run.number, Asked::now(before.map_or(0, |before| before.doubts)));
            let question = Question {
                local: Arc::clone(&run.spec.local),
                process: process.clone(),
                age: Duration::try_from(Timestamp::now().duration_since(run.begun)).unwrap_or_default(),
                shares,
                task: self.task(name, &run.spec, run.commit),
            };
            let (engine, name, number) = (Arc::clone(self), name.to_owned(), run.number);
            tokio::spawn(async move {
                let answer = health::ask(&question).await;
                engine.answered(&name, number, answer);
            });
        }
        wait
    }

    fn answered(&self, name: &str, number: u32, answer: Result<(), String>) {
        if let Some(service) = self.services().get_mut(name) {
            let known = service.facts.health.entry(number).or_insert(Health::Unknown);
            let Some(asked) = service.asked.get_mut(&number) else { return };
            asked.waits = false;
            asked.doubts = if answer.is_ok() { 0 } else { asked.doubts.saturating_add(1) };
            match answer {
                Ok(()) => *known = Health::Well,
                Err(why) if asked.doubts >= DOUBTS => *known = Health::Unwell(why),
                Err(_) => {}
            }
        }
        self.wake.notify_one();
    }

    /// Rebuilds the observation, and notifies readers if it has changed.
    pub(super) fn publish(&self) {
        let now = Timestamp::now();
        let mut changed = false;
        for (name, service) in self.services().iter_mut() {
            let shown = show(name, service.served.as_ref(), &service.facts, now);
            changed |= service.shown != shown;
            service.shown = shown;
        }
        if changed {
            self.changes.send_modify(|count| *count += 1);
        }
    }

    /// Pauses a service, or resumes it.
    pub(super) fn pause(&self, id: &WorkloadId, pause: Option<&Pause>) -> Result<(), ClusterError> {
        let name = &id.workload.name;
        let refused = |message| ClusterError::Refused { id: id.clone(), message };
        self.folder.write_pause(name, pause).map_err(refused)?;
        if let Some(service) = self.services().get_mut(name) {
            service.facts.pause = pause.cloned();
        }
        self.publish();
        Ok(())
    }

    /// Returns the observation, once every probe has answered.
    pub(super) async fn observe(&self) -> Result<Observation, ClusterError> {
        let begun = Instant::now();
        let mut changes = self.changes.subscribe();
        while !self.services().values().all(Service::is_known) && begun.elapsed() < PATIENCE {
            let _ = tokio::time::timeout(ASK_UNWELL, changes.changed()).await;
        }
        self.publish();
        self.seen.store(*changes.borrow_and_update(), Ordering::Relaxed);
        let mut observation = Observation::default();
        for service in self.services().values() {
            let id = || service.id.clone();
            if let Some(message) = &service.damaged {
                let error = ClusterError::Refused { id: id(), message: message.clone() };
                observation.unknown.insert(id(), error);
                continue;
            }
            let Some(Shown { workload, pods, idle }) = service.shown.clone() else { continue };
            observation.workloads.insert(id(), workload);
            observation.pods.insert(id(), pods);
            observation.idle.extend(idle.map(|why| (id(), why)));
        }
        Ok(observation)
    }

    /// Returns when the state differs from the last observation.
    pub(super) async fn changed(self: &Arc<Self>, at_most: Duration) {
        self.watch();
        let seen = self.seen.load(Ordering::Relaxed);
        let mut changes = self.changes.subscribe();
        let _ = tokio::time::timeout(at_most, changes.wait_for(|count| *count != seen)).await;
    }

    /// Starts watching the folder. If that fails, the folder is polled.
    pub(super) fn watch(self: &Arc<Self>) {
        self.watcher.get_or_init(|| {
            let weak = Arc::downgrade(self);
            let heard = move |event: notify::Result<notify::Event>| {
                let Some(engine) = weak.upgrade() else { return };
                // Logs are written constantly.
                if event.is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(|path| !is_log(path))) {
                    engine.stale.store(true, Ordering::Relaxed);
                    engine.wake.notify_one();
                }
            };
            let watcher = notify::recommended_watcher(heard)
                .and_then(|mut watcher| watcher.watch(self.folder.path(), RecursiveMode::Recursive).map(|()| watcher));
            // Changes between reading the folder and this watch went unnoticed.
            self.stale.store(true, Ordering::Relaxed);
            self.wake.notify_one();
            watcher.inspect_err(|error| tracing::info!("{} is not watched: {error}", self.folder.path().display())).ok()
        });
    }
}

fn is_log(path: &std::path::Path) -> bool {
    path.file_stem().is_some_and(|name| name == "log")
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

//! The state shared by the watches and their reader, and the tasks that maintain it.
#![expect(clippy::disallowed_methods, reason = "the time of a failure")]

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kube::api::ListParams;
use kube::core::ApiResource;
use kube::{Api, Client};
use pintle_core::pins::WorkloadKind;
use pintle_core::workload::{Workload, WorkloadId};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;

use super::Timeouts;
use super::errors;
use super::objects::{self, PodObject, WorkloadObject};
use super::picture::{ObjectStore, StoreView, WatchSubject};
use super::read::{self, Busy, WatchedWorkload};
use super::stream::Reflector;
use crate::cluster::{ClusterError, Observation};

/// The interval at which a reader without a first observation checks its time limit.
const FIRST_LIST_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The delay before left templates are checked again. It doubles with each check.
const LEFT_CHECK_DELAY: Duration = Duration::from_millis(25);

/// The longest delay between two checks, while the workload does not change.
const MAX_LEFT_CHECK_DELAY: Duration = Duration::from_secs(30);

/// The number of concurrent checks.
const CONCURRENT_LEFT_CHECKS: usize = 8;

/// The state shared by the watches and their reader.
pub(super) struct Informer {
    client: Client,
    server: String,
    timeouts: Timeouts,
    runtime: Handle,
    state: Mutex<InformerState>,
    /// Counts the visible changes.
    changes: watch::Sender<u64>,
    /// The count at the last observation.
    last_observed: Mutex<u64>,
    /// Counts the requested resyncs.
    resyncs: watch::Sender<u64>,
    /// Limits the concurrent checks of left templates.
    asks: Semaphore,
}

#[derive(Default)]
struct InformerState {
    store: ObjectStore,
    tasks: BTreeMap<WatchSubject, AbortHandle>,
    last_watch_id: u64,
    closed: bool,
}

impl Informer {
    /// Creates the state without any watch.
    pub(super) fn new(client: Client, server: String, patience: Timeouts) -> Arc<Self> {
        let (runtime, changes) = (Handle::current(), watch::Sender::new(0));
        let (kept, looked, anew) = (Mutex::default(), Mutex::new(0), watch::Sender::new(0));
        let asks = Semaphore::new(CONCURRENT_LEFT_CHECKS);
        Arc::new(Self {
            client,
            server,
            timeouts: patience,
            runtime,
            state: kept,
            changes,
            last_observed: looked,
            resyncs: anew,
            asks,
        })
    }

    /// Starts the watches for the requested workloads, and stops all others.
    pub(super) fn scope(self: &Arc<Self>, wanted: &BTreeSet<WorkloadId>) {
        let mut kept = self.kept();
        kept.store.set_wanted(wanted);
        let subjects = kept.store.workload_subjects();
        self.set_watches(&mut kept, &subjects, |subject| matches!(subject, WatchSubject::Workloads(..)));
        self.changes.send_modify(|count| *count += 1);
    }

    /// Returns the observation, once it is complete.
    pub(super) async fn observe(&self) -> Result<Observation, ClusterError> {
        let mut changes = self.changes.subscribe();
        loop {
            *lock(&self.last_observed) = *changes.borrow_and_update();
            let look = self.kept().store.view(Timestamp::now(), self.timeouts.unreachable_grace);
            match look {
                StoreView::Complete(observation) => return Ok(observation),
                StoreView::Unreachable(error) => return Err(error),
                StoreView::Incomplete => drop(tokio::time::timeout(FIRST_LIST_POLL_INTERVAL, changes.changed()).await),
            }
        }
    }

    /// Returns when the state has changed since the last observation, or after `at_most`. It does not batch changes:
    /// while drift is assessed, its controller already starts pods.
    pub(super) async fn changed(&self, at_most: Duration) {
        let mut changes = self.changes.subscribe();
        let looked = *lock(&self.last_observed);
        drop(tokio::time::timeout(at_most, changes.wait_for(|count| *count != looked)).await);
    }

    /// Returns a workload.
    pub(super) fn workload(&self, id: &WorkloadId) -> Option<Arc<Workload>> {
        self.kept().store.workload(id).map(Arc::clone)
    }

    /// Records the answer to a write over `before`.
    pub(super) fn wrote(&self, id: &WorkloadId, before: &Workload, seen: WatchedWorkload) {
        self.kept().store.record_write(id, before, seen, Timestamp::now());
        self.changes.send_modify(|count| *count += 1);
    }

    /// Lists everything again. The known state stays until the new lists are complete.
    pub(super) fn look_anew(&self) {
        self.resyncs.send_modify(|count| *count += 1);
    }

    /// Stops all watches.
    pub(super) fn close(&self) {
        let mut kept = self.kept();
        kept.closed = true;
        kept.tasks.values().for_each(AbortHandle::abort);
        kept.tasks.clear();
    }

    /// Applies an event of a watch.
    fn apply_update(&self, take: impl FnOnce(&mut ObjectStore, Timestamp) -> bool) {
        if take(&mut self.kept().store, Timestamp::now()) {
            self.changes.send_modify(|count| *count += 1);
        }
    }

    /// Watches the pods of unsettled workloads. It is called only by a waiting reader: every write that needs no pods
    /// has been sent by then, and listing pods would delay its answer.
    pub(super) fn update_pod_watches(self: &Arc<Self>) {
        let mut kept = self.kept();
        if kept.store.take_pod_watches_changed() {
            let mut subjects = kept.store.pod_subjects();
            subjects.extend(kept.store.left_subjects());
            self.set_watches(&mut kept, &subjects, |subject| !matches!(subject, WatchSubject::Workloads(..)));
        }
    }

    /// Stops all pod watches until [`Self::keep_pods`] is called again.
    pub(super) fn stop_pod_watches(self: &Arc<Self>) {
        let mut kept = self.kept();
        self.set_watches(&mut kept, &BTreeSet::new(), |subject| !matches!(subject, WatchSubject::Workloads(..)));
        kept.store.mark_pod_watches_changed();
    }

    /// Among the watches selected by `are`, stops those outside `subjects` and starts the missing ones.
    fn set_watches(
        self: &Arc<Self>,
        kept: &mut InformerState,
        subjects: &BTreeSet<WatchSubject>,
        are: impl Fn(&WatchSubject) -> bool,
    ) {
        let InformerState { store: picture, tasks, last_watch_id: started, closed } = kept;
        tasks.retain(|subject, task| {
            let keep = !are(subject) || subjects.contains(subject);
            if !keep {
                task.abort();
                picture.remove_watch(subject);
            }
            keep
        });
        for subject in subjects {
            if *closed || tasks.contains_key(subject) {
                continue;
            }
            *started += 1;
            picture.add_watch(subject, *started);
            tasks.insert(subject.clone(), self.spawn_watch(subject.clone(), *started));
        }
    }

    fn spawn_watch(self: &Arc<Self>, subject: WatchSubject, number: u64) -> AbortHandle {
        let shared = Arc::clone(self);
        let task = match &subject {
            WatchSubject::Workloads(namespace, kind) => {
                let (namespace, kind) = (namespace.clone(), *kind);
                let namespaces = Some((Api::all(self.client.clone()), namespace.clone()));
                let stream = self.stream(&namespace, &objects::resource(kind), namespaces);
                self.runtime.spawn(stream.run(move |news| {
                    let news = news.map_object(|object| read::workload(kind, object));
                    shared.apply_update(|picture, now| {
                        picture.apply_workload_update((&namespace, kind), number, news, now)
                    });
                }))
            }
            WatchSubject::Pods { namespace, workload: of } => {
                let labels = of.as_ref().map(|(_, labels)| labels.clone());
                let stream = self.stream(namespace, &objects::pods(), None);
                let stream =
                    Reflector { label_selector: labels, watch_duration: Some(self.timeouts.pod_watch), ..stream };
                self.runtime.spawn(stream.run(move |news| {
                    let news = news.map_object(read::pod);
                    shared.apply_update(|picture, now| picture.apply_pod_update(&subject, number, news, now));
                }))
            }
            WatchSubject::Left { id, selector, .. } => {
                let (id, selector) = (id.clone(), selector.clone());
                self.runtime.spawn(async move { shared.ask_for_left(&id, &selector).await })
            }
        };
        task.abort_handle()
    }

    /// Checks repeatedly which templates pods may still come of. The task is aborted once nothing is left.
    async fn ask_for_left(&self, id: &WorkloadId, selector: &str) {
        let mut rest = LEFT_CHECK_DELAY;
        loop {
            let seen = self.kept().store.asks_for_left(id);
            if let Some(workload) = seen {
                match self.busy(id, &workload.uid, selector).await {
                    Ok(busy) => {
                        self.apply_update(|picture, now| picture.take_left(id, workload.generation, &busy, now));
                    }
                    // The left templates stay. The watches report whether the server answers at all.
                    Err(error) => tracing::debug!("the left templates of {id} cannot be checked: {error}"),
                }
            }
            tokio::time::sleep(rest).await;
            rest = MAX_LEFT_CHECK_DELAY.min(rest * 2);
        }
    }

    /// Lists the templates of a workload whose pods exist or may come.
    async fn busy(&self, id: &WorkloadId, uid: &str, selector: &str) -> Result<Busy, ClusterError> {
        let _turn = self.asks.acquire().await;
        let params = ListParams::default().labels(selector);
        let sets = if id.workload.kind == WorkloadKind::Deployment {
            let sets: Api<WorkloadObject> =
                Api::namespaced_with(self.client.clone(), &id.namespace, &objects::replica_sets());
            match self.answer(sets.list(&params)).await {
                Ok(sets) => Some(sets.items.into_iter().map(read::replica_set).collect()),
                // Time decides instead.
                Err(ClusterError::Forbidden(why)) => {
                    static ONCE: Once = Once::new();
                    ONCE.call_once(|| {
                        tracing::warn!("a template that a Deployment has left counts for a minute: {why}");
                    });
                    None
                }
                Err(error) => return Err(error),
            }
        } else {
            None
        };
        // The pods are listed after the replica sets, so that every pod made by then is seen.
        let pods: Api<PodObject> = Api::namespaced_with(self.client.clone(), &id.namespace, &objects::pods());
        let pods = self.answer(pods.list(&params)).await?;
        Ok(Busy::of(uid, sets, pods.items))
    }

    async fn answer<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, ClusterError> {
        let silent =
            |_| errors::no_answer_error(&self.server, &format!("no answer within {:?}", self.timeouts.request));
        let answer = tokio::time::timeout(self.timeouts.request, request).await.map_err(silent)?;
        answer.map_err(|error| errors::read_error(&self.server, &error))
    }

    fn stream<K>(
        &self,
        namespace: &str,
        resource: &ApiResource,
        namespaces: Option<(Api<k8s_openapi::api::core::v1::Namespace>, String)>,
    ) -> Reflector<K>
    where
        K: kube::Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>,
    {
        let api = Api::namespaced_with(self.client.clone(), namespace, resource);
        Reflector {
            api,
            label_selector: None,
            watch_duration: None,
            namespace: namespaces,
            server: self.server.clone(),
            timeouts: self.timeouts,
            resyncs: self.resyncs.subscribe(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, InformerState> {
        lock(&self.state)
    }
}

/// Ignores poisoning: no critical section leaves its data inconsistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

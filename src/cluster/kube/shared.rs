//! The state shared by the watches and their reader, and the tasks that maintain it.
#![expect(clippy::disallowed_methods, reason = "the time of a failure")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kube::core::ApiResource;
use kube::{Api, Client};
use pintle_core::workload::{Workload, WorkloadId};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::Patience;
use super::objects;
use super::picture::{Look, Picture, Subject};
use super::read::{self, SeenWorkload};
use super::stream::Stream;
use crate::cluster::{ClusterError, Observation};

/// The interval at which a reader without a first observation checks its time limit.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The state shared by the watches and their reader.
pub(super) struct Shared {
    client: Client,
    server: String,
    patience: Patience,
    runtime: Handle,
    kept: Mutex<Kept>,
    /// Counts the visible changes.
    changes: watch::Sender<u64>,
    /// The count at the last observation.
    looked: Mutex<u64>,
    /// Counts the requested resyncs.
    anew: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    picture: Picture,
    tasks: BTreeMap<Subject, AbortHandle>,
    started: u64,
    closed: bool,
}

impl Shared {
    /// Creates the state without any watch.
    pub(super) fn new(client: Client, server: String, patience: Patience) -> Arc<Self> {
        let (runtime, changes) = (Handle::current(), watch::Sender::new(0));
        let (kept, looked, anew) = (Mutex::default(), Mutex::new(0), watch::Sender::new(0));
        Arc::new(Self { client, server, patience, runtime, kept, changes, looked, anew })
    }

    /// Starts the watches for the requested workloads, and stops all others.
    pub(super) fn scope(self: &Arc<Self>, wanted: &BTreeSet<WorkloadId>) {
        let mut kept = self.kept();
        kept.picture.scope(wanted);
        let subjects = kept.picture.workload_subjects();
        self.keep(&mut kept, &subjects, |subject| matches!(subject, Subject::Workloads(..)));
        self.changes.send_modify(|count| *count += 1);
    }

    /// Returns the observation, once it is complete.
    pub(super) async fn observe(&self) -> Result<Observation, ClusterError> {
        let mut changes = self.changes.subscribe();
        loop {
            *lock(&self.looked) = *changes.borrow_and_update();
            let look = self.kept().picture.look(Timestamp::now(), self.patience.grace);
            match look {
                Look::Seen(observation) => return Ok(observation),
                Look::Nothing(error) => return Err(error),
                Look::NotYet => drop(tokio::time::timeout(LOOK_AGAIN, changes.changed()).await),
            }
        }
    }

    /// Returns when the state has changed since the last observation, or after `at_most`. It does not batch changes:
    /// while drift is assessed, its controller already starts pods.
    pub(super) async fn changed(&self, at_most: Duration) {
        let mut changes = self.changes.subscribe();
        let looked = *lock(&self.looked);
        drop(tokio::time::timeout(at_most, changes.wait_for(|count| *count != looked)).await);
    }

    /// Returns a workload.
    pub(super) fn workload(&self, id: &WorkloadId) -> Option<Arc<Workload>> {
        self.kept().picture.workload(id).map(Arc::clone)
    }

    /// Records the answer to a write over `before`.
    pub(super) fn wrote(&self, id: &WorkloadId, before: &Workload, seen: SeenWorkload) {
        self.kept().picture.wrote(id, before, seen);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Lists everything again. The known state stays until the new lists are complete.
    pub(super) fn look_anew(&self) {
        self.anew.send_modify(|count| *count += 1);
    }

    /// Stops all watches.
    pub(super) fn close(&self) {
        let mut kept = self.kept();
        kept.closed = true;
        kept.tasks.values().for_each(AbortHandle::abort);
        kept.tasks.clear();
    }

    /// Applies an event of a watch.
    fn hear(&self, take: impl FnOnce(&mut Picture, Timestamp) -> bool) {
        if take(&mut self.kept().picture, Timestamp::now()) {
            self.changes.send_modify(|count| *count += 1);
        }
    }

    /// Watches the pods of unsettled workloads. It is called only by a waiting reader: every write that needs no pods
    /// has been sent by then, and listing pods would delay its answer.
    pub(super) fn keep_pods(self: &Arc<Self>) {
        let mut kept = self.kept();
        if kept.picture.needs_other_pods() {
            let subjects = kept.picture.pod_subjects();
            self.keep(&mut kept, &subjects, |subject| matches!(subject, Subject::Pods { .. }));
        }
    }

    /// Stops all pod watches until [`Self::keep_pods`] is called again.
    pub(super) fn end_pods(self: &Arc<Self>) {
        let mut kept = self.kept();
        self.keep(&mut kept, &BTreeSet::new(), |subject| matches!(subject, Subject::Pods { .. }));
        kept.picture.note_no_pods();
    }

    /// Among the watches selected by `are`, stops those outside `subjects` and starts the missing ones.
    fn keep(self: &Arc<Self>, kept: &mut Kept, subjects: &BTreeSet<Subject>, are: impl Fn(&Subject) -> bool) {
        let Kept { picture, tasks, started, closed } = kept;
        tasks.retain(|subject, task| {
            let keep = !are(subject) || subjects.contains(subject);
            if !keep {
                task.abort();
                picture.end(subject);
            }
            keep
        });
        for subject in subjects {
            if *closed || tasks.contains_key(subject) {
                continue;
            }
            *started += 1;
            picture.begin(subject, *started);
            tasks.insert(subject.clone(), self.start(subject.clone(), *started));
        }
    }

    fn start(self: &Arc<Self>, subject: Subject, number: u64) -> AbortHandle {
        let shared = Arc::clone(self);
        let task = match &subject {
            Subject::Workloads(namespace, kind) => {
                let (namespace, kind) = (namespace.clone(), *kind);
                let namespaces = Some((Api::all(self.client.clone()), namespace.clone()));
                let stream = self.stream(&namespace, &objects::resource(kind), namespaces);
                self.runtime.spawn(stream.follow(move |news| {
                    let news = news.map(|object| read::workload(kind, object));
                    shared.hear(|picture, now| picture.take_workloads((&namespace, kind), number, news, now));
                }))
            }
            Subject::Pods { namespace, of } => {
                let labels = of.as_ref().map(|(_, labels)| labels.clone());
                let stream = self.stream(namespace, &objects::pods(), None);
                let stream = Stream { labels, lasts: Some(self.patience.pods), ..stream };
                self.runtime.spawn(stream.follow(move |news| {
                    let news = news.map(read::pod);
                    shared.hear(|picture, now| picture.take_pods(&subject, number, news, now));
                }))
            }
        };
        task.abort_handle()
    }

    fn stream<K>(
        &self,
        namespace: &str,
        resource: &ApiResource,
        namespaces: Option<(Api<k8s_openapi::api::core::v1::Namespace>, String)>,
    ) -> Stream<K>
    where
        K: kube::Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>,
    {
        let api = Api::namespaced_with(self.client.clone(), namespace, resource);
        Stream {
            api,
            labels: None,
            lasts: None,
            namespace: namespaces,
            server: self.server.clone(),
            patience: self.patience,
            anew: self.anew.subscribe(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }
}

/// Ignores poisoning: no critical section leaves its data inconsistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

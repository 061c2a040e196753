//! The Kubernetes cluster: watches instead of polling, and fenced server-side applies.
//!
//! Decisions are in pure modules: `picture` (the known state), `feed` (one list), `read` (objects to plain data),
//! `write` (request bodies), `managers` (field ownership), `errors` (server answers).

mod connect;
mod errors;
mod feed;
mod items;
mod lease;
mod managers;
mod objects;
mod picture;
mod read;
mod shared;
mod stream;
#[cfg(test)]
mod tests;
mod troubles;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use connect::{Connect, Patience};
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use pintle_core::pins::{WorkloadKind, WorkloadRef};
use pintle_core::workload::{FIELD_MANAGER, Pause, Workload, WorkloadId};
use serde_json::Value;

use self::objects::WorkloadObject;
use self::shared::Shared;
use super::lease::{Moment, SharedFence, name_of_this};
use super::{Cluster, ClusterError, Lead, Leader, LeaseName, Observation, Write, Written};

/// The maximum number of retries of a write that conflicts with status updates of the workload's controller.
const OVERTAKEN: u32 = 5;

pub struct Kube {
    shared: Arc<Shared>,
    client: Client,
    server: String,
    namespace: String,
    patience: Patience,
    /// Guards every write, once this process has joined an election.
    fence: OnceLock<SharedFence>,
}

impl Kube {
    /// Connects with one request. Watches start with [`Cluster::scope`].
    pub async fn connect(to: &Connect) -> Result<Self, ClusterError> {
        let connected = connect::connect(to).await?;
        let (client, server) = (connected.client, connected.server);
        let shared = Shared::new(client.clone(), server.clone(), to.patience);
        Ok(Self {
            shared,
            client,
            server,
            namespace: connected.namespace,
            patience: to.patience,
            fence: OnceLock::new(),
        })
    }

    /// Returns the cluster's name in messages: the context and the server's address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the default namespace of workloads.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Lists all workloads of the default namespace once, with one request per kind and without a watch.
    pub async fn workloads(&self) -> Result<BTreeMap<WorkloadId, Arc<Workload>>, ClusterError> {
        let mut all = BTreeMap::new();
        for kind in [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::DaemonSet] {
            let resource = objects::resource(kind);
            let api: Api<WorkloadObject> = Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
            let listed = tokio::time::timeout(self.patience.answer, api.list(&ListParams::default())).await;
            let silent = |_| errors::no_answer(&self.server, &format!("no answer within {:?}", self.patience.answer));
            let objects = listed.map_err(silent)?.map_err(|error| errors::of_read(&self.server, &error))?;
            for seen in objects.items.into_iter().map(|object| read::workload(kind, object)) {
                let workload = WorkloadRef { kind, name: seen.name };
                all.insert(WorkloadId { namespace: self.namespace.clone(), workload }, seen.workload);
            }
        }
        Ok(all)
    }

    /// Returns the API for this workload's kind and namespace.
    fn api(&self, id: &WorkloadId) -> Api<WorkloadObject> {
        let resource = objects::resource(id.workload.kind);
        Api::namespaced_with(self.client.clone(), &id.namespace, &resource)
    }

    /// Returns the time limit of a write that starts now.
    fn may_take(&self) -> Result<Duration, ClusterError> {
        let Some(fence) = self.fence.get() else { return Ok(self.patience.write) };
        let left = fence.remaining(Moment::now()).ok_or(ClusterError::NotLeading)?;
        Ok(left.min(self.patience.write))
    }

    async fn patch(
        &self,
        id: &WorkloadId,
        params: &PatchParams,
        patch: Patch<Value>,
        within: Duration,
    ) -> Result<WorkloadObject, Unpatched> {
        match tokio::time::timeout(within, self.api(id).patch(&id.workload.name, params, &patch)).await {
            Ok(answer) => answer.map_err(Unpatched::Answered),
            Err(_) => Err(Unpatched::Silent(format!("no answer within {within:.1?}"))),
        }
    }

    /// Reads the current version of a workload, which may be newer than the watch.
    async fn now(&self, id: &WorkloadId) -> Result<Arc<Workload>, ClusterError> {
        match tokio::time::timeout(self.may_take()?, self.api(id).get(&id.workload.name)).await {
            Ok(Ok(object)) => Ok(read::workload(id.workload.kind, object).workload),
            // Nothing is in doubt: the previous write was refused.
            Ok(Err(_)) | Err(_) => Err(ClusterError::Stale(id.clone())),
        }
    }

    /// Sends a change fenced by the version `before`, and records the answer. Returns the new version.
    async fn change(
        &self,
        id: &WorkloadId,
        before: &Workload,
        (params, patch): (PatchParams, Patch<Value>),
        within: Duration,
    ) -> Result<Arc<Workload>, ClusterError> {
        let object = match self.patch(id, &params, patch, within).await {
            Ok(object) => object,
            Err(Unpatched::Answered(error)) => return Err(errors::of_write(&self.server, id, &error)),
            Err(Unpatched::Silent(why)) => return Err(errors::no_answer(&self.server, &why)),
        };
        let seen = read::workload(id.workload.kind, object);
        let workload = Arc::clone(&seen.workload);
        self.shared.wrote(id, before, seen);
        Ok(workload)
    }
}

/// A patch without success: the server rejected it, or its outcome is unknown.
enum Unpatched {
    Answered(kube::Error),
    Silent(String),
}

impl Cluster for Kube {
    fn scope(&self, wanted: &BTreeSet<WorkloadId>) {
        self.shared.scope(wanted);
    }

    fn look_anew(&self) {
        self.shared.look_anew();
    }

    async fn observe(&self) -> Result<Observation, ClusterError> {
        self.shared.observe().await
    }

    async fn changed(&self, at_most: Duration) -> Result<(), ClusterError> {
        self.shared.keep_pods();
        self.shared.changed(at_most).await;
        Ok(())
    }

    async fn changed_but_for_pods(&self, at_most: Duration) -> Result<(), ClusterError> {
        self.shared.end_pods();
        self.shared.changed(at_most).await;
        Ok(())
    }

    async fn apply(&self, write: &Write) -> Result<Written, ClusterError> {
        let mut before = self.shared.workload(&write.id).ok_or_else(|| ClusterError::Missing(write.id.clone()))?;
        let mut overtaken = 0;
        let workload = loop {
            let patch = Patch::Apply(write::body(write, &before)?);
            // Forcing is safe: the field managers were checked in the same version that fences the write.
            let (params, within) = (PatchParams::apply(FIELD_MANAGER).force(), self.may_take()?);
            match self.change(&write.id, &before, (params, patch), within).await {
                // During a rollout, a controller updates the status every few milliseconds, faster than the watch
                // delivers it.
                Err(ClusterError::Stale(_)) if overtaken < OVERTAKEN => before = self.now(&write.id).await?,
                changed => break changed?,
            }
            overtaken += 1;
        };
        let images = workload.containers.iter().filter_map(|it| Some((it.name.clone(), it.image.clone()?)));
        Ok(Written {
            resource_version: workload.resource_version.clone(),
            generation: workload.generation,
            images: images.collect(),
        })
    }

    async fn pause(&self, id: &WorkloadId, seen: &Workload, pause: Option<&Pause>) -> Result<(), ClusterError> {
        let before = self.shared.workload(id).ok_or_else(|| ClusterError::Missing(id.clone()))?;
        if before.resource_version != seen.resource_version {
            return Err(ClusterError::Stale(id.clone()));
        }
        // Pausing needs no lease: anyone may do it.
        self.change(id, &before, write::pause(id, seen, pause), self.patience.write).await.map(drop)
    }

    fn lead(&self, lease: &LeaseName, what: &str) -> Lead {
        let fence = Arc::clone(self.fence.get_or_init(SharedFence::default));
        let elector = lease::Elector::new(self.client.clone(), lease, name_of_this(what), fence);
        Lead::by(|candidate| tokio::spawn(elector.run(candidate)))
    }

    async fn leader(&self, lease: &LeaseName) -> Result<Option<Leader>, ClusterError> {
        let asked = tokio::time::timeout(self.patience.answer, lease::leader(self.client.clone(), lease)).await;
        let silent = |_| errors::no_answer(&self.server, &format!("no answer within {:?}", self.patience.answer));
        asked.map_err(silent)?.map_err(|error| errors::of_read(&self.server, &error))
    }

    async fn would_conflict(&self, write: &Write) -> Result<(), ClusterError> {
        let before = self.shared.workload(&write.id).ok_or_else(|| ClusterError::Missing(write.id.clone()))?;
        let body = write::question(write, &before)?;
        let params = PatchParams { dry_run: true, ..PatchParams::apply(FIELD_MANAGER) };
        // A dry run slower than the write limit would make the write time out too.
        match self.patch(&write.id, &params, Patch::Apply(body), self.may_take()?).await {
            Ok(_) => Ok(()),
            Err(Unpatched::Silent(why)) => Err(errors::no_answer(&self.server, &why)),
            Err(Unpatched::Answered(error)) => errors::of_question(&self.server, &write.id, &error),
        }
    }
}

impl Drop for Kube {
    fn drop(&mut self) {
        self.shared.close();
    }
}

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

pub use connect::{ConnectOptions, Timeouts};
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use pintle_core::pins::{WorkloadKind, WorkloadRef};
use pintle_core::workload::{FIELD_MANAGER, PauseAnnotation, Workload, WorkloadId};
use serde_json::Value;

use self::objects::WorkloadObject;
use self::shared::Informer;
use super::lease::{ClockReading, SharedFence, candidate_identity};
use super::{Cluster, ClusterError, LeaderElection, LeaseHolder, LeaseName, Observation, WorkloadWrite, WriteReceipt};

/// The maximum number of retries of a write that conflicts with status updates of the workload's controller.
const MAX_CONFLICT_RETRIES: u32 = 5;

pub struct KubeCluster {
    informer: Arc<Informer>,
    client: Client,
    server: String,
    namespace: String,
    timeouts: Timeouts,
    /// Guards every write, once this process has joined an election.
    fence: OnceLock<SharedFence>,
}

impl KubeCluster {
    /// Connects with one request. Watches start with [`Cluster::watch_workloads`].
    pub async fn connect(to: &ConnectOptions) -> Result<Self, ClusterError> {
        let connected = connect::connect(to).await?;
        let (client, server) = (connected.client, connected.server);
        let shared = Informer::new(client.clone(), server.clone(), to.timeouts);
        Ok(Self {
            informer: shared,
            client,
            server,
            namespace: connected.namespace,
            timeouts: to.timeouts,
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
    pub async fn list_workloads(&self) -> Result<BTreeMap<WorkloadId, Arc<Workload>>, ClusterError> {
        let mut all = BTreeMap::new();
        for kind in [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::DaemonSet] {
            let resource = objects::resource(kind);
            let api: Api<WorkloadObject> = Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
            let listed = tokio::time::timeout(self.timeouts.request, api.list(&ListParams::default())).await;
            let silent =
                |_| errors::no_answer_error(&self.server, &format!("no answer within {:?}", self.timeouts.request));
            let objects = listed.map_err(silent)?.map_err(|error| errors::read_error(&self.server, &error))?;
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
    fn write_timeout(&self) -> Result<Duration, ClusterError> {
        let Some(fence) = self.fence.get() else { return Ok(self.timeouts.write) };
        let left = fence.remaining(ClockReading::now()).ok_or(ClusterError::LeaseNotHeld)?;
        Ok(left.min(self.timeouts.write))
    }

    async fn patch(
        &self,
        id: &WorkloadId,
        params: &PatchParams,
        patch: Patch<Value>,
        within: Duration,
    ) -> Result<WorkloadObject, PatchError> {
        match tokio::time::timeout(within, self.api(id).patch(&id.workload.name, params, &patch)).await {
            Ok(answer) => answer.map_err(PatchError::Rejected),
            Err(_) => Err(PatchError::NoAnswer(format!("no answer within {within:.1?}"))),
        }
    }

    /// Reads the current version of a workload, which may be newer than the watch.
    async fn get_workload(&self, id: &WorkloadId) -> Result<Arc<Workload>, ClusterError> {
        match tokio::time::timeout(self.write_timeout()?, self.api(id).get(&id.workload.name)).await {
            Ok(Ok(object)) => Ok(read::workload(id.workload.kind, object).workload),
            // Nothing is in doubt: the previous write was refused.
            Ok(Err(_)) | Err(_) => Err(ClusterError::Conflict(id.clone())),
        }
    }

    /// Sends a change fenced by the version `before`, and records the answer. Returns the new version.
    async fn patch_and_record(
        &self,
        id: &WorkloadId,
        before: &Workload,
        (params, patch): (PatchParams, Patch<Value>),
        within: Duration,
    ) -> Result<Arc<Workload>, ClusterError> {
        let object = match self.patch(id, &params, patch, within).await {
            Ok(object) => object,
            Err(PatchError::Rejected(error)) => return Err(errors::write_error(&self.server, id, &error)),
            Err(PatchError::NoAnswer(why)) => return Err(errors::no_answer_error(&self.server, &why)),
        };
        let seen = read::workload(id.workload.kind, object);
        let workload = Arc::clone(&seen.workload);
        self.informer.wrote(id, before, seen);
        Ok(workload)
    }
}

/// A patch without success: the server rejected it, or its outcome is unknown.
enum PatchError {
    Rejected(kube::Error),
    NoAnswer(String),
}

impl Cluster for KubeCluster {
    fn watch_workloads(&self, wanted: &BTreeSet<WorkloadId>) {
        self.informer.scope(wanted);
    }

    fn resync(&self) {
        self.informer.look_anew();
    }

    async fn observe(&self) -> Result<Observation, ClusterError> {
        self.informer.observe().await
    }

    async fn wait_for_change(&self, at_most: Duration) -> Result<(), ClusterError> {
        self.informer.update_pod_watches();
        self.informer.changed(at_most).await;
        Ok(())
    }

    async fn wait_for_workload_change(&self, at_most: Duration) -> Result<(), ClusterError> {
        self.informer.stop_pod_watches();
        self.informer.changed(at_most).await;
        Ok(())
    }

    async fn write_workload(&self, write: &WorkloadWrite) -> Result<WriteReceipt, ClusterError> {
        let mut before = self.informer.workload(&write.id).ok_or_else(|| ClusterError::NotFound(write.id.clone()))?;
        let mut overtaken = 0;
        let workload = loop {
            let patch = Patch::Apply(write::apply_body(write, &before)?);
            // Forcing is safe: the field managers were checked in the same version that fences the write.
            let (params, within) = (PatchParams::apply(FIELD_MANAGER).force(), self.write_timeout()?);
            match self.patch_and_record(&write.id, &before, (params, patch), within).await {
                // During a rollout, a controller updates the status every few milliseconds, faster than the watch
                // delivers it.
                Err(ClusterError::Conflict(_)) if overtaken < MAX_CONFLICT_RETRIES => {
                    before = self.get_workload(&write.id).await?;
                }
                changed => break changed?,
            }
            overtaken += 1;
        };
        let images = workload.containers.iter().filter_map(|it| Some((it.name.clone(), it.image.clone()?)));
        Ok(WriteReceipt {
            resource_version: workload.resource_version.clone(),
            generation: workload.generation,
            images: images.collect(),
        })
    }

    async fn set_pause(
        &self,
        id: &WorkloadId,
        seen: &Workload,
        pause: Option<&PauseAnnotation>,
    ) -> Result<(), ClusterError> {
        let before = self.informer.workload(id).ok_or_else(|| ClusterError::NotFound(id.clone()))?;
        if before.resource_version != seen.resource_version {
            return Err(ClusterError::Conflict(id.clone()));
        }
        // Pausing needs no lease: anyone may do it.
        self.patch_and_record(id, &before, write::pause_patch(id, seen, pause), self.timeouts.write).await.map(drop)
    }

    fn campaign(&self, lease: &LeaseName, what: &str) -> LeaderElection {
        let fence = Arc::clone(self.fence.get_or_init(SharedFence::default));
        let elector = lease::LeaseElector::new(self.client.clone(), lease, candidate_identity(what), fence);
        LeaderElection::spawn(|candidate| tokio::spawn(elector.run(candidate)))
    }

    async fn lease_holder(&self, lease: &LeaseName) -> Result<Option<LeaseHolder>, ClusterError> {
        let asked = tokio::time::timeout(self.timeouts.request, lease::lease_holder(self.client.clone(), lease)).await;
        let silent =
            |_| errors::no_answer_error(&self.server, &format!("no answer within {:?}", self.timeouts.request));
        asked.map_err(silent)?.map_err(|error| errors::read_error(&self.server, &error))
    }

    async fn check_field_ownership(&self, write: &WorkloadWrite) -> Result<(), ClusterError> {
        let before = self.informer.workload(&write.id).ok_or_else(|| ClusterError::NotFound(write.id.clone()))?;
        let body = write::ownership_probe_body(write, &before)?;
        let params = PatchParams { dry_run: true, ..PatchParams::apply(FIELD_MANAGER) };
        // A dry run slower than the write limit would make the write time out too.
        match self.patch(&write.id, &params, Patch::Apply(body), self.write_timeout()?).await {
            Ok(_) => Ok(()),
            Err(PatchError::NoAnswer(why)) => Err(errors::no_answer_error(&self.server, &why)),
            Err(PatchError::Rejected(error)) => errors::dry_run_error(&self.server, &write.id, &error),
        }
    }
}

impl Drop for KubeCluster {
    fn drop(&mut self) {
        self.informer.close();
    }
}

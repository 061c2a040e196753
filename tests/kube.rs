//! What Pintle sees of a real control plane, and what it does to it.

mod fakes;
mod faults;
mod owners;
mod rollouts;
mod writes;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pintle::cli::remedy_command;
use pintle::cluster::kube::{ConnectOptions, Timeouts};
use pintle::cluster::{Cluster, ClusterError, KubeCluster, Observation, WorkloadWrite, WriteReceipt};
use pintle_core::git::CommitId;
use pintle_core::pins::{WorkloadKind, WorkloadRef};
use pintle_core::running::Running;
use pintle_core::verify::{self, ChangeTiming, Verdict, WorkloadHealth};
use pintle_core::version::Version;
use pintle_core::workload::{StateAnnotation, Workload, WorkloadId};

use crate::common::control_plane::ControlPlane;
use crate::common::limit::EMERGENCY;
use crate::common::namespace::Namespace;

/// A namespace, and Pintle looking at workloads in it.
struct Scene {
    ns: Namespace,
    kube: KubeCluster,
}

impl Scene {
    /// Watches `objects` in a new namespace; `prepare` has created what shall be there before.
    async fn new(prefix: &str, objects: &[&str], prepare: impl AsyncFnOnce(&Namespace)) -> Self {
        let plane = ControlPlane::shared();
        let ns = plane.namespace(prefix).await;
        prepare(&ns).await;
        let kube = connect(plane).await;
        kube.watch_workloads(&objects.iter().map(|object| id(&ns, object)).collect());
        Self { ns, kube }
    }

    /// One Deployment `checkout` of version 1, settled.
    async fn checkout(prefix: &str, replicas: u32) -> Self {
        let scene = Self::new(prefix, &["deployment/checkout"], async |ns| {
            ns.run("deployment/checkout", "test/checkout:1", replicas).await;
        })
        .await;
        scene.until_settled("deployment/checkout").await;
        scene
    }

    fn id(&self, object: &str) -> WorkloadId {
        id(&self.ns, object)
    }

    /// What is sent to give the first container another tag.
    async fn write(&self, object: &str, tag: &str) -> WorkloadWrite {
        let seen = self.kube.observe().await.unwrap();
        let id = self.id(object);
        write_of(&seen.workloads[&id], id, tag)
    }

    /// A workload as it is seen.
    async fn seen(&self, id: &WorkloadId) -> Arc<Workload> {
        Arc::clone(&self.kube.observe().await.unwrap().workloads[id])
    }

    /// Writes, again where the status changed in between.
    async fn apply(&self, object: &str, tag: &str) -> WriteReceipt {
        loop {
            match self.kube.write_workload(&self.write(object, tag).await).await {
                Ok(written) => return written,
                Err(ClusterError::Conflict(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Waits for what `look` finds in the picture, without asking the server.
    async fn until<T>(&self, what: &str, look: impl Fn(&Observation) -> Option<T>) -> T {
        let deadline = Instant::now() + EMERGENCY;
        loop {
            let seen = self.kube.observe().await.unwrap();
            if let Some(found) = look(&seen) {
                return found;
            }
            assert!(Instant::now() < deadline, "not \"{what}\" after {EMERGENCY:?}; last seen:\n{seen:#?}");
            self.kube.wait_for_change(Duration::from_secs(1)).await.unwrap();
        }
    }

    async fn until_settled(&self, object: &str) -> WorkloadHealth {
        self.until_health(object, "settled", |health| health.settled).await
    }

    async fn until_health(&self, object: &str, what: &str, holds: impl Fn(&WorkloadHealth) -> bool) -> WorkloadHealth {
        let id = self.id(object);
        self.until(what, |seen| Some(health(seen, &id)).filter(&holds)).await
    }

    /// The live set of the first container, as text.
    fn live(&self, seen: &Observation, object: &str) -> String {
        let id = self.id(object);
        let (workload, pods) = (seen.workloads.get(&id), seen.pods.get(&id));
        match verify::live_images(&id, workload.map(AsRef::as_ref), pods.map(Vec::as_slice), None, &["app"]) {
            None => "not known".to_owned(),
            Some(live) => live.iter().map(show).collect::<Vec<_>>().join(" "),
        }
    }
}

async fn connect(plane: &ControlPlane) -> KubeCluster {
    KubeCluster::connect(&patient(plane.kubeconfig())).await.unwrap()
}

/// Waits for any answer, but sees watches end and go on all the time.
fn patient(kubeconfig: PathBuf) -> ConnectOptions {
    let patience = Timeouts {
        request: EMERGENCY,
        write: EMERGENCY,
        watch_silence: Duration::from_secs(5),
        pod_watch: Duration::from_secs(20),
        resync_interval: Duration::from_secs(600),
        unreachable_grace: EMERGENCY,
    };
    ConnectOptions { kubeconfig: Some(kubeconfig), timeouts: patience, ..ConnectOptions::default() }
}

/// For tests that wait for a silent server to be noticed. A busy server may be taken for a silent one.
fn impatient(kubeconfig: PathBuf) -> ConnectOptions {
    let mut to = patient(kubeconfig);
    to.timeouts.request = Duration::from_secs(2);
    to.timeouts.watch_silence = Duration::from_secs(2);
    to.timeouts.unreachable_grace = Duration::from_secs(2);
    to
}

fn id(ns: &Namespace, object: &str) -> WorkloadId {
    let (kind, name) = object.split_once('/').unwrap();
    let kind = match kind {
        "deployment" => WorkloadKind::Deployment,
        "statefulset" => WorkloadKind::StatefulSet,
        "daemonset" => WorkloadKind::DaemonSet,
        other => panic!("{other}"),
    };
    WorkloadId { namespace: ns.name.clone(), workload: WorkloadRef { kind, name: name.to_owned() } }
}

fn write_of(workload: &Workload, id: WorkloadId, tag: &str) -> WorkloadWrite {
    let container = &workload.containers[0];
    let repository = container.image.as_ref().unwrap().short_repository();
    let image = format!("{repository}:{tag}").parse().unwrap();
    WorkloadWrite {
        id,
        expected: Arc::new(workload.clone()),
        images: vec![(container.name.clone(), false, image)],
        state: state(tag),
    }
}

fn state(version: &str) -> StateAnnotation {
    StateAnnotation {
        schema: StateAnnotation::SCHEMA,
        instance: "test".to_owned(),
        commit: CommitId::from([7; 20]),
        version: Version::new(version).unwrap(),
        proven: Vec::new(),
        image_rewrite: None,
    }
}

fn health(seen: &Observation, id: &WorkloadId) -> WorkloadHealth {
    let pods = seen.pods.get(id).map(Vec::as_slice);
    verify::workload_health(
        id,
        seen.workloads.get(id).map(AsRef::as_ref),
        pods,
        &ChangeTiming::without_change(Timestamp::now()),
    )
}

fn show(running: &Running) -> String {
    match running {
        Running::Absent => "absent".to_owned(),
        Running::Image(image, _) => image.to_string(),
        Running::Unreadable(text) => format!("unreadable {text:?}"),
    }
}

/// What a health says to somebody who waits: the message, and what to type.
fn words(health: &WorkloadHealth) -> String {
    match &health.verdict {
        Verdict::Wait(Some(remedy)) => format!("{}\n{}", health.reason, remedy_command(remedy)),
        _ => health.reason.to_string(),
    }
}

fn scope(ids: &[WorkloadId]) -> BTreeSet<WorkloadId> {
    ids.iter().cloned().collect()
}

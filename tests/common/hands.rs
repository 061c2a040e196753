//! What people do to workloads by hand, and what kubelets would: as kubectl and kubelets send it.

use kube::ResourceExt;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::namespace::Namespace;

/// Annotations that `kubectl rollout undo` leaves as they are on the Deployment (kubectl `pkg/polymorphichelpers`).
const LEFT_ALONE: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

impl Namespace {
    /// `kubectl scale`.
    pub(crate) async fn scale(&self, object: &str, replicas: u32) {
        self.merge(object, "kubectl", json!({"spec": {"replicas": replicas}})).await;
    }

    /// A merge patch, as `kubectl patch --type merge` sends it.
    pub(crate) async fn merge(&self, object: &str, manager: &str, patch: Value) {
        let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        let name = object.split_once('/').unwrap().1;
        self.api(object).patch(name, &params, &Patch::Merge(patch)).await.unwrap();
    }

    /// `kubectl rollout undo`: the template and the annotations of the revision before, as its replica set has them.
    pub(crate) async fn rollout_undo(&self, deployment: &str) {
        let object = format!("deployment/{deployment}");
        let seen = |it: &Value| it["metadata"]["generation"] == it["status"]["observedGeneration"];
        self.wait(&object, "seen by its controller, which has made its replica set", seen).await;
        let selector = ListParams::default().labels(&format!("app={deployment}"));
        let mut sets = self.api("replicaset/").list(&selector).await.unwrap().items;
        let revision = |annotations: &std::collections::BTreeMap<String, String>| {
            annotations["deployment.kubernetes.io/revision"].parse::<u32>().unwrap()
        };
        sets.sort_by_key(|set| revision(set.annotations()));
        let before = &sets[sets.len() - 2];
        let mut annotations = json!({});
        let now = self.get(&object).await["metadata"]["annotations"].take();
        for key in now.as_object().unwrap().keys().filter(|key| !LEFT_ALONE.contains(&key.as_str())) {
            annotations[key] = Value::Null;
        }
        for (key, value) in before.annotations().iter().filter(|(key, _)| !LEFT_ALONE.contains(&key.as_str())) {
            annotations[key] = json!(value);
        }
        // A merge replaces lists as a whole, and templates of tests differ in nothing else.
        let template = json!({"spec": before.data["spec"]["template"]["spec"]});
        let patch = json!({"metadata": {"annotations": annotations}, "spec": {"template": template}});
        self.merge(&object, "kubectl-rollout", patch).await;
    }

    /// Lets a pod with the annotation `pintle.test/ready: by-hand` become ready or unready.
    pub(crate) async fn set_ready(&self, pod: &str, ready: bool) {
        let word = if ready { "True" } else { "False" };
        let conditions = json!([{"type": "Ready", "status": word}, {"type": "ContainersReady", "status": word}]);
        self.patch_containers(pod, conditions, |container| container["ready"] = json!(ready)).await;
    }

    /// Lets such a pod crash again and again.
    pub(crate) async fn crash(&self, pod: &str) {
        let conditions = json!([{"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "False"}]);
        let crash = |container: &mut Value| {
            container["ready"] = json!(false);
            container["restartCount"] = json!(4);
            container["state"] = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}});
            container["lastState"] = json!({"terminated": {"exitCode": 3, "reason": "Error"}});
        };
        self.patch_containers(pod, conditions, crash).await;
    }

    async fn patch_containers(&self, pod: &str, conditions: Value, change: impl Fn(&mut Value)) {
        let mut containers = self.get(&format!("pod/{pod}")).await["status"]["containerStatuses"].take();
        containers.as_array_mut().into_iter().flatten().for_each(change);
        let patch = json!({"status": {"conditions": conditions, "containerStatuses": containers}});
        // The pod may be gone by now.
        let _ = self.api("pod/").patch_status(pod, &PatchParams::default(), &Patch::Merge(patch)).await;
    }
}

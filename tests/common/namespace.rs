//! A namespace of one test, and the few things tests do in it. Objects are JSON and named as in a service file:
//! `deployment/checkout`, `statefulset/checkout-worker`, `pod/…`.

use std::time::{Duration, Instant};

use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchParams,
};
use kube::core::{GroupVersionKind, Request};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::changes::Changes;
use super::limit::EMERGENCY;

pub(crate) struct Namespace {
    pub name: String,
    pub client: Client,
}

impl Namespace {
    pub(crate) async fn create(client: Client, name: String) -> Self {
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(client.clone());
        let object = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        namespaces.create(&PostParams::default(), &object).await.unwrap();
        Self { name, client }
    }

    /// Creates a valid workload, see [`workload`].
    pub(crate) async fn run(&self, object: &str, image: &str, replicas: u32) {
        self.create_as_is(object, workload(object, image, replicas)).await;
    }

    /// Creates what the test has bent to its needs.
    pub(crate) async fn create_as_is(&self, object: &str, manifest: Value) {
        let manifest: DynamicObject = serde_json::from_value(manifest).unwrap();
        self.api(object).create(&PostParams::default(), &manifest).await.unwrap();
    }

    /// The object as the API server has it; null where there is none.
    pub(crate) async fn get(&self, object: &str) -> Value {
        let found = self.api(object).get_opt(name(object)).await.unwrap();
        found.map_or(Value::Null, |object| serde_json::to_value(object).unwrap())
    }

    /// What of an object its controller has not written: equal as long as nobody else writes.
    pub(crate) async fn written(&self, object: &str) -> Value {
        let mut found = self.get(object).await;
        found["status"].take();
        found["metadata"]["resourceVersion"].take();
        found["metadata"]["annotations"]["deployment.kubernetes.io/revision"].take();
        let managers = found["metadata"]["managedFields"].as_array_mut().unwrap();
        managers.retain(|manager| manager["subresource"] != "status");
        found
    }

    /// The image of the first container.
    pub(crate) async fn image(&self, object: &str) -> String {
        self.get(object).await["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    }

    /// Sets the image of the first container, as `kubectl set image` does.
    pub(crate) async fn set_image(&self, object: &str, image: &str) {
        let container = self.get(object).await["spec"]["template"]["spec"]["containers"][0]["name"].take();
        let containers = json!([{"name": container, "image": image}]);
        let params = PatchParams { field_manager: Some("kubectl-set".to_owned()), ..PatchParams::default() };
        let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        self.api(object).patch(name(object), &params, &Patch::Strategic(patch)).await.unwrap();
    }

    /// The pods of an app, oldest first, terminating ones too.
    pub(crate) async fn pods(&self, app: &str) -> Vec<Value> {
        let list = self.api("pod/").list(&ListParams::default().labels(&format!("app={app}"))).await.unwrap();
        let mut pods = list.items;
        pods.sort_by_key(|pod| (pod.creation_timestamp(), pod.name_any()));
        pods.into_iter().map(|pod| serde_json::to_value(pod).unwrap()).collect()
    }

    pub(crate) async fn delete(&self, object: &str) {
        self.api(object).delete(name(object), &DeleteParams::default()).await.unwrap();
    }

    /// Has nobody hold the lease.
    pub(crate) async fn delete_lease(&self) {
        self.leases().delete_collection(&DeleteParams::default(), &ListParams::default()).await.unwrap();
    }

    /// The lease of whoever writes here.
    pub(crate) async fn lease(&self) -> Value {
        let found = self.leases().list(&ListParams::default()).await.unwrap().items.pop();
        serde_json::to_value(found.unwrap()).unwrap()
    }

    /// Changes the lease by hand.
    pub(crate) async fn edit_lease(&self, patch: Value) {
        let name = self.lease().await["metadata"]["name"].take();
        let params = PatchParams::default();
        self.leases().patch(name.as_str().unwrap(), &params, &Patch::Merge(patch)).await.unwrap();
    }

    fn leases(&self) -> Api<k8s_openapi::api::coordination::v1::Lease> {
        Api::namespaced(self.client.clone(), &self.name)
    }

    /// Waits until `holds` of the object, which is null while it does not exist, and gives it.
    pub(crate) async fn wait(&self, object: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let changes =
            Changes::of(self.api(object), WatchParams::default().fields(&format!("metadata.name={}", name(object))));
        wait(&format!("{object} in {}", self.name), what, changes, async || self.get(object).await, holds).await
    }

    /// Waits until `holds` of the pods of an app, and gives them.
    pub(crate) async fn wait_for_pods(&self, app: &str, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let subject = format!("pods of {app} in {}", self.name);
        let changes = Changes::of(self.api("pod/"), WatchParams::default().labels(&format!("app={app}")));
        wait(&subject, what, changes, async || self.pods(app).await, |pods| holds(pods)).await
    }

    /// Puts a policy of admission over the updates of Deployments here: `Validating` or `Mutating`, with what it says
    /// beside where it applies. It comes into force a moment later.
    pub(crate) async fn admission(&self, kind: &str, mut spec: Value, mut binding: Value) {
        let (group, name) = ("admissionregistration.k8s.io", &self.name);
        let rule = json!({"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments"]});
        spec["matchConstraints"] = json!({"resourceRules": [rule]});
        binding["policyName"] = json!(name);
        binding["matchResources"] =
            json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}});
        for (suffix, spec) in [("", spec), ("Binding", binding)] {
            let kind = format!("{kind}AdmissionPolicy{suffix}");
            let path = format!(
                "/apis/{group}/v1/{}",
                kind.to_lowercase().replace("policy", "policies").replace("policiesbinding", "policybindings")
            );
            let body =
                json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": name}, "spec": spec});
            let request = Request::new(path).create(&PostParams::default(), body.to_string().into_bytes()).unwrap();
            self.client.request::<Value>(request).await.unwrap();
        }
    }

    /// What happens to the Deployments here.
    pub(crate) fn changes(&self) -> Changes {
        Changes::of(self.api("deployment/"), WatchParams::default())
    }

    /// The API of the object's kind.
    pub(crate) fn api(&self, object: &str) -> Api<DynamicObject> {
        let (group, kind) = match kind(object) {
            "pod" => ("", "Pod"),
            kind => ("apps", kind_of_apps(kind)),
        };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        Api::namespaced_with(self.client.clone(), &self.name, &resource)
    }
}

/// A valid Deployment, StatefulSet or DaemonSet with one container `app` and the label `app` on its pods.
pub(crate) fn workload(object: &str, image: &str, replicas: u32) -> Value {
    let (kind, name) = (kind_of_apps(kind(object)), name(object));
    let labels = json!({"app": name});
    let mut spec = json!({
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": image}]},
        },
    });
    if kind != "DaemonSet" {
        spec["replicas"] = json!(replicas);
    }
    if kind == "StatefulSet" {
        spec["serviceName"] = json!(name);
    }
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// Whether the controller has seen the last write, and every pod there is runs it and is ready. Terminating pods aside.
pub(crate) fn rolled_out(object: &Value) -> bool {
    let (spec, status) = (&object["spec"], &object["status"]);
    let count = |field: &str| status[field].as_u64().unwrap_or(0);
    let seen = object["metadata"]["generation"] == status["observedGeneration"];
    if object["kind"] == "DaemonSet" {
        let wanted = count("desiredNumberScheduled");
        return seen && wanted > 0 && count("updatedNumberScheduled") == wanted && count("numberReady") == wanted;
    }
    let wanted = spec["replicas"].as_u64().unwrap_or(1);
    seen && ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"]
        .into_iter()
        .all(|f| count(f) == wanted)
}

/// Whether a pod's condition `Ready` is true.
pub(crate) fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
}

async fn wait<T: serde::Serialize>(
    subject: &str,
    what: &str,
    mut changes: Changes,
    look: impl AsyncFn() -> T,
    holds: impl Fn(&T) -> bool,
) -> T {
    let deadline = Instant::now() + EMERGENCY;
    loop {
        let Ok(seen) = tokio::time::timeout(EMERGENCY, look()).await else {
            panic!("{subject}: no answer from the API server in {EMERGENCY:?}, wanted \"{what}\"");
        };
        if holds(&seen) {
            return seen;
        }
        if Instant::now() > deadline {
            let mut last = serde_json::to_value(seen).unwrap();
            drop_noise(&mut last);
            panic!(
                "{subject}: not \"{what}\" after {EMERGENCY:?}; last seen:\n{}",
                serde_yaml::to_string(&last).unwrap()
            );
        }
        // What is waited for may also be a time.
        changes.wait(Duration::from_secs(1)).await;
    }
}

fn drop_noise(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(drop_noise),
        Value::Object(_) => drop(value["metadata"]["managedFields"].take()),
        _ => {}
    }
}

fn kind(object: &str) -> &str {
    object.split_once('/').unwrap().0
}

fn name(object: &str) -> &str {
    object.split_once('/').unwrap().1
}

fn kind_of_apps(kind: &str) -> &'static str {
    match kind {
        "deployment" => "Deployment",
        "statefulset" => "StatefulSet",
        "daemonset" => "DaemonSet",
        "replicaset" => "ReplicaSet",
        other => panic!("no such kind of workload: {other}"),
    }
}

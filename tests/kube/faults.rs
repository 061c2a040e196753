//! Rights that are missing, namespaces that do not exist, and a server that is gone, or says nothing.

use std::time::{Duration, Instant};

use kube::api::PostParams;
use kube::core::Request;
use pintle::cluster::kube::ConnectOptions;
use pintle::cluster::{Cluster, ClusterError, KubeCluster, Observation};
use pintle_core::workload::WorkloadId;
use serde_json::{Value, json};

use super::{Scene, connect, id, impatient, patient, scope};
use crate::common::control_plane::{ControlPlane, Part};
use crate::common::limit::EMERGENCY;
use crate::common::namespace::Namespace;

/// Pintle as a user who may do what a role in each of the namespaces says.
async fn as_nobody(plane: &ControlPlane, folder: &tempfile::TempDir) -> KubeCluster {
    let text = plane.kubeconfig_text().replace("\"token\": \"test\"", "\"token\": \"test\", \"as\": \"nobody\"");
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, text).unwrap();
    KubeCluster::connect(&patient(path)).await.unwrap()
}

async fn grant(ns: &Namespace, rules: Value) {
    let name = json!({"name": format!("may-{}", rules.as_array().unwrap().len())});
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": name, "rules": rules});
    let to = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name["name"]});
    let subjects = json!([{"kind": "User", "name": "nobody"}]);
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": name,
        "roleRef": to, "subjects": subjects,
    });
    for (path, object) in [("roles", role), ("rolebindings", binding)] {
        let url = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{}/{path}", ns.name);
        let request = Request::new(url).create(&PostParams::default(), object.to_string().into_bytes()).unwrap();
        ns.client.request::<Value>(request).await.unwrap();
    }
}

/// Waits for what `look` finds in the picture. Where silence is noticed soon, a busy server counts as silent at times.
async fn until<T>(kube: &KubeCluster, what: &str, look: impl Fn(&Observation) -> Option<T>) -> T {
    let deadline = Instant::now() + EMERGENCY;
    loop {
        let seen = kube.observe().await;
        match &seen {
            Ok(seen) => {
                if let Some(found) = look(seen) {
                    return found;
                }
            }
            Err(error) => assert!(matches!(error, ClusterError::Unreachable(_)), "{error}"),
        }
        assert!(Instant::now() < deadline, "not \"{what}\": {seen:#?}");
        kube.wait_for_change(Duration::from_millis(500)).await.unwrap();
    }
}

fn why(seen: &Observation, id: &WorkloadId) -> Option<String> {
    seen.unobservable.get(id).map(ToString::to_string)
}

#[tokio::test]
async fn missing_rights_are_told_in_the_servers_words_and_concern_their_namespace_only() {
    let plane = ControlPlane::shared();
    let (dark, bright) = (plane.namespace("kube-dark").await, plane.namespace("kube-bright").await);
    for ns in [&dark, &bright] {
        ns.run("deployment/checkout", "test/checkout:1", 1).await;
        ns.wait("deployment/checkout", "rolled out", crate::common::namespace::rolled_out).await;
    }
    let workloads = json!({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "watch"]});
    grant(&bright, json!([workloads])).await;
    let folder = tempfile::tempdir().unwrap();
    let kube = as_nobody(plane, &folder).await;
    let (hidden, shown) = (id(&dark, "deployment/checkout"), id(&bright, "deployment/checkout"));
    kube.watch_workloads(&scope(&[hidden.clone(), shown.clone()]));

    let seen = kube.observe().await.unwrap();
    assert_eq!(seen.workloads.keys().collect::<Vec<_>>(), [&shown]);
    let expected = format!(
        "deployments.apps is forbidden: User \"nobody\" cannot watch resource \"deployments\" in API group \"apps\" in the \
         namespace \"{}\"",
        dark.name
    );
    assert_eq!(why(&seen, &hidden), Some(expected));

    // May see, may not write.
    let write = super::write_of(&seen.workloads[&shown], shown.clone(), "2");
    let error = kube.write_workload(&write).await.unwrap_err();
    assert!(matches!(&error, ClusterError::Forbidden(words) if words.contains("cannot patch resource")), "{error:?}");
    let error = kube.check_field_ownership(&write).await.unwrap_err();
    assert!(matches!(&error, ClusterError::Forbidden(words) if words.contains("cannot patch resource")), "{error:?}");

    // May not see the pods of what is not settled: nothing is known of it then.
    bright.set_image("deployment/checkout", "test/checkout:2-broken").await;
    let words = until(&kube, "pods are forbidden", |seen| why(seen, &shown)).await;
    assert!(words.starts_with("pods is forbidden: User \"nobody\" cannot watch resource \"pods\""), "{words}");

    // What is granted later is used.
    let pods = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]});
    grant(&bright, json!([workloads, pods])).await;
    until(&kube, "pods are seen", |seen| seen.pods.get(&shown).map(drop)).await;
    grant(&dark, json!([workloads])).await;
    until(&kube, "workloads are seen", |seen| seen.workloads.get(&hidden).map(drop)).await;
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_is_told_and_one_that_is_created_is_seen() {
    let plane = ControlPlane::shared();
    let kube = connect(plane).await;
    let mut nowhere = id(&plane.namespace("kube-somewhere").await, "deployment/checkout");
    nowhere.namespace += "-else";
    kube.watch_workloads(&scope(&[nowhere.clone()]));
    let words = until(&kube, "told", |seen| why(seen, &nowhere)).await;
    let way_out = "create it, or name another one (`namespace:`, --namespace)";
    assert_eq!(words, format!("namespace {} does not exist: {way_out}", nowhere.namespace));
    // Longer than a watch is silent: the next one says no more than the first.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(why(&kube.observe().await.unwrap(), &nowhere).is_some());
    let ns = Namespace::create(plane.client(), nowhere.namespace.clone()).await;
    ns.run("deployment/checkout", "test/checkout:1", 1).await;
    until(&kube, "seen", |seen| seen.workloads.get(&nowhere).map(drop)).await;
}

/// One test, because each control plane of a test's own takes half a gigabyte.
#[tokio::test]
async fn a_server_that_hangs_or_is_gone_is_noticed_and_what_it_knows_is_seen_again() {
    let mut plane = ControlPlane::start();
    let ns = plane.namespace("kube-gone").await;
    ns.run("deployment/checkout", "test/checkout:1", 2).await;
    ns.run("statefulset/db", "test/db:1", 1).await;
    let objects = scope(&[id(&ns, "deployment/checkout"), id(&ns, "statefulset/db")]);
    let kube = KubeCluster::connect(&undisturbed(&plane)).await.unwrap();
    kube.watch_workloads(&objects);
    let scene = Scene { ns, kube };
    scene.until_settled("deployment/checkout").await;
    scene.until_settled("statefulset/db").await;

    // A change costs the patch, a watch of pods, and the patch that records.
    let made = requests_of_a_change(&plane, &scene).await;
    assert_eq!(made, [("applies", 2), ("watches of pods", 1), ("lists of pods", 0)]);

    let hasty = KubeCluster::connect(&impatient(plane.kubeconfig())).await.unwrap();
    hasty.watch_workloads(&objects);
    // One that bears silence for longer notices as well, where something is awaited.
    scene.ns.set_image("deployment/checkout", "test/checkout:3-never-ready").await;
    let checkout = scene.id("deployment/checkout");
    let mut patient = impatient(plane.kubeconfig());
    (patient.timeouts.watch_silence, patient.timeouts.pod_watch) = (Duration::from_secs(600), Duration::from_secs(3));
    let patient = KubeCluster::connect(&patient).await.unwrap();
    patient.watch_workloads(&scope(std::slice::from_ref(&checkout)));
    until(&patient, "its pods are seen", |seen| seen.pods.get(&checkout).map(drop)).await;
    until(&hasty, "all is seen", |seen| seen.unobservable.is_empty().then_some(())).await;

    // Hangs: connections stay open, nothing comes.
    plane.pause(Part::Apiserver);
    let error = until_unreachable(&hasty, "no answer within 2s, since 20").await;
    assert!(error.contains("(https://127.0.0.1:"), "{error}");
    let words = until(&patient, "the pods are not seen", |seen| why(seen, &checkout)).await;
    assert!(words.contains("no answer within 2s, since 20"), "{words}");
    plane.resume(Part::Apiserver);
    heals(&scene, &hasty, "hang").await;

    // Gone: connections break, and are refused.
    plane.kill(Part::Apiserver);
    until_unreachable(&hasty, "Connection refused").await;
    plane.restart(Part::Apiserver).await;
    heals(&scene, &hasty, "kill").await;
}

/// For somebody who counts requests: no watch ends but by what happens.
fn undisturbed(plane: &ControlPlane) -> ConnectOptions {
    let mut to = patient(plane.kubeconfig());
    (to.timeouts.watch_silence, to.timeouts.pod_watch) = (EMERGENCY, EMERGENCY);
    to
}

/// Waits until the server is said to be unreachable, for this reason.
async fn until_unreachable(kube: &KubeCluster, why: &str) -> String {
    let deadline = Instant::now() + EMERGENCY;
    loop {
        let seen = kube.observe().await;
        match &seen {
            Err(ClusterError::Unreachable(words)) if words.contains(why) => return words.clone(),
            Err(error) => assert!(matches!(error, ClusterError::Unreachable(_)), "{error}"),
            Ok(seen) => assert_eq!(seen.workloads.len() + seen.unobservable.len(), 2, "never an empty picture"),
        }
        assert!(Instant::now() < deadline, "not noticed: {seen:#?}");
        kube.wait_for_change(Duration::from_millis(500)).await.unwrap();
    }
}

/// What happens after the server is back is seen, by who noticed that it was away too, and it can be written to.
async fn heals(scene: &Scene, hasty: &KubeCluster, after: &str) {
    until(hasty, "all is seen again", |seen| seen.unobservable.is_empty().then_some(())).await;
    scene.ns.set_image("deployment/checkout", &format!("test/checkout:{after}")).await;
    let id = scene.id("deployment/checkout");
    let written = format!("test/checkout:{after}");
    let is_seen = |seen: &Observation| (seen.workloads.get(&id)?.containers[0].written_image == written).then_some(());
    until(hasty, "what was written", is_seen).await;
    until(&scene.kube, "what was written", is_seen).await;
    scene.until_settled("deployment/checkout").await;
    write(hasty, &id, "1").await;
    scene.until_settled("deployment/checkout").await;
}

/// Writes, again where the status changed in between or the server is busy.
async fn write(kube: &KubeCluster, id: &WorkloadId, tag: &str) {
    let deadline = Instant::now() + EMERGENCY;
    loop {
        let seen = until(kube, "the workload", |seen| seen.workloads.get(id).cloned()).await;
        match kube.write_workload(&super::write_of(&seen, id.clone(), tag)).await {
            Ok(_) => return,
            Err(error) => assert!(matches!(error, ClusterError::Conflict(_) | ClusterError::Unreachable(_)), "{error}"),
        }
        assert!(Instant::now() < deadline, "not written");
    }
}

async fn requests_of_a_change(plane: &ControlPlane, scene: &Scene) -> [(&'static str, u64); 3] {
    let before = requests(&plane.metrics().await);
    scene.apply("deployment/checkout", "2").await;
    scene.until_settled("deployment/checkout").await;
    let mut write = scene.write("deployment/checkout", "2").await;
    "proven".clone_into(&mut write.state.instance);
    scene.kube.write_workload(&write).await.unwrap();
    scene.until_settled("deployment/checkout").await;
    // A watch is counted at its end: when somebody waits, and nothing is left to be seen by it.
    let deadline = Instant::now() + EMERGENCY;
    loop {
        scene.kube.wait_for_change(Duration::from_millis(300)).await.unwrap();
        let after = requests(&plane.metrics().await);
        let made: [_; 3] = std::array::from_fn(|it| (after[it].0, after[it].1 - before[it].1));
        if made[1].1 > 0 {
            return made;
        }
        assert!(Instant::now() < deadline, "no watch of pods ended: {made:?}");
    }
}

/// Pintle alone applies, and alone asks about single namespaces.
fn requests(metrics: &str) -> [(&'static str, u64); 3] {
    let count = |labels: &[&str]| {
        let lines = metrics.lines().filter(|line| line.starts_with("apiserver_request_total{"));
        let lines = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    };
    [
        ("applies", count(&["verb=\"APPLY\"", "resource=\"deployments\""])),
        ("watches of pods", count(&["verb=\"WATCH\"", "resource=\"pods\"", "scope=\"namespace\""])),
        ("lists of pods", count(&["verb=\"LIST\"", "resource=\"pods\"", "scope=\"namespace\""])),
    ]
}

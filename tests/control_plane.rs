use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kube::api::{Patch, PatchParams};
use kube::client::Body;
use kube::core::Request;
use serde_json::{Value, json};

use crate::common::control_plane::{ControlPlane, Part};
use crate::common::limit::EMERGENCY;
use crate::common::namespace::{Namespace, is_ready, rolled_out, workload};
use crate::common::recorder::{Recorder, What};

// --- What becomes of workloads.

#[tokio::test]
async fn a_deployment_rolls_out_and_an_image_change_replaces_its_pods() {
    let ns = ControlPlane::shared().namespace("rollout").await;
    ns.run("deployment/checkout", "test/checkout:1.8.1", 2).await;
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    assert_eq!(ns.pods("checkout").await.len(), 2);

    ns.set_image("deployment/checkout", "test/checkout:1.8.2").await;
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    let new = |pod: &Value| pod["spec"]["containers"][0]["image"] == "test/checkout:1.8.2";
    ns.wait_for_pods("checkout", "two of 1.8.2", |pods| pods.len() == 2 && pods.iter().all(new)).await;
    assert_eq!(ns.image("deployment/checkout").await, "test/checkout:1.8.2");
}

#[tokio::test]
async fn stateful_sets_and_daemon_sets_roll_out_too() {
    let ns = ControlPlane::shared().namespace("kinds").await;
    for (object, pods) in [("statefulset/db", 2), ("daemonset/agent", 1)] {
        ns.run(object, "test/it:1", 2).await;
        ns.wait(object, "rolled out", rolled_out).await;
        ns.set_image(object, "test/it:2").await;
        ns.wait(object, "rolled out", rolled_out).await;
        assert_eq!(ns.pods(object.split_once('/').unwrap().1).await.len(), pods);
    }
}

#[tokio::test]
async fn broken_images_cannot_be_pulled() {
    let ns = ControlPlane::shared().namespace("broken").await;
    ns.run("deployment/checkout", "test/checkout:1.8.1", 1).await;
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    ns.set_image("deployment/checkout", "test/checkout:1.8.2-broken").await;
    let pods =
        ns.wait_for_pods("checkout", "back-off", |pods| pods.iter().any(|p| !waiting(p)["reason"].is_null())).await;
    let message = "Back-off pulling image \"test/checkout:1.8.2-broken\": ErrImagePull: rpc error: code = NotFound";
    let broken = pods.iter().find(|pod| waiting(pod)["reason"] == "ImagePullBackOff").unwrap();
    assert!(waiting(broken)["message"].as_str().unwrap().starts_with(message), "{broken}");
    assert_eq!(broken["status"]["phase"], "Pending");
    assert_eq!(pods.iter().filter(|pod| is_ready(pod)).count(), 1, "the old pod stays");
}

#[tokio::test]
async fn crashing_pods_say_how_often() {
    let ns = ControlPlane::shared().namespace("crash").await;
    ns.run("deployment/checkout", "test/checkout:1-crash", 1).await;
    let pods =
        ns.wait_for_pods("checkout", "crashed", |pods| pods.iter().any(|p| waiting(p)["reason"].is_string())).await;
    assert_eq!(waiting(&pods[0])["reason"], "CrashLoopBackOff");
    assert!(waiting(&pods[0])["message"].as_str().unwrap().starts_with("back-off 40s restarting failed container=app"));
    assert_eq!(pods[0]["status"]["containerStatuses"][0]["restartCount"], 4);
}

#[tokio::test]
async fn a_pod_can_be_ready_and_then_fail() {
    let ns = ControlPlane::shared().namespace("fails").await;
    ns.run("deployment/checkout", "test/checkout:1-ready-then-fail", 1).await;
    ns.wait_for_pods("checkout", "ready", |pods| pods.iter().any(is_ready)).await;
    let failed = |pods: &[Value]| pods.iter().any(|pod| waiting(pod)["reason"] == "CrashLoopBackOff" && !is_ready(pod));
    ns.wait_for_pods("checkout", "failed", failed).await;
    ns.wait("deployment/checkout", "unavailable", |d| d["status"]["unavailableReplicas"] == 1).await;
}

#[tokio::test]
async fn slow_pods_take_two_seconds_and_others_never_become_ready() {
    let ns = ControlPlane::shared().namespace("slow").await;
    ns.run("deployment/never", "test/never:1-never-ready", 1).await;
    let began = Instant::now();
    ns.run("deployment/slow", "test/slow:1", 1).await;
    ns.wait("deployment/slow", "rolled out", rolled_out).await;
    assert!(began.elapsed() > Duration::from_secs(2), "{:?}", began.elapsed());
    let pods = ns.pods("never").await;
    assert!(pods[0]["status"]["phase"] == "Running" && !is_ready(&pods[0]), "{}", pods[0]);
}

#[tokio::test]
async fn a_pod_becomes_ready_by_hand() {
    let ns = ControlPlane::shared().namespace("by-hand").await;
    let mut manifest = workload("deployment/checkout", "test/checkout:1", 1);
    manifest["spec"]["template"]["metadata"]["annotations"] = json!({"pintle.test/ready": "by-hand"});
    ns.create_as_is("deployment/checkout", manifest).await;
    let runs = |pods: &[Value]| pods.iter().any(|pod| pod["status"]["phase"] == "Running");
    let pods = ns.wait_for_pods("checkout", "running", runs).await;
    assert!(!is_ready(&pods[0]));
    ns.set_ready(pods[0]["metadata"]["name"].as_str().unwrap(), true).await;
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;
}

#[tokio::test]
async fn lingering_pods_take_five_seconds_to_terminate() {
    let ns = ControlPlane::shared().namespace("linger").await;
    ns.run("deployment/checkout", "test/checkout:1-linger", 1).await;
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    let began = Instant::now();
    ns.set_image("deployment/checkout", "test/checkout:2").await;
    let deployment = ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    assert_eq!(deployment["status"]["terminatingReplicas"], 1, "rolled out while the old pod still drains");
    let pods = ns.pods("checkout").await;
    assert_eq!(pods.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_string()).count(), 1);
    ns.wait_for_pods("checkout", "one left", |pods| pods.len() == 1).await;
    assert!(began.elapsed() > Duration::from_secs(5), "{:?}", began.elapsed());
}

// --- The recorder.

#[tokio::test]
async fn the_recorder_sees_both_versions_of_a_rolling_update_at_once() {
    let ns = ControlPlane::shared().namespace("recorder").await;
    ns.run("deployment/other", "test/other:1", 1).await;
    ns.run("deployment/checkout", "test/checkout:1", 2).await;
    ns.wait("deployment/other", "rolled out", rolled_out).await;
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    let recorder = Recorder::start(&ns).await;
    ns.set_image("deployment/checkout", "test/checkout:2").await;
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    ns.wait_for_pods("checkout", "two left", |pods| pods.len() == 2).await;
    ns.delete("deployment/other").await;
    ns.wait_for_pods("other", "gone", <[_]>::is_empty).await;
    let recording = recorder.finish().await;

    let set = |images: &[&str]| images.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let seen: Vec<_> = recording.moments().iter().map(|m| m.get("checkout").cloned().unwrap_or_default()).collect();
    let both = ["test/checkout:1", "test/checkout:2"];
    // Empty, then the two pods of the start; the last moment is the other app's end.
    let expected = [&[], &[], &both[..1], &both[..], &both[1..], &both[1..]].map(set);
    let mut seen_once = seen.clone();
    seen_once.dedup();
    let mut expected_once = expected.to_vec();
    expected_once.dedup();
    assert_eq!(seen_once, expected_once);
    assert_eq!(recording.moments().last().unwrap().get("other"), None);

    let gone = recording.events.iter().filter(|event| event.what == What::Gone);
    assert!(gone.clone().count() == 3 && gone.clone().all(|event| event.terminating && event.phase == "Running"));
    assert!(recording.events.iter().any(|e| e.what == What::Changed && e.ready && e.images == set(&both[1..])));
}

// --- A control plane of one's own.

#[tokio::test]
async fn an_own_control_plane_can_be_paused_and_killed_and_leaves_nothing_behind() {
    let mut own = ControlPlane::start();
    let ns = own.namespace("own").await;
    let recorder = Recorder::start(&ns).await;
    own.pause(Part::ControllerManager);
    ns.run("deployment/checkout", "test/checkout:1", 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(ns.get("deployment/checkout").await["status"]["observedGeneration"].is_null(), "nobody has seen it");
    own.resume(Part::ControllerManager);
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;

    own.kill(Part::Apiserver);
    assert!(own.client().apiserver_version().await.is_err());
    own.restart(Part::Apiserver).await;
    ns.set_image("deployment/checkout", "test/checkout:2").await;
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    let recording = recorder.finish().await;
    assert_eq!(recording.gaps, 1, "a restarted API server knows no earlier version");
    let moments = recording.moments();
    assert!(moments.iter().any(|m| m.get("checkout").is_some_and(|images| images.len() == 2)), "{moments:?}");

    let (pid, folder) = (own.pid(Part::Etcd), own.kubeconfig().parent().unwrap().to_owned());
    assert!(
        own.kubeconfig_text().contains("certificate-authority-data")
            && own.metrics().await.contains("apiserver_request_total")
    );
    drop(own);
    assert!(!folder.exists() && !Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn no_server_outlives_a_test_run_that_is_killed() {
    const CHILD: &str = "PINTLE_TEST_IS_TO_BE_KILLED";
    if std::env::var_os(CHILD).is_some() {
        let own = ControlPlane::start();
        let pids =
            [Part::Etcd, Part::Apiserver, Part::ControllerManager, Part::Scheduler, Part::Kwok].map(|p| own.pid(p));
        println!("started {} {pids:?}", own.kubeconfig().parent().unwrap().display());
        std::thread::sleep(EMERGENCY);
    }
    let this = "control_plane::no_server_outlives_a_test_run_that_is_killed";
    let mut run = Command::new(std::env::current_exe().unwrap());
    let mut run = run.args(["--exact", this, "--nocapture"]).env(CHILD, "1").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.find_map(|l| l.split_once("started ").map(|(_, rest)| rest.to_owned())).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();

    let (folder, pids) = line.split_once(' ').unwrap();
    let mut left: Vec<_> =
        serde_json::from_str::<Vec<u32>>(pids).unwrap().iter().map(|pid| format!("/proc/{pid}")).collect();
    assert_eq!(left.len(), 5);
    left.push(folder.to_owned());
    let deadline = Instant::now() + EMERGENCY;
    while !left.is_empty() {
        assert!(Instant::now() < deadline, "left behind: {left:?}");
        std::thread::sleep(Duration::from_millis(20));
        left.retain(|path| Path::new(path).exists());
    }
}

// --- Answers of the API server that Pintle relies on.

#[tokio::test]
async fn an_apply_is_fenced_by_resource_version_and_uid() {
    let ns = ControlPlane::shared().namespace("fence").await;
    ns.run("deployment/checkout", "test/checkout:1", 1).await;
    let settled = ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    let (uid, version) = (&settled["metadata"]["uid"], &settled["metadata"]["resourceVersion"]);
    let other = json!("11111111-2222-3333-4444-555555555555");

    let fenced = apply(&ns, "pintle", true, image("checkout", "test/checkout:2", uid, version)).await;
    assert_eq!(fenced.0, 200, "{fenced:?}");
    let stale = apply(&ns, "pintle", true, image("checkout", "test/checkout:3", uid, version)).await;
    let wrong_uid = apply(&ns, "pintle", true, image("checkout", "test/checkout:3", &other, &Value::Null)).await;
    let absent_uid = apply(&ns, "pintle", true, image("absent", "test/checkout:3", uid, &Value::Null)).await;
    let absent_both = apply(&ns, "pintle", true, image("absent", "test/checkout:3", uid, version)).await;
    let mut whole = workload("deployment/absent", "test/absent:1", 1);
    whole["metadata"]["resourceVersion"] = version.clone();
    let absent_version = apply(&ns, "pintle", true, whole).await;
    let words = |answer: &(u16, Value)| format!("{} {}: {}", answer.0, answer.1["reason"], answer.1["message"]);
    println!("stale: {}\nwrong uid: {}", words(&stale), words(&wrong_uid));
    println!("uid, absent: {}\nuid and version, absent: {}", words(&absent_uid), words(&absent_both));
    println!("version alone, absent: {}", absent_version.0);
    let codes = [&stale, &wrong_uid, &absent_uid, &absent_both, &absent_version].map(|answer| answer.0);
    assert_eq!(codes, [409, 422, 409, 409, 201]);
}

#[tokio::test]
async fn an_identical_apply_changes_nothing() {
    let ns = ControlPlane::shared().namespace("identical").await;
    // Nothing runs, so that no status changes in between.
    ns.run("deployment/checkout", "test/checkout:1", 0).await;
    let body = || image("checkout", "test/checkout:2", &Value::Null, &Value::Null);
    apply(&ns, "pintle", true, body()).await;
    let before = ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    // Were it a change, it would show in the time of our entry in managedFields, which counts seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let (code, after) = apply(&ns, "pintle", true, body()).await;
    println!("identical: {code}");
    assert_eq!((code, &after["metadata"]), (200, &before["metadata"]));
}

#[tokio::test]
async fn an_apply_over_another_manager_names_it() {
    let ns = ControlPlane::shared().namespace("managers").await;
    let argocd = apply(&ns, "argocd-controller", false, workload("deployment/checkout", "test/checkout:1", 1)).await;
    assert_eq!(argocd.0, 201, "{argocd:?}");
    let ours = |tag: &str| image("checkout", &format!("test/checkout:{tag}"), &Value::Null, &Value::Null);
    let same = apply(&ns, "pintle", false, ours("1")).await;
    let different = apply(&ns, "pintle", false, ours("2")).await;
    println!("same value: {}\nother value: {} {}", same.0, different.0, different.1["message"]);
    assert_eq!((same.0, different.0), (200, 409));
    assert!(different.1["message"].as_str().unwrap().contains("argocd-controller"), "{different:?}");
    assert_eq!(ns.image("deployment/checkout").await, "test/checkout:1");
    let forced = apply(&ns, "pintle", true, ours("2")).await;
    assert_eq!(forced.0, 200);
}

fn waiting(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]["state"]["waiting"]
}

/// What Pintle sends: a fence and an image.
fn image(name: &str, image: &str, uid: &Value, version: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "uid": uid, "resourceVersion": version},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}},
    })
}

/// The status code of an apply and the answer's body.
async fn apply(ns: &Namespace, manager: &str, force: bool, body: Value) -> (u16, Value) {
    let name = body["metadata"]["name"].as_str().unwrap().to_owned();
    let params = PatchParams { force, ..PatchParams::apply(manager) };
    let url = format!("/apis/apps/v1/namespaces/{}/deployments", ns.name);
    let request = Request::new(url).patch(&name, &params, &Patch::Apply(body)).unwrap();
    let response = ns.client.send(request.map(Body::from)).await.unwrap();
    let code = response.status().as_u16();
    (code, serde_json::from_slice(&response.into_body().collect_bytes().await.unwrap()).unwrap())
}

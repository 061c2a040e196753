//! Writes: what they leave as it was, and when they are refused.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use pintle::cluster::{Cluster, ClusterError};
use pintle_core::workload::{PauseAnnotation, StateAnnotation, Workload, WorkloadId, ownership_remedy};
use serde_json::{Value, json};

use super::{Scene, id, scope, state};
use crate::common::limit::EMERGENCY;
use crate::common::namespace::{Namespace, workload};

#[tokio::test]
async fn after_a_write_nothing_but_images_and_the_annotation_is_another() {
    let scene = Scene::new("kube-footprint", &["deployment/checkout"], async |ns: &Namespace| {
        let mut manifest = workload("deployment/checkout", "test/checkout:1", 2);
        let pod = &mut manifest["spec"]["template"]["spec"];
        pod["containers"][0]["env"] = json!([{"name": "A", "value": "b"}]);
        pod["containers"][0]["ports"] = json!([{"containerPort": 80}]);
        pod["containers"].as_array_mut().unwrap().push(json!({"name": "proxy", "image": "envoy:1"}));
        pod["initContainers"] = json!([{"name": "migrate", "image": "test/checkout:1", "command": ["migrate"]}]);
        manifest["metadata"]["annotations"] = json!({"team": "shop"});
        ns.create_as_is("deployment/checkout", manifest).await;
    })
    .await;
    scene.until_settled("deployment/checkout").await;
    let before = scene.ns.get("deployment/checkout").await;
    let mut write = scene.write("deployment/checkout", "2").await;
    write.images.push(("migrate".to_owned(), true, "test/checkout:2".parse().unwrap()));
    let written = scene.kube.write_workload(&write).await.unwrap();

    let after = scene.ns.get("deployment/checkout").await;
    let mut expected = before.clone();
    expected["metadata"]["annotations"][StateAnnotation::ANNOTATION] = json!(state("2").write());
    expected["spec"]["template"]["spec"]["containers"][0]["image"] = json!("test/checkout:2");
    expected["spec"]["template"]["spec"]["initContainers"][0]["image"] = json!("test/checkout:2");
    assert_eq!(comparable(after.clone()), comparable(expected));
    assert_eq!(written.generation, 2);

    // What is recorded later is that and nothing else: no pod is replaced.
    scene.until_settled("deployment/checkout").await;
    let mut write = scene.write("deployment/checkout", "2").await;
    write.images = vec![
        ("app".to_owned(), false, "docker.io/test/checkout:2".parse().unwrap()),
        ("migrate".to_owned(), true, "test/checkout:2".parse().unwrap()),
    ];
    write.state.instance = "other".to_owned();
    let recorded = scene.kube.write_workload(&write).await.unwrap();
    assert_eq!(recorded.generation, 3, "an annotation counts for a Deployment");
    let seen = scene.kube.observe().await.unwrap();
    let health = super::health(&seen, &write.id);
    assert!(health.settled, "what was settled still is: {health:?}");
    let mut expected = after;
    expected["metadata"]["annotations"][StateAnnotation::ANNOTATION] = json!(write.state.write());
    assert_eq!(comparable(scene.ns.get("deployment/checkout").await), comparable(expected));
}

/// Without what every write changes, and what the controllers report.
fn comparable(mut object: Value) -> Value {
    for field in ["managedFields", "resourceVersion", "generation"] {
        object["metadata"][field].take();
    }
    object["status"].take();
    object["metadata"]["annotations"]["deployment.kubernetes.io/revision"].take();
    object
}

#[tokio::test]
async fn a_container_that_a_write_is_no_longer_about_keeps_its_image() {
    let scene = Scene::new("kube-narrower", &["deployment/checkout"], async |ns: &Namespace| {
        let mut manifest = workload("deployment/checkout", "test/checkout:1", 1);
        manifest["spec"]["template"]["spec"]["initContainers"] =
            json!([{"name": "migrate", "image": "test/checkout:1"}]);
        ns.create_as_is("deployment/checkout", manifest).await;
    })
    .await;
    scene.until_settled("deployment/checkout").await;
    let mut write = scene.write("deployment/checkout", "2").await;
    write.images.push(("migrate".to_owned(), true, "test/checkout:2".parse().unwrap()));
    scene.kube.write_workload(&write).await.unwrap();
    scene.until_settled("deployment/checkout").await;
    // Nobody else owns it any more: an apply without it would delete the container.
    remove_other_managers(&scene).await;
    scene.until_settled("deployment/checkout").await;
    scene.apply("deployment/checkout", "3").await;
    let pod = scene.ns.get("deployment/checkout").await["spec"]["template"]["spec"].take();
    assert_eq!(pod["containers"][0]["image"], "test/checkout:3");
    assert_eq!(pod["initContainers"][0]["image"], "test/checkout:2");
}

/// As if the manifest had never set what Pintle applied.
async fn remove_other_managers(scene: &Scene) {
    let mut fields = scene.ns.get("deployment/checkout").await["metadata"]["managedFields"].take();
    fields.as_array_mut().unwrap().retain(|entry| entry["manager"] == "pintle");
    let patch: Patch<Value> = Patch::Json(
        serde_json::from_value(json!([{"op": "replace", "path": "/metadata/managedFields", "value": fields}])).unwrap(),
    );
    let api = scene.ns.api("deployment/checkout");
    api.patch("checkout", &PatchParams::default(), &patch).await.unwrap();
}

#[tokio::test]
async fn a_write_over_what_has_changed_is_stale() {
    let scene = Scene::checkout("kube-stale", 1).await;
    let write = scene.write("deployment/checkout", "2").await;
    scene.ns.set_image("deployment/checkout", "test/checkout:3").await;
    let error = scene.kube.write_workload(&write).await.unwrap_err();
    assert_eq!(error, ClusterError::Conflict(scene.id("deployment/checkout")));
    assert_eq!(scene.ns.image("deployment/checkout").await, "test/checkout:3");
}

#[tokio::test]
async fn a_workload_made_anew_is_another_one_and_one_that_is_gone_stays_gone() {
    let scene = Scene::checkout("kube-anew", 1).await;
    let id = scene.id("deployment/checkout");
    let write = scene.write("deployment/checkout", "2").await;
    scene.ns.delete("deployment/checkout").await;
    // Whether the watch has said so yet or not.
    assert_eq!(scene.kube.write_workload(&write).await, Err(ClusterError::NotFound(id.clone())));
    scene.until("gone", |seen| (!seen.workloads.contains_key(&id)).then_some(())).await;
    assert_eq!(scene.kube.write_workload(&write).await, Err(ClusterError::NotFound(id.clone())));
    assert!(scene.ns.get("deployment/checkout").await.is_null(), "an apply did not create it");

    // The replica set of the one before would be in the way of the next one's, which has its name.
    scene.ns.wait_for_pods("checkout", "gone", <[_]>::is_empty).await;
    scene.ns.run("deployment/checkout", "test/checkout:1", 1).await;
    scene.until_settled("deployment/checkout").await;
    assert_eq!(scene.kube.write_workload(&write).await, Err(ClusterError::NotFound(id)));
    assert_eq!(scene.ns.image("deployment/checkout").await, "test/checkout:1");
}

#[tokio::test]
async fn what_only_a_controller_has_reported_meanwhile_is_written_over() {
    let scene = Scene::checkout("kube-overtaken", 1).await;
    let write = scene.write("deployment/checkout", "2").await;
    let status = json!({"status": {"conditions": [{"type": "Told", "status": "True"}]}});
    let api = scene.ns.api("deployment/checkout");
    api.patch_status("checkout", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    scene.kube.write_workload(&write).await.unwrap();
    assert_eq!(scene.ns.image("deployment/checkout").await, "test/checkout:2");
}

#[tokio::test]
async fn a_container_that_is_not_there_is_not_added() {
    let scene = Scene::checkout("kube-container", 1).await;
    let mut write = scene.write("deployment/checkout", "2").await;
    "web".clone_into(&mut write.images[0].0);
    let error = scene.kube.write_workload(&write).await.unwrap_err();
    let expected =
        format!("deployment/checkout in namespace {}: there is no container web; there are app", scene.ns.name);
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn what_the_server_refuses_is_told_in_its_words() {
    let scene = Scene::checkout("kube-refused", 1).await;
    // A policy of the cluster's: the test is the same for webhooks and quotas.
    deny(&scene.ns, "forbidden-tag").await;
    let deadline = Instant::now() + EMERGENCY;
    let error = loop {
        // Policies come into force a moment later.
        match scene.kube.write_workload(&scene.write("deployment/checkout", "forbidden-tag").await).await {
            Err(ClusterError::Conflict(_)) => {}
            Err(error) => break error,
            Ok(_) => drop(scene.apply("deployment/checkout", "1").await),
        }
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(matches!(error, ClusterError::Rejected { .. }), "{error:?}");
    assert!(error.to_string().contains("this tag is not allowed"), "{error}");
}

async fn deny(ns: &Namespace, tag: &str) {
    let expression = format!("!object.spec.template.spec.containers.exists(c, c.image.endsWith(':{tag}'))");
    let validation = json!({"expression": expression, "message": "this tag is not allowed"});
    ns.admission("Validating", json!({"validations": [validation]}), json!({"validationActions": ["Deny"]})).await;
}

#[tokio::test]
async fn an_annotation_that_is_not_ours_counts_as_none_and_is_replaced() {
    let scene = Scene::checkout("kube-garbage", 1).await;
    let id = scene.id("deployment/checkout");
    for garbage in ["{", "null", "\u{1b}[31m", "{\"schema\":99}", &"x".repeat(100_000)] {
        let patch = json!({"metadata": {"annotations": {StateAnnotation::ANNOTATION: garbage}}});
        let params = PatchParams { field_manager: Some("kubectl-annotate".to_owned()), ..PatchParams::default() };
        scene.ns.api("deployment/checkout").patch("checkout", &params, &Patch::Merge(patch)).await.unwrap();
        let version = scene.ns.get("deployment/checkout").await["metadata"]["resourceVersion"].take();
        let version: u64 = version.as_str().unwrap().parse().unwrap();
        let newer = |workload: &Workload| workload.resource_version.parse::<u64>().unwrap() >= version;
        let seen = scene.until("seen", |seen| seen.workloads.get(&id).filter(|it| newer(it)).cloned()).await;
        assert_eq!(seen.state, None);
    }
    scene.apply("deployment/checkout", "2").await;
    let seen = scene.kube.observe().await.unwrap();
    assert_eq!(seen.workloads[&id].state, Some(state("2")));
}

#[tokio::test]
async fn a_pause_and_its_end_leave_the_state_and_all_else_as_they_are_and_are_fenced() {
    let scene = Scene::checkout("kube-pause", 1).await;
    let id = scene.id("deployment/checkout");
    scene.apply("deployment/checkout", "2").await;
    scene.until_settled("deployment/checkout").await;
    let (before, seen) = (scene.ns.get("deployment/checkout").await, scene.seen(&id).await);
    let at = Timestamp::from_second(1_790_000_000).unwrap();
    let pause = PauseAnnotation { schema: PauseAnnotation::SCHEMA, until: at, reason: None, by: "ada".to_owned(), at };
    scene.kube.set_pause(&id, &seen, Some(&pause)).await.unwrap();
    let mut expected = before.clone();
    expected["metadata"]["annotations"][PauseAnnotation::ANNOTATION] = json!(pause.write());
    assert_eq!(comparable(scene.ns.get("deployment/checkout").await), comparable(expected.clone()));
    let paused = scene.seen(&id).await;
    assert_eq!((paused.pause.as_ref(), paused.state.as_ref()), (Some(&pause), seen.state.as_ref()));

    // Over what has changed since, and over another workload of its name.
    assert_eq!(scene.kube.set_pause(&id, &seen, None).await, Err(ClusterError::Conflict(id.clone())));
    let anew = |seen: &Workload| Workload { uid: "2b1c8b54-0000-0000-0000-000000000000".to_owned(), ..seen.clone() };
    for pause in [None, Some(&pause)] {
        assert_eq!(pause_over(&scene, &id, anew, pause).await, Err(ClusterError::NotFound(id.clone())));
    }

    // A write keeps the pause, and its end keeps what was written, also where an undo has written the pause since.
    scene.until_settled("deployment/checkout").await;
    scene.apply("deployment/checkout", "3").await;
    let annotation = json!({"metadata": {"annotations": {PauseAnnotation::ANNOTATION: PauseAnnotation { at: Timestamp::UNIX_EPOCH, ..pause }.write()}}});
    scene.ns.merge("deployment/checkout", "kubectl-rollout", annotation).await;
    scene.until_settled("deployment/checkout").await;
    pause_over(&scene, &id, Workload::clone, None).await.unwrap();
    let after = scene.ns.get("deployment/checkout").await;
    assert_eq!(after["metadata"]["annotations"][PauseAnnotation::ANNOTATION], Value::Null);
    assert_eq!(after["metadata"]["annotations"][StateAnnotation::ANNOTATION], json!(state("3").write()));
    assert_eq!(after["spec"]["template"]["spec"]["containers"][0]["image"], "test/checkout:3");
}

/// Pauses over what is seen, bent; again where the status changed in between.
async fn pause_over(
    scene: &Scene,
    id: &WorkloadId,
    bend: impl Fn(&Workload) -> Workload,
    pause: Option<&PauseAnnotation>,
) -> Result<(), ClusterError> {
    loop {
        match scene.kube.set_pause(id, &bend(&*scene.seen(id).await), pause).await {
            Err(ClusterError::Conflict(_)) => scene.kube.wait_for_change(Duration::from_secs(1)).await.unwrap(),
            answered => return answered,
        }
    }
}

#[tokio::test]
async fn what_somebody_sets_by_hand_is_seen_with_who_and_when() {
    let scene = Scene::checkout("kube-hand", 1).await;
    let id = scene.id("deployment/checkout");
    scene.apply("deployment/checkout", "2").await;
    scene.until_settled("deployment/checkout").await;
    scene.ns.set_image("deployment/checkout", "test/checkout:1").await;
    let patched = Instant::now();
    let seen = scene
        .until("seen", |seen| {
            (seen.workloads[&id].containers[0].written_image == "test/checkout:1").then(|| seen.workloads[&id].clone())
        })
        .await;
    println!("observed {:?} after the answer to set image", patched.elapsed());
    let manager = &seen.image_managers[0];
    assert_eq!((manager.name.as_str(), manager.applied), ("kubectl-set", false));
    assert_eq!(manager.containers, ["app"]);
    assert!(manager.time.is_some());
    scene.until_settled("deployment/checkout").await;
    // It is taken back without asking.
    scene.apply("deployment/checkout", "2").await;
    scene.until_settled("deployment/checkout").await;
}

#[tokio::test]
async fn only_what_is_asked_for_or_carries_our_state_is_seen() {
    let scene = Scene::new("kube-scope", &["deployment/checkout"], async |ns: &Namespace| {
        ns.run("deployment/checkout", "test/checkout:1", 1).await;
        ns.run("deployment/other", "test/other:1", 1).await;
        ns.run("statefulset/db", "test/db:1", 1).await;
    })
    .await;
    let names = async || {
        let seen = scene.kube.observe().await.unwrap();
        seen.workloads.keys().map(|id| id.workload.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names().await, "deployment/checkout");
    scene.until_settled("deployment/checkout").await;
    scene.apply("deployment/checkout", "2").await;
    let others = [id(&scene.ns, "deployment/other"), id(&scene.ns, "statefulset/db"), id(&scene.ns, "deployment/none")];
    scene.kube.watch_workloads(&scope(&others));
    assert_eq!(names().await, "deployment/checkout deployment/other statefulset/db");
    scene.kube.watch_workloads(&scope(&[]));
    assert_eq!(names().await, "");
}

#[test]
fn every_owner_has_a_way_out() {
    for (manager, word) in [
        ("argocd-controller", "spec.ignoreDifferences"),
        ("kustomize-controller", "spec.ignore"),
        ("helm", "values"),
        ("acme-deployer", "acme-deployer"),
    ] {
        let way = ownership_remedy(manager);
        assert!(way.contains(word), "{manager}: {way}");
    }
}

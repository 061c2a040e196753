//! Rollouts as they are observed, from the write to their end, of all kinds and in all the ways in which they can end.

use std::time::{Duration, Instant};

use pintle::cluster::{Cluster, Observation};
use pintle_core::verify::{ChangeTiming, HealthStatus, Verdict, WorkloadHealth};
use serde_json::{Value, json};

use super::{Scene, words};
use crate::common::namespace::{Namespace, rolled_out, workload};

#[tokio::test]
async fn a_rollout_is_observed_until_it_is_settled() {
    let scene = Scene::checkout("kube-rollout", 2).await;
    let began = Instant::now();
    let written = scene.apply("deployment/checkout", "2").await;
    assert_eq!(written.generation, 2);
    let seen = scene.kube.observe().await.unwrap();
    let workload = &seen.workloads[&scene.id("deployment/checkout")];
    assert_eq!(workload.generation, 2, "never older than the answer to a write of one's own");
    assert_eq!(workload.state, Some(super::state("2")));

    let health = scene.until_settled("deployment/checkout").await;
    println!("settled {:?} after the write", began.elapsed());
    assert_eq!((health.status, health.reason.to_string().as_str()), (HealthStatus::Healthy, "2 pods, available"));
    let seen = scene.kube.observe().await.unwrap();
    assert_eq!(scene.live(&seen, "deployment/checkout"), "test/checkout:2");
    assert!(seen.pods.is_empty(), "pods are looked at only while it is not settled");
}

#[tokio::test]
async fn what_lingers_is_live_until_it_is_gone() {
    let scene = Scene::new("kube-linger", &["deployment/checkout"], async |ns: &Namespace| {
        ns.run("deployment/checkout", "test/checkout:1-linger", 1).await;
    })
    .await;
    scene.until_settled("deployment/checkout").await;
    let began = Instant::now();
    scene.apply("deployment/checkout", "2").await;
    scene.ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    let both = |seen: &_| scene.live(seen, "deployment/checkout") == "test/checkout:1-linger test/checkout:2";
    scene.until("both live", |seen| both(seen).then_some(())).await;
    let health = scene
        .until_health("deployment/checkout", "ending", |health| health.reason.to_string().contains("ending"))
        .await;
    assert_eq!(health.reason.to_string(), "1 pod is still ending");
    scene.until_settled("deployment/checkout").await;
    assert!(began.elapsed() > Duration::from_secs(5), "{:?}", began.elapsed());
    let seen = scene.kube.observe().await.unwrap();
    assert_eq!(scene.live(&seen, "deployment/checkout"), "test/checkout:2");
}

#[tokio::test]
async fn a_broken_image_fails_with_the_pods_words_before_any_limit_and_going_back_heals_it() {
    let scene = Scene::checkout("kube-broken", 2).await;
    scene.apply("deployment/checkout", "2-broken").await;
    // Nothing else can fail it: no limit of time is given.
    let failed = |health: &WorkloadHealth| matches!(health.verdict, Verdict::Fail);
    let health = scene.until_health("deployment/checkout", "failed", failed).await;
    assert_eq!(health.status, HealthStatus::Degraded);
    let expected = "container app: ImagePullBackOff: Back-off pulling image \"test/checkout:2-broken\": ErrImagePull";
    assert!(health.reason.to_string().contains(expected), "{}", health.reason);
    let seen = scene.kube.observe().await.unwrap();
    assert_eq!(scene.live(&seen, "deployment/checkout"), "test/checkout:1 test/checkout:2-broken");

    scene.apply("deployment/checkout", "1").await;
    scene.until_settled("deployment/checkout").await;
}

#[tokio::test]
async fn pods_are_watched_only_for_whoever_asks_for_them() {
    let scene = Scene::checkout("kube-no-pods", 1).await;
    scene.apply("deployment/checkout", "2-broken").await;
    let id = scene.id("deployment/checkout");
    let watched = |seen: &Observation| seen.pods.contains_key(&id);
    for _ in 0..2 {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(1) {
            scene.kube.wait_for_workload_change(Duration::from_millis(100)).await.unwrap();
            assert!(!watched(&scene.kube.observe().await.unwrap()));
        }
        scene.until("pods", |seen| watched(seen).then_some(())).await;
    }
}

#[tokio::test]
async fn a_crash_loop_fails_with_its_restarts_and_its_last_words() {
    let scene = Scene::checkout("kube-crash", 1).await;
    scene.apply("deployment/checkout", "2-crash").await;
    let failed = |health: &WorkloadHealth| matches!(health.verdict, Verdict::Fail);
    let health = scene.until_health("deployment/checkout", "failed", failed).await;
    let said = health.reason.to_string();
    let (_, words) = said.split_once(", ").unwrap();
    assert_eq!(words, "container app: CrashLoopBackOff after 4 restarts: exit code 1");
}

#[tokio::test]
async fn what_becomes_ready_and_then_fails_is_seen_to_fail() {
    let scene = Scene::checkout("kube-later", 1).await;
    scene.apply("deployment/checkout", "2-ready-then-fail").await;
    let failed = |health: &WorkloadHealth| matches!(health.verdict, Verdict::Fail);
    scene.until_health("deployment/checkout", "failed", failed).await;
}

#[tokio::test]
async fn kubernetes_giving_up_is_believed() {
    let scene = Scene::new("kube-deadline", &["deployment/checkout"], async |ns: &Namespace| {
        let mut manifest = workload("deployment/checkout", "test/checkout:1-never-ready", 1);
        manifest["spec"]["progressDeadlineSeconds"] = json!(2);
        ns.create_as_is("deployment/checkout", manifest).await;
    })
    .await;
    let failed = |health: &WorkloadHealth| matches!(health.verdict, Verdict::Fail);
    let health = scene.until_health("deployment/checkout", "failed", failed).await;
    assert_eq!(health.reason.to_string(), "Kubernetes gave up waiting: 0 of 1 pod available");
    // Set back, the old verdict still stands in the status for a moment: it must not count against the new version.
    let written = scene.apply("deployment/checkout", "2").await;
    let id = scene.id("deployment/checkout");
    let change = |seen: &Observation| {
        let workload = &seen.workloads[&id];
        let written = workload.image_managers.iter().find(|manager| manager.name == "pintle").unwrap().time;
        let change = ChangeTiming { written_at: written, timeout: None, now: jiff::Timestamp::now() };
        pintle_core::verify::workload_health(&id, Some(workload), seen.pods.get(&id).map(Vec::as_slice), &change)
    };
    scene
        .until("settled", |seen| {
            let health = change(seen);
            assert!(!matches!(health.verdict, Verdict::Fail), "{health:?} at generation {}", written.generation);
            health.settled.then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_stateful_set_rolls_out_and_its_broken_pod_waits_to_be_deleted() {
    let scene = Scene::new("kube-sts", &["statefulset/db"], async |ns: &Namespace| {
        ns.run("statefulset/db", "test/db:1", 3).await;
    })
    .await;
    scene.until_settled("statefulset/db").await;
    scene.apply("statefulset/db", "2").await;
    assert_eq!(scene.until_settled("statefulset/db").await.reason.to_string(), "3 pods, available");

    scene.apply("statefulset/db", "3-broken").await;
    let failed = |health: &WorkloadHealth| matches!(health.verdict, Verdict::Fail);
    let health = scene.until_health("statefulset/db", "failed", failed).await;
    assert!(health.reason.to_string().starts_with("pod db-2, container app: ImagePullBackOff"), "{}", health.reason);

    scene.apply("statefulset/db", "2").await;
    let waits = |health: &WorkloadHealth| words(health).contains('\n');
    let health = scene.until_health("statefulset/db", "waits for a human", waits).await;
    let expected = format!("kubectl delete pod db-2 -n {}", scene.ns.name);
    assert_eq!(words(&health).lines().last(), Some(expected.as_str()));
    scene.ns.delete("pod/db-2").await;
    scene.until_settled("statefulset/db").await;
}

#[tokio::test]
async fn a_daemon_set_rolls_out() {
    let scene = Scene::new("kube-ds", &["daemonset/agent"], async |ns: &Namespace| {
        ns.run("daemonset/agent", "test/agent:1", 0).await;
    })
    .await;
    scene.until_settled("daemonset/agent").await;
    scene.apply("daemonset/agent", "2").await;
    let health = scene.until_settled("daemonset/agent").await;
    assert_eq!((health.status, health.reason.to_string().as_str()), (HealthStatus::Healthy, "1 pod, available"));
}

#[tokio::test]
async fn on_delete_waits_for_an_operator_pod_by_pod() {
    let scene = Scene::new("kube-ondelete", &["statefulset/db", "daemonset/agent"], async |ns: &Namespace| {
        for (object, replicas) in [("statefulset/db", 2), ("daemonset/agent", 0)] {
            let mut manifest = workload(object, "test/it:1", replicas);
            manifest["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
            ns.create_as_is(object, manifest).await;
        }
    })
    .await;
    for object in ["statefulset/db", "daemonset/agent"] {
        scene.until_settled(object).await;
        scene.apply(object, "2").await;
    }
    let waits = |health: &WorkloadHealth| words(health).contains("\nkubectl delete pod ");
    for left in ["2 pods", "1 pod"] {
        let health = scene
            .until_health("statefulset/db", left, |health| waits(health) && health.reason.to_string().contains(left))
            .await;
        assert_eq!(health.status, HealthStatus::Suspended);
        let seen = scene.kube.observe().await.unwrap();
        assert_eq!(scene.live(&seen, "statefulset/db"), "test/it:1 test/it:2");
        delete_as_told(&scene, &words(&health)).await;
    }
    scene.until_settled("statefulset/db").await;

    let health = scene.until_health("daemonset/agent", "waits", waits).await;
    delete_as_told(&scene, &words(&health)).await;
    scene.until_settled("daemonset/agent").await;
}

async fn delete_as_told(scene: &Scene, words: &str) {
    let command = words.lines().last().unwrap();
    let pod = command.strip_prefix("kubectl delete pod ").unwrap().split(' ').next().unwrap();
    scene.ns.delete(&format!("pod/{pod}")).await;
}

#[tokio::test]
async fn a_partition_waits_for_an_operator() {
    let scene = Scene::new("kube-partition", &["statefulset/db"], async |ns: &Namespace| {
        let mut manifest = workload("statefulset/db", "test/db:1", 3);
        manifest["spec"]["updateStrategy"] = json!({"rollingUpdate": {"partition": 2}});
        ns.create_as_is("statefulset/db", manifest).await;
    })
    .await;
    scene.until_settled("statefulset/db").await;
    scene.apply("statefulset/db", "2").await;
    let waits = |health: &WorkloadHealth| words(health).contains("\nkubectl patch ");
    let health = scene.until_health("statefulset/db", "waits for a human", waits).await;
    assert_eq!(health.reason.to_string(), "waits for an operator: its partition keeps 2 pods on the old revision");
    let command = words(&health).lines().last().unwrap().to_owned();
    let patch: Value = serde_json::from_str(command.split('\'').nth(1).unwrap()).unwrap();
    merge(&scene, "statefulset/db", patch).await;
    scene.until_settled("statefulset/db").await;
}

#[tokio::test]
async fn a_paused_deployment_waits_to_be_resumed() {
    let scene = Scene::checkout("kube-paused", 1).await;
    merge(&scene, "deployment/checkout", json!({"spec": {"paused": true}})).await;
    let paused = |health: &WorkloadHealth| health.status == HealthStatus::Suspended;
    let health = scene.until_health("deployment/checkout", "paused", paused).await;
    assert!(health.settled, "{health:?}");
    scene.apply("deployment/checkout", "2").await;
    let waits = |health: &WorkloadHealth| words(health).contains('\n');
    let health = scene.until_health("deployment/checkout", "waits for a human", waits).await;
    let expected = format!("kubectl rollout resume deployment/checkout -n {}", scene.ns.name);
    assert_eq!(words(&health).lines().last(), Some(expected.as_str()));
    let both = |seen: &_| scene.live(seen, "deployment/checkout") == "test/checkout:1 test/checkout:2";
    scene.until("both live", |seen| both(seen).then_some(())).await;
    merge(&scene, "deployment/checkout", json!({"spec": {"paused": false}})).await;
    scene.until_settled("deployment/checkout").await;
}

#[tokio::test]
async fn scaled_to_zero_and_back() {
    let scene = Scene::checkout("kube-zero", 2).await;
    merge(&scene, "deployment/checkout", json!({"spec": {"replicas": 0}})).await;
    let rests = |health: &WorkloadHealth| health.status == HealthStatus::Suspended;
    let health = scene.until_health("deployment/checkout", "at rest", rests).await;
    assert_eq!((health.settled, health.verdict), (true, Verdict::Pass));
    scene.apply("deployment/checkout", "2").await;
    scene.until_settled("deployment/checkout").await;
    merge(&scene, "deployment/checkout", json!({"spec": {"replicas": 2}})).await;
    let all = |health: &WorkloadHealth| health.settled && health.reason.to_string() == "2 pods, available";
    scene.until_health("deployment/checkout", "all there", all).await;
}

/// A merge patch, as `kubectl patch` sends it.
async fn merge(scene: &Scene, object: &str, patch: Value) {
    let params = kube::api::PatchParams { field_manager: Some("kubectl-patch".to_owned()), ..Default::default() };
    let name = object.split_once('/').unwrap().1;
    scene.ns.api(object).patch(name, &params, &kube::api::Patch::Merge(patch)).await.unwrap();
}

#[tokio::test]
async fn many_at_once_share_a_watch_of_pods_and_are_all_seen() {
    let objects: Vec<_> = (0..12).map(|number| format!("deployment/s{number}")).collect();
    let names: Vec<_> = objects.iter().map(String::as_str).collect();
    let scene = Scene::new("kube-many", &names, async |ns: &Namespace| {
        for object in &names {
            ns.run(object, "test/it:1-never-ready", 1).await;
        }
    })
    .await;
    let all = |seen: &Observation| names.iter().all(|object| scene.live(seen, object) == "test/it:1-never-ready");
    let pods = |seen: &Observation| seen.pods.values().filter(|pods| pods.len() == 1).count();
    scene.until("all looked at", |seen| (all(seen) && pods(seen) == 12).then_some(())).await;
    for object in &names {
        scene.apply(object, "2").await;
    }
    for object in &names {
        scene.until_settled(object).await;
    }
    assert!(scene.kube.observe().await.unwrap().pods.is_empty());
}

use serde_json::{Value, json};

use crate::common::control_plane::ControlPlane;
use crate::common::shop::{Shop, image};

#[tokio::test]
async fn what_only_a_human_can_move_ends_the_run_with_what_to_type() {
    let services = ["statefulset/by-hand 1.0", "statefulset/in-part 1.0", "paused 1.0", "next 1.0", "free 1.0"];
    let shop = Shop::found(ControlPlane::shared(), &services, |name, manifest| match name {
        "by-hand" => manifest["spec"]["updateStrategy"] = json!({"type": "OnDelete"}),
        "in-part" => manifest["spec"]["updateStrategy"] = json!({"rollingUpdate": {"partition": 1}}),
        _ => {}
    })
    .await;
    shop.settle().await;
    shop.ns.merge("deployment/paused", "kubectl", json!({"spec": {"paused": true}})).await;
    let recorder = shop.record().await;
    for name in ["by-hand", "in-part", "paused", "free"] {
        shop.pin(name, "2.0", "");
    }
    shop.pin("next", "2.0", "dependsOn: {by-hand: \">=2.0\", in-part: \">=2.0\", paused: \">=2.0\"}\n")
        .commit("Upgrade all");

    let waits = shop.apply_ends(3).await;
    let ns = &shop.ns.name;
    let commands = [
        format!("kubectl delete pod by-hand-1 -n {ns}"),
        format!(
            "kubectl patch statefulset/in-part -n {ns} -p '{{\"spec\":{{\"updateStrategy\":{{\"rollingUpdate\":{{\"partition\":0}}}}}}}}'"
        ),
        format!("kubectl rollout resume deployment/paused -n {ns}"),
    ];
    for (name, command) in ["by-hand", "in-part", "paused"].iter().zip(&commands) {
        waits.line(&[name, "waits for you", command]);
        waits.result(&[name, "2.0", command]);
    }
    waits.result(&["Not started: next"]);
    assert_eq!(shop.version("free").await, "2.0");

    // Typed.
    let patch = json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}});
    shop.ns.merge("statefulset/in-part", "kubectl-patch", patch).await;
    shop.ns.merge("deployment/paused", "kubectl-rollout", json!({"spec": {"paused": null}})).await;
    shop.ns.delete("pod/by-hand-1").await;
    shop.ns.delete("pod/by-hand-0").await;
    shop.apply().await;
    assert_eq!(shop.version("next").await, "2.0");
    let recording = shop.kept(recorder).await;
    let last_old = ["by-hand", "in-part", "paused"].map(|name| recording.gone(&image(name, "1.0")));
    assert!(last_old.into_iter().max() < Some(recording.first(&image("next", "2.0"))));
}

#[tokio::test]
async fn stateful_sets_and_daemon_sets_keep_the_order_too() {
    let shop = Shop::open(&["statefulset/db 1.0", "daemonset/agent 1.0", "checkout 1.0"]).await;
    let recorder = shop.record().await;
    shop.pin("db", "2.0", "").pin("agent", "2.0 slow", "dependsOn: {db: \">=2.0\"}\n");
    shop.pin("checkout", "2.0", "dependsOn: {agent: \">=2.0\"}\n");
    let upgrade = shop.commit("Upgrade all");
    shop.apply().await;
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("db", "1.0")) < recording.first(&image("agent", "2.0 slow")));
    assert!(recording.gone(&image("agent", "1.0")) < recording.first(&image("checkout", "2.0")));

    let recorder = shop.record().await;
    shop.repo.revert(upgrade);
    shop.apply().await;
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("checkout", "2.0")) < recording.first(&image("agent", "1.0")));
    assert!(recording.gone(&image("agent", "2.0 slow")) < recording.first(&image("db", "1.0")));
}

#[tokio::test]
async fn a_broken_pod_of_a_stateful_set_is_named_with_the_command_that_frees_it() {
    let shop = Shop::open(&["statefulset/db 1.0"]).await;
    shop.pin("db", "2.0 broken", "");
    let upgrade = shop.commit("Upgrade db");
    shop.apply_ends(3).await.result(&["Failed: db 2.0: pod db-1", "ImagePullBackOff"]);
    shop.repo.revert(upgrade);
    // Kubernetes' documented forced rollback: the set waits for the broken pod for ever.
    let stuck = shop.apply_ends(3).await;
    let command = format!("kubectl delete pod db-1 -n {}", shop.ns.name);
    stuck.line(&["db", "waits for you", &command]);
    shop.ns.delete("pod/db-1").await;
    shop.apply().await;
    assert_eq!(shop.version("db").await, "1.0");
}

#[tokio::test]
async fn all_workloads_of_a_service_move_init_containers_too_and_sidecars_stay() {
    let shop = Shop::found(ControlPlane::shared(), &["checkout 1.0", "payments 1.0"], |name, manifest| {
        if name == "checkout" {
            let pod = &mut manifest["spec"]["template"]["spec"];
            pod["initContainers"] = json!([{"name": "migrate", "image": image("checkout", "1.0")}]);
            let sidecar = json!({"name": "proxy", "image": "ghcr.io/other/proxy:7"});
            pod["containers"].as_array_mut().unwrap().insert(0, sidecar);
        }
    })
    .await;
    shop.ns.run("statefulset/checkout-worker", &image("checkout", "1.0"), 2).await;
    shop.settle().await;
    let both = "workloads: [deployment/checkout, statefulset/checkout-worker]\n";
    shop.pin("checkout", "1.0", both).commit("The worker, too");
    let recorder = shop.record().await;
    shop.pin("checkout", "2.0", both)
        .pin("payments", "2.0", "dependsOn: {checkout: \">=2.0\"}\n")
        .commit("Upgrade both");
    shop.apply().await;
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("checkout", "1.0")) < recording.first(&image("payments", "2.0")));
    let pod = shop.ns.get("deployment/checkout").await["spec"]["template"]["spec"].take();
    let images = |list: &str| -> Vec<Value> {
        pod[list].as_array().unwrap().iter().map(|container| container["image"].clone()).collect()
    };
    assert_eq!(images("initContainers"), [image("checkout", "2.0")]);
    assert_eq!(images("containers"), ["ghcr.io/other/proxy:7".to_owned(), image("checkout", "2.0")]);
    assert_eq!(shop.ns.image("statefulset/checkout-worker").await, image("checkout", "2.0"));
}

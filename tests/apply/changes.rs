use std::time::Instant;

use serde_json::{Value, json};

use crate::common::shop::{Shop, image};

#[tokio::test]
async fn a_service_that_is_added_is_adopted_where_its_workload_exists_and_held_where_it_does_not() {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.ns.run("deployment/checkout", &image("checkout", "0.9"), 1).await;
    shop.pin("checkout", "1.0", "").pin("search", "1.0", "").commit("Add two");
    let plan = shop.pintle(&["plan"]).await.ended(4);
    plan.result(&["search", "pinned 1.0, runs nothing"]);
    let held = shop.apply_ends(4).await;
    let words = format!("Held: search 1.0: deployment/search in namespace {} does not exist", shop.ns.name);
    held.result(&[&words, "Pintle creates no workload: apply its manifest first"]);
    assert_eq!(shop.ns.image("deployment/checkout").await, image("checkout", "1.0"));
    assert!(shop.ns.get("deployment/search").await.is_null());

    shop.ns.run("deployment/search", &image("search", "0.1"), 1).await;
    shop.apply().await;
    assert_eq!(shop.ns.image("deployment/search").await, image("search", "1.0"));
}

#[tokio::test]
async fn a_service_that_is_removed_keeps_running_and_is_left_alone() {
    let shop = Shop::open(&["payments 1.0", "checkout 1.0"]).await;
    shop.pin("payments", "1.1", "").pin("checkout", "1.1", "").commit("Upgrade both");
    shop.apply().await;
    let before = shop.ns.written("deployment/checkout").await;
    shop.repo.remove("services/checkout.yaml");
    shop.pin("payments", "1.2", "").commit("Remove checkout");
    let plan = shop.pintle(&["plan"]).await.ended(0);
    assert!(
        plan.result(&["Pinned no more"])
            < plan.result(&[&format!("  deployment/checkout in namespace {}", shop.ns.name)])
    );
    shop.apply().await;
    assert_eq!(shop.ns.written("deployment/checkout").await, before);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "1.2 1.1");
}

#[tokio::test]
async fn a_renamed_service_keeps_its_history_and_its_needs() {
    let shop = Shop::open(&["basket 1.0", "payments 1.0"]).await;
    shop.pin("basket", "1.0", "dependsOn: {payments: \"<2.0\"}\n").commit("Say what basket needs");
    let recorder = shop.record().await;
    shop.repo.remove("services/basket.yaml");
    let text = "formerly: basket\nversion: \"1.1\"\nimage: ghcr.io/acme/basket\nworkloads: [deployment/basket]\n";
    shop.repo.write("services/cart.yaml", text);
    shop.pin("payments", "2.0", "").commit("Rename basket, and upgrade");
    let plan = shop.pintle(&["plan"]).await.ended(0);
    plan.result(&["cart", "1.0 -> 1.1", "upgrade"]);
    plan.result(&["waits until cart 1.0 is gone: it needs payments <2.0"]);
    plan.never("Pinned no more");
    shop.apply().await;
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("basket", "1.0")) < recording.first(&image("payments", "2.0")));
}

#[tokio::test]
async fn a_digest_alone_is_a_change() {
    let shop = Shop::open(&["payments 1.0"]).await;
    let digest = format!("sha256:{}", "ab".repeat(32));
    shop.pin("payments", "1.0", &format!("digest: {digest}\n")).commit("Pin the digest");
    shop.pintle(&["plan"]).await.ended(0).result(&["payments  1.0 -> 1.0@sha256:abababababab  image"]);
    shop.apply().await;
    assert_eq!(shop.ns.image("deployment/payments").await, format!("{}@{digest}", image("payments", "1.0")));
    shop.pin("payments", "1.0", "").commit("Drop the digest");
    shop.apply().await;
    assert_eq!(shop.ns.image("deployment/payments").await, image("payments", "1.0"));
}

#[tokio::test]
async fn a_workload_is_handed_over_from_one_service_to_another_in_one_commit() {
    let shop = Shop::open(&["web 1.0"]).await;
    shop.ns.run("deployment/worker", &image("web", "1.0"), 1).await;
    shop.pin("web", "1.1", "workloads: [deployment/web, deployment/worker]\n").commit("Both are web");
    shop.apply().await;
    shop.pin("web", "1.2", "");
    shop.repo.write("services/worker.yaml", "version: \"3.0\"\nimage: ghcr.io/acme/web\ntag: \"worker-{version}\"\n");
    shop.commit("Split worker off");
    shop.pintle(&["plan"]).await.ended(0).never("Pinned no more");
    shop.apply().await;
    assert_eq!(shop.ns.image("deployment/web").await, image("web", "1.2"));
    assert_eq!(shop.ns.image("deployment/worker").await, "ghcr.io/acme/web:worker-3.0");
}

#[tokio::test]
async fn nothing_but_images_and_the_state_annotation_differs_afterwards() {
    let shop = Shop::open(&["statefulset/db 1.0", "daemonset/agent 1.0", "checkout 1.0"]).await;
    let objects = ["statefulset/db", "daemonset/agent", "deployment/checkout"];
    let bent = json!({
        "metadata": {"labels": {"team": "shop"}, "annotations": {"note": "ours"}},
        "spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}}}},
    });
    let mut before = Vec::new();
    for object in objects {
        shop.ns.merge(object, "kubectl", bent.clone()).await;
    }
    shop.settle().await;
    for object in objects {
        before.push(shop.ns.get(object).await);
    }
    for name in ["db", "agent", "checkout"] {
        shop.pin(name, "2.0", "");
    }
    shop.commit("Upgrade all");
    let began = Instant::now();
    shop.apply().await;
    let took = began.elapsed().as_millis();
    for (object, mut before) in objects.into_iter().zip(before) {
        let mut after = shop.ns.get(object).await;
        let state = after["metadata"]["annotations"]["pintle.dev/state"].take();
        assert!(state.as_str().unwrap().contains(&shop.repo.head().to_hex()), "{state}");
        let noted: Value = serde_json::from_str(state.as_str().unwrap()).unwrap();
        assert!(u128::from(noted["proven"][0]["took_ms"].as_u64().unwrap()) <= took, "{noted}");
        let name = object.split_once('/').unwrap().1;
        assert_eq!(after["spec"]["template"]["spec"]["containers"][0]["image"], image(name, "2.0"));
        for it in [&mut before, &mut after] {
            it["spec"]["template"]["spec"]["containers"][0]["image"].take();
            it["metadata"]["annotations"]["pintle.dev/state"].take();
            // The Deployment controller counts there.
            it["metadata"]["annotations"]["deployment.kubernetes.io/revision"].take();
            it["metadata"]["annotations"]["deprecated.daemonset.template.generation"].take();
            for key in ["managedFields", "resourceVersion", "generation"] {
                it["metadata"][key].take();
            }
            it["status"].take();
        }
        assert_eq!(after, before);
    }
}

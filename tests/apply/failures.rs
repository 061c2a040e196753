use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::control_plane::ControlPlane;
use crate::common::namespace::{Namespace, is_ready};
use crate::common::shop::{Shop, image};

const NEEDS_NEW: &str = "dependsOn: {payments: \">=2.1\"}\n";

#[tokio::test]
async fn what_needs_a_broken_provider_does_not_start_everything_else_does_and_fixing_the_pin_goes_on() {
    let shop = Shop::open(&["payments 2.0.3", "checkout 1.7.9", "inventory 1.0"]).await;
    let recorder = shop.record().await;
    shop.pin("payments", "2.1.0 broken", "").pin("checkout", "1.8.2", NEEDS_NEW).pin("inventory", "1.1", "");
    shop.commit("Upgrade all");
    let broken = shop.apply_ends(3).await;
    let words = "container app: ImagePullBackOff: ghcr.io/acme/payments:2.1.0-broken: not found";
    broken.line(&["payments 2.1.0 failed: pod payments-", words, "not found; not started: checkout"]);
    let failed = broken.result(&["Failed: payments 2.1.0: pod payments-", words]);
    assert!(broken.out.lines().nth(failed).unwrap().ends_with("2.1.0-broken: not found"), "{}", broken.out);
    let status = shop.pintle(&["status", "--exit-code"]).await.ended(3);
    status.result(&["failed: pod payments-", words]);
    status.never("Back-off");
    // Programs get the whole.
    let json = shop.pintle(&["status", "--output", "json"]).await.ended(3);
    json.result(&["Back-off pulling image", "failed to resolve reference"]);
    broken.result(&["Not started: checkout"]);
    broken.result(&["Next: pintle rollback payments, which also holds what failed; or git revert", "pintle apply"]);
    assert_eq!(shop.versions(&["payments", "checkout", "inventory"]).await, "2.1.0-broken 1.7.9 1.1");

    // Nothing has changed: it says the same, and writes nothing.
    let before = shop.ns.written("deployment/payments").await;
    shop.apply_ends(3).await.result(&["Failed: payments 2.1.0: pod"]);
    assert_eq!(shop.ns.written("deployment/payments").await, before);

    shop.pin("payments", "2.1.1", "").commit("Fix payments");
    shop.apply().await;
    assert_eq!(shop.versions(&["payments", "checkout", "inventory"]).await, "2.1.1 1.8.2 1.1");
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("payments", "2.1.0 broken")) < recording.first(&image("checkout", "1.8.2")));
}

#[tokio::test]
async fn a_crashing_upgrade_is_undone_by_git_revert() {
    let shop = Shop::open(&["payments 2.0.3", "checkout 1.7.9"]).await;
    let recorder = shop.record().await;
    shop.pin("payments", "2.1.0 crash", "").pin("checkout", "1.8.2", NEEDS_NEW);
    let upgrade = shop.commit("Upgrade both");
    let broken = shop.apply_ends(3).await;
    broken.result(&["Failed: payments 2.1.0: pod", "container app: CrashLoopBackOff after 4 restarts: exit code 1"]);
    shop.repo.revert(upgrade);
    let back = shop.apply().await;
    back.line(&["payments 2.0.3 verified"]);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0.3 1.7.9");
    let recording = shop.kept(recorder).await;
    assert!(recording.never(&image("checkout", "1.8.2")));
}

#[tokio::test]
async fn a_consumer_that_is_ready_only_beside_its_provider_goes_back_with_it() {
    let (shop, payments) = shop_with_readiness("Recreate").await;
    let upgrade = upgraded(&shop).await;
    let recorder = shop.record().await;
    payments.store(false, Ordering::SeqCst);
    wait_for_unready(&shop.ns, "checkout").await;
    shop.repo.revert(upgrade);
    let mut back = shop.start_apply();
    // The consumer's successor is not healthy, and cannot be: its predecessor is gone, and that is enough.
    back.says(&["checkout 1.8.2 gone"]).await;
    back.says(&["payments 2.0.3 starting"]).await;
    payments.store(true, Ordering::SeqCst);
    back.end().await.ended(0);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0.3 1.7.9");
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("checkout", "1.8.2")) < recording.first(&image("payments", "2.0.3")));
}

#[tokio::test]
async fn a_provider_that_is_down_is_repaired_although_its_consumers_cannot_leave_before() {
    let (shop, payments) = shop_with_readiness("RollingUpdate").await;
    let upgrade = upgraded(&shop).await;
    payments.store(false, Ordering::SeqCst);
    wait_for_unready(&shop.ns, "checkout").await;
    for pod in shop.ns.pods("payments").await {
        shop.ns.crash(pod["metadata"]["name"].as_str().unwrap()).await;
    }
    shop.repo.revert(upgrade);
    let mut back = shop.start_apply();
    back.says(&["payments 2.0.3 starting"]).await;
    payments.store(true, Ordering::SeqCst);
    back.end().await.ended(0);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0.3 1.7.9");
}

/// A shop in which payments is ready as long as the switch is on, and checkout as long as any pod of payments is.
async fn shop_with_readiness(strategy: &str) -> (Shop, Arc<AtomicBool>) {
    let services = ["payments 2.0.3", "checkout 1.7.9"];
    let shop = Shop::found(ControlPlane::shared(), &services, |name, manifest| {
        manifest["spec"]["template"]["metadata"]["annotations"] = json!({"pintle.test/ready": "by-hand"});
        if name == "checkout" {
            manifest["spec"]["strategy"] = json!({"type": strategy});
        }
    })
    .await;
    let payments = Arc::new(AtomicBool::new(true));
    let ns = Namespace { name: shop.ns.name.clone(), client: shop.ns.client.clone() };
    tokio::spawn(probe(ns, Arc::clone(&payments)));
    shop.settle().await;
    (shop, payments)
}

/// What kubelets do; ends with the test.
async fn probe(ns: Namespace, payments: Arc<AtomicBool>) {
    loop {
        let crashes = |pod: &Value| pod["status"]["containerStatuses"][0]["state"]["waiting"].is_object();
        let pods = ns.pods("payments").await;
        set_ready(&ns, pods.iter().filter(|pod| !crashes(pod)), payments.load(Ordering::SeqCst)).await;
        let any = ns.pods("payments").await.iter().any(is_ready);
        set_ready(&ns, ns.pods("checkout").await.iter(), any).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn set_ready(ns: &Namespace, pods: impl Iterator<Item = &Value>, ready: bool) {
    for pod in pods.filter(|pod| pod["status"]["phase"] == "Running" && is_ready(pod) != ready) {
        ns.set_ready(pod["metadata"]["name"].as_str().unwrap(), ready).await;
    }
}

/// Upgrades both, and gives the commit.
async fn upgraded(shop: &Shop) -> pintle_core::git::CommitId {
    shop.pin("payments", "2.1.0", "").pin("checkout", "1.8.2", NEEDS_NEW);
    let upgrade = shop.commit("Upgrade both");
    shop.apply().await;
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.1.0 1.8.2");
    upgrade
}

async fn wait_for_unready(ns: &Namespace, app: &str) {
    ns.wait_for_pods(app, "unready", |pods| !pods.iter().any(is_ready)).await;
}

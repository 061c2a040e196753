use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::control_plane::ControlPlane;
use crate::common::proxy::fault::{Fault, Kind, Rule};
use crate::common::proxy::{Call, Proxy};
use crate::common::shop::Shop;

const NAMES: [&str; 5] = ["base", "free", "left", "right", "top"];

/// Five services of one pod in three stages, behind a proxy.
async fn shop_behind_a_proxy() -> (Shop, Proxy) {
    let services = NAMES.map(|name| format!("{name} 1.0"));
    let one = |_: &str, manifest: &mut Value| manifest["spec"]["replicas"] = json!(1);
    let mut shop = Shop::found(ControlPlane::shared(), &services.each_ref().map(String::as_str), one).await;
    shop.settle().await;
    let proxy = Proxy::before(ControlPlane::shared());
    shop.connect(proxy.kubeconfig());
    (shop, proxy)
}

/// Upgrades all five: each needs the new version of those below it.
fn upgrade(shop: &Shop) {
    shop.pin("base", "2.0", "").pin("free", "2.0", "");
    shop.pin("left", "2.0", "dependsOn: {base: \">=2.0\"}\n").pin("right", "2.0", "dependsOn: {base: \">=2.0\"}\n");
    shop.pin("top", "2.0", "dependsOn: {left: \">=2.0\", right: \">=2.0\"}\n").commit("Upgrade all");
}

/// How often each workload was written.
fn writes(calls: &[Call]) -> BTreeMap<&str, usize> {
    let mut writes = BTreeMap::new();
    for call in calls.iter().filter(|call| call.is_write() && !call.is_lease() && call.code == Some(200)) {
        *writes.entry(call.path.rsplit_once('/').unwrap().1).or_default() += 1;
    }
    writes
}

#[tokio::test]
async fn a_change_takes_three_requests_and_in_sync_there_is_no_write() {
    let (shop, proxy) = shop_behind_a_proxy().await;
    upgrade(&shop);
    shop.apply().await;
    proxy.take();
    shop.repo.revert(shop.repo.head());
    shop.apply().await;
    let (lease, calls): (Vec<_>, Vec<_>) = proxy.take().into_iter().partition(Call::is_lease);
    assert_eq!(writes(&calls), NAMES.map(|name| (name, 2)).into(), "{calls:#?}");
    // Read, taken, let go; renewed every two seconds.
    assert!(lease.len() >= 3, "{lease:#?}");
    // One for the version, one for the watch of all Deployments; then a write, a watch of pods and a record each.
    assert!(calls.len() <= 2 + 3 * NAMES.len(), "{calls:#?}");

    // Its controllers have looked at what was recorded.
    shop.settle().await;
    let before = shop.ns.written("deployment/top").await;
    shop.apply().await.result(&["In sync"]);
    let calls = proxy.take();
    assert_eq!(calls.iter().map(|call| call.method.as_str()).collect::<Vec<_>>(), ["GET", "GET"], "{calls:#?}");
    assert_eq!(shop.ns.written("deployment/top").await, before);
}

#[tokio::test]
async fn killed_before_any_call_the_next_run_ends_the_same_without_a_further_write() {
    killed_at_every_call(Kind::Any, Fault::KillBefore).await;
}

#[tokio::test]
async fn killed_after_any_write_the_next_run_ends_the_same_without_a_further_write() {
    killed_at_every_call(Kind::Write, Fault::KillAfter).await;
}

/// A rollout forwards, the next one back, and so on, each killed one call later, until one comes to its end. All are
/// rollouts of workloads that were never written before: each begins with the questions for their owners.
async fn killed_at_every_call(kind: Kind, fault: Fault) {
    let (shop, proxy) = shop_behind_a_proxy().await;
    let recorder = shop.record().await;
    upgrade(&shop);
    for number in 0.. {
        proxy.set(Some(Rule { kind, number, fault, lasts: Duration::ZERO }));
        let code = proxy.start(|| shop.start_apply()).ended().await;
        let mut calls = proxy.take();
        if code == Some(0) {
            assert!(number >= 2 * NAMES.len(), "{number} calls are too few to be true");
            break;
        }
        assert_eq!(code, None, "killed at call {number}");
        // As if it had run out: that takes a quarter of a minute each time.
        shop.ns.delete_lease().await;
        shop.apply().await;
        calls.extend(proxy.take());
        assert_eq!(writes(&calls), NAMES.map(|name| (name, 2)).into(), "killed at call {number}: {calls:#?}");
        let version = if number % 2 == 0 { "2.0" } else { "1.0" };
        for name in NAMES {
            let object = format!("deployment/{name}");
            let annotation = shop.ns.get(&object).await["metadata"]["annotations"]["pintle.dev/state"].take();
            let state: Value = serde_json::from_str(annotation.as_str().unwrap()).unwrap();
            let expected = (json!(version), json!(shop.repo.head().to_hex()));
            assert_eq!((state["version"].clone(), state["commit"].clone()), expected, "killed at call {number}");
            let proven = &state["proven"][0];
            assert_eq!((proven["version"].clone(), proven["commit"].clone()), expected, "killed at call {number}");
            let forget = json!({"metadata": {"annotations": {"pintle.dev/state": null}}});
            shop.ns.merge(&object, "kubectl-annotate", forget).await;
        }
        shop.repo.revert(shop.repo.head());
    }
    shop.kept(recorder).await;
}

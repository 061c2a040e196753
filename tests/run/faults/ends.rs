//! A run that is told to end in mid-rollout, and watches that say nothing while others write.

use std::time::{Duration, Instant};

use crate::common::control_plane::ControlPlane;
use crate::common::limit::EMERGENCY;
use crate::common::proxy::Proxy;
use crate::common::proxy::fault::{Fault, Kind, Rule, Twist};
use crate::common::running::Running;
use crate::common::shop::{Shop, image};

pub(super) async fn behind_a_proxy(services: &[&str]) -> (Shop, Proxy, Running) {
    let mut shop = Shop::open(services).await;
    let proxy = Proxy::before(ControlPlane::shared());
    shop.connect(proxy.kubeconfig());
    let mut run = proxy.start(|| shop.start(&["run"]));
    run.says(&["\"event\":\"inSync\""]).await;
    (shop, proxy, run)
}

#[tokio::test]
async fn told_to_end_in_mid_rollout_it_starts_nothing_more_and_lets_go_of_the_lease() {
    let (shop, proxy, mut run) = behind_a_proxy(&["payments 1.0", "checkout 1.0"]).await;
    let needs = "dependsOn: {payments: \">=2.0\"}\n";
    shop.pin("payments", "2.0 slow", "").pin("checkout", "2.0", needs).commit("Upgrade both");
    run.says(&["\"event\":\"newStarting\"", "payments"]).await;
    run.terminate();
    let said = run.end().await.ended(0);
    said.line(&["\"event\":\"stopping\""]);
    // It did not wait for what had begun either.
    said.never("\"event\":\"verified\"");
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0-slow 1.0");
    let last = proxy.take().pop().unwrap();
    assert!(last.is_lease() && last.method == "PUT", "{last:?}");
    let holder = shop.ns.lease().await["spec"]["holderIdentity"].take();
    assert!(holder.as_str().unwrap_or_default().is_empty(), "nobody waits for it: {holder}");
    let mut next = shop.start(&["run"]);
    next.says(&["\"event\":\"verified\"", "checkout"]).await;
}

#[tokio::test]
async fn told_to_end_while_the_server_is_silent_it_ends_in_the_grace_time_and_told_twice_at_once() {
    for (kind, version) in [(Kind::Any, "2.0"), (Kind::Question, "3.0")] {
        let (shop, proxy, run) = behind_a_proxy(&["payments 1.0"]).await;
        proxy.set(Some(Rule { kind, number: 0, fault: Fault::Silence, lasts: EMERGENCY }));
        shop.pin("payments", version, "").commit("Upgrade payments");
        proxy.strikes().await;
        let (before, began) = (proxy.calls().len(), Instant::now());
        run.terminate();
        run.end().await.ended(0);
        println!("{kind:?}: it ended after {:?}", began.elapsed());
        // It waits for answers, ten seconds each, which takes no processor; kubelets wait for thirty.
        assert!(began.elapsed() < Duration::from_secs(30), "{kind:?}: {:?}", began.elapsed());
        let after = proxy.calls().split_off(before);
        assert!(!after.iter().any(|call| Kind::Patch.takes(call)), "{kind:?}: {after:#?}");
    }
    let (shop, proxy, mut run) = behind_a_proxy(&["payments 1.0"]).await;
    proxy.set(Some(Rule { kind: Kind::Any, number: 0, fault: Fault::Silence, lasts: EMERGENCY }));
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    proxy.strikes().await;
    // Two that come at once are one.
    while !run.is_over() {
        run.terminate();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    run.end().await.ended(143);
}

#[tokio::test]
async fn a_watch_that_hides_what_others_wrote_is_found_out_by_the_first_write() {
    let mut shop = Shop::open(&["payments 1.0"]).await;
    let proxy = Proxy::before(ControlPlane::shared());
    shop.connect(proxy.kubeconfig());
    let fault = Fault::Event(0, Twist::Silence);
    proxy.set(Some(Rule { kind: Kind::Workloads, number: 0, fault, lasts: Duration::ZERO }));
    let mut run = proxy.start(|| shop.start(&["run"]));
    run.says(&["\"event\":\"inSync\""]).await;
    shop.ns.set_image("deployment/payments", &image("payments", "9.9")).await;
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    run.says(&["\"event\":\"verified\"", "2.0"]).await;
    assert_eq!(proxy.hits(), 1);
    let calls = proxy.take();
    let refused = calls.iter().filter(|call| call.code == Some(409)).count();
    assert!((1..6).contains(&refused), "{calls:#?}");
}

#[tokio::test]
async fn a_workload_that_is_deleted_and_made_anew_in_mid_rollout_is_not_made_by_pintle_and_goes_on() {
    let (shop, _proxy, mut run) = behind_a_proxy(&["payments 1.0", "checkout 1.0"]).await;
    let needs = "dependsOn: {payments: \">=2.0\"}\n";
    shop.pin("payments", "2.0 never-ready", "").pin("checkout", "2.0", needs).commit("Upgrade both");
    run.says(&["\"event\":\"newStarting\"", "payments"]).await;
    shop.ns.delete("deployment/payments").await;
    run.says(&["\"event\":\"held\"", "does not exist"]).await;
    assert!(shop.ns.get("deployment/payments").await.is_null());
    shop.ns.run("deployment/payments", &image("payments", "1.0"), 1).await;
    shop.pin("payments", "2.0", "").commit("Mend payments");
    run.says(&["\"event\":\"verified\"", "checkout"]).await;
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0 2.0");
}

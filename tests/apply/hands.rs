use crate::common::shop::{Shop, image};

const NEEDS_NEW: &str = "dependsOn: {payments: \">=2.1\"}\n";

/// What people do by hand is corrected at once.
const NO_GRACE: &str = "drift: {handGrace: 0s}\n";

/// A shop whose upgrade takes a few seconds: payments is slow, and checkout waits for it.
async fn slow_shop() -> Shop {
    let shop = Shop::open(&["payments 2.0.3", "checkout 1.7.9"]).await;
    shop.settings(NO_GRACE)
        .pin("payments", "2.1.0 slow", "")
        .pin("checkout", "1.8.2", NEEDS_NEW)
        .commit("Upgrade both");
    shop
}

/// A shop whose upgrade goes the other way round: checkout is slow, and payments waits until its old version is gone.
async fn shop_with_a_slow_consumer() -> Shop {
    let shop = Shop::open(&["payments 2.0.3", "checkout 1.7.9"]).await;
    shop.settings(NO_GRACE)
        .pin("checkout", "1.7.9", "dependsOn: {payments: \"<2.1\"}\n")
        .commit("Say what checkout needs");
    shop.pin("checkout", "1.8.2 slow", "dependsOn: {payments: \">=2.0\"}\n")
        .pin("payments", "2.1.0", "")
        .commit("Upgrade");
    shop
}

#[tokio::test]
async fn a_rollout_undo_in_mid_rollout_is_corrected_and_nothing_forbidden_runs() {
    let shop = slow_shop().await;
    let recorder = shop.record().await;
    let mut apply = shop.start_apply();
    apply.says(&["payments 2.1.0 starting"]).await;
    shop.ns.rollout_undo("payments").await;
    apply.end().await.ended(0);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.1.0-slow 1.8.2");

    // Once more, where the annotation of an earlier rollout comes back with the old template.
    shop.pin("payments", "2.2.0 slow", "")
        .pin("checkout", "1.9.0", "dependsOn: {payments: \">=2.2\"}\n")
        .commit("Again");
    let mut apply = shop.start_apply();
    apply.says(&["payments 2.2.0 starting"]).await;
    shop.ns.rollout_undo("payments").await;
    apply.end().await.ended(0);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.2.0-slow 1.9.0");
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("payments", "2.1.0 slow")) < recording.first(&image("checkout", "1.9.0")));
}

#[tokio::test]
async fn a_rollout_undo_of_a_consumer_keeps_its_provider_waiting() {
    let shop = shop_with_a_slow_consumer().await;
    let recorder = shop.record().await;
    let mut apply = shop.start_apply();
    apply.says(&["checkout 1.8.2 starting"]).await;
    shop.ns.wait_for_pods("checkout", "a new one", |pods| pods.len() > 2).await;
    shop.ns.rollout_undo("checkout").await;
    apply.end().await.ended(0);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.1.0 1.8.2-slow");
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("checkout", "1.7.9")) < recording.first(&image("payments", "2.1.0")));
}

#[tokio::test]
async fn an_undo_after_the_rollout_is_drift_that_the_next_apply_corrects() {
    let shop = slow_shop().await;
    shop.apply().await;
    shop.pin("payments", "2.2.0", "").commit("Upgrade payments");
    shop.apply().await;
    shop.ns.rollout_undo("payments").await;
    let plan = shop.pintle(&["plan"]).await.ended(0);
    plan.result(&["~ payments", "2.1.0", "-> 2.2.0"]);
    shop.apply().await;
    assert_eq!(shop.version("payments").await, "2.2.0");
}

#[tokio::test]
async fn an_image_set_by_hand_in_mid_rollout_is_corrected_before_anything_depends_on_it() {
    let shop = slow_shop().await;
    let recorder = shop.record().await;
    let mut apply = shop.start_apply();
    apply.says(&["payments 2.1.0 starting"]).await;
    shop.ns.set_image("deployment/payments", "ghcr.io/acme/payments:by-hand").await;
    apply.end().await.ended(0);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.1.0-slow 1.8.2");
    let recording = shop.kept(recorder).await;
    // It may have been corrected before a pod of it was made.
    let by_hand = "ghcr.io/acme/payments:by-hand";
    assert!(recording.never(by_hand) || recording.gone(by_hand) < recording.first(&image("checkout", "1.8.2")));
}

#[tokio::test]
async fn a_service_scaled_to_nothing_and_back_in_mid_rollout_arrives() {
    let shop = shop_with_a_slow_consumer().await;
    let recorder = shop.record().await;
    let mut apply = shop.start_apply();
    apply.says(&["checkout 1.8.2 starting"]).await;
    shop.ns.scale("deployment/checkout", 0).await;
    shop.ns.wait_for_pods("checkout", "gone", <[_]>::is_empty).await;
    // Nothing of checkout runs, so nothing keeps payments back.
    apply.says(&["payments 2.1.0 starting"]).await;
    shop.ns.scale("deployment/checkout", 2).await;
    apply.end().await.ended(0);
    shop.apply().await;
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.1.0 1.8.2-slow");
    shop.kept(recorder).await;
    let annotations = shop.ns.get("deployment/checkout").await["metadata"]["annotations"].take();
    assert!(annotations["pintle.dev/state"].as_str().unwrap().contains("\"proven\":[{"), "{annotations}");
}

#[tokio::test]
async fn ctrl_c_starts_nothing_more_says_where_everything_stands_and_the_next_run_goes_on() {
    let shop = slow_shop().await;
    let recorder = shop.record().await;
    let mut apply = shop.start_apply();
    apply.says(&["payments 2.1.0 starting"]).await;
    apply.interrupt();
    let stopped = apply.end().await.ended(1);
    stopped.result(&["Stopped: nothing more starts", "pintle apply"]);
    stopped.result(&["Under way: payments 2.1.0"]);
    stopped.result(&["Not started: checkout"]);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.1.0-slow 1.7.9");
    let status = shop.pintle(&["status"]).await.ended(0);
    status.result(&["waits until payments 2.0.3 is gone: checkout 1.8.2 needs payments >=2.1"]);
    shop.pintle(&["status", "checkout", "--exit-code"]).await.ended(2);

    let on = shop.apply().await;
    on.never("payments 2.1.0 starting");
    on.line(&["payments 2.1.0", "verified"]);
    shop.pintle(&["status", "--exit-code"]).await.ended(0);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.1.0-slow 1.8.2");
    shop.kept(recorder).await;
}

#[tokio::test]
async fn a_commit_in_mid_rollout_is_where_the_next_run_goes() {
    let shop = slow_shop().await;
    let recorder = shop.record().await;
    let mut apply = shop.start_apply();
    apply.says(&["payments 2.1.0 starting"]).await;
    shop.pin("payments", "2.2.0", "").pin("checkout", "1.9.0", "dependsOn: {payments: \">=2.2\"}\n").commit("Newer");
    apply.interrupt();
    apply.end().await.ended(1);
    shop.apply().await;
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.2.0 1.9.0");
    let recording = shop.kept(recorder).await;
    assert!(recording.never(&image("checkout", "1.8.2")), "it was superseded before it could start");
}

use serde_json::Value;

use super::story::start;
use crate::common::rights::{grant, impersonating};
use crate::common::shop::Shop;

#[tokio::test]
async fn a_second_run_stands_by_and_takes_over_at_once_from_one_that_is_told_to_end() {
    let shop = Shop::open(&["payments 1.0"]).await;
    let first = start(&shop).await;
    let mut second = shop.start(&["run"]);
    second.says(&["\"event\":\"standsBy\"", &format!("pid {}", first.pid())]).await;
    let held = shop.ns.lease().await;
    first.terminate();
    let printed = first.end().await.ended(0);
    printed.line(&["\"event\":\"stopping\""]);
    assert!(printed.line(&["\"event\":\"leads\""]) < printed.line(&["\"event\":\"inSync\""]), "{}", printed.err);
    // It was let go, so that nobody waits until it runs out.
    assert_ne!(shop.ns.lease().await["spec"]["holderIdentity"], held["spec"]["holderIdentity"]);
    second.says(&["\"event\":\"leads\""]).await;
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    second.says(&["\"event\":\"verified\"", "payments"]).await;
}

#[tokio::test]
async fn a_run_that_was_killed_is_succeeded_when_its_lease_of_fifteen_seconds_has_run_out() {
    let shop = Shop::open(&["payments 1.0"]).await;
    let first = start(&shop).await;
    let mut second = shop.start(&["run"]);
    second.says(&["\"event\":\"standsBy\""]).await;
    // Killed.
    drop(first);
    assert_eq!(shop.ns.lease().await["spec"]["leaseDurationSeconds"], 15);
    second.says(&["\"event\":\"leads\""]).await;
}

#[tokio::test]
async fn apply_beside_a_run_says_who_writes_and_follows_what_that_does() {
    let shop = Shop::open(&["payments 1.0"]).await;
    let run = start(&shop).await;
    shop.pin("payments", "2.0 slow", "").commit("Upgrade payments");
    let printed = shop.apply().await;
    printed.line(&[&format!("pid {}", run.pid()), "is the one writer"]);
    printed.line(&["payments 2.0 verified"]);
    printed.result(&["In sync"]);
}

#[tokio::test]
async fn apply_with_a_name_beside_a_run_ends_with_that_service_and_says_nothing_of_others() {
    let shop = Shop::open(&["payments 1.0", "checkout 1.0"]).await;
    let mut run = start(&shop).await;
    shop.pin("payments", "2.0 slow", "").pin("checkout", "2.0 never-ready", "").commit("Upgrade both");
    run.says(&["\"event\":\"newStarting\"", "checkout"]).await;
    let printed = shop.pintle(&["apply", "--yes", "payments"]).await.ended(0);
    printed.line(&["is the one writer"]);
    printed.result(&["In sync: what was asked for runs what is pinned"]);
    assert!(!printed.out.contains("checkout"), "{}", printed.out);
    assert_eq!(shop.version("payments").await, "2.0-slow");
}

#[tokio::test]
async fn the_role_that_is_shipped_is_enough_to_run() {
    let mut shop = Shop::open(&["payments 1.0"]).await;
    let role: Value = serde_yaml::from_str(include_str!("../../deploy/role.yaml")).unwrap();
    grant(&shop.ns, "grace", role["rules"].clone()).await;
    shop.connect(&impersonating("grace"));
    let mut run = start(&shop).await;
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    run.says(&["\"event\":\"verified\"", "payments"]).await;
    shop.pintle(&["status"]).await.ended(0);
}

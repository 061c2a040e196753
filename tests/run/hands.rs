use std::time::{Duration, Instant};

use serde_json::Value;

use super::story::{start, start_with};
use crate::common::git_http::GitServer;
use crate::common::limit::EMERGENCY;
use crate::common::shop::{Shop, image};

/// Payments was pinned at 1.0, then at 2.0, which a run keeps.
async fn upgraded_shop(settings: &str) -> Shop {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.settings(settings).pin("payments", "2.0", "").commit("Upgrade payments");
    shop
}

fn runs(version: &str) -> impl Fn(&Value) -> bool {
    let image = image("payments", version);
    move |object| object["spec"]["template"]["spec"]["containers"][0]["image"] == *image
}

#[tokio::test]
async fn an_undo_stands_for_the_grace_and_is_corrected_when_that_is_over() {
    let shop = upgraded_shop("drift: {handGrace: 8s}\n").await;
    let mut run = start(&shop).await;
    run.says(&["\"event\":\"inSync\""]).await;
    let undone = Instant::now();
    shop.ns.rollout_undo("payments").await;
    run.says(&["\"event\":\"held\"", "payments pinned 2.0, runs 1.0: by hand (kubectl-rollout)"]).await;
    let said = run.said();
    let line = said.lines().find(|line| line.contains("by hand (kubectl-rollout)")).unwrap();
    let held = said.find(line).unwrap() + line.len();
    shop.ns.wait("deployment/payments", "corrected", runs("2.0")).await;
    // Times of writes are whole seconds.
    assert!(undone.elapsed() > Duration::from_secs(7), "{:?}", undone.elapsed());
    // The rollout is told as any other is.
    let deadline = Instant::now() + EMERGENCY;
    while !run.said()[held..].contains("\"event\":\"verified\"") {
        assert!(Instant::now() < deadline, "{}", run.said());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let said = run.said()[held..].to_owned();
    let lines = said.lines().filter(|line| line.contains("\"service\":\"payments\""));
    let events: Vec<_> = lines.filter_map(|line| line.split("\"event\":\"").nth(1)?.split('"').next()).collect();
    assert_eq!(events, ["targetFound", "newStarting", "oldStopping", "oldGone", "verified"], "{said}");
}

#[tokio::test]
async fn a_hand_that_takes_back_what_was_corrected_is_not_fought_until_the_pin_moves() {
    let shop = upgraded_shop("").await;
    let mut run = start(&shop).await;
    run.says(&["\"event\":\"inSync\""]).await;
    let by_hand = image("payments", "by-hand");
    shop.ns.set_image("deployment/payments", &by_hand).await;
    shop.ns.wait("deployment/payments", "corrected", runs("2.0")).await;
    shop.ns.set_image("deployment/payments", &by_hand).await;
    run.says(&["\"event\":\"held\"", "contended: kubectl-set has taken the image of deployment/payments back twice"])
        .await;
    let generation = async || shop.ns.get("deployment/payments").await["metadata"]["generation"].take();
    let contended = generation().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(generation().await, contended, "nothing was written");
    shop.pin("payments", "3.0", "").commit("Pin what mends it");
    shop.ns.wait("deployment/payments", "the new pin", runs("3.0")).await;
}

#[tokio::test]
async fn apply_with_a_name_ends_the_grace_also_where_a_run_is_the_one_writer() {
    let shop = upgraded_shop("").await;
    let mut run = start(&shop).await;
    run.says(&["\"event\":\"inSync\""]).await;
    shop.ns.rollout_undo("payments").await;
    run.says(&["\"event\":\"held\"", "End it: pintle apply payments"]).await;
    assert_eq!(shop.version("payments").await, "1.0");
    let apply = shop.pintle(&["apply", "--yes", "payments"]).await.ended(0);
    apply.line(&["is the one writer"]);
    assert_eq!(shop.version("payments").await, "2.0");
}

#[tokio::test]
async fn a_run_writes_back_a_pause_that_an_undo_drops_and_goes_by_its_end() {
    let shop = upgraded_shop("drift: {handGrace: 0s}\n").await;
    let mut run = start(&shop).await;
    run.says(&["\"event\":\"inSync\""]).await;
    shop.pintle(&["pause", "payments", "--for", "1h"]).await.ended(0);
    // The run hears of it by its watch, which nothing shows outside.
    tokio::time::sleep(Duration::from_secs(1)).await;
    shop.ns.rollout_undo("payments").await;
    let annotated = |object: &Value| object["metadata"]["annotations"]["pintle.dev/pause"].is_string();
    shop.ns.wait("deployment/payments", "paused again", annotated).await;
    run.says(&["\"event\":\"held\"", "paused by Ada until"]).await;
    assert_eq!(shop.version("payments").await, "1.0");
    shop.pintle(&["resume", "payments"]).await.ended(0);
    shop.ns.wait("deployment/payments", "corrected", runs("2.0")).await;
}

#[tokio::test]
async fn a_run_that_stands_by_knows_the_pauses_that_are_given_meanwhile() {
    let shop = upgraded_shop("drift: {handGrace: 0s}\n").await;
    let mut first = start(&shop).await;
    first.says(&["\"event\":\"inSync\""]).await;
    let mut second = shop.start(&["run"]);
    second.says(&["\"event\":\"standsBy\""]).await;
    shop.pintle(&["pause", "payments", "--for", "1h"]).await.ended(0);
    // Both hear of it by their watches, which nothing shows outside.
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Killed.
    drop(first);
    shop.ns.rollout_undo("payments").await;
    second.says(&["\"event\":\"leads\""]).await;
    let annotated = |object: &Value| object["metadata"]["annotations"]["pintle.dev/pause"].is_string();
    shop.ns.wait("deployment/payments", "paused again", annotated).await;
    second.says(&["\"event\":\"held\"", "paused by Ada until"]).await;
    assert_eq!(shop.version("payments").await, "1.0");
}

#[tokio::test]
async fn a_pin_that_is_pushed_after_an_undo_is_applied_at_once_also_where_it_was_committed_before() {
    let shop = upgraded_shop("").await;
    let (_server, url) = GitServer::of(&shop.repo);
    let mut run = start_with(&shop, &["--repo", &url, "--dangerous-plain-http", "--interval", "1s"]).await;
    run.says(&["\"event\":\"inSync\""]).await;
    shop.pin("payments", "3.0", "").commit("Upgrade payments again");
    // Times of commits and of moves are whole seconds.
    tokio::time::sleep(Duration::from_secs(2)).await;
    shop.ns.rollout_undo("payments").await;
    run.says(&["\"event\":\"held\"", "payments pinned 2.0, runs 1.0: by hand (kubectl-rollout)"]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    shop.repo.git(&["push", "--quiet", "origin", "main"]);
    run.says(&["\"event\":\"verified\"", "\"version\":\"3.0\""]).await;
}

use std::time::Duration;

use crate::common::late::Late;
use crate::common::namespace::rolled_out;
use crate::common::running::Running;
use crate::common::shop::{Shop, image};

const NEEDS_NEW: &str = "dependsOn: {payments: \">=2.0\"}\n";

/// Starts a run, and waits until it leads.
pub(crate) async fn start(shop: &Shop) -> Running {
    start_with(shop, &[]).await
}

/// The same with more flags.
pub(crate) async fn start_with(shop: &Shop, flags: &[&str]) -> Running {
    let mut run = shop.start(&[&["run"], flags].concat());
    run.says(&["\"event\":\"leads\""]).await;
    run
}

#[tokio::test]
async fn commits_are_followed_at_once_and_in_order() {
    let shop = Shop::open(&["payments 1.0", "checkout 1.0"]).await;
    let recorder = shop.record().await;
    let mut run = start(&shop).await;
    run.says(&["\"event\":\"inSync\""]).await;
    let upgrade = shop.pin("payments", "2.0", "").pin("checkout", "2.0", NEEDS_NEW).commit("Upgrade both");
    run.says(&["\"event\":\"revision\"", &upgrade.to_hex(), "Upgrade both"]).await;
    run.says(&["\"event\":\"verified\"", "\"service\":\"checkout\"", "\"version\":\"2.0\""]).await;
    shop.repo.git(&["revert", "--no-edit", "HEAD"]);
    run.says(&["\"event\":\"verified\"", "\"service\":\"payments\"", "\"version\":\"1.0\""]).await;
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "1.0 1.0");
    shop.kept(recorder).await;
    run.terminate();
    run.end().await.ended(0);
}

/// The Deployment reports that it is rolled out, and no other pod is there. A replica set was asked for a pod, then for none,
/// and is still making it.
#[tokio::test]
async fn a_pod_counts_from_when_it_may_come_not_from_when_it_is_there() {
    let shop = Shop::open(&["payments 1.0", "checkout 1.0"]).await;
    let slow = image("checkout", "2.0");
    let Some(late) = Late::pods(&shop.ns, &slow).await else { return println!("skipped: openssl is not installed") };
    let recorder = shop.record().await;
    let mut run = start(&shop).await;
    shop.pin("payments", "2.0", "").pin("checkout", "2.0", NEEDS_NEW).commit("Upgrade both");
    late.comes(&slow).await;
    shop.repo.git(&["revert", "--no-edit", "HEAD"]);
    let back = |it: &serde_json::Value| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] == *image("checkout", "1.0") && rolled_out(it)
    };
    shop.ns.wait("deployment/checkout", "1.0 rolled out", back).await;
    // Long enough for a step that does not wait for the pod.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0 1.0");
    late.end().await;
    run.says(&["\"event\":\"verified\"", "\"service\":\"payments\"", "\"version\":\"1.0\""]).await;
    assert!(!shop.kept(recorder).await.never(&slow), "the pod came after all");
    run.terminate();
    run.end().await.ended(0);
}

#[tokio::test]
async fn drift_is_corrected_as_it_happens() {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    let mut run = start(&shop).await;
    run.says(&["\"event\":\"inSync\""]).await;
    // A version that was never pinned.
    shop.ns.set_image("deployment/payments", &image("payments", "9.9")).await;
    let pinned = image("payments", "2.0");
    shop.ns
        .wait("deployment/payments", "corrected", |it| {
            it["spec"]["template"]["spec"]["containers"][0]["image"] == *pinned
        })
        .await;
    run.says(&["\"event\":\"verified\"", "payments"]).await;
}

#[tokio::test]
async fn a_broken_revision_holds_everything_until_the_next_one() {
    let shop = Shop::open(&["payments 1.0"]).await;
    let mut run = start(&shop).await;
    shop.repo.write("pintle.yaml", "apiVersion: pintle.dev/v9\n");
    shop.pin("payments", "2.0", "").commit("Break the settings");
    run.says(&["\"event\":\"heldAll\"", "pintle.dev/v9"]).await;
    assert_eq!(shop.version("payments").await, "1.0");
    shop.settings("").commit("Mend the settings");
    run.says(&["\"event\":\"heldNoMore\""]).await;
    run.says(&["\"event\":\"verified\"", "payments", "2.0"]).await;
}

#[tokio::test]
async fn status_says_who_keeps_it_so_and_how_old_its_sight_is() {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.pintle(&["status"]).await.ended(0).result(&["No pintle run is at work"]);
    let mut run = start(&shop).await;
    run.says(&["\"event\":\"inSync\""]).await;
    // The lease says it from its next renewal on.
    shop.status_once("the run says when it asked", |status| status["writer"]["says"]["asked"].is_string()).await;
    let (who, at) = (format!("pid {}", run.pid()), format!("keeps it so, at {}", shop.repo.head().short()));
    shop.pintle(&["status"]).await.ended(0).result(&["pintle run on", &who, &at, "it asked the repository", "s ago"]);
    let json = shop.pintle(&["status", "--output", "json"]).await.ended(0);
    json.result(&["\"holder\": \"pintle run on", &who]);
    run.signal("STOP");
    // Whoever it is that died, status works without it.
    shop.pintle(&["status"]).await.ended(0).result(&["1 of 1 in sync"]);
    run.signal("CONT");
}

#[tokio::test]
async fn drift_of_the_policy_schedule_is_corrected_when_it_is_time() {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.settings("drift: {policy: schedule}\n").pin("payments", "2.0", "").commit("Upgrade payments");
    shop.apply().await;
    shop.ns.set_image("deployment/payments", &image("payments", "9.9")).await;
    // Of a full minute nobody knows how much is left: the first pass holds it, or is the one at the full minute.
    let mut run = shop.start(&["run", "--schedule", "* * * * * UTC"]);
    run.says(&["payments", "corrected at the next time of the schedule"]).await;
    run.says(&["\"event\":\"inSync\""]).await;
    assert_eq!(shop.version("payments").await, "2.0");
}

#[tokio::test]
async fn a_paused_service_is_left_alone_until_somebody_resumes_it() {
    let shop = Shop::open(&["payments 1.0"]).await;
    let mut run = start(&shop).await;
    run.says(&["\"event\":\"inSync\""]).await;
    shop.pintle(&["pause", "payments", "--for", "2h", "--reason", "we look into it"]).await.ended(0);
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    run.says(&["payments", "paused by", "we look into it", "pintle resume payments"]).await;
    assert_eq!(shop.version("payments").await, "1.0");
    shop.pintle(&["resume", "payments"]).await.ended(0);
    run.says(&["\"event\":\"verified\"", "payments", "2.0"]).await;
}

#[tokio::test]
async fn of_ten_commits_in_one_rollout_the_newest_wins_at_the_next_step_and_the_rollout_goes_on() {
    let shop = Shop::open(&["payments 1.0", "checkout 1.0"]).await;
    let recorder = shop.record().await;
    let mut run = start(&shop).await;
    run.says(&["\"event\":\"inSync\""]).await;
    // Nothing of the rollout is ready before the last of them.
    shop.pin("payments", "2.0 never-ready", "").pin("checkout", "2.0", NEEDS_NEW).commit("Upgrade both");
    run.says(&["\"event\":\"newStarting\"", "payments", "2.0"]).await;
    for number in 2..=8 {
        shop.pin("payments", &format!("2.{number} never-ready"), "").commit(&format!("Mend payments, {number}"));
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let ninth = shop.repo.revert(shop.repo.head());
    run.says(&["\"event\":\"revision\"", &ninth.to_hex()]).await;
    let tenth = shop.pin("payments", "2.9", "").commit("Mend payments for good");
    run.says(&["\"event\":\"revision\"", &tenth.to_hex()]).await;
    run.says(&["\"event\":\"verified\"", "checkout", "2.0"]).await;
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.9 2.0");
    let recording = shop.kept(recorder).await;
    recording.gone(&image("payments", "1.0"));
    run.terminate();
    run.end().await.ended(0).never("\"event\":\"failed\"");
}

use crate::common::shop::Shop;

const PAUSE: &str = "pintle.dev/pause";

/// Payments and free were pinned at 1.0, then at 2.0, which runs.
async fn upgraded_shop() -> Shop {
    let shop = Shop::open(&["payments 1.0", "free 1.0"]).await;
    shop.pin("payments", "2.0", "").pin("free", "2.0", "").commit("Upgrade both");
    shop.apply().await;
    shop
}

#[tokio::test]
async fn what_is_paused_is_left_as_it_is_and_shown_everywhere_until_it_is_resumed() {
    let shop = upgraded_shop().await;
    let paused = shop.pintle(&["pause", "free", "--for", "2h", "--reason", "we look at it"]).await.ended(0);
    paused.result(&["free is paused until", "UTC. End it: pintle resume free"]);
    let words = ["paused by Ada until", "UTC: we look at it. End it: pintle resume free"];
    shop.pintle(&["status"]).await.ended(0).result(&words);
    shop.pintle(&["plan"]).await.ended(0).result(&words);

    // Neither what somebody else sets, nor a new pin.
    shop.ns.set_image("deployment/free", "ghcr.io/acme/free:by-hand").await;
    shop.pin("payments", "3.0", "").pin("free", "3.0", "").commit("Upgrade again");
    let before = shop.ns.written("deployment/free").await;
    let held = shop.apply().await;
    held.result(&["Held: free 3.0: paused by Ada until"]);
    assert_eq!(shop.versions(&["payments", "free"]).await, "3.0 by-hand");
    shop.pintle(&["apply", "--yes", "free"]).await.ended(0).result(&["Held: free 3.0: paused"]);
    assert_eq!(shop.ns.written("deployment/free").await, before);

    let resumed = shop.pintle(&["resume", "--all"]).await.ended(0);
    resumed.result(&["payments was not paused"]);
    resumed.result(&["free is no longer paused"]);
    shop.apply().await.result(&["In sync"]);
    assert_eq!(shop.version("free").await, "3.0");
}

#[tokio::test]
async fn an_undo_drops_a_pause_and_a_pintle_that_saw_it_writes_it_back() {
    let shop = upgraded_shop().await;
    shop.pintle(&["pause", "free", "--for", "2h"]).await.ended(0);
    shop.pin("payments", "3.0 slow", "").commit("Upgrade payments");
    let mut apply = shop.start_apply();
    apply.says(&["payments 3.0 starting"]).await;
    shop.ns.rollout_undo("free").await;
    let annotated = |object: &serde_json::Value| object["metadata"]["annotations"][PAUSE].is_string();
    shop.ns.wait("deployment/free", "paused again", annotated).await;
    apply.end().await.ended(0).result(&["Held: free 2.0: paused by Ada until"]);
    assert_eq!(shop.versions(&["payments", "free"]).await, "3.0-slow 1.0");
    shop.apply().await.result(&["Held: free 2.0: paused"]);

    // Where nobody saw it, the pause is gone, and what remains is the grace of the undo.
    shop.pintle(&["resume", "free"]).await.ended(0);
    shop.apply().await.result(&["Held: free 2.0: free pinned 2.0, runs 1.0: by hand (kubectl-rollout)"]);
    shop.pintle(&["apply", "--yes", "free"]).await.ended(0);
    assert_eq!(shop.version("free").await, "2.0");
}

#[tokio::test]
async fn a_pause_that_cannot_be_is_told_and_the_others_are_paused() {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.pin("missing", "1.0", "").pin("elsewhere", "1.0", "external: true\n").commit("Pin more");
    let all = shop.pintle(&["pause", "--all", "--for", "1h"]).await.ended(1);
    all.result(&["payments is paused until"]);
    all.result(&["missing: nothing was changed: deployment/missing", "does not exist"]);
    all.never("elsewhere");
    shop.pintle(&["pause", "elsewhere", "--for", "1h"]).await.ended(1).result(&["deployed elsewhere"]);
    let unknown = shop.pintle(&["pause", "payment", "--for", "1h"]).await.ended(1);
    unknown.line(&["there is no service \"payment\""]);
    for (args, words) in [
        (&["pause", "payments"][..], "--for"),
        (&["pause", "--for", "1h"], "hint: name some, or all of them: pintle pause --all --for 30m"),
        (&["pause", "payments", "--for", "10s"], "it is not between 1m and 720h"),
        (&["pause", "payments", "--all", "--for", "1h"], "cannot be used with"),
        (&["resume"], "hint: name some, or all of them: pintle resume --all"),
    ] {
        shop.pintle(args).await.ended(64).line(&[words]);
    }
    let json = shop.pintle(&["resume", "payments", "--output", "json"]).await.ended(0).out;
    assert_eq!(
        json.split_whitespace().collect::<String>(),
        r#"[{"service":"payments","pausedUntil":null,"error":null}]"#
    );
}

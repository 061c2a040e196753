//! One service that is odd, too large, or unwell at the wrong moment: the others go on, in order.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ends::behind_a_proxy;
use super::git::Served;
use crate::common::limit::EMERGENCY;
use crate::common::proxy::Call;
use crate::common::proxy::fault::{Fault, Kind, Rule};
use crate::common::shop::Shop;

async fn set_ready(shop: &Shop, app: &str, ready: bool) {
    for pod in shop.ns.pods(app).await {
        shop.ns.set_ready(pod["metadata"]["name"].as_str().unwrap(), ready).await;
    }
}

/// Has a service become unready, and gives the run time to see what the API server shows already.
async fn becomes_unready(shop: &Shop, app: &str) {
    set_ready(shop, app, false).await;
    let is_unready = |it: &Value| it["status"]["readyReplicas"].as_u64().unwrap_or(0) == 0;
    shop.ns.wait(&format!("deployment/{app}"), "unready", is_unready).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
}

#[tokio::test]
async fn what_becomes_unwell_while_the_next_one_is_asked_about_keeps_it_waiting() {
    let (shop, proxy, mut run) = behind_a_proxy(&["payments 1.0", "checkout 1.0"]).await;
    let needs = "dependsOn: {payments: \">=2.0\"}\n";
    // The question before the first write to checkout, which is decided on.
    proxy.set(Some(Rule { kind: Kind::Question, number: 1, fault: Fault::Kept, lasts: Duration::ZERO }));
    shop.pin("payments", "2.0", "").pin("checkout", "2.0", needs).commit("Upgrade both");
    proxy.strikes().await;
    becomes_unready(&shop, "payments").await;
    proxy.heal();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0 1.0", "{}", run.said());
    set_ready(&shop, "payments", true).await;
    run.says(&["\"event\":\"verified\"", "checkout"]).await;
}

#[tokio::test]
async fn what_becomes_unwell_while_writes_of_a_pass_are_on_their_way_keeps_the_rest_of_them_waiting() {
    let names: Vec<String> = (0..20).map(|it| format!("left-{it:02}")).collect();
    let services: Vec<String> = names.iter().map(|name| format!("{name} 1.0")).chain(["base 1.0".to_owned()]).collect();
    let (shop, proxy, mut run) = behind_a_proxy(&services.iter().map(String::as_str).collect::<Vec<_>>()).await;
    proxy.set(Some(Rule { kind: Kind::PatchOf("left-"), number: 0, fault: Fault::Kept, lasts: EMERGENCY }));
    shop.pin("base", "2.0", "");
    for name in &names {
        shop.pin(name, "2.0", "dependsOn: {base: \">=2.0\"}\n");
    }
    shop.commit("Upgrade all");
    // So many are sent at once.
    let is_of_left = |call: &&Call| Kind::PatchOf("left-").takes(call);
    until(|| proxy.calls().iter().filter(is_of_left).count() == 16).await;
    becomes_unready(&shop, "base").await;
    proxy.heal();
    until(|| proxy.calls().iter().filter(is_of_left).all(|call| call.code.is_some())).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let moved = async || {
        let mut moved = 0;
        for name in &names {
            moved += usize::from(shop.version(name).await == "2.0");
        }
        moved
    };
    assert_eq!(moved().await, 16, "{}", run.said());
    set_ready(&shop, "base", true).await;
    for name in &names {
        run.says(&["\"event\":\"verified\"", name]).await;
    }
}

async fn until(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + EMERGENCY;
    while !holds() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_anybody_can_write_on_a_workload_concerns_that_one_and_ends_nothing() {
    let names = ["garbled", "newer", "deep", "ages", "loud", "stray", "long", "good"];
    let shop = Shop::open(&names.map(|name| format!("{name} 1.0")).each_ref().map(String::as_str)).await;
    let commit = shop.repo.head().to_hex();
    let proven =
        |at: &str| json!({"version": "1.0", "commit": commit, "at": at, "tookMs": u64::MAX, "took_ms": u64::MAX});
    let ages = json!({
        "schema": 1, "instance": "default", "commit": commit, "version": "1.0",
        "proven": [proven("9999-12-30T22:00:00Z"), proven("-009999-01-02T01:59:59Z")],
    });
    let loud = json!({
        "schema": 1, "by": "\u{1b}[31mred\u{7}", "reason": "a\n\rb", "at": "-009999-01-02T01:59:59Z",
        "until": "9999-12-30T22:00:00Z",
    });
    let annotations = [
        ("garbled", "pintle.dev/state", "{\"schema\":1,".to_owned()),
        ("newer", "pintle.dev/state", json!({"schema": 99, "commit": [], "version": {}}).to_string()),
        ("deep", "pintle.dev/state", "[".repeat(100_000)),
        ("ages", "pintle.dev/state", ages.to_string()),
        ("loud", "pintle.dev/pause", loud.to_string()),
        ("long", "example.com/diary", "x".repeat(200_000)),
    ];
    for (name, key, text) in annotations {
        shop.ns
            .merge(&format!("deployment/{name}"), "kubectl", json!({"metadata": {"annotations": {key: text}}}))
            .await;
    }
    // The API server takes any text for an image.
    shop.ns.set_image("deployment/stray", "UPPER//:@\u{1b}[2J:x").await;
    let mut run = shop.start(&["run", "--log", "text"]);
    run.says(&["this is the one writer"]).await;
    for name in names {
        shop.pin(name, "2.0", "");
    }
    shop.commit("Upgrade all");
    for name in ["good", "garbled", "newer", "deep", "ages", "long"] {
        run.says(&[name, "2.0 verified"]).await;
    }
    run.says(&["loud held: paused by", "until 9999-12-30"]).await;
    run.says(&["stray held: ", "name them with `containers:`"]).await;
    let said = run.said();
    assert!(!said.contains(['\u{1b}', '\u{7}', '\r']), "{said:?}");
    for command in [&["status"][..], &["plan"], &["apply", "--yes"]] {
        let printed = shop.pintle(command).await;
        assert!(matches!(printed.code, Some(0 | 3 | 4)), "{}\n{}", printed.err, printed.out);
        assert!(!printed.out.contains(['\u{1b}', '\u{7}', '\r']), "{:?}", printed.out);
    }
    run.terminate();
    run.end().await.ended(0).never("panic");
}

#[tokio::test]
async fn a_pin_file_that_is_too_large_is_refused_first_and_the_others_go_on() {
    let served = Served::of(Shop::open(&["payments 1.0", "large 1.0"]).await);
    let mut run = served.run().await;
    let comment = "# Nobody wrote this by hand.\n".repeat(400_000);
    served.shop.pin("large", "2.0", &comment);
    served.push("2.0");
    run.says(&["\"event\":\"held\"", "large", "a file of 1", "bytes, more than is read"]).await;
    run.says(&["\"event\":\"verified\"", "payments", "2.0"]).await;
    assert_eq!(served.shop.version("large").await, "1.0");
    served.shop.pin("large", "2.0", "").commit("Shorten it");
    served.push_all();
    run.says(&["\"event\":\"verified\"", "large"]).await;
}

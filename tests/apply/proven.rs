use std::net::TcpListener;

use serde_json::Value;

use crate::common::control_plane::ControlPlane;
use crate::common::shop::Shop;

#[tokio::test]
async fn history_shows_what_was_proven_here_when_and_how_long_it_took() {
    let shop = Shop::open(&["payments 1.0", "statefulset/ledger 5.0"]).await;
    shop.pin("payments", "1.1", "").commit("Upgrade payments");
    shop.apply().await;
    shop.pin("payments", "1.2", "").commit("Upgrade payments again");
    shop.apply().await;
    shop.repo.git(&["revert", "--no-edit", "HEAD"]);
    shop.apply().await;

    let table = shop.pintle(&["history", "payments"]).await.ended(0);
    assert_eq!(table.err, "");
    let head = table.result(&["VERSION", "STOOD", "PROVEN", "SUBJECT"]);
    let ago = |it: usize| table.out.lines().nth(head + it).unwrap().to_owned();
    // The proof of a version that was pinned twice belongs to its second time.
    assert!(ago(2).starts_with("  revert of "), "{}", table.out);
    for (at, version, proven) in [(1, "1.1", true), (3, "1.2", true), (4, "1.1", false), (5, "1.0", false)] {
        assert!(ago(at).starts_with(version) && ago(at).contains("ago, in ") == proven, "{}", table.out);
    }

    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let one = json(&shop.pintle(&["history", "payments", "--output", "json"]).await.ended(0).out);
    assert!(one["cluster"].as_str().unwrap().starts_with("context test (https://127.0.0.1:"), "{one}");
    assert!(one["pins"][0]["proven"]["seconds"].as_f64().unwrap() > 0.0, "{one}");
    assert!(one["pins"][0]["proven"]["at"].as_str().unwrap().starts_with("20"), "{one}");
    assert!(one["pins"][2]["proven"].is_null(), "{one}");

    let all = json(&shop.pintle(&["history", "--output", "json"]).await.ended(0).out);
    let proven: Vec<bool> = all["moves"].as_array().unwrap().iter().map(|it| it["proven"].is_object()).collect();
    assert_eq!(proven, [true, true, false, false, false], "{all}");
    shop.pintle(&["history"]).await.ended(0).result(&["SERVICE", "MOVE", "PROVEN"]);
}

#[tokio::test]
async fn history_waits_two_seconds_for_a_cluster_at_most_and_says_why_it_shows_less() {
    let mut shop = Shop::open(&["payments 1.0"]).await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let elsewhere = |port: u16| {
        let mut kubeconfig: Value = serde_json::from_str(&ControlPlane::shared().kubeconfig_text()).unwrap();
        kubeconfig["clusters"][0]["cluster"]["server"] = format!("https://127.0.0.1:{port}").into();
        kubeconfig.to_string()
    };
    shop.connect(&elsewhere(port));
    // The server never answers: whoever waits for longer says so.
    let table = shop.pintle(&["history", "payments"]).await.ended(0);
    table.line(&["warning: what was proven is not shown: the cluster does not answer within 2s"]);
    table.result(&["1.0", "deploy"]);
    table.never("PROVEN");

    drop(silent);
    shop.connect(&elsewhere(port));
    let table = shop.pintle(&["history", "payments"]).await.ended(0);
    table.line(&["warning: what was proven is not shown: the API server does not answer", "Connection refused"]);

    shop.connect("");
    let table = shop.pintle(&["history", "payments"]).await.ended(0);
    assert_eq!(table.err, "", "a user without a cluster is not told of one");
    let table = shop.pintle(&["history", "payments", "--context", "prod"]).await.ended(0);
    table.line(&["warning: what was proven is not shown: the kubeconfig has no context `prod`"]);
}

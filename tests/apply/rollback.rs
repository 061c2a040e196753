use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::control_plane::ControlPlane;
use crate::common::shop::Shop;

#[tokio::test]
async fn a_rollback_goes_to_what_was_proven_here_and_says_what_was_not() {
    let shop = Shop::open(&["payments 1.0"]).await;
    for (version, applied) in [("1.1", true), ("1.2", false), ("1.3", true)] {
        shop.pin("payments", version, "").commit("Upgrade payments");
        if applied {
            shop.apply().await;
        }
    }
    let proven = shop.pintle(&["rollback", "payments", "--dry-run"]).await.ended(0);
    assert_eq!(proven.err, "");
    proven.result(&["targets from Git, and from what is proven in context test"]);
    proven.result(&["~ payments", "1.3 -> 1.1", "asked for"]);
    proven.result(&["verified there", "UTC, in "]);
    proven.never("not known to have been verified there");
    proven.result(&["Plan: 1 change in 1 stage."]);
    proven.result(&["replaces 2 pods"]);

    let unproven = shop.pintle(&["rollback", "payments", "--to", "1.2", "--dry-run"]).await.ended(0);
    unproven.result(&["~ payments", "1.3 -> 1.2", "asked for"]);
    unproven.result(&["not known to have been verified there"]);

    let json = shop.pintle(&["rollback", "--all", "--dry-run", "--output", "json"]).await.ended(0).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["members"][0]["to"]["version"], "1.1", "{json}");
    assert!(json["members"][0]["proven"]["seconds"].as_f64().unwrap() > 0.0, "{json}");
    assert_eq!(json["holds"], Value::Array(Vec::new()), "{json}");
}

#[tokio::test]
async fn a_rollback_waits_two_seconds_for_a_cluster_at_most() {
    let mut shop = Shop::open(&["payments 1.0"]).await;
    shop.pin("payments", "1.1", "").commit("Upgrade payments");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut kubeconfig: Value = serde_json::from_str(&ControlPlane::shared().kubeconfig_text()).unwrap();
    let server = format!("https://127.0.0.1:{}", silent.local_addr().unwrap().port());
    kubeconfig["clusters"][0]["cluster"]["server"] = server.into();
    shop.connect(&kubeconfig.to_string());
    let began = Instant::now();
    let said = shop.pintle(&["rollback", "payments", "--dry-run"]).await.ended(0);
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    said.line(&["warning: targets from Git alone: the cluster does not answer within 2s"]);
    said.result(&["~ payments", "1.1 -> 1.0"]);
}

use std::net::TcpListener;

use serde_json::Value;

use crate::common::control_plane::ControlPlane;
use crate::common::shop::{Shop, image};

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
async fn a_rollback_in_a_shallow_clone_goes_to_what_was_proven_before_it_begins() {
    let shop = Shop::open(&["payments 1.0"]).await;
    for version in ["1.1", "1.2", "1.3"] {
        shop.pin("payments", version, "").commit("Upgrade payments");
        if version == "1.1" {
            shop.apply().await;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let clone = folder.path().to_str().unwrap();
    shop.repo.git(&["clone", "--quiet", "--depth=2", &format!("file://{}", shop.repo.location()), clone]);
    let named = shop.pintle(&["--repo", clone, "rollback", "payments", "--to", "1.2", "--dry-run"]).await.ended(0);
    named.result(&["~ payments", "1.3 -> 1.2", "asked for"]);
    assert_eq!(named.err, "");
    let said = shop.pintle(&["--repo", clone, "rollback", "payments", "--dry-run"]).await.ended(0);
    said.line(&["fetching the history before", "from origin: this clone is shallow"]);
    said.result(&["~ payments", "1.3 -> 1.1", "asked for"]);
    said.result(&["verified there", "UTC, in "]);
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
    // The server never answers: whoever waits for longer says so.
    let said = shop.pintle(&["rollback", "payments", "--dry-run"]).await.ended(0);
    said.line(&["warning: targets from Git alone: the cluster does not answer within 2s"]);
    said.result(&["~ payments", "1.1 -> 1.0"]);
}

#[tokio::test]
async fn a_rollback_in_the_middle_of_its_upgrade_does_not_wait_for_what_is_broken_and_ends_healthy_in_order() {
    let shop = Shop::open(&["payments 2.0.3", "checkout 1.7.9", "web 3.4"]).await;
    let recorder = shop.record().await;
    let mut run = shop.start(&["run"]);
    run.says(&["\"event\":\"leads\""]).await;
    shop.pin("payments", "2.1.0", "");
    shop.pin("checkout", "1.8.2 broken", "dependsOn: {payments: '>=2.1'}\n");
    shop.pin("web", "3.5", "dependsOn: {payments: '>=2.1', checkout: ^1.8}\n").commit("Upgrade all");
    run.says(&["checkout", "ImagePullBackOff"]).await;

    let args = ["rollback", "payments", "--yes", "--reason", "INC-47", "--wait"];
    let said = shop.pintle(&args).await.ended(0);
    said.line(&["~ checkout", "1.8.2 -> 1.7.9", "checkout 1.8.2 needs payments >=2.1"]);
    said.line(&["Committed", "on main, which has no upstream to push to"]);
    said.line(&[&format!("pid {}", run.pid()), "is the one writer"]);
    said.result(&["In sync: everything runs what is pinned"]);
    assert_eq!(shop.versions(&["payments", "checkout", "web"]).await, "2.0.3 1.7.9 3.4");
    let recording = shop.kept(recorder).await;
    assert!(recording.never(&image("web", "3.5")), "it waited for a checkout that never came");
    run.terminate();
    run.end().await.ended(0);
}

#[tokio::test]
async fn a_rollback_that_nobody_carries_out_says_what_to_type_and_can_carry_itself_out() {
    let shop = Shop::open(&["payments 2.0.3"]).await;
    shop.pin("payments", "2.1.0", "").commit("Upgrade payments");
    shop.apply().await;
    let alone = shop.pintle(&["rollback", "payments", "--yes", "--reason", "INC-47", "--wait"]).await.ended(1);
    alone.line(&["Nobody rolls it out yet: start pintle run, or type: pintle apply"]);
    alone.line(&["error: nobody rolls it out: for a minute no `pintle run` of the instance `"]);
    alone.line(&["hint: roll it out from here: pintle apply"]);
    let back = shop.pintle(&["reapply", "--yes", "--reason", "it was not that", "--apply"]).await.ended(0);
    back.line(&["Reapply pins: payments 2.0.3 -> 2.1.0"]);
    back.result(&["In sync"]);
    assert_eq!(shop.version("payments").await, "2.1.0");
}

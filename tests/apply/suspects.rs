use serde_json::Value;

use crate::common::namespace::rolled_out;
use crate::common::shop::Shop;

const NEEDS: &str = "dependsOn: [payments]\n";

/// The pods of checkout answer, or they do not, as payments does.
async fn answers(shop: &Shop, ready: bool) {
    for pod in shop.ns.pods("checkout").await {
        shop.ns.set_ready(pod["metadata"]["name"].as_str().unwrap(), ready).await;
    }
    let is_it = |object: &Value| rolled_out(object) == ready;
    shop.ns.wait("deployment/checkout", "ready or not", is_it).await;
}

#[tokio::test]
async fn a_provider_whose_release_makes_a_consumer_unready_is_the_first_suspect() {
    let shop = Shop::open(&["payments 2.0.3", "checkout 1.7.9", "mail 1.0.0"]).await;
    shop.settings("soak: 0s\n").pin("checkout", "1.8.0", NEEDS).commit("Upgrade checkout");
    shop.apply().await;
    let well = shop.pintle(&["suspects"]).await.ended(0);
    assert_eq!(well.out, "Nothing alarms: 3 services as they should be.\n");

    shop.pin("payments", "2.1.0", "").pin("mail", "1.0.1", "").commit("Release 48");
    shop.apply().await;
    answers(&shop, false).await;
    let told = shop.pintle(&["suspects"]).await.ended(3);
    assert_eq!(told.err, "");
    assert_eq!(told.result(&["! checkout 1.8.0 is Progressing: "]), 1);
    let first = told.result(&["  1 payments  2.0.3 -> 2.1.0  ", "s ago, by ", "(Release 48)"]);
    assert_eq!(told.result(&["      checkout alarms and needs it"]), first + 1);
    told.result(&["      it was verified, so its own pods were well"]);
    told.result(&["      pintle rollback payments"]);
    told.never("mail");
    told.never("  2 ");

    let json = shop.pintle(&["suspects", "mail", "--since", "1h", "--output", "json"]).await.ended(3).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    let suspects = json["suspects"].as_array().unwrap().iter();
    let told: Vec<_> = suspects.map(|it| format!("{} {}", it["service"], it["distance"])).collect();
    assert_eq!(told, ["\"checkout\" 0", "\"mail\" 0", "\"payments\" 1"], "of the last hour, by two that alarm: {json}");

    answers(&shop, true).await;
    shop.pintle(&["suspects"]).await.ended(0);
}

#[tokio::test]
async fn what_is_pinned_in_another_image_and_does_not_run_yet_is_no_suspect_and_old_proofs_prove_no_return() {
    let shop = Shop::open(&["payments 2.0.3"]).await;
    for version in ["2.0.4", "2.1.0"] {
        shop.pin("payments", version, "").commit(&format!("Upgrade payments to {version}"));
        shop.apply().await;
    }
    // The same version, built elsewhere, which nobody has applied.
    let elsewhere = "version: \"2.1.0\"\nimage: ghcr.io/elsewhere/payments\n";
    shop.repo.write("services/payments.yaml", elsewhere).commit("Build it elsewhere");
    let told = shop.pintle(&["suspects", "payments", "--since", "1h"]).await.ended(3);
    told.result(&["  1 payments  2.0.4 -> 2.1.0  ", "(Upgrade payments to 2.1.0)"]);
    told.result(&["      it was verified, so its own pods were well"]);
    told.result(&["      pintle apply payments"]);
    told.never("Build it elsewhere");

    shop.pin("payments", "2.0.4 never-ready", "").commit("Back by hand");
    let mut apply = shop.start_apply();
    apply.says(&["payments 2.0.4 starting"]).await;
    apply.terminate();
    apply.end().await;
    let told = shop.pintle(&["suspects", "payments", "--since", "1h"]).await.ended(3);
    told.result(&["  1 payments  2.1.0 -> 2.0.4  ", "(Back by hand)"]);
    told.result(&["      it was not verified there since"]);
}

#[tokio::test]
async fn pods_that_have_not_changed_yet_tell_a_bad_release_from_what_it_shares_with_the_one_before() {
    let shop = Shop::open(&["payments 2.0.3", "ledger 5.0"]).await;
    shop.settings("soak: 0s\n").pin("payments", "2.0.3", "dependsOn: [ledger]\n").commit("Say who is called");
    shop.pin("payments", "2.1.0 never-ready", "dependsOn: [ledger]\n").commit("Upgrade payments");
    let mut apply = shop.start_apply();
    let half = |object: &Value| object["status"]["updatedReplicas"] == 1 && object["status"]["readyReplicas"] == 2;
    shop.ns.wait("deployment/payments", "half-way", half).await;
    apply.interrupt();
    apply.ended().await;
    shop.pin("ledger", "5.1", "").commit("Upgrade ledger");
    let mut apply = shop.start_apply();
    apply.says(&["ledger 5.1 verified"]).await;
    apply.interrupt();
    apply.ended().await;
    let suspects = async || shop.pintle(&["suspects", "payments", "--since", "1h"]).await.ended(3);
    let well = suspects().await;
    let first = well.result(&["  1 payments  2.0.3 -> 2.1.0  "]);
    assert_eq!(well.result(&["      those of its pods that have not changed yet are well"]), first + 2);
    well.result(&["  2 ledger  5.0 -> 5.1  "]);

    for pod in shop.ns.pods("payments").await {
        shop.ns.set_ready(pod["metadata"]["name"].as_str().unwrap(), false).await;
    }
    shop.ns.wait("deployment/payments", "down", |object| object["status"]["readyReplicas"].is_null()).await;
    let down = suspects().await;
    down.result(&["  1 ledger  5.0 -> 5.1  "]);
    let last = down.result(&["  2 payments  2.0.3 -> 2.1.0  "]);
    assert_eq!(down.result(&["      those of its pods that have not changed yet are not well either"]), last + 2);
}

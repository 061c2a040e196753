use crate::common::namespace::rolled_out;
use crate::common::shop::Shop;

/// Payments was pinned at 2.0.3, then at 2.1.0, which runs; checkout is well all the while.
async fn upgraded_shop(settings: &str) -> Shop {
    let shop = Shop::open(&["payments 2.0.3", "checkout 1.7.9"]).await;
    shop.settings(settings).pin("payments", "2.1.0", "").commit("Upgrade payments");
    shop.apply().await;
    shop
}

#[tokio::test]
async fn an_undo_stands_for_the_grace_while_everything_says_so_and_is_corrected_then() {
    let shop = upgraded_shop("drift: {handGrace: 1h}\n").await;
    shop.ns.rollout_undo("payments").await;
    let by_hand = [
        "payments pinned 2.1.0, runs 2.0.3: by hand (kubectl-rollout)",
        "corrected at",
        "Keep it: pintle rollback payments --adopt",
    ];
    let held = shop.apply().await;
    held.result(&by_hand);
    held.result(&["Held: payments 2.1.0", "End it: pintle apply payments"]);
    shop.pintle(&["plan"]).await.ended(0).result(&by_hand);
    shop.pintle(&["status"]).await.result(&by_hand);
    assert_eq!(shop.version("payments").await, "2.0.3");

    // It has been over for a while by the time that this is read.
    shop.settings("drift: {handGrace: 0s}\n").commit("End the grace");
    shop.pintle(&["plan"]).await.ended(0).result(&["~ payments", "2.0.3 -> 2.1.0", "drift"]);
    shop.apply().await;
    assert_eq!(shop.version("payments").await, "2.1.0");
}

#[tokio::test]
async fn an_undo_that_is_adopted_becomes_the_pin_and_nothing_is_written_for_it() {
    let shop = upgraded_shop("").await;
    let adopt = ["rollback", "payments", "--adopt", "--yes", "--reason", "INC-47"];
    shop.pintle(&adopt).await.ended(0).line(&["Nothing goes back: it is pinned so already"]);
    shop.ns.rollout_undo("payments").await;
    shop.ns.wait("deployment/payments", "rolled out", rolled_out).await;
    let by_hand = shop.ns.written("deployment/payments").await;
    let said = shop.pintle(&adopt).await.ended(0);
    said.line(&["~ payments", "2.1.0 -> 2.0.3", "asked for"]);
    said.line(&["and payments is held above 2.0.3"]);
    shop.apply().await.result(&["In sync"]);
    assert_eq!(shop.ns.written("deployment/payments").await, by_hand);
    assert_eq!(shop.version("payments").await, "2.0.3");
}

#[tokio::test]
async fn what_was_never_pinned_or_is_not_seen_is_not_adopted() {
    let mut shop = upgraded_shop("").await;
    let adopt = ["rollback", "payments", "--adopt", "--yes", "--reason", "INC-47"];
    shop.ns.set_image("deployment/payments", "ghcr.io/acme/payments:by-hand").await;
    shop.ns.wait("deployment/payments", "rolled out", rolled_out).await;
    let head = shop.repo.head();
    let said = shop.pintle(&adopt).await.ended(1);
    said.line(&[
        "what runs of payments cannot become its pin",
        "ghcr.io/acme/payments:by-hand, which was never pinned",
    ]);
    said.line(&["hint: pin it: pintle pin payments VERSION"]);
    shop.connect("{}");
    shop.pintle(&adopt).await.ended(1).line(&["error: --adopt needs to see what runs"]);
    assert_eq!(shop.repo.head(), head);
}

#[tokio::test]
async fn an_undo_to_what_was_never_pinned_is_corrected_at_once() {
    let shop = Shop::open(&["payments 2.0.2"]).await;
    // It ran before the first pin.
    shop.pin("payments", "2.1.0", "");
    shop.repo.git(&["add", "--all"]);
    shop.repo.git(&["commit", "--quiet", "--amend", "--message", "Pin what shall run"]);
    shop.apply().await;
    shop.ns.rollout_undo("payments").await;
    assert_eq!(shop.version("payments").await, "2.0.2");
    shop.pintle(&["plan"]).await.ended(0).result(&["~ payments", "(never pinned)", "drift"]);
    shop.apply().await;
    assert_eq!(shop.version("payments").await, "2.1.0");
}

#[tokio::test]
async fn a_pin_that_moves_after_an_undo_is_applied_at_once() {
    let shop = upgraded_shop("").await;
    shop.ns.rollout_undo("payments").await;
    shop.apply().await.result(&["Held: payments 2.1.0"]);
    shop.repo.wait_for_today();
    shop.pin("payments", "2.2.0", "").commit("Fix it");
    shop.apply().await.result(&["In sync"]);
    assert_eq!(shop.version("payments").await, "2.2.0");
}

#[tokio::test]
async fn apply_with_names_ends_the_grace_of_these_services_and_writes_no_other() {
    let shop = upgraded_shop("").await;
    shop.pin("checkout", "1.8.0", "").commit("Upgrade checkout");
    shop.ns.rollout_undo("payments").await;
    let checkout = shop.ns.written("deployment/checkout").await;
    let other = shop.pintle(&["apply", "--yes", "payment"]).await.ended(1);
    other.line(&["there is no service \"payment\""]);
    let named = shop.pintle(&["apply", "--yes", "payments"]).await.ended(0);
    named.result(&["Held: checkout 1.8.0: not asked for"]);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.1.0 1.7.9");
    assert_eq!(shop.ns.written("deployment/checkout").await, checkout);
    shop.apply().await.result(&["In sync"]);
    assert_eq!(shop.version("checkout").await, "1.8.0");
}

#[tokio::test]
async fn drift_is_reported_where_policy_says_so_until_the_service_is_named() {
    let shop = upgraded_shop("drift: {policy: report}\n").await;
    shop.ns.set_image("deployment/payments", "ghcr.io/acme/payments:by-hand").await;
    shop.apply().await.result(&["Held: payments 2.1.0", "by hand (kubectl-set)", "`drift: {policy: report}`"]);
    assert_eq!(shop.version("payments").await, "by-hand");
    shop.pintle(&["apply", "--yes", "payments"]).await.ended(0);
    assert_eq!(shop.version("payments").await, "2.1.0");
}

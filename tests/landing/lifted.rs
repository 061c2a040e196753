use insta::assert_snapshot;

use crate::common::pushed::PinsClone;

/// Both were upgraded; then both are taken back, and somebody pins both again by hand, beside the hold.
fn pinned_again(shop: &PinsClone, words: &str) {
    let checkout = file(shop, "checkout");
    shop.says(words);
    shop.repo.write("services/checkout.yaml", checkout);
    payments_again(shop);
}

/// Somebody pins payments again by hand, beside the hold.
fn payments_again(shop: &PinsClone) {
    shop.repo.write("services/payments.yaml", file(shop, "payments").replacen("\"2.0.3\"", "'2.1.0'", 1));
    shop.repo.commit("Upgrade again");
    shop.repo.git(&["push", "--quiet"]);
}

fn file(shop: &PinsClone, service: &str) -> String {
    std::fs::read_to_string(shop.repo.path().join(format!("services/{service}.yaml"))).unwrap()
}

#[test]
fn where_all_is_pinned_again_reapply_lifts_the_holds_alone() {
    let shop = PinsClone::upgraded();
    pinned_again(&shop, "rollback payments --yes --reason INC-47");
    let rollback = shop.repo.git(&["rev-parse", "--short=8", "HEAD~1"]);
    assert_snapshot!(shop.outline("reapply --yes --reason mended").replace(&rollback, "ROLLBACK"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    rollback complete=yes
      plan
    files path=services/payments.yaml status=changed
      hunks
        lines  version: '2.1.0'   # new API
        lines  image: ghcr.io/acme/payments
        lines -hold: {above: "2.0.3", reason: "INC-47", by: "Ada"}
    "#);
    assert_snapshot!(shop.change().replace(&rollback, "ROLLBACK"), @r#"
    Ada <ada@example.com>, Ada
    Pintle-Services: payments
    diff --git services/payments.yaml services/payments.yaml
    index dc42741..a9c2ff5 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -4 +3,0 @@ image: ghcr.io/acme/payments
    -hold: {above: "2.0.3", reason: "INC-47", by: "Ada"}
    "#);
    assert_eq!(shop.at_remote(), shop.repo.head().to_hex());
    let head = shop.repo.head();
    shop.says("reapply --yes --reason mended");
    assert_eq!(shop.repo.head(), head);
    assert_eq!(shop.at_remote(), shop.repo.head().to_hex());
}

#[test]
fn a_hold_that_somebody_has_changed_meanwhile_stays() {
    let shop = PinsClone::upgraded();
    pinned_again(&shop, "rollback payments --yes --reason INC-47");
    shop.repo.write("services/payments.yaml", file(&shop, "payments").replace("\"Ada\"", "\"Bob\""));
    let head = shop.repo.commit("Hold it on");
    assert_snapshot!(shop.outline("reapply --yes --reason mended"), @"
    branch=main
    rollback complete=yes
      plan
    ");
    assert_eq!(shop.repo.head(), head);
}

#[test]
fn the_holds_stay_where_a_rule_keeps_their_services_from_going_forward() {
    let shop = PinsClone::new();
    shop.says("pin payments 2.1.0 --yes");
    shop.says("rollback payments --yes --reason INC-47");
    shop.repo.write("services/payments.yaml", file(&shop, "payments") + "external: true\n");
    let head = shop.repo.commit("Deploy payments elsewhere");
    shop.repo.git(&["push", "--quiet"]);
    assert_snapshot!(shop.outline("reapply --yes --reason mended"), @"
    hint
    exit 4
    ");
    assert_eq!(shop.repo.head(), head);
}

#[test]
fn a_hold_that_was_there_before_the_rollback_comes_back() {
    let shop = PinsClone::upgraded();
    shop.says("hold payments 2.1.0 --reason INC-46 --yes");
    let before = shop.repo.git(&["rev-parse", "HEAD^{tree}"]);
    pinned_again(&shop, "rollback payments --yes --reason INC-47 --hold version");
    shop.says("reapply payments --yes --reason mended");
    assert_eq!(shop.repo.git(&["rev-parse", "HEAD^{tree}"]), before);
    let message = shop.repo.git(&["log", "-1", "--format=%b"]);
    assert!(["=2.1.0 || >2.1.0", "INC-47; INC-46", "above 2.1.0"].iter().all(|it| message.contains(it)), "{message}");
}

#[test]
fn what_is_not_pinned_again_goes_forward_with_the_end_of_the_holds() {
    let shop = PinsClone::upgraded();
    let before = shop.repo.git(&["rev-parse", "HEAD^{tree}"]);
    shop.says("rollback payments --yes --reason INC-47");
    payments_again(&shop);
    let said = shop.says("reapply --yes --reason mended");
    assert_eq!(shop.repo.git(&["rev-parse", "HEAD^{tree}"]), before, "{said}");
}

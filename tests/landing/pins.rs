use insta::assert_snapshot;

use crate::common::pintle::Pintle;
use crate::common::pushed::Shop;

#[test]
fn a_pin_is_one_line_committed_and_pushed() {
    let shop = Shop::new();
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to origin/main
    "#);
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Pin payments 2.1.0

    payments 2.0.3 -> 2.1.0

    Pintle-Services: payments
    diff --git services/payments.yaml services/payments.yaml
    index 4febfe8..3a6f7b8 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -1 +1 @@
    -version: "2.0.3"
    +version: "2.1.0"
    "#);
    assert_eq!(shop.at_remote(), shop.repo.head().to_hex());
    assert_eq!(shop.repo.git(&["rev-parse", "origin/main"]), shop.at_remote());
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @"
    --- stderr
    payments is pinned at 2.1.0 already
    ");
}

#[test]
fn a_pin_brings_its_needs_and_says_what_does_not_fit() {
    let shop = Shop::new();
    let said = Pintle::in_repo(&shop.repo).run(&["pin", "checkout", "1.9.0", "--needs", "payments=>=2.1", "--yes"]);
    assert_snapshot!(shop.normal(&said), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    services/checkout.yaml
    @@ -1,3 +1,3 @@
    -version: "1.8.2"
    +version: "1.9.0"
     image: ghcr.io/acme/checkout
    -dependsOn: {payments: "^2"}
    +dependsOn: {payments: ">=2.1"}
    warning: services/checkout.yaml:3:13: `checkout` 1.9.0 needs `payments` >=2.1, but `payments` is pinned at 2.0.3
    commit on main, and push to origin/main
    "#);
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Pin checkout 1.9.0

    checkout 1.8.2 -> 1.9.0
    It needs payments >=2.1.

    Pintle-Services: checkout
    diff --git services/checkout.yaml services/checkout.yaml
    index 131cbd8..d9f96ab 100644
    --- services/checkout.yaml
    +++ services/checkout.yaml
    @@ -1 +1 @@
    -version: "1.8.2"
    +version: "1.9.0"
    @@ -3 +3 @@ image: ghcr.io/acme/checkout
    -dependsOn: {payments: "^2"}
    +dependsOn: {payments: ">=2.1"}
    "#);
}

#[test]
fn a_hold_is_listed_until_it_is_released() {
    let shop = Shop::new();
    let pintle = Pintle::in_repo(&shop.repo);
    let hold = ["hold", "payments", "2.0.3", "--reason", "loses refunds", "--until", "2099-12-01", "--yes"];
    assert_snapshot!(shop.normal(&pintle.run(&hold)), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    payments is held above 2.0.3 from then on
    services/payments.yaml
    @@ -1,2 +1,3 @@
     version: "2.0.3"
     image: ghcr.io/acme/payments
    +hold: {above: "2.0.3", reason: "loses refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    commit on main, and push to origin/main
    "#);
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Hold payments above 2.0.3

    loses refunds

    Pintle-Services: payments
    diff --git services/payments.yaml services/payments.yaml
    index 4febfe8..4b1f697 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -2,0 +3 @@ image: ghcr.io/acme/payments
    +hold: {above: "2.0.3", reason: "loses refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    "#);
    assert_snapshot!(pintle.says("holds"), @"
    SERVICE   PINNED  HELD         UNTIL (UTC)       BY   REASON
    payments  2.0.3   above 2.0.3  2099-12-01 00:00  Ada  loses refunds
    ");
    assert_snapshot!(pintle.says("holds --output json"), @r#"
    [
      {
        "service": "payments",
        "pinned": "2.0.3",
        "held": "above 2.0.3",
        "above": "2.0.3",
        "reason": "loses refunds",
        "by": "Ada",
        "until": "2099-12-01T00:00:00Z",
        "overdue": false
      }
    ]
    "#);
    shop.says("release payments --yes");
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Release payments

    It was held above 2.0.3: loses refunds

    Pintle-Services: payments
    diff --git services/payments.yaml services/payments.yaml
    index 4b1f697..4febfe8 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -3 +2,0 @@ image: ghcr.io/acme/payments
    -hold: {above: "2.0.3", reason: "loses refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    "#);
    assert_snapshot!(pintle.says("holds"), @"Nothing is held.");
}

#[test]
fn a_version_that_is_held_is_not_pinned_until_it_is_released() {
    let shop = Shop::new();
    shop.says("hold payments 2.0.3 --reason refunds --until 2099-12-01 --yes");
    let head = shop.repo.head();
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @"
    --- stderr
    error: services/payments.yaml:3:7: payments 2.1.0 is on hold by Ada (above 2.0.3, until 2099-12-01T00:00:00Z): refunds
      hint: where it mends that, end the hold in the same commit: pintle pin payments 2.1.0 --release
    --- exit 4
    ");
    let refused = ["pin payments 2.1.0", "pin payments 2.1.0 --patch", "pin payments 2.1.0 --yes --propose"];
    for words in refused {
        let said = shop.says(words);
        assert!(said.contains("is on hold by Ada") && said.ends_with("--- exit 4\n"), "{words}\n{said}");
    }
    assert_eq!((shop.repo.head(), shop.at_remote()), (head, head.to_hex()));
    // What the hold does not catch is pinned as ever.
    assert!(shop.says("pin payments 2.0.2 --yes").starts_with("Committed"));
    assert!(shop.says("pin checkout 1.9.0 --yes").starts_with("Committed"));
    shop.says("release payments --yes");
    assert!(shop.says("pin payments 2.1.0 --yes").starts_with("Committed"));
}

#[test]
fn a_hold_catches_what_is_newest_where_history_is_the_order() {
    let shop = Shop::new();
    shop.repo.pin("payments", "blue", "").commit("Name it");
    shop.says("hold payments blue --reason refunds --yes");
    let said = shop.says("pin payments green --yes");
    assert!(said.contains("payments green is on hold by Ada (above blue): refunds"), "{said}");
}

#[test]
fn a_fix_is_pinned_and_the_hold_of_what_it_mends_ended_by_one_commit() {
    let shop = Shop::new();
    shop.says("hold payments 2.0.3 --reason refunds --yes");
    shop.repo
        .pin("payments", "2.1.0", "hold: {above: \"2.0.3\", reason: \"refunds\", by: \"Ada\"}\n")
        .commit("A bot's");
    let refused = shop.says("pin payments 2.1.1 --yes");
    assert!(refused.contains("pintle pin payments 2.1.1 --release"), "{refused}");
    assert_snapshot!(shop.says("pin payments 2.1.1 --release --yes"), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    services/payments.yaml
    @@ -1,3 +1,2 @@
    -version: "2.1.0"
    +version: "2.1.1"
     image: ghcr.io/acme/payments
    -hold: {above: "2.0.3", reason: "refunds", by: "Ada"}
    commit on main, and push to origin/main
    warning: 1 commit of main not pushed yet will be pushed too
    "#);
    assert_snapshot!(shop.repo.git(&["log", "-1", "--format=%B"]).split("Pintle-Id").next().unwrap(), @"
    Pin payments 2.1.1

    payments 2.1.0 -> 2.1.1
    It was held above 2.0.3: refunds

    Pintle-Services: payments
    ");
    assert_snapshot!(Pintle::in_repo(&shop.repo).says("holds"), @"Nothing is held.");
    // Where nothing is held, it is a pin like any other.
    assert!(shop.says("pin payments 2.1.2 --release --yes").starts_with("Committed"));
}

#[test]
fn the_end_of_a_hold_says_first_that_what_is_pinned_starts_then() {
    let shop = Shop::new();
    assert_snapshot!(shop.says("hold payments 2.0.2 --reason refunds --yes"), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    payments is held above 2.0.2 from then on
      2.0.3, which is pinned, stays as it is where it runs, and starts nowhere else: go back with pintle rollback payments
    services/payments.yaml
    @@ -1,2 +1,3 @@
     version: "2.0.3"
     image: ghcr.io/acme/payments
    +hold: {above: "2.0.2", reason: "refunds", by: "Ada"}
    warning: services/payments.yaml:1:10: `payments` 2.0.3 is pinned, but versions above 2.0.2 are held: refunds
    commit on main, and push to origin/main
    "#);
    assert_snapshot!(shop.says("release payments"), @r#"
    --- stderr
    warning: payments 2.0.3, which is pinned, is what this hold keeps from running: it starts then
      hint: to pin another version in the same commit: pintle pin payments VERSION --release
    services/payments.yaml
    @@ -1,3 +1,2 @@
     version: "2.0.3"
     image: ghcr.io/acme/payments
    -hold: {above: "2.0.2", reason: "refunds", by: "Ada"}
    commit on main, and push to origin/main
    error: there is no terminal to ask
      hint: look at the diff, then add --yes
    --- exit 64
    "#);
    assert!(shop.says("release payments --yes").contains("warning: payments 2.0.3, which is pinned,"));
}

#[test]
fn what_is_held_stays_held_beside_another_hold_and_a_rollback() {
    let shop = Shop::new();
    let lines = |words: &str| -> String {
        let said = shop.says(words);
        said.lines()
            .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("---"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    shop.says("hold payments =2.0.9 --reason INC-1 --yes");
    assert_snapshot!(lines("hold payments =2.0.8 --reason INC-2 --until 2099-12-01 --yes"), @r#"
    -hold: {versions: "=2.0.9", reason: "INC-1", by: "Ada"}
    +hold: {versions: "=2.0.8 || =2.0.9", reason: "INC-2; INC-1", by: "Ada"}
    "#);
    assert_snapshot!(lines("hold payments 2.0.8 --reason INC-3 --yes"), @r#"
    -hold: {versions: "=2.0.8 || =2.0.9", reason: "INC-2; INC-1", by: "Ada"}
    +hold: {versions: ">2.0.8 || =2.0.8 || =2.0.9", reason: "INC-3; INC-2; INC-1", by: "Ada"}
    "#);
    // What covers the other is alone.
    assert_snapshot!(lines("release payments --yes"), @r#"-hold: {versions: ">2.0.8 || =2.0.8 || =2.0.9", reason: "INC-3; INC-2; INC-1", by: "Ada"}"#);
    shop.says("hold payments 2.0.8 --reason INC-4 --yes");
    assert_snapshot!(lines("hold payments =2.0.9 --reason INC-5 --yes"), @r#"
    -hold: {above: "2.0.8", reason: "INC-4", by: "Ada"}
    +hold: {above: "2.0.8", reason: "INC-5; INC-4", by: "Ada"}
    "#);
    assert_snapshot!(lines("hold payments 2.0.3 --reason INC-6 --yes"), @r#"
    -hold: {above: "2.0.8", reason: "INC-5; INC-4", by: "Ada"}
    +hold: {above: "2.0.3", reason: "INC-6; INC-5; INC-4", by: "Ada"}
    "#);
    shop.says("release payments --yes");
    // A rollback adds to it, and its way back gives back what was there.
    shop.says("hold payments =2.0.1 --reason INC-7 --yes");
    shop.repo
        .pin("payments", "2.1.0", "hold: {versions: \"=2.0.1\", reason: \"INC-7\", by: \"Ada\"}\n")
        .commit("Upgrade");
    assert!(shop.says("rollback payments --reason INC-8 --yes").contains("payments is held"));
    assert_snapshot!(Pintle::in_repo(&shop.repo).says("holds"), @"
    SERVICE   PINNED  HELD              UNTIL (UTC)  BY   REASON
    payments  2.0.3   >2.0.3 || =2.0.1  released     Ada  INC-8; INC-7
    ");
    shop.says("reapply --reason mended --yes");
    assert_snapshot!(Pintle::in_repo(&shop.repo).says("holds"), @"
    SERVICE   PINNED  HELD    UNTIL (UTC)  BY   REASON
    payments  2.1.0   =2.0.1  released     Ada  INC-7
    ");
}

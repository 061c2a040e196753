use insta::assert_snapshot;

use crate::common::pintle::Pintle;
use crate::common::pushed::PinsClone;

#[test]
fn a_pin_is_one_line_committed_and_pushed() {
    let shop = PinsClone::new();
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.0.3"
        lines +version: "2.1.0"
        lines  image: ghcr.io/acme/payments
    "#);
    assert_snapshot!(shop.change(), @r#"
    Ada <ada@example.com>, Ada
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
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @"branch=main");
}

#[test]
fn a_pin_brings_its_needs_and_says_what_does_not_fit() {
    let shop = PinsClone::new();
    assert_snapshot!(shop.outline("pin checkout 1.9.0 --needs payments=>=2.1 --yes"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    files path=services/checkout.yaml status=changed
      hunks
        lines -version: "1.8.2"
        lines +version: "1.9.0"
        lines  image: ghcr.io/acme/checkout
        lines -dependsOn: {payments: "^2"}
        lines +dependsOn: {payments: ">=2.1"}
    warning 1.9.0 | 2.0.3 | >=2.1 | checkout | payments | services/checkout.yaml:3:13
    "#);
    assert_snapshot!(shop.change(), @r#"
    Ada <ada@example.com>, Ada
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
    let shop = PinsClone::new();
    let pintle = Pintle::in_repo(&shop.repo);
    let hold = ["hold", "payments", "2.0.3", "--reason", "loses refunds", "--until", "2099-12-01", "--yes"];
    assert_eq!(pintle.run(&hold).code, Some(0));
    assert_snapshot!(shop.change(), @r#"
    Ada <ada@example.com>, Ada
    Pintle-Services: payments
    diff --git services/payments.yaml services/payments.yaml
    index 4febfe8..4b1f697 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -2,0 +3 @@ image: ghcr.io/acme/payments
    +hold: {above: "2.0.3", reason: "loses refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    "#);
    assert_snapshot!(pintle.outline("holds"), @"service=payments pinned=2.0.3 above=2.0.3 by=Ada reason=loses refunds until=2099-12-01T00:00:00Z held: 2.0.3");
    shop.says("release payments --yes");
    assert_snapshot!(shop.change(), @r#"
    Ada <ada@example.com>, Ada
    Pintle-Services: payments
    diff --git services/payments.yaml services/payments.yaml
    index 4b1f697..4febfe8 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -3 +2,0 @@ image: ghcr.io/acme/payments
    -hold: {above: "2.0.3", reason: "loses refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    "#);
    assert_snapshot!(pintle.outline("holds"), @"");
}

#[test]
fn a_version_that_is_held_is_not_pinned_until_it_is_released() {
    let shop = PinsClone::new();
    shop.says("hold payments 2.0.3 --reason refunds --until 2099-12-01 --yes");
    let head = shop.repo.head();
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @"
    error 2.0.3 | 2.1.0 | 2099-12-01T00:00:00Z | payments | services/payments.yaml:3:7
    hint pintle pin payments 2.1.0 --release
    exit 4
    ");
    let refused = ["pin payments 2.1.0", "pin payments 2.1.0 --patch", "pin payments 2.1.0 --yes --propose"];
    for words in refused {
        let said = shop.says(words);
        assert!(said.contains("payments") && said.ends_with("--- exit 4\n"), "{words}\n{said}");
    }
    assert_eq!((shop.repo.head(), shop.at_remote()), (head, head.to_hex()));
    // What the hold does not catch is pinned as ever.
    shop.commits_with("pin payments 2.0.2 --yes");
    shop.commits_with("pin checkout 1.9.0 --yes");
    shop.says("release payments --yes");
    shop.commits_with("pin payments 2.1.0 --yes");
}

#[test]
fn a_hold_catches_what_is_newest_where_history_is_the_order() {
    let shop = PinsClone::new();
    shop.repo.pin("payments", "blue", "").commit("Name it");
    shop.says("hold payments blue --reason refunds --yes");
    let said = shop.says("pin payments green --yes");
    assert!(["green", "above blue", "--- exit 4"].iter().all(|part| said.contains(part)), "{said}");
}

#[test]
fn a_fix_is_pinned_and_the_hold_of_what_it_mends_ended_by_one_commit() {
    let shop = PinsClone::new();
    shop.says("hold payments 2.0.3 --reason refunds --yes");
    shop.repo
        .pin("payments", "2.1.0", "hold: {above: \"2.0.3\", reason: \"refunds\", by: \"Ada\"}\n")
        .commit("A bot's");
    let refused = shop.says("pin payments 2.1.1 --yes");
    assert!(refused.contains("pintle pin payments 2.1.1 --release"), "{refused}");
    assert_snapshot!(shop.outline("pin payments 2.1.1 --release --yes"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.1.0"
        lines +version: "2.1.1"
        lines  image: ghcr.io/acme/payments
        lines -hold: {above: "2.0.3", reason: "refunds", by: "Ada"}
    warning 1
    "#);
    let message = shop.repo.git(&["log", "-1", "--format=%B"]);
    assert!(message.contains("refunds") && message.contains("\nPintle-Services: payments\n"), "{message}");
    assert_snapshot!(Pintle::in_repo(&shop.repo).outline("holds"), @"");
    // Where nothing is held, it is a pin like any other.
    shop.commits_with("pin payments 2.1.2 --release --yes");
}

#[test]
fn the_end_of_a_hold_says_first_that_what_is_pinned_starts_then() {
    let shop = PinsClone::new();
    assert_snapshot!(shop.outline("hold payments 2.0.2 --reason refunds --yes"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines  version: "2.0.3"
        lines  image: ghcr.io/acme/payments
        lines +hold: {above: "2.0.2", reason: "refunds", by: "Ada"}
    warning 2.0.2 | 2.0.3 | payments | services/payments.yaml:1:10
    "#);
    assert_snapshot!(shop.outline("release payments"), @"
    warning 2.0.3 | payments
    hint pintle pin payments VERSION --release
    error
    hint
    exit 64
    ");
    let said = shop.says("release payments --yes");
    assert!(said.lines().any(|line| line.starts_with("warning: ") && line.contains("payments 2.0.3")), "{said}");
}

#[test]
fn what_is_held_stays_held_beside_another_hold_and_a_rollback() {
    let shop = PinsClone::new();
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
    shop.commits_with("rollback payments --reason INC-8 --yes");
    assert_snapshot!(Pintle::in_repo(&shop.repo).outline("holds"), @"service=payments pinned=2.0.3 versions=>2.0.3 || =2.0.1 by=Ada reason=INC-8; INC-7 held: =2.0.1 | >2.0.3");
    shop.says("reapply --reason mended --yes");
    assert_snapshot!(Pintle::in_repo(&shop.repo).outline("holds"), @"service=payments pinned=2.1.0 versions==2.0.1 by=Ada reason=INC-7 held: =2.0.1");
}

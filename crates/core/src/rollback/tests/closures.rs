//! Who goes back with whom.

use insta::assert_snapshot;

use super::{RollbackTarget, shop, version};

#[test]
fn a_consumer_that_needs_the_newer_version_goes_back_with_it() {
    let shop = shop(
        "payments: 2.0.3; 2.1.0
         checkout: 1.7.9 needs payments >=2.0; - ; 1.8.2 needs payments >=2.1",
    );
    assert_snapshot!(shop.rolls_back("payments", RollbackTarget::Good), @r#"
    payments 2.1.0 -> 2.0.3: asked for, 1 back, of 0
    checkout 1.8.2 -> 1.7.9: checkout 1.8.2 needs payments >=2.1, 1 back, of 0
    payments held: Above("2.0.3")
    "#);
    assert_snapshot!(shop.rolls_back("checkout", RollbackTarget::Good), @r#"
    checkout 1.8.2 -> 1.7.9: asked for, 1 back, of 0
    checkout held: Above("1.7.9")
    "#);
}

#[test]
fn a_closure_of_three_goes_as_far_as_it_must_and_says_why_no_nearer_pin_will_do() {
    let shop = shop(
        "payments: 2.0.3; 2.1.0
         checkout: 1.7.8 needs payments >=2.0, ledger ^4; 1.7.9 needs payments >=2.0; 1.8.1 needs payments >=2.1; 1.8.2 needs payments >=2.1 // hold: {versions: \"=1.7.9\", reason: \"it loses carts\"}
         ledger: 4.9; -; -; 5.0
         web: 3; 4",
    );
    assert_snapshot!(shop.rolls_back("payments", RollbackTarget::Good), @r#"
    payments 2.1.0 -> 2.0.3: asked for, 1 back, of 0
    checkout 1.8.2 -> 1.7.8: checkout 1.8.2 needs payments >=2.1, 3 back, of 0
      not 1.8.1: it does not fit: checkout 1.8.1 needs payments >=2.1
      not 1.7.9: it is on hold (exactly 1.7.9): it loses carts
    ledger 5.0 -> 4.9: checkout 1.7.8 needs ledger ^4, 1 back, of 0
    payments held: Above("2.0.3")
    "#);
}

#[test]
fn of_sets_as_small_the_one_with_fewer_pins_back_then_the_proven_one_is_taken() {
    let nearer = shop(
        "db: 1; 2
         app: 1 needs db *; 2 needs db *; 3 needs db >=2",
    );
    assert_snapshot!(nearer.rolls_back("db", RollbackTarget::Good), @r#"
    db 2 -> 1: asked for, 1 back, of 0
    app 3 -> 2: app 3 needs db >=2, 1 back, of 1
    db held: Above("1")
    "#);
    let proven = shop(
        "db: 1; 2
         app: 1! needs db *, y =1; 2 needs db *, x =1; 3 needs db >=2
         x: 1; 2; 3
         y: 1!; 2",
    );
    assert_snapshot!(proven.rolls_back("db", RollbackTarget::Good), @r#"
    db 2 -> 1: asked for, 1 back, of 0
    app 3 -> 1: app 3 needs db >=2, 2 back, proven, of 0
      not 2: it does not fit: app 2 needs x =1
    y 2 -> 1: app 1 needs y =1, 1 back, proven, of 0
    db held: Above("1")
    "#);
}

#[test]
fn where_nothing_fits_the_needs_that_lead_there_and_each_pin_that_was_tried_are_told() {
    let floor = shop(
        "payments: 2.0.3; 2.1.0
         checkout: 1.6 needs payments >=2.0; 1.7 needs payments >=2.1; 1.8.2 needs payments >=2.1 // rollbackFloor: \"1.7\"",
    );
    assert_snapshot!(floor.rolls_back("payments", RollbackTarget::Good), @r#"
    payments cannot go back to 2.0.3: checkout 1.8.2 needs payments >=2.1, so checkout would have to go back too, and none of its earlier pins may run:
        1.7 does not fit: checkout 1.7 needs payments >=2.1
        1.6 is older than its `rollbackFloor` 1.7
      {"code":"lowerFloor"}
    "#);
    let far = shop(
        "a: 1; 2
         b: 1 needs a *, c =1; 2 needs a >=2
         c: 2; 3",
    );
    assert_snapshot!(far.rolls_back("a", RollbackTarget::Good), @r#"
    a cannot go back to 1: b 2 needs a >=2; b 1 needs c =1, so c would have to go back too, and none of its earlier pins may run:
        2 does not fit: b 1 needs c =1
      {"code":"chooseNearerTarget"}
    "#);
    let first = shop(
        "payments: 2.0.3; 2.1.0
         checkout: -; 1.8.2 needs payments >=2.1",
    );
    assert_snapshot!(first.rolls_back("payments", RollbackTarget::Good), @r#"
    payments cannot go back to 2.0.3: checkout 1.8.2 needs payments >=2.1, so checkout would have to go back too, and has no earlier pin
      {"code":"chooseNearerTarget"}
    "#);
}

#[test]
fn targets_that_do_not_fit_each_other_are_refused() {
    let shop = shop(
        "payments: 2.0; 2.1; 2.2
         checkout: 1.7; 1.8 needs payments >=2.2; 1.9 needs payments >=2.2",
    );
    assert_snapshot!(shop.rolls_back("payments checkout", RollbackTarget::Good), @r#"
    what was asked for does not fit together: checkout 1.8 needs payments >=2.2, and would go back to payments 2.1
      {"code":"askForOne","service":"payments"}
    "#);
}

#[test]
fn a_set_without_a_safe_order_is_refused_with_the_circle() {
    let shop = shop(
        "payments: 2.0; 2.1
         checkout: 1.7 needs payments <2.1; 1.8 needs payments >=2.1",
    );
    assert_snapshot!(shop.rolls_back("payments", RollbackTarget::Good), @r#"
    there is no safe order to go back in: checkout 1.7 waits until payments 2.1 is gone; payments 2.0 waits until checkout 1.8 is gone
      {"code":"allowLockstep","services":["checkout","payments"]}
    "#);
}

#[test]
fn what_is_unmet_elsewhere_is_told_and_not_repaired() {
    let shop = shop(
        "payments: 2.0; 2.1
         web: 3.4 needs ledger >=6
         ledger: 5",
    );
    assert_snapshot!(shop.rolls_back("payments", RollbackTarget::Good), @r#"
    payments 2.1 -> 2.0: asked for, 1 back, of 0
    not repaired: web 3.4 needs ledger >=6
    payments held: Above("2.0")
    "#);
}

#[test]
fn a_table_of_needs_speaks_of_older_versions_too_and_stays() {
    let shop = shop(
        "payments: 2.0; 2.1
         checkout: 1.7; 1.8 // dependsOn: {payments: {\"1.0\": \"*\", \"1.8\": \">=2.1\"}}",
    );
    let request = super::Request::Services(vec![super::service("payments")], RollbackTarget::Version(version("2.0")));
    let revert = shop.revert(&request).unwrap();
    assert_eq!(revert.members[1].to.version, version("1.7"));
    assert_eq!(revert.members[1].to.depends_on, revert.members[1].from.depends_on);
}

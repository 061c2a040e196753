//! What is asked for, and where to.

use insta::assert_snapshot;

use super::{Request, RollbackTarget, shop, version};

#[test]
fn without_a_word_it_goes_to_the_newest_pin_that_is_proven_and_not_held() {
    let shop = shop("payments: 1.8!; 1.9!; 2.0; 2.1 // hold: {versions: \"=1.9\"}");
    assert_snapshot!(shop.rolls_back("payments", RollbackTarget::Good), @r#"
    payments 2.1 -> 1.8: asked for, 3 back, proven, of 0
    payments held: Above("1.8")
    "#);
}

#[test]
fn where_nothing_is_proven_it_goes_to_the_one_before() {
    assert_snapshot!(shop("payments: 1.9; 2.0; 2.1").rolls_back("payments", RollbackTarget::Good), @r#"
    payments 2.1 -> 2.0: asked for, 1 back, of 1
    payments held: Above("2.0")
    "#);
}

#[test]
fn a_version_that_was_left_by_going_back_is_nothing_to_go_back_to() {
    let returned = shop("payments: 2.0; 2.1; 2.0");
    assert_snapshot!(returned.rolls_back("payments", RollbackTarget::Good), @r#"
    payments has no older pin than 2.0 to go back to
      {"code":"showPins","service":"payments"}
    "#);
    assert_snapshot!(returned.rolls_back("payments", RollbackTarget::Version(version("2.1"))), @r#"
    payments 2.0 -> 2.1: asked for, of 1
    payments held: Above("2.1")
    "#);
    let builds = shop("payments: c0ffee; deadbeef; bad; deadbeef");
    assert_snapshot!(builds.rolls_back("payments", RollbackTarget::Good), @r#"
    payments deadbeef -> c0ffee: asked for, 1 back, of 0
    payments held: Above("c0ffee")
    "#);
}

#[test]
fn steps_count_the_pins_that_one_can_go_back_to() {
    let shop = shop("payments: 1.9; 2.0; 2.1; 2.0; 2.2");
    assert_snapshot!(shop.rolls_back("payments", RollbackTarget::Steps(3)), @r#"
    payments 2.2 -> 1.9: asked for, 3 back, of 0
    payments held: Above("1.9")
    "#);
    assert_snapshot!(shop.rolls_back("payments", RollbackTarget::Steps(4)), @r#"
    payments cannot go back by 4 pins: it had 3 pins of other versions before the one at the tip
      {"code":"showPins","service":"payments"}
    "#);
}

#[test]
fn what_does_not_exist_or_may_not_run_is_refused_with_the_way_out() {
    let shop = shop(
        "payments: 1.9; 2.0; 2.1 // rollbackFloor: \"2.0\"
         mail: 1; 2; 3 // hold: {above: \"1\", reason: \"it sends twice\", until: 2026-03-01T00:00Z}
         bank: 7; 8 // external: true
         web: -; 3",
    );
    assert_snapshot!(shop.rolls_back("payments", RollbackTarget::Version(version("1.9"))), @r#"
    payments cannot go back to 1.9: it is older than its `rollbackFloor` 2.0
      {"code":"lowerFloor"}
    "#);
    assert_snapshot!(shop.rolls_back("mail", RollbackTarget::Steps(1)), @r#"
    mail cannot go back to 2: it is on hold (above 1): it sends twice
      {"code":"chooseTargetOrRelease"}
    "#);
    assert_snapshot!(shop.rolls_back("mail", RollbackTarget::Good), @"mail 3 -> 1: asked for, 2 back, of 0");
    assert_snapshot!(shop.rolls_back("bank", RollbackTarget::Good), @r#"
    bank cannot go back to 7: it is deployed elsewhere (`external: true`)
      {"code":"moveElsewhere"}
    "#);
    assert_snapshot!(shop.rolls_back("payments", RollbackTarget::Version(version("3"))), @r#"
    payments was never pinned at 3
      {"code":"showPins","service":"payments"}
    "#);
    assert_snapshot!(shop.rolls_back("web", RollbackTarget::Good), @r#"
    web has no older pin than 3 to go back to
      {"code":"showPins","service":"web"}
    "#);
    assert_snapshot!(shop.rolls_back("web", RollbackTarget::At(0)), @r#"
    web was not pinned then
      {"code":"showPinDates","service":"web"}
    "#);
}

#[test]
fn what_is_there_already_is_nothing() {
    let shop = shop("payments: 2.0; 2.1\n mail: 1; -; 2");
    assert_snapshot!(shop.rolls_back("payments", RollbackTarget::Version(version("2.1"))), @"nothing");
    assert_snapshot!(shop.rolls_back("payments mail", RollbackTarget::At(1)), @r#"
    mail 2 -> 1: asked for, 1 back, of 0
    mail held: Above("1")
    "#);
}

#[test]
fn the_whole_system_goes_to_the_newest_revision_that_is_proven_as_a_whole() {
    let shop = shop(
        "payments: 2.0!; -; 2.1!; 2.2
         mail: 1!; 2!; -; 3
         old: 1; gone
         bank: -; 5; 6 // external: true
         new: -; -; -; 1",
    );
    assert_snapshot!(shop.says(&Request::All(RollbackTarget::Good)), @"
    mail 3 -> 2: asked for, 1 back, proven, of 1
    payments 2.2 -> 2.1: asked for, 1 back, proven, of 2
    new stays: was not pinned before; nothing is removed
    ");
    assert_snapshot!(shop.says(&Request::All(RollbackTarget::Steps(3))), @"
    mail 3 -> 1: asked for, 2 back, proven, of 0
    payments 2.2 -> 2.0: asked for, 2 back, proven, of 0
    bank stays: was not pinned before; nothing is removed
    new stays: was not pinned before; nothing is removed
    old stays: is not pinned any more; nothing is added
    ");
    assert_snapshot!(shop.says(&Request::All(RollbackTarget::Steps(4))), @r#"
    there are not 4 commits to go back by: 3 moved pins before the last one
      {"code":"showPinCommits"}
    "#);
    let unproven = super::shop("payments: 2.0; 2.1");
    assert_snapshot!(unproven.says(&Request::All(RollbackTarget::Good)), @r#"
    no earlier revision is known to have been good as a whole
      {"code":"nameTarget"}
    "#);
}

#[test]
fn of_the_whole_system_what_may_not_run_stays() {
    let shop = shop(
        "payments: 2.0; 2.1
         ledger: 4; 5 // rollbackFloor: \"5\"",
    );
    assert_snapshot!(shop.says(&Request::All(RollbackTarget::At(0))), @"
    payments 2.1 -> 2.0: asked for, 1 back, of 0
    ledger stays: 4 is older than its `rollbackFloor` 5
    ");
}

#[test]
fn what_commits_moved_goes_back_to_what_it_was_before_them() {
    let shop = shop(
        "payments: 2.0; 2.1; -; 2.2
         checkout: 1.7; -; 1.8; -
         mail: 1; 2; 1
         new: -; -; 1",
    );
    assert_snapshot!(shop.says(&Request::Moved(1..=2)), @"
    checkout 1.8 -> 1.7: asked for, 1 back, of 0
    payments 2.2 -> 2.0: asked for, 2 back, of 0
    mail stays: these commits cancel each other out: 1 before and after them
    new stays: was not pinned before; nothing is removed
    ");
}

#[test]
fn a_revert_says_in_its_message_who_goes_back_why_and_which_commits_it_undoes() {
    let shop = shop(
        "payments: 2.0.3; 2.1.0
         checkout: 1.7.9 needs payments >=2.0; - ; 1.8.2 needs payments >=2.1",
    );
    assert_snapshot!(shop.message("payments", RollbackTarget::Good, Some("checkout loses orders")), @"
    Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.8.2 -> 1.7.9

    checkout loses orders

    payments 2.1.0 -> 2.0.3: asked for
    checkout 1.8.2 -> 1.7.9: checkout 1.8.2 needs payments >=2.1

    Pintle-Reverts: 0303030303030303030303030303030303030303
    Pintle-Reverts: 0202020202020202020202020202020202020202
    Pintle-Services: payments, checkout
    Pintle-Id: ded2db6e94707420
    ");
}

#[test]
fn an_exact_inverse_says_so_and_with_a_hold_it_is_none() {
    let shop = shop("payments: 2.0.3; 2.1.0");
    assert_snapshot!(shop.message_of(&Request::All(RollbackTarget::At(0)), None), @"
    Revert pins: payments 2.1.0 -> 2.0.3

    payments 2.1.0 -> 2.0.3: asked for

    This reverts commit 0202020202020202020202020202020202020202.

    Pintle-Reverts: 0202020202020202020202020202020202020202
    Pintle-Services: payments
    Pintle-Id: a262dffaf3dd6867
    ");
    assert!(!shop.message("payments", RollbackTarget::Good, None).contains("This reverts"));
}

#[test]
fn a_subject_names_as_many_as_there_is_room_for() {
    let lines: Vec<String> = (0..9).map(|number| format!("service-{number}: 1.0; 1.1")).collect();
    let names: Vec<String> = (0..9).map(|number| format!("service-{number}")).collect();
    let message = shop(&lines.join("\n")).message(&names.join(" "), RollbackTarget::Good, None);
    assert_snapshot!(message.lines().next().unwrap(), @"Revert pins: service-0 1.1 -> 1.0, service-1 1.1 -> 1.0 and 7 more");
}

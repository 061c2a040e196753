use insta::assert_snapshot;

use super::{needs, shop};
use crate::common::pintle::Pintle;

#[test]
fn what_cannot_go_back_far_enough_is_refused_with_each_pin_that_was_tried() {
    let repo = shop();
    let both = needs("payments: '>=2.1, <3', ledger: ^5.0") + "rollbackFloor: \"1.8\"\n";
    repo.pin("checkout", "1.8.3", &both).commit("Upgrade checkout, drop the old columns");
    assert_snapshot!(Pintle::in_repo(&repo).outline("rollback payments --dry-run"), @"
    error 1.8.3 | 2.0.3 | <3 | >=2.1 | checkout | payments
    hint rollbackFloor
    exit 4
    ");
}

#[test]
fn a_floor_and_a_hold_are_refused_with_the_way_out() {
    let repo = shop();
    repo.pin("ledger", "5.1", "rollbackFloor: \"5.1\"\n");
    repo.pin("payments", "2.2.0", "hold: {versions: '=2.1.0', reason: it books twice}\n").commit("Upgrade both");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("rollback ledger --dry-run"), @"
    error 5.0 | 5.1 | ledger | rollbackFloor
    hint rollbackFloor
    exit 4
    ");
    assert_snapshot!(pintle.outline("rollback payments --to 2.1.0 --dry-run"), @"
    error 2.1.0 | payments
    hint --to | pintle release
    exit 4
    ");
    assert_snapshot!(pintle.outline("rollback --all --to HEAD~1 --dry-run"), @"
    complete=yes
    stays service=ledger reason=objected why: 5.0 | 5.1 | rollbackFloor
    stays service=payments reason=objected why: 2.1.0
    plan
    exit 4
    ");
}

#[test]
fn where_there_is_nothing_to_go_back_to_it_says_so() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("rollback ledger --dry-run"), @"
    error 5.0 | ledger
    hint pintle history ledger
    exit 1
    ");
    assert_snapshot!(pintle.outline("rollback payments --to 2.1.0 --dry-run"), @"
    complete=yes
    plan
    ");
    assert_snapshot!(pintle.outline("rollback paymnets --dry-run"), @"
    error
    hint payments
    exit 1
    ");
}

#[test]
fn what_was_typed_must_say_what_goes_back() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("rollback payments"), @"
    error
    hint
    exit 64
    ");
    for words in [
        "rollback --dry-run",
        "rollback payments --all --dry-run",
        "rollback --revert HEAD --to 2h --dry-run",
        "rollback payments --steps 0 --dry-run",
    ] {
        assert_eq!(pintle.says(words).code, Some(64), "{words}");
    }
    assert_snapshot!(pintle.outline("rollback --revert HEAD...HEAD --dry-run"), @"
    error HEAD...HEAD
    hint --revert OLD..NEW
    exit 64
    ");
}

#[test]
fn a_shallow_clone_of_nothing_that_can_be_asked_says_how_to_deepen_it() {
    let repo = shop();
    let clone = tempfile::tempdir().unwrap();
    let folder = clone.path().to_str().unwrap();
    repo.git(&["clone", "--quiet", "--depth", "2", &format!("file://{}", repo.location()), folder]);
    repo.git(&["-C", folder, "remote", "rename", "origin", "elsewhere"]);
    repo.git(&["-C", folder, "remote", "add", "another", "/nonexistent"]);
    repo.git(&["-C", folder, "branch", "--unset-upstream"]);
    let pintle = Pintle::in_repo(&repo);
    let says = |words: &str| pintle.outline(&format!("--repo {folder} rollback {words} --dry-run"));
    let said = ["payments", "web --steps 2", "payments --to 2.0.3", "--all --to 2026-01-01T00:30"].map(says);
    assert_snapshot!(said.concat(), @r#"
    error 2.1.0 | payments
    hint git fetch --unshallow
    exit 1
    error 1 | 2 | web
    hint git fetch --unshallow
    exit 1
    error --to "2.0.3" | payments
    hint git fetch --unshallow
    exit 1
    error 00:30 | 2026-01-01
    hint git fetch --unshallow
    exit 1
    "#);
    repo.git(&["-C", folder, "remote", "remove", "another"]);
    // The only remote is meant.
    let said = says("payments");
    assert!(said.contains("\nmembers service=payments from=2.1.0 to=2.0.3 "), "{said}");
}

#[test]
fn commits_that_cancel_each_other_out_are_named_so_and_a_hold_that_keeps_all_with_its_end() {
    let repo = shop();
    repo.pin("ledger", "5.1", "").commit("Upgrade ledger");
    repo.pin("ledger", "5.0", "").commit("Take ledger back");
    repo.pin("ledger", "5.2", "hold: {versions: '=5.0', reason: it leaks}\n").commit("Upgrade ledger again");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("rollback --revert HEAD~3..HEAD~1 --dry-run"), @"
    complete=yes
    stays service=ledger reason=cancelled why: 5.0
    plan
    ");
    assert_snapshot!(pintle.outline("rollback --revert HEAD --dry-run"), @"
    complete=yes
    stays service=ledger reason=objected why: 5.0
    plan
    exit 4
    ");
    let said = pintle.says("rollback --revert HEAD --dry-run");
    assert!(said.out.ends_with(": pintle release ledger\n"), "{said}");
}

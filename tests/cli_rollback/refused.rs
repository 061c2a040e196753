use insta::assert_snapshot;

use super::{needs, shop};
use crate::common::pintle::Pintle;

#[test]
fn what_cannot_go_back_far_enough_is_refused_with_each_pin_that_was_tried() {
    let repo = shop();
    let both = needs("payments: '>=2.1, <3', ledger: ^5.0") + "rollbackFloor: \"1.8\"\n";
    repo.pin("checkout", "1.8.3", &both).commit("Upgrade checkout, drop the old columns");
    assert_snapshot!(Pintle::in_repo(&repo).says("rollback payments --dry-run"), @"
    --- stderr
    error: payments cannot go back to 2.0.3: checkout 1.8.3 needs payments >=2.1, <3, so checkout would have to go back too, and none of its earlier pins may run:
        1.8.2 does not fit: checkout 1.8.2 needs payments >=2.1, <3
        1.7.9 is older than its `rollbackFloor` 1.8
      hint: its data has moved on; if it can go back, lower `rollbackFloor` in a commit of its own first
    --- exit 4
    ");
}

#[test]
fn a_floor_and_a_hold_are_refused_with_the_way_out() {
    let repo = shop();
    repo.pin("ledger", "5.1", "rollbackFloor: \"5.1\"\n");
    repo.pin("payments", "2.2.0", "hold: {versions: '=2.1.0', reason: it books twice}\n").commit("Upgrade both");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("rollback ledger --dry-run"), @"
    --- stderr
    error: ledger cannot go back to 5.0: it is older than its `rollbackFloor` 5.1
      hint: its data has moved on; if it can go back, lower `rollbackFloor` in a commit of its own first
    --- exit 4
    ");
    assert_snapshot!(pintle.says("rollback payments --to 2.1.0 --dry-run"), @"
    --- stderr
    error: payments cannot go back to 2.1.0: it is on hold (exactly 2.1.0): it books twice
      hint: choose another target (--to), or release it: pintle release
    --- exit 4
    ");
    assert_snapshot!(pintle.says("rollback --all --to HEAD~1 --dry-run"), @"
    Rollback at f1a68818 (Upgrade both)
      targets from Git alone

    Stays
      ! ledger: 5.0 is older than its `rollbackFloor` 5.1
      ! payments: 2.1.0 is on hold (exactly 2.1.0): it books twice

    Nothing goes back.
      hint: its data has moved on; if it can go back, lower `rollbackFloor` in a commit of its own first
    --- exit 4
    ");
}

#[test]
fn where_there_is_nothing_to_go_back_to_it_says_so() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("rollback ledger --dry-run"), @"
    --- stderr
    error: ledger has no older pin than 5.0 to go back to
      hint: pintle history ledger shows its pins
    --- exit 1
    ");
    assert_snapshot!(pintle.says("rollback payments --to 2.1.0 --dry-run"), @"
    Rollback at 98580dae (Upgrade web)
      targets from Git alone

    Nothing goes back: it is pinned so already.
    ");
    assert_snapshot!(pintle.says("rollback paymnets --dry-run"), @r#"
    --- stderr
    error: there is no service "paymnets"
      hint: did you mean `payments`?
    --- exit 1
    "#);
}

#[test]
fn what_was_typed_must_say_what_goes_back() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("rollback payments"), @"
    --- stderr
    error: there is no terminal to ask why
      hint: add --reason TEXT and --yes
    --- exit 64
    ");
    for words in [
        "rollback --dry-run",
        "rollback payments --all --dry-run",
        "rollback --revert HEAD --to 2h --dry-run",
        "rollback payments --steps 0 --dry-run",
    ] {
        assert_eq!(pintle.says(words).code, Some(64), "{words}");
    }
    assert_snapshot!(pintle.says("rollback --revert HEAD...HEAD --dry-run"), @r#"
    --- stderr
    error: "HEAD...HEAD" does not name a commit or two
      hint: write --revert COMMIT, or --revert OLD..NEW for what came after OLD up to NEW
    --- exit 64
    "#);
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
    let says = |words: &str| pintle.says(&format!("--repo {folder} rollback {words} --dry-run")).to_string();
    let said = ["payments", "web --steps 2", "payments --to 2.0.3", "--all --to 2026-01-01T00:30"].map(says);
    assert_snapshot!(said.concat(), @r#"
    --- stderr
    error: payments has no older pin than 2.1.0 to go back to; and this is a shallow clone, whose history begins late
      hint: git fetch --unshallow, then type it again
    --- exit 1
    --- stderr
    error: web cannot go back by 2 pins: it had 1 pins of other versions before the one at the tip; and this is a shallow clone, whose history begins late
      hint: git fetch --unshallow, then type it again
    --- exit 1
    --- stderr
    error: --to "2.0.3": payments was never pinned at it, and it is no time and no revision; and this is a shallow clone, whose history begins late
      hint: git fetch --unshallow, then type it again
    --- exit 1
    --- stderr
    error: nothing was pinned at 2026-01-01 00:30 UTC; and this is a shallow clone, whose history begins late
      hint: git fetch --unshallow, then type it again
    --- exit 1
    "#);
    repo.git(&["-C", folder, "remote", "remove", "another"]);
    let said = says("payments");
    assert!(said.contains("~ payments  2.1.0 -> 2.0.3  asked for"), "{said}");
    assert!(said.contains("from elsewhere: this clone is shallow"), "the only remote is meant: {said}");
}

#[test]
fn commits_that_cancel_each_other_out_are_named_so_and_a_hold_that_keeps_all_with_its_end() {
    let repo = shop();
    repo.pin("ledger", "5.1", "").commit("Upgrade ledger");
    repo.pin("ledger", "5.0", "").commit("Take ledger back");
    repo.pin("ledger", "5.2", "hold: {versions: '=5.0', reason: it leaks}\n").commit("Upgrade ledger again");
    let pintle = Pintle::in_repo(&repo);
    let said = pintle.says("rollback --revert HEAD~3..HEAD~1 --dry-run");
    let cancel =
        "\nStays\n  ! ledger: these commits cancel each other out: 5.0 before and after them\n\nNothing goes back.\n";
    assert!(said.out.ends_with(cancel) && said.code == Some(0), "{said}");
    let said = pintle.says("rollback --revert HEAD --dry-run");
    let hint = "\nNothing goes back.\n  hint: release it: pintle release ledger\n";
    assert!(said.out.ends_with(hint) && said.code == Some(4), "{said}");
}

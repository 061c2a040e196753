//! What was not cloned is received where it is needed, and no more.

use insta::assert_snapshot;

use super::Shallow;
use crate::common::pushed::{PinsClone, human};

#[test]
fn a_rollback_receives_what_was_not_cloned_and_lands() {
    let shop = PinsClone::upgraded();
    let clone = Shallow::of(&shop, 1);
    assert_snapshot!(clone.outline("rollback payments --yes --reason INC-47"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    rollback complete=yes
      members service=payments from=2.1.0 to=2.0.3 pinsBack=1 reason=asked commit=(Start)
      members service=checkout from=1.9.0 to=1.8.2 pinsBack=1 reason=unmet commit=(Start) why: 1.9.0 | ^2.1 | checkout | payments
      holds service=payments above=2.0.3
      plan
        stages 1 service=checkout kind=return from=1.9.0 to=1.8.2
        stages 2 service=payments kind=return from=2.1.0 to=2.0.3 waits: 1.9.0 | ^2.1 | checkout | payments
    files path=services/checkout.yaml status=changed
      hunks
        lines -version: "1.9.0"
        lines +version: "1.8.2"
        lines  image: ghcr.io/acme/checkout
        lines -dependsOn:
        lines -  # the new API
        lines -  payments: ^2.1
        lines +dependsOn: {payments: "^2"}
    files path=services/payments.yaml status=changed
      hunks
        lines  # refunds
        lines -version: '2.1.0'   # new API
        lines +version: "2.0.3"   # new API
        lines  image: ghcr.io/acme/payments
        lines +hold: {above: "2.0.3", reason: "INC-47", by: "Ada"}
    "#);
    assert!(!clone.is_cut());
    assert_eq!(clone.git(&["rev-parse", "main"]), clone.shop.at_remote());
    assert_snapshot!(clone.git(&["show", "--format=", "--name-only"]), @"
    services/checkout.yaml
    services/payments.yaml
    ");
}

#[test]
fn a_dry_run_receives_it_too_and_moves_nothing() {
    let shop = PinsClone::upgraded();
    let clone = Shallow::of(&shop, 1);
    std::fs::write(clone.folder.path().join("README.md"), "Mine\n").unwrap();
    human(&clone.shop.bare(), "echo More >>README.md");
    let before = clone.state();
    let said = clone.outline("rollback payments --dry-run");
    assert!(said.contains("\nmembers service=payments from=2.1.0 to=2.0.3 "), "{said}");
    assert_eq!(clone.state(), before);
    assert!(!clone.is_cut());
    assert_eq!(clone.outline("rollback payments --dry-run"), said);
}

#[test]
fn whatever_is_named_that_lies_deeper_is_found() {
    let shop = PinsClone::upgraded();
    shop.repo.git(&["tag", "before", "HEAD~1"]);
    let whole = |words: &str| shop.outline(&format!("{words} --dry-run"));
    let asked = [
        "rollback payments --steps 1",
        "rollback payments --to 2.0.3",
        "rollback payments --to HEAD~1",
        "rollback --all --to HEAD~1",
        "rollback --all --to 2026-01-01T00:05",
        "rollback --all --steps 1",
        "rollback --revert HEAD",
        "rollback --revert HEAD~1..",
        "rollback --revert HEAD~1..HEAD --include-config",
    ];
    let expected = asked.map(whole);
    for (words, expected) in asked.into_iter().zip(expected) {
        let clone = Shallow::of(&shop, 1);
        assert_eq!(clone.outline(&format!("{words} --dry-run")), expected, "{words}");
        assert!(expected.contains("\nmembers service=payments from=2.1.0 to=2.0.3 "), "{words}\n{expected}");
        assert!(!clone.is_cut(), "{words}");
    }
}

/// What goes forward again.
const REAPPLIED: [&str; 2] = ["checkout from=1.8.2 to=1.9.0", "payments from=2.0.3 to=2.1.0"];

impl Shallow<'_> {
    /// Undoes a rollback, and gives what goes forward.
    fn reapplied(&self, named: &str) -> Vec<String> {
        let said = self.outline(&format!("reapply {named} --commit-only --yes --reason mended"));
        let members = said.lines().filter_map(|line| line.trim_start().strip_prefix("members service="));
        members.map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect()
    }
}

#[test]
fn a_reapply_receives_the_rollback_that_it_undoes() {
    let shop = PinsClone::upgraded();
    shop.says("rollback payments --yes --reason INC-47");
    let rollback = shop.at_remote();
    shop.repo.save("README.md", "More\n");
    shop.repo.git(&["push", "--quiet"]);
    for named in ["", "payments", &rollback, "HEAD~1"] {
        let clone = Shallow::of(&shop, 1);
        assert_eq!(clone.reapplied(named), REAPPLIED, "{named}");
        assert!(!clone.is_cut());
    }
    // The rollback is the first commit that there is: what it moved is not known.
    let clone = Shallow::of(&shop, 2);
    assert_eq!(clone.reapplied(""), REAPPLIED);
}

#[test]
fn what_was_cloned_is_enough_where_the_target_lies_in_it() {
    let shop = PinsClone::upgraded();
    let clone = Shallow::of(&shop, 1);
    for version in ["2.2.0", "2.3.0"] {
        clone.says(&format!("pin payments {version} --yes"));
    }
    let said = clone.outline("rollback payments --yes --reason INC-47");
    assert!(said.contains("\n  members service=payments from=2.3.0 to=2.2.0 "), "{said}");
    assert!(clone.is_cut());
    assert_eq!(clone.git(&["rev-parse", "main"]), clone.shop.at_remote());
}

#[test]
fn a_branch_without_an_upstream_and_a_detached_head_receive_what_their_remote_calls_its_own() {
    let shop = PinsClone::upgraded();
    let clone = Shallow::of(&shop, 1);
    clone.git(&["checkout", "--quiet", "--detach"]);
    clone.git(&["remote", "rename", "origin", "upstream"]);
    let said = clone.outline("rollback payments --dry-run");
    assert!(said.contains("\nmembers service=payments from=2.1.0 to=2.0.3 "), "{said}");
    assert!(!clone.is_cut());
    let clone = Shallow::of(&shop, 1);
    clone.git(&["checkout", "--quiet", "-b", "topic", "--no-track"]);
    let said = clone.outline("rollback payments --yes --reason INC-47");
    assert!(said.starts_with("branch=topic commit=") && !clone.is_cut(), "{said}");
}

#[test]
fn another_working_tree_of_a_shallow_clone_is_deepened_with_it() {
    let shop = PinsClone::upgraded();
    let clone = Shallow::of(&shop, 1);
    clone.git(&["worktree", "add", "--quiet", "-b", "topic", "tree", "main"]);
    let mut command = clone.command("rollback payments --dry-run");
    let said = clone.outlined(command.current_dir(clone.folder.path().join("tree")));
    assert!(said.contains("\nmembers service=payments from=2.1.0 to=2.0.3 "), "{said}");
    assert!(!clone.is_cut());
}

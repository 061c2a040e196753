//! Nothing can be received: why, and what to type.

use insta::assert_snapshot;

use super::Shallow;
use crate::common::pushed::PinsClone;

#[test]
fn where_nothing_can_be_received_it_says_why_and_what_to_type() {
    let shop = PinsClone::upgraded();
    let clone = Shallow::of(&shop, 1);
    clone.comes_from("/nonexistent/pins.git");
    let before = clone.state();
    assert_snapshot!(clone.outline("rollback payments --yes --reason INC-47"), @"
    warning /nonexistent/pins.git | file:///nonexistent/pins.git
    error 2.1.0 | payments
    hint git fetch --unshallow
    exit 1
    ");
    assert_eq!(clone.state(), before);
    clone.git(&["remote", "remove", "origin"]);
    assert_snapshot!(clone.outline("rollback payments --dry-run"), @"
    error 2.1.0 | payments
    hint git fetch --unshallow
    exit 1
    ");
    clone.git(&["remote", "add", "origin", "https://ada:hunter2@example.com/pins.git"]);
    let said = clone.says("reapply --commit-only --yes --reason mended");
    assert!(said.contains("https://") && !said.contains("hunter2") && said.ends_with("--- exit 1\n"), "{said}");
    assert_eq!(clone.git(&["rev-parse", "--is-shallow-repository"]), "true");
}

#[test]
fn a_clone_that_somebody_else_deepens_is_left_to_them() {
    let shop = PinsClone::upgraded();
    let clone = Shallow::of(&shop, 1);
    let (before, lock) = (clone.state(), clone.folder.path().join(".git/shallow.lock"));
    std::fs::write(&lock, "theirs").unwrap();
    assert_snapshot!(clone.outline("rollback payments --dry-run"), @"
    warning CLONE/.git/shallow.lock | 17
    error 2.1.0 | payments
    hint git fetch --unshallow
    exit 1
    ");
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), "theirs");
    std::fs::remove_file(&lock).unwrap();
    assert!(clone.is_cut());
    assert_eq!(clone.state(), before);
}

#[test]
fn a_remote_that_is_cut_off_itself_is_asked_once() {
    let shop = PinsClone::upgraded();
    let middle = Shallow::of(&shop, 1);
    let clone = Shallow::of(&shop, 1);
    clone.comes_from(&format!("file://{}", middle.folder.path().display()));
    assert_snapshot!(clone.outline("rollback payments --dry-run"), @"
    error 2.1.0 | payments
    hint git fetch --unshallow
    exit 1
    ");
    assert!(clone.is_cut());
}

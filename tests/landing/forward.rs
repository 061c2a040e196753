use insta::assert_snapshot;

use crate::common::pushed::PinsClone;

/// The version lines at the tip.
fn pinned(shop: &PinsClone) -> String {
    shop.repo.git(&["grep", "-h", "^version:", "HEAD", "--", "services"]).replace('\'', "\"")
}

#[test]
fn reapply_leaves_what_somebody_has_moved_since_and_names_the_commit() {
    let shop = PinsClone::upgraded();
    shop.says("rollback payments --yes --reason INC-47");
    shop.says("pin checkout 1.9.5 --yes --needs payments=^2");
    let since = shop.repo.git(&["log", "-1", "--format=%h", "--abbrev=8"]);
    let said = shop.outline("reapply --yes --reason mended").replace(&since, "SINCE");
    assert_snapshot!(said, @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    rollback complete=yes
      members service=payments from=2.0.3 to=2.1.0 reason=asked commit=(Upgrade both)
      stays service=checkout reason=since why: 1.9.5 | checkout | SINCE
      plan
        stages 1 service=payments kind=return from=2.0.3 to=2.1.0
    files path=services/payments.yaml status=changed
      hunks
        lines  # refunds
        lines -version: "2.0.3"   # new API
        lines +version: '2.1.0'   # new API
        lines  image: ghcr.io/acme/payments
        lines -hold: {above: "2.0.3", reason: "INC-47", by: "Ada"}
    "#);
    assert_snapshot!(pinned(&shop), @r#"
    version: "1.9.5"
    version: "2.1.0"   # new API
    "#);
}

#[test]
fn where_all_was_moved_since_reapply_ends_the_holds_alone_and_then_there_is_nothing_left() {
    let shop = PinsClone::new();
    shop.says("pin payments 2.1.0 --yes");
    shop.says("rollback payments --yes --reason INC-47 --hold version");
    let rollback = shop.repo.git(&["rev-parse", "--short=8", "HEAD"]);
    shop.says("pin payments 2.2.0 --yes");
    let since = shop.repo.git(&["log", "-1", "--format=%h", "--abbrev=8"]);
    let short = |said: String| said.replace(&rollback, "ROLLBACK").replace(&since, "SINCE");
    assert_snapshot!(short(shop.outline("reapply payments --yes --reason mended")), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    rollback complete=yes
      stays service=payments reason=since why: 2.2.0 | payments | SINCE
      plan
    files path=services/payments.yaml status=changed
      hunks
        lines  version: "2.2.0"
        lines  image: ghcr.io/acme/payments
        lines -hold: {versions: "=2.1.0", reason: "INC-47", by: "Ada"}
    "#);
    let message = short(shop.repo.git(&["log", "-1", "--format=%B"]));
    assert!(message.lines().any(|line| line.starts_with("payments ") && line.contains(" SINCE ")), "{message}");
    let head = shop.repo.head();
    assert_snapshot!(short(shop.outline(&format!("reapply {rollback} --yes --reason mended"))), @"
    branch=main
    rollback complete=yes
      stays service=payments reason=since why: 2.2.0 | payments | SINCE
      plan
    ");
    assert_eq!(shop.repo.head(), head);
}

#[test]
fn a_hold_by_somebody_else_that_keeps_a_reapply_is_named_with_who_and_why_and_the_way_out() {
    let shop = PinsClone::upgraded();
    shop.says("rollback payments --yes --reason INC-47");
    held_as(&shop, "Ada\"", "Bob\"");
    let head = shop.repo.head();
    assert_snapshot!(shop.outline("reapply --yes --reason mended"), @"
    error 1.9.0 | 2.0.3 | 2.1.0 | INC-47 | ^2.1 | checkout | payments
    hint pintle release payments
    exit 4
    ");
    assert_eq!(shop.repo.head(), head);
}

#[test]
fn a_hold_of_the_rollback_that_somebody_has_only_dated_or_explained_is_lifted() {
    let shop = PinsClone::upgraded();
    let before = shop.repo.git(&["rev-parse", "HEAD^{tree}"]);
    for edit in ["Ada\", until: 2999-01-01T00:00:00Z", "Ada\", reason: \"INC-47, and INC-48\""] {
        shop.says("rollback payments --yes --reason INC-47");
        if edit.contains("reason") {
            held_as(&shop, "reason: \"INC-47\", ", "");
        }
        held_as(&shop, "Ada\"", edit);
        let said = shop.says("reapply --yes --reason mended");
        assert_eq!(shop.repo.git(&["rev-parse", "HEAD^{tree}"]), before, "{said}");
    }
}

/// Somebody writes the hold of payments otherwise.
fn held_as(shop: &PinsClone, from: &str, to: &str) {
    let path = shop.repo.path().join("services/payments.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    shop.repo.write("services/payments.yaml", text.replace(from, to)).commit("Say it otherwise");
    shop.repo.git(&["push", "--quiet"]);
}

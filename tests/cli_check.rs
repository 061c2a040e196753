/// Where pins are read from: settings, patterns, revisions, folders.
mod files;
/// What services need of each other: pins that fit, ranges that mean something, needs that moved.
mod needs;
/// What was never seen together, where that is refused.
mod unseen;

use insta::assert_snapshot;

use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

#[test]
fn pins_in_order_have_no_problems() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.1.0", "")
        .pin("checkout", "1.8.2", "dependsOn: {payments: \">=2.1, <3\"}\n")
        .commit("Start");
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @"services=2");
}

#[test]
fn every_problem_is_told_at_once() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "")
        .pin("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.1, <3\"\n  basket: \"*\"\n")
        .write("services/search.yaml", "version: 1.10\nimage: ghcr.io/acme/search\nnamspace: shop\n")
        .commit("Start");
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @"
    services=3
    problems severity=error path=services/checkout.yaml line=4 column=3 service=checkout message: 1.8.2 | 2.0.3 | <3 | >=2.1 | checkout | payments hint: 2.1 | 3 | payments
      also path=services/payments.yaml line=1 column=10
    problems severity=error path=services/checkout.yaml line=5 column=3 service=checkout message: basket | checkout hint: external: true | services/basket.yaml
    problems severity=error path=services/search.yaml line=1 column=10 service=search message: 1.10 hint: 1.10
    problems severity=error path=services/search.yaml line=3 column=1 service=search message: namspace hint: namespace
    exit 1
    ");
}

#[test]
fn limits_that_a_service_sets_itself_are_kept() {
    let repo = TestRepo::for_pins();
    repo.pin("cart", "1.8.1", "hold: {above: \"1.7.9\", reason: \"loses orders\", until: 2026-01-01T00:00Z}\n")
        .pin("ledger", "1.5.2", "rollbackFloor: \"1.6\"\n")
        .pin("search", "01.2.3", "versioning: semver\n")
        .pin("web", "1.8.2", "hold: {versions: \">=1.8, <1.8.4\"}\n")
        .commit("Start");
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @"
    services=4
    problems severity=error path=services/cart.yaml line=1 column=10 service=cart message: 1.7.9 | 1.8.1 | cart hint: hold
      also path=services/cart.yaml line=3 column=7
    problems severity=warning path=services/cart.yaml line=3 column=7 service=cart message: 2026-01-01T00:00:00Z | cart hint: until
    problems severity=error path=services/ledger.yaml line=1 column=10 service=ledger message: 1.5.2 | 1.6 | ledger hint: rollbackFloor
      also path=services/ledger.yaml line=3 column=16
    problems severity=error path=services/search.yaml line=1 column=10 service=search message: 01.2.3 hint: versioning: history
    problems severity=error path=services/web.yaml line=1 column=10 service=web message: 1.8.2 | <1.8.4 | >=1.8 | web hint: hold
      also path=services/web.yaml line=3 column=7
    exit 1
    ");
}

#[test]
fn programs_get_problems_with_line_and_column() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "")
        .pin("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.1, <3\"\n")
        .commit("Start");
    assert_snapshot!(Pintle::in_repo(&repo).says("check --output json"), @r#"
    {
      "commit": null,
      "services": 2,
      "errors": 1,
      "warnings": 0,
      "problems": [
        {
          "severity": "error",
          "service": "checkout",
          "path": "services/checkout.yaml",
          "line": 4,
          "column": 3,
          "message": "`checkout` 1.8.2 needs `payments` >=2.1, <3, but `payments` is pinned at 2.0.3",
          "hint": "pin `payments` at 2.1 or newer, below 3",
          "remedy": null,
          "also": [
            {
              "path": "services/payments.yaml",
              "line": 1,
              "column": 10,
              "label": "2.0.3 is pinned here"
            }
          ]
        }
      ]
    }
    --- exit 1
    "#);
}

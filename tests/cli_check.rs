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
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @"2 services: no problems (… ms)");
}

#[test]
fn every_problem_is_told_at_once() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "")
        .pin("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.1, <3\"\n  basket: \"*\"\n")
        .write("services/search.yaml", "version: 1.10\nimage: ghcr.io/acme/search\nnamspace: shop\n")
        .commit("Start");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @r#"
    error: `checkout` 1.8.2 needs `payments` >=2.1, <3, but `payments` is pinned at 2.0.3
     --> services/checkout.yaml:4:3
      |
    4 |   payments: ">=2.1, <3"
      |   ^^^^^^^^
      |
     ::: services/payments.yaml:1:10
      |
    1 | version: "2.0.3"
      |          ------- 2.0.3 is pinned here
      |
      = help: pin `payments` at 2.1 or newer, below 3

    error: `checkout` depends on `basket`, which nothing declares
     --> services/checkout.yaml:5:3
      |
    5 |   basket: "*"
      |   ^^^^^^
      |
      = help: declare it in services/basket.yaml, with `external: true` if it is deployed elsewhere

    error: `1.10` is a number to YAML, not text
     --> services/search.yaml:1:10
      |
    1 | version: 1.10
      |          ^^^^
      |
      = help: quote it: "1.10"

    error: `namspace` is not a key of a service file
     --> services/search.yaml:3:1
      |
    3 | namspace: shop
      | ^^^^^^^^
      |
      = help: did you mean `namespace`?

    3 services: 4 errors (… ms)
    --- exit 1
    "#);
}

#[test]
fn limits_that_a_service_sets_itself_are_kept() {
    let repo = TestRepo::for_pins();
    repo.pin("cart", "1.8.1", "hold: {above: \"1.7.9\", reason: \"loses orders\", until: 2026-01-01T00:00Z}\n")
        .pin("ledger", "1.5.2", "rollbackFloor: \"1.6\"\n")
        .pin("search", "01.2.3", "versioning: semver\n")
        .pin("web", "1.8.2", "hold: {versions: \">=1.8, <1.8.4\"}\n")
        .commit("Start");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @r#"
    error: `cart` 1.8.1 is pinned, but versions above 1.7.9 are held: loses orders
     --> services/cart.yaml:1:10
      |
    1 | version: "1.8.1"
      |          ^^^^^^^
      |
     ::: services/cart.yaml:3:7
      |
    3 | hold: {above: "1.7.9", reason: "loses orders", until: 2026-01-01T00:00Z}
      |       ------------------------------------------------------------------ held here
      |
      = help: pin a version that is not held, or remove `hold` in the same change

    warning: the hold of `cart` was meant until 2026-01-01T00:00:00Z, and still holds
     --> services/cart.yaml:3:7
      |
    3 | hold: {above: "1.7.9", reason: "loses orders", until: 2026-01-01T00:00Z}
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: remove it, or give it a later `until`

    error: `ledger` 1.5.2 is pinned, but nothing older than 1.6 may run
     --> services/ledger.yaml:1:10
      |
    1 | version: "1.5.2"
      |          ^^^^^^^
      |
     ::: services/ledger.yaml:3:16
      |
    3 | rollbackFloor: "1.6"
      |                ----- the floor is here
      |
      = help: its data has moved on; if it can go back, lower `rollbackFloor` in a commit of its own first

    error: `01.2.3` is not a semantic version: leading zero: is this a date?
     --> services/search.yaml:1:10
      |
    1 | version: "01.2.3"
      |          ^^^^^^^^
      |
      = help: set `versioning: history` to have versions ordered as they appeared in Git

    error: `web` 1.8.2 is pinned, but versions in >=1.8, <1.8.4 are held
     --> services/web.yaml:1:10
      |
    1 | version: "1.8.2"
      |          ^^^^^^^
      |
     ::: services/web.yaml:3:7
      |
    3 | hold: {versions: ">=1.8, <1.8.4"}
      |       --------------------------- held here
      |
      = help: pin a version that is not held, or remove `hold` in the same change

    4 services: 4 errors, 1 warning (… ms)
    --- exit 1
    "#);
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

use insta::assert_snapshot;

use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

#[test]
fn a_misfit_names_both_pins_and_what_was_pinned_before_and_fits() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "")
        .pin("checkout", "1.7.9", "dependsOn:\n  payments: \">=2.0, <3\"\n")
        .commit("Start");
    repo.pin("payments", "2.1.0", "").commit("payments 2.1.0");
    repo.pin("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.1, <3\"\n").commit("checkout 1.8.2");
    repo.pin("payments", "2.0.3", "");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("check"), @r#"
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
      = help: pin `payments` at 2.1.0, or `checkout` at 1.7.9, which accepts 2.0.3; both were pinned before

    2 services: 1 error (… ms)
    --- exit 1
    "#);
    assert_eq!(pintle.says("check --rev HEAD").code, Some(0), "the working tree is no commit");
}

#[test]
fn a_need_that_changed_while_the_version_did_not_is_a_warning() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.1.0", "")
        .pin("ledger", "3.0.0", "")
        .pin("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.0, <3\"\n")
        .commit("Start");
    let needs = "dependsOn:\n  payments: \">=2.1, <3\"\n  ledger: ^3\n";
    repo.pin("checkout", "1.8.2", needs).commit("Say more");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @r#"
    warning: `checkout` 1.8.2 needs `payments` >=2.1, <3, but needed >=2.0, <3 when 0090336c pinned it
     --> services/checkout.yaml:4:3
      |
    4 |   payments: ">=2.1, <3"
      |   ^^^^^^^^
      |
      = help: this changes what 1.8.2 is said to need wherever it runs; write >=2.0, <3 again; or, if only the next version needs it, `payments: {"1.8.2": ">=2.0, <3", "NEXT": ">=2.1, <3"}`

    warning: `checkout` 1.8.2 needs `ledger` ^3, but did not when 0090336c pinned it
     --> services/checkout.yaml:5:3
      |
    5 |   ledger: ^3
      |   ^^^^^^
      |
      = help: this changes what 1.8.2 is said to need wherever it runs; if only the next version needs it, write `ledger: {"NEXT": "^3"}`

    3 services: 2 warnings (… ms)
    "#);
}

#[test]
fn an_edge_to_any_version_that_was_found_out_is_no_such_change() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.1.0", "").pin("checkout", "1.8.2", "").commit("Start");
    repo.pin("checkout", "1.8.2", "dependsOn: [payments]\n").commit("Say who is called");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @"2 services: no problems (… ms)");
}

#[test]
fn the_table_form_and_a_new_version_are_no_such_change() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.1.0", "")
        .pin("checkout", "1.8.2", "dependsOn: {payments: \">=2.0, <3\"}\n")
        .commit("Start");
    let table = "dependsOn: {payments: {\"1.8.2\": \">=2.0, <3\", \"1.9\": \">=2.1, <3\"}}\n";
    repo.pin("checkout", "1.8.2", table).commit("Say it once for all");
    repo.pin("payments", "2.1.0", "dependsOn: {}\n");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @"2 services: no problems (… ms)");
    repo.pin("checkout", "1.9.0", "dependsOn: {payments: \">=2.1, <3\"}\n");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @"2 services: no problems (… ms)");
}

#[test]
fn a_version_set_back_by_hand_with_the_needs_of_the_newer_one_is_told() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.1.0", "")
        .pin("checkout", "1.7.9", "dependsOn:\n  payments: \">=2.0, <3\"\n")
        .commit("Start");
    repo.pin("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.1, <3\"\n").commit("checkout 1.8.2");
    repo.pin("checkout", "1.7.9", "dependsOn:\n  payments: \">=2.1, <3\"\n").commit("Back");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @r#"
    warning: `checkout` 1.7.9 needs `payments` >=2.1, <3, but needed >=2.0, <3 when 6948187b pinned it
     --> services/checkout.yaml:4:3
      |
    4 |   payments: ">=2.1, <3"
      |   ^^^^^^^^
      |
      = help: this changes what 1.7.9 is said to need wherever it runs; write >=2.0, <3 again; or, if only the next version needs it, `payments: {"1.7.9": ">=2.0, <3", "NEXT": ">=2.1, <3"}`

    2 services: 1 warning (… ms)
    "#);
}

#[test]
fn a_version_that_cannot_be_meant_is_not_offered() {
    let needs =
        |payments: &str, ledger: &str| format!("dependsOn: {{payments: \"{payments}\", ledger: \"{ledger}\"}}\n");
    let repo = TestRepo::for_pins();
    repo.pin("ledger", "3.0.0", "")
        .pin("payments", "2.2.0", "")
        .pin("checkout", "1.6.0", &needs("<2.1", "<3"))
        .commit("Start");
    repo.pin("payments", "2.3.0", "");
    repo.pin("checkout", "1.7.0", &needs("<2.1", "^3")).commit("checkout 1.7.0");
    repo.pin("payments", "2.4.0", "").commit("payments 2.4.0");
    repo.pin("checkout", "1.8.0", &needs(">=2.2, <3", "^3"));
    repo.pin("payments", "2.0.3", "hold: {versions: \">=2.4\"}\n");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("check"), @r#"
    error: `checkout` 1.8.0 needs `payments` >=2.2, <3, but `payments` is pinned at 2.0.3
     --> services/checkout.yaml:3:13
      |
    3 | dependsOn: {payments: ">=2.2, <3", ledger: "^3"}
      |             ^^^^^^^^
      |
     ::: services/payments.yaml:1:10
      |
    1 | version: "2.0.3"
      |          ------- 2.0.3 is pinned here
      |
      = help: pin `payments` at 2.3.0, or `checkout` at 1.7.0, which accepts 2.0.3; both were pinned before

    3 services: 1 error (… ms)
    --- exit 1
    "#);
    repo.pin("payments", "2.0.3", "hold: {above: \"2.0.3\"}\n");
    repo.pin("checkout", "1.8.0", &format!("{}rollbackFloor: \"1.8\"\n", needs(">=2.2, <3", "^3")));
    assert_snapshot!(pintle.says("check"), @r#"
    error: `checkout` 1.8.0 needs `payments` >=2.2, <3, but `payments` is pinned at 2.0.3
     --> services/checkout.yaml:3:13
      |
    3 | dependsOn: {payments: ">=2.2, <3", ledger: "^3"}
      |             ^^^^^^^^
      |
     ::: services/payments.yaml:1:10
      |
    1 | version: "2.0.3"
      |          ------- 2.0.3 is pinned here
      |
      = help: pin `payments` at 2.2 or newer, below 3 (its hold keeps out versions above 2.0.3)

    3 services: 1 error (… ms)
    --- exit 1
    "#);
}

#[test]
fn a_range_that_no_version_can_lie_in_is_an_error_at_its_place() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.1.0", "")
        .pin("checkout", "1.8.2", "dependsOn:\n  payments:\n    \"1.0\": \"*\"\n    \"1.8\": \">=3, <2\"\n")
        .pin("web", "1.0.0", "hold: {versions: \"[2,1]\"}\n")
        .commit("Start");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @r#"
    error: `>=3, <2` accepts nothing of `payments`: no version is 3 or newer and also below 2
     --> services/checkout.yaml:6:12
      |
    6 |     "1.8": ">=3, <2"
      |            ^^^^^^^^^
      |
      = help: did you mean `>=2, <3`?

    error: `[2,1]` is no range for `web`: no version is 2 or newer and also 1 or older
     --> services/web.yaml:3:7
      |
    3 | hold: {versions: "[2,1]"}
      |       ^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `[1,2]`?

    3 services: 2 errors (… ms)
    --- exit 1
    "#);
}

#[test]
fn a_table_that_begins_above_the_pinned_version_is_told() {
    let table = "dependsOn:\n  payments: {\"1.8\": \">=2.1, <3\"}\n";
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "").pin("checkout", "1.7.9", "").commit("Start");
    repo.pin("checkout", "1.8.2", table).commit("checkout 1.8.2");
    repo.pin("payments", "2.1.0", "").commit("payments 2.1.0");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("check"), @"2 services: no problems (… ms)");
    repo.pin("checkout", "1.7.9", table);
    assert_snapshot!(pintle.says("check"), @"2 services: no problems (… ms)");
    repo.pin("checkout", "1.7.8", table);
    assert_snapshot!(pintle.says("check"), @r#"
    warning: `checkout` 1.7.8 needs nothing of `payments`: the first row of this table is for 1.8
     --> services/checkout.yaml:4:3
      |
    4 |   payments: {"1.8": ">=2.1, <3"}
      |   ^^^^^^^^
      |
      = help: if it needs some version of it already, add a row, as in `"1.7.8": "*"`

    2 services: 1 warning (… ms)
    "#);
}

#[test]
fn ranges_follow_the_order_of_the_provider() {
    let repo = TestRepo::for_pins();
    repo.pin("api", "v1", "")
        .pin("web", "7", "dependsOn:\n  api: \">=build-9\"\n  ledger: ^1.4\n")
        .pin("ledger", "2024-11-05.1", "")
        .pin("cart", "3", "dependsOn:\n  api: {\"4\": \">=v3\"}\n")
        .commit("Start");
    repo.pin("api", "build-7", "").commit("api build-7");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @r#"
    warning: `api` was never pinned at v3, so this bound says nothing yet
     --> services/cart.yaml:4:3
      |
    4 |   api: {"4": ">=v3"}
      |   ^^^
      |
      = help: its versions have the order in which they were first pinned; name one that was, or set `versioning`

    warning: `cart` 3 needs nothing of `api`: the first row of this table is for 4
     --> services/cart.yaml:4:3
      |
    4 |   api: {"4": ">=v3"}
      |   ^^^
      |
      = help: if it needs some version of it already, add a row, as in `"3": "*"`

    error: `web` 7 needs `api` >=build-9, but `api` is pinned at build-7
     --> services/web.yaml:4:3
      |
    4 |   api: ">=build-9"
      |   ^^^
      |
     ::: services/api.yaml:1:10
      |
    1 | version: "build-7"
      |          --------- build-7 is pinned here
      |
      = help: `api` was never pinned at build-9: no version is known to lie on either side of it

    error: `^1.4` is no range for `ledger`: under `versioning: history` versions have no numbers for `^` and `~` to count
     --> services/web.yaml:5:11
      |
    5 |   ledger: ^1.4
      |           ^^^^
      |
     ::: services/ledger.yaml:1:10
      |
    1 | version: "2024-11-05.1"
      |          -------------- its versions look like 2024-11-05.1
      |
      = help: name bounds that were pinned, as in `>=A, <B`

    4 services: 2 errors, 2 warnings (… ms)
    --- exit 1
    "#);
}

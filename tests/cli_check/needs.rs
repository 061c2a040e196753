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
    assert_snapshot!(pintle.outline("check"), @"
    services=2
    problems severity=error path=services/checkout.yaml line=4 column=3 service=checkout message: 1.8.2 | 2.0.3 | <3 | >=2.1 | checkout | payments hint: 1.7.9 | 2.0.3 | 2.1.0 | checkout | payments
      also path=services/payments.yaml line=1 column=10
    exit 1
    ");
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
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @r#"
    services=3
    problems severity=warning path=services/checkout.yaml line=4 column=3 service=checkout message: 1.8.2 | <3 | >=2.0 | >=2.1 | checkout | payments | 0090336c hint: 1.8.2 | <3 | >=2.0 | payments: {"1.8.2": ">=2.0, <3", "NEXT": ">=2.1, <3"}
    problems severity=warning path=services/checkout.yaml line=5 column=3 service=checkout message: 1.8.2 | ^3 | checkout | ledger | 0090336c hint: 1.8.2 | ledger: {"NEXT": "^3"}
    "#);
}

#[test]
fn an_edge_to_any_version_that_was_found_out_is_no_such_change() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.1.0", "").pin("checkout", "1.8.2", "").commit("Start");
    repo.pin("checkout", "1.8.2", "dependsOn: [payments]\n").commit("Say who is called");
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @"services=2");
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
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @"services=2");
    repo.pin("checkout", "1.9.0", "dependsOn: {payments: \">=2.1, <3\"}\n");
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @"services=2");
}

#[test]
fn a_version_set_back_by_hand_with_the_needs_of_the_newer_one_is_told() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.1.0", "")
        .pin("checkout", "1.7.9", "dependsOn:\n  payments: \">=2.0, <3\"\n")
        .commit("Start");
    repo.pin("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.1, <3\"\n").commit("checkout 1.8.2");
    repo.pin("checkout", "1.7.9", "dependsOn:\n  payments: \">=2.1, <3\"\n").commit("Back");
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @r#"
    services=2
    problems severity=warning path=services/checkout.yaml line=4 column=3 service=checkout message: 1.7.9 | <3 | >=2.0 | >=2.1 | checkout | payments | 6948187b hint: 1.7.9 | <3 | >=2.0 | payments: {"1.7.9": ">=2.0, <3", "NEXT": ">=2.1, <3"}
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
    assert_snapshot!(pintle.outline("check"), @"
    services=3
    problems severity=error path=services/checkout.yaml line=3 column=13 service=checkout message: 1.8.0 | 2.0.3 | <3 | >=2.2 | checkout | payments hint: 1.7.0 | 2.0.3 | 2.3.0 | checkout | payments
      also path=services/payments.yaml line=1 column=10
    exit 1
    ");
    repo.pin("payments", "2.0.3", "hold: {above: \"2.0.3\"}\n");
    repo.pin("checkout", "1.8.0", &format!("{}rollbackFloor: \"1.8\"\n", needs(">=2.2, <3", "^3")));
    assert_snapshot!(pintle.outline("check"), @"
    services=3
    problems severity=error path=services/checkout.yaml line=3 column=13 service=checkout message: 1.8.0 | 2.0.3 | <3 | >=2.2 | checkout | payments hint: 2.0.3 | 2.2 | 3 | payments
      also path=services/payments.yaml line=1 column=10
    exit 1
    ");
}

#[test]
fn a_range_that_no_version_can_lie_in_is_an_error_at_its_place() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.1.0", "")
        .pin("checkout", "1.8.2", "dependsOn:\n  payments:\n    \"1.0\": \"*\"\n    \"1.8\": \">=3, <2\"\n")
        .pin("web", "1.0.0", "hold: {versions: \"[2,1]\"}\n")
        .commit("Start");
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @"
    services=3
    problems severity=error path=services/checkout.yaml line=6 column=12 service=checkout message: 2 | 3 | >=3, <2 | payments hint: >=2, <3
    problems severity=error path=services/web.yaml line=3 column=7 service=web message: 1 | 2 | [2,1] | web hint: [1,2]
    exit 1
    ");
}

#[test]
fn a_table_that_begins_above_the_pinned_version_is_told() {
    let table = "dependsOn:\n  payments: {\"1.8\": \">=2.1, <3\"}\n";
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "").pin("checkout", "1.7.9", "").commit("Start");
    repo.pin("checkout", "1.8.2", table).commit("checkout 1.8.2");
    repo.pin("payments", "2.1.0", "").commit("payments 2.1.0");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("check"), @"services=2");
    repo.pin("checkout", "1.7.9", table);
    assert_snapshot!(pintle.outline("check"), @"services=2");
    repo.pin("checkout", "1.7.8", table);
    assert_snapshot!(pintle.outline("check"), @r#"
    services=2
    problems severity=warning path=services/checkout.yaml line=4 column=3 service=checkout message: 1.7.8 | 1.8 | checkout | payments hint: "1.7.8": "*"
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
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @r#"
    services=4
    problems severity=warning path=services/cart.yaml line=4 column=3 service=cart message: api | v3 hint: versioning
    problems severity=warning path=services/cart.yaml line=4 column=3 service=cart message: 3 | 4 | api | cart hint: "3": "*"
    problems severity=error path=services/web.yaml line=4 column=3 service=web message: 7 | >=build-9 | api | build-7 | web hint: api | build-9
      also path=services/api.yaml line=1 column=10
    problems severity=error path=services/web.yaml line=5 column=11 service=web message: ^ | ^1.4 | ledger | versioning: history | ~ hint: >=A, <B
      also path=services/ledger.yaml line=1 column=10
    exit 1
    "#);
}

use insta::assert_snapshot;

use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

const SETTINGS: &str = "apiVersion: pintle.dev/v1alpha1\n";

/// A service file: version, image, and more lines.
fn service(name: &str, version: &str, more: &str) -> (String, String) {
    (format!("services/{name}.yaml"), format!("version: \"{version}\"\nimage: ghcr.io/acme/{name}\n{more}"))
}

fn repo(services: &[(String, String)]) -> TestRepo {
    let mut files = vec![("pintle.yaml", SETTINGS)];
    files.extend(services.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    TestRepo::with(&files)
}

fn write(repo: &TestRepo, (path, text): (String, String)) -> &TestRepo {
    repo.write(&path, text)
}

#[test]
fn pins_in_order_have_no_problems() {
    let checkout = service("checkout", "1.8.2", "dependsOn: {payments: \">=2.1, <3\"}\n");
    let repo = repo(&[service("payments", "2.1.0", ""), checkout]);
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @"2 services: no problems (… ms)");
}

#[test]
fn every_problem_is_told_at_once() {
    let repo = repo(&[
        service("payments", "2.0.3", ""),
        service("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.1, <3\"\n  basket: \"*\"\n"),
        ("services/search.yaml".into(), "version: 1.10\nimage: ghcr.io/acme/search\nnamspace: shop\n".into()),
    ]);
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
fn a_misfit_names_both_pins_and_what_was_pinned_before_and_fits() {
    let repo = repo(&[
        service("payments", "2.0.3", ""),
        service("checkout", "1.7.9", "dependsOn:\n  payments: \">=2.0, <3\"\n"),
    ]);
    write(&repo, service("payments", "2.1.0", "")).commit("payments 2.1.0");
    write(&repo, service("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.1, <3\"\n")).commit("checkout 1.8.2");
    write(&repo, service("payments", "2.0.3", ""));
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
    let repo = repo(&[
        service("payments", "2.1.0", ""),
        service("ledger", "3.0.0", ""),
        service("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.0, <3\"\n"),
    ]);
    let needs = "dependsOn:\n  payments: \">=2.1, <3\"\n  ledger: ^3\n";
    write(&repo, service("checkout", "1.8.2", needs)).commit("Say more");
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
    let repo = repo(&[service("payments", "2.1.0", ""), service("checkout", "1.8.2", "")]);
    write(&repo, service("checkout", "1.8.2", "dependsOn: [payments]\n")).commit("Say who is called");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @"2 services: no problems (… ms)");
}

#[test]
fn the_table_form_and_a_new_version_are_no_such_change() {
    let repo = repo(&[
        service("payments", "2.1.0", ""),
        service("checkout", "1.8.2", "dependsOn: {payments: \">=2.0, <3\"}\n"),
    ]);
    let table = "dependsOn: {payments: {\"1.8.2\": \">=2.0, <3\", \"1.9\": \">=2.1, <3\"}}\n";
    write(&repo, service("checkout", "1.8.2", table)).commit("Say it once for all");
    write(&repo, service("payments", "2.1.0", "dependsOn: {}\n"));
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @"2 services: no problems (… ms)");
    write(&repo, service("checkout", "1.9.0", "dependsOn: {payments: \">=2.1, <3\"}\n"));
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @"2 services: no problems (… ms)");
}

#[test]
fn a_version_set_back_by_hand_with_the_needs_of_the_newer_one_is_told() {
    let repo = repo(&[
        service("payments", "2.1.0", ""),
        service("checkout", "1.7.9", "dependsOn:\n  payments: \">=2.0, <3\"\n"),
    ]);
    write(&repo, service("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.1, <3\"\n")).commit("checkout 1.8.2");
    write(&repo, service("checkout", "1.7.9", "dependsOn:\n  payments: \">=2.1, <3\"\n")).commit("Back");
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
fn limits_that_a_service_sets_itself_are_kept() {
    let repo = repo(&[
        service("cart", "1.8.1", "hold: {above: \"1.7.9\", reason: \"loses orders\", until: 2026-01-01T00:00Z}\n"),
        service("ledger", "1.5.2", "rollbackFloor: \"1.6\"\n"),
        service("search", "01.2.3", "versioning: semver\n"),
        service("web", "1.8.2", "hold: {versions: \">=1.8, <1.8.4\"}\n"),
    ]);
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
      = help: pin a version that is not held, or release it: remove `hold` in the same change, or pintle release cart

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
      = help: pin a version that is not held, or release it: remove `hold` in the same change, or pintle release web

    4 services: 4 errors, 1 warning (… ms)
    --- exit 1
    "#);
}

#[test]
fn a_version_that_cannot_be_meant_is_not_offered() {
    let needs =
        |payments: &str, ledger: &str| format!("dependsOn: {{payments: \"{payments}\", ledger: \"{ledger}\"}}\n");
    let repo = repo(&[
        service("ledger", "3.0.0", ""),
        service("payments", "2.2.0", ""),
        service("checkout", "1.6.0", &needs("<2.1", "<3")),
    ]);
    write(&repo, service("payments", "2.3.0", ""));
    write(&repo, service("checkout", "1.7.0", &needs("<2.1", "^3"))).commit("checkout 1.7.0");
    write(&repo, service("payments", "2.4.0", "")).commit("payments 2.4.0");
    write(&repo, service("checkout", "1.8.0", &needs(">=2.2, <3", "^3")));
    write(&repo, service("payments", "2.0.3", "hold: {versions: \">=2.4\"}\n"));
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
    write(&repo, service("payments", "2.0.3", "hold: {above: \"2.0.3\"}\n"));
    write(&repo, service("checkout", "1.8.0", &format!("{}rollbackFloor: \"1.8\"\n", needs(">=2.2, <3", "^3"))));
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
    let repo = repo(&[
        service("payments", "2.1.0", ""),
        service("checkout", "1.8.2", "dependsOn:\n  payments:\n    \"1.0\": \"*\"\n    \"1.8\": \">=3, <2\"\n"),
        service("web", "1.0.0", "hold: {versions: \"[2,1]\"}\n"),
    ]);
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
    let repo = repo(&[service("payments", "2.0.3", ""), service("checkout", "1.7.9", "")]);
    write(&repo, service("checkout", "1.8.2", table)).commit("checkout 1.8.2");
    write(&repo, service("payments", "2.1.0", "")).commit("payments 2.1.0");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("check"), @"2 services: no problems (… ms)");
    write(&repo, service("checkout", "1.7.9", table));
    assert_snapshot!(pintle.says("check"), @"2 services: no problems (… ms)");
    write(&repo, service("checkout", "1.7.8", table));
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
fn a_typo_in_a_pattern_is_told_with_what_there_is() {
    let repo = repo(&[service("web", "1.0.0", "")]);
    repo.write(
        "envs/pintle.yaml",
        "apiVersion: pintle.dev/v1alpha1\npins:\n\
         - {files: \"app/{service}/values.yaml\", key: image.tag, image: \"acme/{service}\"}\n\
         - {files: \"apps/{service}/value.yaml\", key: image.tag, image: \"acme/{service}\"}\n\
         - {files: compose.yaml, key: \"service.{service}.image\", as: image}\n",
    );
    repo.write("envs/services/web.yaml", "version: \"1.0.0\"\nimage: acme/web\n");
    repo.write("envs/apps/db/values.yaml", "image: {tag: v1}\n");
    repo.write("envs/compose.yaml", "services: {cart: {image: \"acme/cart:1\"}}\n").commit("Pin by patterns");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("check --path envs"), @r#"
    warning: this pattern pins nothing: no file matches `app/{service}/values.yaml`
     --> envs/pintle.yaml:3:11
      |
    3 | - {files: "app/{service}/values.yaml", key: image.tag, image: "acme/{service}"}
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: there is no `app`; did you mean `apps`?

    warning: this pattern pins nothing: no file matches `apps/{service}/value.yaml`
     --> envs/pintle.yaml:4:11
      |
    4 | - {files: "apps/{service}/value.yaml", key: image.tag, image: "acme/{service}"}
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: there is no `apps/db/value.yaml`; did you mean `values.yaml`?

    warning: this pattern pins nothing: `service.{service}.image` leads to nothing in envs/compose.yaml
     --> envs/pintle.yaml:5:30
      |
    5 | - {files: compose.yaml, key: "service.{service}.image", as: image}
      |                              ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
     ::: envs/compose.yaml:1:1
      |
    1 | services: {cart: {image: "acme/cart:1"}}
      | - there is no `service` here
      |
      = help: did you mean `services`?

    1 service: 3 warnings (… ms)
    "#);
    assert_eq!(pintle.says("check --path envs --rev main").to_string(), pintle.says("check --path envs").to_string());
}

#[test]
fn settings_under_another_name_hold_all() {
    let repo = TestRepo::new();
    repo.write("pintle.yml", "apiVersion: pintle.dev/v1alpha1\nnamespace: shop\n");
    write(&repo, service("web", "1.0.0", "")).commit("Pin what runs");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("check"), @"
    error: the file of the settings is called pintle.yaml
    --> pintle.yml
     = help: rename it to pintle.yaml

    0 services: 1 error (… ms)
    --- exit 1
    ");
    assert_eq!(pintle.says("check --rev main").to_string(), pintle.says("check").to_string());
    repo.write("pintle.yaml", SETTINGS);
    assert_snapshot!(pintle.says("check"), @"
    warning: this file is not read, pintle.yaml beside it is
    --> pintle.yml
     = help: move what it says into pintle.yaml, and remove it

    1 service: 1 warning (… ms)
    ");
}

#[test]
fn ranges_follow_the_order_of_the_provider() {
    let repo = repo(&[
        service("api", "v1", ""),
        service("web", "7", "dependsOn:\n  api: \">=build-9\"\n  ledger: ^1.4\n"),
        service("ledger", "2024-11-05.1", ""),
        service("cart", "3", "dependsOn:\n  api: {\"4\": \">=v3\"}\n"),
    ]);
    write(&repo, service("api", "build-7", "")).commit("api build-7");
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

#[test]
fn programs_get_problems_with_line_and_column() {
    let repo = repo(&[
        service("payments", "2.0.3", ""),
        service("checkout", "1.8.2", "dependsOn:\n  payments: \">=2.1, <3\"\n"),
    ]);
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

#[test]
fn wrong_inputs_are_told_apart() {
    let repo = repo(&[service("payments", "2.0.3", "")]);
    repo.branch("topic").git(&["tag", "both"]);
    repo.branch("both");
    let pintle = Pintle::in_repo(&repo);
    let tries = [
        "check --rev topik",
        "check --rev HEAD~9",
        "check --rev both",
        "check --rev=-x",
        "check --rev a..b",
        "check --branch a..b",
        "check --branch mian",
        "check --branch @{u}",
        "check --branch x.lock",
        "check --branch refs/heads/main",
        "check --path ../other",
        "check --path envs/prod",
        "check --repo ext::sh",
        "check --repo https://user:hunter2@example.com/x",
        "check --repo nowhere",
        "check topic",
    ];
    let told: Vec<String> = tries.iter().map(|words| format!("$ pintle {words}\n{}", pintle.says(words))).collect();
    assert_snapshot!(told.join("\n"), @r#"
    $ pintle check --rev topik
    --- stderr
    error: REPO has no commit "topik": no branch, tag or commit has this name
      hint: did you mean topic?
    --- exit 1

    $ pintle check --rev HEAD~9
    --- stderr
    error: REPO has no commit "HEAD~9": its history is not that long
      hint: name a branch, a tag or a commit that `git log` shows there
    --- exit 1

    $ pintle check --rev both
    --- stderr
    error: "both" is both a branch and a tag
      hint: write refs/heads/both or refs/tags/both
    --- exit 1

    $ pintle check --rev=-x
    --- stderr
    error: REPO has no commit "-x": this is not a revision
      hint: name a branch, a tag or a commit that `git log` shows there
    --- exit 1

    $ pintle check --rev a..b
    --- stderr
    error: REPO has no commit "a..b": this is a range, and one commit is meant
      hint: name a branch, a tag or a commit that `git log` shows there
    --- exit 1

    $ pintle check --branch a..b
    --- stderr
    error: "a..b" is not the name of a branch: Reference name cannot contain repeated dots
      hint: name a branch such as main; other revisions go to --rev
    --- exit 64

    $ pintle check --branch mian
    --- stderr
    error: REPO has no branch "mian"
      hint: did you mean main?
    --- exit 1

    $ pintle check --branch @{u}
    --- stderr
    error: "@{u}" is not the name of a branch: Reference name cannot contain '@{'
      hint: name a branch such as main; other revisions go to --rev
    --- exit 64

    $ pintle check --branch x.lock
    --- stderr
    error: "x.lock" is not the name of a branch: Reference name cannot end with '.lock'
      hint: name a branch such as main; other revisions go to --rev
    --- exit 64

    $ pintle check --branch refs/heads/main
    --- stderr
    error: "refs/heads/main" is not the name of a branch: it is a full ref, not the name alone
      hint: name a branch such as main; other revisions go to --rev
    --- exit 64

    $ pintle check --path ../other
    --- stderr
    error: --path "../other" does not lie in the repository
      hint: name a folder of the repository, such as envs/prod
    --- exit 64

    $ pintle check --path envs/prod
    error: 0 pins: this revision pins no service
    --> envs/prod/pintle.yaml
     = help: there is nothing in `envs/prod`: name the folder that holds pintle.yaml

    0 services: 1 error (… ms)
    --- exit 1

    $ pintle check --repo ext::sh
    --- stderr
    error: "ext::sh" is not a repository that can be used: transport helpers run programs
      hint: write a path, https://host/path, ssh://user@host/path or user@host:path
    --- exit 64

    $ pintle check --repo https://user:hunter2@example.com/x
    --- stderr
    error: "https://…@example.com/x" is not a repository that can be used: it carries credentials
      hint: leave them out of the URL; they belong to a credential helper or a token file
    --- exit 64

    $ pintle check --repo nowhere
    --- stderr
    error: REPO/nowhere is not inside a Git repository
      hint: name a folder with a Git repository, or a URL: --repo <path|url>
    --- exit 1

    $ pintle check topic
    --- stderr
    error: unexpected argument 'topic' found

    Usage: pintle check [OPTIONS]

    For more information, try '--help'.
    --- exit 64
    "#);
}

#[test]
fn a_repository_without_a_commit_is_checked_by_its_working_tree() {
    let repo = TestRepo::new();
    repo.write("pintle.yaml", SETTINGS);
    write(&repo, service("payments", "2.0.3", ""));
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("check"), @"1 service: no problems (… ms)");
    assert_snapshot!(pintle.says("check --rev main"), @"
    --- stderr
    error: REPO has no commit yet
      hint: commit the pins first; until then nothing is changed
    --- exit 1
    ");
}

#[test]
fn settings_with_errors_are_all_that_is_told() {
    let repo = repo(&[service("payments", "2.0.3", "")]);
    repo.write("pintle.yaml", "apiVersion: pintle.dev/v2\npins: 3\n");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @"
    error: `pintle.dev/v2` is not an apiVersion that this version of Pintle reads
     --> pintle.yaml:1:13
      |
    1 | apiVersion: pintle.dev/v2
      |             ^^^^^^^^^^^^^
      |
      = help: a newer Pintle may; Pintle 0.1.0 reads pintle.dev/v1alpha1

    0 services: 1 error (… ms)
    --- exit 1
    ");
}

#[test]
fn a_bare_repository_and_its_url_are_checked_at_the_tip() {
    let repo = repo(&[service("payments", "2.0.3", "dependsOn: [ledger]\n")]);
    let bare = repo.bare();
    let pintle = Pintle::in_repo(&repo);
    let here = pintle.run(&["check", "--repo", bare.to_str().unwrap()]);
    let there = pintle.run(&["check", "--repo", &format!("file://{}", bare.display())]);
    assert_snapshot!(here, @"
    error: `payments` depends on `ledger`, which nothing declares
     --> services/payments.yaml:3:13
      |
    3 | dependsOn: [ledger]
      |             ^^^^^^
      |
      = help: declare it in services/ledger.yaml, with `external: true` if it is deployed elsewhere

    1 service: 1 error (… ms)
    --- exit 1
    ");
    assert_eq!(here.to_string(), there.to_string());
}

#[test]
fn the_folder_one_stands_in_names_the_pins() {
    let repo = TestRepo::new();
    for (folder, version) in [("envs/prod", "1.0"), ("envs/test", "main")] {
        repo.write(&format!("{folder}/pintle.yaml"), SETTINGS);
        let (path, text) = service("web", version, "versioning: semver\n");
        repo.write(&format!("{folder}/{path}"), text);
    }
    repo.commit("Two environments");
    let pintle = Pintle::in_repo(&repo);
    let prod = pintle.said(pintle.command(&["check"]).current_dir(repo.path().join("envs/prod")).output().unwrap());
    assert_snapshot!(prod, @"1 service: no problems (… ms)");
    assert_snapshot!(pintle.says("check --path envs/test --rev main"), @r#"
    error: `main` names no version: what it means moves
     --> envs/test/services/web.yaml:1:10
      |
    1 | version: "main"
      |          ^^^^^^
      |
      = help: pin what it means now

    1 service: 1 error (… ms)
    --- exit 1
    "#);
}

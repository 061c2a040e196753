use insta::assert_snapshot;

use crate::common::git::{SETTINGS, TestRepo};
use crate::common::pintle::Pintle;

#[test]
fn a_typo_in_a_pattern_is_told_with_what_there_is() {
    let repo = TestRepo::for_pins();
    repo.pin("web", "1.0.0", "").commit("Start");
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
    assert_snapshot!(pintle.outline("check --path envs"), @"
    services=1
    problems severity=warning path=envs/pintle.yaml line=3 column=11 message: app/{service}/values.yaml hint: app | apps
    problems severity=warning path=envs/pintle.yaml line=4 column=11 message: apps/{service}/value.yaml hint: apps/db/value.yaml | values.yaml
    problems severity=warning path=envs/pintle.yaml line=5 column=30 message: envs/compose.yaml | service.{service}.image hint: services
      also path=envs/compose.yaml line=1 column=1
    ");
    assert_eq!(pintle.says("check --path envs --rev main").to_string(), pintle.says("check --path envs").to_string());
}

#[test]
fn settings_under_another_name_hold_all() {
    let repo = TestRepo::new();
    repo.write("pintle.yml", format!("{SETTINGS}namespace: shop\n")).pin("web", "1.0.0", "").commit("Pin what runs");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("check"), @"
    services=0
    problems severity=error path=pintle.yml message: pintle.yaml hint: pintle.yaml
    exit 1
    ");
    assert_eq!(pintle.says("check --rev main").to_string(), pintle.says("check").to_string());
    repo.write("pintle.yaml", SETTINGS);
    assert_snapshot!(pintle.outline("check"), @"
    services=1
    problems severity=warning path=pintle.yml message: pintle.yaml hint: pintle.yaml
    ");
}

#[test]
fn wrong_inputs_are_told_apart() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "").commit("Start");
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
    assert_snapshot!(pintle.outlines(&tries), @r#"
    $ pintle check --rev topik
    error
    hint
    exit 1
    $ pintle check --rev HEAD~9
    error HEAD~9
    hint git log
    exit 1
    $ pintle check --rev both
    error
    hint refs/heads/both | refs/tags/both
    exit 1
    $ pintle check --rev=-x
    error
    hint git log
    exit 1
    $ pintle check --rev a..b
    error a..b
    hint git log
    exit 1
    $ pintle check --branch a..b
    error a..b
    hint
    exit 64
    $ pintle check --branch mian
    error
    hint
    exit 1
    $ pintle check --branch @{u}
    error
    hint
    exit 64
    $ pintle check --branch x.lock
    error x.lock
    hint
    exit 64
    $ pintle check --branch refs/heads/main
    error refs/heads/main
    hint
    exit 64
    $ pintle check --path ../other
    error --path "../other" does not lie in the repository
    hint envs/prod
    exit 64
    $ pintle check --path envs/prod
    services=0
    problems severity=error path=envs/prod/pintle.yaml message: 0 hint: envs/prod | pintle.yaml
    exit 1
    $ pintle check --repo ext::sh
    error
    hint https://host/path | ssh://user@host/path
    exit 64
    $ pintle check --repo https://user:hunter2@example.com/x
    error https://…@example.com/x
    hint
    exit 64
    $ pintle check --repo nowhere
    error REPO/nowhere
    hint --repo <path|url>
    exit 1
    $ pintle check topic
    error
    exit 64
    "#);
}

#[test]
fn a_repository_without_a_commit_is_checked_by_its_working_tree() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("check"), @"services=1");
    assert_snapshot!(pintle.outline("check --rev main"), @"
    error
    hint
    exit 1
    ");
}

#[test]
fn settings_with_errors_are_all_that_is_told() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "").commit("Start");
    repo.write("pintle.yaml", "apiVersion: pintle.dev/v2\npins: 3\n");
    assert_snapshot!(Pintle::in_repo(&repo).outline("check"), @"
    services=0
    problems severity=error path=pintle.yaml line=1 column=13 message: pintle.dev/v2 hint: 0.1.0 | pintle.dev/v1alpha1
    exit 1
    ");
}

#[test]
fn a_bare_repository_and_its_url_are_checked_at_the_tip() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "dependsOn: [ledger]\n").commit("Start");
    let bare = repo.bare();
    let pintle = Pintle::in_repo(&repo);
    let here = pintle.outline(&format!("check --repo {}", bare.display()));
    let there = pintle.outline(&format!("check --repo file://{}", bare.display()));
    assert_snapshot!(here, @"
    services=1 commit=935584f5ea0f09d89f325e528cf44286d7722e59
    problems severity=error path=services/payments.yaml line=3 column=13 service=payments message: ledger | payments hint: external: true | services/ledger.yaml
    exit 1
    ");
    assert_eq!(here, there);
}

#[test]
fn the_folder_one_stands_in_names_the_pins() {
    let repo = TestRepo::new();
    for (folder, version) in [("envs/prod", "1.0"), ("envs/test", "main")] {
        repo.write(&format!("{folder}/pintle.yaml"), SETTINGS);
        let text = format!("version: \"{version}\"\nimage: ghcr.io/acme/web\nversioning: semver\n");
        repo.write(&format!("{folder}/services/web.yaml"), text);
    }
    repo.commit("Two environments");
    let pintle = Pintle::in_repo(&repo);
    let prod = pintle.said(pintle.command(&["check"]).current_dir(repo.path().join("envs/prod")).output().unwrap());
    assert_eq!(prod.code, Some(0), "{prod}");
    assert_snapshot!(pintle.outline("check --path envs/test --rev main"), @"
    services=1 commit=395e0e5f88e78f44b64313942e9dc6dfdfcabcc2
    problems severity=error path=envs/test/services/web.yaml line=1 column=10 service=web message: main
    exit 1
    ");
}

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
    repo.write("pintle.yml", format!("{SETTINGS}namespace: shop\n")).pin("web", "1.0.0", "").commit("Pin what runs");
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
    assert_snapshot!(pintle.transcript(&tries), @r#"
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
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "");
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
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "").commit("Start");
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
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "dependsOn: [ledger]\n").commit("Start");
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
        let text = format!("version: \"{version}\"\nimage: ghcr.io/acme/web\nversioning: semver\n");
        repo.write(&format!("{folder}/services/web.yaml"), text);
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

use insta::assert_snapshot;

use crate::common::git::{git, text};
use crate::common::outline::outline;
use crate::common::pintle::Pintle;
use crate::common::pushed::PinsClone;

#[test]
fn without_an_upstream_it_is_committed_and_that_is_said() {
    let shop = PinsClone::new();
    shop.repo.git(&["branch", "--unset-upstream"]);
    let before = shop.at_remote();
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes --push"), @"
    error
    hint --commit-only | git push --set-upstream origin main
    exit 1
    ");
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @r#"
    branch=main commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.0.3"
        lines +version: "2.1.0"
        lines  image: ghcr.io/acme/payments
    "#);
    shop.shown();
    assert_eq!(shop.at_remote(), before);
}

#[test]
fn commits_not_pushed_yet_are_told_before_they_go_along() {
    let shop = PinsClone::new();
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes --commit-only"), @r#"
    branch=main commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.0.3"
        lines +version: "2.1.0"
        lines  image: ghcr.io/acme/payments
    "#);
    assert_snapshot!(shop.outline("pin payments 2.1.1 --yes"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.1.0"
        lines +version: "2.1.1"
        lines  image: ghcr.io/acme/payments
    warning 1
    "#);
    assert_eq!(shop.at_remote(), shop.repo.head().to_hex());
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    let shop = PinsClone::new();
    let before = shop.repo.head();
    assert_snapshot!(shop.outline("pin payments 2.1.0"), @"
    error
    hint
    exit 64
    ");
    assert_eq!(shop.repo.head(), before);
}

#[test]
fn what_the_user_has_under_work_stays() {
    let shop = PinsClone::new();
    let before = shop.repo.head();
    shop.repo.write("services/payments.yaml", "version: \"2.0.4\"\nimage: ghcr.io/acme/payments\n");
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @"
    error services/payments.yaml
    hint
    exit 1
    ");
    shop.repo.git(&["add", "--all"]);
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @"
    error services/payments.yaml
    hint
    exit 1
    ");
    assert_eq!((shop.repo.head(), shop.at_remote()), (before, before.to_hex()));
    shop.repo.git(&["reset", "--quiet", "--hard"]);
    // Other files may differ, staged or not.
    shop.repo.write("README.md", "Mine\n").write("new.txt", "mine").git(&["add", "new.txt"]);
    shop.says("pin payments 2.1.0 --yes");
    assert_eq!(shop.repo.git(&["status", "--short"]), " M README.md\nA  new.txt");
    assert_eq!(shop.repo.git(&["show", "--format=", "--name-only"]), "services/payments.yaml");
}

#[test]
fn a_merge_in_progress_is_not_disturbed() {
    let shop = PinsClone::new();
    shop.repo.branch("topic").save("README.md", "One\n");
    shop.repo.checkout("main").save("README.md", "Two\n");
    assert!(!git(shop.repo.path()).args(["merge", "topic"]).output().unwrap().status.success());
    let said = shop.says("pin payments 2.1.0 --yes");
    assert!(said.contains(" merge ") && said.ends_with("--- exit 1\n"), "{said}");
}

#[test]
fn a_detached_head_is_refused_and_a_branch_named_beside_it_is_not() {
    let shop = PinsClone::new();
    shop.repo.git(&["checkout", "--quiet", "--detach"]);
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @"
    error
    hint --branch main | git switch main
    exit 1
    ");
    let before = shop.repo.head();
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes --branch main").replace(&shop.at_remote(), "COMMIT"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.0.3"
        lines +version: "2.1.0"
        lines  image: ghcr.io/acme/payments
    "#);
    assert_eq!((shop.repo.head(), shop.repo.git(&["status", "--short"])), (before, String::new()));
    assert_eq!(shop.repo.git(&["rev-parse", "main"]), shop.at_remote());
}

#[test]
fn a_bare_repository_takes_the_commit_itself() {
    let shop = PinsClone::new();
    let bare = shop.bare();
    assert_snapshot!(shop.outline(&format!("pin payments 2.1.0 --yes --repo {}", bare.display())), @r#"
    branch=main commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.0.3"
        lines +version: "2.1.0"
        lines  image: ghcr.io/acme/payments
    "#);
    assert!(shop.in_bare(&["show", "main:services/payments.yaml"]).contains("2.1.0"));
}

#[test]
fn nobody_commits_without_a_name() {
    let shop = PinsClone::new();
    let pintle = Pintle::in_repo(&shop.repo);
    let mut command = pintle.command(&["pin", "payments", "2.1.0", "--yes", "--output", "json"]);
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
        command.env_remove(name);
    }
    assert_snapshot!(outline(&pintle.said(command.output().unwrap()), &shop.repo), @r#"
    error git does not know who commits | user.name
    hint git config --global user.name "…"
    exit 1
    "#);
}

#[test]
fn a_commit_is_signed_where_git_would_sign_it() {
    let shop = PinsClone::new();
    let key = shop.root.path().join("key");
    let made =
        std::process::Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    if !made.is_ok_and(|made| made.success()) {
        println!("skipped: ssh-keygen is not installed");
        return;
    }
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let signers = shop.root.path().join("signers");
    std::fs::write(&signers, format!("ada@example.com {public}")).unwrap();
    for (name, value) in [
        ("commit.gpgSign", "true"),
        ("gpg.format", "ssh"),
        ("user.signingKey", key.to_str().unwrap()),
        ("gpg.ssh.allowedSignersFile", signers.to_str().unwrap()),
    ] {
        shop.repo.git(&["config", name, value]);
    }
    shop.says("pin payments 2.1.0 --yes");
    assert_eq!(shop.repo.git(&["log", "-1", "--format=%G? %GS"]), "G ada@example.com");
    shop.shown();
    let (here, gone) = (shop.repo.head(), shop.root.path().join("gone"));
    shop.repo.git(&["config", "user.signingKey", gone.to_str().unwrap()]);
    let said = shop.says("pin payments 2.1.1 --yes");
    assert!(said.contains(" sign ") && said.ends_with("--- exit 1\n"), "{said}");
    assert_eq!((shop.repo.head().to_hex(), shop.at_remote()), (here.to_hex(), here.to_hex()), "and none goes unsigned");
}

#[test]
fn a_remote_that_was_rewritten_is_not_written_over() {
    let shop = PinsClone::new();
    shop.says("pin payments 2.0.4 --yes");
    // Back to before: a plain push would bring again what was taken back.
    shop.in_bare(&["update-ref", "refs/heads/main", "main~1"]);
    let there = shop.at_remote();
    let said = shop.says("pin payments 2.1.0 --yes");
    assert!(said.contains("origin/main") && said.ends_with("--- exit 1\n"), "{said}");
    assert_eq!(shop.at_remote(), there);
}

#[test]
fn files_that_git_checks_out_in_another_form_follow_in_that_form() {
    let shop = PinsClone::new();
    shop.repo.write("envs/prod/pintle.yaml", "apiVersion: pintle.dev/v1alpha1\n");
    shop.repo.write("envs/prod/services/web.yaml", "version: 1.0.0\nimage: acme/web\n").commit("More");
    shop.repo.git(&["update-index", "--chmod=+x", "envs/prod/services/web.yaml"]);
    shop.repo.git(&["commit", "--quiet", "-m", "A mode"]);
    shop.repo.git(&["config", "core.autocrlf", "true"]);
    let file = shop.repo.path().join("envs/prod/services/web.yaml");
    std::fs::remove_file(&file).unwrap();
    shop.repo.git(&["checkout", "--quiet", "HEAD", "--", "."]);
    assert!(std::fs::read_to_string(&file).unwrap().contains("\r\n"));
    shop.commits_with("pin web 1.0.1 --yes --commit-only --path envs/prod");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "version: 1.0.1\r\nimage: acme/web\r\n");
    assert_eq!(shop.repo.git(&["show", "HEAD:envs/prod/services/web.yaml"]), "version: 1.0.1\nimage: acme/web");
    assert!(shop.repo.git(&["ls-tree", "HEAD", "envs/prod/services/"]).starts_with("100755 "));
    shop.shown();
}

#[test]
fn a_branch_that_another_working_tree_shows_stays() {
    let shop = PinsClone::new();
    let other = shop.root.path().join("other");
    shop.repo.git(&["branch", "topic"]);
    shop.repo.git(&["worktree", "add", "--quiet", other.to_str().unwrap(), "topic"]);
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes --branch topic"), @"
    error ROOT/other/
    hint
    exit 1
    ");
    let in_other = |words: &[&str]| {
        let words = [&["--repo", other.to_str().unwrap(), "pin", "payments", "2.1.0", "--yes"], words].concat();
        shop.normal(&Pintle::in_repo(&shop.repo).run(&words))
    };
    assert!(in_other(&["--branch", "main"]).contains("is checked out in REPO"));
    assert!(in_other(&[]).contains("on topic, which has no upstream"));
    assert_eq!(text(git(&other).args(["status", "--short"]).output().unwrap()), "");
}

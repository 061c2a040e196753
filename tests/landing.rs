//! Commits that Pintle makes, judged by git.

/// Rollbacks and their way back, landed.
mod rollbacks;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use insta::assert_snapshot;
use pintle::source::{Access, Credentials, FileChange, LandError, Location, Source};
use tempfile::TempDir;

use crate::common::git::{TestRepo, git, text};
use crate::common::git_http::{GitServer, Identity, Mood};
use crate::common::pintle::{Pintle, Said};

/// Two services. The repository has a bare one as its upstream, which takes pushes over http too.
struct Shop {
    repo: TestRepo,
    root: TempDir,
}

impl Shop {
    fn new() -> Self {
        let repo = TestRepo::new();
        repo.pin("payments", "2.0.3", "").pin("checkout", "1.8.2", "dependsOn: {payments: \"^2\"}\n");
        repo.write("README.md", "Pins\n").commit("Start");
        let shop = Self { repo, root: tempfile::tempdir().unwrap() };
        let bare = shop.bare().to_str().unwrap().to_owned();
        shop.repo.git(&["clone", "--quiet", "--bare", ".", &bare]);
        shop.in_bare(&["config", "http.receivepack", "true"]);
        shop.repo.git(&["remote", "add", "origin", &bare]);
        shop.repo.git(&["fetch", "--quiet", "origin"]);
        shop.repo.git(&["branch", "--quiet", "--set-upstream-to", "origin/main"]);
        shop
    }

    fn bare(&self) -> PathBuf {
        self.root.path().join("pins.git")
    }

    fn in_bare(&self, args: &[&str]) -> String {
        text(git(&self.bare()).args(args).output().unwrap())
    }

    fn at_remote(&self) -> String {
        self.in_bare(&["rev-parse", "main"])
    }

    /// A hook of the bare repository.
    fn hook(&self, name: &str, script: &str) {
        let hook = self.bare().join("hooks").join(name);
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&hook, mode).unwrap();
    }

    /// Runs `pintle`; ids of commits, which hold the time, are replaced, and what is said where the machine is slow is
    /// left out.
    fn says(&self, words: &str) -> String {
        self.normal(&Pintle::in_repo(&self.repo).says(words))
    }

    fn normal(&self, said: &Said) -> String {
        let heads = [self.repo.git(&["rev-parse", "HEAD"]), self.at_remote()];
        let root = self.root.path().to_str().unwrap();
        let said = said.to_string().replace(root, "ROOT");
        let said: String = said.split_inclusive('\n').filter(|line| !line.ends_with(" …\n")).collect();
        heads.iter().fold(said, |text, head| text.replace(head.as_str(), "COMMIT").replace(&head[..8], "COMMIT"))
    }

    /// The last commit, as git shows it; and that nothing is left over.
    fn shown(&self) -> String {
        assert_eq!(self.repo.git(&["status", "--short"]), "", "the clone is clean");
        self.repo.git(&["fsck", "--strict"]);
        let message = self.repo.git(&["log", "-1", "--format=%an <%ae>, %cn%n%B"]);
        let message: Vec<&str> = message.lines().filter(|line| !line.starts_with("Pintle-Id: ")).collect();
        format!("{}\n{}", message.join("\n"), self.repo.git(&["diff", "HEAD~1", "--unified=0", "--no-prefix"]))
    }
}

/// Somebody else commits and pushes, from a clone of their own.
fn human(bare: &Path, version: &str) {
    let clone = tempfile::tempdir().unwrap();
    let script = format!(
        "git clone --quiet {} . && sed -i 's/2.0.3/{version}/' services/payments.yaml && git commit --quiet --all -m Human && git push --quiet",
        bare.display()
    );
    let mut sh = std::process::Command::new("sh");
    crate::common::git::hermetic(&mut sh).current_dir(clone.path()).args(["-c", &script]);
    text(sh.output().unwrap());
}

#[test]
fn a_pin_is_one_line_committed_and_pushed() {
    let shop = Shop::new();
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to origin/main
    "#);
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Pin payments 2.1.0

    payments 2.0.3 -> 2.1.0

    Pintle-Services: payments
    diff --git services/payments.yaml services/payments.yaml
    index 4febfe8..3a6f7b8 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -1 +1 @@
    -version: "2.0.3"
    +version: "2.1.0"
    "#);
    assert_eq!(shop.at_remote(), shop.repo.head().to_hex());
    assert_eq!(shop.repo.git(&["rev-parse", "origin/main"]), shop.at_remote());
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @"
    --- stderr
    payments is pinned at 2.1.0 already
    ");
}

#[test]
fn a_pin_brings_its_needs_and_says_what_does_not_fit() {
    let shop = Shop::new();
    let said = Pintle::in_repo(&shop.repo).run(&["pin", "checkout", "1.9.0", "--needs", "payments=>=2.1", "--yes"]);
    assert_snapshot!(shop.normal(&said), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    services/checkout.yaml
    @@ -1,3 +1,3 @@
    -version: "1.8.2"
    +version: "1.9.0"
     image: ghcr.io/acme/checkout
    -dependsOn: {payments: "^2"}
    +dependsOn: {payments: ">=2.1"}
    warning: services/checkout.yaml:3:13: `checkout` 1.9.0 needs `payments` >=2.1, but `payments` is pinned at 2.0.3
    commit on main, and push to origin/main
    "#);
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Pin checkout 1.9.0

    checkout 1.8.2 -> 1.9.0
    It needs payments >=2.1.

    Pintle-Services: checkout
    diff --git services/checkout.yaml services/checkout.yaml
    index 131cbd8..d9f96ab 100644
    --- services/checkout.yaml
    +++ services/checkout.yaml
    @@ -1 +1 @@
    -version: "1.8.2"
    +version: "1.9.0"
    @@ -3 +3 @@ image: ghcr.io/acme/checkout
    -dependsOn: {payments: "^2"}
    +dependsOn: {payments: ">=2.1"}
    "#);
}

#[test]
fn a_hold_is_listed_until_it_is_released() {
    let shop = Shop::new();
    let pintle = Pintle::in_repo(&shop.repo);
    let hold = ["hold", "payments", "2.0.3", "--reason", "loses refunds", "--until", "2099-12-01", "--yes"];
    assert_snapshot!(shop.normal(&pintle.run(&hold)), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,3 @@
     version: "2.0.3"
     image: ghcr.io/acme/payments
    +hold: {above: "2.0.3", reason: "loses refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    commit on main, and push to origin/main
    "#);
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Hold payments above 2.0.3

    loses refunds

    Pintle-Services: payments
    diff --git services/payments.yaml services/payments.yaml
    index 4febfe8..4b1f697 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -2,0 +3 @@ image: ghcr.io/acme/payments
    +hold: {above: "2.0.3", reason: "loses refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    "#);
    assert_snapshot!(pintle.says("holds"), @"
    SERVICE   PINNED  HELD         UNTIL (UTC)       BY   REASON
    payments  2.0.3   above 2.0.3  2099-12-01 00:00  Ada  loses refunds
    ");
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes --commit-only"), @r#"
    Committed COMMIT on main, not pushed to origin/main: git push
    --- stderr
    services/payments.yaml
    @@ -1,3 +1,3 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
     hold: {above: "2.0.3", reason: "loses refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    warning: services/payments.yaml:1:10: `payments` 2.1.0 is pinned, but versions above 2.0.3 are held: loses refunds
    commit on main, and push nothing
    "#);
    shop.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    assert_snapshot!(pintle.says("holds --output json"), @r#"
    [
      {
        "service": "payments",
        "pinned": "2.0.3",
        "held": "above 2.0.3",
        "reason": "loses refunds",
        "by": "Ada",
        "until": "2099-12-01T00:00:00Z",
        "overdue": false
      }
    ]
    "#);
    shop.says("release payments --yes");
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Release payments

    It was held above 2.0.3: loses refunds

    Pintle-Services: payments
    diff --git services/payments.yaml services/payments.yaml
    index 4b1f697..4febfe8 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -3 +2,0 @@ image: ghcr.io/acme/payments
    -hold: {above: "2.0.3", reason: "loses refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    "#);
    assert_snapshot!(pintle.says("holds"), @"Nothing is held.");
}

#[test]
fn without_an_upstream_it_is_committed_and_that_is_said() {
    let shop = Shop::new();
    shop.repo.git(&["branch", "--unset-upstream"]);
    let before = shop.at_remote();
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes --push"), @"
    --- stderr
    error: the branch main has no upstream to push to
      hint: git push --set-upstream origin main, or keep the commit here: --commit-only
    --- exit 1
    ");
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @r#"
    Committed COMMIT on main, which has no upstream to push to.
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push nothing
    "#);
    shop.shown();
    assert_eq!(shop.at_remote(), before);
}

#[test]
fn commits_not_pushed_yet_are_told_before_they_go_along() {
    let shop = Shop::new();
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes --commit-only"), @r#"
    Committed COMMIT on main, not pushed to origin/main: git push
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push nothing
    "#);
    assert_snapshot!(shop.says("pin payments 2.1.1 --yes"), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.1.0"
    +version: "2.1.1"
     image: ghcr.io/acme/payments
    commit on main, and push to origin/main
    warning: 1 commit of main not pushed yet will be pushed too
    "#);
    assert_eq!(shop.at_remote(), shop.repo.head().to_hex());
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    let shop = Shop::new();
    let before = shop.repo.head();
    assert_snapshot!(shop.says("pin payments 2.1.0"), @r#"
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to origin/main
    error: there is no terminal to ask
      hint: look at the diff, then add --yes
    --- exit 64
    "#);
    assert_eq!(shop.repo.head(), before);
}

#[test]
fn what_the_user_has_under_work_stays() {
    let shop = Shop::new();
    let before = shop.repo.head();
    shop.repo.write("services/payments.yaml", "version: \"2.0.4\"\nimage: ghcr.io/acme/payments\n");
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @"
    --- stderr
    error: these files have changes that are not committed: services/payments.yaml
      hint: commit or stash them first
    --- exit 1
    ");
    shop.repo.git(&["add", "--all"]);
    assert!(shop.says("pin payments 2.1.0 --yes").contains("not committed: services/payments.yaml"));
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
    let shop = Shop::new();
    shop.repo.branch("topic").save("README.md", "One\n");
    shop.repo.checkout("main").save("README.md", "Two\n");
    assert!(!git(shop.repo.path()).args(["merge", "topic"]).output().unwrap().status.success());
    let said = shop.says("pin payments 2.1.0 --yes");
    assert!(said.contains("a merge is in progress"), "{said}");
}

#[test]
fn a_detached_head_is_refused_and_a_branch_named_beside_it_is_not() {
    let shop = Shop::new();
    shop.repo.git(&["checkout", "--quiet", "--detach"]);
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @"
    --- stderr
    error: HEAD of REPO is on no branch, so a commit would be on none
      hint: go to a branch (git switch main), or name one: --branch main
    --- exit 1
    ");
    let before = shop.repo.head();
    let said = shop.says("pin payments 2.1.0 --yes --branch main");
    assert!(said.contains("on main, pushed to origin/main"), "{said}");
    assert_eq!((shop.repo.head(), shop.repo.git(&["status", "--short"])), (before, String::new()));
    assert_eq!(shop.repo.git(&["rev-parse", "main"]), shop.at_remote());
}

#[test]
fn a_bare_repository_takes_the_commit_itself() {
    let shop = Shop::new();
    let bare = shop.bare();
    let said =
        Pintle::in_repo(&shop.repo).run(&["pin", "payments", "2.1.0", "--yes", "--repo", bare.to_str().unwrap()]);
    assert_snapshot!(shop.normal(&said), @r#"
    Committed COMMIT on main, which has no upstream to push to.
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push nothing
    "#);
    assert!(shop.in_bare(&["show", "main:services/payments.yaml"]).contains("2.1.0"));
}

#[test]
fn nobody_commits_without_a_name() {
    let shop = Shop::new();
    let pintle = Pintle::in_repo(&shop.repo);
    let mut command = pintle.command(&["pin", "payments", "2.1.0", "--yes"]);
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
        command.env_remove(name);
    }
    assert_snapshot!(pintle.said(command.output().unwrap()), @r#"
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    error: git does not know who commits: user.name is not set
      hint: git config --global user.name "…"
    --- exit 1
    "#);
}

#[test]
fn a_commit_is_signed_where_git_would_sign_it() {
    let shop = Shop::new();
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
    assert!(said.contains("error: cannot sign the commit: "), "{said}");
    assert_eq!((shop.repo.head().to_hex(), shop.at_remote()), (here.to_hex(), here.to_hex()), "and none goes unsigned");
}

#[test]
fn a_clone_that_is_behind_is_told_and_left_alone() {
    let shop = Shop::new();
    human(&shop.bare(), "2.0.4");
    let (here, there) = (shop.repo.head(), shop.at_remote());
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @r#"
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to origin/main
    error: origin/main is not where it was when this was decided, but at COMMIT
      hint: git pull --rebase, then type it again
    --- exit 1
    "#);
    assert_eq!((shop.repo.head(), shop.at_remote()), (here, there));
    assert_eq!(shop.repo.git(&["status", "--short"]), "");
}

#[test]
fn a_clone_that_knows_it_is_behind_is_told_at_once() {
    let shop = Shop::new();
    human(&shop.bare(), "2.0.4");
    shop.repo.git(&["fetch", "--quiet"]);
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @"
    --- stderr
    error: main does not go on from origin/main
      hint: git pull --rebase, then type it again
    --- exit 1
    ");
    shop.repo.git(&["pull", "--quiet", "--rebase"]);
    assert!(shop.says("pin payments 2.1.0 --yes").starts_with("Committed COMMIT on main, pushed to origin/main."));
}

#[test]
fn a_remote_that_was_rewritten_is_not_written_over() {
    let shop = Shop::new();
    shop.says("pin payments 2.0.4 --yes");
    // Back to before: a plain push would bring again what was taken back.
    shop.in_bare(&["update-ref", "refs/heads/main", "main~1"]);
    let there = shop.at_remote();
    let said = shop.says("pin payments 2.1.0 --yes");
    assert!(said.contains("origin/main is not where it was when this was decided"), "{said}");
    assert_eq!(shop.at_remote(), there);
}

#[test]
fn files_that_git_checks_out_in_another_form_follow_in_that_form() {
    let shop = Shop::new();
    shop.repo.write("envs/prod/pintle.yaml", "apiVersion: pintle.dev/v1alpha1\n");
    shop.repo.write("envs/prod/services/web.yaml", "version: 1.0.0\nimage: acme/web\n").commit("More");
    shop.repo.git(&["update-index", "--chmod=+x", "envs/prod/services/web.yaml"]);
    shop.repo.git(&["commit", "--quiet", "-m", "A mode"]);
    shop.repo.git(&["config", "core.autocrlf", "true"]);
    let file = shop.repo.path().join("envs/prod/services/web.yaml");
    std::fs::remove_file(&file).unwrap();
    shop.repo.git(&["checkout", "--quiet", "HEAD", "--", "."]);
    assert!(std::fs::read_to_string(&file).unwrap().contains("\r\n"));
    let said = shop.says("pin web 1.0.1 --yes --commit-only --path envs/prod");
    assert!(said.starts_with("Committed COMMIT on main"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "version: 1.0.1\r\nimage: acme/web\r\n");
    assert_eq!(shop.repo.git(&["show", "HEAD:envs/prod/services/web.yaml"]), "version: 1.0.1\nimage: acme/web");
    assert!(shop.repo.git(&["ls-tree", "HEAD", "envs/prod/services/"]).starts_with("100755 "));
    shop.shown();
}

#[test]
fn a_branch_that_another_working_tree_shows_stays() {
    let shop = Shop::new();
    let other = shop.root.path().join("other");
    shop.repo.git(&["branch", "topic"]);
    shop.repo.git(&["worktree", "add", "--quiet", other.to_str().unwrap(), "topic"]);
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes --branch topic"), @"
    --- stderr
    error: the branch topic is checked out in ROOT/other/
      hint: go there, and type it there
    --- exit 1
    ");
    let in_other = |words: &[&str]| {
        let words = [&["--repo", other.to_str().unwrap(), "pin", "payments", "2.1.0", "--yes"], words].concat();
        shop.normal(&Pintle::in_repo(&shop.repo).run(&words))
    };
    assert!(in_other(&["--branch", "main"]).contains("is checked out in REPO"));
    assert!(in_other(&[]).contains("on topic, which has no upstream"));
    assert_eq!(text(git(&other).args(["status", "--short"]).output().unwrap()), "");
}

#[test]
fn a_hook_that_refuses_is_quoted_and_the_clone_left_alone() {
    let shop = Shop::new();
    shop.hook("pre-receive", "echo 'main is protected: open a pull request' >&2; exit 1");
    let (here, there) = (shop.repo.head(), shop.at_remote());
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @r#"
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to origin/main
    error: origin/main refuses the commit: main is protected: open a pull request (pre-receive hook declined)
      hint: push a branch and open a pull request: git switch -c NAME, then with --commit-only, then git push
    --- exit 1
    "#);
    assert_eq!((shop.repo.head(), shop.at_remote()), (here, there));
    assert_eq!(shop.repo.git(&["status", "--short"]), "");
}

#[test]
fn a_remote_that_is_not_there_changes_nothing() {
    let shop = Shop::new();
    shop.repo.git(&["remote", "set-url", "origin", "/nonexistent/pins.git"]);
    let here = shop.repo.head();
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @r#"
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to origin/main
    error: file:///nonexistent/pins.git cannot be reached: fatal: '/nonexistent/pins.git' does not appear to be a git repository
      hint: look at the spelling, and whether the token or key may see the repository
    --- exit 1
    "#);
    assert_eq!(shop.repo.head(), here);
}

/// Runs `pintle pin payments 2.1.0` against the URL of a server.
fn at_url(shop: &Shop, server: &GitServer) -> String {
    let url = server.url("pins.git");
    let said = Pintle::in_repo(&shop.repo).run(&[
        "pin",
        "payments",
        "2.1.0",
        "--yes",
        "--dangerous-plain-http",
        "--repo",
        &url,
    ]);
    shop.normal(&said).replace(&url, "URL")
}

#[test]
fn a_url_needs_no_clone() {
    let shop = Shop::new();
    let server = GitServer::start(shop.root.path());
    assert_snapshot!(at_url(&shop, &server), @r#"
    Pushed COMMIT to main of URL.
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to main of URL
    "#);
    assert!(shop.in_bare(&["show", "main:services/payments.yaml"]).contains("2.1.0"));
    let said = Pintle::in_repo(&shop.repo).run(&[
        "pin",
        "payments",
        "2.1.1",
        "--commit-only",
        "--yes",
        "--dangerous-plain-http",
        "--repo",
        &server.url("pins.git"),
    ]);
    assert_snapshot!(shop.normal(&said), @"
    --- stderr
    error: --commit-only needs a clone of your own to commit in
      hint: leave it out, or clone the repository and name it: --repo PATH
    --- exit 64
    ");
}

#[test]
fn who_is_overtaken_at_a_url_decides_anew() {
    let shop = Shop::new();
    let server = GitServer::start(shop.root.path());
    let (bare, pushes) = (shop.bare(), AtomicU32::new(0));
    // The human is faster: after the tip was read, and before the push begins.
    server.set(Mood::After(Arc::new(move |line| {
        if line.contains("info/refs?service=git-receive-pack") && pushes.fetch_add(1, Ordering::SeqCst) == 0 {
            human(&bare, "2.0.4");
        }
    })));
    assert_snapshot!(at_url(&shop, &server), @r#"
    Pushed COMMIT to main of URL.
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to main of URL
    main of URL has moved on meanwhile: deciding anew
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.4"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to main of URL
    "#);
    assert_snapshot!(shop.in_bare(&["log", "--format=%s", "main"]), @"
    Pin payments 2.1.0
    Human
    Start
    ");
}

#[test]
fn a_push_whose_answer_is_lost_is_known_again() {
    let shop = Shop::new();
    let server = GitServer::start(shop.root.path());
    server.set(Mood::Swallow);
    let said = at_url(&shop, &server);
    assert!(said.starts_with("Pushed COMMIT to main of URL."), "{said}");
    assert_snapshot!(shop.in_bare(&["log", "--format=%s", "main"]), @"
    Pin payments 2.1.0
    Start
    ");
}

#[test]
fn a_push_that_was_overtaken_after_its_answer_was_lost_is_known_by_its_id() {
    let shop = Shop::new();
    let server = GitServer::start(shop.root.path());
    // The server takes the push and hangs up; before it is asked again, a human has pushed.
    shop.hook(
        "post-receive",
        "read old new ref; test -e once && exit; touch once
         other=$(git commit-tree -p $new -m Human $new^{tree}); git update-ref refs/heads/main $other",
    );
    server.set(Mood::Swallow);
    let said = at_url(&shop, &server);
    let first = shop.in_bare(&["rev-parse", "--short=8", "main~1"]);
    assert!(said.starts_with(&format!("Pushed {first} to main of URL.")), "{said}");
    assert_snapshot!(shop.in_bare(&["log", "--format=%s", "main"]), @"
    Human
    Pin payments 2.1.0
    Start
    ");
}

#[test]
fn a_server_that_asks_who_is_there_is_told_over_tls_alone() {
    let shop = Shop::new();
    let Some(identity) = Identity::new(shop.root.path()) else {
        println!("skipped: openssl is not installed");
        return;
    };
    let safe = GitServer::start_tls(shop.root.path(), &identity);
    let access = Access {
        credentials: Credentials::Known("ada".to_owned(), "secret".to_owned()),
        certificates: identity.certificate.clone(),
        ..Access::new(shop.root.path().join("cache"))
    };
    safe.set(Mood::Guard("Basic YWRhOnNlY3JldA=="));
    assert_eq!(landed(&safe.url("pins.git"), &access).unwrap(), shop.at_remote());
    let wrong = Access { credentials: Credentials::Known("ada".to_owned(), "wrong".to_owned()), ..access.clone() };
    let mut source = open(&safe.url("pins.git"), &access);
    let tip = source.fetch(Some("main")).unwrap().id;
    let refused =
        open(&safe.url("pins.git"), &wrong).landing(Some("main")).unwrap().land(tip, &change(), "New\n", true);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("401") && !refused.contains("wrong"), "{refused}");

    // Whoever is on the way could read them.
    let clear = GitServer::start(shop.root.path());
    let mut source = open(&clear.url("pins.git"), &access);
    let tip = source.fetch(Some("main")).unwrap().id;
    clear.set(Mood::Guard("Basic YWRhOnNlY3JldA=="));
    let refused = source.landing(Some("main")).unwrap().land(tip, &change(), "New\n", true).unwrap_err().to_string();
    assert!(refused.contains("clear text"), "{refused}");
    assert!(!clear.requests().concat().contains("Basic"), "nothing was told");
}

#[test]
fn a_hook_behind_http_is_quoted() {
    let shop = Shop::new();
    let server = GitServer::start(shop.root.path());
    shop.hook("update", "echo 'no pushes on Fridays' >&2; exit 1");
    let said = at_url(&shop, &server);
    assert_snapshot!(said, @r#"
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to main of URL
    error: main of URL refuses the commit: no pushes on Fridays; error: hook declined to update refs/heads/main (hook declined)
      hint: push a branch and open a pull request: git switch -c NAME, then with --commit-only, then git push
    --- exit 1
    "#);
}

#[test]
fn ssh_remotes_are_pushed_to_by_the_systems_ssh() {
    let shop = Shop::new();
    let script = shop.root.path().join("ssh.sh");
    std::fs::write(&script, "for last; do :; done\nexec sh -c \"$last\"\n").unwrap();
    let ssh = vec!["sh".to_owned(), script.to_str().unwrap().to_owned()];
    let access = Access { ssh, ..Access::new(shop.root.path().join("cache")) };
    let url = format!("ssh://git@host.example{}", shop.bare().display());
    assert_eq!(landed(&url, &access).unwrap(), shop.at_remote());
}

fn open(url: &str, access: &Access) -> Source {
    Source::open(&Location::parse_with_plain_http(url).unwrap(), access).unwrap()
}

fn change() -> [FileChange; 1] {
    [FileChange { path: "new.txt".into(), content: Some(Arc::from(&b"new"[..])) }]
}

/// Pushes a commit on the tip of a remote, without the command line.
fn landed(url: &str, access: &Access) -> Result<String, LandError> {
    let mut source = open(url, access);
    let tip = source.fetch(Some("main"))?.id;
    Ok(source.landing(Some("main"))?.land(tip, &change(), "New\n", true)?.commit.to_hex())
}

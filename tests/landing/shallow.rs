use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use pintle::source::{Access, Credentials, Location, Source};
use tempfile::TempDir;

use crate::common::git::{git, text};
use crate::common::git_http::{GitServer, Identity, Mood};
use crate::common::limit::EMERGENCY;
use crate::common::pintle::Pintle;
use crate::common::pushed::{Shop, human};

/// A clone as continuous integration makes it: of the newest commits alone.
struct Shallow<'s> {
    shop: &'s Shop,
    folder: TempDir,
}

impl<'s> Shallow<'s> {
    fn of(shop: &'s Shop, depth: u32) -> Self {
        let url = format!("file://{}", shop.bare().display());
        let folder = tempfile::tempdir().unwrap();
        let cut = format!("--depth={depth}");
        text(git(folder.path()).args(["clone", "--quiet", &cut, &url, "."]).output().unwrap());
        Self { shop, folder }
    }

    fn git(&self, args: &[&str]) -> String {
        text(git(self.folder.path()).args(args).output().unwrap())
    }

    fn comes_from(&self, url: &str) {
        self.git(&["remote", "set-url", "origin", url]);
    }

    fn command(&self, words: &str) -> Command {
        let words: Vec<&str> = words.split_whitespace().collect();
        let mut command = Pintle::in_repo(&self.shop.repo).command(&words);
        command.current_dir(self.folder.path());
        command
    }

    fn says(&self, words: &str) -> String {
        self.said(&mut self.command(words))
    }

    fn said(&self, command: &mut Command) -> String {
        let said = Pintle::in_repo(&self.shop.repo).said(command.output().unwrap());
        self.shop.normal(&said).replace(self.folder.path().to_str().unwrap(), "CLONE")
    }

    /// All that is not the history: where everything is, what is checked out, and what is under work.
    fn state(&self) -> [String; 4] {
        let asked = ["for-each-ref", "symbolic-ref HEAD", "reflog show --all", "status --short --branch"];
        asked.map(|words| self.git(&words.split(' ').collect::<Vec<_>>()))
    }

    /// Whether it begins late, and that what was received is whole and git may tidy it up.
    fn is_cut(&self) -> bool {
        self.git(&["fsck", "--strict"]);
        let packs = std::fs::read_dir(self.folder.path().join(".git/objects/pack")).unwrap();
        let names = packs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<String> = names.filter(|name| [".keep", ".tmp"].iter().any(|part| name.contains(part))).collect();
        assert!(left.is_empty(), "{left:?}");
        self.git(&["rev-parse", "--is-shallow-repository"]) == "true"
    }

    fn source(&self, access: &Access) -> Source {
        Source::open(&Location::Path(self.folder.path().to_owned()), access).unwrap()
    }
}

#[test]
fn a_rollback_receives_what_was_not_cloned_and_lands() {
    let shop = Shop::upgraded();
    let clone = Shallow::of(&shop, 1);
    assert_snapshot!(clone.says("rollback payments --yes --reason INC-47"), @"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    fetching the history before COMMIT from origin: this clone is shallow
    Rollback at COMMIT (Upgrade both)
      targets from Git alone

      ~ payments  2.1.0 -> 2.0.3  asked for
          pinned 2026-01-01 00:03 UTC by 07d5e0bb (Start), stood 7m
      ~ checkout  1.9.0 -> 1.8.2  checkout 1.9.0 needs payments ^2.1
          pinned 2026-01-01 00:03 UTC by 07d5e0bb (Start), stood 7m

    Stage 1 (starts now)
      ~ checkout  1.9.0 -> 1.8.2  return

    Stage 2 (each starts when what it waits for has passed)
      ~ payments  2.1.0 -> 2.0.3  return
          waits until checkout 1.9.0 is gone: it needs payments ^2.1

    Plan: 2 changes in 2 stages.
    Takes about 1m (one by one: 1m, 30s assumed for each); replaces 2 pods, at most 1 above the usual number.

    Would be committed as
        Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2

        INC-47

        payments 2.1.0 -> 2.0.3: asked for
        checkout 1.9.0 -> 1.8.2: checkout 1.9.0 needs payments ^2.1

        Pintle-Reverts: COMMIT
        Pintle-Services: payments, checkout
        Pintle-Id: a63b153353ee9971
      and payments is held above 2.0.3 until somebody releases it
    commit on main, and push to origin/main
    ");
    assert!(!clone.is_cut());
    assert_eq!(clone.git(&["rev-parse", "main"]), clone.shop.at_remote());
    assert_snapshot!(clone.git(&["show", "--format=%s", "--name-only"]), @"
    Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2

    services/checkout.yaml
    services/payments.yaml
    ");
}

#[test]
fn a_dry_run_receives_it_too_and_moves_nothing() {
    let shop = Shop::upgraded();
    let clone = Shallow::of(&shop, 1);
    std::fs::write(clone.folder.path().join("README.md"), "Mine\n").unwrap();
    human(&clone.shop.bare(), "echo More >>README.md");
    let before = clone.state();
    let said = clone.says("rollback payments --dry-run");
    assert!(said.contains("fetching the history before COMMIT from origin: this clone is shallow\n"), "{said}");
    assert!(said.contains("~ payments  2.1.0 -> 2.0.3  asked for"), "{said}");
    assert_eq!(clone.state(), before);
    assert!(!clone.is_cut());
    let (out, _) = said.split_once("--- stderr\n").unwrap();
    assert_eq!(clone.says("rollback payments --dry-run"), out);
}

#[test]
fn whatever_is_named_that_lies_deeper_is_found() {
    let shop = Shop::upgraded();
    shop.repo.git(&["tag", "before", "HEAD~1"]);
    let whole = |words: &str| shop.says(&format!("{words} --dry-run"));
    let asked = [
        "rollback payments --steps 1",
        "rollback payments --to 2.0.3",
        "rollback payments --to HEAD~1",
        "rollback --all --to HEAD~1",
        "rollback --all --to 2026-01-01T00:05",
        "rollback --all --steps 1",
        "rollback --revert HEAD",
        "rollback --revert HEAD~1..",
        "rollback --revert HEAD~1..HEAD --include-config",
    ];
    let expected = asked.map(whole);
    for (words, expected) in asked.into_iter().zip(expected) {
        let clone = Shallow::of(&shop, 1);
        let said = clone.says(&format!("{words} --dry-run"));
        let (out, err) = said.split_once("--- stderr\n").unwrap();
        assert_eq!(out, expected, "{words}");
        assert!(out.contains("~ payments  2.1.0 -> 2.0.3"), "{words}\n{out}");
        assert_eq!(err, "fetching the history before COMMIT from origin: this clone is shallow\n", "{words}");
    }
}

#[test]
fn a_reapply_receives_the_rollback_that_it_undoes() {
    let shop = Shop::upgraded();
    shop.says("rollback payments --yes --reason INC-47");
    let rollback = shop.at_remote();
    shop.repo.save("README.md", "More\n");
    shop.repo.git(&["push", "--quiet"]);
    for named in ["", "payments", &rollback, "HEAD~1"] {
        let clone = Shallow::of(&shop, 1);
        let said = clone.says(&format!("reapply {named} --commit-only --yes --reason mended"));
        assert!(said.contains("from origin: this clone is shallow\n"), "{named}: {said}");
        assert!(said.contains("Reapply pins: checkout 1.8.2 -> 1.9.0, payments 2.0.3 -> 2.1.0"), "{named}: {said}");
        assert!(said.contains("This reverts commit"), "{named}: {said}");
        assert!(!clone.is_cut());
    }
    // The rollback is the first commit that there is: what it moved is not known.
    let clone = Shallow::of(&shop, 2);
    let said = clone.says("reapply --commit-only --yes --reason mended");
    assert!(said.contains("Reapply pins: checkout 1.8.2 -> 1.9.0, payments 2.0.3 -> 2.1.0"), "{said}");
}

#[test]
fn what_was_cloned_is_enough_where_the_target_lies_in_it() {
    let shop = Shop::upgraded();
    let clone = Shallow::of(&shop, 1);
    for version in ["2.2.0", "2.3.0"] {
        clone.says(&format!("pin payments {version} --yes"));
    }
    let said = clone.says("rollback payments --yes --reason INC-47");
    assert!(said.starts_with("Committed COMMIT on main, pushed to origin/main."), "{said}");
    assert!(said.contains("payments 2.3.0 -> 2.2.0") && !said.contains("shallow"), "{said}");
    assert!(clone.is_cut());
    assert_eq!(clone.git(&["rev-parse", "main"]), clone.shop.at_remote());
}

#[test]
fn where_nothing_can_be_received_it_says_why_and_what_to_type() {
    let shop = Shop::upgraded();
    let clone = Shallow::of(&shop, 1);
    clone.comes_from("/nonexistent/pins.git");
    let before = clone.state();
    assert_snapshot!(clone.says("rollback payments --yes --reason INC-47"), @"
    --- stderr
    fetching the history before COMMIT from origin: this clone is shallow
    warning: file:///nonexistent/pins.git cannot be reached: fatal: '/nonexistent/pins.git' does not appear to be a git repository
    error: payments has no older pin than 2.1.0 to go back to; and this is a shallow clone, whose history begins late
      hint: git fetch --unshallow, then type it again
    --- exit 1
    ");
    assert_eq!(clone.state(), before);
    clone.git(&["remote", "remove", "origin"]);
    assert_snapshot!(clone.says("rollback payments --dry-run"), @"
    --- stderr
    error: payments has no older pin than 2.1.0 to go back to; and this is a shallow clone, whose history begins late
      hint: git fetch --unshallow, then type it again
    --- exit 1
    ");
    clone.git(&["remote", "add", "origin", "https://ada:hunter2@example.com/pins.git"]);
    let said = clone.says("reapply --commit-only --yes --reason mended");
    assert!(said.contains("it carries credentials") && !said.contains("hunter2"), "{said}");
    assert_eq!(clone.git(&["rev-parse", "--is-shallow-repository"]), "true");
}

#[test]
fn a_clone_that_somebody_else_deepens_is_left_to_them() {
    let shop = Shop::upgraded();
    let clone = Shallow::of(&shop, 1);
    let (before, lock) = (clone.state(), clone.folder.path().join(".git/shallow.lock"));
    std::fs::write(&lock, "theirs").unwrap();
    assert_snapshot!(clone.says("rollback payments --dry-run"), @"
    --- stderr
    fetching the history before COMMIT from origin: this clone is shallow
    warning: cannot lock CLONE/.git/shallow.lock: File exists (os error 17)
    error: payments has no older pin than 2.1.0 to go back to; and this is a shallow clone, whose history begins late
      hint: git fetch --unshallow, then type it again
    --- exit 1
    ");
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), "theirs");
    std::fs::remove_file(&lock).unwrap();
    assert!(clone.is_cut());
    assert_eq!(clone.state(), before);
}

#[test]
fn a_remote_that_is_cut_off_itself_is_asked_once() {
    let shop = Shop::upgraded();
    let middle = Shallow::of(&shop, 1);
    let clone = Shallow::of(&shop, 1);
    clone.comes_from(&format!("file://{}", middle.folder.path().display()));
    assert_snapshot!(clone.says("rollback payments --dry-run"), @"
    --- stderr
    fetching the history before COMMIT from origin: this clone is shallow
    error: payments has no older pin than 2.1.0 to go back to; and this is a shallow clone, whose history begins late
      hint: git fetch --unshallow, then type it again
    --- exit 1
    ");
    assert!(clone.is_cut());
}

#[test]
fn a_branch_without_an_upstream_and_a_detached_head_receive_what_their_remote_calls_its_own() {
    let shop = Shop::upgraded();
    let clone = Shallow::of(&shop, 1);
    clone.git(&["checkout", "--quiet", "--detach"]);
    clone.git(&["remote", "rename", "origin", "upstream"]);
    let said = clone.says("rollback payments --dry-run");
    assert!(said.contains("fetching the history before COMMIT from upstream: this clone is shallow\n"), "{said}");
    assert!(said.contains("~ payments  2.1.0 -> 2.0.3"), "{said}");
    let clone = Shallow::of(&shop, 1);
    clone.git(&["checkout", "--quiet", "-b", "topic", "--no-track"]);
    let said = clone.says("rollback payments --yes --reason INC-47");
    assert!(said.contains("from origin: this clone is shallow\n"), "{said}");
    assert!(said.contains(" on topic, which has no upstream to push to."), "{said}");
}

#[test]
fn another_working_tree_of_a_shallow_clone_is_deepened_with_it() {
    let shop = Shop::upgraded();
    let clone = Shallow::of(&shop, 1);
    clone.git(&["worktree", "add", "--quiet", "-b", "topic", "tree", "main"]);
    let mut command = clone.command("rollback payments --dry-run");
    let said = clone.said(command.current_dir(clone.folder.path().join("tree")));
    assert!(said.contains("~ payments  2.1.0 -> 2.0.3"), "{said}");
    assert!(!clone.is_cut());
}

/// A program that is found first by the name of ssh: it runs the command here.
fn ssh(folder: &Path) -> String {
    let program = folder.join("ssh");
    std::fs::write(&program, "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[test]
fn history_is_received_over_ssh() {
    let shop = Shop::upgraded();
    let clone = Shallow::of(&shop, 1);
    clone.comes_from(&format!("git@host.example:{}", clone.shop.bare().display()));
    let path = ssh(clone.shop.root.path());
    let said = clone.said(clone.command("rollback payments --yes --reason INC-47").env("PATH", path));
    assert!(said.contains("from origin: this clone is shallow\n"), "{said}");
    assert!(said.starts_with("Committed COMMIT on main, pushed to origin/main."), "{said}");
    assert!(!clone.is_cut());
}

#[test]
fn history_is_received_over_https_with_what_the_credential_helper_knows() {
    let shop = Shop::upgraded();
    let clone = Shallow::of(&shop, 1);
    let root = clone.shop.root.path();
    let Some(identity) = Identity::new(root) else { return println!("skipped: openssl is not installed") };
    let server = GitServer::start_tls(root, &identity);
    // ada:secret
    server.set(Mood::Guard("Basic YWRhOnNlY3JldA=="));
    clone.comes_from(&server.url("pins.git"));
    let trusted = root.join("cert.pem");
    let rollback = || {
        let mut command = clone.command("rollback payments --yes --reason INC-47");
        clone.said(command.env("SSL_CERT_FILE", &trusted)).replace(&server.url(""), "SERVER/")
    };
    assert_snapshot!(rollback(), @"
    --- stderr
    fetching the history before COMMIT from origin: this clone is shallow
    warning: SERVER/pins.git cannot be reached: it asks who is there, and no credentials are known for it
    error: payments has no older pin than 2.1.0 to go back to; and this is a shallow clone, whose history begins late
      hint: git fetch --unshallow, then type it again
    --- exit 1
    ");
    clone.git(&["config", "credential.helper", "!printf 'username=ada\\npassword=secret\\n'; :"]);
    let said = rollback();
    assert!(said.contains("from origin: this clone is shallow\n"), "{said}");
    assert!(said.starts_with("Committed COMMIT on main, pushed to origin/main."), "{said}");
    assert!(!clone.is_cut() && !said.contains("secret"));
}

#[test]
fn who_is_killed_while_history_arrives_leaves_a_clone_that_can_be_asked_again() {
    let shop = Shop::upgraded();
    let clone = Shallow::of(&shop, 1);
    let root = clone.shop.root.path();
    let Some(identity) = Identity::new(root) else { return println!("skipped: openssl is not installed") };
    let server = GitServer::start_tls(root, &identity);
    clone.comes_from(&server.url("pins.git"));
    let before = clone.state();
    let mut command = clone.command("rollback payments --dry-run");
    command.env("SSL_CERT_FILE", root.join("cert.pem"));
    server.set(Mood::StallInPack);
    let mut killed = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let folder = clone.folder.path().join(".git/objects");
    let names = || std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let begun = || names().filter(|name| name.starts_with("tmp_")).count();
    let deadline = Instant::now() + EMERGENCY;
    while begun() == 0 {
        assert!(Instant::now() < deadline, "nothing arrives: {:?}", server.requests());
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!clone.folder.path().join(".git/shallow.lock").exists(), "nobody would let go of it");
    assert!(clone.is_cut());
    assert_eq!(clone.state(), before);
    server.set(Mood::Serve);
    let said = clone.said(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert!(said.contains("~ payments  2.1.0 -> 2.0.3"), "{said}");
    assert!(!clone.is_cut());
    assert_eq!(clone.state(), before);
    // What is left of the one that was killed goes as git's own does.
    assert_eq!(begun(), 1);
    clone.git(&["prune", "--expire=now"]);
    assert_eq!(begun(), 0);
}

#[test]
fn history_that_stalls_is_given_up_in_time_and_received_later() {
    let shop = Shop::upgraded();
    // Nothing of it is compressed away.
    let words = (0..20_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string()).collect::<Vec<_>>().join(" ");
    shop.repo.save("README.md", words);
    shop.repo.save("README.md", "Short again\n");
    shop.repo.git(&["push", "--quiet"]);
    let clone = Shallow::of(&shop, 1);
    let root = clone.shop.root.path();
    let Some(identity) = Identity::new(root) else { return println!("skipped: openssl is not installed") };
    let server = GitServer::start_tls(root, &identity);
    clone.comes_from(&server.url("pins.git"));
    let access = Access {
        credentials: Credentials::None,
        certificates: identity.certificate.clone(),
        answer_within: EMERGENCY,
        send_within: EMERGENCY,
        ..Access::new(root.join("cache"))
    };
    let hasty = Access { send_within: Duration::from_secs(2), ..access.clone() };
    let (source, before) = (clone.source(&hasty), clone.state());
    let origin = source.origin(None).unwrap().unwrap();
    for mood in [Mood::StallInPack, Mood::Drip] {
        server.set(mood);
        let error = source.deepen(&origin).unwrap_err();
        // The server itself would go on for minutes.
        assert!(error.to_string().contains("no answer within 2 s"), "{error}");
        assert!(clone.git(&["rev-parse", "--is-shallow-repository"]) == "true");
    }
    server.set(Mood::Serve);
    clone.source(&access).deepen(&origin).unwrap();
    assert_eq!(clone.state(), before);
    assert!(!clone.source(&access).is_shallow());
}

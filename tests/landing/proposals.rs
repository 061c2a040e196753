use std::fs;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::common::git::{TestRepo, git, hermetic, text};
use crate::common::git_http::GitServer;
use crate::common::pintle::Pintle;
use crate::common::pushed::{PinsClone, human};

/// What must not change where something is proposed: branches, index and files.
fn untouched(shop: &PinsClone) -> [String; 3] {
    let here = shop.repo.git(&["for-each-ref", "refs/heads"]);
    [here, shop.repo.git(&["status", "--short"]), shop.at_remote()]
}

/// The branch that was proposed.
fn branch(shop: &PinsClone) -> String {
    let branches = shop.in_bare(&["for-each-ref", "--format=%(refname:short)", "refs/heads/pintle"]);
    assert_eq!(branches.lines().count(), 1, "{branches}");
    branches
}

#[test]
fn a_proposal_is_a_branch_of_its_own_and_leaves_the_clone_as_it_is() {
    let shop = PinsClone::upgraded();
    // What somebody has under work is nobody's business: its files stay.
    shop.repo.write("services/payments.yaml", "version: mine\n").write("new.txt", "mine").git(&["add", "new.txt"]);
    let before = untouched(&shop);
    let said = shop.outline("rollback payments --reason INC-47 --yes --propose");
    let head = shop.in_bare(&["rev-parse", &branch(&shop)]);
    assert_snapshot!(said.lines().next().unwrap().replace(&head, "COMMIT"), @"branch=pintle/revert-payments-2.0.3-and-1-more-a63b1533 pushedTo=origin/pintle/revert-payments-2.0.3-and-1-more-a63b1533 base=main commit=COMMIT");
    assert_eq!(untouched(&shop), before);
    let services = shop.in_bare(&["log", "-1", "--format=%(trailers:key=Pintle-Services)", &branch(&shop)]);
    assert_eq!(services, "Pintle-Services: payments, checkout");
    assert_eq!(shop.in_bare(&["rev-parse", &format!("{}~1", branch(&shop))]), shop.at_remote());
    // git knows it in the clone too.
    let tracked = format!("origin/{}", branch(&shop));
    assert_eq!(shop.repo.git(&["rev-parse", &tracked]), shop.in_bare(&["rev-parse", &branch(&shop)]));
    // What it says to type brings it in.
    shop.repo.git(&["reset", "--quiet", "--hard"]);
    shop.repo.git(&["pull", "--quiet", "origin", &branch(&shop)]);
    assert_eq!(shop.repo.git(&["rev-parse", "HEAD"]), shop.in_bare(&["rev-parse", &branch(&shop)]));
}

#[test]
fn what_is_proposed_already_is_known_again() {
    let shop = PinsClone::upgraded();
    shop.says("rollback payments --reason INC-47 --yes --propose");
    let there = shop.in_bare(&["rev-parse", &branch(&shop)]);
    // The branch that it is for has moved on, and somebody without a clone types it too.
    human(&shop.bare(), "echo More >> README.md");
    let server = GitServer::start(shop.root.path());
    let (said, code) = shop.remotely(&server, "rollback payments --reason INC-47 --yes --propose");
    let said = said.replace(&there[..8], "THERE");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.lines().next().unwrap().ends_with(": THERE."), "{said}");
    assert_eq!(shop.in_bare(&["rev-parse", &branch(&shop)]), there);
}

#[test]
fn a_branch_with_something_else_on_it_is_not_written_over() {
    let shop = PinsClone::new();
    shop.in_bare(&["branch", "mine", "main"]);
    let before = untouched(&shop);
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes --propose=mine"), @"
    error origin/mine | COMMIT
    hint --propose=NAME
    exit 1
    ");
    let wrong = shop.says("pin payments 2.1.0 --yes --propose=a..b");
    assert!(wrong.contains("\"a..b\"") && wrong.ends_with("--- exit 64\n"), "{wrong}");
    assert_eq!(untouched(&shop), before);
    assert_eq!(shop.in_bare(&["rev-parse", "mine"]), shop.at_remote());
}

#[test]
fn who_may_not_push_is_told_to_propose_and_who_may_not_even_that_to_send_a_patch() {
    let shop = PinsClone::new();
    shop.hook("update", "case $1 in refs/heads/main) echo 'main is protected' >&2; exit 1;; esac");
    let said = shop.says("pin payments 2.1.0 --yes");
    assert!(said.ends_with(": --propose\n--- exit 1\n"), "{said}");
    let said = shop.says("pin payments 2.1.0 --yes --propose=release/47");
    assert!(!shop.in_bare(&["rev-parse", "--verify", "refs/heads/release/47"]).is_empty(), "{said}");
    shop.hook("update", "echo 'read only' >&2; exit 1");
    let before = untouched(&shop);
    assert_snapshot!(shop.outline("pin payments 2.1.1 --yes --propose=release/48"), @"
    error origin/release/48 | refs/heads/release/48
    hint --patch
    exit 1
    ");
    assert_eq!(untouched(&shop), before);
}

#[test]
fn a_known_forge_opens_the_pull_request_and_programs_are_told_where() {
    let shop = PinsClone::new();
    let (acme, bin) = (shop.root.path().join("acme"), shop.root.path().join("bin"));
    for folder in [&acme, &bin] {
        fs::create_dir(folder).unwrap();
    }
    std::os::unix::fs::symlink(shop.bare(), acme.join("pins.git")).unwrap();
    // The forge's ssh, which serves the repository from here.
    let ssh = bin.join("ssh");
    fs::write(
        &ssh,
        format!("#!/bin/sh\nfor last; do :; done\ncd {}\nexec sh -c \"$last\"\n", shop.root.path().display()),
    )
    .unwrap();
    fs::set_permissions(&ssh, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let pintle = Pintle::in_repo(&shop.repo);
    let args = ["--repo", "git@github.com:acme/pins.git", "pin", "payments", "2.1.0", "--yes", "--propose"];
    let run = |more: &[&str]| {
        let mut command = pintle.command(&[&args, more].concat());
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        pintle.said(command.env("PATH", path).output().unwrap())
    };
    let said = run(&["--output", "json"]);
    let head = shop.in_bare(&["rev-parse", &branch(&shop)]);
    let name = branch(&shop);
    let normal = |text: &str| text.replace(&head, "COMMIT").replace(&head[..8], "COMMIT").replace(&name, "BRANCH");
    assert_snapshot!(normal(said.out.split("\"files\"").next().unwrap()), @r#"
    {
      "commit": "COMMIT",
      "branch": "BRANCH",
      "pushedTo": "BRANCH of git@github.com:acme/pins.git",
      "behind": null,
      "base": "main",
      "compareUrl": "https://github.com/acme/pins/compare/main...BRANCH?quick_pull=1&title=Pin+payments+2.1.0&body=payments+2.0.3+-%3E+2.1.0%0A%0APintle-Services%3A+payments%0APintle-Id%3A+4069d934c9d71636",
      
    "#);
    let again = normal(&run(&[]).out);
    assert!(again.contains("COMMIT") && again.contains("/compare/main...BRANCH?"), "{again}");
}

#[test]
fn what_is_only_proposed_is_not_waited_for() {
    let shop = PinsClone::upgraded();
    for words in
        ["--propose --wait", "--propose --apply", "--patch --wait", "--propose --commit-only", "--patch --output json"]
    {
        let said = Pintle::in_repo(&shop.repo).says(&format!("rollback payments --yes --reason INC-47 {words}"));
        assert_eq!(said.code, Some(64), "{said}");
    }
}

/// Somebody takes a patch in a clone of their own; the tree that comes out.
fn taken(repo: &TestRepo, patch: &str) -> String {
    let clone = tempfile::tempdir().unwrap();
    text(git(repo.path()).args(["clone", "--quiet", "."]).arg(clone.path()).output().unwrap());
    let mut am = git(clone.path());
    let mut am = am.args(["am", "--quiet"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut am.stdin.take().unwrap(), patch.as_bytes()).unwrap();
    text(am.wait_with_output().unwrap());
    text(git(clone.path()).args(["log", "-1", "--format=%an <%ae> %ad%n%T%n%B"]).output().unwrap())
}

#[test]
fn a_patch_is_what_git_am_takes_for_the_same_commit() {
    let shop = PinsClone::upgraded();
    let services = shop.repo.path().join("services");
    // Line ends of another system in one file, and none at the end of the other.
    let ends = |name: &str, text: fn(String) -> String| {
        let file = services.join(name);
        fs::write(&file, text(fs::read_to_string(&file).unwrap())).unwrap();
    };
    ends("payments.yaml", |text| text.replace('\n', "\r\n"));
    ends("checkout.yaml", |text| text.trim_end().to_owned());
    shop.repo.commit("Odd files");
    let before = untouched(&shop);
    let objects = || shop.repo.git(&["count-objects", "-v"]);
    let at_first = objects();
    let args = ["rollback", "payments", "--reason", "Größe = 47 €\n\nsee the log", "--yes"];
    let pintle = Pintle::in_repo(&shop.repo);
    let mut command = pintle.command(&[&args[..], &["--patch"]].concat());
    let patch = command.env("GIT_AUTHOR_NAME", "Ada Łoś").stderr(Stdio::null()).output().unwrap();
    let patch = text(patch) + "\n";
    assert_eq!((untouched(&shop), objects()), (before, at_first), "it changes nothing, and writes nothing");
    let taken = taken(&shop.repo, &patch);
    let mut command = pintle.command(&[&args[..], &["--commit-only"]].concat());
    text(command.env("GIT_AUTHOR_NAME", "Ada Łoś").output().unwrap());
    assert_eq!(dateless(&taken), dateless(&shop.repo.git(&["log", "-1", "--format=%an <%ae> %ad%n%T%n%B"])));
    assert!(shop.repo.git(&["show", "HEAD:services/payments.yaml"]).contains("\r\n"));
}

/// Without what differs between two runs.
fn dateless(commit: &str) -> String {
    let (first, rest) = commit.split_once('\n').unwrap();
    format!("{}\n{rest}", first.split_once('>').unwrap().0)
}

#[test]
fn a_plain_patch_is_read_by_people_too() {
    let shop = PinsClone::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pintle"));
    let home = shop.root.path();
    hermetic(&mut command).env("HOME", home).current_dir(shop.repo.path()).stderr(Stdio::null());
    let said = text(command.args(["pin", "payments", "2.1.0", "--patch"]).output().unwrap());
    let stable = said.lines().filter(|line| !["From ", "Date: ", "libgit2 "].iter().any(|it| line.starts_with(it)));
    assert_snapshot!(stable.collect::<Vec<_>>().join("\n"), @r#"
    From: Ada <ada@example.com>
    Subject: [PATCH] Pin payments 2.1.0
    MIME-Version: 1.0
    Content-Type: text/plain; charset=UTF-8
    Content-Transfer-Encoding: 8bit

    payments 2.0.3 -> 2.1.0

    Pintle-Services: payments
    Pintle-Id: 4069d934c9d71636
    ---
     services/payments.yaml | 2 +-
     1 file changed, 1 insertion(+), 1 deletion(-)

    diff --git a/services/payments.yaml b/services/payments.yaml
    index 4febfe8..3a6f7b8 100644
    --- a/services/payments.yaml
    +++ b/services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    --
    "#);
}

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use insta::assert_snapshot;
use serde_json::Value;

use crate::common::git::{git, text};
use crate::common::git_http::{GitServer, Mood};
use crate::common::pintle::{Pintle, Said};
use crate::common::pushed::{Shop, human};

/// Somebody else pushes a change of a file, between a decision and its push; once.
fn human_in_between(shop: &Shop, server: &GitServer, edit: &'static str) {
    let (bare, done) = (shop.bare(), AtomicBool::new(false));
    server.set(Mood::After(Arc::new(move |line| {
        if line.contains("git-receive-pack") && !done.swap(true, Ordering::SeqCst) {
            human(&bare, edit);
        }
    })));
}

fn subjects(shop: &Shop) -> String {
    shop.in_bare(&["log", "--format=%s", "main"])
}

#[test]
fn a_rollback_restores_each_member_holds_what_was_named_and_is_one_commit() {
    let shop = Shop::upgraded();
    let said = shop.says("rollback payments --yes --reason INC-47");
    assert_snapshot!(said, @"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    Rollback at c94e1881 (Upgrade both)
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

        Pintle-Reverts: c94e188182f1d8011104acecefbce0fcabe5fe07
        Pintle-Services: payments, checkout
        Pintle-Id: a63b153353ee9971
      and payments is held above 2.0.3 until somebody releases it
    commit on main, and push to origin/main
    ");
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2

    INC-47

    payments 2.1.0 -> 2.0.3: asked for
    checkout 1.9.0 -> 1.8.2: checkout 1.9.0 needs payments ^2.1

    Pintle-Reverts: c94e188182f1d8011104acecefbce0fcabe5fe07
    Pintle-Services: payments, checkout
    diff --git services/checkout.yaml services/checkout.yaml
    index bcaf732..131cbd8 100644
    --- services/checkout.yaml
    +++ services/checkout.yaml
    @@ -1 +1 @@
    -version: "1.9.0"
    +version: "1.8.2"
    @@ -3,3 +3 @@ image: ghcr.io/acme/checkout
    -dependsOn:
    -  # the new API
    -  payments: ^2.1
    +dependsOn: {payments: "^2"}
    diff --git services/payments.yaml services/payments.yaml
    index a9c2ff5..d0953cf 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -2 +2 @@
    -version: '2.1.0'   # new API
    +version: "2.0.3"   # new API
    @@ -3,0 +4 @@ image: ghcr.io/acme/payments
    +hold: {above: "2.0.3", reason: "INC-47", by: "Ada"}
    "#);
    assert_eq!(shop.at_remote(), shop.repo.head().to_hex());
}

#[test]
fn a_rollback_and_its_reapply_give_back_the_same_bytes_and_say_what_they_revert() {
    let shop = Shop::upgraded();
    let before = shop.repo.git(&["rev-parse", "HEAD^{tree}"]);
    shop.says("rollback payments --yes --reason INC-47");
    let rollback = shop.repo.head().to_hex();
    let said = shop.says("reapply --yes --reason mended");
    assert_eq!(shop.repo.git(&["rev-parse", "HEAD^{tree}"]), before, "{said}");
    assert_snapshot!(shop.shown().replace(&rollback, "ROLLBACK"), @r#"
    Ada <ada@example.com>, Ada
    Reapply pins: checkout 1.8.2 -> 1.9.0, payments 2.0.3 -> 2.1.0

    mended

    checkout 1.8.2 -> 1.9.0: asked for
    payments 2.0.3 -> 2.1.0: asked for

    This reverts commit ROLLBACK.

    Pintle-Reverts: ROLLBACK
    Pintle-Services: checkout, payments
    diff --git services/checkout.yaml services/checkout.yaml
    index 131cbd8..bcaf732 100644
    --- services/checkout.yaml
    +++ services/checkout.yaml
    @@ -1 +1 @@
    -version: "1.8.2"
    +version: "1.9.0"
    @@ -3 +3,3 @@ image: ghcr.io/acme/checkout
    -dependsOn: {payments: "^2"}
    +dependsOn:
    +  # the new API
    +  payments: ^2.1
    diff --git services/payments.yaml services/payments.yaml
    index d0953cf..a9c2ff5 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -2 +2 @@
    -version: "2.0.3"   # new API
    +version: '2.1.0'   # new API
    @@ -4 +3,0 @@ image: ghcr.io/acme/payments
    -hold: {above: "2.0.3", reason: "INC-47", by: "Ada"}
    "#);
    assert!(
        said.contains("\n    This reverts commit ") && said.contains("\n  and payments is no longer held\n"),
        "{said}"
    );

    // There and back again once more, and named.
    shop.says("rollback payments checkout --yes --reason INC-48 --hold version");
    let said = shop.says("reapply checkout --yes --reason mended");
    assert_eq!(shop.repo.git(&["rev-parse", "HEAD^{tree}"]), before, "{said}");
    let commits = shop.repo.git(&["rev-list", "--count", "HEAD"]);
    let again = shop.says("reapply --yes --reason again");
    assert!(again.contains("Nothing goes forward: it is pinned so already."), "{again}");
    assert_eq!(shop.repo.git(&["rev-list", "--count", "HEAD"]), commits);
}

#[test]
fn programs_are_told_what_went_back_and_by_which_commit() {
    let shop = Shop::upgraded();
    let args = "rollback payments --yes --reason INC-47 --output json";
    let told = |said: &Said| -> Value { serde_json::from_str(&said.out).unwrap() };
    let pintle = Pintle::in_repo(&shop.repo);
    let would = told(&pintle.says(&args.replace("--yes", "--dry-run")));
    let is = told(&pintle.says(args));
    assert_eq!(is["commit"], shop.repo.head().to_hex());
    assert_eq!((&is["rollback"], is["rollback"]["members"][1]["service"].as_str()), (&would, Some("checkout")));
    // Typed twice: there is no commit, and that is told too.
    let again = told(&pintle.says(args));
    assert_eq!((&again["commit"], &again["rollback"]["members"]), (&Value::Null, &Value::Array(Vec::new())));
}

#[test]
fn a_hold_is_lifted_also_where_its_service_needs_one_that_stays() {
    let shop = Shop::upgraded();
    let needs = "dependsOn: [ledger]\n";
    shop.repo.pin("ledger", "5.0", "").pin("payments", "2.1.1", needs).commit("Say what payments needs");
    shop.repo.pin("payments", "2.2.0", needs).commit("Upgrade payments");
    shop.repo.git(&["push", "--quiet"]);
    shop.says("rollback payments --yes --reason INC-47");
    let said = shop.says("reapply payments --yes --reason mended");
    let file = std::fs::read_to_string(shop.repo.path().join("services/payments.yaml")).unwrap();
    assert!(file.contains("2.2.0") && !file.contains("hold"), "{said}\n{file}");
}

#[test]
fn a_bot_of_flux_does_not_write_past_the_hold_and_does_again_after_the_way_back() {
    let shop = Shop::new();
    let payments = |version: &str| {
        format!("version: {version} # {{\"$imagepolicy\": \"flux:payments:tag\"}}\nimage: ghcr.io/acme/payments\n")
    };
    shop.repo.write("services/payments.yaml", payments("2.0.3")).commit("Let a bot write it");
    shop.repo.write("services/payments.yaml", payments("2.1.0")).commit("Upgrade payments");
    let before = shop.repo.git(&["rev-parse", "HEAD^{tree}"]);
    let said = shop.says("rollback payments --yes --commit-only --reason INC-47");
    assert!(said.contains("\n  and Flux does not write payments meanwhile: its marker is muted\n"), "{said}");
    assert_snapshot!(shop.repo.git(&["show", "HEAD:services/payments.yaml"]), @r#"
    version: 2.0.3 # held by pintle: {"$imagepolicy": "flux:payments:tag"}
    image: ghcr.io/acme/payments
    hold: {above: "2.0.3", reason: "INC-47", by: "Ada"}
    "#);
    shop.says("reapply --yes --commit-only --reason mended");
    assert_eq!(shop.repo.git(&["rev-parse", "HEAD^{tree}"]), before);
    // A hold that was written by hand leaves the marker as it is: the bot would write past it.
    shop.repo.write("services/payments.yaml", payments("2.1.0") + "hold: {above: 2.1.0, reason: INC-48}\n");
    let told = Pintle::in_repo(&shop.repo).says("check");
    assert!(
        told.code == Some(0) && told.out.contains("warning: a bot of Flux writes past the hold of `payments`"),
        "{told}"
    );
    shop.repo.commit("Hold payments");
    shop.says("hold payments 2.1.0 --reason INC-48 --yes --commit-only");
    assert_snapshot!(Pintle::in_repo(&shop.repo).says("check"), @"2 services: no problems (… ms)");
}

#[test]
fn what_is_rolled_back_already_is_said_and_not_committed() {
    let shop = Shop::upgraded();
    shop.says("rollback payments --yes --reason INC-47");
    let head = shop.repo.head();
    assert_snapshot!(shop.says("rollback payments --to 2.0.3 --yes --reason INC-47"), @"
    --- stderr
    Rollback at COMMIT (Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2)
      targets from Git alone

    Nothing goes back: it is pinned so already.
    ");
    assert_snapshot!(shop.says("rollback payments --yes --reason INC-47"), @"
    --- stderr
    payments is back at 2.0.3 already, by COMMIT (Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2); --steps 1 goes further
    Rollback at COMMIT (Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2)
      targets from Git alone

    Nothing goes back: it is pinned so already.
    ");
    assert_eq!(shop.repo.head(), head);
}

#[test]
fn nobody_rolls_back_without_a_reason_or_an_answer() {
    let shop = Shop::upgraded();
    let head = shop.repo.head();
    let said = ["rollback payments --yes", "rollback payments", "reapply", "rollback payments --yes --reason= "];
    let said = said.map(|words| shop.says(words)).join("");
    assert_snapshot!(said, @"
    --- stderr
    error: --yes needs a reason
      hint: add --reason TEXT: it stands in the commit
    --- exit 64
    --- stderr
    error: there is no terminal to ask why
      hint: add --reason TEXT and --yes
    --- exit 64
    --- stderr
    error: there is no rollback on this branch
      hint: a commit by git revert is undone by its name: pintle reapply COMMIT
    --- exit 1
    --- stderr
    error: --reason is empty
      hint: say why, for those who meet the commit
    --- exit 64
    ");
    let unasked = shop.says("rollback payments --reason INC-47");
    assert!(
        unasked
            .ends_with("error: there is no terminal to ask\n  hint: look at the plan, then add --yes\n--- exit 64\n"),
        "{unasked}"
    );
    assert_eq!((shop.repo.head(), shop.at_remote()), (head, head.to_hex()));
}

#[test]
fn what_the_user_has_under_work_a_head_on_no_branch_and_a_branch_without_upstream() {
    let shop = Shop::upgraded();
    shop.repo.write("services/payments.yaml", "version: \"9\"\nimage: ghcr.io/acme/payments\n");
    let dirty = shop.says("rollback payments --yes --reason INC-47");
    assert!(
        dirty.contains("error: these files have changes that are not committed: services/payments.yaml"),
        "{dirty}"
    );
    assert_eq!(shop.repo.git(&["status", "--short"]), " M services/payments.yaml");
    shop.repo.git(&["checkout", "--quiet", "."]);

    shop.repo.git(&["checkout", "--quiet", "--detach"]);
    let detached = shop.says("rollback payments --yes --reason INC-47");
    assert!(detached.contains("is on no branch"), "{detached}");
    shop.repo.git(&["checkout", "--quiet", "main"]);

    shop.repo.git(&["branch", "--unset-upstream"]);
    let alone = shop.says("rollback payments --yes --reason INC-47");
    assert!(alone.contains("Committed COMMIT on main, which has no upstream to push to."), "{alone}");
    assert_ne!(shop.at_remote(), shop.repo.head().to_hex());
}

#[test]
fn a_human_in_between_is_overtaken_by_nobody_and_the_rollback_lands_on_their_commit() {
    let shop = Shop::upgraded();
    let server = GitServer::start(shop.root.path());
    human_in_between(&shop, &server, "echo More >> README.md");
    let (said, code) = shop.remotely(&server, "rollback payments --yes --reason INC-47");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("main of URL has moved on meanwhile: deciding anew"), "{said}");
    assert_snapshot!(subjects(&shop), @"
    Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2
    Human
    Upgrade both
    Start
    ");
}

#[test]
fn a_closure_that_has_changed_in_between_is_not_what_was_agreed_to() {
    let shop = Shop::upgraded();
    let server = GitServer::start(shop.root.path());
    human_in_between(&shop, &server, "sed -i 's/1.9.0/1.9.1/' services/checkout.yaml");
    let (said, code) = shop.remotely(&server, "rollback payments --yes --reason INC-47");
    assert_eq!(code, Some(1), "{said}");
    let end = "error: the branch has moved on meanwhile, and this is not what it was: nothing was committed\n  hint: look at it, then type it again\n--- exit 1\n";
    assert!(said.ends_with(end), "{said}");
    assert_snapshot!(subjects(&shop), @"
    Human
    Upgrade both
    Start
    ");
}

#[test]
fn of_two_rollbacks_at_once_one_lands_and_the_other_knows_it() {
    let shop = Shop::upgraded();
    let server = GitServer::start(shop.root.path());
    let url = server.url("pins.git");
    let args = ["--repo", &url, "--dangerous-plain-http", "rollback", "payments", "--yes", "--reason", "INC-47"];
    // Both have decided before either pushes.
    let (both, asked) = (Barrier::new(2), AtomicU32::new(0));
    server.set(Mood::After(Arc::new(move |line| {
        if line.contains("info/refs?service=git-receive-pack") && asked.fetch_add(1, Ordering::SeqCst) < 2 {
            both.wait();
        }
    })));
    // Each has a mirror of its own, as on two machines.
    let pintles = [Pintle::in_repo(&shop.repo), Pintle::in_repo(&shop.repo)];
    let start =
        |pintle: &Pintle<'_>| pintle.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let ends = pintles.each_ref().map(start).map(|child| child.wait_with_output().unwrap());
    for (pintle, end) in pintles.iter().zip(ends) {
        let said = pintle.said(end);
        assert!(said.code == Some(0) && said.out.starts_with("Pushed "), "{said}");
    }
    assert_snapshot!(subjects(&shop), @"
    Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2
    Upgrade both
    Start
    ");
    let versions = text(git(&shop.bare()).args(["grep", "-h", "version:", "main", "--", "services"]).output().unwrap());
    assert_snapshot!(versions, @r#"
    version: "1.8.2"
    version: "2.0.3"   # new API
    "#);
}

#[test]
fn a_rollback_whose_answer_is_lost_is_known_by_its_id() {
    let shop = Shop::upgraded();
    let server = GitServer::start(shop.root.path());
    shop.hook(
        "post-receive",
        "read old new ref; test -e once && exit; touch once
         other=$(git commit-tree -p $new -m Human $new^{tree}); git update-ref refs/heads/main $other",
    );
    server.set(Mood::Swallow);
    let (said, code) = shop.remotely(&server, "rollback payments --yes --reason INC-47");
    assert_eq!(code, Some(0), "{said}");
    let first = shop.in_bare(&["rev-parse", "--short=8", "main~1"]);
    assert!(said.contains(&format!("Pushed {first} to main of URL.")), "{said}");
    assert_snapshot!(subjects(&shop), @"
    Human
    Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2
    Upgrade both
    Start
    ");
}

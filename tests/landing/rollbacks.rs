use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use insta::assert_snapshot;
use serde_json::Value;

use crate::common::git::{git, text};
use crate::common::git_http::{GitServer, Mood};
use crate::common::pintle::{Pintle, Said};
use crate::common::pushed::{PinsClone, human};

/// Somebody else pushes a change of a file, between a decision and its push; once.
fn human_in_between(shop: &PinsClone, server: &GitServer, edit: &'static str) {
    let (bare, done) = (shop.bare(), AtomicBool::new(false));
    server.set(Mood::After(Arc::new(move |line| {
        if line.contains("git-receive-pack") && !done.swap(true, Ordering::SeqCst) {
            human(&bare, edit);
        }
    })));
}

#[test]
fn a_rollback_restores_each_member_holds_what_was_named_and_is_one_commit() {
    let shop = PinsClone::upgraded();
    assert_snapshot!(shop.outline("rollback payments --yes --reason INC-47"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    rollback complete=yes
      members service=payments from=2.1.0 to=2.0.3 pinsBack=1 reason=asked commit=(Start)
      members service=checkout from=1.9.0 to=1.8.2 pinsBack=1 reason=unmet commit=(Start) why: 1.9.0 | ^2.1 | checkout | payments
      holds service=payments above=2.0.3
      plan
        stages 1 service=checkout kind=return from=1.9.0 to=1.8.2
        stages 2 service=payments kind=return from=2.1.0 to=2.0.3 waits: 1.9.0 | ^2.1 | checkout | payments
    files path=services/checkout.yaml status=changed
      hunks
        lines -version: "1.9.0"
        lines +version: "1.8.2"
        lines  image: ghcr.io/acme/checkout
        lines -dependsOn:
        lines -  # the new API
        lines -  payments: ^2.1
        lines +dependsOn: {payments: "^2"}
    files path=services/payments.yaml status=changed
      hunks
        lines  # refunds
        lines -version: '2.1.0'   # new API
        lines +version: "2.0.3"   # new API
        lines  image: ghcr.io/acme/payments
        lines +hold: {above: "2.0.3", reason: "INC-47", by: "Ada"}
    "#);
    assert_snapshot!(shop.change(), @r#"
    Ada <ada@example.com>, Ada
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
    let shop = PinsClone::upgraded();
    let before = shop.repo.git(&["rev-parse", "HEAD^{tree}"]);
    shop.says("rollback payments --yes --reason INC-47");
    let rollback = shop.repo.head().to_hex();
    let said = shop.says("reapply --yes --reason mended");
    assert_eq!(shop.repo.git(&["rev-parse", "HEAD^{tree}"]), before, "{said}");
    assert_snapshot!(shop.change().replace(&rollback, "ROLLBACK"), @r#"
    Ada <ada@example.com>, Ada
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

    // There and back again once more, and named.
    shop.says("rollback payments checkout --yes --reason INC-48 --hold version");
    let said = shop.says("reapply checkout --yes --reason mended");
    assert_eq!(shop.repo.git(&["rev-parse", "HEAD^{tree}"]), before, "{said}");
    let commits = shop.repo.git(&["rev-list", "--count", "HEAD"]);
    shop.says("reapply --yes --reason again");
    assert_eq!(shop.repo.git(&["rev-list", "--count", "HEAD"]), commits);
}

#[test]
fn programs_are_told_what_went_back_and_by_which_commit() {
    let shop = PinsClone::upgraded();
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
    let shop = PinsClone::upgraded();
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
    let shop = PinsClone::new();
    let payments = |version: &str| {
        format!("version: {version} # {{\"$imagepolicy\": \"flux:payments:tag\"}}\nimage: ghcr.io/acme/payments\n")
    };
    shop.repo.write("services/payments.yaml", payments("2.0.3")).commit("Let a bot write it");
    shop.repo.write("services/payments.yaml", payments("2.1.0")).commit("Upgrade payments");
    let before = shop.repo.git(&["rev-parse", "HEAD^{tree}"]);
    let said = shop.says("rollback payments --yes --commit-only --reason INC-47");
    assert!(said.contains("Flux"), "{said}");
    assert_snapshot!(shop.repo.git(&["show", "HEAD:services/payments.yaml"]), @r#"
    version: 2.0.3 # held by pintle: {"$imagepolicy": "flux:payments:tag"}
    image: ghcr.io/acme/payments
    hold: {above: "2.0.3", reason: "INC-47", by: "Ada"}
    "#);
    shop.says("reapply --yes --commit-only --reason mended");
    assert_eq!(shop.repo.git(&["rev-parse", "HEAD^{tree}"]), before);
    // A hold that was written by hand leaves the marker as it is: the bot would write past it.
    shop.repo.write("services/payments.yaml", payments("2.1.0") + "hold: {above: 2.1.0, reason: INC-48}\n");
    assert_snapshot!(Pintle::in_repo(&shop.repo).outline("check"), @"
    services=2
    problems severity=warning path=services/payments.yaml line=1 column=18 service=payments message: $imagepolicy | payments hint: pintle hold payments VERSION --reason TEXT
    ");
    shop.repo.commit("Hold payments");
    shop.says("hold payments 2.1.0 --reason INC-48 --yes --commit-only");
    assert_snapshot!(Pintle::in_repo(&shop.repo).outline("check"), @"services=2");
}

#[test]
fn what_is_rolled_back_already_is_said_and_not_committed() {
    let shop = PinsClone::upgraded();
    shop.says("rollback payments --yes --reason INC-47");
    let head = shop.repo.head();
    assert_snapshot!(shop.outline("rollback payments --to 2.0.3 --yes --reason INC-47"), @"
    branch=main
    rollback complete=yes
      plan
    ");
    assert_snapshot!(shop.outline("rollback payments --yes --reason INC-47"), @"
    branch=main
    rollback complete=yes
      plan
    ");
    assert_eq!(shop.repo.head(), head);
}

#[test]
fn nobody_rolls_back_without_a_reason_or_an_answer() {
    let shop = PinsClone::upgraded();
    let head = shop.repo.head();
    let said = ["rollback payments --yes", "rollback payments", "reapply", "rollback payments --yes --reason= "];
    let said = said.map(|words| shop.outline(words)).join("");
    assert_snapshot!(said, @"
    error --yes
    hint
    exit 64
    error
    hint
    exit 64
    error
    hint pintle reapply COMMIT
    exit 1
    error --reason is empty
    hint
    exit 64
    ");
    let unasked = shop.says("rollback payments --reason INC-47");
    assert!(unasked.ends_with("add --yes\n--- exit 64\n"), "{unasked}");
    assert_eq!((shop.repo.head(), shop.at_remote()), (head, head.to_hex()));
}

#[test]
fn what_the_user_has_under_work_a_head_on_no_branch_and_a_branch_without_upstream() {
    let shop = PinsClone::upgraded();
    shop.repo.write("services/payments.yaml", "version: \"9\"\nimage: ghcr.io/acme/payments\n");
    assert_snapshot!(shop.outline("rollback payments --yes --reason INC-47"), @"
    error services/payments.yaml
    hint
    exit 1
    ");
    assert_eq!(shop.repo.git(&["status", "--short"]), " M services/payments.yaml");
    shop.repo.git(&["checkout", "--quiet", "."]);

    shop.repo.git(&["checkout", "--quiet", "--detach"]);
    assert_snapshot!(shop.outline("rollback payments --yes --reason INC-47"), @"
    error
    hint --branch main | git switch main
    exit 1
    ");
    shop.repo.git(&["checkout", "--quiet", "main"]);

    shop.repo.git(&["branch", "--unset-upstream"]);
    shop.commits_with("rollback payments --yes --reason INC-47");
    assert_ne!(shop.at_remote(), shop.repo.head().to_hex());
}

#[test]
fn a_human_in_between_is_overtaken_by_nobody_and_the_rollback_lands_on_their_commit() {
    let shop = PinsClone::upgraded();
    let server = GitServer::start(shop.root.path());
    human_in_between(&shop, &server, "echo More >> README.md");
    let (said, code) = shop.remotely(&server, "rollback payments --yes --reason INC-47");
    assert_eq!(code, Some(0), "{said}");
    assert_snapshot!(shop.commits(), @"
    Pintle-Services: payments, checkout
    Human
    Upgrade both
    Start
    ");
}

#[test]
fn a_closure_that_has_changed_in_between_is_not_what_was_agreed_to() {
    let shop = PinsClone::upgraded();
    let server = GitServer::start(shop.root.path());
    human_in_between(&shop, &server, "sed -i 's/1.9.0/1.9.1/' services/checkout.yaml");
    let (said, code) = shop.remotely(&server, "rollback payments --yes --reason INC-47");
    assert_eq!(code, Some(1), "{said}");
    assert_snapshot!(shop.commits(), @"
    Human
    Upgrade both
    Start
    ");
}

#[test]
fn of_two_rollbacks_at_once_one_lands_and_the_other_knows_it() {
    let shop = PinsClone::upgraded();
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
        assert!(said.code == Some(0) && !said.out.is_empty(), "{said}");
    }
    assert_snapshot!(shop.commits(), @"
    Pintle-Services: payments, checkout
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
    let shop = PinsClone::upgraded();
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
    assert!(said.lines().next().unwrap().contains(&first), "{said}");
    assert_snapshot!(shop.commits(), @"
    Human
    Pintle-Services: payments, checkout
    Upgrade both
    Start
    ");
}

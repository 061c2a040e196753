/// Lines beside the pins, taken back with them.
mod config;
/// What is refused, and what there is nothing to do for.
mod refused;

use insta::assert_snapshot;

use crate::common::git::{SETTINGS, TestRepo};
use crate::common::pintle::Pintle;

/// What checkout and web need, in a file.
fn needs(text: &str) -> String {
    format!("dependsOn: {{{text}}}\n")
}

/// Three services of which each release needed the one before: payments, checkout, web. ledger stands beside.
fn shop() -> TestRepo {
    let repo = TestRepo::for_pins();
    repo.pin("ledger", "5.0", "").pin("payments", "2.0.3", "");
    repo.pin("checkout", "1.7.9", &needs("payments: '>=2.0, <3', ledger: ^5.0"));
    repo.pin("web", "3.4", &needs("checkout: ^1.7")).commit("Pin what runs");
    repo.wait(3600).pin("payments", "2.1.0", "").commit("Upgrade payments");
    repo.wait(3600).pin("checkout", "1.8.2", &needs("payments: '>=2.1, <3', ledger: ^5.0")).commit("Upgrade checkout");
    repo.wait(3600).pin("web", "3.5", &needs("checkout: ^1.8")).commit("Upgrade web");
    repo
}

#[test]
fn a_rollback_takes_along_what_needs_the_newer_version_and_says_why_in_which_order_and_what_is_committed() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    let head = repo.head();
    assert_snapshot!(pintle.outline("rollback payments --dry-run"), @"
    complete=yes
    members service=payments from=2.1.0 to=2.0.3 pinsBack=1 reason=asked commit=(Pin what runs)
    members service=checkout from=1.8.2 to=1.7.9 pinsBack=1 reason=unmet commit=(Pin what runs) why: 1.8.2 | <3 | >=2.1 | checkout | payments
    members service=web from=3.5 to=3.4 pinsBack=1 reason=unmet commit=(Pin what runs) why: 3.5 | ^1.8 | checkout | web
    holds service=payments above=2.0.3
    plan
      stages 1 service=web kind=return from=3.5 to=3.4
      stages 2 service=checkout kind=return from=1.8.2 to=1.7.9 waits: 3.5 | ^1.8 | checkout | web
      stages 3 service=payments kind=return from=2.1.0 to=2.0.3 waits: 1.8.2 | <3 | >=2.1 | checkout | payments
    ");
    assert_eq!((repo.head(), repo.git(&["status", "--short"])), (head, String::new()), "nothing is changed");
}

#[test]
fn a_rollback_tells_programs_the_same() {
    let repo = shop();
    let json = Pintle::in_repo(&repo).json("rollback checkout --dry-run");
    let member = &json["members"][1];
    assert_eq!(member["service"], "web");
    assert_eq!(member["from"], serde_json::json!({"version": "3.5", "image": "ghcr.io/acme/web:3.5"}));
    assert_eq!(member["to"], serde_json::json!({"version": "3.4", "image": "ghcr.io/acme/web:3.4"}));
    assert_eq!((member["pinsBack"].as_u64(), member["proven"].is_null()), (Some(1), true));
    assert_eq!(member["commit"]["id"], "93a689f2e8c45350ed91a3633e1e80e6f766832e");
    assert_eq!(member["commit"]["time"], "2026-01-01T00:03:00Z");
    let unmet = serde_json::json!({
        "code": "unmet", "consumer": "web", "version": "3.5", "provider": "checkout", "range": "^1.8", "found": "1.7.9",
    });
    assert_eq!((&member["reason"], &json["members"][0]["reason"]["code"]), (&unmet, &serde_json::json!("asked")));
    assert_eq!(json["plan"]["stages"][0][0]["service"], "web");
    let message = json["commit"]["message"].as_str().unwrap();
    assert!(message.contains("\nPintle-Services: checkout, web\n"), "{message}");
    assert_eq!(json["holds"], serde_json::json!([{"service": "checkout", "above": "1.7.9"}]));
    let rest = [&json["cluster"], &json["stays"], &json["unmet"], &json["complete"], &json["files"]];
    assert_eq!(rest.map(ToString::to_string).join(" "), "null [] [] true []");
}

#[test]
fn a_commit_that_is_taken_back_as_a_whole_is_named_so() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("rollback web --dry-run --hold none"), @"
    complete=yes
    members service=web from=3.5 to=3.4 pinsBack=1 reason=asked commit=(Pin what runs)
    plan
      stages 1 service=web kind=return from=3.5 to=3.4
    ");
    let is_inverse = |words: &str| {
        let json = pintle.json(&format!("rollback {words} --dry-run"));
        // As git writes it.
        json["commit"]["message"].as_str().unwrap().contains("\nThis reverts commit ")
    };
    assert!(!is_inverse("web"), "a hold is more than the inverse");
    repo.pin("web", "3.6", &needs("checkout: ^1.8")).write("README.md", "the new look").commit("Upgrade web once more");
    assert!(!is_inverse("web --hold none"), "the README stays");
    repo.pin("web", "3.7", &needs("checkout: ^1.8")).pin("ledger", "5.1", "").commit("Upgrade web and ledger");
    assert!(!is_inverse("web --hold none"), "ledger stays");
    assert!(is_inverse("web ledger --hold none"));
}

#[test]
fn to_names_a_version_a_revision_or_a_time() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    // What goes back, or why nothing does.
    let subject = |words: &str| {
        let outline = pintle.outline(&format!("rollback {words} --dry-run"));
        let lines = outline.lines().filter(|line| !line.starts_with([' ', 'c']) && *line != "plan");
        lines.map(|line| line.replace(" commit=(Pin what runs)", "") + "\n").collect::<String>()
    };
    assert_snapshot!(subject("checkout --to 1.7.9"), @"
    members service=checkout from=1.8.2 to=1.7.9 pinsBack=1 reason=asked
    members service=web from=3.5 to=3.4 pinsBack=1 reason=unmet why: 3.5 | ^1.8 | checkout | web
    holds service=checkout above=1.7.9
    ");
    assert_snapshot!(subject("checkout --to HEAD~2"), @"
    members service=checkout from=1.8.2 to=1.7.9 pinsBack=1 reason=asked
    members service=web from=3.5 to=3.4 pinsBack=1 reason=unmet why: 3.5 | ^1.8 | checkout | web
    holds service=checkout above=1.7.9
    ");
    assert_snapshot!(subject("checkout --to 2026-01-01T01:06"), @"
    members service=checkout from=1.8.2 to=1.7.9 pinsBack=1 reason=asked
    members service=web from=3.5 to=3.4 pinsBack=1 reason=unmet why: 3.5 | ^1.8 | checkout | web
    holds service=checkout above=1.7.9
    ");
    assert_snapshot!(subject("checkout --to 2026-01-01T01:06+01:30"), @"
    error 2025-12-31 | 23:36
    hint pintle history
    exit 1
    ");
    assert_snapshot!(subject("checkout --to 2h"), @"");
    assert_snapshot!(subject("checkout --to 1.7.8"), @r#"
    error --to "1.7.8" | checkout
    hint 1.7.9
    exit 1
    "#);
    assert_snapshot!(subject("payments checkout --to yesterday"), @"
    error
    hint 2026-11-20T10:00 | 2h | git log
    exit 1
    ");
    assert_snapshot!(subject("checkout --to 15:20"), @r#"
    error --to "15:20" | checkout
    hint 2026-11-20T10:00 | 2h | pintle history checkout
    exit 1
    "#);
    assert_snapshot!(subject("checkout --steps 2"), @"
    error 1 | 2 | checkout
    hint pintle history checkout
    exit 1
    ");
    assert_snapshot!(subject("--all --steps 2"), @"
    members service=checkout from=1.8.2 to=1.7.9 pinsBack=1 reason=asked
    members service=web from=3.5 to=3.4 pinsBack=1 reason=asked
    ");
    assert_snapshot!(subject("--all --to HEAD~3"), @"
    members service=checkout from=1.8.2 to=1.7.9 pinsBack=1 reason=asked
    members service=payments from=2.1.0 to=2.0.3 pinsBack=1 reason=asked
    members service=web from=3.5 to=3.4 pinsBack=1 reason=asked
    ");
    assert_snapshot!(subject("--all"), @"
    error
    hint --to REVISION | --to TIME
    exit 1
    ");
    repo.branch("topic").save("notes", "x");
    repo.checkout("main").save("README.md", "y");
    repo.merge("topic");
    assert_snapshot!(subject("checkout --to HEAD^2"), @"
    error 12350a9e
    hint
    exit 1
    ");
    assert_snapshot!(subject("checkout --to HEAD~1"), @"");
}

#[test]
fn what_commits_moved_goes_back_and_their_other_lines_are_shown() {
    let repo = shop();
    repo.pin("new", "1.0", "").pin("ledger", "5.1", "namespace: bank\n").commit("Upgrade ledger, move it");
    repo.pin("ledger", "5.2", "namespace: bank\n").commit("Upgrade ledger again");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("rollback --revert HEAD~1 --dry-run"), @r#"
    complete=yes
    members service=ledger from=5.2 to=5.0 pinsBack=2 reason=asked commit=(Pin what runs)
    stays service=new reason=new
    plan
      stages 1 service=ledger namespace=bank kind=return from=5.2 to=5.0
    notTaken path=services/ledger.yaml status=changed
      hunks
        lines  version: "5.0"
        lines  image: ghcr.io/acme/ledger
        lines -namespace: bank
    "#);
    assert_snapshot!(pintle.outline("rollback --revert HEAD~3..HEAD --dry-run"), @r#"
    complete=yes
    members service=ledger from=5.2 to=5.0 pinsBack=2 reason=asked commit=(Pin what runs)
    members service=web from=3.5 to=3.4 pinsBack=1 reason=asked commit=(Pin what runs)
    stays service=new reason=new
    plan
      stages 1 service=ledger namespace=bank kind=return from=5.2 to=5.0
      stages 1 service=web kind=return from=3.5 to=3.4
    notTaken path=services/ledger.yaml status=changed
      hunks
        lines  version: "5.0"
        lines  image: ghcr.io/acme/ledger
        lines -namespace: bank
    "#);
    repo.save("README.md", "moves nothing");
    assert_snapshot!(pintle.outline("rollback --revert HEAD --dry-run"), @"
    error README.md | bfc57d2a
    hint pintle history
    exit 1
    ");
    assert_snapshot!(pintle.outline("rollback --revert HEAD~1..HEAD --dry-run"), @"
    error HEAD~1..HEAD
    hint pintle history
    exit 1
    ");
}

#[test]
fn pairs_that_were_never_pinned_together_for_the_soak_are_named_unless_nobody_wants_to_know() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0", "").pin("checkout", "1.7", "dependsOn: [payments]\n");
    repo.commit("Pin what runs");
    repo.wait(3600).pin("payments", "2.1", "").commit("Upgrade payments");
    repo.wait(3600).pin("checkout", "1.8", "dependsOn: [payments]\n").commit("Upgrade checkout");
    let pintle = Pintle::in_repo(&repo);
    let unseen = |words: &str| pintle.json(words)["unseen"].as_array().unwrap().len();
    assert_snapshot!(pintle.outline("rollback payments --dry-run"), @"
    complete=yes unseen: 1.8 | 2.0 | checkout | payments
    members service=payments from=2.1 to=2.0 pinsBack=1 reason=asked commit=(Pin what runs)
    holds service=payments above=2.0
    plan unseen: 1.8 | 2.0 | checkout | payments
      stages 1 service=payments kind=return from=2.1 to=2.0
    ");
    assert_eq!(unseen("rollback payments --dry-run"), 1);
    assert_eq!(unseen("rollback payments checkout --dry-run"), 0);
    repo.save("pintle.yaml", format!("{SETTINGS}unseen: ignore\n"));
    assert_eq!(unseen("rollback payments --dry-run"), 0);
}

/// Names of which nobody wrote a range: payments moved first, then checkout, then web.
fn unranged(settings: &str) -> TestRepo {
    let repo = TestRepo::new();
    repo.write("pintle.yaml", format!("{SETTINGS}{settings}"));
    repo.pin("payments", "2.0", "").pin("checkout", "1.7", "dependsOn: [payments]\n");
    repo.pin("web", "3.4", "dependsOn: [checkout]\n").commit("Pin what runs");
    repo.wait(3600).pin("payments", "2.1", "").pin("checkout", "1.8", "dependsOn: [payments]\n").commit("Release 47");
    repo.wait(3600).pin("web", "3.5", "dependsOn: [checkout]\n").commit("Upgrade web");
    repo
}

#[test]
fn a_rollback_offers_the_nearest_set_of_which_all_pairs_were_seen_and_seen_takes_it() {
    let repo = unranged("");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("rollback payments --dry-run"), @"
    complete=yes unseen: 1.8 | 2.0 | checkout | payments
    members service=payments from=2.1 to=2.0 pinsBack=1 reason=asked commit=(Pin what runs)
    holds service=payments above=2.0
    plan unseen: 1.8 | 2.0 | checkout | payments
      stages 1 service=payments kind=return from=2.1 to=2.0
    ");
    assert_snapshot!(pintle.outline("rollback payments --dry-run --seen"), @"
    complete=yes
    members service=payments from=2.1 to=2.0 pinsBack=1 reason=asked commit=(Pin what runs)
    members service=checkout from=1.8 to=1.7 pinsBack=1 reason=unmet commit=(Pin what runs) why: 1.8 | 2.0 | checkout | payments
    members service=web from=3.5 to=3.4 pinsBack=1 reason=unmet commit=(Pin what runs) why: 1.7 | 3.5 | checkout | web
    holds service=payments above=2.0
    plan unseen: 1.7 | 2.1 | checkout | payments
      stages 1 service=web kind=return from=3.5 to=3.4
      stages 2 service=checkout kind=return from=1.8 to=1.7 waits: 3.4 | web
      stages 3 service=payments kind=return from=2.1 to=2.0 waits: 1.7 | checkout
    ");
    let json = pintle.json("rollback payments --dry-run");
    let seen: Vec<_> = json["seen"].as_array().unwrap().iter().map(|it| it["service"].as_str().unwrap()).collect();
    assert_eq!(seen, ["payments", "checkout", "web"]);
}

#[test]
fn where_unseen_pairs_are_refused_a_rollback_takes_along_what_was_never_seen() {
    let repo = unranged("unseen: refuse\n");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("rollback payments --dry-run"), @"
    complete=yes
    members service=payments from=2.1 to=2.0 pinsBack=1 reason=asked commit=(Pin what runs)
    members service=checkout from=1.8 to=1.7 pinsBack=1 reason=unmet commit=(Pin what runs) why: 1.8 | 2.0 | checkout | payments
    members service=web from=3.5 to=3.4 pinsBack=1 reason=unmet commit=(Pin what runs) why: 1.7 | 3.5 | checkout | web
    holds service=payments above=2.0
    plan unseen: 1.7 | 2.1 | checkout | payments
      stages 1 service=web kind=return from=3.5 to=3.4
      stages 2 service=checkout kind=return from=1.8 to=1.7 waits: 3.4 | web
      stages 3 service=payments kind=return from=2.1 to=2.0 waits: 1.7 | checkout
    ");
    repo.pin("payments", "2.2", "").pin("cart", "1.0", "dependsOn: [payments]\n").commit("Add cart");
    assert_snapshot!(pintle.outline("rollback payments --dry-run"), @"
    error 1.0 | 2.1 | cart | payments
    hint pintle pin cart 1.0 --needs 'payments=>=2.1'
    exit 4
    ");
}

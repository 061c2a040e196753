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
    let said = pintle.run(&["rollback", "payments", "--dry-run", "--reason", "refunds are booked twice"]);
    assert_snapshot!(said, @"
    Rollback at 98580dae (Upgrade web)
      targets from Git alone

      ~ payments  2.1.0 -> 2.0.3  asked for
          pinned 2026-01-01 00:03 UTC by 93a689f2 (Pin what runs), stood 1h 3m
      ~ checkout  1.8.2 -> 1.7.9  checkout 1.8.2 needs payments >=2.1, <3
          pinned 2026-01-01 00:03 UTC by 93a689f2 (Pin what runs), stood 2h 6m
      ~ web         3.5 -> 3.4    web 3.5 needs checkout ^1.8
          pinned 2026-01-01 00:03 UTC by 93a689f2 (Pin what runs), stood 3h 9m

    Stage 1 (starts now)
      ~ web         3.5 -> 3.4    return

    Stage 2 (each starts when what it waits for has passed)
      ~ checkout  1.8.2 -> 1.7.9  return
          waits until web 3.5 is gone: it needs checkout ^1.8

    Stage 3 (each starts when what it waits for has passed)
      ~ payments  2.1.0 -> 2.0.3  return
          waits until checkout 1.8.2 is gone: it needs payments >=2.1, <3

    Plan: 3 changes in 3 stages.
    Takes about 1m 30s (one by one: 1m 30s, 30s assumed for each); replaces 3 pods, at most 1 above the usual number.

    Would be committed as
        Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.8.2 -> 1.7.9 and 1 more

        refunds are booked twice

        payments 2.1.0 -> 2.0.3: asked for
        checkout 1.8.2 -> 1.7.9: checkout 1.8.2 needs payments >=2.1, <3
        web 3.5 -> 3.4: web 3.5 needs checkout ^1.8

        Pintle-Reverts: 98580daeed7d12e6f5c9dad5482f107eab517831
        Pintle-Reverts: 7801ac3600dca417076bd7c4105ccef24538c95c
        Pintle-Reverts: 0b9bb6a8d2753cfc7bb9b4b4b18abe12d4e3f26a
        Pintle-Services: payments, checkout, web
        Pintle-Id: 2aa2e61d65ebe632
      and payments is held above 2.0.3 until somebody releases it
    ");
    assert_eq!((repo.head(), repo.git(&["status", "--short"])), (head, String::new()), "nothing is changed");
}

#[test]
fn a_rollback_tells_programs_the_same() {
    let repo = shop();
    let said = Pintle::in_repo(&repo).says("rollback checkout --dry-run --output json");
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&json["members"]).unwrap(), @r#"
    [
      {
        "commit": {
          "author": "Ada <ada@example.com>",
          "id": "93a689f2e8c45350ed91a3633e1e80e6f766832e",
          "subject": "Pin what runs",
          "time": "2026-01-01T00:03:00Z"
        },
        "from": {
          "image": "ghcr.io/acme/checkout:1.8.2",
          "version": "1.8.2"
        },
        "passedOver": [],
        "pinsBack": 1,
        "proven": null,
        "reason": {
          "code": "asked"
        },
        "service": "checkout",
        "to": {
          "image": "ghcr.io/acme/checkout:1.7.9",
          "version": "1.7.9"
        },
        "why": "asked for"
      },
      {
        "commit": {
          "author": "Ada <ada@example.com>",
          "id": "93a689f2e8c45350ed91a3633e1e80e6f766832e",
          "subject": "Pin what runs",
          "time": "2026-01-01T00:03:00Z"
        },
        "from": {
          "image": "ghcr.io/acme/web:3.5",
          "version": "3.5"
        },
        "passedOver": [],
        "pinsBack": 1,
        "proven": null,
        "reason": {
          "code": "unmet",
          "consumer": "web",
          "found": "1.7.9",
          "provider": "checkout",
          "range": "^1.8",
          "version": "3.5"
        },
        "service": "web",
        "to": {
          "image": "ghcr.io/acme/web:3.4",
          "version": "3.4"
        },
        "why": "web 3.5 needs checkout ^1.8"
      }
    ]
    "#);
    assert_eq!(json["plan"]["stages"][0][0]["service"], "web");
    assert_eq!(json["commit"]["subject"], "Revert pins: checkout 1.8.2 -> 1.7.9, web 3.5 -> 3.4");
    assert_eq!(json["holds"], serde_json::json!([{"service": "checkout", "above": "1.7.9"}]));
    let rest = [&json["cluster"], &json["stays"], &json["unmet"], &json["complete"], &json["files"]];
    assert_eq!(rest.map(ToString::to_string).join(" "), "null [] [] true []");
}

#[test]
fn a_commit_that_is_taken_back_as_a_whole_is_named_so() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("rollback web --dry-run --hold none"), @"
    Rollback at 98580dae (Upgrade web)
      targets from Git alone

      ~ web  3.5 -> 3.4  asked for
          pinned 2026-01-01 00:03 UTC by 93a689f2 (Pin what runs), stood 3h 9m

    Stage 1 (starts now)
      ~ web  3.5 -> 3.4  return

    Plan: 1 change in 1 stage.
    Takes about 30s (one by one: 30s, 30s assumed for each); replaces 1 pod, at most 1 above the usual number.

    Would be committed as
        Revert pins: web 3.5 -> 3.4

        web 3.5 -> 3.4: asked for

        This reverts commit 98580daeed7d12e6f5c9dad5482f107eab517831.

        Pintle-Reverts: 98580daeed7d12e6f5c9dad5482f107eab517831
        Pintle-Services: web
        Pintle-Id: f5e807edfc32ac2c
    ");
    let is_inverse = |words: &str| {
        let out = pintle.says(&format!("rollback {words} --dry-run")).out;
        assert!(out.contains("Would be committed as"), "{out}");
        out.contains("This reverts commit")
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
    let subject = |words: &str| {
        let said = pintle.says(&format!("rollback {words} --dry-run"));
        said.out
            .lines()
            .find(|line| line.contains("Revert pins"))
            .map_or(said.to_string(), |line| line.trim().to_owned())
    };
    assert_snapshot!(subject("checkout --to 1.7.9"), @"Revert pins: checkout 1.8.2 -> 1.7.9, web 3.5 -> 3.4");
    assert_snapshot!(subject("checkout --to HEAD~2"), @"Revert pins: checkout 1.8.2 -> 1.7.9, web 3.5 -> 3.4");
    assert_snapshot!(subject("checkout --to 2026-01-01T01:06"), @"Revert pins: checkout 1.8.2 -> 1.7.9, web 3.5 -> 3.4");
    assert_snapshot!(subject("checkout --to 2026-01-01T01:06+01:30"), @"
    --- stderr
    error: nothing was pinned at 2025-12-31 23:36 UTC
      hint: pintle history shows the commits that moved pins
    --- exit 1
    ");
    assert_snapshot!(subject("checkout --to 2h"), @"
    Rollback at 98580dae (Upgrade web)
      targets from Git alone

    Nothing goes back: it is pinned so already.
    ");
    assert_snapshot!(subject("checkout --to 1.7.8"), @r#"
    --- stderr
    error: --to "1.7.8": checkout was never pinned at it, and it is no time and no revision
      hint: did you mean `1.7.9`?
    --- exit 1
    "#);
    assert_snapshot!(subject("payments checkout --to yesterday"), @r#"
    --- stderr
    error: REPO has no commit "yesterday": no branch, tag or commit has this name
      hint: name a branch, a tag or a commit that `git log` shows there; a time is written 2h, 2h ago, or 2026-11-20T10:00 in UTC
    --- exit 1
    "#);
    assert_snapshot!(subject("checkout --to 15:20"), @r#"
    --- stderr
    error: --to "15:20": checkout was never pinned at it, and it is no time and no revision
      hint: pintle history checkout shows its pins; a time is written 2h, 2h ago, or 2026-11-20T10:00 in UTC
    --- exit 1
    "#);
    assert_snapshot!(subject("checkout --steps 2"), @"
    --- stderr
    error: checkout cannot go back by 2 pins: it had 1 pins of other versions before the one at the tip
      hint: pintle history checkout shows its pins
    --- exit 1
    ");
    assert_snapshot!(subject("--all --steps 2"), @"Revert pins: checkout 1.8.2 -> 1.7.9, web 3.5 -> 3.4");
    assert_snapshot!(subject("--all --to HEAD~3"), @"Revert pins: checkout 1.8.2 -> 1.7.9, payments 2.1.0 -> 2.0.3 and 1 more");
    assert_snapshot!(subject("--all"), @"
    --- stderr
    error: no earlier revision is known to have been good as a whole
      hint: name one: --to TIME or --to REVISION
    --- exit 1
    ");
    repo.branch("topic").save("notes", "x");
    repo.checkout("main").save("README.md", "y");
    repo.merge("topic");
    assert_snapshot!(subject("checkout --to HEAD^2"), @"
    --- stderr
    error: 12350a9e (Change notes) is not a commit of the branch itself, by first parents
      hint: name the merge commit that brought it to the branch
    --- exit 1
    ");
    assert_snapshot!(subject("checkout --to HEAD~1"), @"
    Rollback at 0b947768 (Merge branch 'topic')
      targets from Git alone

    Nothing goes back: it is pinned so already.
    ");
}

#[test]
fn what_commits_moved_goes_back_and_their_other_lines_are_shown() {
    let repo = shop();
    repo.pin("new", "1.0", "").pin("ledger", "5.1", "namespace: bank\n").commit("Upgrade ledger, move it");
    repo.pin("ledger", "5.2", "namespace: bank\n").commit("Upgrade ledger again");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("rollback --revert HEAD~1 --dry-run"), @r#"
    Rollback at 85985a51 (Upgrade ledger again)
      targets from Git alone

      ~ ledger  5.2 -> 5.0  asked for
          pinned 2026-01-01 00:03 UTC by 93a689f2 (Pin what runs), stood 3h 12m

    Stays
      ! new: was not pinned before; nothing is removed

    Stage 1 (starts now)
      ~ ledger  5.2 -> 5.0  return in bank

    Plan: 1 change in 1 stage.
    Takes about 30s (one by one: 30s, 30s assumed for each); replaces 1 pod, at most 1 above the usual number.

    Changed with these pins, and not taken back (--include-config takes it along)

    services/ledger.yaml
    @@ -1,3 +1,2 @@
     version: "5.0"
     image: ghcr.io/acme/ledger
    -namespace: bank

    Would be committed as
        Revert pins: ledger 5.2 -> 5.0

        ledger 5.2 -> 5.0: asked for

        Pintle-Reverts: 85985a5116a07ed9b3f982c1790f402535359cc6
        Pintle-Reverts: 488af9a96d9e617f39da324ac7cf11969e8c0ad9
        Pintle-Services: ledger
        Pintle-Id: c7a52f53e858e782
    "#);
    let subject =
        |said: &str| said.lines().find(|line| line.contains("Revert pins")).map(str::trim).unwrap().to_owned();
    assert_eq!(
        subject(&pintle.says("rollback --revert HEAD~3..HEAD --dry-run").out),
        "Revert pins: ledger 5.2 -> 5.0, web 3.5 -> 3.4"
    );
    repo.save("README.md", "moves nothing");
    assert_snapshot!(pintle.says("rollback --revert HEAD --dry-run"), @"
    --- stderr
    error: bfc57d2a (Change README.md) moved no pin
      hint: pintle history shows the commits that moved pins
    --- exit 1
    ");
    assert_snapshot!(pintle.says("rollback --revert HEAD~1..HEAD --dry-run"), @"
    --- stderr
    error: no commit of HEAD~1..HEAD moved a pin
      hint: pintle history shows the commits that moved pins
    --- exit 1
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
    let told = |words: &str| {
        let out = pintle.says(words).out;
        let lines = out.lines().skip_while(|line| !line.starts_with("On the way, and never seen together"));
        lines.take_while(|line| !line.is_empty()).map(|line| line.to_owned() + "\n").collect::<String>()
    };
    assert_snapshot!(told("rollback payments --dry-run"), @"
    On the way, and never seen together
      ? checkout 1.8 with payments 2.0
    ");
    assert_eq!(told("rollback payments checkout --dry-run"), "");
    repo.save("pintle.yaml", format!("{SETTINGS}unseen: ignore\n"));
    assert_eq!(told("rollback payments --dry-run"), "");
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
    let told = |words: &str| {
        let out = pintle.says(words).out;
        let is_it = |line: &&str| line.contains(" -> ") && !line.contains("grade") && !line.contains("Revert pins");
        let lines = out.lines().filter(|line| is_it(line) || line.contains("seen") || line.contains("  ? "));
        lines.map(|line| line.to_owned() + "\n").collect::<String>()
    };
    assert_snapshot!(told("rollback payments --dry-run"), @"
      ~ payments  2.1 -> 2.0  asked for
      ~ payments  2.1 -> 2.0  return
    On the way, and never seen together
      ? checkout 1.8 with payments 2.0
    The nearest set of which all pairs were seen together, taken by --seen
      payments 2.1 -> 2.0, checkout 1.8 -> 1.7, web 3.5 -> 3.4
        payments 2.1 -> 2.0: asked for
    ");
    assert_snapshot!(told("rollback payments --dry-run --seen"), @"
      ~ payments  2.1 -> 2.0  asked for
      ~ checkout  1.8 -> 1.7  checkout 1.8 was never seen with payments 2.0
      ~ web       3.5 -> 3.4  web 3.5 was never seen with checkout 1.7
      ~ web       3.5 -> 3.4  return
      ~ checkout  1.8 -> 1.7  return
      ~ payments  2.1 -> 2.0  return
    On the way, and never seen together
      ? checkout 1.7 with payments 2.1
        payments 2.1 -> 2.0: asked for
        checkout 1.8 -> 1.7: checkout 1.8 was never seen with payments 2.0
        web 3.5 -> 3.4: web 3.5 was never seen with checkout 1.7
    ");
    let json = pintle.says("rollback payments --dry-run --output json").out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["unseen"], serde_json::json!(["checkout 1.8 with payments 2.0"]));
    let seen: Vec<_> = json["seen"].as_array().unwrap().iter().map(|it| it["service"].as_str().unwrap()).collect();
    assert_eq!(seen, ["payments", "checkout", "web"]);
}

#[test]
fn where_unseen_pairs_are_refused_a_rollback_takes_along_what_was_never_seen() {
    let repo = unranged("unseen: refuse\n");
    let pintle = Pintle::in_repo(&repo);
    let out = pintle.says("rollback payments --dry-run").out;
    assert!(out.contains("web") && out.contains("checkout 1.8 was never seen with payments 2.0"), "{out}");
    repo.pin("payments", "2.2", "").pin("cart", "1.0", "dependsOn: [payments]\n").commit("Add cart");
    assert_snapshot!(pintle.says("rollback payments --dry-run"), @"
    --- stderr
    error: payments cannot go back to 2.1: cart 1.0 was never seen with payments 2.1, so cart would have to go back too, and has no earlier pin
      hint: if they fit, say so: pintle pin cart 1.0 --needs 'payments=>=2.1'
    --- exit 4
    ");
}

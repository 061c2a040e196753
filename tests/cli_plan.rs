use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;

use crate::common::git::{SETTINGS, TestRepo, hermetic};
use crate::common::pintle::Pintle;

/// Two services, of which a second commit moves one.
fn shop(namespaces: [&str; 2]) -> TestRepo {
    let [mail, payments] = namespaces;
    let repo = TestRepo::for_pins();
    repo.pin("mail", "1.0", mail).pin("payments", "2.0", payments).commit("Pin both");
    repo.pin("mail", "1.1", mail).commit("Upgrade mail");
    repo
}

#[test]
fn a_plan_says_where_its_services_run() {
    let nowhere = shop(["", ""]);
    assert_snapshot!(Pintle::in_repo(&nowhere).says("plan --from HEAD~1"), @"
    Plan for 35f027fc (Upgrade mail)
      against the pins at d5c490e3 (Pin both)

    Stage 1 (starts now)
      ~ mail  1.0 -> 1.1  upgrade

    Plan: 1 change in 1 stage.
    Takes about 30s (one by one: 30s, 30s assumed for each); replaces 1 pod, at most 1 above the usual number.
    ");
    let one = shop(["namespace: shop\n", "namespace: shop\n"]);
    let plan = Pintle::in_repo(&one).says("plan --from HEAD~1");
    assert_eq!(plan.out.lines().nth(1), Some("  against the pins at 55a60232 (Pin both), namespace shop"));
    let typed = Pintle::in_repo(&one).says("plan --from HEAD~1 --namespace bank");
    assert_eq!(typed.out.lines().nth(1), plan.out.lines().nth(1), "a service's own word is the last one");
    let typed = Pintle::in_repo(&nowhere).says("plan --from HEAD~1 --namespace bank");
    assert!(typed.out.contains("(Pin both), namespace bank\n"), "{typed}");
    let two = shop(["namespace: shop\n", "namespace: bank\n"]);
    two.pin("payments", "1.9", "namespace: bank\nrollbackFloor: \"2.0\"\n").commit("Go below the floor");
    let pintle = Pintle::in_repo(&two);
    assert_snapshot!(pintle.says("plan --from HEAD~2"), @"
    Plan for 07400a2a (Go below the floor)
      against the pins at 04ce344c (Pin both)

    Stage 1 (starts now)
      ~ mail  1.0 -> 1.1  upgrade in shop

    Held
      ! payments (pinned 1.9, runs 2.0 in bank)
          1.9 is older than its `rollbackFloor` 2.0: its data has moved on; pin 2.0 or newer

    Plan: 1 change in 1 stage, 1 held.
    Takes about 30s (one by one: 30s, 30s assumed for each); replaces 1 pod, at most 1 above the usual number.
    --- exit 4
    ");
    assert_snapshot!(pintle.says("plan --from HEAD~2 --output markdown"), @"
    ### Plan for 07400a2a (Go below the floor)

    Against the pins at 04ce344c (Pin both)

    | Stage | Service | From | To | | Waits |
    |---|---|---|---|---|---|
    | 1 | **mail** in shop | 1.0 | 1.1 | upgrade |  |

    - Held: **payments** in bank: 1.9 is older than its `rollbackFloor` 2.0: its data has moved on; pin 2.0 or newer

    Plan: 1 change in 1 stage, 1 held.
    Takes about 30s (one by one: 30s, 30s assumed for each); replaces 1 pod, at most 1 above the usual number.
    --- exit 4
    ");
    let json = pintle.says("plan --from HEAD~2 --output json").out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let place = |it: &serde_json::Value| it["namespace"].as_str().map(str::to_owned);
    assert_eq!(place(&json), None);
    assert_eq!(place(&json["stages"][0][0]).as_deref(), Some("shop"));
    assert_eq!(place(&json["rest"][0]).as_deref(), Some("bank"));
}

#[test]
fn a_plan_names_images_where_the_version_does_not_move() {
    let repo = shop(["", ""]);
    repo.write("services/mail.yaml", "version: \"1.1\"\nimage: ghcr.io/new/mail\n");
    let digest = format!("digest: sha256:{}\n", "ab".repeat(32));
    repo.pin("payments", "2.0", &digest).commit("Move both");
    assert_snapshot!(Pintle::in_repo(&repo).says("plan --from HEAD~1"), @"
    Plan for c02f5075 (Move both)
      against the pins at 35f027fc (Upgrade mail)

    Stage 1 (starts now)
      ~ mail      ghcr.io/acme/mail:1.1 -> ghcr.io/new/mail:1.1     image
      ~ payments                    2.0 -> 2.0@sha256:abababababab  image

    Plan: 2 changes in 1 stage.
    Takes about 30s (one by one: 1m, 30s assumed for each); replaces 2 pods, at most 2 above the usual number.
    ");
    assert_snapshot!(Pintle::in_repo(&repo).says("history mail --limit 1"), @"
    VERSION  MOVE   COMMIT    AUTHOR  WHEN (UTC)        STOOD     SUBJECT
    1.1      image  c02f5075  Ada     2026-01-01 00:09  … so far  Move both
      runs as ghcr.io/new/mail:1.1, was ghcr.io/acme/mail:1.1
    --- stderr
    … and 2 more: --limit 0 shows all
    ");
}

#[test]
fn a_plan_of_the_tip_says_what_is_not_committed() {
    let repo = shop(["", ""]);
    repo.pin("mail", "1.2", "").remove("services/payments.yaml");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("plan --from HEAD~1").err, @"warning: only commits count, and these files have changes that are not committed: services/mail.yaml, services/payments.yaml");
    assert_eq!(pintle.says("plan --rev HEAD --from HEAD~1").err, "", "a revision that is named is no working tree");
    for number in 0..6 {
        repo.write(&format!("services/new-{number}.yaml"), "");
    }
    assert_snapshot!(pintle.says("plan --from HEAD~1").err, @"warning: only commits count, and these files have changes that are not committed: services/mail.yaml, services/new-0.yaml, services/new-1.yaml, services/new-2.yaml, services/new-3.yaml and 3 more");
}

#[test]
fn pins_with_errors_are_planned_as_far_as_they_can_be_read_and_fail() {
    let repo = shop(["", ""]);
    repo.write("services/mail.yaml", "version: 1.10\nimage: acme/mail\n");
    repo.pin("payments", "2.1", "").commit("Upgrade both");
    assert_snapshot!(Pintle::in_repo(&repo).says("plan --from HEAD~1 --exit-code"), @"
    Plan for 72e9334b (Upgrade both)
      against the pins at 35f027fc (Upgrade mail)

    Stage 1 (starts now)
      ~ payments  2.0 -> 2.1  upgrade

    Held
      ! mail (runs 1.1)
          services/mail.yaml:1:10: `1.10` is a number to YAML, not text

    Plan: 1 change in 1 stage, 1 held.
    Takes about 30s (one by one: 30s, 30s assumed for each); replaces 1 pod, at most 1 above the usual number.
    --- stderr
    error: the pins have 1 error
      hint: pintle check --rev 72e9334b shows all that is wrong
    --- exit 1
    ");
}

#[test]
fn a_revision_of_which_nothing_can_be_used_has_no_plan() {
    let repo = shop(["", ""]);
    repo.save("pintle.yaml", "apiVersion: pintle.dev/v2\n");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("plan --from HEAD~1"), @"
    --- stderr
    error: pintle.yaml:1:13: `pintle.dev/v2` is not an apiVersion that this version of Pintle reads; nothing is done
      hint: pintle check --rev 46a791ee shows all that is wrong
    --- exit 1
    ");
    repo.write("pintle.yaml", SETTINGS).remove("services/mail.yaml").remove("services/payments.yaml");
    repo.commit("Remove all");
    assert_snapshot!(pintle.says("plan --from HEAD~2"), @"
    --- stderr
    error: pintle.yaml: 0 pins: this revision pins no service; nothing is done
      hint: pintle check --rev 04215a5e shows all that is wrong
    --- exit 1
    ");
}

#[test]
fn a_service_that_is_removed_is_let_go_and_one_that_is_renamed_is_not() {
    let repo = shop(["", ""]);
    repo.remove("services/mail.yaml").remove("services/payments.yaml");
    let renamed = "formerly: payments\nworkloads: [deployment/payments]\n";
    repo.pin("bank", "2.1", renamed).commit("Rename payments, remove mail");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("plan --from HEAD~1"), @"
    Plan for c5651797 (Rename payments, remove mail)
      against the pins at 35f027fc (Upgrade mail)

    Stage 1 (starts now)
      ~ bank  2.0 -> 2.1  upgrade

    Pinned no more (left running, nobody looks after them):
      deployment/mail

    Plan: 1 change in 1 stage.
    Takes about 30s (one by one: 30s, 30s assumed for each); replaces 1 pod, at most 1 above the usual number.
    ");
    assert_snapshot!(pintle.says("plan --from HEAD~1 --output markdown"), @"
    ### Plan for c5651797 (Rename payments, remove mail)

    Against the pins at 35f027fc (Upgrade mail)

    | Stage | Service | From | To | | Waits |
    |---|---|---|---|---|---|
    | 1 | **bank** | 2.0 | 2.1 | upgrade |  |

    - Pinned no more, left running: deployment/mail

    Plan: 1 change in 1 stage.
    Takes about 30s (one by one: 30s, 30s assumed for each); replaces 1 pod, at most 1 above the usual number.
    ");
}

#[test]
fn where_there_is_no_cluster_the_plan_that_needs_none_is_named() {
    assert_snapshot!(Pintle::in_repo(&shop(["", ""])).says("plan"), @"
    --- stderr
    error: there is no kubeconfig, and this is no pod of a cluster (failed to read an incluster environment variable: environment variable not found)
      hint: name one in KUBECONFIG; `pintle plan --from REV` needs no cluster
    --- exit 1
    ");
}

#[test]
fn a_kubeconfig_that_is_named_and_cannot_be_read_is_named() {
    let repo = shop(["", ""]);
    let pintle = || Pintle::in_repo(&repo).env("KUBECONFIG", "/nowhere/config");
    assert_snapshot!(pintle().says("plan"), @"
    --- stderr
    error: the kubeconfig /nowhere/config cannot be read: No such file or directory (os error 2)
      hint: name one that is there in KUBECONFIG, or unset it; `pintle plan --from REV` needs no cluster
    --- exit 1
    ");
    assert_eq!(pintle().says("status --context prod").err, pintle().says("plan").err);
    // Who is asked in passing says so too, and is not taken for nobody.
    assert_snapshot!(pintle().says("history payments").err, @"warning: what was proven is not shown: the kubeconfig /nowhere/config cannot be read: No such file or directory (os error 2)");
}

/// Two services, of which nobody wrote which versions fit, and a release of both after a day.
fn unranged(settings: &str) -> TestRepo {
    let repo = TestRepo::new();
    repo.write("pintle.yaml", format!("{SETTINGS}{settings}")).commit("Begin");
    repo.pin("payments", "2.0", "").pin("checkout", "1.7", "dependsOn: [payments]\n").commit("Pin what runs");
    repo.wait(86_400).pin("payments", "2.1", "").pin("checkout", "1.8", "dependsOn: [payments]\n").commit("Release 47");
    repo
}

#[test]
fn a_plan_names_the_pairs_on_its_way_that_were_never_seen_together() {
    let repo = unranged("");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("plan --from HEAD~1"), @"
    Plan for b9838d1c (Release 47)
      against the pins at 131e6cfd (Pin what runs)

    Stage 1 (starts now)
      ~ payments  2.0 -> 2.1  upgrade

    Stage 2 (each starts when what it waits for has passed)
      ~ checkout  1.7 -> 1.8  upgrade
          waits until payments 2.1 is verified: what others need goes up first

    On the way, and never seen together
      ? checkout 1.7 with payments 2.1
      ? checkout 1.8 with payments 2.1

    Plan: 2 changes in 2 stages.
    Takes about 1m (one by one: 1m, 30s assumed for each); replaces 2 pods, at most 1 above the usual number.
    ");
    let json: serde_json::Value = serde_json::from_str(&pintle.says("plan --from HEAD~1 --output json").out).unwrap();
    assert_eq!(json["unseen"], serde_json::json!(["checkout 1.7 with payments 2.1", "checkout 1.8 with payments 2.1"]));
    let first = pintle.says("plan --rev HEAD~1 --from HEAD~2");
    assert!(first.out.contains("2 changes") && !first.out.contains("seen"), "nothing ran before: {first}");
    repo.wait(86_400).revert(repo.head());
    let back = pintle.says("plan --from HEAD~1 --output markdown").out;
    let told: Vec<_> = back.lines().filter(|line| line.contains("seen")).collect();
    assert_eq!(told, ["- Never seen together: checkout 1.7 with payments 2.1"], "{back}");
    repo.pin("checkout", "1.9", "dependsOn: {payments: '>=2.0'}\n").commit("Say what fits");
    let ranged = pintle.says("plan --from HEAD~1").out;
    assert!(!ranged.contains("seen"), "a range speaks where it is written: {ranged}");
}

#[test]
fn where_unseen_pairs_are_refused_targets_are_held_until_somebody_says_that_they_fit() {
    let repo = unranged("unseen: refuse\n");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("plan --from HEAD~1"), @"
    Plan for c4683f51 (Release 47)
      against the pins at 7b0f252d (Pin what runs)

    Held
      ! checkout (pinned 1.8, runs 1.7)
          checkout 1.8 has never run with payments 2.1 (`unseen: refuse`); if they fit, say so: pintle pin checkout 1.8 --needs 'payments=>=2.1'
      ! payments (pinned 2.1, runs 2.0)
          checkout 1.7 has never run with payments 2.1 (`unseen: refuse`), and one of them is held where it is

    Plan: nothing to start, 2 held.
    --- exit 4
    ");
    let first = pintle.says("plan --rev HEAD~1 --from HEAD~2");
    assert!(first.code == Some(0) && first.out.contains("2 changes"), "nothing ran before: {first}");
    repo.wait(86_400).revert(repo.head());
    let back = pintle.says("plan --from HEAD~1");
    assert!(back.code == Some(0) && back.out.contains("2 changes"), "what ran together before may return: {back}");
    assert_eq!(pintle.says("pin checkout 1.8 --needs payments=>=2.0 --yes").code, Some(0));
    let said = pintle.says("plan --from HEAD~1");
    assert!(said.code == Some(0) && said.out.contains("1 change"), "somebody has said so: {said}");
}

#[test]
fn the_example_for_pull_requests_checks_the_pins_and_shows_the_plan() {
    let repo = shop(["", ""]);
    repo.branch("release").pin("payments", "2.1", "").commit("Release 48");
    repo.checkout("main").branch("pull").merge("release");
    // What actions/checkout leaves: the merge, on no branch, and all branches of the remote.
    let job = TestRepo::new();
    job.git(&["fetch", "--quiet", &repo.location(), "+refs/heads/*:refs/remotes/origin/*"]);
    job.git(&["checkout", "--quiet", "--detach", "origin/pull"]);
    let workflow: serde_yaml::Value = serde_yaml::from_str(include_str!("../examples/pull-request.yaml")).unwrap();
    let steps = workflow["jobs"]["check"]["steps"].as_sequence().unwrap();
    let steps: Vec<_> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    assert!(steps.len() == 3 && steps[0].starts_with("cargo install"), "{steps:?}");
    let summary = tempfile::NamedTempFile::new().unwrap();
    let folder = Path::new(env!("CARGO_BIN_EXE_pintle")).parent().unwrap();
    let run = |step: &str| {
        let mut shell = Command::new("sh");
        let path = [folder.as_os_str(), &std::env::var_os("PATH").unwrap()].join(std::ffi::OsStr::new(":"));
        hermetic(&mut shell).env("PATH", path).envs([("GITHUB_BASE_REF", "main")]);
        shell.env("GITHUB_STEP_SUMMARY", summary.path()).args(["-ec", step]).current_dir(job.path());
        shell.output().unwrap().status.code()
    };
    assert_eq!((run(steps[1]), run(steps[2])), (Some(0), Some(0)));
    assert_snapshot!(std::fs::read_to_string(summary.path()).unwrap(), @"
    ### Plan for 1dbbe3ef (Merge branch 'release' into pull)

    Against the pins at 35f027fc (Upgrade mail)

    | Stage | Service | From | To | | Waits |
    |---|---|---|---|---|---|
    | 1 | **payments** | 2.0 | 2.1 | upgrade |  |

    Plan: 1 change in 1 stage.
    Takes about 30s (one by one: 30s, 30s assumed for each); replaces 1 pod, at most 1 above the usual number.
    ");
    job.pin("payments", "latest", "");
    assert_eq!(run(steps[1]), Some(1), "the working tree is checked, which is what is merged");
}

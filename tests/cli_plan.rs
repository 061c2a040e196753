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
    assert_snapshot!(Pintle::in_repo(&nowhere).outline("plan --from HEAD~1"), @"stages 1 service=mail kind=upgrade from=1.0 to=1.1");
    let one = shop(["namespace: shop\n", "namespace: shop\n"]);
    let namespace = |repo, words: &str| {
        let plan = Pintle::in_repo(repo).json(&format!("plan --from HEAD~1{words}"));
        plan["namespace"].as_str().map(str::to_owned)
    };
    assert_eq!(namespace(&one, "").as_deref(), Some("shop"));
    assert_eq!(namespace(&one, " --namespace bank").as_deref(), Some("shop"), "a service's own word is the last one");
    assert_eq!(namespace(&nowhere, " --namespace bank").as_deref(), Some("bank"));
    let two = shop(["namespace: shop\n", "namespace: bank\n"]);
    two.pin("payments", "1.9", "namespace: bank\nrollbackFloor: \"2.0\"\n").commit("Go below the floor");
    let pintle = Pintle::in_repo(&two);
    assert_snapshot!(pintle.outline("plan --from HEAD~2"), @"
    stages 1 service=mail namespace=shop kind=upgrade from=1.0 to=1.1
    rest service=payments namespace=bank pinned=1.9 runs=2.0 reason=belowFloor why: 1.9 | 2.0 | rollbackFloor
    exit 4
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
    let json = pintle.json("plan --from HEAD~2");
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
    assert_snapshot!(Pintle::in_repo(&repo).outline("plan --from HEAD~1"), @"
    stages 1 service=mail kind=image from=ghcr.io/acme/mail:1.1 to=ghcr.io/new/mail:1.1
    stages 1 service=payments kind=image from=2.0 to=2.0@sha256:abababababab
    ");
    assert_snapshot!(Pintle::in_repo(&repo).outline("history mail --limit 1"), @"
    service=mail
    pins kind=image from=1.1 version=1.1 image=ghcr.io/new/mail:1.1 commit=(Move both)
    ");
}

#[test]
fn a_plan_of_the_tip_says_what_is_not_committed() {
    let repo = shop(["", ""]);
    repo.pin("mail", "1.2", "").remove("services/payments.yaml");
    let pintle = Pintle::in_repo(&repo);
    let warned = || pintle.says("plan --from HEAD~1").err;
    assert!(warned().ends_with(": services/mail.yaml, services/payments.yaml\n"), "{}", warned());
    assert_eq!(pintle.says("plan --rev HEAD --from HEAD~1").err, "", "a revision that is named is no working tree");
    for number in 0..6 {
        repo.write(&format!("services/new-{number}.yaml"), "");
    }
    assert!(warned().contains("services/new-3.yaml") && !warned().contains("services/new-4.yaml"), "{}", warned());
}

#[test]
fn pins_with_errors_are_planned_as_far_as_they_can_be_read_and_fail() {
    let repo = shop(["", ""]);
    repo.write("services/mail.yaml", "version: 1.10\nimage: acme/mail\n");
    repo.pin("payments", "2.1", "").commit("Upgrade both");
    assert_snapshot!(Pintle::in_repo(&repo).outline("plan --from HEAD~1 --exit-code"), @"
    stages 1 service=payments kind=upgrade from=2.0 to=2.1
    rest service=mail runs=1.1 reason=brokenFile why: 1.10 | services/mail.yaml:1:10
    error 1
    hint pintle check --rev 72e9334b
    exit 1
    ");
}

#[test]
fn a_revision_of_which_nothing_can_be_used_has_no_plan() {
    let repo = shop(["", ""]);
    repo.save("pintle.yaml", "apiVersion: pintle.dev/v2\n");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("plan --from HEAD~1"), @"
    error pintle.dev/v2 | pintle.yaml:1:13
    hint pintle check --rev 46a791ee
    exit 1
    ");
    repo.write("pintle.yaml", SETTINGS).remove("services/mail.yaml").remove("services/payments.yaml");
    repo.commit("Remove all");
    assert_snapshot!(pintle.outline("plan --from HEAD~2"), @"
    error 0 | pintle.yaml
    hint pintle check --rev 04215a5e
    exit 1
    ");
}

#[test]
fn a_service_that_is_removed_is_let_go_and_one_that_is_renamed_is_not() {
    let repo = shop(["", ""]);
    repo.remove("services/mail.yaml").remove("services/payments.yaml");
    let renamed = "formerly: payments\nworkloads: [deployment/payments]\n";
    repo.pin("bank", "2.1", renamed).commit("Rename payments, remove mail");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("plan --from HEAD~1"), @"
    stages 1 service=bank kind=upgrade from=2.0 to=2.1
    released deployment/mail
    ");
    let noted = pintle.says("plan --from HEAD~1 --output markdown").out;
    assert!(noted.lines().any(|line| line.starts_with("- ") && line.ends_with(": deployment/mail")), "{noted}");
}

#[test]
fn where_there_is_no_cluster_the_plan_that_needs_none_is_named() {
    assert_snapshot!(Pintle::in_repo(&shop(["", ""])).outline("plan"), @"
    error
    hint pintle plan --from REV
    exit 1
    ");
}

#[test]
fn a_kubeconfig_that_is_named_and_cannot_be_read_is_named() {
    let repo = shop(["", ""]);
    let pintle = || Pintle::in_repo(&repo).env("KUBECONFIG", "/nowhere/config");
    assert_snapshot!(pintle().outline("plan"), @"
    error /nowhere/config | 2
    hint pintle plan --from REV
    exit 1
    ");
    assert_eq!(pintle().says("status --context prod").err, pintle().says("plan").err);
    // Who is asked in passing says so too, and is not taken for nobody.
    let said = pintle().says("history payments").err;
    assert!(said.starts_with("warning: ") && said.contains("/nowhere/config"), "{said}");
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
    assert_snapshot!(pintle.outline("plan --from HEAD~1"), @"
    unseen: 1.7 | 1.8 | 2.1 | checkout | payments
    stages 1 service=payments kind=upgrade from=2.0 to=2.1
    stages 2 service=checkout kind=upgrade from=1.7 to=1.8 waits: 2.1 | payments
    ");
    // Nothing ran before.
    assert_snapshot!(pintle.outline("plan --rev HEAD~1 --from HEAD~2"), @"
    stages 1 service=payments kind=deploy from=nothing to=2.0
    stages 2 service=checkout kind=deploy from=nothing to=1.7 waits: 1.7 | checkout | payments
    warning 0 | pintle.yaml | d27faa74
    ");
    repo.wait(86_400).revert(repo.head());
    assert_snapshot!(pintle.outline("plan --from HEAD~1"), @"
    unseen: 1.7 | 2.1 | checkout | payments
    stages 1 service=checkout kind=return from=1.8 to=1.7
    stages 2 service=payments kind=return from=2.1 to=2.0 waits: 1.7 | checkout
    ");
    let back = pintle.says("plan --from HEAD~1 --output markdown").out;
    assert!(back.contains("checkout 1.7 with payments 2.1\n"), "{back}");
    repo.pin("checkout", "1.9", "dependsOn: {payments: '>=2.0'}\n").commit("Say what fits");
    // A range speaks where it is written.
    assert_snapshot!(pintle.outline("plan --from HEAD~1"), @"stages 1 service=checkout kind=upgrade from=1.7 to=1.9");
}

#[test]
fn where_unseen_pairs_are_refused_targets_are_held_until_somebody_says_that_they_fit() {
    let repo = unranged("unseen: refuse\n");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("plan --from HEAD~1"), @"
    rest service=checkout pinned=1.8 runs=1.7 reason=unseen why: 1.8 | 2.1 | checkout | payments | pintle pin checkout 1.8 --needs 'payments=>=2.1' | unseen: refuse
    rest service=payments pinned=2.1 runs=2.0 reason=unseen why: 1.7 | 2.1 | checkout | payments | unseen: refuse
    exit 4
    ");
    // Nothing ran before.
    assert_snapshot!(pintle.outline("plan --rev HEAD~1 --from HEAD~2"), @"
    stages 1 service=payments kind=deploy from=nothing to=2.0
    stages 2 service=checkout kind=deploy from=nothing to=1.7 waits: 1.7 | checkout | payments
    warning 0 | pintle.yaml | 2234dd7e
    ");
    repo.wait(86_400).revert(repo.head());
    // What ran together before may return.
    assert_snapshot!(pintle.outline("plan --from HEAD~1"), @"
    unseen: 1.7 | 2.1 | checkout | payments
    stages 1 service=checkout kind=return from=1.8 to=1.7
    stages 2 service=payments kind=return from=2.1 to=2.0 waits: 1.7 | checkout
    ");
    assert_eq!(pintle.says("pin checkout 1.8 --needs payments=>=2.0 --yes").code, Some(0));
    // Somebody has said so.
    assert_snapshot!(pintle.outline("plan --from HEAD~1"), @"stages 1 service=checkout kind=return from=1.7 to=1.8");
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
    let noted = std::fs::read_to_string(summary.path()).unwrap();
    assert!(noted.contains("| 1 | **payments** | 2.0 | 2.1 | upgrade |  |"), "{noted}");
    job.pin("payments", "latest", "");
    assert_eq!(run(steps[1]), Some(1), "the working tree is checked, which is what is merged");
}

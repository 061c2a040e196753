use insta::assert_snapshot;
use serde_json::json;

use crate::common::git::{SETTINGS, TestRepo};
use crate::common::pintle::Pintle;

const NEEDS: &str = "dependsOn: [payments]\n";

/// Two services of which nobody wrote which versions fit, pinned a day ago.
fn unranged(settings: &str) -> TestRepo {
    let repo = TestRepo::new();
    repo.write("pintle.yaml", format!("{SETTINGS}{settings}")).commit("Begin");
    repo.pin("payments", "2.0", "").pin("checkout", "1.7", NEEDS).commit("Pin what runs");
    repo.wait(86_400);
    repo
}

#[test]
fn pins_that_were_never_seen_together_are_an_error_at_the_pin_where_that_is_refused() {
    let repo = unranged("unseen: refuse\n");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("check"), @"services=2");
    repo.pin("payments", "2.1", "").pin("checkout", "1.8", NEEDS);
    assert_snapshot!(pintle.outline("check"), @"
    services=2
    problems severity=error path=services/checkout.yaml line=1 column=10 service=checkout message: 1.8 | 2.1 | checkout | payments | unseen: refuse hint: pintle pin checkout 1.8 --needs 'payments=>=2.1'
      also path=services/payments.yaml line=1 column=10
    exit 1
    ");
    repo.commit("Release 47");
    let told = pintle.json("check")["problems"].take();
    assert_eq!(pintle.json("check --rev HEAD")["problems"], told);
    repo.wait(86_400).pin("mail", "1.0", "").commit("Add mail");
    assert_eq!(pintle.json("check")["problems"], told, "time says nothing");
    let release = repo.git(&["rev-parse", "HEAD~1"]).try_into().unwrap();
    repo.wait(86_400).revert(release);
    assert_snapshot!(pintle.outline("check"), @"services=3");
}

#[test]
fn a_provider_that_moves_alone_is_told_at_its_own_pin_and_the_hint_does_not_reject_what_runs() {
    let repo = unranged("unseen: refuse\n");
    let pintle = Pintle::in_repo(&repo);
    repo.pin("payments", "2.1", "").commit("Upgrade payments");
    assert_snapshot!(pintle.outline("check"), @"
    services=2
    problems severity=error path=services/payments.yaml line=1 column=10 service=payments message: 1.7 | 2.1 | checkout | payments | unseen: refuse hint: pintle pin checkout 1.7 --needs 'payments=>=2.0'
      also path=services/checkout.yaml line=1 column=10
    exit 1
    ");
    assert_eq!(pintle.run(&["pin", "checkout", "1.7", "--needs", "payments=>=2.0", "--yes"]).code, Some(0));
    assert_eq!(pintle.says("check").code, Some(0), "somebody has said so");
    assert_snapshot!(pintle.outline("plan --from HEAD~2"), @"stages 1 service=payments kind=upgrade from=2.0 to=2.1");
}

#[test]
fn check_and_plan_agree_on_what_is_refused() {
    let agree = |repo: &TestRepo, refused: bool, why: &str| {
        let pintle = Pintle::in_repo(repo);
        let (check, plan) = (pintle.outline("check"), pintle.outline("plan --from HEAD~1"));
        let said = [&check, &plan].map(|outline| outline.contains("unseen: refuse"));
        assert_eq!(said, [refused; 2], "{why}\n{check}\n{plan}");
    };
    let repo = unranged("unseen: refuse\n");
    repo.pin("cart", "1.0", NEEDS).commit("Add cart");
    agree(&repo, false, "what runs nothing yet starts");
    repo.pin("checkout", "1.8", NEEDS).commit("Upgrade checkout");
    agree(&repo, true, "checkout came to payments");
    repo.pin("checkout", "1.8", "dependsOn: {payments: '>=2.0'}\n").commit("Say what fits");
    agree(&repo, false, "a range speaks");
    repo.pin("mail", "1.0", "").commit("Add mail");
    repo.pin("mail", "1.1", "").commit("Upgrade mail");
    repo.pin("mail", "1.1", NEEDS).commit("Say who is called");
    agree(&repo, false, "an edge that was found out moves nothing");
    repo.pin("payments", "2.0", "external: true\n").commit("Payments is deployed elsewhere");
    repo.pin("payments", "2.1", "external: true\n").commit("Upgrade payments elsewhere");
    agree(&repo, false, "what is deployed elsewhere is not held");
    repo.pin("mail", "1.2", NEEDS).commit("Upgrade mail again");
    agree(&repo, true, "but what comes to it is");

    for settings in ["", "unseen: ignore\n"] {
        let repo = unranged(settings);
        repo.pin("checkout", "1.8", NEEDS).commit("Upgrade checkout");
        assert_eq!(Pintle::in_repo(&repo).json("check")["problems"], json!([]), "{settings}");
        repo.save("pintle.yaml", format!("{SETTINGS}unseen: refuse\n"));
        agree(&repo, false, "what was let through before runs by now");
        repo.pin("payments", "2.1", "").commit("Upgrade payments");
        agree(&repo, true, "from then on it is refused");
    }
}

#[test]
fn a_pin_that_would_be_refused_is_foreseen() {
    let repo = unranged("unseen: refuse\n");
    let said = Pintle::in_repo(&repo).outline("pin checkout 1.8 --yes");
    let said = said.replace(&repo.head().to_hex(), "COMMIT");
    assert_snapshot!(said, @r#"
    branch=main commit=COMMIT
    files path=services/checkout.yaml status=changed
      hunks
        lines -version: "1.7"
        lines +version: "1.8"
        lines  image: ghcr.io/acme/checkout
        lines  dependsOn: [payments]
    warning 1.8 | 2.0 | checkout | payments | services/checkout.yaml:1:10 | unseen: refuse
    "#);
}

use insta::assert_snapshot;

use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

/// web -> checkout -> payments; mail stands beside. All was pinned long ago, and released today but web.
fn shop() -> TestRepo {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0", "").pin("mail", "1.0", "");
    repo.pin("checkout", "1.7", "dependsOn: [payments]\n").pin("web", "3.4", "dependsOn: [checkout]\n").commit("Start");
    repo.wait_for_today().wait(-7200);
    repo.pin("payments", "2.1", "").commit("Upgrade payments");
    repo.wait(3600).pin("checkout", "1.8", "dependsOn: [payments]\n").pin("mail", "1.1", "").commit("Release 48");
    repo
}

/// What is told, without how long ago, and without the ids of commits, which hold the time of today.
fn told(pintle: &Pintle<'_>, words: &str) -> String {
    let said = pintle.says(words).to_string();
    let line = |line: &str| {
        let parts =
            line.split_once(" ago, by ").and_then(|(ago, by)| Some((ago.rsplit_once("  ")?.0, by.split_once(' ')?.1)));
        parts.map_or_else(|| format!("{line}\n"), |(change, subject)| format!("{change}  … ago, by {subject}\n"))
    };
    said.lines().map(line).collect()
}

#[test]
fn without_a_cluster_what_changed_is_told_and_who_alarms_may_be_named() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(told(&pintle, "suspects --since 1d"), @"
    No cluster says what alarms. Changed, the newest first
      1 checkout  1.7 -> 1.8  … ago, by (Release 48)
          pintle rollback checkout
      2 mail  1.0 -> 1.1  … ago, by (Release 48)
          pintle rollback mail
      3 payments  2.0 -> 2.1  … ago, by (Upgrade payments)
          pintle rollback payments
    ");
    assert_snapshot!(told(&pintle, "suspects web"), @"
    Alarms
      ! web 3.4 is named by you

    Suspects, the likeliest first
      1 checkout  1.7 -> 1.8  … ago, by (Release 48)
          web alarms and needs it
          pintle rollback checkout
      2 payments  2.0 -> 2.1  … ago, by (Upgrade payments)
          web alarms and needs it through checkout
          pintle rollback payments
      3 web  nothing -> 3.4  … ago, by (Start)
          it alarms itself
          it is its first pin: there is none to go back to
    --- exit 3
    ");
    assert_snapshot!(told(&pintle, "suspects web --since 10m"), @"
    Alarms
      ! web 3.4 is named by you

    Nothing that they depend on has changed since then: look at what they run on.
    --- exit 3
    ");
    let ten_minutes = pintle.run(&["suspects", "--since", "10m ago"]).to_string();
    assert_eq!(ten_minutes, pintle.says("suspects --since 10m").to_string());
    assert_snapshot!(pintle.says("suspects --since 10m"), @"No cluster says what alarms, and nothing has changed.");
    assert_snapshot!(pintle.says("suspects wbe"), @r#"
    --- stderr
    error: there is no service "wbe"
      hint: did you mean `web`?
    --- exit 1
    "#);
    assert_snapshot!(pintle.says("suspects --since yesterday"), @r#"
    --- stderr
    error: --since "yesterday" is no time
      hint: write 2h, 2h ago, or 2026-11-20T10:00 in UTC
    --- exit 64
    "#);
}

#[test]
fn another_spelling_of_a_version_with_the_same_digest_is_no_change() {
    let repo = TestRepo::for_pins();
    let pin = |version: &str, digit: &str| {
        repo.pin("payments", version, &format!("digest: sha256:{}\n", digit.repeat(64)));
    };
    pin("v2.0.0", "a");
    repo.commit("Start");
    repo.wait_for_today().wait(-7200);
    pin("v2.1.0", "b");
    repo.commit("Upgrade payments");
    pin("2.1", "b");
    repo.commit("Spell it like the others");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(told(&pintle, "suspects"), @"
    No cluster says what alarms. Changed, the newest first
      1 payments  v2.0.0 -> v2.1.0  … ago, by (Upgrade payments)
          pintle rollback payments
    ");
    pin("2.1", "c");
    repo.commit("Build it anew");
    assert_snapshot!(told(&pintle, "suspects"), @"
    No cluster says what alarms. Changed, the newest first
      1 payments  2.1@sha256:bbbbbbbbbbbb -> 2.1@sha256:cccccccccccc  … ago, by (Build it anew)
          pintle rollback payments
    ");
}

#[test]
fn a_rollback_that_a_forge_merged_is_undone_by_reapply() {
    let repo = shop();
    repo.pin("payments", "2.0", "")
        .commit("Merge pull request 'Revert pins: payments 2.1 -> 2.0' (#7) from pintle/x into main");
    assert_snapshot!(told(&Pintle::in_repo(&repo), "suspects --since 1d"), @"
    No cluster says what alarms. Changed, the newest first
      1 payments  2.1 -> 2.0  … ago, by (Merge pull request 'Revert pins: payments 2.1 -> 2.0' (#7) from pintle/…)
          pintle reapply payments
      2 checkout  1.7 -> 1.8  … ago, by (Release 48)
          pintle rollback checkout
      3 mail  1.0 -> 1.1  … ago, by (Release 48)
          pintle rollback mail
    ");
}

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

#[test]
fn without_a_cluster_what_changed_is_told_and_who_alarms_may_be_named() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("suspects --since 1d"), @"
    services=4
    suspects service=checkout from=1.7 to=1.8 distance=0 command=pintle rollback checkout commit=(Release 48)
    suspects service=mail from=1.0 to=1.1 distance=0 command=pintle rollback mail commit=(Release 48)
    suspects service=payments from=2.0 to=2.1 distance=0 command=pintle rollback payments commit=(Upgrade payments)
    ");
    assert_snapshot!(pintle.outline("suspects web"), @"
    services=4
    alarms service=web runs=3.4
    suspects service=checkout from=1.7 to=1.8 distance=1 command=pintle rollback checkout commit=(Release 48) why: web
    suspects service=payments from=2.0 to=2.1 distance=2 command=pintle rollback payments commit=(Upgrade payments) why: checkout | web
    suspects service=web from=nothing to=3.4 distance=0 commit=(Start)
    exit 3
    ");
    assert_snapshot!(pintle.outline("suspects web --since 10m"), @"
    services=4
    alarms service=web runs=3.4
    exit 3
    ");
    let ten_minutes = pintle.run(&["suspects", "--since", "10m ago"]).out;
    assert_eq!(ten_minutes, pintle.says("suspects --since 10m").out);
    assert_snapshot!(pintle.outline("suspects --since 10m"), @"services=4");
    assert_snapshot!(pintle.outline("suspects wbe"), @"
    error
    hint web
    exit 1
    ");
    assert_snapshot!(pintle.outline("suspects --since yesterday"), @r#"
    error --since "yesterday" is no time
    hint 2026-11-20T10:00 | 2h
    exit 64
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
    assert_snapshot!(pintle.outline("suspects"), @"
    services=1
    suspects service=payments from=v2.0.0 to=v2.1.0 distance=0 command=pintle rollback payments commit=(Upgrade payments)
    ");
    pin("2.1", "c");
    repo.commit("Build it anew");
    assert_snapshot!(pintle.outline("suspects"), @"
    services=1
    suspects service=payments from=2.1@sha256:bbbbbbbbbbbb to=2.1@sha256:cccccccccccc distance=0 command=pintle rollback payments commit=(Build it anew)
    ");
}

#[test]
fn a_rollback_that_a_forge_merged_is_undone_by_reapply() {
    let repo = shop();
    repo.pin("payments", "2.0", "")
        .commit("Merge pull request 'Revert pins: payments 2.1 -> 2.0' (#7) from pintle/x into main");
    assert_snapshot!(Pintle::in_repo(&repo).outline("suspects --since 1d"), @"
    services=4
    suspects service=payments from=2.1 to=2.0 distance=0 command=pintle reapply payments commit=(Merge pull request 'Revert pins: payments 2.1 -> 2.0' (#7) from pintle/x into main)
    suspects service=checkout from=1.7 to=1.8 distance=0 command=pintle rollback checkout commit=(Release 48)
    suspects service=mail from=1.0 to=1.1 distance=0 command=pintle rollback mail commit=(Release 48)
    ");
}

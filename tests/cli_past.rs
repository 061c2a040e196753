/// What moved between two revisions.
mod diff;
/// The pins that services had.
mod history;

use insta::assert_snapshot;

use crate::common::git::{SETTINGS, TestRepo, replay};
use crate::common::pintle::Pintle;

/// Two services that move forward, back, and aside.
fn shop() -> TestRepo {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "").write("services/checkout.yaml", checkout("1.7.9", ">=2.0, <3")).commit("Start");
    repo.wait(3600).pin("payments", "2.1.0", "").commit("Change services/payments.yaml");
    let bad = repo.wait(86_400).save("services/checkout.yaml", checkout("1.8.2", ">=2.1, <3"));
    repo.wait(600).revert(bad);
    repo.save("services/checkout.yaml", checkout("1.7.8", ">=2.0, <3"));
    repo
}

fn checkout(version: &str, payments: &str) -> String {
    format!(
        "version: \"{version}\"\nimage: ghcr.io/acme/checkout\nnamespace: shop\ndependsOn:\n  payments: \"{payments}\"\n"
    )
}

#[test]
fn a_years_long_public_history_is_read_and_told() {
    let bundle = "govuk-production.bundle";
    let Some(bundle) = replay(bundle) else { return println!("skipped: {bundle} is not there") };
    let repo = TestRepo::new();
    repo.git(&["pull", "--quiet", bundle.to_str().unwrap(), "main"]);
    // All of it takes a program without optimisation minutes.
    let cut = repo.git(&["rev-parse", "HEAD~1500"]);
    repo.write(".git/shallow", cut + "\n");
    let pins = r#"{files: "charts/app-config/image-tags/production/{service}", key: image_tag, image: "ghcr.io/alphagov/{service}"}"#;
    repo.save("pintle.yaml", format!("{SETTINGS}pins:\n- {pins}\n"));
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("check").out, @"55 services: no problems (… ms)");
    assert_snapshot!(pintle.says("history publisher --limit 7"), @"
    VERSION  MOVE       COMMIT    AUTHOR  WHEN (UTC)        STOOD     SUBJECT
    v1367    ↑ upgrade  441a5ae2  bot-3   2026-08-19 14:56  … so far  Update publisher image tag to v1367 for production
    v1366    ↑ upgrade  000cdc47  bot-3   2026-08-19 11:40  3h 15m    Update publisher image tag to v1366 for production
    v1365    ↑ upgrade  4cce98ee  bot-3   2026-08-19 08:30  3h 10m    Update publisher image tag to v1365 for production
    v1364    ↑ upgrade  728172f0  bot-3   2026-08-19 08:25  5m        Update publisher image tag to v1364 for production
    v1362    ↑ return   84196915  bot-4   2026-08-14 15:11  4d 17h    Merge update-image-tag/publisher/production/v1362 into main
    v1357    ↓ return   fe8bd148  bot-3   2026-08-14 12:49  2h 21m    Update publisher image tag to v1357 for production
    v1362    ↑ upgrade  1f8c660e  bot-3   2026-08-14 11:54  55m       Update publisher image tag to v1362 for production
    --- stderr
    … and 54 more: --limit 0 shows all
    ");
    assert_snapshot!(pintle.says("history --limit 3"), @"
    COMMIT    WHEN (UTC)        AUTHOR  SERVICE               FROM   TO     MOVE
    5cc72f1c  2026-08-21 16:45  bot-3   specialist-publisher  v1392  v1393  ↑ upgrade
    bbf9ff90  2026-08-21 16:40  bot-3   publishing-api        v1690  v1694  ↑ upgrade
    c13a2fc3  2026-08-21 16:39  bot-3   search-api            v947   v948   ↑ upgrade
    --- stderr
    … and 1552 more: --limit 0 shows all
    ");
    assert_snapshot!(pintle.says("diff HEAD~60 HEAD~30").out, @"
    SERVICE                      FROM   TO     MOVE
    collections                  v1248  v1251  ↑ upgrade
    content-block-manager        v865   v867   ↑ upgrade
    email-alert-frontend         v783   v785   ↑ upgrade
    fact-check-manager           v213   v218   ↑ upgrade
    feedback                     v823   v824   ↑ upgrade
    finder-frontend              v956   v958   ↑ upgrade
    frontend                     v1792  v1794  ↑ upgrade
    govuk-chat                   v2038  v2041  ↑ upgrade
    govuk-e2e-tests              v410   v411   ↑ upgrade
    hmrc-manuals-api             v517   v518   ↑ upgrade
    publisher                    v1366  v1367  ↑ upgrade
    release                      v934   v937   ↑ upgrade
    search-api-v2-beta-features  v134   v137   ↑ upgrade
    service-manual-publisher     v756   v758   ↑ upgrade
    short-url-manager            v776   v778   ↑ upgrade
    smart-answers                v1704  v1708  ↑ upgrade
    whitehall                    v3227  v3230  ↑ upgrade

    17 services: 17 upgrades
    ");
}

use insta::assert_snapshot;

use super::{checkout, shop};
use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

#[test]
fn history_shows_each_pin_how_it_came_and_how_long_it_stood() {
    let repo = shop();
    assert_snapshot!(Pintle::in_repo(&repo).says("history checkout"), @r#"
    VERSION  MOVE         COMMIT    AUTHOR  WHEN (UTC)        STOOD     SUBJECT
    1.7.8    ↓ downgrade  7283b08f  Ada     2026-01-02 01:24  … so far  Change services/checkout.yaml
    1.7.9    ↓ return     65670a12  Ada     2026-01-02 01:21  3m        Revert "Change services/checkout.yaml"
      revert of b3b3431b (Change services/checkout.yaml)
      needs payments >=2.0, <3 (was >=2.1, <3)
    1.8.2    ↑ upgrade    b3b3431b  Ada     2026-01-02 01:09  12m       Change services/checkout.yaml
      needs payments >=2.1, <3 (was >=2.0, <3)
    1.7.9    deploy       af63c399  Ada     2026-01-01 00:03  1d 1h     Start
    "#);
}

#[test]
fn history_without_a_service_shows_the_last_moves_of_all() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("history"), @"
    COMMIT    WHEN (UTC)        AUTHOR  SERVICE   FROM   TO     MOVE
    7283b08f  2026-01-02 01:24  Ada     checkout  1.7.9  1.7.8  ↓ downgrade
    65670a12  2026-01-02 01:21  Ada     checkout  1.8.2  1.7.9  ↓ return
      revert of b3b3431b (Change services/checkout.yaml)
    b3b3431b  2026-01-02 01:09  Ada     checkout  1.7.9  1.8.2  ↑ upgrade
    8bf18480  2026-01-01 01:06  Ada     payments  2.0.3  2.1.0  ↑ upgrade
    af63c399  2026-01-01 00:03  Ada     checkout  -      1.7.9  deploy
    af63c399  2026-01-01 00:03  Ada     payments  -      2.0.3  deploy
    ");
    assert_snapshot!(pintle.says("history --limit 2"), @"
    COMMIT    WHEN (UTC)        AUTHOR  SERVICE   FROM   TO     MOVE
    7283b08f  2026-01-02 01:24  Ada     checkout  1.7.9  1.7.8  ↓ downgrade
    65670a12  2026-01-02 01:21  Ada     checkout  1.8.2  1.7.9  ↓ return
      revert of b3b3431b (Change services/checkout.yaml)
    --- stderr
    … and 4 more: --limit 0 shows all
    ");
}

#[test]
fn history_tells_programs_the_same() {
    let repo = shop();
    assert_snapshot!(Pintle::in_repo(&repo).says("history checkout --limit 1 --output json"), @r#"
    {
      "service": "checkout",
      "total": 4,
      "pins": [
        {
          "version": "1.7.8",
          "image": "ghcr.io/acme/checkout:1.7.8",
          "from": "1.7.9",
          "kind": "downgrade",
          "direction": "down",
          "needs": [],
          "commit": {
            "id": "7283b08f514ce1691797f04584254f3c1abe90d0",
            "author": "Ada <ada@example.com>",
            "time": "2026-01-02T01:24:00Z",
            "subject": "Change services/checkout.yaml"
          },
          "until": null
        }
      ]
    }
    --- stderr
    … and 3 more: --limit 0 shows all
    "#);
    assert_snapshot!(Pintle::in_repo(&repo).says("history --limit 1 --output yaml"), @"
    total: 6
    moves:
    - service: checkout
      from: 1.7.9
      to: 1.7.8
      kind: downgrade
      direction: down
      commit:
        id: 7283b08f514ce1691797f04584254f3c1abe90d0
        author: Ada <ada@example.com>
        time: 2026-01-02T01:24:00Z
        subject: Change services/checkout.yaml
    --- stderr
    … and 5 more: --limit 0 shows all
    ");
}

#[test]
fn history_goes_on_through_removal_a_new_name_and_a_new_image() {
    let repo = shop();
    let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    repo.save(
        "services/payments.yaml",
        format!("version: \"2.1.0\"\nimage: ghcr.io/acme/payments\ndigest: {digest}\n"),
    );
    repo.remove("services/checkout.yaml").commit("Remove checkout");
    let renamed = "version: \"1.9.0\"\nimage: ghcr.io/acme/basket\nformerly: checkout\n";
    repo.save("services/basket.yaml", renamed);
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("history payments"), @"
    VERSION  MOVE       COMMIT    AUTHOR  WHEN (UTC)        STOOD     SUBJECT
    2.1.0    image      e90f6f94  Ada     2026-01-02 01:27  … so far  Change services/payments.yaml
      runs as ghcr.io/acme/payments:2.1.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef, was ghcr.io/acme/payments:2.1.0
    2.1.0    ↑ upgrade  8bf18480  Ada     2026-01-01 01:06  1d        Change services/payments.yaml
    2.0.3    deploy     af63c399  Ada     2026-01-01 00:03  1h 3m     Start
    ");
    assert_snapshot!(pintle.says("history basket --limit 3"), @r#"
    VERSION  MOVE         COMMIT    AUTHOR  WHEN (UTC)        STOOD     SUBJECT
    1.9.0    ↑ upgrade    2b3714c7  Ada     2026-01-02 01:33  … so far  Change services/basket.yaml
      no longer needs payments (was >=2.0, <3)
    1.7.8    ↓ downgrade  7283b08f  Ada     2026-01-02 01:24  9m        Change services/checkout.yaml
    1.7.9    ↓ return     65670a12  Ada     2026-01-02 01:21  3m        Revert "Change services/checkout.yaml"
      revert of b3b3431b (Change services/checkout.yaml)
      needs payments >=2.0, <3 (was >=2.1, <3)
    --- stderr
    … and 2 more: --limit 0 shows all
    "#);
    assert_snapshot!(pintle.says("history checkout --limit 2"), @"
    VERSION  MOVE         COMMIT    AUTHOR  WHEN (UTC)        STOOD  SUBJECT
    none     release      2ebc9ec3  Ada     2026-01-02 01:30         Remove checkout
    1.7.8    ↓ downgrade  7283b08f  Ada     2026-01-02 01:24  6m     Change services/checkout.yaml
    --- stderr
    … and 3 more: --limit 0 shows all
    ");
}

#[test]
fn history_shows_what_others_wrote_without_its_tricks() {
    let repo = shop();
    repo.git(&["config", "user.name", "Eve\u{1b}[31m\u{202e}"]);
    repo.pin("payments", "2.2.0", "");
    repo.git(&["add", "--all"]);
    repo.git(&[
        "commit",
        "--quiet",
        "--author",
        "Eve\u{1b}[31m\u{202e}X <e@example.com>",
        "-m",
        "\u{1b}[2Jcleared\u{202e}",
    ]);
    assert_snapshot!(Pintle::in_repo(&repo).says("history payments --limit 1"), @r"
    VERSION  MOVE       COMMIT    AUTHOR                  WHEN (UTC)        STOOD     SUBJECT
    2.2.0    ↑ upgrade  3f5383e2  Eve\u{1b}[31m\u{202e}X  2026-01-02 01:28  … so far  \u{1b}[2Jcleared\u{202e}
    --- stderr
    … and 2 more: --limit 0 shows all
    ");
}

#[test]
fn history_of_nothing_is_told() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    let tries =
        ["history chekout", "history zebra", "history ../x", "history checkout --rev nope", "history --path nowhere"];
    assert_snapshot!(pintle.transcript(&tries), @r#"
    $ pintle history chekout
    --- stderr
    error: there is no service "chekout"
      hint: did you mean `checkout`?
    --- exit 1

    $ pintle history zebra
    --- stderr
    error: there is no service "zebra"
      hint: `pintle graph` shows all services
    --- exit 1

    $ pintle history ../x
    --- stderr
    error: there is no service "../x"
      hint: `pintle graph` shows all services
    --- exit 1

    $ pintle history checkout --rev nope
    --- stderr
    error: REPO has no commit "nope": no branch, tag or commit has this name
      hint: name a branch, a tag or a commit that `git log` shows there
    --- exit 1

    $ pintle history --path nowhere
    COMMIT  WHEN (UTC)  AUTHOR  SERVICE  FROM  TO  MOVE
    --- stderr
    warning: nowhere/pintle.yaml: 0 pins: this revision pins no service (at 7283b08f)
    "#);
    assert_snapshot!(Pintle::in_repo(&TestRepo::new()).says("history"), @"
    --- stderr
    error: REPO has no commit yet
      hint: commit the pins first; until then nothing is changed
    --- exit 1
    ");
}

#[test]
fn history_joins_rollbacks_reapplies_and_reverts_with_what_they_take_back() {
    let repo = shop();
    let bad = repo.pin("payments", "2.2.0", "").commit("Release 48 (#48)");
    repo.pin("payments", "2.1.0", "").commit("Revert \"Release 48\" (#49)\n\nReverts acme/pins#48");
    repo.pin("payments", "2.2.0", "").commit("Revert^2 \"Release 48\"\n\nThis reverts commit ffffffff.");
    repo.write("services/checkout.yaml", checkout("1.9.0", "*")).pin("payments", "2.3.0", "").commit("Release 49");
    let pintle = Pintle::in_repo(&repo);
    for words in ["rollback payments --to 2.1.0 --reason INC-47 --yes", "reapply --reason mended --yes"] {
        assert_eq!(pintle.says(words).code, Some(0));
    }
    // What is committed here has the time of today.
    let is_id = |word: &str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fixed = |line: &str| {
        let row = line.split_once("  Ada  ").map_or_else(|| line.to_owned(), |(_, row)| format!("Ada  {row}"));
        row.split(' ').map(|word| if is_id(word) { "COMMIT" } else { word }).collect::<Vec<_>>().join(" ") + "\n"
    };
    let out = pintle.says("history --limit 9").out;
    assert_snapshot!(out.lines().skip(1).map(fixed).collect::<String>(), @r#"
    Ada     payments  2.1.0  2.3.0  ↑ return
      reapply: takes back COMMIT (Revert pins: payments 2.3.0 -> 2.1.0)
    Ada     payments  2.3.0  2.1.0  ↓ return
      rollback of COMMIT (Release 49) and COMMIT (Revert^2 "Release 48")
    Ada     checkout  1.7.8  1.9.0  ↑ upgrade
    Ada     payments  2.2.0  2.3.0  ↑ upgrade
    Ada     payments  2.1.0  2.2.0  ↑ return
      reapply: takes back COMMIT
    Ada     payments  2.2.0  2.1.0  ↓ return
      revert of COMMIT (Release 48 (#48))
    Ada     payments  2.1.0  2.2.0  ↑ upgrade
    Ada     checkout  1.7.9  1.7.8  ↓ downgrade
    Ada     checkout  1.8.2  1.7.9  ↓ return
      revert of COMMIT (Change services/checkout.yaml)
    "#);
    let json = pintle.run(&["history", "payments", "--limit", "0", "--output", "json"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let undoes: Vec<_> = json["pins"].as_array().unwrap().iter().map(|pin| &pin["undoes"]).collect();
    assert_eq!(undoes[4]["of"][0]["commit"]["id"], bad.to_hex());
    assert_eq!(undoes[3]["of"][0], serde_json::json!({"named": "ffffffff", "commit": null}));
    assert!(undoes[2].is_null() && undoes[0]["act"] == "reapply" && undoes[1]["act"] == "rollback", "{undoes:?}");
}

#[test]
fn a_merge_of_one_rollback_is_one_and_a_merge_of_more_is_not() {
    let repo = shop();
    repo.pin("payments", "2.2.0", "").commit("Release 48");
    let pintle = Pintle::in_repo(&repo);
    let takes_back = || {
        let out = pintle.says("history payments --limit 1").out;
        (out.lines().last().unwrap().to_owned(), pintle.says("reapply payments --yes --reason x").code)
    };
    repo.branch("more");
    let back = "rollback payments --to 2.1.0 --hold none --reason INC-47 --yes --commit-only";
    assert_eq!(pintle.says(back).code, Some(0));
    repo.save("README.md", "and more");
    repo.checkout("main").save("other", "x");
    repo.merge("more");
    assert!(takes_back().0.ends_with("Merge branch 'more'"), "{:?}", takes_back());
    assert_eq!(takes_back().1, Some(1));

    repo.pin("payments", "2.2.0", "").commit("Release 48 again");
    repo.branch("one");
    assert_eq!(pintle.says(back).code, Some(0));
    repo.checkout("main").save("other", "y");
    repo.merge("one");
    let (words, code) = takes_back();
    assert!(words.starts_with("  rollback of") && words.ends_with("(Release 48 again)"), "{words}");
    assert_eq!(code, Some(0));
    assert!(repo.git(&["show", "--format=%s"]).starts_with("Reapply pins: payments 2.1.0 -> 2.2.0"));
}

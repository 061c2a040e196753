use insta::assert_snapshot;

use crate::common::git::{TestRepo, replay};
use crate::common::pintle::Pintle;

/// Two services that move forward, back, and aside.
fn shop() -> TestRepo {
    let repo = TestRepo::with(&[
        ("pintle.yaml", "apiVersion: pintle.dev/v1alpha1\n"),
        ("services/payments.yaml", "version: \"2.0.3\"\nimage: ghcr.io/acme/payments\n"),
        ("services/checkout.yaml", &checkout("1.7.9", ">=2.0, <3")),
    ]);
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
    let told: Vec<String> = tries.iter().map(|words| format!("$ pintle {words}\n{}", pintle.says(words))).collect();
    assert_snapshot!(told.join("\n"), @r#"
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
fn diff_says_which_pins_moved_and_how() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("diff HEAD~3"), @"
    SERVICE   FROM   TO     MOVE
    checkout  1.7.9  1.7.8  ↓ downgrade

    1 service: 1 downgrade
    ");
    assert_snapshot!(pintle.says("diff HEAD~2 HEAD~1"), @"
    SERVICE   FROM   TO     MOVE
    checkout  1.8.2  1.7.9  ↓ return
      needs payments >=2.0, <3 (was >=2.1, <3)

    1 service: 1 return
    ");
    assert_snapshot!(pintle.says("diff HEAD~1..HEAD"), @"
    SERVICE   FROM   TO     MOVE
    checkout  1.7.9  1.7.8  ↓ downgrade

    1 service: 1 downgrade
    ");
    assert_snapshot!(pintle.says("diff HEAD HEAD"), @"Nothing moved.");
}

#[test]
fn diff_shows_other_lines_as_text_and_new_and_gone_files_by_name() {
    let repo = shop();
    repo.pin("search", "0.9.0", "dependsOn: [paying]\n");
    repo.write("pintle.yaml", "apiVersion: pintle.dev/v1alpha1\nsoak: 5m\n");
    repo.remove("services/payments.yaml");
    let moved = checkout("1.8.3", ">=2.1, <3").replace("shop", "store") + "  search: \"*\"\n";
    repo.save("services/checkout.yaml", moved.replace("payments", "paying"));
    let renamed = "version: \"2.1.0\"\nimage: ghcr.io/acme/payments\nformerly: payments\n";
    repo.save("services/paying.yaml", renamed);
    assert_snapshot!(Pintle::in_repo(&repo).says("diff HEAD~2"), @r#"
    SERVICE   FROM   TO     MOVE
    checkout  1.7.8  1.8.3  ↑ upgrade
      needs paying >=2.1, <3 (new)
      no longer needs payments (was >=2.0, <3)
      needs search * (new)
    paying    2.1.0  2.1.0  rename
      was named payments
    search    -      0.9.0  deploy
      needs paying * (new)

    3 services: 1 deploy, 1 rename, 1 upgrade

    pintle.yaml
    @@ -1 +1,2 @@
     apiVersion: pintle.dev/v1alpha1
    +soak: 5m

    services/checkout.yaml
    @@ -1,5 +1,6 @@
    -version: "1.7.8"
    +version: "1.8.3"
     image: ghcr.io/acme/checkout
    -namespace: shop
    +namespace: store
     dependsOn:
    -  payments: ">=2.0, <3"
    +  paying: ">=2.1, <3"
    +  search: "*"

    services/paying.yaml added, 3 lines
    services/payments.yaml removed, 2 lines
    services/search.yaml added, 3 lines
    "#);
    assert_snapshot!(Pintle::in_repo(&repo).says("diff HEAD~2 -o json"), @r#"
    {
      "from": {
        "id": "7283b08f514ce1691797f04584254f3c1abe90d0",
        "author": "Ada <ada@example.com>",
        "time": "2026-01-02T01:24:00Z",
        "subject": "Change services/checkout.yaml"
      },
      "to": {
        "id": "5ac3f3e921ea4663316ae0d95dbb7b4890fe5a12",
        "author": "Ada <ada@example.com>",
        "time": "2026-01-02T01:30:00Z",
        "subject": "Change services/paying.yaml"
      },
      "moved": [
        {
          "service": "checkout",
          "kind": "upgrade",
          "direction": "up",
          "from": {
            "version": "1.7.8",
            "image": "ghcr.io/acme/checkout:1.7.8"
          },
          "to": {
            "version": "1.8.3",
            "image": "ghcr.io/acme/checkout:1.8.3"
          },
          "needs": [
            {
              "provider": "paying",
              "from": null,
              "to": ">=2.1, <3"
            },
            {
              "provider": "payments",
              "from": ">=2.0, <3",
              "to": null
            },
            {
              "provider": "search",
              "from": null,
              "to": "*"
            }
          ]
        },
        {
          "service": "paying",
          "renamedFrom": "payments",
          "kind": "rename",
          "direction": null,
          "from": {
            "version": "2.1.0",
            "image": "ghcr.io/acme/payments:2.1.0"
          },
          "to": {
            "version": "2.1.0",
            "image": "ghcr.io/acme/payments:2.1.0"
          },
          "needs": []
        },
        {
          "service": "search",
          "kind": "deploy",
          "direction": null,
          "from": null,
          "to": {
            "version": "0.9.0",
            "image": "ghcr.io/acme/search:0.9.0"
          },
          "needs": [
            {
              "provider": "paying",
              "from": null,
              "to": "*"
            }
          ]
        }
      ],
      "unreadable": [],
      "files": [
        {
          "path": "pintle.yaml",
          "status": "changed",
          "lines": 2,
          "hunks": [
            {
              "header": "@@ -1 +1,2 @@",
              "lines": [
                " apiVersion: pintle.dev/v1alpha1",
                "+soak: 5m"
              ]
            }
          ]
        },
        {
          "path": "services/checkout.yaml",
          "status": "changed",
          "lines": 6,
          "hunks": [
            {
              "header": "@@ -1,5 +1,6 @@",
              "lines": [
                "-version: \"1.7.8\"",
                "+version: \"1.8.3\"",
                " image: ghcr.io/acme/checkout",
                "-namespace: shop",
                "+namespace: store",
                " dependsOn:",
                "-  payments: \">=2.0, <3\"",
                "+  paying: \">=2.1, <3\"",
                "+  search: \"*\""
              ]
            }
          ]
        },
        {
          "path": "services/paying.yaml",
          "status": "added",
          "lines": 3,
          "hunks": []
        },
        {
          "path": "services/payments.yaml",
          "status": "removed",
          "lines": 2,
          "hunks": []
        },
        {
          "path": "services/search.yaml",
          "status": "added",
          "lines": 3,
          "hunks": []
        }
      ]
    }
    "#);
}

#[test]
fn diff_leaves_out_what_cannot_be_read_and_says_so() {
    let repo = shop();
    repo.save("services/payments.yaml", "version: 2.2\nimage: ghcr.io/acme/payments\n");
    assert_snapshot!(Pintle::in_repo(&repo).says("diff HEAD~1"), @r#"
    payments has errors in one of the revisions: how it moved is not known

    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.1.0"
    +version: 2.2
     image: ghcr.io/acme/payments
    "#);
}

#[test]
fn diff_of_what_is_no_pair_of_revisions_is_refused() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    let tries =
        ["diff", "diff HEAD~1..HEAD~2 HEAD", "diff ..HEAD", "diff HEAD~1...HEAD", "diff HEAD nope", "diff a b c"];
    let told: Vec<String> = tries.iter().map(|words| format!("$ pintle {words}\n{}", pintle.says(words))).collect();
    assert_snapshot!(told.join("\n"), @r#"
    $ pintle diff
    --- stderr
    error: the following required arguments were not provided:
      <REV>...

    Usage: pintle diff <REV>...

    For more information, try '--help'.
    --- exit 64

    $ pintle diff HEAD~1..HEAD~2 HEAD
    --- stderr
    error: a range and a revision are three revisions
      hint: write `pintle diff A B`, `pintle diff A..B`, or `pintle diff A` for the tip of the branch
    --- exit 64

    $ pintle diff ..HEAD
    --- stderr
    error: "..HEAD" does not name two revisions
      hint: write `pintle diff A B`, `pintle diff A..B`, or `pintle diff A` for the tip of the branch
    --- exit 64

    $ pintle diff HEAD~1...HEAD
    --- stderr
    error: "HEAD~1...HEAD" does not name two revisions
      hint: write `pintle diff A B`, `pintle diff A..B`, or `pintle diff A` for the tip of the branch
    --- exit 64

    $ pintle diff HEAD nope
    --- stderr
    error: REPO has no commit "nope": no branch, tag or commit has this name
      hint: name a branch, a tag or a commit that `git log` shows there
    --- exit 1

    $ pintle diff a b c
    --- stderr
    error: unexpected value 'c' for '<REV>...' found; no more were expected

    Usage: pintle diff [OPTIONS] <REV>...

    For more information, try '--help'.
    --- exit 64
    "#);
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
    repo.save("pintle.yaml", format!("apiVersion: pintle.dev/v1alpha1\npins:\n- {pins}\n"));
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

use insta::assert_snapshot;

use super::{checkout, shop};
use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

#[test]
fn history_shows_each_pin_how_it_came_and_how_long_it_stood() {
    let repo = shop();
    assert_snapshot!(Pintle::in_repo(&repo).outline("history checkout"), @r#"
    service=checkout
    pins kind=downgrade direction=down from=1.7.9 version=1.7.8 commit=(Change services/checkout.yaml)
    pins kind=return direction=down from=1.8.2 version=1.7.9 commit=(Revert "Change services/checkout.yaml") until=(Change services/checkout.yaml)
      needs provider=payments from=>=2.1, <3 to=>=2.0, <3
      undoes act=revert
        of named=b3b3431b0255ca670272a781c7b7fda95ee45279 commit=(Change services/checkout.yaml)
    pins kind=upgrade direction=up from=1.7.9 version=1.8.2 commit=(Change services/checkout.yaml) until=(Revert "Change services/checkout.yaml")
      needs provider=payments from=>=2.0, <3 to=>=2.1, <3
    pins kind=deploy version=1.7.9 commit=(Start) until=(Change services/checkout.yaml)
    "#);
}

#[test]
fn history_without_a_service_shows_the_last_moves_of_all() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("history"), @r#"
    moves service=checkout kind=downgrade direction=down from=1.7.9 to=1.7.8 commit=(Change services/checkout.yaml)
    moves service=checkout kind=return direction=down from=1.8.2 to=1.7.9 commit=(Revert "Change services/checkout.yaml")
      undoes act=revert
        of named=b3b3431b0255ca670272a781c7b7fda95ee45279 commit=(Change services/checkout.yaml)
    moves service=checkout kind=upgrade direction=up from=1.7.9 to=1.8.2 commit=(Change services/checkout.yaml)
    moves service=payments kind=upgrade direction=up from=2.0.3 to=2.1.0 commit=(Change services/payments.yaml)
    moves service=checkout kind=deploy to=1.7.9 commit=(Start)
    moves service=payments kind=deploy to=2.0.3 commit=(Start)
    "#);
    assert_snapshot!(pintle.outline("history --limit 2"), @r#"
    moves service=checkout kind=downgrade direction=down from=1.7.9 to=1.7.8 commit=(Change services/checkout.yaml)
    moves service=checkout kind=return direction=down from=1.8.2 to=1.7.9 commit=(Revert "Change services/checkout.yaml")
      undoes act=revert
        of named=b3b3431b0255ca670272a781c7b7fda95ee45279 commit=(Change services/checkout.yaml)
    "#);
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
    assert_snapshot!(pintle.outline("history payments"), @"
    service=payments
    pins kind=image from=2.1.0 version=2.1.0 image=ghcr.io/acme/payments:2.1.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef commit=(Change services/payments.yaml)
    pins kind=upgrade direction=up from=2.0.3 version=2.1.0 commit=(Change services/payments.yaml) until=(Change services/payments.yaml)
    pins kind=deploy version=2.0.3 commit=(Start) until=(Change services/payments.yaml)
    ");
    assert_snapshot!(pintle.outline("history basket --limit 3"), @r#"
    service=basket
    pins kind=upgrade direction=up from=1.7.8 version=1.9.0 commit=(Change services/basket.yaml)
      needs provider=payments from=>=2.0, <3
    pins kind=downgrade direction=down from=1.7.9 version=1.7.8 commit=(Change services/checkout.yaml) until=(Change services/basket.yaml)
    pins kind=return direction=down from=1.8.2 version=1.7.9 commit=(Revert "Change services/checkout.yaml") until=(Change services/checkout.yaml)
      needs provider=payments from=>=2.1, <3 to=>=2.0, <3
      undoes act=revert
        of named=b3b3431b0255ca670272a781c7b7fda95ee45279 commit=(Change services/checkout.yaml)
    "#);
    assert_snapshot!(pintle.outline("history checkout --limit 2"), @"
    service=checkout
    pins kind=release from=1.7.8 commit=(Remove checkout)
    pins kind=downgrade direction=down from=1.7.9 version=1.7.8 commit=(Change services/checkout.yaml) until=(Remove checkout)
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
    assert_snapshot!(pintle.outlines(&tries), @"
    $ pintle history chekout
    error
    hint checkout
    exit 1
    $ pintle history zebra
    error
    hint pintle graph
    exit 1
    $ pintle history ../x
    error /x
    hint pintle graph
    exit 1
    $ pintle history checkout --rev nope
    error
    hint git log
    exit 1
    $ pintle history --path nowhere
    warning 0 | nowhere/pintle.yaml | 7283b08f
    ");
    assert_snapshot!(Pintle::in_repo(&TestRepo::new()).outline("history"), @"
    error
    hint
    exit 1
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
    let id = repo.git(&["rev-parse", "HEAD~1"]);
    assert_snapshot!(pintle.outline("history --limit 9").replace(&id, "ROLLBACK"), @r#"
    moves service=payments kind=return direction=up from=2.1.0 to=2.3.0 commit=(Reapply pins: payments 2.1.0 -> 2.3.0)
      undoes act=reapply
        of named=ROLLBACK commit=(Revert pins: payments 2.3.0 -> 2.1.0)
    moves service=payments kind=return direction=down from=2.3.0 to=2.1.0 commit=(Revert pins: payments 2.3.0 -> 2.1.0)
      undoes act=rollback
        of named=7f794d1e0a6300c3f0867f1c5a98cd3ff8c1809b commit=(Release 49)
        of named=c581578c9fcd8f99920e91ec8bd9f1dddc51270b commit=(Revert^2 "Release 48")
    moves service=checkout kind=upgrade direction=up from=1.7.8 to=1.9.0 commit=(Release 49)
    moves service=payments kind=upgrade direction=up from=2.2.0 to=2.3.0 commit=(Release 49)
    moves service=payments kind=return direction=up from=2.1.0 to=2.2.0 commit=(Revert^2 "Release 48")
      undoes act=reapply
        of named=ffffffff
    moves service=payments kind=return direction=down from=2.2.0 to=2.1.0 commit=(Revert "Release 48" (#49))
      undoes act=revert
        of named=#48 commit=(Release 48 (#48))
    moves service=payments kind=upgrade direction=up from=2.1.0 to=2.2.0 commit=(Release 48 (#48))
    moves service=checkout kind=downgrade direction=down from=1.7.9 to=1.7.8 commit=(Change services/checkout.yaml)
    moves service=checkout kind=return direction=down from=1.8.2 to=1.7.9 commit=(Revert "Change services/checkout.yaml")
      undoes act=revert
        of named=b3b3431b0255ca670272a781c7b7fda95ee45279 commit=(Change services/checkout.yaml)
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
        let newest = pintle.json("history payments --limit 1")["pins"][0].take();
        (newest, pintle.says("reapply payments --yes --reason x").code)
    };
    repo.branch("more");
    let back = "rollback payments --to 2.1.0 --hold none --reason INC-47 --yes --commit-only";
    assert_eq!(pintle.says(back).code, Some(0));
    repo.save("README.md", "and more");
    repo.checkout("main").save("other", "x");
    repo.merge("more");
    let (newest, code) = takes_back();
    assert!(newest["undoes"].is_null(), "{newest:#}");
    assert_eq!(code, Some(1));

    repo.pin("payments", "2.2.0", "").commit("Release 48 again");
    repo.branch("one");
    assert_eq!(pintle.says(back).code, Some(0));
    repo.checkout("main").save("other", "y");
    repo.merge("one");
    let (newest, code) = takes_back();
    let undoes = &newest["undoes"];
    assert_eq!(undoes["act"], "rollback");
    assert_eq!(undoes["of"][0]["commit"]["subject"], "Release 48 again");
    assert_eq!(code, Some(0));
    assert!(repo.git(&["show", "--format=%s"]).starts_with("Reapply pins: payments 2.1.0 -> 2.2.0"));
}

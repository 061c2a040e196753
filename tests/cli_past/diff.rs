use insta::assert_snapshot;

use super::{checkout, shop};
use crate::common::pintle::Pintle;

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
    assert_snapshot!(pintle.transcript(&tries), @r#"
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

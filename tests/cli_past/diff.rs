use insta::assert_snapshot;

use super::{checkout, shop};
use crate::common::pintle::Pintle;

#[test]
fn diff_says_which_pins_moved_and_how() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("diff HEAD~3"), @"
    from=(Change services/payments.yaml) to=(Change services/checkout.yaml)
    moved service=checkout kind=downgrade direction=down from=1.7.9 to=1.7.8
    ");
    assert_snapshot!(pintle.outline("diff HEAD~2 HEAD~1"), @r#"
    from=(Change services/checkout.yaml) to=(Revert "Change services/checkout.yaml")
    moved service=checkout kind=return direction=down from=1.8.2 to=1.7.9
      needs provider=payments from=>=2.1, <3 to=>=2.0, <3
    "#);
    assert_snapshot!(pintle.outline("diff HEAD~1..HEAD"), @r#"
    from=(Revert "Change services/checkout.yaml") to=(Change services/checkout.yaml)
    moved service=checkout kind=downgrade direction=down from=1.7.9 to=1.7.8
    "#);
    assert_snapshot!(pintle.outline("diff HEAD HEAD"), @"from=(Change services/checkout.yaml) to=(Change services/checkout.yaml)");
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
    assert_snapshot!(Pintle::in_repo(&repo).outline("diff HEAD~2"), @r#"
    from=(Change services/checkout.yaml) to=(Change services/paying.yaml)
    moved service=checkout kind=upgrade direction=up from=1.7.8 to=1.8.3
      needs provider=paying to=>=2.1, <3
      needs provider=payments from=>=2.0, <3
      needs provider=search to=*
    moved service=paying renamedFrom=payments kind=rename from=2.1.0 to=2.1.0
    moved service=search kind=deploy to=0.9.0
      needs provider=paying to=*
    files path=pintle.yaml status=changed
      hunks
        lines  apiVersion: pintle.dev/v1alpha1
        lines +soak: 5m
    files path=services/checkout.yaml status=changed
      hunks
        lines -version: "1.7.8"
        lines +version: "1.8.3"
        lines  image: ghcr.io/acme/checkout
        lines -namespace: shop
        lines +namespace: store
        lines  dependsOn:
        lines -  payments: ">=2.0, <3"
        lines +  paying: ">=2.1, <3"
        lines +  search: "*"
    files path=services/paying.yaml status=added
    files path=services/payments.yaml status=removed
    files path=services/search.yaml status=added
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
    assert_snapshot!(Pintle::in_repo(&repo).outline("diff HEAD~1"), @r#"
    from=(Change services/checkout.yaml) to=(Change services/payments.yaml)
    unreadable payments
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.1.0"
        lines +version: 2.2
        lines  image: ghcr.io/acme/payments
    "#);
}

#[test]
fn diff_of_what_is_no_pair_of_revisions_is_refused() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    let tries =
        ["diff", "diff HEAD~1..HEAD~2 HEAD", "diff ..HEAD", "diff HEAD~1...HEAD", "diff HEAD nope", "diff a b c"];
    assert_snapshot!(pintle.outlines(&tries), @"
    $ pintle diff
    error
    exit 64
    $ pintle diff HEAD~1..HEAD~2 HEAD
    error
    hint pintle diff A | pintle diff A B | pintle diff A..B
    exit 64
    $ pintle diff ..HEAD
    error
    hint pintle diff A | pintle diff A B | pintle diff A..B
    exit 64
    $ pintle diff HEAD~1...HEAD
    error HEAD~1...HEAD
    hint pintle diff A | pintle diff A B | pintle diff A..B
    exit 64
    $ pintle diff HEAD nope
    error
    hint git log
    exit 1
    $ pintle diff a b c
    error
    exit 64
    ");
}

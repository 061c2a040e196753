//! Pinning a version in its place, and holds.

use insta::assert_snapshot;

use super::{Repo, hold, pin};
use crate::edit::Edit;

#[test]
fn only_the_version_changes() {
    for (before, after) in [
        ("version: \"1.8.2\"\nimage: a/b\n", "version: \"1.8.3\"\nimage: a/b\n"),
        ("version: 1.8.2 # c\nimage: a/b", "version: 1.8.3 # c\nimage: a/b"),
        ("\u{feff}# c\r\nversion: '1.8.2'\r\nimage: a/b\r\n", "\u{feff}# c\r\nversion: '1.8.3'\r\nimage: a/b\r\n"),
        ("{image: a/b, \"version\": \"1.8.2\"}", "{image: a/b, \"version\": \"1.8.3\"}"),
        ("---\nversion: &v 1.8.2\nimage: a/b\n...\n", "---\nversion: &v 1.8.3\nimage: a/b\n...\n"),
        ("version:\n  1.8.2\nimage: a/b\n", "version:\n  1.8.3\nimage: a/b\n"),
        ("image: a/b\nversion: !!str 1.8.2\n\n\n", "image: a/b\nversion: !!str 1.8.3\n\n\n"),
        ("? version\n: 1.8.2\nimage: a/b\n", "? version\n: 1.8.3\nimage: a/b\n"),
        ("  version: 1.8.2\n  image: a/b\n", "  version: 1.8.3\n  image: a/b\n"),
    ] {
        assert_eq!(Repo::checkout(before).after("checkout", pin("1.8.3")), after);
    }
}

#[test]
fn a_version_that_others_read_as_a_number_is_quoted() {
    let repo = Repo::checkout("version: 1.8.2\nimage: a/b\n");
    assert_eq!(repo.after("checkout", pin("1.10")), "version: \"1.10\"\nimage: a/b\n");
}

#[test]
fn what_is_so_already_is_not_edited() {
    let repo = Repo::checkout("version: 1.8.2\nimage: a/b\n");
    assert_eq!(repo.edit("checkout", pin("1.8.2")), Ok(Vec::new()));
    assert_eq!(repo.edit("checkout", Edit::Release), Ok(Vec::new()));
}

#[test]
fn what_cannot_be_edited_where_it_stands_is_refused_by_name() {
    let refused = |text: &str, edit| Repo::checkout(text).edit("checkout", edit).unwrap_err();
    assert_snapshot!(refused("formerly: &v old\nversion: *v\nimage: a/b\n", pin("2")), @"
    services/checkout.yaml:2:10: the value is the alias `*v`: what it names may stand for other things too
      write the value itself here
    ");
    assert_snapshot!(refused("version: \"1.8\\\n  .2\"\nimage: a/b\n", pin("2")), @"
    services/checkout.yaml:1:10: the value is written in several lines
      write it in one line
    ");
    assert_snapshot!(refused("image: a/b\nversion: >-\n  1.8.2\n", pin("2")), @"
    services/checkout.yaml:3:3: the value is written in several lines
      write it in one line
    ");
    assert_snapshot!(refused("version: 1.10\nimage: a/b\n", pin("2")), @r#"
    services/checkout.yaml: `checkout` cannot be edited as it is: services/checkout.yaml:1:10: `1.10` is a number to YAML, not text
      {"code":"showProblems"}
    "#);
    assert_snapshot!(refused("version: 1.8.2\nimage: a/b\n", pin("a/b")), @"services/checkout.yaml:1:10: a/b makes no image: `a/b` is not a tag: up to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`, not first `.` or `-`");
    let digest = format!("version: 1.8.2\nimage: a/b\ndigest: sha256:{}\n", "a".repeat(64));
    assert_snapshot!(refused(&digest, pin("1.8.3")), @"
    services/checkout.yaml:1:10: `checkout` is pinned by the digest of 1.8.2
      say the digest of the new version too, as in 2.1.0@sha256:…
    ");
    assert_snapshot!(Repo::checkout("version: 1.8.2\nimage: a/b\n").after("chekout", pin("2")), @r#"
    services/chekout.yaml: there is no service `chekout`
      {"code":"showProblems"}
    "#);
}

#[test]
fn versions_are_edited_in_the_files_of_other_tools() {
    let settings = "apiVersion: pintle.dev/v1alpha1\npins:\n\
        - {files: \"apps/{service}/kustomization.yaml\", key: \"images[name=acme/{service}].newTag\"}\n\
        - {files: \"{service}-values.yaml\", key: image.tag}\n\
        - {files: compose.yaml, key: \"services.{service}.image\", as: image}\n";
    let kustomize =
        "images:\n- name: acme/web\n  newTag: v1 # {\"$imagepolicy\": \"flux:web\"}\n- name: acme/db\n  newTag: v1\n";
    let helm = "image: {repository: acme/api, tag: 20260101120000}\nreplicas: 2\n";
    let compose = "x-base: &base {restart: always}\nservices:\n  a: {<<: *base, image: \"r:5000/a:1@sha256:DIGEST\"}\n  b:\n    image: acme/b:1\n";
    let compose = compose.replace("DIGEST", &"a".repeat(64));
    let repo = Repo::of(&[
        ("pintle.yaml", settings),
        ("apps/web/kustomization.yaml", kustomize),
        ("api-values.yaml", helm),
        ("compose.yaml", &compose),
    ]);
    let digest = Some(format!("sha256:{}", "b".repeat(64)).parse().unwrap());
    let pinned = Edit::Pin { version: "2".parse().unwrap(), digest, needs: Vec::new() };
    let all = [
        repo.after("web", pin("v2")),
        repo.after("api", pin("v2")),
        repo.after("b", pin("2")),
        repo.after("a", pinned),
    ];
    assert_snapshot!(all.join("---\n"), @r#"
    images:
    - name: acme/web
      newTag: v2 # {"$imagepolicy": "flux:web"}
    - name: acme/db
      newTag: v1
    ---
    image: {repository: acme/api, tag: v2}
    replicas: 2
    ---
    x-base: &base {restart: always}
    services:
      a: {<<: *base, image: "r:5000/a:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
      b:
        image: acme/b:2
    ---
    x-base: &base {restart: always}
    services:
      a: {<<: *base, image: "r:5000/a:2@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}
      b:
        image: acme/b:1
    "#);
    assert_snapshot!(repo.after("a", pin("2")), @"
    compose.yaml:3:25: `a` is pinned by the digest of 1
      say the digest of the new version too, as in 2.1.0@sha256:…
    ");
}

#[test]
fn an_anchor_that_others_refer_to_is_refused() {
    let settings =
        "apiVersion: pintle.dev/v1alpha1\npins: [{files: v.yaml, key: \"{service}.tag\", image: \"acme/{service}\"}]\n";
    let repo =
        Repo::of(&[("pintle.yaml", settings), ("v.yaml", "web: {tag: &t \"1\"}\napi: {tag: *t}\ndb: {tag: \"1\"}\n")]);
    assert_snapshot!(repo.after("web", pin("2")), @r#"
    v.yaml: this edit was not made: the version of `api` would change too
      {"code":"editByHand"}
    "#);
    assert_snapshot!(repo.after("api", pin("2")), @"
    v.yaml:2:12: the value is the alias `*t`: what it names may stand for other things too
      write the value itself here
    ");
    assert_snapshot!(repo.after("db", pin("2")), @r#"
    web: {tag: &t "1"}
    api: {tag: *t}
    db: {tag: "2"}
    "#);
}

#[test]
fn a_hold_is_one_line_that_comes_and_goes() {
    for before in [
        "version: 1.8.2\nimage: a/b\n",
        "version: 1.8.2\nimage: a/b",
        "\u{feff}image: a/b\r\nversion: 1.8.2\r\n# the end\r\n",
        "{version: 1.8.2, image: a/b}\n",
        "{version: 1.8.2, image: a/b,\n}\n",
        "  image: a/b\n  dependsOn:\n  - payments # c\n  # more\n  version: 1.8.2\n",
        "version: 1.8.2\nimage: a/b\nlocal:\n  run: [a]\n  health:\n    command:\n    - b\n\n# end",
    ] {
        let held = Repo::checkout(before).after("checkout", hold("1.7.9"));
        assert_ne!(held, before);
        assert_eq!(Repo::checkout(&held).after("checkout", Edit::Release), before);
        let other = Repo::checkout(&held).after("checkout", hold("1.7.8"));
        assert_eq!(other, held.replace("1.7.9", "1.7.8"));
    }
    let repo = Repo::checkout("version: 1.8.2\nimage: a/b\nlocal:\n  run: [a]\n  # deeper\n# end\n");
    assert_snapshot!(repo.after("checkout", hold("1.7.9")), @r#"
    version: 1.8.2
    image: a/b
    local:
      run: [a]
      # deeper
    hold: {above: "1.7.9", reason: "it says \"no\"\nand: # not", by: "Ada", until: 2026-12-01T00:00:00Z}
    # end
    "#);
}

#[test]
fn a_block_of_a_hold_goes_with_its_comments() {
    let before = "version: 1.8.2\n# why\nhold:\n  above: \"1.7.9\"  # c\n  # d\n  reason: |\n    a\n    b\n  # e\n\n# f\nimage: a/b\n";
    let repo = Repo::checkout(before);
    assert_eq!(repo.after("checkout", Edit::Release), "version: 1.8.2\n# why\n\n# f\nimage: a/b\n");
    let first = Repo::checkout("hold: {above: \"1\"}\nversion: 1.8.2\nimage: a/b\n");
    assert_eq!(first.after("checkout", Edit::Release), "version: 1.8.2\nimage: a/b\n");
}

#[test]
fn a_hold_of_a_service_without_a_file_makes_one() {
    let settings =
        "apiVersion: pintle.dev/v1alpha1\npins: [{files: v.yaml, key: \"{service}.tag\", image: \"acme/{service}\"}]\n";
    let files = [("pintle.yaml", settings), ("v.yaml", "web: {tag: \"1\"}\n")];
    let repo = Repo::of(&files);
    let [(path, Some(text))] = &repo.edit("web", hold("1")).unwrap()[..] else { panic!("one file") };
    assert_eq!(path, "services/web.yaml");
    let held = Repo::of(&[files[0], files[1], (path, text)]);
    assert_eq!(held.edit("web", Edit::Release), Ok(vec![(path.clone(), None)]));
}

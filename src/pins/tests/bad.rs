//! What is refused, and in which words.

use insta::assert_snapshot;

use super::*;

/// The problems of a service file that consists of a good one and these lines.
fn web(lines: &str) -> String {
    Revision::new().with("services/web.yaml", format!("{SERVICE}{lines}\n")).problems()
}

/// The problems of a service file of these lines alone.
fn only(lines: &str) -> String {
    Revision::new().with("services/web.yaml", lines).problems()
}

/// The problems of a service file with this version.
fn version(text: &str) -> String {
    only(&format!("version: {text}\nimage: acme/web\n"))
}

/// The problems of a service file with this image.
fn image(text: &str) -> String {
    only(&format!("version: 1.8.2\nimage: {text}\n"))
}

/// The problems of `pintle.yaml`.
fn settings(lines: &str) -> String {
    Revision::new().with_settings(lines).problems()
}

/// The problems of a compose file.
fn compose(text: &str) -> Revision {
    Revision::empty()
        .with_settings("pins: [{files: compose.yaml, key: 'services.{service}.image', as: image}]\n")
        .with("compose.yaml", text)
}

/// The problems of Helm values.
fn values(text: &str) -> Revision {
    Revision::empty()
        .with_settings("pins: [{files: 'apps/{service}.yaml', key: image.tag, image: 'acme/{service}'}]\n")
        .with("apps/web.yaml", text)
}

#[test]
fn row_1_an_empty_repository_is_no_wish() {
    let gone = Revision::empty().with_settings("");
    assert_snapshot!(gone.problems(), @"
    error: 0 pins: this revision pins no service
    --> pintle.yaml
     = help: pin one in services/NAME.yaml; if none is meant, write `allowEmpty: true` into pintle.yaml
    ");
    assert_snapshot!(gone.pins(), @"all held: pintle.yaml: 0 pins: this revision pins no service");
    assert_snapshot!(only(""), @"
    error: this file is empty
    --> services/web.yaml
    ");
    assert_snapshot!(only("# nothing\n"), @"
    error: this file is empty
    --> services/web.yaml
    ");
    assert_snapshot!(Revision::new().with("pintle.yaml", "").problems(), @"
    error: this file is empty
    --> pintle.yaml
    ");
}

#[test]
fn row_2_broken_syntax_holds_the_services_of_the_file() {
    let broken = Revision::new().with("services/db.yaml", "version: \"1.8\nimage: x\n");
    assert_snapshot!(broken.problems(), @r#"
    error: this cannot be read: unclosed quote
     --> services/db.yaml:1:10
      |
    1 | version: "1.8
      |          ^
    "#);
    assert_snapshot!(broken.pins(), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml:1:10: this cannot be read: unclosed quote
    ");
    assert_snapshot!(only("version: 1.8.2\n\timage: x\n"), @"
    error: this cannot be read: while scanning a plain scalar, found a tab
     --> services/web.yaml:1:10
      |
    1 | version: 1.8.2
      |          ^
      |
      = help: indent with spaces, not with tabs
    ");
    assert_snapshot!(only("version: [1\n"), @"
    error: this cannot be read: unclosed bracket '['
     --> services/web.yaml:1:10
      |
    1 | version: [1
      |          ^
    ");
    assert_snapshot!(only("version: 1.8.2: x\n"), @"
    error: this cannot be read: mapping values are not allowed in this context
     --> services/web.yaml:1:15
      |
    1 | version: 1.8.2: x
      |               ^
    ");
}

#[test]
fn row_2_a_broken_file_that_may_pin_any_service_holds_all() {
    let broken = compose("services:\n  web: {image: \"acme/web:1\n").with("services/db.yaml", SERVICE);
    assert_snapshot!(broken.pins(), @"
    db 1.8.2 ghcr.io/acme/web:1.8.2
    all held: compose.yaml:2:16: this cannot be read: unclosed quote
    ");
    let broken = values("image: [").with("services/db.yaml", SERVICE);
    assert_snapshot!(broken.pins(), @"
    db 1.8.2 ghcr.io/acme/web:1.8.2
    web held: apps/web.yaml:1:8: this cannot be read: unclosed bracket '['
    ");
}

#[test]
fn row_3_a_service_is_pinned_once() {
    assert_snapshot!(only("version: 1.8.2\nimage: acme/web\nversion: 1.8.3\n"), @"
    error: `version` stands twice in a service file
     --> services/web.yaml:3:1
      |
    3 | version: 1.8.3
      | ^^^^^^^
      |
     ::: services/web.yaml:1:1
      |
    1 | version: 1.8.2
      | ------- first here
      |
      = help: remove one of them
    ");
    assert_snapshot!(compose("services:\n  web: {image: 'a/w:1'}\n  web: {image: 'a/w:2'}\n").problems(), @"
    error: `web` is pinned twice
     --> compose.yaml:3:16
      |
    3 |   web: {image: 'a/w:2'}
      |                ^^^^^^^
      |
     ::: compose.yaml:2:16
      |
    2 |   web: {image: 'a/w:1'}
      |                ------- first pinned here
      |
      = help: keep one of them
    ");
    assert_snapshot!(values("image:\n  tag: v1\n  tag: v2\n").problems(), @"
    error: `image.tag` stands twice for `web`
     --> apps/web.yaml:3:3
      |
    3 |   tag: v2
      |   ^^^
      |
     ::: apps/web.yaml:2:3
      |
    2 |   tag: v1
      |   --- first here
      |
      = help: remove one of them
    ");
    let both = compose("services: {web: {image: 'acme/web:1'}}\n")
        .with("services/web.yaml", "version: 1.8.2\nimage: acme/web\n");
    assert_snapshot!(both.problems(), @"
    error: `web` is pinned twice
     --> compose.yaml:1:25
      |
    1 | services: {web: {image: 'acme/web:1'}}
      |                         ^^^^^^^^^^^^
      |
     ::: services/web.yaml:1:10
      |
    1 | version: 1.8.2
      |          ----- first pinned here
      |
      = help: keep one of them
    ");
    assert_snapshot!(both.pins(), @"web held: compose.yaml:1:25: `web` is pinned twice");
    assert_snapshot!(web("pin: {file: x.yaml, key: a}"), @r#"
    error: this service is pinned twice
     --> services/web.yaml:3:1
      |
    3 | pin: {file: x.yaml, key: a}
      | ^^^
      |
     ::: services/web.yaml:1:1
      |
    1 | version: "1.8.2"
      | ------- first pinned here
      |
      = help: keep one of `version` and `pin`
    "#);
    assert_snapshot!(values("image: {tag: v1}\n---\nimage: {tag: v2}\n").problems(), @"
    error: `web` is pinned twice
     --> apps/web.yaml:3:14
      |
    3 | image: {tag: v2}
      |              ^^
      |
     ::: apps/web.yaml:1:14
      |
    1 | image: {tag: v1}
      |              -- first pinned here
      |
      = help: keep one of them
    ");
}

#[test]
fn row_4_unknown_keys_are_told_with_what_is_meant() {
    assert_snapshot!(only("verison: 1.8.2\nimage: acme/web\n"), @"
    error: `verison` is not a key of a service file
     --> services/web.yaml:1:1
      |
    1 | verison: 1.8.2
      | ^^^^^^^
      |
      = help: did you mean `version`?
    ");
    assert_snapshot!(web("replicas: 3"), @"
    error: `replicas` is not a key of a service file
     --> services/web.yaml:3:1
      |
    3 | replicas: 3
      | ^^^^^^^^
      |
      = help: the keys are version, image, tag, digest, pin, dependsOn, workloads, containers, namespace, versioning, verify, hold, rollbackFloor, drift, external, formerly, local
    ");
    assert_snapshot!(web("also: [x]"), @"
    error: `also` is not read by this version of Pintle
     --> services/web.yaml:3:1
      |
    3 | also: [x]
      | ^^^^
      |
      = help: change the places that move with the pin in the same commit for now
    ");
    assert_snapshot!(web("verify: {checks: [], timeuot: 5m}"), @"
    error: `checks` is not read by this version of Pintle
     --> services/web.yaml:3:10
      |
    3 | verify: {checks: [], timeuot: 5m}
      |          ^^^^^^
      |
      = help: services are verified by the health of their workloads for now

    error: `timeuot` is not a key of `verify`
     --> services/web.yaml:3:22
      |
    3 | verify: {checks: [], timeuot: 5m}
      |                      ^^^^^^^
      |
      = help: did you mean `timeout`?
    ");
    assert_snapshot!(settings("writes: git\nextends: x\nsaok: 5m\n"), @"
    error: `writes: git` is not read by this version of Pintle
     --> pintle.yaml:2:9
      |
    2 | writes: git
      |         ^^^
      |
      = help: use `writes: image`, and let Pintle own the image fields

    error: `extends` is not read by this version of Pintle
     --> pintle.yaml:3:1
      |
    3 | extends: x
      | ^^^^^^^
      |
      = help: keep all settings in this file for now

    error: `saok` is not a key of pintle.yaml
     --> pintle.yaml:4:1
      |
    4 | saok: 5m
      | ^^^^
      |
      = help: did you mean `soak`?
    ");
    assert_snapshot!(web("? [a]\n: b"), @"
    error: a key of a service file must be text, this is a list
     --> services/web.yaml:3:3
      |
    3 | ? [a]
      |   ^^^
    ");
}

#[test]
fn row_5_versions_are_text_to_every_parser() {
    assert_snapshot!(version("1.10"), @r#"
    error: `1.10` is a number to YAML, not text
     --> services/web.yaml:1:10
      |
    1 | version: 1.10
      |          ^^^^
      |
      = help: quote it: "1.10"
    "#);
    assert_snapshot!(version("1e3"), @r#"
    error: `1e3` is a number to YAML, not text
     --> services/web.yaml:1:10
      |
    1 | version: 1e3
      |          ^^^
      |
      = help: quote it: "1e3"
    "#);
    assert_snapshot!(version("0x10"), @r#"
    error: `0x10` is a number to YAML, not text
     --> services/web.yaml:1:10
      |
    1 | version: 0x10
      |          ^^^^
      |
      = help: quote it: "0x10"
    "#);
    assert_snapshot!(version("on"), @r#"
    error: `on` is a boolean to YAML, not text
     --> services/web.yaml:1:10
      |
    1 | version: on
      |          ^^
      |
      = help: quote it: "on"
    "#);
    assert_snapshot!(version("null"), @"
    error: `version` has no value
     --> services/web.yaml:1:10
      |
    1 | version: null
      |          ^^^^
      |
      = help: write one, or remove the key
    ");
    assert_snapshot!(version("~"), @"
    error: `version` has no value
     --> services/web.yaml:1:10
      |
    1 | version: ~
      |          ^
      |
      = help: write one, or remove the key
    ");
    assert_snapshot!(version("[1.8]"), @"
    error: `version` must be text, this is a list
     --> services/web.yaml:1:10
      |
    1 | version: [1.8]
      |          ^^^^^
    ");
    assert_snapshot!(version("2024-01-01"), @"");
    assert_snapshot!(web("hold: {above: 1.7}"), @r#"
    error: `1.7` is a number to YAML, not text
     --> services/web.yaml:3:15
      |
    3 | hold: {above: 1.7}
      |               ^^^
      |
      = help: quote it: "1.7"
    "#);
    assert_snapshot!(web("dependsOn: {web2: {1.0: '*'}}"), @r#"
    error: `web` depends on `web2`, which nothing declares
     --> services/web.yaml:3:13
      |
    3 | dependsOn: {web2: {1.0: '*'}}
      |             ^^^^
      |
      = help: did you mean `web`?

    error: `1.0` is a number to YAML
     --> services/web.yaml:3:20
      |
    3 | dependsOn: {web2: {1.0: '*'}}
      |                    ^^^
      |
      = help: quote it: "1.0"
    "#);
}

#[test]
fn row_5_versions_in_files_of_other_tools_keep_their_spelling() {
    let float = values("image: {tag: 1.10}\n");
    assert_snapshot!(float.pins(), @"web 1.10 acme/web:1.10");
    assert_snapshot!(float.problems(), @r#"
    warning: `1.10` is a number to YAML: other tools may read it as another one
     --> apps/web.yaml:1:14
      |
    1 | image: {tag: 1.10}
      |              ^^^^
      |
      = help: quote it: "1.10"
    "#);
    assert_snapshot!(values("image: {tag: 1234e56}\n").pins(), @"web 1234e56 acme/web:1234e56");
    assert_snapshot!(values("image: {tag: 20260101120000}\n").problems(), @r#"
    warning: `20260101120000` is a number to YAML: other tools may read it as another one
     --> apps/web.yaml:1:14
      |
    1 | image: {tag: 20260101120000}
      |              ^^^^^^^^^^^^^^
      |
      = help: quote it: "20260101120000"
    "#);
    assert_snapshot!(values("image: {tag: on}\n").problems(), @r#"
    error: `on` is a boolean to YAML
     --> apps/web.yaml:1:14
      |
    1 | image: {tag: on}
      |              ^^
      |
      = help: quote it: "on"
    "#);
    assert_snapshot!(values("image: {tag: }\n").problems(), @"
    error: `web` has no version here
     --> apps/web.yaml:1:9
      |
    1 | image: {tag: }
      |         ^^^
    ");
    assert_snapshot!(values("image: {tag: {a: b}}\n").problems(), @"
    error: the pin of `web` must be text, this is a map
     --> apps/web.yaml:1:14
      |
    1 | image: {tag: {a: b}}
      |              ^^^^^^
    ");
    assert_snapshot!(values("image: {tag: '{{ .Values.x }}'}\n").problems(), @"
    error: `{{ .Values.x }}` is a template, not a value
     --> apps/web.yaml:1:14
      |
    1 | image: {tag: '{{ .Values.x }}'}
      |              ^^^^^^^^^^^^^^^^^
      |
      = help: pin a plain value; Pintle fills in no variables
    ");
    assert_snapshot!(compose("services: {web: {image: 'web:${TAG}'}}\n").problems(), @"
    error: `web:${TAG}` is a template, not a value
     --> compose.yaml:1:25
      |
    1 | services: {web: {image: 'web:${TAG}'}}
      |                         ^^^^^^^^^^^^
      |
      = help: pin a plain value; Pintle fills in no variables
    ");
}

#[test]
fn row_6_other_encodings_are_refused() {
    let bytes = |bytes: &[u8]| Revision::new().with("services/web.yaml", bytes).problems();
    assert_snapshot!(bytes(b"version: 1.8.2\nimage: \xff\n"), @"
    error: this cannot be read: not UTF-8: byte 22 is 0xff
     --> services/web.yaml:2:8
      |
    2 | image: �
      |        ^
      |
      = help: save it as UTF-8
    ");
    assert_snapshot!(bytes(b"version: 1.8\0.2\n"), @"
    error: this cannot be read: byte 12 is NUL
     --> services/web.yaml:1:13
      |
    1 | version: 1.8�.2
      |             ^
      |
      = help: save it as UTF-8 text
    ");
    assert_snapshot!(bytes(b"\xff\xfev\0e\0r\0"), @"
    error: this cannot be read: UTF-16 text
    --> services/web.yaml
     = help: save it as UTF-8
    ");
    assert_snapshot!(bytes(b"\xef\xbb\xbfverison: 1.8.2\r\nimage: acme/web\r\n"), @"
    error: `verison` is not a key of a service file
     --> services/web.yaml:1:1
      |
    1 | verison: 1.8.2
      | ^^^^^^^
      |
      = help: did you mean `version`?
    ");
}

#[test]
fn row_7_bombs_are_refused_at_once() {
    assert_snapshot!(only(&format!("version: {}\n", "[".repeat(10_000))).replace(&"[".repeat(100), "["), @"
    error: this cannot be read: it is nested too deeply
     --> services/web.yaml:1:201
      |
    1 | ...[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
      |                                                                    ^
    ");
    let documents = "---\nimage: {tag: v1}\n".repeat(100_000);
    assert_snapshot!(values(&documents).pins(), @"web held: apps/web.yaml:20002:1: this cannot be read: more than 10000 documents");
    let large = Revision::new().with_content("services/db.yaml", Content::TooLarge(52_428_800));
    assert_snapshot!(large.pins(), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml: this is a file of 52428800 bytes, more than is read
    ");
}

#[test]
fn rows_8_and_9_tags_and_second_documents_mean_nothing() {
    assert_snapshot!(version("!include x.yaml"), @"
    error: the tag `!include` means nothing here
     --> services/web.yaml:1:10
      |
    1 | version: !include x.yaml
      |          ^^^^^^^^^^^^^^^
      |
      = help: remove it
    ");
    assert_snapshot!(version("!!python/object:os.system x"), @"
    error: the tag `!!python/object:os.system` means nothing here
     --> services/web.yaml:1:10
      |
    1 | version: !!python/object:os.system x
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: remove it
    ");
    assert_snapshot!(values("image: {tag: !Ref x}\n").problems(), @"
    error: the tag `!Ref` means nothing here
     --> apps/web.yaml:1:14
      |
    1 | image: {tag: !Ref x}
      |              ^^^^^^
      |
      = help: pin a plain value
    ");
    assert_snapshot!(only("version: 1.8.2\n---\nimage: acme/web\n"), @"
    error: this file holds 2 YAML documents, it must hold one
     --> services/web.yaml:3:1
      |
    3 | image: acme/web
      | ^^^^^^^^^^^^^^^
      |
      = help: keep one document, without `---`
    ");
}

#[test]
fn row_10_another_version_of_the_settings_holds_all() {
    let other = |text: &str| Revision::new().with("pintle.yaml", text);
    assert_snapshot!(other("apiVersion: pintle.dev/v2\nfuture: [x]\n").problems(), @"
    error: `pintle.dev/v2` is not an apiVersion that this version of Pintle reads
     --> pintle.yaml:1:13
      |
    1 | apiVersion: pintle.dev/v2
      |             ^^^^^^^^^^^^^
      |
      = help: a newer Pintle may; Pintle 0.1.0 reads pintle.dev/v1alpha1
    ");
    assert_snapshot!(other("apiVersion: pintle.dev/v2\n").pins(), @"all held: pintle.yaml:1:13: `pintle.dev/v2` is not an apiVersion that this version of Pintle reads");
    assert_snapshot!(other("apiVersion: v1\n").problems(), @"
    error: `v1` is not an apiVersion that this version of Pintle reads
     --> pintle.yaml:1:13
      |
    1 | apiVersion: v1
      |             ^^
      |
      = help: Pintle 0.1.0 reads pintle.dev/v1alpha1
    ");
    assert_snapshot!(other("namespace: shop\n").problems(), @"
    error: `apiVersion` is missing
     --> pintle.yaml:1:1
      |
    1 | namespace: shop
      | ^
      |
      = help: add `apiVersion: pintle.dev/v1alpha1`
    ");
}

#[test]
fn row_11_names_of_services_are_dns_labels() {
    let named = |name: &str| Revision::new().with(&format!("services/{name}.yaml"), SERVICE);
    assert_snapshot!(named("Checkout").problems(), @"
    error: `Checkout` is not a service name: it may have a-z, 0-9 and `-` only
    --> services/Checkout.yaml
     = help: rename the file
    ");
    assert_snapshot!(named("Checkout").pins(), @"web 1.8.2 ghcr.io/acme/web:1.8.2");
    assert_snapshot!(named("web\u{202e}\u{1b}[31m").problems(), @r"
    error: `web\u{202e}\u{1b}[31m` is not a service name: it may have a-z, 0-9 and `-` only
    --> services/web\u{202e}\u{1b}[31m.yaml
     = help: rename the file
    ");
    assert_snapshot!(web("dependsOn: [Db, '', 'x ']"), @"
    error: `Db` is not a service name: it may have a-z, 0-9 and `-` only
     --> services/web.yaml:3:13
      |
    3 | dependsOn: [Db, '', 'x ']
      |             ^^

    error: `` is not a service name: it is empty
     --> services/web.yaml:3:17
      |
    3 | dependsOn: [Db, '', 'x ']
      |                 ^^

    error: `x ` is not a service name: it may have a-z, 0-9 and `-` only
     --> services/web.yaml:3:21
      |
    3 | dependsOn: [Db, '', 'x ']
      |                     ^^^^
    ");
    assert_snapshot!(web("formerly: web"), @"
    error: `formerly` is the name that this service has
     --> services/web.yaml:3:11
      |
    3 | formerly: web
      |           ^^^
      |
      = help: remove it
    ");
    assert_snapshot!(compose("services: {my_db: {image: 'db:1'}, web: {image: 'w:1'}}\n").problems(), @"
    warning: not pinned: `my_db` is not a service name: it may have a-z, 0-9 and `-` only
     --> compose.yaml:1:20
      |
    1 | services: {my_db: {image: 'db:1'}, web: {image: 'w:1'}}
      |                    ^^^^^
    ");
    assert_snapshot!(Revision::new().with("services/db.yml", SERVICE).problems(), @"
    error: the files of services end in .yaml
    --> services/db.yml
     = help: rename it to db.yaml
    ");
}

#[test]
fn rows_12_to_14_images_are_read_by_the_grammar() {
    assert_snapshot!(image("ghcr.io/Acme/web"), @"
    error: `ghcr.io/Acme/web` is not a repository: `Acme` is not a repository name: only a-z, 0-9 and single `.`, `_`, `__` or dashes between them
     --> services/web.yaml:2:8
      |
    2 | image: ghcr.io/Acme/web
      |        ^^^^^^^^^^^^^^^^
      |
      = help: write the repository only, as in `ghcr.io/acme/checkout`, and the version under `version`
    ");
    assert_snapshot!(image("ghcr.io/acme/web:1.8.2"), @"
    error: `ghcr.io/acme/web:1.8.2` has a tag, `1.8.2`: the version is pinned elsewhere
     --> services/web.yaml:2:8
      |
    2 | image: ghcr.io/acme/web:1.8.2
      |        ^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write the repository only, as in `ghcr.io/acme/checkout`, and the version under `version`
    ");
    assert_snapshot!(version("1.8.2;rm"), @"
    error: this makes no image: `1.8.2;rm` is not a tag: up to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`, not first `.` or `-`
     --> services/web.yaml:1:10
      |
    1 | version: 1.8.2;rm
      |          ^^^^^^^^
    ");
    assert_snapshot!(version("-rf"), @"
    error: this makes no image: `-rf` is not a tag: up to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`, not first `.` or `-`
     --> services/web.yaml:1:10
      |
    1 | version: -rf
      |          ^^^
    ");
    assert_snapshot!(web("digest: sha256:abc"), @"
    error: a sha256 digest has 64 digits of 0-9 and a-f, this one is `abc`
     --> services/web.yaml:3:9
      |
    3 | digest: sha256:abc
      |         ^^^^^^^^^^
    ");
    assert_snapshot!(web("digest: md5:abc"), @"
    error: `md5` is not a digest algorithm: sha256 and sha512 are
     --> services/web.yaml:3:9
      |
    3 | digest: md5:abc
      |         ^^^^^^^
    ");
    assert_snapshot!(web("tag: v1"), @r#"
    error: `v1` must hold `{version}` once, and no other braces
     --> services/web.yaml:3:6
      |
    3 | tag: v1
      |      ^^
      |
      = help: write it as in `tag: "v{version}"`
    "#);
    assert_snapshot!(version("latest"), @"
    error: `latest` names no version: what it means moves
     --> services/web.yaml:1:10
      |
    1 | version: latest
      |          ^^^^^^
      |
      = help: pin what it means now
    ");
    assert_snapshot!(compose("services: {web: {image: web}}\n").problems(), @"
    error: the image of `web` has no tag, and so no version
     --> compose.yaml:1:25
      |
    1 | services: {web: {image: web}}
      |                         ^^^
      |
      = help: write one, as in name:1.8.2; a digest alone names no version
    ");
    assert_snapshot!(compose("services: {web: {image: 'web:'}}\n").problems(), @"
    error: `web:` is not an image: `` is not a tag: up to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`, not first `.` or `-`
     --> compose.yaml:1:25
      |
    1 | services: {web: {image: 'web:'}}
      |                         ^^^^^^
    ");
    assert_snapshot!(compose("services: {web: {image: 'web:latest'}}\n").problems(), @"
    error: `latest` names no version: what it means moves
     --> compose.yaml:1:25
      |
    1 | services: {web: {image: 'web:latest'}}
      |                         ^^^^^^^^^^^^
      |
      = help: pin what it means now
    ");
    assert_snapshot!(compose("services: {web: {image: 'web:v1'}}\n").with("services/web.yaml", "image: acme/web\n").problems(), @"
    error: the image here is not `acme/web`
     --> compose.yaml:1:25
      |
    1 | services: {web: {image: 'web:v1'}}
      |                         ^^^^^^^^
      |
     ::: services/web.yaml:1:8
      |
    1 | image: acme/web
      |        -------- as the service file says
      |
      = help: remove `image` from the service file
    ");
    assert_snapshot!(compose("services: {web: {image: 'web:1'}}\n").with("services/web.yaml", "tag: v{version}\n").problems(), @r#"
    error: the tag `1` is not as `tag: "v{version}"` of `web` says
     --> compose.yaml:1:25
      |
    1 | services: {web: {image: 'web:1'}}
      |                         ^^^^^^^
    "#);
}

#[test]
fn rows_15_and_16_a_pin_is_one_version() {
    assert_snapshot!(version("^1.2"), @"
    error: `^1.2` is not a version: `^` belongs to ranges: a pin is one version, not a range
     --> services/web.yaml:1:10
      |
    1 | version: ^1.2
      |          ^^^^
      |
      = help: name the one version that is to run
    ");
    assert_snapshot!(version("\">=1.2, <2\""), @r#"
    error: `>=1.2, <2` is not a version: `>` belongs to ranges: a pin is one version, not a range
     --> services/web.yaml:1:10
      |
    1 | version: ">=1.2, <2"
      |          ^^^^^^^^^^^
      |
      = help: name the one version that is to run
    "#);
    assert_snapshot!(version("1.2.3+a"), @"
    error: `1.2.3+a` is not a version: `+` is not allowed in an image tag
     --> services/web.yaml:1:10
      |
    1 | version: 1.2.3+a
      |          ^^^^^^^
      |
      = help: use `_` instead, as Helm does, or drop the build metadata
    ");
    assert_snapshot!(version("\"1.8 .2\""), @r#"
    error: `1.8 .2` is not a version: ' ' cannot stand in a version
     --> services/web.yaml:1:10
      |
    1 | version: "1.8 .2"
      |          ^^^^^^^^
    "#);
    assert_snapshot!(version("\"\""), @r#"
    error: `` is not a version: a version cannot be empty
     --> services/web.yaml:1:10
      |
    1 | version: ""
      |          ^^
    "#);
    assert_snapshot!(web("dependsOn: {db: '>=2.1, 3'}"), @"
    error: `web` depends on `db`, which nothing declares
     --> services/web.yaml:3:13
      |
    3 | dependsOn: {db: '>=2.1, 3'}
      |             ^^
      |
      = help: declare it in services/db.yaml, with `external: true` if it is deployed elsewhere

    error: `3` does not say which versions it means
     --> services/web.yaml:3:25
      |
    3 | dependsOn: {db: '>=2.1, 3'}
      |                         ^
      |
      = help: write `^3` for 3 or newer, below 4; `=3` for this version alone
    ");
    assert_snapshot!(web("dependsOn: {db: }"), @r#"
    error: nothing says which versions of `db`
     --> services/web.yaml:3:13
      |
    3 | dependsOn: {db: }
      |             ^^
      |
      = help: write "*" for any

    error: `web` depends on `db`, which nothing declares
     --> services/web.yaml:3:13
      |
    3 | dependsOn: {db: }
      |             ^^
      |
      = help: declare it in services/db.yaml, with `external: true` if it is deployed elsewhere
    "#);
    assert_snapshot!(web("dependsOn: db"), @r#"
    error: `dependsOn` is text, it must be a list of services or a map
     --> services/web.yaml:3:12
      |
    3 | dependsOn: db
      |            ^^
      |
      = help: write `dependsOn: [payments]`, or `dependsOn: {payments: ">=2.1"}`
    "#);
}

#[test]
fn row_19_other_kinds_of_workload_are_named() {
    assert_snapshot!(web("workloads: [cronjob/x, web, deploymnet/x, deployment/]"), @"
    error: Pintle does not write to a cronjob
     --> services/web.yaml:3:13
      |
    3 | workloads: [cronjob/x, web, deploymnet/x, deployment/]
      |             ^^^^^^^^^
      |
      = help: it writes to deployment/NAME, statefulset/NAME and daemonset/NAME

    error: `web` does not say the kind of the workload
     --> services/web.yaml:3:24
      |
    3 | workloads: [cronjob/x, web, deploymnet/x, deployment/]
      |                        ^^^
      |
      = help: it writes to deployment/NAME, statefulset/NAME and daemonset/NAME

    error: `deploymnet` is not a kind of workload
     --> services/web.yaml:3:29
      |
    3 | workloads: [cronjob/x, web, deploymnet/x, deployment/]
      |                             ^^^^^^^^^^^^
      |
      = help: it writes to deployment/NAME, statefulset/NAME and daemonset/NAME

    error: `` cannot be the name of a workload
     --> services/web.yaml:3:43
      |
    3 | workloads: [cronjob/x, web, deploymnet/x, deployment/]
      |                                           ^^^^^^^^^^^
    ");
    assert_snapshot!(web("workloads: []"), @"
    error: `workloads` must be a list of workloads as in deployment/checkout, this is empty
     --> services/web.yaml:3:12
      |
    3 | workloads: []
      |            ^^
    ");
}

#[test]
fn row_21_what_a_service_needs_is_declared() {
    assert_snapshot!(Revision::new().with("services/payments.yaml", format!("{SERVICE}dependsOn: [wbe, db, payments, web, web]\n")).problems(), @"
    error: `payments` depends on `wbe`, which nothing declares
     --> services/payments.yaml:3:13
      |
    3 | dependsOn: [wbe, db, payments, web, web]
      |             ^^^
      |
      = help: did you mean `web`?

    error: `payments` depends on `db`, which nothing declares
     --> services/payments.yaml:3:18
      |
    3 | dependsOn: [wbe, db, payments, web, web]
      |                  ^^
      |
      = help: declare it in services/db.yaml, with `external: true` if it is deployed elsewhere

    error: `payments` cannot depend on itself
     --> services/payments.yaml:3:22
      |
    3 | dependsOn: [wbe, db, payments, web, web]
      |                      ^^^^^^^^
      |
      = help: remove it

    warning: `web` stands twice in `dependsOn`
     --> services/payments.yaml:3:37
      |
    3 | dependsOn: [wbe, db, payments, web, web]
      |                                     ^^^
      |
      = help: remove one of them
    ");
    let broken =
        Revision::new().with("services/db.yaml", "]").with("services/web.yaml", format!("{SERVICE}dependsOn: [db]\n"));
    assert!(broken.pins().starts_with("web 1.8.2"), "a broken service is declared: {}", broken.pins());
    assert_snapshot!(settings("lockstep: [[web, paymnets], [web]]\n"), @"
    error: a lockstep group has two services or more
     --> pintle.yaml:2:29
      |
    2 | lockstep: [[web, paymnets], [web]]
      |                             ^^^^^
    ");
    assert_snapshot!(settings("lockstep: [[web, paymnets]]\n"), @"
    warning: `lockstep` names `paymnets`, which nothing declares
     --> pintle.yaml:2:11
      |
    2 | lockstep: [[web, paymnets]]
      |           ^^^^^^^^^^^^^^^^^
      |
      = help: remove it from the group
    ");
    let heir = Revision::new().with("services/shop.yaml", format!("{SERVICE}formerly: web\n"));
    assert_snapshot!(heir.problems(), @"
    error: `web` is still declared, `shop` cannot go on its history
     --> services/shop.yaml:3:11
      |
    3 | formerly: web
      |           ^^^
      |
      = help: remove `formerly`, or the other service
    ");
}

#[test]
fn row_24_a_workload_belongs_to_one_service() {
    let two = Revision::new().with("services/db.yaml", format!("{SERVICE}workloads: [deployment/web]\n"));
    assert_snapshot!(two.problems(), @r#"
    error: `deployment/web` belongs to `db` and to `web`
     --> services/db.yaml:3:12
      |
    3 | workloads: [deployment/web]
      |            ^^^^^^^^^^^^^^^^
      |
     ::: services/web.yaml:1:10
      |
    1 | version: "1.8.2"
      |          ------- also here
      |
      = help: name each workload in one service

    error: `deployment/web` belongs to `db` and to `web`
     --> services/web.yaml:1:10
      |
    1 | version: "1.8.2"
      |          ^^^^^^^
      |
     ::: services/db.yaml:3:12
      |
    3 | workloads: [deployment/web]
      |            ---------------- also here
      |
      = help: name each workload in one service
    "#);
    assert_snapshot!(two.pins(), @"
    db held: services/db.yaml:3:12: `deployment/web` belongs to `db` and to `web`
    web held: services/web.yaml:1:10: `deployment/web` belongs to `db` and to `web`
    ");
    for apart in ["namespace: other\n", "external: true\n"] {
        let two = Revision::new().with("services/db.yaml", format!("{SERVICE}workloads: [deployment/web]\n{apart}"));
        assert_eq!(two.problems(), "");
    }
}

#[test]
fn row_25_durations_have_units_and_bounds() {
    assert_snapshot!(web("verify: {timeout: 5}"), @"
    error: `5` is not a duration: `5` has no unit
     --> services/web.yaml:3:19
      |
    3 | verify: {timeout: 5}
      |                   ^
      |
      = help: write it as in 90s, 10m or 1h30m, from 1s to 24h
    ");
    assert_snapshot!(web("verify: {timeout: 0s}"), @"
    error: `timeout` is 0s, it must be 1s to 24h
     --> services/web.yaml:3:19
      |
    3 | verify: {timeout: 0s}
      |                   ^^
    ");
    assert_snapshot!(web("verify: {timeout: -1s}"), @"
    error: `-1s` is not a duration: there is no number before `-1s`
     --> services/web.yaml:3:19
      |
    3 | verify: {timeout: -1s}
      |                   ^^^
      |
      = help: write it as in 90s, 10m or 1h30m, from 1s to 24h
    ");
    assert_snapshot!(settings("soak: 1y\n"), @"
    error: `1y` is not a duration: `y` is not one of the units d, h, m, s, in this order
     --> pintle.yaml:2:7
      |
    2 | soak: 1y
      |       ^^
      |
      = help: write it as in 90s, 10m or 1h30m, from 0s to 30d
    ");
    assert_snapshot!(settings("soak: 31d\n"), @"
    error: `soak` is 31d, it must be 0s to 30d
     --> pintle.yaml:2:7
      |
    2 | soak: 31d
      |       ^^^
    ");
    assert_snapshot!(settings("drift: {handGrace: 1000000000000000000h, policy: schedule}\n"), @"
    error: `1000000000000000000h` is not a duration: it is longer than time itself
     --> pintle.yaml:2:20
      |
    2 | drift: {handGrace: 1000000000000000000h, policy: schedule}
      |                    ^^^^^^^^^^^^^^^^^^^^
      |
      = help: write it as in 90s, 10m or 1h30m, from 0s to 7d

    error: `policy: schedule` is not read by this version of Pintle
     --> pintle.yaml:2:50
      |
    2 | drift: {handGrace: 1000000000000000000h, policy: schedule}
      |                                                  ^^^^^^^^
      |
      = help: use `correct` or `report`
    ");
}

#[test]
fn row_32_only_regular_files_of_the_repository_are_read() {
    let special = |content| Revision::new().with_content("services/db.yaml", content).pins();
    assert_snapshot!(special(Content::Symlink), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml: this is a symbolic link, which is never followed
    ");
    assert_snapshot!(special(Content::Submodule), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml: this is a submodule
    ");
    assert_snapshot!(Revision::new().with("services/db.yaml", "version https://git-lfs.github.com/spec/v1\noid x\n").problems(), @"
    error: this cannot be read: a Git LFS pointer, not the file itself
    --> services/db.yaml
     = help: keep pin files out of LFS (.gitattributes)
    ");
    assert_snapshot!(Revision::new().with_content("pintle.yaml", Content::Symlink).pins(), @"all held: pintle.yaml: this is not a regular file");
    assert_snapshot!(settings("pins:\n- {files: ../x.yaml, key: a}\n- {files: /x.yaml, key: a}\n- {files: .git/x.yaml, key: a}\n"), @"
    error: `..` cannot be a part of the path `../x.yaml`
     --> pintle.yaml:3:11
      |
    3 | - {files: ../x.yaml, key: a}
      |           ^^^^^^^^^
      |
      = help: write it as in apps/web/values.yaml

    error: `/x.yaml` is not a path below the pin repository's folder
     --> pintle.yaml:4:11
      |
    4 | - {files: /x.yaml, key: a}
      |           ^^^^^^^
      |
      = help: write it as in apps/web/values.yaml

    error: `.git` cannot be a part of the path `.git/x.yaml`
     --> pintle.yaml:5:11
      |
    5 | - {files: .git/x.yaml, key: a}
      |           ^^^^^^^^^^^
      |
      = help: write it as in apps/web/values.yaml
    ");
    assert_snapshot!(settings("pins:\n- {files: '{service}/pom.xml', key: a}\n- {files: a.yaml, key: b}\n- {file: a.yaml}\n"), @"
    error: this version of Pintle reads pins from YAML, not from `{service}/pom.xml`
     --> pintle.yaml:3:11
      |
    3 | - {files: '{service}/pom.xml', key: a}
      |           ^^^^^^^^^^^^^^^^^^^
      |
      = help: keep `version:` in services/NAME.yaml for now

    error: this pattern does not say which services it pins
     --> pintle.yaml:4:3
      |
    4 | - {files: a.yaml, key: b}
      |   ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `{service}` in `files` or `key`, or put a `pin:` into the file of the service

    error: `files` is missing
     --> pintle.yaml:5:3
      |
    5 | - {file: a.yaml}
      |   ^^^^^^^^^^^^^^

    error: `key` is missing
     --> pintle.yaml:5:3
      |
    5 | - {file: a.yaml}
      |   ^^^^^^^^^^^^^^

    error: `file` is not a key of an entry of `pins`
     --> pintle.yaml:5:4
      |
    5 | - {file: a.yaml}
      |    ^^^^
      |
      = help: did you mean `files`?
    ");
    assert_snapshot!(settings("pins:\n- {files: '**/x.yaml', key: '{service}'}\n- {files: x.yaml, key: 'a..{service}', as: tag}\n"), @"
    error: `**` is not understood: `*` stands for one name, write one for each folder
     --> pintle.yaml:3:11
      |
    3 | - {files: '**/x.yaml', key: '{service}'}
      |           ^^^^^^^^^^^

    error: a key is missing here
     --> pintle.yaml:4:26
      |
    4 | - {files: x.yaml, key: 'a..{service}', as: tag}
      |                          ^

    error: `as` is `tag`, it must be one of version, image
     --> pintle.yaml:4:44
      |
    4 | - {files: x.yaml, key: 'a..{service}', as: tag}
      |                                            ^^^
    ");
    assert_snapshot!(settings("pins:\n- {files: x.yaml, key: '{service}', as: image, image: 'acme/web:1'}\n"), @"
    error: `acme/web:1` has a tag, `1`: the version is pinned elsewhere
     --> pintle.yaml:3:55
      |
    3 | - {files: x.yaml, key: '{service}', as: image, image: 'acme/web:1'}
      |                                                       ^^^^^^^^^^^^
      |
      = help: write a repository without tag, as in `ghcr.io/acme/checkout`

    error: `as: image` reads the repository from the value too
     --> pintle.yaml:3:55
      |
    3 | - {files: x.yaml, key: '{service}', as: image, image: 'acme/web:1'}
      |                                                       ^^^^^^^^^^^^
      |
      = help: remove `image`
    ");
}

#[test]
fn pins_that_are_not_where_they_are_looked_for_are_told() {
    assert_snapshot!(values("image:\n  tga: v1\n").problems(), @"
    error: `image.tag` leads to nothing in this file: there is no `tag` here
     --> apps/web.yaml:2:3
      |
    2 |   tga: v1
      |   ^
      |
      = help: did you mean `tga`?
    ");
    assert_snapshot!(values("[]\n").problems(), @"
    error: `image.tag` leads to nothing in this file: there is no `image` here
     --> apps/web.yaml:1:1
      |
    1 | []
      | ^
      |
      = help: correct the key, or keep the file out of `files`
    ");
    assert_snapshot!(compose("servcies: {web: {image: 'web:1'}}\n").problems(), @"
    warning: `services.{service}.image` leads to nothing in this file
    --> compose.yaml
     = help: correct the key, or narrow `files` in pintle.yaml

    error: 0 pins: this revision pins no service
    --> pintle.yaml
     = help: pin one in services/NAME.yaml; if none is meant, write `allowEmpty: true` into pintle.yaml
    ");
    assert_snapshot!(only("image: acme/web\n"), @r#"
    error: `web` has no version
    --> services/web.yaml
     = help: write `version: "…"`, or `pin: {file: …, key: …}`, or remove the file
    "#);
    assert_snapshot!(only("image: acme/web\npin: {file: gone.yaml, key: tag}\n"), @"
    error: `web` has no pin: there is no gone.yaml
     --> services/web.yaml:2:6
      |
    2 | pin: {file: gone.yaml, key: tag}
      |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: correct `file`
    ");
    assert_snapshot!(only("image: acme/web\npin: {file: '*.yaml', key: tag}\n"), @"
    error: `*.yaml` is not a file
     --> services/web.yaml:2:13
      |
    2 | pin: {file: '*.yaml', key: tag}
      |             ^^^^^^^^
      |
      = help: name one file; patterns stand in `pins:` of pintle.yaml
    ");
    assert_snapshot!(only("version: 1.8.2\n"), @"
    error: nothing says the image of `web`
     --> services/web.yaml:1:10
      |
    1 | version: 1.8.2
      |          ^^^^^
      |
      = help: write `image:` into services/web.yaml, or `image` into the pattern
    ");
    let kustomization = "images: [{name: web, newTag: v1, digest: 'sha256:0'}]\n";
    let kustomize = Revision::empty()
        .with_settings("pins: [{files: k.yaml, key: 'images[name={service}].newTag'}]\n")
        .with("k.yaml", kustomization);
    assert_snapshot!(kustomize.problems(), @"
    error: `digest` stands beside this tag, and Kustomize takes the digest
     --> k.yaml:1:30
      |
    1 | images: [{name: web, newTag: v1, digest: 'sha256:0'}]
      |                              ^^
      |
      = help: remove `digest`, or `newTag`
    ");
    assert_snapshot!(Revision::new().with("apps/Up.yaml", "a: 1").with_settings("pins: [{files: 'apps/{service}.yaml', key: a}]\n").problems(), @"
    warning: not pinned: `Up` is not a service name: it may have a-z, 0-9 and `-` only
    --> apps/Up.yaml
     = help: rename it, or narrow `files` in pintle.yaml
    ");
}

#[test]
fn the_other_keys_are_strict_too() {
    assert_snapshot!(web("hold: {}"), @r#"
    error: `hold` needs one of `above` and `versions`
     --> services/web.yaml:3:7
      |
    3 | hold: {}
      |       ^^
      |
      = help: write `above: "1.7.9"`, or `versions: ">=1.8, <1.8.4"`
    "#);
    assert_snapshot!(web("hold: {above: 1.8.0, versions: '>1'}"), @r#"
    error: `hold` needs one of `above` and `versions`
     --> services/web.yaml:3:7
      |
    3 | hold: {above: 1.8.0, versions: '>1'}
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `above: "1.7.9"`, or `versions: ">=1.8, <1.8.4"`
    "#);
    assert_snapshot!(web("hold: {above: 1.8.0, until: tomorrow}"), @"
    error: `tomorrow` is not a time
     --> services/web.yaml:3:29
      |
    3 | hold: {above: 1.8.0, until: tomorrow}
      |                             ^^^^^^^^
      |
      = help: write it as in 2026-12-01T00:00Z
    ");
    assert_snapshot!(web("versioning: semvar\nexternal: yes\nnamespace: Shop\ncontainers: app"), @"
    error: `versioning` is `semvar`, it must be one of semver, maven, history
     --> services/web.yaml:3:13
      |
    3 | versioning: semvar
      |             ^^^^^^
      |
      = help: did you mean `semver`?

    error: `external` is `yes`, it must be one of true, false
     --> services/web.yaml:4:11
      |
    4 | external: yes
      |           ^^^

    error: `Shop` cannot be the `namespace`: it may have a-z, 0-9 and `-` only
     --> services/web.yaml:5:12
      |
    5 | namespace: Shop
      |            ^^^^

    error: `containers` must be a list of container names, this is text
     --> services/web.yaml:6:13
      |
    6 | containers: app
      |             ^^^
    ");
    assert_snapshot!(web("local: {run: ./web, port: 0}"), @"
    error: `run` must be a list of a program and its arguments, this is text
     --> services/web.yaml:3:14
      |
    3 | local: {run: ./web, port: 0}
      |              ^^^^^

    error: `0` is not a port, 1 to 65535
     --> services/web.yaml:3:27
      |
    3 | local: {run: ./web, port: 0}
      |                           ^
    ");
    assert_snapshot!(web("local: {start: [up], port: 80}"), @"
    error: `local` lacks `stop`, `version`
     --> services/web.yaml:3:8
      |
    3 | local: {start: [up], port: 80}
      |        ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: use `run`, `port`, `health` and `rolling` for a process, or `start`, `stop`, `version` and `health` for four commands

    error: `port` does not go with the other keys of `local`
     --> services/web.yaml:3:22
      |
    3 | local: {start: [up], port: 80}
      |                      ^^^^
      |
      = help: use `run`, `port`, `health` and `rolling` for a process, or `start`, `stop`, `version` and `health` for four commands
    ");
    assert_snapshot!(web("local: {run: [./web], health: {http: /x}, stop: [x]}"), @"
    error: this way to ask for health needs a port
     --> services/web.yaml:3:31
      |
    3 | local: {run: [./web], health: {http: /x}, stop: [x]}
      |                               ^^^^^^^^^^
      |
      = help: add `port`

    error: `stop` does not go with the other keys of `local`
     --> services/web.yaml:3:43
      |
    3 | local: {run: [./web], health: {http: /x}, stop: [x]}
      |                                           ^^^^
      |
      = help: use `run`, `port`, `health` and `rolling` for a process, or `start`, `stop`, `version` and `health` for four commands
    ");
    assert_snapshot!(web("local: {run: [./web], port: 80, health: {http: x, tcp: true}}"), @"
    error: `health` needs one of `http`, `tcp` and `command`
     --> services/web.yaml:3:41
      |
    3 | local: {run: [./web], port: 80, health: {http: x, tcp: true}}
      |                                         ^^^^^^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(settings("instance: Prod\nruntime: docker\nunseen: wran\nallowEmpty: 1\npins: {}\n"), @"
    error: `Prod` cannot be the `instance`: it may have a-z, 0-9 and `-` only
     --> pintle.yaml:2:11
      |
    2 | instance: Prod
      |           ^^^^

    error: `runtime` is `docker`, it must be one of kubernetes, local
     --> pintle.yaml:3:10
      |
    3 | runtime: docker
      |          ^^^^^^

    error: `unseen` is `wran`, it must be one of ignore, warn, refuse
     --> pintle.yaml:4:9
      |
    4 | unseen: wran
      |         ^^^^
      |
      = help: did you mean `warn`?

    error: `allowEmpty` is `1`, it must be one of true, false
     --> pintle.yaml:5:13
      |
    5 | allowEmpty: 1
      |             ^

    error: `pins` must be a list of patterns, this is a map
     --> pintle.yaml:6:7
      |
    6 | pins: {}
      |       ^^
    ");
    assert_snapshot!(only("- version: 1.8.2\n"), @"
    error: a service file must be a map, this is a list
     --> services/web.yaml:1:1
      |
    1 | - version: 1.8.2
      | ^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn one_bad_service_stops_no_other() {
    let revision = Revision::new().with("services/db.yaml", "version: 1.10\nimage: x/\ntag: y\n");
    assert_snapshot!(revision.pins(), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml:1:10: `1.10` is a number to YAML, not text
    ");
    assert_eq!(revision.read().problems.len(), 3, "all at once");
    assert_eq!(revision.read().unusable, None);
}

#[test]
fn endless_problems_are_cut() {
    let many: String = (0..1000).map(|number| format!("key{number}: x\n")).collect();
    assert_eq!(Revision::new().with("services/db.yaml", many).read().problems.len(), 101);
}

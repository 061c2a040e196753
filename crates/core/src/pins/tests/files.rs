//! Files that cannot be read, or that do not hold one document.

use insta::assert_snapshot;

use super::*;

/// The file of a second service, `db`.
fn db(text: impl AsRef<[u8]>) -> Revision {
    Revision::new().with("services/db.yaml", text)
}

#[test]
fn row_1_an_empty_repository_is_no_wish() {
    let gone = Revision::empty().with_settings("");
    assert_snapshot!(gone.shown(), @"
    error: 0 pins: this revision pins no service
    --> pintle.yaml
     = help: pin one in services/NAME.yaml; if none is meant, write `allowEmpty: true` into pintle.yaml
    ");
    assert_snapshot!(gone.pins(), @"all held: pintle.yaml: 0 pins: this revision pins no service");
    assert_snapshot!(Revision::empty().problems(), @"pintle.yaml: 0 pins: this revision pins no service => pin one in services/NAME.yaml");
}

#[test]
fn row_1_an_empty_file_holds_its_service() {
    assert_snapshot!(db("").pins(), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml: this file is empty
    ");
    assert_snapshot!(db("# nothing\n").problems(), @"services/db.yaml: this file is empty => write `version` and `image` into it, or remove it");
    assert_snapshot!(Revision::new().with("pintle.yaml", "").pins(), @"all held: pintle.yaml: this file is empty");
}

#[test]
fn settings_under_another_name_are_not_passed_over() {
    let alone = Revision::new().with("pintle.yml", "namespace: shop\n");
    assert_snapshot!(alone.problems(), @"pintle.yml: the file of the settings is called pintle.yaml => rename it to pintle.yaml");
    assert_snapshot!(alone.pins(), @"all held: pintle.yml: the file of the settings is called pintle.yaml");
    let both = Revision::new().with_settings("").with("pintle.yml", "namespace: shop\n");
    assert_snapshot!(both.problems(), @"warning: pintle.yml: this file is not read, pintle.yaml beside it is => move what it says into pintle.yaml, and remove it");
    assert_snapshot!(both.pins(), @"web 1.8.2 ghcr.io/acme/web:1.8.2");
}

#[test]
fn a_folder_that_is_called_otherwise_is_named() {
    let elsewhere = Revision::empty().with_settings("").with("service/web.yaml", SERVICE);
    assert_snapshot!(elsewhere.problems(), @"pintle.yaml: 0 pins: this revision pins no service => service files stand in `services`, and here is a `service`; if none is meant, write `allowEmpty: true` into pintle.yaml");
}

#[test]
fn a_manifest_is_no_service_file() {
    let manifest = db("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: db}\n");
    assert_snapshot!(manifest.problems(), @"services/db.yaml:2:1: this is a Kubernetes manifest, not a service file => keep manifests in another folder; `pins:` of pintle.yaml can read the version there");
}

#[test]
fn indentation_has_a_way_out() {
    assert_snapshot!(table(|text| db(text), &[
        "version: \"1.8.2\"\n image: acme/db",
        "version: \"1.8.2\"\nimage: acme/db\ndependsOn:\nweb: '>=1'",
        "version:1.8.2\nimage:acme/db",
    ]), @r#"
    version: "1.8.2"\n image: acme/db
        services/db.yaml:2:2: this cannot be read: while parsing a block mapping, did not find expected key => let all keys of a map begin in the same column
    version: "1.8.2"\nimage: acme/db\ndependsOn:\nweb: '>=1'
        services/db.yaml:3:1: `dependsOn` is empty, it must be a list of services or a map => write `dependsOn: [payments]`, or `dependsOn: {payments: ">=2.1"}`
        services/db.yaml:4:1: `web` is not a key of a service file => indent it, if it belongs to `dependsOn`
    version:1.8.2\nimage:acme/db
        services/db.yaml:1:1: a service file must be a map, this is text => write a space after the `:` of a key
    "#);
}

#[test]
fn row_2_broken_syntax_holds_the_services_of_the_file() {
    assert_snapshot!(db("version: \"1.8\nimage: x\n").shown(), @r#"
    error: this cannot be read: unclosed quote
     --> services/db.yaml:1:10
      |
    1 | version: "1.8
      |          ^
    "#);
    assert_snapshot!(db("version: \"1.8\nimage: x\n").pins(), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml:1:10: this cannot be read: unclosed quote
    ");
    assert_snapshot!(table(|text| db(text), &["version: 1.8.2\n\timage: x", "version: [1", "version: 1.8.2: x", "]", "a: *b", "dependsOn: {web: >=1, <2}", "dependsOn:\n  web: >=1, <2"]), @r#"
    version: 1.8.2\n\timage: x
        services/db.yaml:1:10: this cannot be read: while scanning a plain scalar, found a tab => indent with spaces, not with tabs
    version: [1
        services/db.yaml:1:10: this cannot be read: unclosed bracket '['
    version: 1.8.2: x
        services/db.yaml:1:15: this cannot be read: mapping values are not allowed in this context
    ]
        services/db.yaml:1:1: this cannot be read: misplaced bracket
    a: *b
        services/db.yaml:1:4: this cannot be read: while parsing node, found unknown anchor
    dependsOn: {web: >=1, <2}
        services/db.yaml:1:18: this cannot be read: unexpected character: `>' => quote a range, as in ">=1.4, <2"
    dependsOn:\n  web: >=1, <2
        services/db.yaml:2:8: this cannot be read: while scanning a block scalar, did not find expected comment or line break => quote a range, as in ">=1.4, <2"
    "#);
}

#[test]
fn row_2_a_broken_file_that_may_pin_any_service_holds_all() {
    let broken = Revision::compose("services:\n  web: {image: \"acme/web:1\n").with("services/db.yaml", SERVICE);
    assert_snapshot!(broken.pins(), @"
    db 1.8.2 ghcr.io/acme/web:1.8.2
    all held: compose.yaml:2:16: this cannot be read: unclosed quote
    ");
    let broken = Revision::values("image: [").with("services/db.yaml", SERVICE);
    assert_snapshot!(broken.pins(), @"
    db 1.8.2 ghcr.io/acme/web:1.8.2
    web held: apps/web.yaml:1:8: this cannot be read: unclosed bracket '['
    ");
}

#[test]
fn row_6_other_encodings_are_refused() {
    assert_snapshot!(db(b"version: 1.8.2\nimage: \xff\n").shown(), @"
    error: this cannot be read: not UTF-8: byte 22 is 0xff
     --> services/db.yaml:2:8
      |
    2 | image: �
      |        ^
      |
      = help: save it as UTF-8
    ");
    assert_snapshot!(db(b"version: 1.8\0.2\n").problems(), @"services/db.yaml:1:13: this cannot be read: byte 12 is NUL => save it as UTF-8 text");
    assert_snapshot!(db(b"\xff\xfev\0e\0r\0").problems(), @"services/db.yaml: this cannot be read: UTF-16 text => save it as UTF-8");
    assert_snapshot!(db(b"\xef\xbb\xbfverison: 1.8.2\r\nimage: acme/web\r\n").shown(), @"
    error: `verison` is not a key of a service file
     --> services/db.yaml:1:1
      |
    1 | verison: 1.8.2
      | ^^^^^^^
      |
      = help: did you mean `version`?
    ");
}

#[test]
fn row_7_bombs_are_refused_at_once() {
    assert_snapshot!(db(format!("version: {}\n", "[".repeat(10_000))).pins(), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml:1:265: this cannot be read: it is nested too deeply
    ");
    assert_snapshot!(Revision::values(&"---\nimage: {tag: v1}\n".repeat(100_000)).pins(), @"web held: apps/web.yaml:20002:1: this cannot be read: more than 10000 documents");
    assert_snapshot!(Revision::new().with_content("services/db.yaml", FileContent::TooLarge(52_428_800)).pins(), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml: this is a file of 52428800 bytes, more than is read
    ");
}

#[test]
fn rows_8_and_9_tags_and_second_documents_mean_nothing() {
    assert_snapshot!(table(|text| db(text), &[
        "version: !include x.yaml",
        "version: !!python/object:os.system x",
        "!x {version: 1.8.2}",
        "version: 1.8.2\n---\nimage: acme/web",
    ]), @r"
    version: !include x.yaml
        services/db.yaml:1:10: the tag `!include` means nothing here => remove it
    version: !!python/object:os.system x
        services/db.yaml:1:10: the tag `!!python/object:os.system` means nothing here => remove it
    !x {version: 1.8.2}
        services/db.yaml:1:1: the tag `!x` means nothing here => remove it
    version: 1.8.2\n---\nimage: acme/web
        services/db.yaml:3:1: this file holds 2 YAML documents, it must hold one => keep one document, without `---`
    ");
}

#[test]
fn row_11_names_of_files_are_names_of_services() {
    let named = |name: &str| Revision::new().with(&format!("services/{name}.yaml"), SERVICE);
    let long = "a".repeat(300);
    assert_snapshot!(table(named, &["Checkout", "web\u{202e}\u{1b}[31m", "", "web ", "сheckout", &long]), @r"
    Checkout
        services/Checkout.yaml: `Checkout` is not a service name: it may have a-z, 0-9 and `-` only => rename the file
    web\u{202e}\u{1b}[31m
        services/web\u{202e}\u{1b}[31m.yaml: `web\u{202e}\u{1b}[31m` is not a service name: it may have a-z, 0-9 and `-` only => rename the file

        services/.yaml: `` is not a service name: it is empty => rename the file
    web 
        services/web .yaml: `web ` is not a service name: it may have a-z, 0-9 and `-` only => rename the file
    сheckout
        services/сheckout.yaml: `\u{441}heckout` is not a service name: it may have a-z, 0-9 and `-` only => rename the file
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…
        services/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.yaml: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` is not a service name: it is longer than 63 characters => rename the file
    ");
    assert_snapshot!(named("Checkout").pins(), @"web 1.8.2 ghcr.io/acme/web:1.8.2");
    assert_snapshot!(Revision::new().with("services/db.yml", SERVICE).problems(), @"services/db.yml: the files of services end in .yaml => rename it to db.yaml");
}

#[test]
fn row_32_only_regular_files_are_read() {
    let special = |content| Revision::new().with_content("services/db.yaml", content).pins();
    assert_snapshot!(special(FileContent::Symlink), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml: this is a symbolic link, which is never followed
    ");
    assert_snapshot!(special(FileContent::Submodule), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml: this is a submodule
    ");
    assert_snapshot!(db("version https://git-lfs.github.com/spec/v1\noid x\n").problems(), @"services/db.yaml: this cannot be read: a Git LFS pointer, not the file itself => keep pin files out of LFS (.gitattributes)");
    assert_snapshot!(Revision::new().with_content("pintle.yaml", FileContent::Symlink).pins(), @"all held: pintle.yaml: this is not a regular file");
}

#[test]
fn one_bad_service_stops_no_other() {
    let revision = db("version: 1.10\nimage: x/\ntag: y\n");
    assert_snapshot!(revision.pins(), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml:1:10: `1.10` is a number to YAML, not text
    ");
    assert_eq!(revision.read().problems.len(), 3, "all at once");
    assert_eq!(revision.read().unusable, None);
}

#[test]
fn endless_problems_are_cut() {
    let many: Vec<_> = (0..1000).map(|number| format!("key{number}: x")).collect();
    let problems = db(many.join("\n")).read().problems;
    assert_eq!((problems.len(), problems[0].message.as_str()), (101, "900 more problems in this file"));
}

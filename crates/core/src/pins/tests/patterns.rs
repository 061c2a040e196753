//! Pins in files of other tools. They are read by their spelling, and refused if they mean nothing.

use insta::assert_snapshot;

use super::*;

fn tag(text: &str) -> Revision {
    Revision::values(&format!("image: {{tag: {text}}}\n"))
}

fn image(text: &str) -> Revision {
    Revision::compose(&format!("services: {{web: {{image: {text}}}}}\n"))
}

#[test]
fn row_5_numbers_keep_their_spelling() {
    assert_snapshot!(tag("1.10").pins(), @"web 1.10 acme/web:1.10");
    assert_snapshot!(tag("1.10").shown(), @r#"
    warning: `1.10` is a number to YAML: other tools may read it as another one
     --> apps/web.yaml:1:14
      |
    1 | image: {tag: 1.10}
      |              ^^^^
      |
      = help: quote it: "1.10"
    "#);
    assert_snapshot!(tag("1234e56").pins(), @"web 1234e56 acme/web:1234e56");
    assert_snapshot!(table(tag, &["20260101120000", "0x10", "1694", "v1.10", "2024-01-01", "'1.10'"]), @r#"
    20260101120000
        warning: apps/web.yaml:1:14: `20260101120000` is a number to YAML: other tools may read it as another one => quote it: "20260101120000"
    0x10
        warning: apps/web.yaml:1:14: `0x10` is a number to YAML: other tools may read it as another one => quote it: "0x10"
    1694
        good
    v1.10
        good
    2024-01-01
        good
    '1.10'
        good
    "#);
}

#[test]
fn what_is_no_version_is_refused() {
    assert_snapshot!(table(tag, &["on", "", "null", "{a: b}", "[]", "'{{ .Values.x }}'", "!Ref x", "latest", "1.2.3+a", "'a b'"]), @r#"
    on
        apps/web.yaml:1:14: `on` is a boolean to YAML => quote it: "on"

        apps/web.yaml:1:9: `web` has no version here
    null
        apps/web.yaml:1:14: `web` has no version here
    {a: b}
        apps/web.yaml:1:14: the pin of `web` must be text, this is a map
    []
        apps/web.yaml:1:14: the pin of `web` must be text, this is a list
    '{{ .Values.x }}'
        apps/web.yaml:1:14: `{{ .Values.x }}` is a template, not a value => pin a plain value; Pintle fills in no variables
    !Ref x
        apps/web.yaml:1:14: the tag `!Ref` means nothing here => pin a plain value
    latest
        apps/web.yaml:1:14: `latest` names no version: what it means moves => pin what it means now
    1.2.3+a
        apps/web.yaml:1:14: `1.2.3+a` is not a version: `+` is not allowed in an image tag => use `_` instead, as Helm does, or drop the build metadata
    'a b'
        apps/web.yaml:1:14: `a b` is not a version: ' ' cannot stand in a version => write it as it was released, as in 2.1.0
    "#);
    assert_snapshot!(table(image, &["web", "'web:'", "'web:latest'", "'web:${TAG}'", "'Web:1'", "web@sha256:0", "'web:1;rm'"]), @"
    web
        compose.yaml:1:25: the image of `web` has no tag, and so no version => write one, as in name:1.8.2; a digest alone names no version
    'web:'
        compose.yaml:1:25: `web:` is not an image: `` is not a tag: up to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`, not first `.` or `-`
    'web:latest'
        compose.yaml:1:25: `latest` names no version: what it means moves => pin what it means now
    'web:${TAG}'
        compose.yaml:1:25: `web:${TAG}` is a template, not a value => pin a plain value; Pintle fills in no variables
    'Web:1'
        compose.yaml:1:25: `Web:1` is not an image: `Web` is not a repository name: only a-z, 0-9 and single `.`, `_`, `__` or dashes between them
    web@sha256:0
        compose.yaml:1:25: `web@sha256:0` is not an image: a sha256 digest has 64 digits of 0-9 and a-f, this one is `0`
    'web:1;rm'
        compose.yaml:1:25: `web:1;rm` is not an image: `1;rm` is not a tag: up to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`, not first `.` or `-`
    ");
}

#[test]
fn service_file_and_image_must_agree() {
    let both = |text: &str| image("'web:1'").with("services/web.yaml", text);
    assert_snapshot!(table(both, &["image: acme/web", "image: docker.io/library/web", "tag: v{version}"]), @r#"
    image: acme/web
        compose.yaml:1:25: the image here is not `acme/web` (services/web.yaml:1:8: as the service file says) => remove `image` from the service file
    image: docker.io/library/web
        good
    tag: v{version}
        compose.yaml:1:25: the tag `1` is not as `tag: "v{version}"` of `web` says
    "#);
}

#[test]
fn pins_that_are_not_where_they_are_looked_for_are_told() {
    assert_snapshot!(Revision::values("image:\n  tga: v1\n").shown(), @"
    error: `image.tag` leads to nothing in this file: there is no `tag` here
     --> apps/web.yaml:2:3
      |
    2 |   tga: v1
      |   ^
      |
      = help: did you mean `tga`?

    warning: this pattern pins nothing: `image.tag` leads to nothing in apps/web.yaml
     --> pintle.yaml:2:44
      |
    2 | pins: [{files: 'apps/{service}.yaml', key: image.tag, image: 'acme/{service}'}]
      |                                            ^^^^^^^^^
      |
     ::: apps/web.yaml:2:3
      |
    2 |   tga: v1
      |   - there is no `tag` here
      |
      = help: did you mean `tga`?
    ");
    assert_snapshot!(table(Revision::values, &["[]", "image: [tag]", "images: {tag: v1}"]), @"
    []
        apps/web.yaml:1:1: `image.tag` leads to nothing in this file: there is no `image` here => correct the key, or keep the file out of `files`
        warning: pintle.yaml:2:44: this pattern pins nothing: `image.tag` leads to nothing in apps/web.yaml (apps/web.yaml:1:1: there is no `image` here) => correct the key, or narrow `files`
    image: [tag]
        apps/web.yaml:1:8: `image.tag` leads to nothing in this file: there is no `tag` here => correct the key, or keep the file out of `files`
        warning: pintle.yaml:2:44: this pattern pins nothing: `image.tag` leads to nothing in apps/web.yaml (apps/web.yaml:1:8: there is no `tag` here) => correct the key, or narrow `files`
    images: {tag: v1}
        apps/web.yaml:1:1: `image.tag` leads to nothing in this file: there is no `image` here => did you mean `images`?
        warning: pintle.yaml:2:44: this pattern pins nothing: `image.tag` leads to nothing in apps/web.yaml (apps/web.yaml:1:1: there is no `image` here) => did you mean `images`?
    ");
    assert_snapshot!(Revision::compose("servcies: {web: {image: 'web:1'}}\n").problems(), @"
    pintle.yaml: 0 pins: this revision pins no service => pin one in services/NAME.yaml; if none is meant, write `allowEmpty: true` into pintle.yaml
    warning: pintle.yaml:2:35: this pattern pins nothing: `services.{service}.image` leads to nothing in compose.yaml (compose.yaml:1:1: there is no `services` here) => did you mean `servcies`?
    ");
}

#[test]
fn a_pattern_that_matches_no_file_is_told_with_what_there_is() {
    let with = |pattern: &str| {
        Revision::new()
            .with_settings(&format!("pins: [{{{pattern}, key: '{{service}}.tag'}}]\n"))
            .with("apps/db/overlays/prod/values.yaml", "")
            .with("apps/db/overlays/dev/values.yaml", "")
            .with("compose.yaml", "")
    };
    assert_snapshot!(with("files: app/*/overlays/prod/values.yaml").shown(), @"
    warning: this pattern pins nothing: no file matches `app/*/overlays/prod/values.yaml`
     --> pintle.yaml:2:16
      |
    2 | pins: [{files: app/*/overlays/prod/values.yaml, key: '{service}.tag'}]
      |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: there is no `app`; did you mean `apps`?
    ");
    assert_snapshot!(table(with, &[
        "files: 'apps/{service}/overlays/production/values.yaml'",
        "files: 'apps/{service}/overlays/prod/values.yml'",
        "files: docker-compose.yaml",
        "files: compose.yml",
        "files: compose.yaml/x.yaml",
    ]), @"
    files: 'apps/{service}/overlays/production/values.yaml'
        warning: pintle.yaml:2:16: this pattern pins nothing: no file matches `apps/{service}/overlays/production/values.yaml` => there is no `apps/db/overlays/production`; there are `dev`, `prod`
    files: 'apps/{service}/overlays/prod/values.yml'
        warning: pintle.yaml:2:16: this pattern pins nothing: no file matches `apps/{service}/overlays/prod/values.yml` => there is no `apps/db/overlays/prod/values.yml`; did you mean `values.yaml`?
    files: docker-compose.yaml
        warning: pintle.yaml:2:16: this pattern pins nothing: no file matches `docker-compose.yaml` => there is no `docker-compose.yaml`; there are `apps`, `compose.yaml`, `pintle.yaml`, `services`
    files: compose.yml
        warning: pintle.yaml:2:16: this pattern pins nothing: no file matches `compose.yml` => there is no `compose.yml`; did you mean `compose.yaml`?
    files: compose.yaml/x.yaml
        warning: pintle.yaml:2:16: this pattern pins nothing: no file matches `compose.yaml/x.yaml` => there is no `compose.yaml/x.yaml`
    ");
}

#[test]
fn a_key_that_leads_nowhere_is_told_once_where_no_file_has_it() {
    let files = |first: &str, second: &str| {
        Revision::new()
            .with_settings("pins: [{files: 'deploy/*.yaml', key: 'images[name={service}].newTag', image: x}]\n")
            .with("deploy/eu.yaml", first)
            .with("deploy/us.yaml", second)
    };
    let good = "images: [{name: db, newTag: v1}]";
    assert_snapshot!(files("imags: []", "image: []").problems(), @"warning: pintle.yaml:2:38: this pattern pins nothing: `images[name={service}].newTag` leads to nothing in any of the 2 files that match (deploy/eu.yaml:1:1: there is no `images` here) => did you mean `imags`?");
    assert_snapshot!(files(good, "imags: []").problems(), @"warning: deploy/us.yaml:1:1: `images[name={service}].newTag` leads to nothing in this file: there is no `images` here => did you mean `imags`?");
    assert_snapshot!(files("imags: []", "]").problems(), @"
    warning: deploy/eu.yaml:1:1: `images[name={service}].newTag` leads to nothing in this file: there is no `images` here => did you mean `imags`?
    deploy/us.yaml:1:1: this cannot be read: misplaced bracket
    ");
    assert_eq!(files(good, "{}").read().pins.services.len(), 2, "the others are pinned all the same");
}

#[test]
fn the_wanted_item_of_a_list_is_named_with_those_that_are_there() {
    let revision = Revision::new()
        .with_settings("pins: [{files: '{service}/k.yaml', key: 'images[name=acme/{service}].newTag'}]\n")
        .with("db/k.yaml", "images: [{name: ghcr.io/acme/db, newTag: v1}]");
    assert_snapshot!(revision.problems(), @"
    db/k.yaml:1:9: `images[name=acme/db].newTag` leads to nothing in this file: there is no `[name=acme/db]` here => there is `ghcr.io/acme/db`
    warning: pintle.yaml:2:41: this pattern pins nothing: `images[name=acme/{service}].newTag` leads to nothing in db/k.yaml (db/k.yaml:1:9: there is no `[name=acme/db]` here) => there is `ghcr.io/acme/db`
    ");
}

#[test]
fn names_of_other_tools_need_not_be_names_of_services() {
    assert_snapshot!(Revision::compose("services: {my_db: {image: 'db:1'}, web: {image: 'w:1'}}\n").problems(), @"warning: compose.yaml:1:20: not pinned: `my_db` is not a service name: it may have a-z, 0-9 and `-` only");
    let pins = "pins: [{files: 'apps/{service}.yaml', key: a}]\n";
    assert_snapshot!(Revision::new().with("apps/Up.yaml", "a: 1").with_settings(pins).problems(), @"warning: apps/Up.yaml: not pinned: `Up` is not a service name: it may have a-z, 0-9 and `-` only => rename it, or narrow `files` in pintle.yaml");
}

#[test]
fn a_digest_beside_a_tag_of_kustomize_would_win() {
    let revision = Revision::empty()
        .with_settings("pins: [{files: k.yaml, key: 'images[name={service}].newTag'}]\n")
        .with("k.yaml", "images: [{name: web, newTag: v1, digest: 'sha256:0'}]\n");
    assert_snapshot!(revision.problems(), @"k.yaml:1:30: `digest` stands beside this tag, and Kustomize takes the digest => remove `digest`, or `newTag`");
}

#[test]
fn a_service_without_pin_is_told() {
    let only = |text: &str| Revision::new().with("services/web.yaml", text);
    assert_snapshot!(table(only, &[
        "image: acme/web",
        "image: acme/web\npin: {file: gone.yaml, key: tag}",
        "image: acme/web\npin: {file: '*.yaml', key: tag}",
        "image: acme/web\npin: {file: pintle.yaml, key: soak}",
        "version: 1.8.2",
    ]), @r#"
    image: acme/web
        services/web.yaml: `web` has no version => write `version: "…"`, or `pin: {file: …, key: …}`, or remove the file
    image: acme/web\npin: {file: gone.yaml, key: tag}
        services/web.yaml:2:13: `web` has no pin: there is no gone.yaml => correct `file`
    image: acme/web\npin: {file: '*.yaml', key: tag}
        services/web.yaml:2:13: `*.yaml` is not a file => name one file; patterns stand in `pins:` of pintle.yaml
    image: acme/web\npin: {file: pintle.yaml, key: soak}
        services/web.yaml:2:13: `pintle.yaml` holds settings, not pins => name another file
    version: 1.8.2
        services/web.yaml:1:10: nothing says the image of `web` => write `image:` into services/web.yaml, or `image` into the pattern
    "#);
}

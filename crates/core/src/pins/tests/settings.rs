//! Errors in `pintle.yaml`.

use insta::assert_snapshot;

use super::*;

fn settings(lines: &str) -> Revision {
    Revision::new().with_settings(&format!("{lines}\n"))
}

fn pattern(entry: &str) -> Revision {
    settings(&format!("pins: [{entry}]"))
}

#[test]
fn row_10_another_version_of_the_settings_holds_all() {
    let other = |text: &str| Revision::new().with("pintle.yaml", text);
    assert_snapshot!(table(other, &["apiVersion: pintle.dev/v2\nfuture: [x]", "apiVersion: v1", "namespace: shop", "apiVersion: 1"]), @r#"
    apiVersion: pintle.dev/v2\nfuture: [x]
        pintle.yaml:1:13: `pintle.dev/v2` is not an apiVersion that this version of Pintle reads => a newer Pintle may; Pintle 0.1.0 reads pintle.dev/v1alpha1
    apiVersion: v1
        pintle.yaml:1:13: `v1` is not an apiVersion that this version of Pintle reads => Pintle 0.1.0 reads pintle.dev/v1alpha1
    namespace: shop
        pintle.yaml:1:1: `apiVersion` is missing => add `apiVersion: pintle.dev/v1alpha1`
    apiVersion: 1
        pintle.yaml:1:13: `1` is a number to YAML, not text => quote it: "1"
    "#);
    assert_snapshot!(other("apiVersion: pintle.dev/v2\n").pins(), @"all held: pintle.yaml:1:13: `pintle.dev/v2` is not an apiVersion that this version of Pintle reads");
}

#[test]
fn settings_are_strict() {
    assert_snapshot!(settings("writes: git\nextends: x\nsaok: 5m").problems(), @"
    pintle.yaml:2:9: `writes: git` is not read by this version of Pintle => use `writes: image`, and let Pintle own the image fields
    pintle.yaml:3:1: `extends` is not read by this version of Pintle => keep all settings in this file for now
    pintle.yaml:4:1: `saok` is not a key of pintle.yaml => did you mean `soak`?
    ");
    assert_snapshot!(table(settings, &["instance: Prod", "runtime: docker", "unseen: wran", "allowEmpty: 1", "writes: imgae", "pins: {}"]), @"
    instance: Prod
        pintle.yaml:2:11: `Prod` is not a name for `instance`: it may have a-z, 0-9 and `-` only
    runtime: docker
        pintle.yaml:2:10: `runtime` is `docker`, it must be one of kubernetes, local
    unseen: wran
        pintle.yaml:2:9: `unseen` is `wran`, it must be one of ignore, warn, refuse => did you mean `warn`?
    allowEmpty: 1
        pintle.yaml:2:13: `allowEmpty` is `1`, it must be one of true, false
    writes: imgae
        pintle.yaml:2:9: `writes` is `imgae`, it must be one of image, git => did you mean `image`?
    pins: {}
        pintle.yaml:2:7: `pins` must be a list of patterns, this is a map => begin each of them with `- `
    ");
    assert_snapshot!(table(settings, &["soak: 31d", "drift: {handGrace: 8d}", "lockstep: [[web]]", "lockstep: [web]", "lockstep: []"]), @"
    soak: 31d
        pintle.yaml:2:7: `soak` is 31d, it must be 0s to 30d
    drift: {handGrace: 8d}
        pintle.yaml:2:20: `handGrace` is 8d, it must be 0s to 7d
    lockstep: [[web]]
        pintle.yaml:2:12: a lockstep group has two services or more
    lockstep: [web]
        pintle.yaml:2:12: `lockstep` must be a list of services, this is text
    lockstep: []
        good
    ");
}

#[test]
fn row_32_patterns_stay_inside_the_repository() {
    assert_snapshot!(pattern("{files: ../x.yaml, key: '{service}'}").shown(), @"
    error: `..` cannot be a part of the path `../x.yaml`
     --> pintle.yaml:2:16
      |
    2 | pins: [{files: ../x.yaml, key: '{service}'}]
      |                ^^^^^^^^^
      |
      = help: write it as in apps/web/values.yaml
    ");
    assert_snapshot!(table(pattern, &[
        "{files: /x.yaml, key: '{service}'}",
        "{files: a/.git/x.yaml, key: '{service}'}",
        "{files: '{service}/pom.xml', key: a}",
        "{files: '**/x.yaml', key: '{service}'}",
        "{files: '{name}.yaml', key: '{service}'}",
    ]), @"
    {files: /x.yaml, key: '{service}'}
        pintle.yaml:2:16: `/x.yaml` is not a path below the pin repository's folder => write it as in apps/web/values.yaml
    {files: a/.git/x.yaml, key: '{service}'}
        pintle.yaml:2:16: `.git` cannot be a part of the path `a/.git/x.yaml` => write it as in apps/web/values.yaml
    {files: '{service}/pom.xml', key: a}
        pintle.yaml:2:16: this version of Pintle reads pins from YAML, not from `{service}/pom.xml` => keep `version:` in services/NAME.yaml for now
    {files: '**/x.yaml', key: '{service}'}
        pintle.yaml:2:16: `**` is not understood: `*` stands for one name, write one for each folder
    {files: '{name}.yaml', key: '{service}'}
        pintle.yaml:2:16: `{name}.yaml` is not understood: `{service}` and `*` are
    ");
}

#[test]
fn patterns_say_which_services_they_pin() {
    assert_snapshot!(table(pattern, &[
        "{files: a.yaml, key: b}",
        "{file: a.yaml}",
        "{files: x.yaml, key: 'a..{service}', as: tag}",
        "{files: x.yaml, key: '{service}[x]'}",
        "{files: x.yaml, key: '{service}', as: image, image: 'acme/web:1'}",
        "{files: x.yaml, key: '{service}', image: '{service}{service}'}",
        "{files: x.yaml, key: '{service}', also: x}",
    ]), @r#"
    {files: a.yaml, key: b}
        pintle.yaml:2:8: this pattern does not say which services it pins => write `{service}` in `files` or `key`, or put a `pin:` into the file of the service
    {file: a.yaml}
        pintle.yaml:2:8: `files` is missing
        pintle.yaml:2:8: `key` is missing
        pintle.yaml:2:9: `file` is not a key of an entry of `pins` => did you mean `files`?
    {files: x.yaml, key: 'a..{service}', as: tag}
        pintle.yaml:2:31: a key is missing here
        pintle.yaml:2:49: `as` is `tag`, it must be one of version, image
    {files: x.yaml, key: '{service}[x]'}
        pintle.yaml:2:39: `[x]` is neither [0], ["key"] nor [name=value]
    {files: x.yaml, key: '{service}', as: image, image: 'acme/web:1'}
        pintle.yaml:2:60: `acme/web:1` has a tag, `1`: the version is pinned elsewhere => write a repository without tag, as in `ghcr.io/acme/checkout`
        pintle.yaml:2:60: `as: image` reads the repository from the value too => remove `image`
    {files: x.yaml, key: '{service}', image: '{service}{service}'}
        pintle.yaml:2:49: `{service}` stands twice in `{service}{service}` => write a repository without tag, as in `ghcr.io/acme/checkout`
    {files: x.yaml, key: '{service}', also: x}
        pintle.yaml:2:42: `also` is not read by this version of Pintle => change the places that move with the pin in the same commit for now
    "#);
}

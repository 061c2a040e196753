//! Errors in service files.

use insta::assert_snapshot;

use super::*;

/// Returns a valid service file with one more line.
fn line(line: &str) -> Revision {
    Revision::new().with("services/web.yaml", format!("{SERVICE}{line}\n"))
}

/// Returns a service file of these lines alone.
fn only(lines: &str) -> Revision {
    Revision::new().with("services/web.yaml", lines)
}

fn version(text: &str) -> Revision {
    only(&format!("version: {text}\nimage: acme/web\n"))
}

#[test]
fn row_4_unknown_keys_are_told_with_what_is_meant() {
    assert_snapshot!(only("verison: 1.8.2\nimage: acme/web\n").shown(), @"
    error: `verison` is not a key of a service file
     --> services/web.yaml:1:1
      |
    1 | verison: 1.8.2
      | ^^^^^^^
      |
      = help: did you mean `version`?
    ");
    assert_snapshot!(table(line, &["replicas: 3", "also: [x]", "extends: x", "verify: {checks: [], timeuot: 5m}", "? [a]\n: b"]), @r"
    replicas: 3
        services/web.yaml:3:1: `replicas` is not a key of a service file => the keys are version, image, tag, digest, pin, dependsOn, workloads, containers, namespace, versioning, verify, hold, rollbackFloor, drift, external, formerly, local
    also: [x]
        services/web.yaml:3:1: `also` is not read by this version of Pintle => change the places that move with the pin in the same commit for now
    extends: x
        services/web.yaml:3:1: `extends` is not read by this version of Pintle => write the keys into each service file for now
    verify: {checks: [], timeuot: 5m}
        services/web.yaml:3:10: `checks` is not read by this version of Pintle => services are verified by the health of their workloads for now
        services/web.yaml:3:22: `timeuot` is not a key of `verify` => did you mean `timeout`?
    ? [a]\n: b
        services/web.yaml:3:3: a key of a service file must be text, this is a list
    ");
    assert_snapshot!(only("- version: 1.8.2\n").problems(), @"services/web.yaml:1:1: a service file must be a map, this is a list => the keys are version, image, tag, digest, pin, dependsOn, workloads, containers, namespace, versioning, verify, hold, rollbackFloor, drift, external, formerly, local");
}

#[test]
fn row_5_versions_are_text_to_every_parser() {
    assert_snapshot!(version("1.10").shown(), @r#"
    error: `1.10` is a number to YAML, not text
     --> services/web.yaml:1:10
      |
    1 | version: 1.10
      |          ^^^^
      |
      = help: quote it: "1.10"
    "#);
    assert_snapshot!(table(version, &["1e3", "0x10", "2", "on", "null", "~", "", "[1.8]", "{a: b}", "2024-01-01", "'1.10'"]), @r#"
    1e3
        services/web.yaml:1:10: `1e3` is a number to YAML, not text => quote it: "1e3"
    0x10
        services/web.yaml:1:10: `0x10` is a number to YAML, not text => quote it: "0x10"
    2
        services/web.yaml:1:10: `2` is a number to YAML, not text => quote it: "2"
    on
        services/web.yaml:1:10: `on` is a boolean to YAML, not text => quote it: "on"
    null
        services/web.yaml:1:10: `version` has no value => write one, or remove the key
    ~
        services/web.yaml:1:10: `version` has no value => write one, or remove the key

        services/web.yaml:1:1: `version` has no value => write one, or remove the key
    [1.8]
        services/web.yaml:1:10: `version` must be text, this is a list
    {a: b}
        services/web.yaml:1:10: `version` must be text, this is a map
    2024-01-01
        good
    '1.10'
        good
    "#);
    assert_snapshot!(table(line, &["hold: {above: 1.7}", "rollbackFloor: 1", "dependsOn: {db: {1.0: '*'}}"]), @r#"
    hold: {above: 1.7}
        services/web.yaml:3:15: `1.7` is a number to YAML, not text => quote it: "1.7"
    rollbackFloor: 1
        services/web.yaml:3:16: `1` is a number to YAML, not text => quote it: "1"
    dependsOn: {db: {1.0: '*'}}
        services/web.yaml:3:13: `web` depends on `db`, which nothing declares => declare it in services/db.yaml, with `external: true` if it is deployed elsewhere
        services/web.yaml:3:18: `1.0` is a number to YAML, not text => quote it: "1.0"
    "#);
}

#[test]
fn a_list_of_needs_holds_names() {
    assert_snapshot!(line("dependsOn: [db: '>=1', 2]").problems(), @r#"
    services/web.yaml:3:13: a list of `dependsOn` holds names only, this is a map => write a map without `- `, as in `dependsOn: {payments: ">=2.1"}`
    services/web.yaml:3:24: `2` is a number to YAML, not text => quote it: "2"
    "#);
}

#[test]
fn row_11_names_are_dns_labels() {
    assert_snapshot!(table(line, &["dependsOn: [Db, '', 'x ']", "dependsOn: {Db: '*'}", "formerly: web", "formerly: ../x"]), @"
    dependsOn: [Db, '', 'x ']
        services/web.yaml:3:13: `Db` is not a service name: it may have a-z, 0-9 and `-` only
        services/web.yaml:3:17: `` is not a service name: it is empty
        services/web.yaml:3:21: `x ` is not a service name: it may have a-z, 0-9 and `-` only
    dependsOn: {Db: '*'}
        services/web.yaml:3:13: `Db` is not a service name: it may have a-z, 0-9 and `-` only
    formerly: web
        services/web.yaml:3:11: `formerly` is the name that this service has => remove it
    formerly: ../x
        services/web.yaml:3:11: `../x` is not a service name: it may have a-z, 0-9 and `-` only
    ");
    assert_snapshot!(table(line, &["namespace: Shop", "containers: [a_b]", "containers: app", "containers: []"]), @"
    namespace: Shop
        services/web.yaml:3:12: `Shop` is not a name for `namespace`: it may have a-z, 0-9 and `-` only
    containers: [a_b]
        services/web.yaml:3:14: `a_b` is not a name for `containers`: it may have a-z, 0-9 and `-` only
    containers: app
        services/web.yaml:3:13: `containers` must be a list of container names, this is text => write `containers: [app]`
    containers: []
        services/web.yaml:3:13: `containers` must be a list of container names, this is empty
    ");
}

#[test]
fn rows_12_and_14_images_are_read_by_the_grammar() {
    let image = |text: &str| only(&format!("version: 1.8.2\nimage: {text}\n"));
    assert_snapshot!(table(image, &["ghcr.io/Acme/web", "ghcr.io/acme/web:1.8.2", "a@sha256:0", "1.8", "a b", "\"\""]), @r#"
    ghcr.io/Acme/web
        services/web.yaml:2:8: `ghcr.io/Acme/web` is not a repository: `Acme` is not a repository name: only a-z, 0-9 and single `.`, `_`, `__` or dashes between them => write the repository only, as in `ghcr.io/acme/checkout`, and the version under `version`
    ghcr.io/acme/web:1.8.2
        services/web.yaml:2:8: `ghcr.io/acme/web:1.8.2` has a tag, `1.8.2`: the version is pinned elsewhere => write the repository only, as in `ghcr.io/acme/checkout`, and the version under `version`
    a@sha256:0
        services/web.yaml:2:8: `a@sha256:0` is not a repository: a sha256 digest has 64 digits of 0-9 and a-f, this one is `0` => write the repository only, as in `ghcr.io/acme/checkout`, and the version under `version`
    1.8
        services/web.yaml:2:8: `1.8` is a number to YAML, not text => quote it: "1.8"
    a b
        services/web.yaml:2:8: `a b` is not a repository: `a b` is not a repository name: only a-z, 0-9 and single `.`, `_`, `__` or dashes between them => write the repository only, as in `ghcr.io/acme/checkout`, and the version under `version`
    ""
        services/web.yaml:2:8: `` is not a repository: there is no repository in it => write the repository only, as in `ghcr.io/acme/checkout`, and the version under `version`
    "#);
    assert_snapshot!(table(version, &["1.8.2;rm", "-rf"]), @"
    1.8.2;rm
        services/web.yaml:1:10: this makes no image: `1.8.2;rm` is not a tag: up to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`, not first `.` or `-`
    -rf
        services/web.yaml:1:10: this makes no image: `-rf` is not a tag: up to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`, not first `.` or `-`
    ");
    assert_snapshot!(table(line, &["digest: sha256:abc", "digest: md5:abc", "tag: v1", "tag: '{version}{version}'"]), @r#"
    digest: sha256:abc
        services/web.yaml:3:9: a sha256 digest has 64 digits of 0-9 and a-f, this one is `abc`
    digest: md5:abc
        services/web.yaml:3:9: `md5` is not a digest algorithm: sha256 and sha512 are
    tag: v1
        services/web.yaml:3:6: `v1` must hold `{version}` once, and no other braces => write it as in `tag: "v{version}"`
    tag: '{version}{version}'
        services/web.yaml:3:6: `{version}{version}` must hold `{version}` once, and no other braces => write it as in `tag: "v{version}"`
    "#);
}

#[test]
fn rows_13_15_and_16_a_pin_is_one_version() {
    assert_snapshot!(table(version, &["latest", "main", "release-main"]), @"
    latest
        services/web.yaml:1:10: `latest` names no version: what it means moves => pin what it means now
    main
        services/web.yaml:1:10: `main` names no version: what it means moves => pin what it means now
    release-main
        good
    ");
    assert_snapshot!(table(version, &["^1.2", "'>=1.2, <2'", "1.2.3+a", "'1.8 .2'", "''", "v1.2", "1.2.3-", "01.2.3"]), @"
    ^1.2
        services/web.yaml:1:10: `^1.2` is not a version: `^` belongs to ranges: a pin is one version, not a range => name the one version that is to run
    '>=1.2, <2'
        services/web.yaml:1:10: `>=1.2, <2` is not a version: `>` belongs to ranges: a pin is one version, not a range => name the one version that is to run
    1.2.3+a
        services/web.yaml:1:10: `1.2.3+a` is not a version: `+` is not allowed in an image tag => use `_` instead, as Helm does, or drop the build metadata
    '1.8 .2'
        services/web.yaml:1:10: `1.8 .2` is not a version: ' ' cannot stand in a version => write it as it was released, as in 2.1.0
    ''
        services/web.yaml:1:10: `` is not a version: a version cannot be empty => write it as it was released, as in 2.1.0
    v1.2
        good
    1.2.3-
        good
    01.2.3
        good
    ");
}

#[test]
fn needs_are_ranges() {
    assert_snapshot!(line("dependsOn: {db: '>=2.1, 3'}").shown(), @"
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
    assert_snapshot!(table(line, &["dependsOn: {web: }", "dependsOn: web", "dependsOn: {x: {}}", "dependsOn: {x: {'1.0': 2}}"]), @r#"
    dependsOn: {web: }
        services/web.yaml:3:13: `web` cannot depend on itself => remove it
    dependsOn: web
        services/web.yaml:3:12: `dependsOn` is text, it must be a list of services or a map => write `dependsOn: [payments]`, or `dependsOn: {payments: ">=2.1"}`
    dependsOn: {x: {}}
        services/web.yaml:3:13: `web` depends on `x`, which nothing declares => declare it in services/x.yaml, with `external: true` if it is deployed elsewhere
        services/web.yaml:3:16: the table of `x` is empty => write it as in {"1.8": "^1.4"}
    dependsOn: {x: {'1.0': 2}}
        services/web.yaml:3:13: `web` depends on `x`, which nothing declares => declare it in services/x.yaml, with `external: true` if it is deployed elsewhere
        services/web.yaml:3:24: `2` does not say which versions it means => write `^2` for 2 or newer, below 3; `=2` for this version alone
    "#);
    assert_snapshot!(table(line, &["dependsOn: {x: [a]}", "dependsOn: {x: {'^1': '*', '1.0': '*', '1.0': '*'}}"]), @"
    dependsOn: {x: [a]}
        services/web.yaml:3:13: `web` depends on `x`, which nothing declares => declare it in services/x.yaml, with `external: true` if it is deployed elsewhere
        services/web.yaml:3:16: `x` must be text, this is a list
    dependsOn: {x: {'^1': '*', '1.0': '*', '1.0': '*'}}
        services/web.yaml:3:13: `web` depends on `x`, which nothing declares => declare it in services/x.yaml, with `external: true` if it is deployed elsewhere
        services/web.yaml:3:17: `^1` is not a version: `^` belongs to ranges: a pin is one version, not a range => name the one version that is to run
        services/web.yaml:3:40: `1.0` stands twice in the table of `x` (services/web.yaml:3:28: first here) => remove one of them
    ");
}

#[test]
fn row_19_other_kinds_of_workload_are_named() {
    assert_snapshot!(table(line, &["workloads: [cronjob/x, web, deploymnet/x, deployment/]", "workloads: []", "workloads: [1]"]), @r#"
    workloads: [cronjob/x, web, deploymnet/x, deployment/]
        services/web.yaml:3:13: Pintle does not write to a cronjob => it writes to deployment/NAME, statefulset/NAME and daemonset/NAME
        services/web.yaml:3:24: `web` does not say the kind of the workload => it writes to deployment/NAME, statefulset/NAME and daemonset/NAME
        services/web.yaml:3:29: `deploymnet` is not a kind of workload => it writes to deployment/NAME, statefulset/NAME and daemonset/NAME
        services/web.yaml:3:43: `` cannot be the name of a workload
    workloads: []
        services/web.yaml:3:12: `workloads` must be a list of workloads as in deployment/checkout, this is empty
    workloads: [1]
        services/web.yaml:3:13: `1` is a number to YAML, not text => quote it: "1"
    "#);
}

#[test]
fn row_25_durations_have_units_and_bounds() {
    let timeout = |text: &str| line(&format!("verify: {{timeout: {text}}}"));
    assert_snapshot!(table(timeout, &["5", "0s", "-1s", "1y", "25h", "1000000000000000000h", "0", "[5m]"]), @"
    5
        services/web.yaml:3:19: `5` is not a duration: `5` has no unit => write it as in 90s, 10m or 1h30m, from 1s to 24h
    0s
        services/web.yaml:3:19: `timeout` is 0s, it must be 1s to 24h
    -1s
        services/web.yaml:3:19: `-1s` is not a duration: there is no number before `-1s` => write it as in 90s, 10m or 1h30m, from 1s to 24h
    1y
        services/web.yaml:3:19: `1y` is not a duration: `y` is not one of the units d, h, m, s, in this order => write it as in 90s, 10m or 1h30m, from 1s to 24h
    25h
        services/web.yaml:3:19: `timeout` is 25h, it must be 1s to 24h
    1000000000000000000h
        services/web.yaml:3:19: `1000000000000000000h` is not a duration: it is longer than time itself => write it as in 90s, 10m or 1h30m, from 1s to 24h
    0
        services/web.yaml:3:19: `0` is not a duration: `0` has no unit => write it as in 90s, 10m or 1h30m, from 1s to 24h
    [5m]
        services/web.yaml:3:19: `timeout` must be text, this is a list
    ");
}

#[test]
fn a_hold_says_which_versions_and_until_when() {
    assert_snapshot!(table(line, &[
        "hold: {}",
        "hold: {above: 1.8.0, versions: '>1'}",
        "hold: {above: 1.8.0, until: tomorrow}",
        "hold: {versions: '1.8'}",
        "hold: {above: '^1'}",
        "hold: yes",
    ]), @r#"
    hold: {}
        services/web.yaml:3:7: `hold` needs one of `above` and `versions` => write `above: "1.7.9"`, or `versions: ">=1.8, <1.8.4"`
    hold: {above: 1.8.0, versions: '>1'}
        services/web.yaml:3:7: `hold` needs one of `above` and `versions` => write `above: "1.7.9"`, or `versions: ">=1.8, <1.8.4"`
    hold: {above: 1.8.0, until: tomorrow}
        services/web.yaml:3:29: `tomorrow` is not a time => write it as in 2026-12-01T00:00Z
    hold: {versions: '1.8'}
        services/web.yaml:3:19: `1.8` does not say which versions it means => write `^1.8` for 1.8 or newer, below 2; `=1.8` for this version alone
    hold: {above: '^1'}
        services/web.yaml:3:15: `^1` is not a version: `^` belongs to ranges: a pin is one version, not a range => name the one version that is to run
    hold: yes
        services/web.yaml:3:7: `hold` must be a map, this is text => the keys are above, versions, reason, by, until
    "#);
}

#[test]
fn choices_are_told() {
    assert_snapshot!(table(line, &["versioning: semvar", "external: yes", "drift: {policy: reprot}", "drift: {schedule: hourly}"]), @"
    versioning: semvar
        services/web.yaml:3:13: `versioning` is `semvar`, it must be one of semver, maven, history => did you mean `semver`?
    external: yes
        services/web.yaml:3:11: `external` is `yes`, it must be one of true, false
    drift: {policy: reprot}
        services/web.yaml:3:17: `policy` is `reprot`, it must be one of correct, report, schedule => did you mean `report`?
    drift: {schedule: hourly}
        services/web.yaml:3:9: `schedule` is not read by this version of Pintle => the schedule is a flag of the controller: `--schedule`
    ");
}

#[test]
fn what_runs_locally_is_a_process_or_four_commands() {
    assert_snapshot!(table(line, &[
        "local: {run: ./web, port: 0}",
        "local: {start: [up], port: 80}",
        "local: {run: [./web], health: {http: /x}, stop: [x]}",
        "local: {run: [./web], port: 80, health: {http: x, tcp: true}}",
        "local: {run: [./web], port: 80, health: {http: x}}",
        "local: {run: [./web], port: 80, health: {tcp: no}, env: {A: b}}",
    ]), @"
    local: {run: ./web, port: 0}
        services/web.yaml:3:14: `run` must be a list of a program and its arguments, this is text => write `run: [./web]`
        services/web.yaml:3:27: `0` is not a port, 1 to 65535
    local: {start: [up], port: 80}
        services/web.yaml:3:8: `local` lacks `stop`, `version` => use `run`, `port`, `health` and `rolling` for a process, or `start`, `stop`, `version` and `health` for four commands
        services/web.yaml:3:22: `port` does not go with the other keys of `local` => use `run`, `port`, `health` and `rolling` for a process, or `start`, `stop`, `version` and `health` for four commands
    local: {run: [./web], health: {http: /x}, stop: [x]}
        services/web.yaml:3:31: this way to ask for health needs a port => add `port`
        services/web.yaml:3:43: `stop` does not go with the other keys of `local` => use `run`, `port`, `health` and `rolling` for a process, or `start`, `stop`, `version` and `health` for four commands
    local: {run: [./web], port: 80, health: {http: x, tcp: true}}
        services/web.yaml:3:41: `health` needs one of `http`, `tcp` and `command`
    local: {run: [./web], port: 80, health: {http: x}}
        services/web.yaml:3:48: `x` is not a path => write it as in /healthz
    local: {run: [./web], port: 80, health: {tcp: no}, env: {A: b}}
        services/web.yaml:3:47: `tcp` is `no`, it must be one of true
        services/web.yaml:3:52: `env` is not read by this version of Pintle => set it in `run`, as in [env, NAME=value, ./checkout]
    ");
}

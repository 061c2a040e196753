//! Problems between the files of a revision.

use insta::assert_snapshot;

use super::*;

#[test]
fn row_3_a_service_is_pinned_once() {
    let both = Revision::compose("services: {web: {image: 'acme/web:1'}}\n").with("services/web.yaml", SERVICE);
    assert_snapshot!(both.shown(), @r#"
    error: `web` is pinned twice
     --> compose.yaml:1:25
      |
    1 | services: {web: {image: 'acme/web:1'}}
      |                         ^^^^^^^^^^^^
      |
     ::: services/web.yaml:1:10
      |
    1 | version: "1.8.2"
      |          ------- first pinned here
      |
      = help: keep one of them
    "#);
    assert_snapshot!(both.pins(), @"web held: compose.yaml:1:25: `web` is pinned twice");
    assert_snapshot!(Revision::values("image: {tag: v1}\n---\nimage: {tag: v2}\n").problems(), @"apps/web.yaml:3:14: `web` is pinned twice (apps/web.yaml:1:14: first pinned here) => keep one of them");
    let own = Revision::new().with("services/web.yaml", format!("{SERVICE}pin: {{file: x.yaml, key: a}}\n"));
    assert_snapshot!(own.problems(), @"services/web.yaml:3:1: this service is pinned twice (services/web.yaml:1:1: first pinned here) => keep one of `version` and `pin`");
}

#[test]
fn row_3_a_key_stands_once() {
    let twice = "version: 1.8.2\nimage: acme/web\nversion: 1.8.3\n";
    assert_snapshot!(Revision::new().with("services/web.yaml", twice).shown(), @"
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
    assert_snapshot!(Revision::compose("services:\n  web: {image: 'a/w:1'}\n  web: {image: 'a/w:2'}\n").problems(), @"compose.yaml:3:16: `web` is pinned twice (compose.yaml:2:16: first pinned here) => keep one of them");
    assert_snapshot!(Revision::values("image:\n  tag: v1\n  tag: v2\n").problems(), @"apps/web.yaml:3:3: `image.tag` stands twice for `web` (apps/web.yaml:2:3: first here) => remove one of them");
}

#[test]
fn two_patterns_may_find_the_same_pin() {
    let pins =
        "pins:\n- {files: 'a/{service}.yaml', key: v, image: x}\n- {files: '*/{service}.yaml', key: v, image: x}\n";
    let revision = Revision::empty().with_settings(pins).with("a/web.yaml", "v: 1.8.2\n");
    assert_eq!((revision.problems().as_str(), revision.pins().as_str()), ("", "web 1.8.2 x:1.8.2"));
}

#[test]
fn row_21_what_a_service_needs_is_declared() {
    let needs = |text: &str| Revision::new().with("services/payments.yaml", format!("{SERVICE}dependsOn: {text}\n"));
    assert_snapshot!(table(needs, &["[wbe, db]", "[payments]", "[web, web]", "{wbe: '*'}", "[paymenst]"]), @"
    [wbe, db]
        services/payments.yaml:3:13: `payments` depends on `wbe`, which nothing declares => did you mean `web`?
        services/payments.yaml:3:18: `payments` depends on `db`, which nothing declares => declare it in services/db.yaml, with `external: true` if it is deployed elsewhere
    [payments]
        services/payments.yaml:3:13: `payments` cannot depend on itself => remove it
    [web, web]
        warning: services/payments.yaml:3:18: `web` stands twice in `dependsOn` => remove one of them
    {wbe: '*'}
        services/payments.yaml:3:13: `payments` depends on `wbe`, which nothing declares => did you mean `web`?
    [paymenst]
        services/payments.yaml:3:13: `payments` depends on `paymenst`, which nothing declares => declare it in services/paymenst.yaml, with `external: true` if it is deployed elsewhere
    ");
}

#[test]
fn a_broken_service_is_declared_all_the_same() {
    let broken =
        Revision::new().with("services/db.yaml", "]").with("services/web.yaml", format!("{SERVICE}dependsOn: [db]\n"));
    assert_snapshot!(broken.pins(), @"
    web 1.8.2 ghcr.io/acme/web:1.8.2
    db held: services/db.yaml:1:1: this cannot be read: misplaced bracket
    ");
}

#[test]
fn groups_and_earlier_names_are_looked_up() {
    assert_snapshot!(Revision::new().with_settings("lockstep: [[web, wbe]]\n").problems(), @"warning: pintle.yaml:2:11: `lockstep` names `wbe`, which nothing declares => did you mean `web`?");
    let heir = Revision::new().with("services/shop.yaml", format!("{SERVICE}formerly: web\n"));
    assert_snapshot!(heir.problems(), @"services/shop.yaml:3:11: `web` is still declared, `shop` cannot go on its history => remove `formerly`, or the other service");
}

#[test]
fn row_24_a_workload_belongs_to_one_service() {
    let two = |rest: &str| {
        Revision::new().with("services/db.yaml", format!("{SERVICE}workloads: [deployment/web]\n{rest}\n"))
    };
    assert_snapshot!(two("").problems(), @"services/db.yaml:3:12: `deployment/web` belongs to `db` and to `web` (services/web.yaml:1:10: also here) => name each workload in one service");
    assert_snapshot!(two("").pins(), @"
    db held: services/db.yaml:3:12: `deployment/web` belongs to `db` and to `web`
    web held: services/web.yaml:1:10: `deployment/web` belongs to `db` and to `web`
    ");
    for apart in ["namespace: other", "external: true"] {
        assert_eq!(two(apart).problems(), "");
    }
}

#[test]
fn a_port_of_this_host_belongs_to_one_service() {
    let two = |settings: &str, rest: &str| {
        let on_8080 = format!("{SERVICE}local: {{run: [./web], port: 8080}}\n");
        let revision = Revision::new().with_settings(settings).with("services/web.yaml", &on_8080);
        revision.with("services/shop.yaml", format!("{on_8080}{rest}"))
    };
    let local = "runtime: local\n";
    assert_snapshot!(two(local, "").problems(), @"services/shop.yaml:3:29: `shop` and `web` listen on port 8080 (services/web.yaml:3:29: also here) => give each a port of its own");
    assert_eq!(two(local, "").read().pins.broken.len(), 2);
    for (settings, rest) in [(local, "external: true\n"), ("", "")] {
        assert_eq!(two(settings, rest).problems(), "");
    }
}

#[test]
fn what_runs_locally_needs_no_image_and_what_kubernetes_pulls_does() {
    let service = "version: \"1.8.2\"\nlocal: {run: [./web]}\n";
    let local = Revision::empty().with_settings("runtime: local\n").with("services/web.yaml", service);
    assert_eq!((local.problems().as_str(), local.pins().as_str()), ("", "web 1.8.2 web:1.8.2"));
    let named = format!("{service}image: acme/web\nworkloads: [statefulset/web]\ncontainers: [app]\n");
    let named = Revision::empty().with_settings("runtime: local\n").with("services/web.yaml", named);
    assert_eq!((named.problems().as_str(), named.pins().as_str()), ("", "web 1.8.2 acme/web:1.8.2"));
    let services = named.read().pins.services;
    let web = services.values().next().unwrap();
    assert_eq!((web.workloads[0].to_string().as_str(), &web.containers), ("process/web", &None));
    let kubernetes = Revision::empty().with("services/web.yaml", service);
    assert_snapshot!(kubernetes.problems(), @"services/web.yaml:1:10: nothing says the image of `web` => write `image:` into services/web.yaml, or `image` into the pattern");
    let without = Revision::new().with_settings("runtime: local\n");
    assert_snapshot!(without.problems(), @"services/web.yaml:1:10: nothing says how to run `web`, and `runtime: local` runs it => write `local: {run: […], port: …}` into services/web.yaml");
    let neither = Revision::empty().with_settings("runtime: local\n").with("services/db.yaml", "version: \"16\"\n");
    assert_snapshot!(neither.problems(), @"services/db.yaml:1:10: nothing says how to run `db`, and `runtime: local` runs it => write `local: {run: […], port: …}` into services/db.yaml");
    let outside = Revision::empty().with_settings("runtime: local\n");
    let outside = outside.with("services/web.yaml", format!("{SERVICE}external: true\n"));
    assert_eq!(outside.problems(), "");
}

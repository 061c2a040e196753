//! Valid files of each kind.

use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::pins::{DriftAction, Fragment, Layout, LocalSpec, Runtime, ServiceName, UnseenPolicy};
use crate::pins::{HeldVersions, LocalHealth, Need, Service, Settings, assemble_pin};

/// Returns the service of that name.
fn service(revision: &Revision, name: &str) -> Service {
    assert_eq!(revision.problems(), "");
    revision.read().pins.services[&ServiceName::new(name).unwrap()].clone()
}

#[test]
fn a_service_file_is_enough() {
    assert_eq!(Revision::new().pins(), "web 1.8.2 ghcr.io/acme/web:1.8.2");
    assert_eq!(Revision::new().problems(), "");
    let web = service(&Revision::new(), "web");
    assert_eq!(web.workloads[0].to_string(), "deployment/web");
    assert_eq!((web.containers, web.namespace, web.hold, web.external), (None, None, None, false));
    assert_eq!(web.version_at.span, Some(9..16), "the quotes belong to the value");
}

const FULL: &str = r#"
version: "1.8.2"
image: acme/checkout
tag: "v{version}"
digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
dependsOn:
  web: ">=2.1, <3"
  inventory: {"1.0": "*", 1.8.0: "^1.4"}
workloads: [Deployment/checkout, statefulset/checkout-worker]
containers: [app]
namespace: shop
versioning: maven
verify: {timeout: 1h30m}
hold: {above: "1.7.9", reason: broken, by: ada, until: 2026-12-01T00:00Z}
rollbackFloor: "1.6"
drift: {policy: report}
external: true
formerly: basket
local: {run: [./checkout, --version, "{version}", --port, 8080], port: 8080, health: {http: /healthz}, rolling: true}
"#;

#[test]
fn every_key_of_a_service_file_is_read() {
    let revision = Revision::new()
        .with("services/checkout.yaml", FULL)
        .with("services/inventory.yaml", SERVICE)
        .with_settings("drift: {policy: correct, handGrace: 1m}\n");
    let checkout = service(&revision, "checkout");
    assert_eq!(
        checkout.pin.image.to_string(),
        "acme/checkout:v1.8.2@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    );
    let need = |name: &str| checkout.pin.depends_on[&ServiceName::new(name).unwrap()].clone();
    assert_eq!(need("web"), Need::Range(">=2.1, <3".parse().unwrap()));
    let Need::Table(table) = need("inventory") else { panic!("a table") };
    assert_eq!(
        table.iter().map(|(from, range)| format!("{from} {range}")).collect::<Vec<_>>(),
        ["1.0 *", "1.8.0 ^1.4"]
    );
    assert_eq!(
        checkout.workloads.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["deployment/checkout", "statefulset/checkout-worker"]
    );
    assert_eq!(checkout.containers.unwrap(), ["app"]);
    assert_eq!(checkout.namespace.as_deref(), Some("shop"));
    assert_eq!(checkout.pin.verify.timeout, Some(Duration::from_secs(5400)));
    let hold = checkout.hold.unwrap();
    assert_eq!(hold.versions, HeldVersions::Above("1.7.9".parse().unwrap()));
    assert_eq!(hold.until.unwrap().to_string(), "2026-12-01T00:00:00Z");
    assert_eq!(checkout.rollback_floor.unwrap().as_str(), "1.6");
    let drift = checkout.drift.unwrap();
    assert_eq!(
        (drift.action, drift.hand_grace),
        (DriftAction::Report, Duration::from_secs(60)),
        "grace as the settings say"
    );
    assert!(checkout.external);
    assert_eq!(checkout.formerly.unwrap().as_str(), "basket");
    let Some(LocalSpec::Process { run, port: Some(8080), health: Some(LocalHealth::Http(path)), rolling: true }) =
        checkout.pin.local.as_deref()
    else {
        panic!("a process")
    };
    assert_eq!((run.join(" ").as_str(), path.as_str()), ("./checkout --version {version} --port 8080", "/healthz"));
    assert_eq!(checkout.needs_at.values().map(|at| at.ranges.len()).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn plain_names_need_any_version() {
    let revision =
        Revision::new().with("services/shop.yaml", format!("{SERVICE}dependsOn: [web]\nhold: {{versions: '>2'}}\n"));
    let shop = service(&revision, "shop");
    assert_eq!(shop.pin.depends_on.values().collect::<Vec<_>>(), [&Need::Range(crate::version::VersionRange::any())]);
    assert_eq!(shop.hold.unwrap().versions, HeldVersions::Versions(">2".parse().unwrap()));
}

#[test]
fn four_commands_keep_what_something_else_runs() {
    let local = "local: {start: [up], stop: [down], version: [v], health: [true]}\n";
    let web = service(&Revision::empty().with("services/web.yaml", format!("{SERVICE}{local}")), "web");
    assert!(
        matches!(web.pin.local.as_deref(), Some(LocalSpec::Commands { health: Some(health), .. }) if *health == ["true"])
    );
}

#[test]
fn settings_have_defaults_and_are_read() {
    assert_eq!(Revision::new().read().pins.settings, Settings::default());
    let text = "instance: prod-eu\nruntime: local\nnamespace: shop\nwrites: image\nsoak: 1d\nunseen: refuse\n\
                lockstep: [[web, shop]]\nallowEmpty: true\ndrift: {policy: report}\n";
    let local = format!("{SERVICE}local: {{run: [./serve]}}\n");
    let revision = Revision::empty().with("services/shop.yaml", &local).with("services/web.yaml", &local);
    let revision = revision.with_settings(text);
    assert_eq!(revision.problems(), "");
    let settings = revision.read().pins.settings;
    assert_eq!((settings.instance.as_str(), settings.namespace.as_deref()), ("prod-eu", Some("shop")));
    assert_eq!((settings.runtime, settings.unseen), (Runtime::Local, UnseenPolicy::Refuse));
    assert_eq!((settings.soak, settings.drift.action), (Duration::from_secs(86_400), DriftAction::Report));
    assert_eq!((settings.lockstep[0].len(), settings.allow_empty), (2, true));
}

#[test]
fn zero_pins_are_read_where_they_are_meant() {
    let revision = Revision::empty().with_settings("allowEmpty: true\n");
    assert_eq!((revision.pins(), revision.problems()), (String::new(), String::new()));
}

#[test]
fn kustomize_images_are_read() {
    let kustomization = "resources: [../../base]\nimages:\n\
         - {name: ghcr.io/acme/web, newTag: \"1.10\"}\n\
         - name: ghcr.io/acme/db\n  newName: registry:5000/db\n  newTag: v2 # {\"$imagepolicy\": \"x:y\"}\n\
         - {name: other/sidecar, newTag: \"3\"}\n";
    let revision = Revision::empty()
        .with_settings(
            "pins:\n- {files: 'overlays/*/kustomization.yaml', key: 'images[name=ghcr.io/acme/{service}].newTag'}\n",
        )
        .with("overlays/prod/kustomization.yaml", kustomization);
    assert_eq!(revision.problems(), "");
    assert_snapshot!(revision.pins(), @"
    db v2 registry:5000/db:v2
    web 1.10 ghcr.io/acme/web:1.10
    ");
}

#[test]
fn helm_values_are_read_one_file_a_service() {
    let revision = Revision::empty()
        .with_settings(
            "pins:\n- {files: 'apps/{service}/values-prod.yaml', key: image.tag, image: 'ghcr.io/acme/{service}'}\n",
        )
        .with("apps/web/values-prod.yaml", "image: {tag: v1.10}\n")
        .with("apps/db/values-prod.yaml", "x: &tag 2024-01-01\r\nimage:\r\n  repository: ignored/db\r\n  tag: *tag\r\n")
        .with("apps/db/values-dev.yaml", "image: {tag: dev}\n");
    assert_eq!(revision.problems(), "");
    assert_snapshot!(revision.pins(), @"
    db 2024-01-01 ghcr.io/acme/db:2024-01-01
    web v1.10 ghcr.io/acme/web:v1.10
    ");
}

#[test]
fn the_repository_may_stand_beside_the_tag() {
    let revision =
        Revision::empty().with_settings("pins:\n- {files: '{service}.yaml', key: spec.values.image.tag}\n").with(
            "web.yaml",
            "kind: HelmRelease\nspec: {values: {image: {registry: ghcr.io, repository: acme/web, tag: '7'}}}\n",
        );
    assert_snapshot!(revision.pins(), @"web 7 ghcr.io/acme/web:7");
}

#[test]
fn manifests_of_many_documents_are_read() {
    let manifests = "kind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      \
         - {name: web, image: \"ghcr.io/acme/web:1.8.2\"}\n      - {name: proxy, image: \"envoy:v1.30\"}\n---\n\
         kind: Service\n---\nkind: StatefulSet\nspec: {template: {spec: {containers: [{name: db, image: \"postgres:17.1\"}]}}}\n";
    let key = "spec.template.spec.containers[name={service}].image";
    let revision = Revision::empty()
        .with_settings(&format!("pins:\n- {{files: all.yaml, key: '{key}', as: image}}\n"))
        .with("all.yaml", manifests);
    assert_snapshot!(revision.pins(), @"
    db 17.1 postgres:17.1
    proxy v1.30 envoy:v1.30
    web 1.8.2 ghcr.io/acme/web:1.8.2
    ");
}

#[test]
fn compose_files_are_read() {
    let digest = "a".repeat(64);
    let compose = format!(
        "x-base: &base {{restart: always, image: 'base:1'}}\nservices:\n  web:\n    image: acme/web:1.8.2@sha256:{digest}\n  \
         api:\n    <<: *base\n    image: acme/api:v3\n  built: {{build: .}}\n  plain: {{<<: *base}}\n"
    );
    let revision = Revision::empty()
        .with_settings("pins:\n- {files: compose.yaml, key: 'services.{service}.image', as: image}\n")
        .with("compose.yaml", compose);
    assert_eq!(revision.problems(), "");
    assert_snapshot!(revision.pins(), @"
    api v3 acme/api:v3
    plain 1 base:1
    web 1.8.2 acme/web:1.8.2@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    ");
}

#[test]
fn plain_pin_files_are_read() {
    let revision = Revision::empty()
        .with_settings("pins:\n- {files: 'image-tags/{service}', key: image_tag, image: 'acme/{service}'}\n")
        .with("image-tags/web", "image_tag: v1694\npromote_deployment: true\n")
        .with("image-tags/db", "image_tag: 6e1a3cb4f2d1 # a commit\n");
    assert_eq!(revision.problems(), "");
    assert_snapshot!(revision.pins(), @"
    db 6e1a3cb4f2d1 acme/db:6e1a3cb4f2d1
    web v1694 acme/web:v1694
    ");
}

#[test]
fn a_service_file_adds_to_a_pin_that_stands_elsewhere() {
    let revision = Revision::empty()
        .with_settings("pins:\n- {files: compose.yaml, key: 'services.{service}.image', as: image}\n")
        .with("compose.yaml", "services: {web: {image: 'acme/web:v1.8.2'}, db: {image: 'db:2'}}\n")
        .with("services/web.yaml", "tag: v{version}\ndependsOn: [db]\nrollbackFloor: 1.6.0\n");
    let web = service(&revision, "web");
    assert_eq!((web.pin.version.as_str(), web.pin.image.to_string().as_str()), ("1.8.2", "acme/web:v1.8.2"));
    assert_eq!(&*web.version_at.path, "compose.yaml");
    assert_eq!((web.pin.depends_on.len(), web.rollback_floor.unwrap().as_str()), (1, "1.6.0"));
}

#[test]
fn a_service_file_may_say_where_its_pin_stands() {
    let revision = Revision::empty()
        .with(
            "services/web.yaml",
            "image: acme/web\npin: {file: 'deploy/{service}.yml', key: 'annotations[\"a.b/v\"]'}\n",
        )
        .with("deploy/web.yml", "annotations: {a.b/v: 1.8.2}\n")
        .with("deploy/other.yml", "annotations: {a.b/v: 9}\n");
    assert_eq!((revision.problems().as_str(), revision.pins().as_str()), ("", "web 1.8.2 acme/web:1.8.2"));
}

#[test]
fn a_byte_order_mark_crlf_and_an_alias_are_fine() {
    let text = "\u{feff}x-version: &v 1.8.2\r\nversion: *v\r\nimage: acme/web\r\n";
    let revision = Revision::empty().with("services/web.yaml", text.replace("x-version", "rollbackFloor"));
    assert_eq!((revision.problems().as_str(), revision.pins().as_str()), ("", "web 1.8.2 acme/web:1.8.2"));
    let place = service(&revision, "web").version_at.span.unwrap();
    assert_eq!(&text.replace("x-version", "rollbackFloor")[place], "*v", "where the alias is used");
}

#[test]
fn pins_below_a_folder_are_read_with_it() {
    let mut files = Revision::empty().with("envs/prod/services/web.yaml", SERVICE).with("services/x.yaml", "]").0;
    let reading = parse_revision("envs/prod", &files);
    assert_eq!((reading.pins.services.len(), reading.problems.len()), (1, 0));
    files.clear();
    assert_eq!(&*parse_revision("envs/prod", &files).problems[0].place.path, "envs/prod/pintle.yaml");
}

#[test]
fn the_pin_of_one_service_is_what_the_whole_says() {
    let revision = Revision::empty()
        .with_settings("pins:\n- {files: compose.yaml, key: 'services.{service}.image', as: image}\n")
        .with("compose.yaml", "services: {web: {image: 'acme/web:1.8.2'}, db: {image: 'db:latest'}}\n")
        .with("services/web.yaml", "verify: {timeout: 5m}\n");
    let reading = revision.read();
    let layout = Layout::new("", &reading.pins.settings, []);
    let fragments: Vec<_> = revision.0.iter().map(|file| Fragment::read(file, &layout)).collect();
    let web = ServiceName::new("web").unwrap();
    assert_eq!(assemble_pin(&web, &fragments).as_ref(), Some(&reading.pins.services[&web].pin));
    for unusable in ["db", "gone"] {
        assert_eq!(assemble_pin(&ServiceName::new(unusable).unwrap(), &fragments), None);
    }
    let spoken: Vec<_> = fragments.iter().flat_map(Fragment::services).map(ServiceName::as_str).collect();
    assert_eq!(spoken, ["web", "db", "web"]);
}

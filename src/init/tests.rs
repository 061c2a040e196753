use std::fmt::Write as _;
use std::time::Instant;

use insta::assert_snapshot;
use proptest::collection::vec;
use proptest::prelude::*;

use super::patterns::file;
use super::*;
use crate::source::File;

/// What would be written, and what would be said, as text.
fn proposed(files: &[(&str, &str)]) -> String {
    proposed_for(files, &Wish::default())
}

fn proposed_for(files: &[(&str, &str)], wish: &Wish<'_>) -> String {
    let files: Vec<File> = files.iter().map(|(path, text)| file(path, text)).collect();
    let proposal = match propose(&files, wish) {
        Ok(proposal) => proposal,
        Err(choice) => return format!("which of {}?", choice.environments.join(", ")),
    };
    let mut text = String::new();
    for NewFile { path, text: said, exists } in &proposal.files {
        let _ = write!(text, "# {path}{}\n{said}", if *exists { " exists" } else { "" });
    }
    for Left { what, why } in &proposal.left {
        let _ = writeln!(text, "left {what}: {why}");
    }
    for skipped in &proposal.skipped {
        let _ = writeln!(text, "skipped {skipped}");
    }
    for (object, path) in &proposal.unsupported {
        let _ = writeln!(text, "unsupported {object} in {path}");
    }
    let services: Vec<&str> = proposal.services.iter().map(ServiceName::as_str).collect();
    text + &format!("{} services: {}", services.len(), services.join(" "))
}

/// A Deployment of one container that is called as it is.
fn deployment(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  template:\n    spec:\n      \
         containers:\n      - name: {name}\n        image: {image}\n"
    )
}

/// A Deployment with an environment.
fn with_env(name: &str, env: &[(&str, &str)]) -> String {
    let mut text = deployment(name, &format!("acme/{name}:1.0.0")) + "        env:\n";
    for (key, value) in env {
        let _ = writeln!(text, "        - {{name: {key}, value: {value:?}}}");
    }
    text
}

#[test]
fn what_is_no_yaml_is_named_or_passed_over() {
    let web = deployment("web", "acme/web:1.0.0");
    assert_snapshot!(proposed(&[
        ("k8s/web.yaml", &web),
        ("k8s/broken.yaml", "a: [1\nb: 2\n"),
        ("chart/Chart.yaml", "name: x\n"),
        ("chart/templates/a.yaml", "kind: {{ .Values.kind }}\n"),
        ("jinja/x.yml", "{% if x %}\na: b\n{% endif %}\n"),
        ("crd.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\n"),
        ("empty.yaml", ""),
        ("notes.yaml", "- just\n- a list\n"),
    ]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: k8s/web.yaml, key: "spec.template.spec.containers[name={service}].image", as: image}
    skipped k8s/broken.yaml:2:2: this cannot be read: illegal placement of ':' indicator
    1 services: web
    "#);
}

#[test]
fn names_of_other_tools_become_names_of_services() {
    let dotted = deployment("web.v2", "acme/web:1.0.0");
    let compose = "services:\n  Web_App: {image: 'acme/web:1'}\n  db: {image: 'postgres:16.4'}\n";
    assert_snapshot!(proposed(&[("k8s/web.yaml", &dotted)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    # services/web-v2.yaml
    pin: {file: k8s/web.yaml, key: "spec.template.spec.containers[name=web.v2].image", as: image}
    workloads: [deployment/web.v2]
    1 services: web-v2
    "#);
    assert_snapshot!(proposed(&[("compose.yaml", compose)]), @"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    # services/db.yaml
    pin: {file: compose.yaml, key: services.db.image, as: image}
    # services/web-app.yaml
    pin: {file: compose.yaml, key: services.Web_App.image, as: image}
    2 services: db web-app
    ");
}

#[test]
fn images_that_name_no_version_are_left_with_the_reason() {
    let digest = format!("acme/c@sha256:{}", "a".repeat(64));
    let compose = format!(
        "services:\n  a: {{image: acme/a}}\n  b: {{image: 'acme/b:latest'}}\n  c: {{image: '{digest}'}}\n  \
         d: {{image: 'acme/d:${{TAG}}'}}\n  e: {{image: 'acme/e:1.0.0', depends_on: [a]}}\n  f: {{build: .}}\n"
    );
    assert_snapshot!(proposed(&[("compose.yaml", &compose)]), @"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    # services/e.yaml
    pin: {file: compose.yaml, key: services.e.image, as: image}
    left a: compose.yaml: the image of `a` has no tag, and so no version
    left b: compose.yaml: `latest` names no version: what it means moves
    left c: compose.yaml: the image of `c` has no tag, and so no version
    left d: compose.yaml: `acme/d:${TAG}` is a template, not a value
    1 services: e
    ");
}

#[test]
fn lists_and_files_of_many_documents_are_read() {
    let many = ["a", "b"].map(|name| deployment(name, &format!("acme/{name}:1.0.0"))).join("---\n");
    let one = |name: &str| deployment(name, "acme/x:1.0.0").replace('\n', "\n  ");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}\n- {}\n", one("c").trim_end(), one("d").trim_end());
    assert_snapshot!(proposed(&[("all.yaml", &many), ("list.yaml", &list)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: all.yaml, key: "spec.template.spec.containers[name={service}].image", as: image}
    - {files: list.yaml, key: "items[0].spec.template.spec.containers[name={service}].image", as: image}
    - {files: list.yaml, key: "items[1].spec.template.spec.containers[name={service}].image", as: image}
    4 services: a b c d
    "#);
}

#[test]
fn two_deployments_whose_containers_have_one_name_in_one_file_cannot_be_told_apart() {
    let app =
        |name: &str| deployment(name, &format!("acme/{name}:1.0.0")).replace(&format!("- name: {name}"), "- name: app");
    assert_snapshot!(proposed(&[("all.yaml", &(app("a") + "---\n" + &app("b")))]), @"
    left a: all.yaml: another container of its name stands in the same file: give each its own name, or a file of its own
    left b: all.yaml: another container of its name stands in the same file: give each its own name, or a file of its own
    0 services:
    ");
}

#[test]
fn sidecars_are_no_services_and_other_kinds_are_named() {
    let web = deployment("web", "acme/web:1.0.0") + "      - name: proxy\n        image: envoy:1.30\n";
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: seed}\nspec: {}\n";
    assert_snapshot!(proposed(&[("web/deploy.yaml", &web), ("web/job.yaml", job)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: "{service}/deploy.yaml", key: "spec.template.spec.containers[name={service}].image", as: image}
    unsupported Job seed in web/job.yaml
    1 services: web
    "#);
}

#[test]
fn a_service_that_stands_in_two_places_is_named_with_both() {
    let web = deployment("web", "acme/web:1.0.0");
    let api = deployment("api", "acme/api:1.0.0");
    assert_snapshot!(proposed(&[("a/web.yaml", &web), ("b/web.yaml", &web), ("a/api.yaml", &api)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: a/api.yaml, key: "spec.template.spec.containers[name={service}].image", as: image}
    left web: its version stands in 2 places: a/web.yaml (spec.template.spec.containers[name=web].image), b/web.yaml (spec.template.spec.containers[name=web].image); say which one in services/web.yaml: `pin: {file: …, key: …}`
    1 services: api
    "#);
}

#[test]
fn one_file_that_does_not_fit_costs_its_pattern_no_other_service() {
    let files: Vec<(String, String)> = ["a", "b", "c", "d"]
        .map(|name| (format!("k8s/{name}.yaml"), deployment(name, &format!("acme/{name}:1.0.0"))))
        .into();
    let mut files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(("k8s/ingress.yaml", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: x}\n"));
    assert_snapshot!(proposed(&files), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: "k8s/*.yaml", key: "spec.template.spec.containers[name={service}].image", as: image}
    4 services: a b c d
    "#);
}

#[test]
fn environments_are_never_chosen_silently() {
    let kustomization = |tag: &str| format!("images:\n- {{name: acme/web, newTag: {tag}}}\n");
    let (dev, prod) = (kustomization("1.1.0"), kustomization("1.0.0"));
    let files = [("overlays/dev/kustomization.yaml", &*dev), ("overlays/prod/kustomization.yaml", &*prod)];
    assert_snapshot!(proposed(&files), @"which of dev, prod?");
    assert_snapshot!(proposed_for(&files, &Wish { environment: Some("dev"), ..Wish::default() }), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: overlays/dev/kustomization.yaml, key: "images[name=acme/{service}].newTag"}
    1 services: web
    "#);
    assert_snapshot!(proposed_for(&files, &Wish { root: "overlays/prod", ..Wish::default() }), @r#"
    # overlays/prod/pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: kustomization.yaml, key: "images[name=acme/{service}].newTag"}
    1 services: web
    "#);
    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\nspec:\n  source: {path: overlays/prod}\n  destination: {namespace: shop}\n";
    let applied = [files[0], files[1], ("argocd/web.yaml", application)];
    assert_snapshot!(proposed(&applied), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    namespace: shop
    pins:
    - {files: overlays/prod/kustomization.yaml, key: "images[name=acme/{service}].newTag"}
    1 services: web
    "#);
}

#[test]
fn several_images_of_one_kustomization_are_several_services() {
    let kustomization = "namespace: shop\nnamePrefix: eu-\nimages:\n- {name: acme/web, newTag: 1.0.0}\n- {name: acme/api, newTag: 2.0.0}\n- {name: proxy, newName: envoyproxy/envoy, newTag: v1.30.1}\n";
    let web = deployment("web", "acme/web");
    assert_snapshot!(proposed(&[("kustomization.yaml", kustomization), ("web.yaml", &web)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    namespace: shop
    pins:
    - {files: kustomization.yaml, key: "images[name=acme/{service}].newTag"}
    # services/proxy.yaml
    pin: {file: kustomization.yaml, key: "images[name=proxy].newTag"}
    # services/web.yaml
    workloads: [deployment/eu-web]
    3 services: api proxy web
    "#);
}

#[test]
fn umbrella_values_hold_a_service_in_each_part() {
    let values = "checkout:\n  image: {repository: acme/checkout, tag: 1.7.9}\n  env: {PAYMENTS_URL: 'http://payments'}\npayments:\n  image: {registry: ghcr.io, repository: acme/payments, tag: 2.0.3}\nglobal: {domain: example.com}\n";
    assert_snapshot!(proposed(&[("values.yaml", values)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: values.yaml, key: "{service}.image.tag"}
    # services/checkout.yaml
    dependsOn: [payments]  # env PAYMENTS_URL
    2 services: checkout payments
    "#);
}

#[test]
fn only_whole_names_of_hosts_make_an_edge() {
    let env = [
        ("A", "http://a:8080"),
        ("B", "b.default.svc.cluster.local"),
        ("C_HOST", "c"),
        ("BROKERS", "d-0.d:9092,d-1.d:9092"),
        ("E", "jdbc:postgresql://user:pw@e/shop"),
        ("F_URL", "https://f.example.com/f:8080"),
        ("G", "g"),
        ("H_IMAGE", "acme/h:8080"),
        ("I_VERSION", "i:16"),
        ("J", "redis://cache"),
        ("K", "http://my-k:8080 http://k-2:80 xk:80"),
        ("WEB_URL", "http://web:8080"),
        ("L_URL", "http://localhost:80"),
    ];
    let web = with_env("web", &env);
    let others = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let others = others.map(|name| (format!("k8s/{name}.yaml"), deployment(name, &format!("acme/{name}:1.0.0"))));
    let mut files: Vec<(&str, &str)> = others.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(("k8s/web.yaml", &web));
    assert_snapshot!(proposed(&files), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: "k8s/{service}.yaml", key: "spec.template.spec.containers[name={service}].image", as: image}
    # services/web.yaml
    dependsOn:
    - a  # env A
    - b  # env B
    - c  # env C_HOST
    - d  # env BROKERS
    - e  # env E
    13 services: a b c d e f g h i j k l web
    "#);
}

#[test]
fn manifests_in_the_folder_of_service_files_are_told() {
    let web = deployment("web", "acme/web:1.0.0");
    assert_snapshot!(proposed(&[("services/web.yaml", &web)]), @"
    left web: services/web.yaml stands where Pintle keeps a file for each service: move it, as in git mv services manifests
    0 services:
    ");
}

#[test]
fn services_of_other_namespaces_say_theirs() {
    let shop = |name: &str, namespace: &str| {
        deployment(name, &format!("acme/{name}:1.0.0")).replace("{name:", &format!("{{namespace: {namespace}, name:"))
    };
    let (a, b, c) = (shop("a", "shop"), shop("b", "shop"), shop("c", "mail"));
    assert_snapshot!(proposed(&[("k8s/a.yaml", &a), ("k8s/b.yaml", &b), ("k8s/c.yaml", &c)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    namespace: shop
    pins:
    - {files: "k8s/{service}.yaml", key: "spec.template.spec.containers[name={service}].image", as: image}
    # services/c.yaml
    namespace: mail
    3 services: a b c
    "#);
}

#[test]
fn configurations_of_other_environments_make_no_edges() {
    let web = deployment("web", "acme/web:1.0.0") + "        envFrom: [{configMapRef: {name: web}}]\n";
    let config =
        |url: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{API: '{url}'}}\n");
    let (dev, prod) = (config("http://mock:8080"), config("http://api:8080"));
    let (api, mock) = (deployment("api", "acme/api:1.0.0"), deployment("mock", "acme/mock:1.0.0"));
    let files = [
        ("base/web.yaml", &*web),
        ("base/api.yaml", &api),
        ("base/mock.yaml", &mock),
        ("overlays/dev/config.yaml", &dev),
        ("overlays/prod/config.yaml", &prod),
        ("overlays/dev/kustomization.yaml", "images: [{name: acme/web, newTag: 1.1.0}]\n"),
        ("overlays/prod/kustomization.yaml", "images: [{name: acme/web, newTag: 1.0.0}]\n"),
    ];
    assert_snapshot!(proposed_for(&files, &Wish { environment: Some("prod"), ..Wish::default() }), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: base/api.yaml, key: "spec.template.spec.containers[name={service}].image", as: image}
    - {files: base/mock.yaml, key: "spec.template.spec.containers[name={service}].image", as: image}
    - {files: overlays/prod/kustomization.yaml, key: "images[name=acme/{service}].newTag"}
    # services/web.yaml
    dependsOn: [api]  # ConfigMap web, API
    3 services: api mock web
    "#);
}

#[test]
fn compose_files_beside_manifests_are_passed_over_and_named() {
    let web = deployment("web", "acme/web:1.0.0");
    let compose = "services:\n  web: {image: 'acme/web:1.0.0'}\n  db: {image: 'postgres:16.4'}\n";
    assert_snapshot!(proposed(&[("k8s/web.yaml", &web), ("docker-compose.yml", compose)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: "k8s/{service}.yaml", key: "spec.template.spec.containers[name={service}].image", as: image}
    left docker-compose.yml: passed over, because other files say what Kubernetes runs
    1 services: web
    "#);
}

#[test]
fn placeholders_of_kustomize_and_names_in_the_midst_of_files_are_found() {
    let kustomization = "images:\n- {name: web-image, newName: acme/web, newTag: v1}\n- {name: api-image, newName: acme/api, newTag: v2}\n";
    let (web, api) = (deployment("web", "web-image"), deployment("api", "api-image"));
    assert_snapshot!(proposed(&[("kustomization.yaml", kustomization), ("web.yaml", &web), ("api.yaml", &api)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: kustomization.yaml, key: "images[name={service}-image].newTag"}
    2 services: api web
    "#);
    let values = |name: &str| format!("image: {{repository: acme/{name}, tag: v1}}\n");
    let (web, api) = (values("web"), values("api"));
    assert_snapshot!(proposed(&[("helm/values-web-prod.yaml", &web), ("helm/values-api-prod.yaml", &api)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: "helm/values-{service}-prod.yaml", key: image.tag}
    2 services: api web
    "#);
}

#[test]
fn a_release_that_names_no_image_is_told() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: redis}\nspec:\n  chart: {spec: {chart: redis, version: 19.0.0}}\n";
    let web = deployment("web", "acme/web:1.0.0");
    assert_snapshot!(proposed(&[("apps/redis.yaml", release), ("apps/web.yaml", &web)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: apps/web.yaml, key: "spec.template.spec.containers[name={service}].image", as: image}
    unsupported HelmRelease redis, whose values name no image in apps/redis.yaml
    1 services: web
    "#);
}

#[test]
fn what_is_pinned_already_stays_and_only_the_rest_is_added() {
    let (a, b) = (deployment("a", "acme/a:1.0.0"), with_env("b", &[("A_URL", "http://a")]));
    let settings = "apiVersion: pintle.dev/v1alpha1\n";
    let own = "version: '1.0.0'\nimage: acme/a\ndependsOn: [gone]\n";
    assert_snapshot!(proposed(&[("pintle.yaml", settings), ("services/a.yaml", own), ("a.yaml", &a), ("b.yaml", &b)]), @r#"
    # pintle.yaml exists
    apiVersion: pintle.dev/v1alpha1
    # services/b.yaml
    pin: {file: b.yaml, key: "spec.template.spec.containers[name=b].image", as: image}
    dependsOn: [a]  # env A_URL
    left a: `a` depends on `gone`, which nothing declares
    1 services: b
    "#);
}

#[test]
fn files_that_hold_themselves_end() {
    let empty: Vec<String> =
        (1..20).map(|at| format!("a{at}: &a{at} [{}]", vec![format!("*a{}", at - 1); 9].join(", "))).collect();
    let values = format!("image: {{repository: acme/web, tag: v1}}\nx: &x [*x]\na0: &a0 []\n{}\n", empty.join("\n"));
    let list = "apiVersion: v1\nkind: List\nitems:\n- &x {apiVersion: v1, kind: List, items: [*x]}\n";
    assert_snapshot!(proposed(&[("web/values.yaml", &values), ("list.yaml", list)]), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: "{service}/values.yaml", key: image.tag}
    1 services: web
    "#);
}

proptest! {
    #[test]
    fn no_files_panic(
        texts in vec("((apiVersion|kind|metadata|name|spec|image|tag|images|services|template|containers|env|value|items): ?|Deployment|List|HelmRelease|web|acme/web:1|[a-z{}\\[\\],:/@. \n-]| {2}){0,40}", 4),
    ) {
        let paths = ["web/values-prod.yaml", "overlays/dev/kustomization.yaml", "compose.yaml", "k8s/web.yaml"];
        let files: Vec<File> = paths.iter().zip(&texts).map(|(path, text)| file(path, text)).collect();
        let _ = propose(&files, &Wish::default());
    }
}

#[test]
fn a_thousand_manifests_take_a_moment() {
    let files: Vec<File> = (0..1000)
        .map(|at| {
            let env = [("NEXT_ADDR", format!("service-{}:8080", (at + 1) % 1000))];
            let env: Vec<(&str, &str)> = env.iter().map(|(key, value)| (*key, value.as_str())).collect();
            file(&format!("apps/service-{at}/deployment.yaml"), &with_env(&format!("service-{at}"), &env))
        })
        .collect();
    #[expect(clippy::disallowed_methods, reason = "a test measures")]
    let start = Instant::now();
    let proposal = propose(&files, &Wish::default()).unwrap();
    println!("1,000 manifests: {:?}", start.elapsed());
    assert_eq!((proposal.services.len(), proposal.linked.len(), proposal.patterns.len()), (1000, 1000, 1));
}

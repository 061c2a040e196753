//! Proposals for whole repositories: patterns, service files, environments.

use super::*;

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
    assert_snapshot!(proposed_for(&files, &InitOptions { environment: Some("dev"), ..InitOptions::default() }), @r#"
    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: overlays/dev/kustomization.yaml, key: "images[name=acme/{service}].newTag"}
    1 services: web
    "#);
    assert_snapshot!(proposed_for(&files, &InitOptions { root: "overlays/prod", ..InitOptions::default() }), @r#"
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

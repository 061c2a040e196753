//! Needs found in manifests.

use super::*;

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
    assert_snapshot!(proposed_for(&files, &InitOptions { environment: Some("prod"), ..InitOptions::default() }), @r#"
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

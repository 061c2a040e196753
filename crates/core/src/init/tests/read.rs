//! Reading of files, and the report of those that cannot be read.

use super::*;

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
        let files: Vec<RepoFile> = paths.iter().zip(&texts).map(|(path, text)| file(path, text)).collect();
        let _ = propose(&files, &InitOptions::default());
    }
}

#[test]
fn a_thousand_manifests_get_one_pattern() {
    let files: Vec<RepoFile> = (0..1000)
        .map(|at| {
            let env = [("NEXT_ADDR", format!("service-{}:8080", (at + 1) % 1000))];
            let env: Vec<(&str, &str)> = env.iter().map(|(key, value)| (*key, value.as_str())).collect();
            file(&format!("apps/service-{at}/deployment.yaml"), &with_env(&format!("service-{at}"), &env))
        })
        .collect();
    let proposal = propose(&files, &InitOptions::default()).unwrap();
    assert_eq!((proposal.services.len(), proposal.all_edges.len(), proposal.patterns.len()), (1000, 1000, 1));
}

use insta::assert_snapshot;

use super::{fixture, init};
use crate::common::pintle::Pintle;

#[test]
fn manifests_are_pinned_where_they_are() {
    assert_snapshot!(init(&fixture("manifests"), ""), @r#"
    Read 8 YAML files: 4 services.
      wrote pintle.yaml: 1 pattern for 4 services
      wrote services/checkout.yaml
      wrote services/ledger.yaml
      wrote services/payments.yaml
      wrote services/web.yaml

    Not moved by Pintle
      CronJob report (k8s/report/cronjob.yaml)

    Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'
    4 services, 3 edges between 4 of them; 0 have none: pintle graph

    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    namespace: shop
    pins:
    - {files: "k8s/{service}/deployment.yaml", key: "spec.template.spec.containers[name={service}].image", as: image}

    # services/checkout.yaml
    dependsOn: [payments]  # env PAYMENTS_ADDR

    # services/ledger.yaml
    workloads: [statefulset/ledger]

    # services/payments.yaml
    dependsOn: [ledger]  # env LEDGER_URL

    # services/web.yaml
    dependsOn: [checkout]  # ConfigMap web-config, upstream.conf

    $ pintle check
    4 services: no problems (… ms)

    $ pintle graph
    web 3.4.0
    └─ checkout 1.7.9  *
       └─ payments 2.0.3  *
          └─ ledger 5.1.0  *
    "#);
}

#[test]
fn compose_is_pinned_by_one_pattern() {
    assert_snapshot!(init(&fixture("compose"), ""), @r#"
    Read 1 YAML file: 4 services.
      wrote pintle.yaml: 1 pattern for 4 services
      wrote services/checkout.yaml
      wrote services/web.yaml

    Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'
    4 services, 3 edges between 4 of them; 0 have none: pintle graph

    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: compose.yaml, key: "services.{service}.image", as: image}

    # services/checkout.yaml
    dependsOn:
    - db        # depends_on
    - payments  # env PAYMENTS_HOST

    # services/web.yaml
    dependsOn: [checkout]  # depends_on

    $ pintle check
    4 services: no problems (… ms)

    $ pintle graph
    web 3.4.0
    └─ checkout 1.7.9  *
       ├─ db 16.4  *
       └─ payments 2.0.3  *
    "#);
}

#[test]
fn kustomize_overlays_are_chosen_between() {
    let repo = fixture("kustomize");
    assert_snapshot!(Pintle::in_repo(&repo).says("init --no-cluster"), @"
    --- stderr
    error: this repository pins several environments: prod, staging
      hint: say which one this branch deploys: pintle init --env prod
    --- exit 64
    ");
    assert_snapshot!(Pintle::in_repo(&repo).says("init --no-cluster --env pord"), @r#"
    --- stderr
    error: "pord" is not one environment of this repository; it has prod, staging
      hint: say which one this branch deploys: pintle init --env prod
    --- exit 64
    "#);
    assert_snapshot!(init(&repo, "--namespace shop"), @r#"
    Read 16 YAML files: 3 services for prod.
      wrote pintle.yaml: 1 pattern for 3 services
      wrote services/checkout.yaml

    Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'
    3 services, 2 edges between 3 of them; 0 have none: pintle graph

    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    namespace: shop
    pins:
    - {files: "apps/{service}/overlays/prod/kustomization.yaml", key: "images[name=ghcr.io/acme/{service}].newTag"}

    # services/checkout.yaml
    workloads: [deployment/checkout, deployment/checkout-worker]
    dependsOn:
    - inventory  # env INVENTORY_ADDR
    - payments   # env PAYMENTS_ADDR

    $ pintle check
    3 services: no problems (… ms)

    $ pintle graph
    checkout 1.7.9
    ├─ inventory 1.4.2  *
    └─ payments 2.0.3  *
    "#);
}

#[test]
fn helm_values_get_their_repository_from_the_values_below_them() {
    assert_snapshot!(init(&fixture("helm"), "--env prod"), @r#"
    Read 11 YAML files, passed over 1 template: 3 services for prod.
      wrote pintle.yaml: 1 pattern for 3 services
      wrote services/checkout.yaml
      wrote services/payments.yaml

    Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'
    3 services, 2 edges between 3 of them; 0 have none: pintle graph

    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: "apps/{service}/values-prod.yaml", key: image.tag, image: "ghcr.io/acme/{service}"}

    # services/checkout.yaml
    dependsOn: [payments]  # env PAYMENTS_URL

    # services/payments.yaml
    dependsOn: [ledger]  # values ledger.address

    $ pintle check
    3 services: no problems (… ms)

    $ pintle graph
    checkout 1.7.9
    └─ payments 2.0.3  *
       └─ ledger 5.1.0  *
    "#);
}

#[test]
fn helm_releases_of_flux_are_pinned_and_named_as_its_own() {
    assert_snapshot!(init(&fixture("flux"), ""), @r#"
    Read 4 YAML files: 3 services.
      wrote pintle.yaml: 1 pattern for 3 services
      wrote services/checkout.yaml
      wrote services/web.yaml

    helm-controller owns the images of checkout, payments, web
      to let Pintle move them: drop the tag from the Helm values, so that the chart does not set the image

    Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'
    3 services, 3 edges between 3 of them; 0 have none: pintle graph

    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    namespace: shop
    pins:
    - {files: "apps/{service}/release.yaml", key: spec.values.image.tag}

    # services/checkout.yaml
    dependsOn: [payments]  # env PAYMENTS_ADDR

    # services/web.yaml
    dependsOn:
    - checkout  # values upstreams
    - payments  # values upstreams

    $ pintle check
    3 services: no problems (… ms)

    $ pintle graph
    web 3.4.0
    ├─ checkout 1.7.9  *
    │  └─ payments 2.0.3  *
    └─ payments 2.0.3  *
    "#);
}

#[test]
fn applications_of_argo_cd_say_paths_namespaces_and_versions() {
    assert_snapshot!(init(&fixture("argocd"), ""), @r#"
    Read 4 YAML files: 3 services.
      wrote pintle.yaml: 1 pattern for 2 services
      wrote services/checkout.yaml
      wrote services/search.yaml

    argocd-controller owns the images of checkout, payments, search
      to let Pintle move them: in the Argo CD Application, list the image under spec.ignoreDifferences and set the sync option RespectIgnoreDifferences=true

    Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'
    3 services, 1 edge between 2 of them; 1 has none: pintle graph

    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    namespace: shop
    pins:
    - {files: "deploy/{service}.yaml", key: "spec.template.spec.containers[name={service}].image", as: image}

    # services/checkout.yaml
    dependsOn: [payments]  # env PAYMENTS_SERVICE_HOST

    # services/search.yaml
    pin: {file: argocd/search.yaml, key: "spec.source.helm.parameters[name=image.tag].value", image: ghcr.io/acme/search}

    $ pintle check
    3 services: no problems (… ms)

    $ pintle graph
    checkout 1.7.9
    └─ payments 2.0.3  *
    search 0.9.1
    "#);
}

use insta::assert_snapshot;

use super::{fixture, init};
use crate::common::pintle::Pintle;

#[test]
fn manifests_are_pinned_where_they_are() {
    assert_snapshot!(init(&fixture("manifests"), ""), @r#"
    services=checkout,ledger,payments,web
    edges consumer=checkout provider=payments seen=env PAYMENTS_ADDR
    edges consumer=payments provider=ledger seen=env LEDGER_URL
    edges consumer=web provider=checkout seen=ConfigMap web-config, upstream.conf
    files path=pintle.yaml
    files path=services/checkout.yaml
    files path=services/ledger.yaml
    files path=services/payments.yaml
    files path=services/web.yaml

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
    services=4

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
    services=checkout,db,payments,web
    edges consumer=checkout provider=db seen=depends_on
    edges consumer=checkout provider=payments seen=env PAYMENTS_HOST
    edges consumer=web provider=checkout seen=depends_on
    files path=pintle.yaml
    files path=services/checkout.yaml
    files path=services/web.yaml

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
    services=4

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
    assert_snapshot!(Pintle::in_repo(&repo).outline("init --no-cluster"), @"
    error
    hint pintle init --env prod
    exit 64
    ");
    assert_snapshot!(Pintle::in_repo(&repo).outline("init --no-cluster --env pord"), @"
    error
    hint pintle init --env prod
    exit 64
    ");
    assert_snapshot!(init(&repo, "--namespace shop"), @r#"
    environment=prod services=checkout,inventory,payments
    edges consumer=checkout provider=inventory seen=env INVENTORY_ADDR
    edges consumer=checkout provider=payments seen=env PAYMENTS_ADDR
    files path=pintle.yaml
    files path=services/checkout.yaml

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
    services=3

    $ pintle graph
    checkout 1.7.9
    ├─ inventory 1.4.2  *
    └─ payments 2.0.3  *
    "#);
}

#[test]
fn helm_values_get_their_repository_from_the_values_below_them() {
    assert_snapshot!(init(&fixture("helm"), "--env prod"), @r#"
    environment=prod services=checkout,ledger,payments
    edges consumer=checkout provider=payments seen=env PAYMENTS_URL
    edges consumer=payments provider=ledger seen=values ledger.address
    files path=pintle.yaml
    files path=services/checkout.yaml
    files path=services/payments.yaml

    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: "apps/{service}/values-prod.yaml", key: image.tag, image: "ghcr.io/acme/{service}"}

    # services/checkout.yaml
    dependsOn: [payments]  # env PAYMENTS_URL

    # services/payments.yaml
    dependsOn: [ledger]  # values ledger.address

    $ pintle check
    services=3

    $ pintle graph
    checkout 1.7.9
    └─ payments 2.0.3  *
       └─ ledger 5.1.0  *
    "#);
}

#[test]
fn helm_releases_of_flux_are_pinned_and_named_as_its_own() {
    assert_snapshot!(init(&fixture("flux"), ""), @r#"
    services=checkout,payments,web
    edges consumer=checkout provider=payments seen=env PAYMENTS_ADDR
    edges consumer=web provider=checkout seen=values upstreams
    edges consumer=web provider=payments seen=values upstreams
    files path=pintle.yaml
    files path=services/checkout.yaml
    files path=services/web.yaml
    owned manager=helm-controller services=checkout,payments,web

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
    services=3

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
    services=checkout,payments,search
    edges consumer=checkout provider=payments seen=env PAYMENTS_SERVICE_HOST
    files path=pintle.yaml
    files path=services/checkout.yaml
    files path=services/search.yaml
    owned manager=argocd-controller services=checkout,payments,search wayOut: RespectIgnoreDifferences=true | spec.ignoreDifferences

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
    services=3

    $ pintle graph
    checkout 1.7.9
    └─ payments 2.0.3  *
    search 0.9.1
    "#);
}

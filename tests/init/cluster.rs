use insta::assert_snapshot;
use kube::api::{Patch, PatchParams};

use super::fixture;
use crate::common::control_plane::ControlPlane;
use crate::common::namespace::workload;
use crate::common::outline::outline;
use crate::common::pintle::Pintle;

#[tokio::test]
async fn what_runs_and_stands_nowhere_in_git_is_pinned_as_it_runs() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("init").await;
    let apply = async |manager: &str, object: &str, image: &str| {
        let (api, name) = (ns.api(object), object.split_once('/').unwrap().1);
        let patch = Patch::Apply(workload(object, image, 1));
        api.patch(name, &PatchParams::apply(manager).force(), &patch).await.unwrap();
    };
    apply("argocd-controller", "deployment/checkout", "ghcr.io/acme/checkout:1.7.9").await;
    apply("kubectl", "deployment/payments", "ghcr.io/acme/payments:2.0.3").await;
    apply("kubectl", "statefulset/ledger", "ghcr.io/acme/ledger:5.1.0").await;
    apply("kubectl", "deployment/search", "ghcr.io/acme/search:0.9.1").await;
    apply("helm-controller", "daemonset/agent", "ghcr.io/acme/agent:2.4.0").await;
    apply("kubectl", "deployment/edge", "ghcr.io/acme/edge").await;
    apply("kubectl", "deployment/inventory", "ghcr.io/acme/inventory:1.4.2").await;
    apply("kubectl", "deployment/checkout-worker", "ghcr.io/acme/checkout:1.7.9").await;
    let repo = fixture("kustomize");
    for service in ["checkout", "payments", "inventory"] {
        let path = format!("apps/{service}/overlays/prod/kustomization.yaml");
        let text = std::fs::read_to_string(repo.path().join(&path)).unwrap();
        repo.write(&path, text.replace("namespace: shop", &format!("namespace: {}", ns.name)));
    }
    repo.commit("Deploy to the namespace");
    let pintle = Pintle::in_repo(&repo);
    let run = |words: &[&str]| {
        let mut command = pintle.command(&[words, &["--output", "json"]].concat());
        let said = pintle.said(command.env("KUBECONFIG", plane.kubeconfig()).output().unwrap());
        outline(&said, &repo).replace(&ns.name, "NAMESPACE")
    };
    assert_snapshot!(run(&["init", "--env", "prod"]), @"
    environment=prod services=agent,checkout,inventory,ledger,payments,search
    edges consumer=checkout provider=payments seen=env PAYMENTS_ADDR
    files path=pintle.yaml
    files path=services/agent.yaml
    files path=services/checkout.yaml
    files path=services/ledger.yaml
    files path=services/search.yaml
    left why: ghcr.io/acme/edge what: deployment/edge
    owned manager=argocd-controller services=checkout wayOut: RespectIgnoreDifferences=true | spec.ignoreDifferences
    owned manager=helm-controller services=agent
    ");
    let file = |name: &str| std::fs::read_to_string(repo.path().join(format!("services/{name}.yaml"))).unwrap();
    assert_snapshot!(["agent", "ledger", "search"].map(file).join("---\n"), @r#"
    version: "2.4.0"  # as it runs
    image: ghcr.io/acme/agent
    workloads: [daemonset/agent]
    ---
    version: "5.1.0"  # as it runs
    image: ghcr.io/acme/ledger
    workloads: [statefulset/ledger]
    ---
    version: "0.9.1"  # as it runs
    image: ghcr.io/acme/search
    "#);
    repo.commit("Pin what runs");
    assert_snapshot!(run(&["check"]), @"services=6");
    assert_snapshot!(run(&["plan"]), @"namespace=NAMESPACE");
}

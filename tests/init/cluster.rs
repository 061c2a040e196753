use insta::assert_snapshot;
use kube::api::{Patch, PatchParams};

use super::fixture;
use crate::common::control_plane::ControlPlane;
use crate::common::namespace::workload;
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
        let said = pintle.said(pintle.command(words).env("KUBECONFIG", plane.kubeconfig()).output().unwrap());
        without_server(&said.to_string().replace(&ns.name, "NAMESPACE"))
    };
    assert_snapshot!(run(&["init", "--env", "prod"]), @"
    Read 16 YAML files: 6 services for prod.
      wrote pintle.yaml: 1 pattern for 3 services
      wrote services/agent.yaml
      wrote services/checkout.yaml
      wrote services/ledger.yaml
      wrote services/search.yaml

    Not pinned
      deployment/edge: runs ghcr.io/acme/edge, which names no version

    argocd-controller owns the images of checkout
      to let Pintle move them: in the Argo CD Application, list the image under spec.ignoreDifferences and set the sync option RespectIgnoreDifferences=true

    helm-controller owns the images of agent
      to let Pintle move them: drop the tag from the Helm values, so that the chart does not set the image

    Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'
    6 services, 1 edge between 2 of them; 4 have none: pintle graph
    --- stderr
    looked at context test (…), namespace NAMESPACE: 8 workloads
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
    assert_snapshot!(run(&["check"]), @"6 services: no problems (… ms)");
    let plan = run(&["plan"]);
    assert_snapshot!(plan.lines().skip(1).collect::<Vec<_>>().join("\n"), @"
      against context test (…), namespace NAMESPACE

    Nothing to do: everything runs what is pinned.
    ");
}

/// The address of the server differs from run to run.
fn without_server(text: &str) -> String {
    let line = |line: &str| match (line.find("(http"), line.find("), ")) {
        (Some(from), Some(to)) => format!("{}(…{}\n", &line[..from], &line[to..]),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

//! Each layout of `fixtures`, and a namespace that runs more than Git knows.

use std::fmt::Write as _;
use std::path::Path;

use insta::assert_snapshot;
use kube::api::{Patch, PatchParams};

use crate::common::control_plane::ControlPlane;
use crate::common::git::TestRepo;
use crate::common::namespace::workload;
use crate::common::pintle::Pintle;

/// A repository with the files of a fixture, committed.
fn fixture(layout: &str) -> TestRepo {
    let repo = TestRepo::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(layout);
    copy(&folder, &folder, &repo);
    repo.commit("Start");
    repo
}

fn copy(top: &Path, folder: &Path, repo: &TestRepo) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            copy(top, &path, repo);
        } else {
            repo.write(path.strip_prefix(top).unwrap().to_str().unwrap(), std::fs::read(&path).unwrap());
        }
    }
}

/// What `init` says and writes, and what `check` and `graph` make of it once it is committed.
fn init(repo: &TestRepo, words: &str) -> String {
    let pintle = Pintle::in_repo(repo);
    let mut told = pintle.says(&format!("init --no-cluster {words}")).to_string();
    for path in repo.git(&["ls-files", "--others"]).lines() {
        let text = std::fs::read_to_string(repo.path().join(path)).unwrap();
        let _ = write!(told, "\n# {path}\n{text}");
    }
    repo.commit("Pin what runs");
    for words in ["check", "graph"] {
        let _ = write!(told, "\n$ pintle {words}\n{}", pintle.says(words));
    }
    told
}

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

#[test]
fn what_init_wrote_can_be_planned_at_once() {
    let repo = fixture("compose");
    init(&repo, "");
    let compose = std::fs::read_to_string(repo.path().join("compose.yaml")).unwrap();
    repo.save("compose.yaml", compose.replace("checkout:1.7.9", "checkout:1.8.2").replace("web:3.4.0", "web:3.5.0"));
    assert_snapshot!(Pintle::in_repo(&repo).says("plan --from HEAD~1"), @"
    Plan for d5e180f9 (Change compose.yaml)
      against the pins at 9cdb3ed9 (Pin what runs)

    Stage 1 (starts now)
      ~ checkout  1.7.9 -> 1.8.2  upgrade

    Stage 2 (each starts when what it waits for has passed)
      ~ web       3.4.0 -> 3.5.0  upgrade
          waits until checkout 1.8.2 is verified: what others need goes up first

    On the way, and never seen together
      ? checkout 1.8.2 with db 16.4
      ? checkout 1.8.2 with payments 2.0.3
      ? web 3.4.0 with checkout 1.8.2
      ? web 3.5.0 with checkout 1.8.2

    Plan: 2 changes in 2 stages.
    Takes about 1m (one by one: 1m, 30s assumed for each); replaces 2 pods, at most 1 above the usual number.
    ");
}

#[test]
fn a_second_run_writes_nothing() {
    let repo = fixture("manifests");
    init(&repo, "");
    assert_snapshot!(Pintle::in_repo(&repo).says("init --no-cluster"), @"
    Read 12 YAML files: 4 services.

    Not moved by Pintle
      CronJob report (k8s/report/cronjob.yaml)

    4 services, 3 edges between 4 of them; 0 have none: pintle graph
    ");
    assert_eq!(repo.git(&["status", "--short"]), "");
}

#[test]
fn files_that_exist_are_left_alone_and_a_dry_run_writes_none() {
    let repo = fixture("compose");
    repo.write("services/web.yaml", "# ours\nverify: {timeout: 5m}\n").commit("Begin by hand");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("init --no-cluster --dry-run"), @r#"
    Read 2 YAML files: 4 services.

    # pintle.yaml
    apiVersion: pintle.dev/v1alpha1
    pins:
    - {files: compose.yaml, key: "services.{service}.image", as: image}

    # services/checkout.yaml
    dependsOn:
    - db        # depends_on
    - payments  # env PAYMENTS_HOST

      left alone services/web.yaml; it could say:
          dependsOn: [checkout]  # depends_on

    4 services, 2 edges between 3 of them; 1 has none: pintle graph
    "#);
    assert_eq!(repo.git(&["status", "--short"]), "");
    assert_snapshot!(pintle.says("init --no-cluster"), @"
    Read 2 YAML files: 4 services.
      wrote pintle.yaml: 1 pattern for 4 services
      wrote services/checkout.yaml
      left alone services/web.yaml; it could say:
          dependsOn: [checkout]  # depends_on

    Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'
    4 services, 2 edges between 3 of them; 1 has none: pintle graph
    ");
    assert_eq!(repo.git(&["status", "--short"]), "?? pintle.yaml\n?? services/checkout.yaml");
}

#[test]
fn a_repository_without_versions_is_told_how_to_begin() {
    let repo = TestRepo::with(&[("README.md", "# Shop\n"), (".github/workflows/ci.yaml", "on: push\n")]);
    assert_snapshot!(Pintle::in_repo(&repo).says("init --no-cluster"), @r#"
    --- stderr
    error: no version was found in 0 YAML files
      hint: pin a first service by hand, in services/NAME.yaml: `version: "1.8.2"` and `image: ghcr.io/acme/checkout`
    --- exit 1
    "#);
    assert_eq!(repo.git(&["status", "--short"]), "");
}

#[test]
fn links_and_broken_files_are_named_and_the_rest_is_pinned() {
    let repo = fixture("compose");
    repo.write("k8s/broken.yaml", "a: [1\nb: 2\n");
    std::os::unix::fs::symlink("/etc/hostname", repo.path().join("link.yaml")).unwrap();
    assert_snapshot!(Pintle::in_repo(&repo).says("init --no-cluster"), @"
    Read 2 YAML files: 4 services.
      wrote pintle.yaml: 1 pattern for 4 services
      wrote services/checkout.yaml
      wrote services/web.yaml

    Not read
      k8s/broken.yaml:2:2: this cannot be read: illegal placement of ':' indicator
      link.yaml: a symbolic link, never followed

    Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'
    4 services, 3 edges between 4 of them; 0 have none: pintle graph
    ");
}

#[test]
fn nothing_is_written_through_a_link_out_of_the_repository() {
    let (repo, elsewhere) = (fixture("compose"), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(elsewhere.path(), repo.path().join("services")).unwrap();
    let said = Pintle::in_repo(&repo).says("init --no-cluster");
    assert_snapshot!(said, @"
    --- stderr
    error: cannot write services/checkout.yaml: its folder is a link that leads out of the repository
      hint: nothing was written; remove the link
    --- exit 1
    ");
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 0);
}

#[test]
fn programs_are_told_the_same() {
    assert_snapshot!(Pintle::in_repo(&fixture("argocd")).says("init --no-cluster --dry-run --output json"), @r#"
    {
      "environment": null,
      "services": [
        "checkout",
        "payments",
        "search"
      ],
      "edges": [
        {
          "consumer": "checkout",
          "provider": "payments",
          "seen": "env PAYMENTS_SERVICE_HOST"
        }
      ],
      "files": [
        {
          "path": "pintle.yaml",
          "text": "apiVersion: pintle.dev/v1alpha1\nnamespace: shop\npins:\n- {files: \"deploy/{service}.yaml\", key: \"spec.template.spec.containers[name={service}].image\", as: image}\n",
          "existed": false
        },
        {
          "path": "services/checkout.yaml",
          "text": "dependsOn: [payments]  # env PAYMENTS_SERVICE_HOST\n",
          "existed": false
        },
        {
          "path": "services/search.yaml",
          "text": "pin: {file: argocd/search.yaml, key: \"spec.source.helm.parameters[name=image.tag].value\", image: ghcr.io/acme/search}\n",
          "existed": false
        }
      ],
      "left": [],
      "owned": [
        {
          "manager": "argocd-controller",
          "services": [
            "checkout",
            "payments",
            "search"
          ],
          "wayOut": "in the Argo CD Application, list the image under spec.ignoreDifferences and set the sync option RespectIgnoreDifferences=true"
        }
      ]
    }
    "#);
}

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

//! Each layout of `fixtures`, and a namespace that runs more than Git knows.

/// A namespace that runs more than Git knows.
mod cluster;
/// What is written, and what is left alone.
mod files;
/// Each layout of `fixtures`.
mod layouts;

use std::fmt::Write as _;
use std::path::Path;

use insta::assert_snapshot;

use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

/// A repository with the files of a fixture, committed.
pub(crate) fn fixture(layout: &str) -> TestRepo {
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

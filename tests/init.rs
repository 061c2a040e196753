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

/// What `init` finds and writes, and what `check` and `graph` make of it once it is committed.
fn init(repo: &TestRepo, words: &str) -> String {
    let pintle = Pintle::in_repo(repo);
    let mut told = pintle.outline(&format!("init --no-cluster {words}"));
    for path in repo.git(&["ls-files", "--others"]).lines() {
        let text = std::fs::read_to_string(repo.path().join(path)).unwrap();
        let _ = write!(told, "\n# {path}\n{text}");
    }
    repo.commit("Pin what runs");
    let _ = write!(told, "\n$ pintle check\n{}\n$ pintle graph\n{}", pintle.outline("check"), pintle.says("graph"));
    told
}

#[test]
fn what_init_wrote_can_be_planned_at_once() {
    let repo = fixture("compose");
    init(&repo, "");
    let compose = std::fs::read_to_string(repo.path().join("compose.yaml")).unwrap();
    repo.save("compose.yaml", compose.replace("checkout:1.7.9", "checkout:1.8.2").replace("web:3.4.0", "web:3.5.0"));
    assert_snapshot!(Pintle::in_repo(&repo).outline("plan --from HEAD~1"), @"
    unseen: 1.8.2 | 16.4 | 2.0.3 | 3.4.0 | 3.5.0 | checkout | web
    stages 1 service=checkout kind=upgrade from=1.7.9 to=1.8.2
    stages 2 service=web kind=upgrade from=3.4.0 to=3.5.0 waits: 1.8.2 | checkout
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

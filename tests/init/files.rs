use insta::assert_snapshot;

use super::{fixture, init};
use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

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

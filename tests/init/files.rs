use insta::assert_snapshot;

use super::{fixture, init};
use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

#[test]
fn a_second_run_writes_nothing() {
    let repo = fixture("manifests");
    init(&repo, "");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("init --no-cluster"), @"services=checkout,ledger,payments,web");
    // What it does not move is named to people alone.
    let said = pintle.says("init --no-cluster").out;
    assert!(said.contains("\n  CronJob report (k8s/report/cronjob.yaml)\n"), "{said}");
    assert_eq!(repo.git(&["status", "--short"]), "");
}

#[test]
fn files_that_exist_are_left_alone_and_a_dry_run_writes_none() {
    let repo = fixture("compose");
    repo.write("services/web.yaml", "# ours\nverify: {timeout: 5m}\n").commit("Begin by hand");
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.outline("init --no-cluster --dry-run"), @"
    services=checkout,db,payments,web
    edges consumer=checkout provider=db seen=depends_on
    edges consumer=checkout provider=payments seen=env PAYMENTS_HOST
    edges consumer=web provider=checkout seen=depends_on
    files path=pintle.yaml
    files path=services/checkout.yaml
    files path=services/web.yaml existed=yes
    ");
    let json = pintle.json("init --no-cluster --dry-run");
    let proposed = json["files"].as_array().unwrap().iter().map(|file| (file["path"].as_str(), file["text"].as_str()));
    let ours = proposed.filter(|(path, _)| *path == Some("services/web.yaml")).map(|(_, text)| text.unwrap());
    assert_eq!(ours.collect::<Vec<_>>(), ["dependsOn: [checkout]  # depends_on\n"], "what it could say");
    assert_eq!(repo.git(&["status", "--short"]), "");
    assert_snapshot!(pintle.outline("init --no-cluster"), @"
    services=checkout,db,payments,web
    edges consumer=checkout provider=db seen=depends_on
    edges consumer=checkout provider=payments seen=env PAYMENTS_HOST
    edges consumer=web provider=checkout seen=depends_on
    files path=pintle.yaml
    files path=services/checkout.yaml
    files path=services/web.yaml existed=yes
    ");
    assert_eq!(repo.git(&["status", "--short"]), "?? pintle.yaml\n?? services/checkout.yaml");
}

#[test]
fn a_repository_without_versions_is_told_how_to_begin() {
    let repo = TestRepo::with(&[("README.md", "# Shop\n"), (".github/workflows/ci.yaml", "on: push\n")]);
    assert_snapshot!(Pintle::in_repo(&repo).outline("init --no-cluster"), @r#"
    error 0
    hint image: ghcr.io/acme/checkout | services/NAME.yaml | version: "1.8.2"
    exit 1
    "#);
    assert_eq!(repo.git(&["status", "--short"]), "");
}

#[test]
fn links_and_broken_files_are_named_and_the_rest_is_pinned() {
    let repo = fixture("compose");
    repo.write("k8s/broken.yaml", "a: [1\nb: 2\n");
    std::os::unix::fs::symlink("/etc/hostname", repo.path().join("link.yaml")).unwrap();
    // They are named to people alone.
    let said = Pintle::in_repo(&repo).says("init --no-cluster --dry-run").out;
    assert!(said.contains("\n  k8s/broken.yaml:2:2: ") && said.contains("\n  link.yaml: "), "{said}");
    assert_snapshot!(Pintle::in_repo(&repo).outline("init --no-cluster"), @"
    services=checkout,db,payments,web
    edges consumer=checkout provider=db seen=depends_on
    edges consumer=checkout provider=payments seen=env PAYMENTS_HOST
    edges consumer=web provider=checkout seen=depends_on
    files path=pintle.yaml
    files path=services/checkout.yaml
    files path=services/web.yaml
    ");
}

#[test]
fn nothing_is_written_through_a_link_out_of_the_repository() {
    let (repo, elsewhere) = (fixture("compose"), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(elsewhere.path(), repo.path().join("services")).unwrap();
    let said = Pintle::in_repo(&repo).outline("init --no-cluster");
    assert_snapshot!(said, @"
    error services/checkout.yaml
    hint
    exit 1
    ");
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 0);
}

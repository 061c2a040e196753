//! The index against other ways to know the same: every tree read in full, and what git says of a public history.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pintle::source::{Access, FileScope, HistoryIndex, RepositoryLocation, Source};
use pintle_core::git::CommitId;
use pintle_core::pins::{Fragment, Pin, ServiceName, assemble_pin};

use super::{Desk, layout, line, pinned, service_file};
use crate::common::chance::Chance;
use crate::common::git::{TestRepo, git, replay, text};

#[test]
fn an_index_equals_reading_every_commit_in_full() {
    for seed in 1..=8 {
        let desk =
            Desk::with_pins(r#"[{files: "deploy/*/{service}.yaml", key: tag, image: "ghcr.io/acme/{service}"}]"#);
        let mut chance = Chance(seed);
        for step in 0..25 {
            change(&mut chance, &desk.repo, step);
            if chance.below(6) == 0 {
                desk.index();
            }
        }
        let history = desk.history();
        let expected = brute_force(&desk);
        let found = history.services().map(|(service, _)| (service.clone(), line(&history, service.as_str())));
        assert_eq!(found.collect::<BTreeMap<_, _>>(), expected, "seed {seed}");
    }
}

/// All records, from the whole tree of every commit.
fn brute_force(desk: &Desk) -> BTreeMap<ServiceName, Vec<(CommitId, Option<String>)>> {
    let source = desk.source();
    let commits = desk.repo.git(&["rev-list", "--first-parent", "--reverse", "HEAD"]);
    let mut records: BTreeMap<ServiceName, Vec<(CommitId, Option<Pin>)>> = BTreeMap::new();
    for commit in commits.lines().map(|hex| CommitId::try_from(hex.to_owned()).unwrap()) {
        let files = source.files(commit, FileScope::Pins(&desk.layout)).unwrap().files;
        let fragments: Vec<_> = files.iter().map(|file| Fragment::read(file, &desk.layout)).collect();
        let mut services: BTreeSet<_> = fragments.iter().flat_map(Fragment::services).cloned().collect();
        services.extend(records.keys().cloned());
        for service in services {
            let pin = assemble_pin(&service, &fragments);
            let known = records.get(&service).and_then(|line| line.last()).and_then(|(_, pin)| pin.clone());
            if pin != known {
                records.entry(service).or_default().push((commit, pin));
            }
        }
    }
    let version = |(commit, pin): (CommitId, Option<Pin>)| (commit, pin.map(|pin| pin.version.to_string()));
    records.into_iter().map(|(service, line)| (service, line.into_iter().map(version).collect())).collect()
}

/// Changes some files by chance and commits that; now and then a merge follows.
fn change(chance: &mut Chance, repo: &TestRepo, step: usize) {
    for _ in 0..=chance.below(2) {
        let service = ["a", "b", "c"][chance.below(3)];
        let version = format!("1.0.{}", chance.below(4));
        let path = [
            format!("services/{service}.yaml"),
            format!("deploy/x/{service}.yaml"),
            format!("deploy/y/{service}.yaml"),
        ][chance.below(3)]
        .clone();
        let there = repo.path().join(&path).exists();
        match chance.below(8) {
            0 | 1 if there => _ = repo.remove(&path),
            2 => _ = repo.write(&path, "{broken"),
            3 => _ = repo.write(&path, "dependsOn: {b: \"^1.0\"}\n"),
            _ if path.starts_with("deploy") => _ = repo.write(&path, format!("tag: \"{version}\"\n")),
            _ => _ = repo.write(&path, service_file(service, &version)),
        }
    }
    repo.commit(&format!("Step {step}"));
    if chance.below(8) == 0 {
        let topic = format!("topic-{step}");
        repo.branch(&topic).save("services/a.yaml", service_file("a", &format!("2.0.{step}")));
        repo.checkout("main").save("README.md", step.to_string());
        repo.merge(&topic);
    }
}

/// The history of GOV.UK, where it is there to be read.
#[test]
fn govuk_is_indexed_as_git_shows_it() {
    let bundle = "govuk-production.bundle";
    let Some(bundle) = replay(bundle) else { return println!("skipped: {bundle} is not there") };
    let folder = tempfile::tempdir().unwrap();
    let clone = folder.path().join("pins.git");
    let run = |folder: &Path, args: &[&str]| text(git(folder).args(args).output().unwrap());
    run(folder.path(), &["clone", "-q", "--bare", "-b", "main", bundle.to_str().unwrap(), clone.to_str().unwrap()]);
    let pins = "charts/app-config/image-tags/production";
    let layout =
        layout(&format!(r#"[{{files: "{pins}/{{service}}", key: image_tag, image: "ghcr.io/alphagov/{{service}}"}}]"#));
    let source = Source::open(&RepositoryLocation::Path(clone.clone()), &Access::new(folder.path())).unwrap();
    let mut index = HistoryIndex::load(&source, "main", &layout);
    let visited = index.extend(&source, source.tip(None).unwrap().id, &layout).unwrap();
    let history = index.history();
    assert_eq!(visited.to_string(), run(&clone, &["rev-list", "--first-parent", "--count", "main"]));
    assert_eq!(history.services().filter(|(service, _)| history.current_pin(service).is_some()).count(), 55);
    index.save().unwrap();
    assert_eq!(HistoryIndex::load(&source, "main", &layout).history(), history);

    // Each line that git says was added to publisher's file is a record, and no other is.
    let log = run(
        &clone,
        &["log", "--first-parent", "--reverse", "-p", "-U0", "--format=commit %H", "--", &format!("{pins}/publisher")],
    );
    let mut expected: Vec<(CommitId, Option<String>)> = Vec::new();
    let mut commit = None;
    for line in log.lines() {
        if let Some(hex) = line.strip_prefix("commit ") {
            commit = CommitId::try_from(hex.to_owned()).ok();
        } else if let Some(tag) = line.strip_prefix("+image_tag:") {
            let tag = tag.trim().trim_matches(['"', '\'']);
            if expected.last().is_none_or(|(_, last)| last.as_deref() != Some(tag)) {
                expected.push(pinned(commit.unwrap(), tag));
            }
        }
    }
    assert!(expected.len() > 100, "{}", expected.len());
    assert_eq!(line(history, "publisher"), expected);
}

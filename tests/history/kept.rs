//! What is kept from one run to the next, what is visited again, and what becomes of it when it is damaged.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use pintle::source::{Access, HistoryIndex, RepositoryLocation, Source};
use pintle_core::git::CommitId;

use super::{Desk, layout, line, name, pinned, version};
use crate::common::limit::EMERGENCY;

#[test]
fn only_new_commits_are_visited() {
    let desk = Desk::new();
    for patch in 0..5 {
        desk.pin("shop", &format!("1.0.{patch}"));
    }
    assert_eq!(desk.index().1, 5);
    assert_eq!(desk.index().1, 0);
    desk.pin("shop", "1.1.0");
    let (history, visited) = desk.index();
    assert_eq!((visited, history.records(&name("shop")).len()), (1, 6));
    let cold = Desk { cache: tempfile::tempdir().unwrap(), ..desk };
    assert_eq!(cold.history(), history, "extended or built at once is the same");
}

#[test]
fn a_file_that_was_read_by_an_earlier_process_still_counts() {
    // The version is in one file and what it needs in another: a change of one of them needs both.
    let desk = Desk::with_pins(r#"[{files: "deploy/{service}.yaml", key: tag, image: "ghcr.io/acme/{service}"}]"#);
    desk.repo.write("deploy/shop.yaml", "tag: \"1.0.0\"\n");
    desk.repo.save("services/shop.yaml", "dependsOn: {db: \"^1.0\"}\n");
    desk.index();
    desk.repo.save("deploy/shop.yaml", "tag: \"1.1.0\"\n");
    let history = desk.history();
    assert!(!history.needs_of(&name("shop"), &version("1.1.0")).unwrap().is_empty());
    let moved = desk.repo.save("services/shop.yaml", "dependsOn: {db: \"^2.0\"}\n");
    assert_eq!(line(&desk.history(), "shop").last(), Some(&pinned(moved, "1.1.0")));
}

#[test]
fn a_rewritten_branch_is_indexed_from_where_it_was_rewritten() {
    let desk = Desk::with_pins(r#"[{files: "deploy/{service}.yaml", key: tag, image: "ghcr.io/acme/{service}"}]"#);
    desk.repo.write("deploy/web.yaml", "tag: \"1.0.0\"\n").write("services/web.yaml", "dependsOn: {shop: \"^1.0\"}\n");
    let first = desk.pin("shop", "1.0.0");
    desk.repo.remove("services/web.yaml");
    desk.pin("shop", "1.1.0");
    desk.index();
    desk.repo.git(&["reset", "--quiet", "--hard", &first.to_hex()]);
    let other = desk.pin("shop", "2.0.0");
    desk.repo.save("deploy/web.yaml", "tag: \"1.1.0\"\n");
    let (history, visited) = desk.index();
    assert_eq!(visited, 2);
    assert_eq!(line(&history, "shop"), [pinned(first, "1.0.0"), pinned(other, "2.0.0")]);
    assert!(!history.needs_of(&name("web"), &version("1.1.0")).unwrap().is_empty(), "its other file is known again");
    assert_eq!(desk.index(), (history, 0), "and kept");
    desk.repo.git(&["checkout", "--quiet", "--orphan", "fresh"]);
    let orphan = desk.pin("shop", "3.0.0");
    assert_eq!(line(&desk.history(), "shop"), [pinned(orphan, "3.0.0")]);
}

#[test]
fn an_older_revision_or_a_branch_from_one_costs_what_lies_between() {
    let desk = Desk::new();
    let commits: Vec<CommitId> = (0..6).map(|minor| desk.pin("shop", &format!("1.{minor}.0"))).collect();
    let still = desk.repo.save("README.md", "moves nothing");
    desk.pin("shop", "2.0.0");
    let (newest, _) = desk.index();
    desk.repo.git(&["checkout", "--quiet", "-b", "topic", &commits[3].to_hex()]);
    let topic = desk.pin("other", "1.0.0");
    for (revision, visited) in [(commits[2], 0), (still, 1), (topic, 1)] {
        let cold = tempfile::tempdir().unwrap();
        let at = |cache: &Path| {
            let source =
                Source::open(&RepositoryLocation::parse(&desk.repo.location()).unwrap(), &Access::new(cache)).unwrap();
            let mut index = HistoryIndex::load(&source, "main", &desk.layout);
            let visited = index.extend(&source, revision, &desk.layout).unwrap();
            index.save().unwrap();
            (Arc::clone(index.history()), visited)
        };
        let (history, all) = at(cold.path());
        assert!(all > visited, "{all}");
        assert_eq!(at(desk.cache.path()), (history, visited));
        desk.repo.checkout("main");
        assert_eq!(desk.index().0, newest);
    }
}

#[test]
fn a_damaged_index_is_built_anew() {
    let desk = Desk::new();
    desk.pin("shop", "1.0.0");
    desk.pin("shop", "1.1.0");
    let (good, _) = desk.index();
    let file = desk.index_file();
    let bytes = std::fs::read(&file).unwrap();
    let flipped = [&bytes[..bytes.len() / 2], &[bytes[bytes.len() / 2] ^ 1], &bytes[bytes.len() / 2 + 1..]].concat();
    let foreign = [b"pintle-index 0 ".as_slice(), &bytes[15..]].concat();
    for damaged in [b"".as_slice(), b"\xff\xfe", &bytes[..bytes.len() - 1], &bytes[..40], &flipped, &foreign] {
        std::fs::write(&file, damaged).unwrap();
        assert_eq!(desk.index(), (Arc::clone(&good), 2));
    }
    assert_eq!(desk.index(), (good, 0));
}

#[test]
fn an_index_of_another_layout_or_branch_is_not_used() {
    let desk = Desk::new();
    desk.pin("shop", "1.0.0");
    desk.index();
    let other = Desk { layout: layout(r#"[{files: "x/{service}", key: a, image: "b/{service}"}]"#), ..desk };
    assert_eq!(other.index().1, 1);
    assert_eq!(HistoryIndex::load(&other.source(), "release", &other.layout).history().tip(), None);
}

#[test]
fn old_indexes_and_leftovers_of_the_killed_are_swept() {
    let desk = Desk::new();
    desk.pin("shop", "1.0.0");
    desk.index();
    let folder = desk.index_file().parent().unwrap().to_owned();
    for process in 0..40 {
        std::fs::write(folder.join(format!("killed.{process}.tmp")), "half an ind").unwrap();
    }
    desk.pin("shop", "1.1.0");
    desk.index();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 16);
    assert_eq!(desk.index().1, 0);
}

/// Indexes a repository until it is killed.
fn index_for_ever(repo: &Path, cache: &Path) -> ! {
    let source = Source::open(&RepositoryLocation::Path(repo.into()), &Access::new(cache)).unwrap();
    let layout = layout("");
    let (tip, start) = (source.tip(None).unwrap().id, source.resolve("HEAD~20").unwrap().id);
    loop {
        for commit in [start, tip] {
            let mut index = HistoryIndex::load(&source, "main", &layout);
            index.extend(&source, commit, &layout).unwrap();
            index.save().unwrap();
        }
    }
}

#[test]
fn a_process_killed_while_it_indexes_leaves_nothing_that_misleads() {
    // The test runs itself as the process to be killed.
    const INDEXED: [&str; 2] = ["PINTLE_TEST_INDEXED", "PINTLE_TEST_INDEXED_INTO"];
    if let [Some(repo), Some(cache)] = INDEXED.map(std::env::var_os) {
        index_for_ever(repo.as_ref(), cache.as_ref());
    }
    let desk = Desk::new();
    for patch in 0..25 {
        desk.pin("shop", &format!("1.0.{patch}"));
    }
    let expected = Desk { cache: tempfile::tempdir().unwrap(), repo: desk.repo, layout: layout("") };
    let history = expected.history();
    let desk = Desk { cache: tempfile::tempdir().unwrap(), ..expected };
    for round in 0..12 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "history::kept::a_process_killed_while_it_indexes_leaves_nothing_that_misleads"])
            .envs(INDEXED.into_iter().zip([desk.repo.path(), desk.cache.path()]))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // It saves again and again; once it has, it is at work.
        let (before, deadline) = (saved_at(desk.cache.path()), Instant::now() + EMERGENCY);
        while saved_at(desk.cache.path()) == before {
            assert!(Instant::now() < deadline, "nothing was saved");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(round * 7));
        victim.kill().unwrap();
        victim.wait().unwrap();
        assert_eq!(desk.history(), history, "round {round}");
    }
}

/// When an index was last saved in a cache.
fn saved_at(cache: &Path) -> Option<SystemTime> {
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries(&cache.join("index")).flat_map(|folder| entries(&folder.path()).collect::<Vec<_>>());
    let whole = files.filter(|file| file.path().extension().is_none_or(|extension| extension != "tmp"));
    whole.filter_map(|file| file.metadata().ok()?.modified().ok()).max()
}

//! Repositories made by git, read by Pintle: names, files, the working tree.

use pintle::source::{Access, FileScope, RepositoryLocation, Source, SourceError, TipRelation, find_root};
use pintle_core::git::{CommitId, FileContent, FileListing};

use crate::common::git::{TestRepo, git};

/// The repository as a user who names its path gets it.
fn open(repo: &TestRepo) -> Source {
    Source::open(&RepositoryLocation::parse(&repo.location()).unwrap(), &Access::new("/nonexistent")).unwrap()
}

/// `path=text` of each file, for comparing whole listings.
fn shown(listing: &FileListing) -> Vec<String> {
    let text = |content: &FileContent| match content {
        FileContent::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    };
    listing.files.iter().map(|file| format!("{}={}", file.path, text(&file.content))).collect()
}

fn paths(listing: &FileListing) -> Vec<&str> {
    listing.files.iter().map(|file| file.path.as_ref()).collect()
}

#[test]
fn a_commit_shows_who_when_and_what() {
    let repo = TestRepo::with(&[("pintle.yaml", "x")]);
    let source = open(&repo);
    let tip = source.tip(None).unwrap();
    assert_eq!(tip.id, repo.head());
    assert_eq!((&*tip.author, &*tip.subject), ("Ada <ada@example.com>", "Start"));
    assert_eq!(tip.time.to_string(), "2026-01-01T00:03:00Z");
    assert_eq!(source.default_branch().unwrap(), "main");
    assert_eq!(source.tip(Some("main")).unwrap(), tip);
}

#[test]
fn files_are_read_from_the_wanted_folders_only() {
    let repo = TestRepo::with(&[
        ("pintle.yaml", "p"),
        ("services/a.yaml", "a"),
        ("services/deep/b.yaml", "b"),
        ("services2/c.yaml", "c"),
        ("docs/d.md", "d"),
    ]);
    let source = open(&repo);
    let listing = source.files(repo.head(), FileScope::Folder("services")).unwrap();
    assert_eq!(shown(&listing), ["services/a.yaml=a", "services/deep/b.yaml=b"]);
    assert_eq!(paths(&source.files(repo.head(), FileScope::All).unwrap()).len(), 5);
    assert_eq!(&*source.file(repo.head(), "docs/d.md").unwrap().unwrap().path, "docs/d.md");
    assert_eq!(source.file(repo.head(), "docs").unwrap(), None);
    assert_eq!(source.file(repo.head(), "docs/e.md").unwrap(), None);
}

#[test]
fn changes_name_only_what_differs() {
    let repo = TestRepo::with(&[("a", "1"), ("s/b", "1"), ("s/c", "1"), ("t/d", "1")]);
    let first = repo.head();
    repo.write("s/b", "2").write("s/e", "1").write("t/d", "2").remove("s/c");
    let second = repo.commit("Change");
    let changes = open(&repo).changed_files(first, second, FileScope::Folder("s")).unwrap();
    assert_eq!(shown(&changes.changed), ["s/b=2", "s/e=1"]);
    assert_eq!(changes.removed, ["s/c".into()]);
}

#[test]
fn a_file_may_become_a_folder_and_back() {
    let repo = TestRepo::with(&[("s/x", "file"), ("s/x-y", "same"), ("s/x.z", "same")]);
    let first = repo.head();
    let second = repo.remove("s/x").save("s/x/inner", "deep");
    let source = open(&repo);
    let there = source.changed_files(first, second, FileScope::Folder("s")).unwrap();
    assert_eq!((shown(&there.changed), there.removed), (vec!["s/x/inner=deep".to_owned()], vec!["s/x".into()]));
    let back = source.changed_files(second, first, FileScope::Folder("s")).unwrap();
    assert_eq!((shown(&back.changed), back.removed), (vec!["s/x=file".to_owned()], vec!["s/x/inner".into()]));
}

#[test]
#[cfg(unix)]
fn links_submodules_and_giants_are_named_not_read() {
    use std::os::unix::fs::symlink;
    let repo = TestRepo::with(&[("s/plain", "x")]);
    symlink("/etc/passwd", repo.path().join("s/link")).unwrap();
    repo.write("s/giant", vec![b'x'; (8 << 20) + 1]);
    repo.git(&["add", "--all"]);
    let module = format!("160000,{},s/module", repo.head());
    repo.git(&["update-index", "--add", "--cacheinfo", &module]);
    repo.git(&["commit", "--quiet", "-m", "Odd files"]);
    let source = open(&repo);
    let expected = ["s/giant=TooLarge(8388609)", "s/link=Symlink", "s/module=Submodule", "s/plain=x"];
    assert_eq!(shown(&source.files(repo.head(), FileScope::Folder("s")).unwrap()), expected);
    std::fs::create_dir_all(repo.path().join("s/module/.git")).unwrap();
    repo.write("s/module/inner", "not ours");
    let expected = ["s/giant=TooLarge(8388609)", "s/link=Symlink", "s/plain=x"];
    assert_eq!(shown(&source.worktree_files(FileScope::Folder("s")).unwrap()), expected);
}

#[test]
fn a_blob_beyond_the_memory_limit_is_too_large_not_an_error() {
    let repo = TestRepo::with(&[("s/monster", "x".repeat(70 << 20).as_str())]);
    let listing = open(&repo).files(repo.head(), FileScope::Folder("s")).unwrap();
    assert_eq!(shown(&listing), ["s/monster=TooLarge(73400320)"]);
}

#[test]
#[cfg(target_os = "linux")]
fn paths_that_are_not_utf8_are_left_out_with_a_warning() {
    use std::os::unix::ffi::OsStrExt as _;
    let repo = TestRepo::with(&[("s/a", "x")]);
    let name = std::ffi::OsStr::from_bytes(b"s/b\xff\x1b");
    std::fs::write(repo.path().join(name), "x").unwrap();
    let id = repo.commit("Odd name");
    let source = open(&repo);
    for listing in
        [source.files(id, FileScope::Folder("s")).unwrap(), source.worktree_files(FileScope::Folder("s")).unwrap()]
    {
        assert_eq!(paths(&listing), ["s/a"]);
        assert_eq!(listing.problems.len(), 1);
        assert!(!listing.problems[0].place.path.contains('\u{1b}'), "{:?}", listing.problems);
    }
}

#[test]
fn the_working_tree_has_the_ids_that_git_gives() {
    let repo = TestRepo::with(&[("pintle.yaml", "p"), ("s/a", "1"), ("t/x", "1")]);
    let source = open(&repo);
    let committed = source.files(repo.head(), FileScope::Folder("s")).unwrap();
    let here = source.worktree_files(FileScope::Folder("s")).unwrap();
    assert_eq!(here, committed);
    assert_eq!(here.files[0].blob.to_hex(), repo.git(&["rev-parse", "HEAD:s/a"]));
    assert_eq!(source.worktree_file("s/a").unwrap().as_ref(), Some(&here.files[0]));
    assert_eq!(source.worktree_file("s").unwrap(), None);
    assert_eq!(source.worktree_file("s/nothing").unwrap(), None);
}

#[test]
fn a_dirty_working_tree_names_what_is_not_committed() {
    let repo = TestRepo::with(&[("s/a", "1\n"), ("s/b", "1"), ("s/c", "1"), ("t/d", "1")]);
    let source = open(&repo);
    let dirty = || source.dirty_paths(FileScope::Folder("s")).unwrap();
    assert!(dirty().is_empty());
    repo.write("s/a", "1\r\n");
    assert!(dirty().is_empty(), "git may have written CRLF at its checkout");
    repo.write("s/b", "2").write("s/new", "1").write("t/d", "2").remove("s/c");
    assert_eq!(dirty(), ["s/b".into(), "s/c".into(), "s/new".into()]);
    let empty = TestRepo::new();
    empty.write("x", "1");
    assert_eq!(open(&empty).dirty_paths(FileScope::All).unwrap(), ["x".into()]);
}

#[test]
fn revisions_are_read_as_users_type_them() {
    let repo = TestRepo::with(&[("a", "1")]);
    let first = repo.head();
    repo.git(&["tag", "-a", "v1", "-m", "One"]);
    let second = repo.save("a", "2");
    repo.branch("release/1");
    let source = open(&repo);
    let resolve = |text: &str| source.resolve(text).map(|commit| commit.id);
    let hex = first.to_hex();
    for text in ["HEAD~1", "v1", "main^", &hex, &hex[..7], "refs/tags/v1", "release/1~1"] {
        assert_eq!(resolve(text).unwrap(), first, "{text}");
    }
    assert_eq!(resolve("release/1").unwrap(), second);
    for text in ["", "-x", "a..b", "nothing", "HEAD~9", "HEAD:a", "0000000000000000000000000000000000000000", "a\nb"] {
        let error = resolve(text).unwrap_err();
        assert!(matches!(error, SourceError::Revision { .. }), "{text}: {error}");
        assert!(!error.to_string().contains('\n'));
    }
    let error = resolve("relaese/1").unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean release/1?");
    repo.git(&["tag", "main"]);
    let error = resolve("main~1").unwrap_err();
    assert_eq!(error.to_string(), "\"main\" is both a branch and a tag");
    assert_eq!(resolve("refs/heads/main").unwrap(), second);
    assert_eq!(source.tip(Some("main")).unwrap().id, second, "--branch means a branch");
}

#[test]
fn a_missing_branch_offers_its_neighbours() {
    let repo = TestRepo::with(&[("a", "1")]);
    let source = open(&repo);
    let error = source.tip(Some("mian")).unwrap_err();
    assert_eq!(error.to_string(), format!("{} has no branch \"mian\"", repo.location()));
    assert_eq!(error.hint().unwrap(), "did you mean main?");
    assert!(!error.retryable());
    assert!(matches!(source.tip(Some("HEAD~1")), Err(SourceError::BranchName { .. })));
}

#[test]
fn an_empty_repository_says_so() {
    let repo = TestRepo::new();
    let source = open(&repo);
    for error in [source.tip(None), source.tip(Some("main")), source.resolve("HEAD")].map(Result::unwrap_err) {
        assert_eq!(error.to_string(), format!("{} has no commit yet", repo.location()));
        assert!(error.retryable());
    }
}

#[test]
fn what_is_no_repository_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        Source::open(&RepositoryLocation::parse(folder.path().to_str().unwrap()).unwrap(), &Access::new("/nonexistent"))
            .unwrap_err()
    };
    assert!(matches!(open(), SourceError::Open { .. }));
    assert!(matches!(find_root(folder.path()), Err(SourceError::NoRepository { .. })));
    assert!(git(folder.path()).args(["init", "-q", "--object-format=sha256"]).status().unwrap().success());
    assert!(open().to_string().ends_with("unsupported object format"), "{}", open());
}

#[test]
fn one_stands_in_a_repository_also_in_its_folders() {
    let repo = TestRepo::with(&[("s/deep/a", "1")]);
    assert_eq!(find_root(&repo.path().join("s/deep")).unwrap(), repo.path());
    let bare = repo.bare();
    assert_eq!(find_root(&bare).unwrap(), bare);
}

#[test]
fn a_rewritten_branch_is_told_from_one_that_went_on() {
    let repo = TestRepo::with(&[("a", "1")]);
    let base = repo.head();
    let old = repo.save("a", "2");
    repo.branch("topic").save("b", "1");
    let topic = repo.save("b", "2");
    repo.checkout("main").save("c", "1");
    let merged = repo.merge("topic");
    let source = open(&repo);
    let relation = |from, to| source.relation_to_tip(from, to).unwrap();
    assert_eq!(relation(old, old), TipRelation::Same);
    assert_eq!(relation(old, merged), TipRelation::Ahead { commits: 2 });
    assert_eq!(relation(topic, merged), TipRelation::Ahead { commits: 2 });
    assert!(source.is_ancestor(topic, merged).unwrap() && !source.is_ancestor(merged, topic).unwrap());
    repo.git(&["reset", "--quiet", "--hard", &base.to_hex()]);
    let rewritten = repo.save("a", "3");
    assert_eq!(relation(old, rewritten), TipRelation::Rewritten { merge_base: Some(base) });
    assert_eq!(relation(CommitId::from([7; 20]), rewritten), TipRelation::Unknown);
    repo.git(&["checkout", "--quiet", "--orphan", "other"]);
    assert_eq!(relation(old, repo.commit("Unrelated")), TipRelation::Rewritten { merge_base: None });
}

#[test]
fn a_shallow_clone_can_be_read() {
    let repo = TestRepo::with(&[("a", "1")]);
    let (old, middle, tip) = (repo.save("a", "2"), repo.save("a", "3"), repo.save("a", "4"));
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repo.location());
    assert!(git(clone.path()).args(["clone", "-q", "--depth=2", &url, "."]).status().unwrap().success());
    let source =
        Source::open(&RepositoryLocation::Path(clone.path().to_owned()), &Access::new("/nonexistent")).unwrap();
    assert!(source.is_shallow());
    assert_eq!(source.tip(None).unwrap().id, tip);
    assert_eq!(source.relation_to_tip(old, tip).unwrap(), TipRelation::Unknown);
    assert_eq!(source.relation_to_tip(middle, tip).unwrap(), TipRelation::Ahead { commits: 1 });
    assert_eq!(source.relation_to_tip(tip, middle).unwrap(), TipRelation::Rewritten { merge_base: Some(middle) });
    assert_eq!(source.nearest_ancestor(tip, |id| id == middle).unwrap(), Some(middle));
    assert_eq!(source.nearest_ancestor(tip, |id| id == old).unwrap(), None);
    assert_eq!(source.relation_to_tip(tip, tip).unwrap(), TipRelation::Same);
    let beyond = source.resolve("HEAD~2").unwrap_err().to_string();
    assert!(beyond.contains("or it lies outside this shallow clone: git fetch --unshallow"), "{beyond}");
}

#[test]
fn odd_commits_are_shown_cut_and_whole() {
    let repo = TestRepo::with(&[("a", "1")]);
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = |author: &[u8], time: &str, message: &[u8]| {
        let mut text = format!("tree {tree}\nauthor ").into_bytes();
        text.extend([author, b" 4102444800 +0000\ncommitter C <c> ", time.as_bytes(), b" +0000\n\n", message].concat());
        repo.write(".git/raw", text);
        let id = repo.git(&["hash-object", "-t", "commit", "--literally", "-w", ".git/raw"]);
        open(&repo).commit(CommitId::try_from(id).unwrap()).unwrap()
    };
    let odd = raw(b"\xff\x1b[31m <>", "0", b"\xe2\x80\xae evil\x1b[2J");
    assert_eq!((&*odd.author, odd.time.to_string().as_str()), ("\u{fffd}\u{1b}[31m <>", "1970-01-01T00:00:00Z"));
    assert_eq!(pintle_core::problem::display_safe(&odd.subject, 80), r"\u{202e} evil\u{1b}[2J");
    let huge = raw(b"A <a>", "99999999999999999", "ü".repeat(1 << 20).as_bytes());
    assert_eq!((huge.subject.chars().count(), huge.time.as_second()), (1000, 0));
    assert_eq!(&*raw(b" <>", "1", b"").subject, "");
}

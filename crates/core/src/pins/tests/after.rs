//! A revision read from the changes since another one equals the same revision read as a whole.

use std::convert::Infallible;
use std::sync::Arc;

use super::super::{FileSource, FragmentCache, RevisionContents, load_revision};
use super::*;
use crate::git::{FileListing, TreeChanges};

/// Returns the files of a revision, sorted by path.
fn sorted(revision: &Revision) -> Vec<RepoFile> {
    let mut files = revision.0.clone();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Returns the changes between two revisions, in the form that Git gives.
fn changes(before: &[RepoFile], now: &[RepoFile]) -> TreeChanges {
    let is_new = |file: &&RepoFile| !before.contains(file);
    let is_gone = |file: &&RepoFile| !now.iter().any(|other| other.path == file.path);
    TreeChanges {
        changed: FileListing { files: now.iter().filter(is_new).cloned().collect(), problems: Vec::new() },
        removed: before.iter().filter(is_gone).map(|file| Arc::clone(&file.path)).collect(),
    }
}

fn read_by(files: &[RepoFile], before: Option<(&[RepoFile], &FragmentCache)>) -> RevisionContents {
    let of = |files: &[RepoFile], wanted: &dyn Fn(&str) -> bool| -> Vec<RepoFile> {
        files.iter().filter(|file| wanted(&file.path)).cloned().collect()
    };
    let from = FileSource::<Infallible> {
        file: &|path| Ok(of(files, &|other| other == path).pop()),
        listing: &|layout| {
            let now = of(files, &|path| layout.may_hold_pins(path));
            let known = before.filter(|(_, known)| known.layout == *layout);
            let listed = known.and_then(|(old, known)| {
                known.listing_after(changes(&of(old, &|path| layout.may_hold_pins(path)), &now))
            });
            assert!(listed.as_ref().is_none_or(|listed| listed.files == now));
            Ok(listed.unwrap_or(FileListing { files: now, problems: Vec::new() }))
        },
        names: &|_| Vec::new(),
    };
    let Ok(contents) = load_revision("", &from, None, before.map(|(_, known)| known));
    contents
}

#[test]
fn from_every_revision_to_every_other_one() {
    let base = || Revision::new().with("services/db.yaml", "version: \"1\"\nimage: acme/db\n");
    let pattern = "pins: [{files: 'apps/{service}.yaml', key: tag, image: 'acme/{service}'}]\n";
    let two = "pins:\n- {files: 'x/{service}.yaml', key: v, image: 'acme/{service}'}\n- {files: 'apps/{service}.yaml', key: tag, image: 'acme/{service}'}\n";
    let revisions = [
        base(),
        base().with("services/web.yaml", "version: \"1.9\"\nimage: ghcr.io/acme/web\n"),
        base().with("services/db.yaml", "version: [\n"),
        Revision::new(),
        base()
            .with("services/db.yaml", "image: acme/db\npin: {files: versions.yaml, key: db}\n")
            .with("versions.yaml", "db: \"7\"\n"),
        base()
            .with("services/db.yaml", "image: acme/db\npin: {files: versions.yaml, key: db}\n")
            .with("versions.yaml", "db: \"8\"\n"),
        base().with_settings(pattern).with("apps/api.yaml", "tag: \"2\"\n"),
        base().with_settings(two).with("apps/api.yaml", "tag: \"3\"\n"),
        base().with_settings("nonsense: true\n"),
    ];
    let all: Vec<(Vec<RepoFile>, RevisionContents)> =
        revisions.iter().map(|revision| (sorted(revision), read_by(&sorted(revision), None))).collect();
    for (before, known) in &all {
        for (files, whole) in &all {
            let after = read_by(files, Some((before, &known.fragments)));
            assert_eq!(format!("{:?}", after.reading), format!("{:?}", whole.reading));
            assert_eq!(after.files, whole.files);
        }
    }
}

#[test]
fn what_has_not_changed_is_not_read_again() {
    let of = |version: &str| {
        let text = format!("version: \"{version}\"\nimage: acme/db\n");
        sorted(&Revision::new().with("services/db.yaml", text))
    };
    let (before, now) = (of("1"), of("2"));
    let first = read_by(&before, None);
    let second = read_by(&now, Some((&before, &first.fragments)));
    let (db, web) = (&now[0], &now[1]);
    let is_shared = |file: &RepoFile| {
        let fragment = |known: &FragmentCache| known.fragment_of(&file.path).map(Arc::as_ptr);
        fragment(&first.fragments) == fragment(&second.fragments)
    };
    assert!(is_shared(web) && !is_shared(db));
}

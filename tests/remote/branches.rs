//! Branches, tags and ids of remotes, and how they come and go.

use pintle::source::{SourceError, TipRelation};

use super::{Forge, open};

#[test]
fn a_force_pushed_branch_is_followed_and_told() {
    let forge = Forge::new();
    forge.push("2");
    let mut source = forge.file_source();
    let old = source.fetch(None).unwrap().id;
    forge.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let base = forge.repo.head();
    forge.push("3");
    let new = source.fetch(None).unwrap().id;
    assert_eq!(new, forge.repo.head());
    assert_eq!(source.relation_to_tip(old, new).unwrap(), TipRelation::Rewritten { merge_base: Some(base) });
}

#[test]
fn branches_come_and_go() {
    let forge = Forge::new();
    let mut source = forge.file_source();
    let main = source.fetch(None).unwrap().id;
    forge.repo.branch("release");
    forge.push("2");
    let release = source.fetch(Some("release")).unwrap().id;
    assert_ne!(release, main);
    assert_eq!(source.tip(None).unwrap().id, main);
    let error = source.fetch(Some("relaese")).unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean release?");
    assert!(matches!(source.fetch(Some("--upload-pack=x")), Err(SourceError::BranchName { .. })));

    forge.in_git(&["symbolic-ref", "HEAD", "refs/heads/release"]);
    assert_eq!(source.fetch(None).unwrap().id, release, "the default branch was renamed");
    assert_eq!(source.default_branch().unwrap(), "release");

    forge.in_git(&["update-ref", "-d", "refs/heads/release"]);
    assert!(matches!(source.fetch(None), Err(SourceError::NoBranch { .. })), "HEAD dangles");
    forge.in_git(&["update-ref", "-d", "refs/heads/main"]);
    for branch in [None, Some("main")] {
        let error = source.fetch(branch).unwrap_err();
        assert!(matches!(error, SourceError::Empty { .. }), "{error}");
    }
    assert_eq!(source.tip(Some("main")).unwrap().id, main, "what was known can still be read");
}

#[test]
fn tags_and_ids_of_a_remote_can_be_named() {
    let forge = Forge::new();
    forge.repo.git(&["tag", "v1"]);
    forge.push("2");
    forge.repo.git(&["push", "--quiet", "origin", "v1"]);
    let mut source = forge.file_source();
    source.fetch(None).unwrap();
    let tagged = source.resolve("v1").unwrap().id;
    assert_eq!(source.resolve("main~1").unwrap().id, tagged);
    assert_eq!(source.resolve(&tagged.short()).unwrap().id, tagged);
}

#[test]
fn a_path_is_looked_at_anew() {
    let forge = Forge::new();
    let mut source = open(&forge.repo.location(), &forge.access());
    for round in 0..40 {
        forge.repo.save("pintle.yaml", round.to_string());
        assert_eq!(source.fetch(None).unwrap().id, forge.repo.head());
    }
    assert!(std::fs::read_dir(forge.cache.path()).unwrap().next().is_none(), "nothing is kept of a path");
}

//! Remotes over http, ssh and file: what is asked, what is kept, and what is said when something is wrong.

mod asked;
mod branches;
mod mirror;

use std::path::Path;

use pintle::source::{Access, FileScope, Reach, RepositoryLocation, Source, SourceError};
use tempfile::TempDir;

use crate::common::git::{TestRepo, git};
use crate::common::limit::EMERGENCY;

/// A repository with a bare copy that a server serves, and the cache of who reads it.
struct Forge {
    repo: TestRepo,
    root: TempDir,
    cache: TempDir,
}

impl Forge {
    fn new() -> Self {
        let forge = Self {
            repo: TestRepo::with(&[("pintle.yaml", "1")]),
            root: tempfile::tempdir().unwrap(),
            cache: tempfile::tempdir().unwrap(),
        };
        let bare = forge.bare();
        forge.repo.git(&["clone", "--quiet", "--bare", ".", &bare]);
        forge.repo.git(&["remote", "add", "origin", &bare]);
        forge
    }

    fn bare(&self) -> String {
        self.root.path().join("pins.git").to_str().unwrap().to_owned()
    }

    /// Commits and pushes.
    fn push(&self, text: &str) {
        self.repo.save("pintle.yaml", text);
        self.repo.git(&["push", "--quiet", "--force", "origin", "HEAD"]);
    }

    fn access(&self) -> Access {
        Access { answer_within: EMERGENCY, send_within: EMERGENCY, ..Access::new(self.cache.path()) }
    }

    fn file_source(&self) -> Source {
        open(&format!("file://{}", self.bare()), &self.access())
    }

    fn in_git(&self, args: &[&str]) {
        assert!(git(Path::new(&self.bare())).args(args).status().unwrap().success());
    }

    fn mirror(&self) -> std::path::PathBuf {
        let mut folders =
            std::fs::read_dir(self.cache.path().join("mirror")).unwrap().map(|entry| entry.unwrap().path());
        folders.find(|path| path.extension().is_some_and(|extension| extension == "git")).unwrap()
    }
}

fn open(url: &str, access: &Access) -> Source {
    Source::open(&RepositoryLocation::parse_with_plain_http(url).unwrap(), access).unwrap()
}

fn content(source: &Source) -> String {
    let tip = source.tip(None).unwrap().id;
    format!("{:?}", source.files(tip, FileScope::All).unwrap().files[0].content)
}

fn reach(error: &SourceError) -> Reach {
    match error {
        SourceError::Unreachable { kind, .. } => *kind,
        other => panic!("{other:?}"),
    }
}

//! The index of a branch's pins: what it records, what it visits, and what becomes of it when it is damaged.

mod kept;
mod records;
mod whole;

use std::path::PathBuf;
use std::sync::Arc;

use pintle::source::{Access, HistoryIndex, RepositoryLocation, Source};
use pintle_core::git::CommitId;
use pintle_core::history::History;
use pintle_core::pins::{Layout, Pin, ServiceName, Settings};
use pintle_core::version::Version;
use tempfile::TempDir;

use crate::common::git::TestRepo;

/// A repository and the cache of a user who reads it.
struct Desk {
    repo: TestRepo,
    cache: TempDir,
    layout: Layout,
}

impl Desk {
    fn new() -> Self {
        Self::with_pins("")
    }

    /// `pins` as in pintle.yaml.
    fn with_pins(pins: &str) -> Self {
        Self { repo: TestRepo::new(), cache: tempfile::tempdir().unwrap(), layout: layout(pins) }
    }

    fn source(&self) -> Source {
        Source::open(&RepositoryLocation::parse(&self.repo.location()).unwrap(), &Access::new(self.cache.path()))
            .unwrap()
    }

    fn pin(&self, service: &str, version: &str) -> CommitId {
        self.repo.save(&format!("services/{service}.yaml"), service_file(service, version))
    }

    /// Loads the index, extends it to HEAD, saves it; with the number of commits it had to visit.
    fn index(&self) -> (Arc<History>, usize) {
        let source = self.source();
        let mut index = HistoryIndex::load(&source, "main", &self.layout);
        let visited = index.extend(&source, self.repo.head(), &self.layout).unwrap();
        index.save().unwrap();
        (Arc::clone(index.history()), visited)
    }

    fn history(&self) -> Arc<History> {
        self.index().0
    }

    /// The one index file in the cache.
    fn index_file(&self) -> PathBuf {
        let folder = std::fs::read_dir(self.cache.path().join("index")).unwrap().next().unwrap().unwrap().path();
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

fn layout(pins: &str) -> Layout {
    let key = if pins.is_empty() { "" } else { "pins:" };
    let text = format!("apiVersion: pintle.dev/v1alpha1\n{key} {pins}\n");
    let (settings, problems) = Settings::read(&"pintle.yaml".into(), text.as_bytes());
    assert!(problems.is_empty(), "{problems:?}");
    Layout::new("", &settings.unwrap(), [])
}

fn service_file(service: &str, version: &str) -> String {
    format!("version: \"{version}\"\nimage: ghcr.io/acme/{service}\n")
}

fn name(service: &str) -> ServiceName {
    ServiceName::new(service).unwrap()
}

fn version(text: &str) -> Version {
    Version::new(text).unwrap()
}

/// `commit:version` of each record.
fn line(history: &History, service: &str) -> Vec<(CommitId, Option<String>)> {
    let version = |pin: &Arc<Pin>| pin.version.to_string();
    history.records(&name(service)).iter().map(|record| (record.commit.id, record.pin.as_ref().map(version))).collect()
}

fn pinned(commit: CommitId, version: &str) -> (CommitId, Option<String>) {
    (commit, Some(version.to_owned()))
}

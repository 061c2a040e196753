//! From a mirror to a checked graph: 10,000 service files, each of which needs three others.
//!
//! `cargo bench --bench pins`.
#![expect(clippy::disallowed_methods, reason = "a bench measures, and prints what it measured")]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use common::measure;
use jiff::Timestamp;
use pintle::source::{Access, FileScope, RepositoryLocation, Source};
use pintle_core::check::check_pins;
use pintle_core::git::{CommitId, RepoFile};
use pintle_core::graph::Graph;
use pintle_core::history::History;
use pintle_core::pins::{Fragment, Layout, ParsedRevision, SETTINGS_FILE, Settings, assemble_revision, read_fragments};

const SERVICES: usize = 10_000;

fn main() {
    let folder = tempfile::tempdir().expect("a temp folder");
    let clone = repository(folder.path());
    let access = Access::new(folder.path().join("cache"));
    let location = RepositoryLocation::Path(clone);
    let open = || Source::open(&location, &access).expect("a repository");
    let tip = open().tip(None).expect("a tip").id;
    let settings = Settings::default();
    let layout = Layout::new("", &settings, []);
    let files = |source: &Source, tip: CommitId| source.files(tip, FileScope::Pins(&layout)).expect("files").files;

    measure("pins: 10,000 files, cold mirror to checked graph", 10, || {
        let fragments = read(&files(&open(), tip), &layout);
        checked(&settings, &fragments)
    });
    measure("pins: the files alone", 10, || files(&open(), tip));
    let all = files(&open(), tip);
    measure("pins: parsing alone", 10, || read(&all, &layout));
    let fragments = read(&all, &layout);
    measure("pins: putting together alone", 10, || assemble_revision(&settings, &fragments, &|_| Vec::new()));
    let pins = assemble_revision(&settings, &fragments, &|_| Vec::new()).pins;
    measure("pins: the graph alone", 10, || Graph::from_pins(&pins, &History::default()));

    let source = open();
    let before = source.resolve("HEAD~1").expect("its parent").id;
    measure("pins: one changed file, read and parsed", 20, || {
        let changed = source.changed_files(before, tip, FileScope::Pins(&layout)).expect("changes").changed.files;
        assert_eq!(changed.len(), 1, "one file changed");
        read(&changed, &layout)
    });
}

fn read(files: &[RepoFile], layout: &Layout) -> Vec<Fragment> {
    read_fragments(&files.iter().filter(|file| *file.path != *SETTINGS_FILE).collect::<Vec<_>>(), layout)
}

fn checked(settings: &Settings, fragments: &[Fragment]) -> usize {
    let ParsedRevision { pins, problems, .. } = assemble_revision(settings, fragments, &|_| Vec::new());
    let history = Arc::new(History::default());
    let graph = Graph::from_pins(&pins, &history);
    let found = problems.len() + check_pins(&pins, &graph, &history, Timestamp::UNIX_EPOCH).len();
    assert_eq!((found, graph.len()), (0, SERVICES), "all is well with them");
    found
}

/// Two commits; the second one changes one file.
fn repository(folder: &Path) -> std::path::PathBuf {
    let work = folder.join("work");
    std::fs::create_dir_all(work.join("services")).expect("a folder");
    for service in 0..SERVICES {
        write(&work, service, "2.1.0");
    }
    let clone = folder.join("clone.git");
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.com",
            "-C",
        ]);
        assert!(git.arg(&work).args(args).status().expect("git runs").success(), "git {args:?}");
    };
    git(&["init", "--quiet", "-b", "main", "."]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "-m", "Pin what runs"]);
    write(&work, SERVICES / 2, "2.2.0");
    git(&["commit", "--quiet", "--all", "-m", "Upgrade one"]);
    // As a fetched mirror is: one pack.
    git(&["repack", "-a", "-d", "--quiet"]);
    git(&["clone", "--quiet", "--bare", ".", clone.to_str().expect("a path")]);
    clone
}

fn write(work: &Path, service: usize, version: &str) {
    let mut text = format!("version: \"{version}\"\nimage: ghcr.io/acme/s{service}\ndependsOn:\n");
    for step in [1, 7, 31] {
        let _ = writeln!(text, "  s{}: \">=2.0, <3\"", (service + step) % SERVICES);
    }
    std::fs::write(work.join(format!("services/s{service}.yaml")), text).expect("a file");
}

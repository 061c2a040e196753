//! How long reading takes: the index of a long history, and the files of a large revision.
//!
//! `cargo bench --bench source`; the long history is that of `govuk-production.bundle` in `$PINTLE_TEST_DATA`, else in
//! `../shared/data`.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a bench measures, and prints what it measured")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use pintle::source::{Access, FileScope, HistoryIndex, RepositoryLocation, Source};
use pintle_core::pins::{Layout, Settings};

/// Where GOV.UK keeps its pins.
const SETTINGS: &str = r#"
apiVersion: pintle.dev/v1alpha1
pins:
- {files: "charts/app-config/image-tags/production/{service}", key: image_tag, image: "ghcr.io/alphagov/{service}"}
"#;

fn main() {
    let folder = tempfile::tempdir().expect("a temp folder");
    govuk(folder.path());
    many_files(folder.path());
}

fn govuk(folder: &Path) {
    let data = std::env::var_os("PINTLE_TEST_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let bundle = data.join("govuk-production.bundle");
    if !bundle.exists() {
        println!("skipped: {} is not there", bundle.display());
        return;
    }
    let clone = folder.join("govuk");
    git(folder, &["clone", "--quiet", "--bare", "-b", "main", path(&bundle), path(&clone)]);
    let (settings, problems) = Settings::read(&"pintle.yaml".into(), SETTINGS.as_bytes());
    assert!(problems.is_empty(), "{problems:?}");
    let layout = Layout::new("", &settings.expect("valid settings"), []);
    let source =
        Source::open(&RepositoryLocation::Path(clone), &Access::new(folder.join("cache"))).expect("a repository");
    let tip = source.tip(None).expect("a tip").id;
    let before = source.resolve("HEAD~1").expect("its parent").id;
    for round in 0..3 {
        let mut index = HistoryIndex::load(&source, &format!("round{round}"), &layout);
        let visited = time("index, cold", || index.extend(&source, tip, &layout).expect("an index"));
        println!(
            "  {visited} commits, {} moves, {} services",
            index.history().moves().len(),
            index.history().services().count()
        );
        time("save", || index.save().expect("saved"));
        time("load", || HistoryIndex::load(&source, &format!("round{round}"), &layout));
    }
    let mut index = HistoryIndex::load(&source, "one", &layout);
    index.extend(&source, before, &layout).expect("an index");
    index.save().expect("saved");
    time("extend by one", || index.extend(&source, tip, &layout).expect("an index"));
    let mut index = time("load again", || HistoryIndex::load(&source, "one", &layout));
    time("extend the loaded one by one", || index.extend(&source, tip, &layout).expect("an index"));
    time("all files of the tip", || source.files(tip, FileScope::Pins(&layout)).expect("files").files.len());
}

fn many_files(folder: &Path) {
    let repo = folder.join("many");
    for i in 0..10_000 {
        let file = repo.join(format!("services/f{:02}/s{i}.yaml", i % 100));
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        let text = format!(
            "version: \"1.{i}.0\"\nimage: ghcr.io/acme/s{i}\ndependsOn:\n  s1: \">=1.0, <2\"\n# {}\n",
            "x".repeat(250)
        );
        std::fs::write(file, text).expect("a file");
    }
    git(folder, &["init", "--quiet", path(&repo)]);
    git(&repo, &["add", "--all"]);
    git(&repo, &["-c", "user.name=a", "-c", "user.email=a", "commit", "--quiet", "-m", "x"]);
    git(&repo, &["repack", "-a", "-d", "-q"]);
    let source =
        Source::open(&RepositoryLocation::Path(repo), &Access::new(folder.join("cache"))).expect("a repository");
    let tip = source.tip(None).expect("a tip").id;
    for _ in 0..3 {
        let count = time("files, 10,000 cold", || source.files(tip, FileScope::All).expect("files").files.len());
        assert_eq!(count, 10_000);
    }
    time("working tree, 10,000", || source.worktree_files(FileScope::All).expect("files"));
    time("dirty, 10,000", || source.dirty_paths(FileScope::All).expect("files"));
}

fn time<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (start, busy) = (Instant::now(), cpu());
    let result = work();
    let (took, busy) = (start.elapsed(), cpu().saturating_sub(busy));
    println!("{what}: {took:.1?} ({busy:.1?} of CPU)");
    result
}

/// The time that all threads have computed, in ticks of 10 ms: what tells a busy machine from slow code. Zero where there
/// is no /proc.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

fn git(folder: &Path, args: &[&str]) {
    let status = Command::new("git").current_dir(folder).args(args).status().expect("git is installed");
    assert!(status.success(), "git {args:?}");
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

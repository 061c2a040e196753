//! The index of a branch's pins: what it records, what it visits, and what becomes of it when it is damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pintle::pins::{Fragment, Layout, Pin, ServiceName, Settings, pin_of};
use pintle::source::{Access, CommitId, History, Index, Location, Scope, Source};
use pintle::version::Version;
use tempfile::TempDir;

use crate::common::git::{TestRepo, git, replay, text};

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
        Source::open(&Location::parse(&self.repo.location()).unwrap(), &Access::new(self.cache.path())).unwrap()
    }

    fn pin(&self, service: &str, version: &str) -> CommitId {
        self.repo.save(&format!("services/{service}.yaml"), service_file(service, version))
    }

    /// Loads the index, extends it to HEAD, saves it; with the number of commits it had to visit.
    fn index(&self) -> (Arc<History>, usize) {
        let source = self.source();
        let mut index = Index::load(&source, "main", &self.layout);
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

#[test]
fn records_follow_a_service_to_its_end() {
    let desk = Desk::new();
    let first = desk.pin("shop", "1.0.0");
    desk.pin("other", "1.0.0");
    let second = desk.pin("shop", "1.1.0");
    desk.repo.save("README.md", "moves nothing");
    desk.repo.save("services/shop.yaml", service_file("shop", "1.1.0") + "# a comment moves nothing\n");
    let back = desk.pin("shop", "1.0.0");
    let gone = desk.repo.remove("services/shop.yaml").commit("Retire shop");
    let history = desk.history();
    let expected = [pinned(first, "1.0.0"), pinned(second, "1.1.0"), pinned(back, "1.0.0"), (gone, None)];
    assert_eq!(line(&history, "shop"), expected);
    let shop = name("shop");
    assert_eq!(history.current(&shop), None);
    assert_eq!(history.moves().len(), 5);
    assert_eq!(history.first(&shop, &version("1.0.0")).unwrap().id, first);
    assert_eq!(history.newest(&shop, &version("1.0.0")).unwrap().commit.id, back);
    assert_eq!(history.pinned_at(&shop, history.position(second).unwrap()).unwrap().version, version("1.1.0"));
    let image = &history.records(&shop)[1].pin.as_ref().unwrap().image;
    assert_eq!(history.version_of_image(&shop, image), Some(&version("1.1.0")));
    assert_eq!(history.records(&name("never")), []);
}

#[test]
fn what_a_version_needs_is_what_its_newest_record_says() {
    let desk = Desk::new();
    let needs = |range: &str| service_file("shop", "1.0.0") + &format!("dependsOn: {{db: \"{range}\"}}\n");
    desk.repo.save("services/shop.yaml", needs("^1.0"));
    desk.repo.save("services/shop.yaml", needs("^2.0"));
    desk.pin("shop", "2.0.0");
    let history = desk.history();
    let needs = history.needs(&name("shop"), &version("1.0.0")).unwrap();
    assert!(format!("{needs:?}").contains("^2.0"), "{needs:?}");
    assert!(history.needs(&name("shop"), &version("2.0.0")).unwrap().is_empty());
    assert_eq!(history.needs(&name("shop"), &version("9.9.9")), None);
}

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
    assert!(!history.needs(&name("shop"), &version("1.1.0")).unwrap().is_empty());
    let moved = desk.repo.save("services/shop.yaml", "dependsOn: {db: \"^2.0\"}\n");
    assert_eq!(line(&desk.history(), "shop").last(), Some(&pinned(moved, "1.1.0")));
}

#[test]
fn a_pin_that_moves_to_another_file_moves_nothing() {
    let desk = Desk::with_pins(r#"[{files: "*/{service}.yaml", key: version, image: "ghcr.io/acme/{service}"}]"#);
    let first = desk.repo.save("old/shop.yaml", "version: \"1.0.0\"\n");
    desk.repo.remove("old/shop.yaml").save("new/shop.yaml", "version: \"1.0.0\"\n");
    let second = desk.repo.save("new/shop.yaml", "version: \"1.1.0\"\n");
    assert_eq!(line(&desk.history(), "shop"), [pinned(first, "1.0.0"), pinned(second, "1.1.0")]);
}

#[test]
fn a_merge_counts_as_one_commit_of_the_branch() {
    let desk = Desk::new();
    let first = desk.pin("shop", "1.0.0");
    desk.repo.branch("topic");
    desk.pin("shop", "1.1.0");
    desk.pin("shop", "1.2.0");
    desk.repo.checkout("main").save("README.md", "x");
    let merged = desk.repo.merge("topic");
    let (history, visited) = desk.index();
    assert_eq!(line(&history, "shop"), [pinned(first, "1.0.0"), pinned(merged, "1.2.0")]);
    assert_eq!(visited, 3);
}

#[test]
fn a_renamed_service_goes_on_with_its_history() {
    let desk = Desk::new();
    let first = desk.pin("basket", "1.0.0");
    let second = desk.pin("basket", "1.1.0");
    desk.repo.remove("services/basket.yaml");
    let renamed = desk.pin("cart", "1.1.0");
    let third = desk.pin("cart", "1.2.0");
    // Somebody else takes the old name: none of its versions are the cart's.
    desk.pin("basket", "7.0.0");
    desk.repo.remove("services/cart.yaml");
    let last = desk.pin("trolley", "1.3.0");
    let to = [("basket", "cart"), ("cart", "trolley")].map(|(old, new)| (name(old), name(new)));
    let history = Arc::unwrap_or_clone(desk.history()).renamed(&BTreeMap::from(to));
    let basket = [pinned(first, "1.0.0"), pinned(second, "1.1.0")];
    let images = [pinned(renamed, "1.1.0"), pinned(third, "1.2.0"), pinned(last, "1.3.0")];
    assert_eq!(line(&history, "trolley"), [&basket[..], &images[..]].concat());
    assert_eq!(history.first(&name("trolley"), &version("1.0.0")).unwrap().id, first);
    assert_eq!(history.current(&name("basket")).unwrap().version, version("7.0.0"));
    let circle = [("basket", "cart"), ("cart", "basket")].map(|(old, new)| (name(old), name(new)));
    let _ = Arc::unwrap_or_clone(desk.history()).renamed(&BTreeMap::from(circle));
}

#[test]
fn a_file_that_cannot_be_read_pins_nothing() {
    let desk = Desk::new();
    let first = desk.pin("shop", "1.0.0");
    let broken = desk.repo.save("services/shop.yaml", "version: [\n");
    let healed = desk.pin("shop", "1.0.0");
    assert_eq!(line(&desk.history(), "shop"), [pinned(first, "1.0.0"), (broken, None), pinned(healed, "1.0.0")]);
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
    assert!(!history.needs(&name("web"), &version("1.1.0")).unwrap().is_empty(), "its other file is known again");
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
            let source = Source::open(&Location::parse(&desk.repo.location()).unwrap(), &Access::new(cache)).unwrap();
            let mut index = Index::load(&source, "main", &desk.layout);
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
    assert_eq!(Index::load(&other.source(), "release", &other.layout).history().tip(), None);
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

/// What the test below kills: it indexes the repository named in its environment for ever.
#[test]
#[ignore = "does nothing by itself"]
fn index_for_ever() {
    let Some((repo, cache)) = std::env::var_os("INDEXED").zip(std::env::var_os("INDEXED_INTO")) else { return };
    let source = Source::open(&Location::Path(repo.into()), &Access::new(cache)).unwrap();
    let layout = layout("");
    let (tip, start) = (source.tip(None).unwrap().id, source.resolve("HEAD~20").unwrap().id);
    loop {
        for commit in [start, tip] {
            let mut index = Index::load(&source, "main", &layout);
            index.extend(&source, commit, &layout).unwrap();
            index.save().unwrap();
        }
    }
}

#[test]
fn a_process_killed_while_it_indexes_leaves_nothing_that_misleads() {
    let desk = Desk::new();
    for patch in 0..25 {
        desk.pin("shop", &format!("1.0.{patch}"));
    }
    let expected = Desk { cache: tempfile::tempdir().unwrap(), repo: desk.repo, layout: layout("") };
    let history = expected.history();
    let desk = Desk { cache: tempfile::tempdir().unwrap(), ..expected };
    for round in 0..12 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "history::index_for_ever", "--ignored", "--nocapture"])
            .envs([("INDEXED", desk.repo.path()), ("INDEXED_INTO", desk.cache.path())])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(100 + round * 7));
        victim.kill().unwrap();
        victim.wait().unwrap();
        assert_eq!(desk.history(), history, "round {round}");
    }
}

#[test]
fn a_commit_that_moved_nothing_leads_to_one_that_did() {
    let desk = Desk::new();
    desk.repo.save("README.md", "0");
    let moved = desk.pin("shop", "1.0.0");
    let later = desk.repo.save("README.md", "1");
    let (source, history) = (desk.source(), desk.history());
    let nearest = |commit| source.back_to(commit, |id| history.position(id).is_some()).unwrap();
    assert_eq!(nearest(later), Some(moved));
    assert_eq!(nearest(moved), Some(moved));
    assert_eq!(nearest(source.resolve("HEAD~2").unwrap().id), None);
}

#[test]
fn a_shallow_clone_begins_where_it_was_cut() {
    let desk = Desk::new();
    desk.pin("shop", "1.0.0");
    let second = desk.pin("shop", "1.1.0");
    let third = desk.pin("shop", "1.2.0");
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", desk.repo.location());
    text(git(clone.path()).args(["clone", "-q", "--depth=2", &url, "."]).output().unwrap());
    let source = Source::open(&Location::Path(clone.path().to_owned()), &Access::new(desk.cache.path())).unwrap();
    let mut index = Index::load(&source, "main", &desk.layout);
    assert_eq!(index.extend(&source, third, &desk.layout).unwrap(), 2);
    assert_eq!(line(index.history(), "shop"), [pinned(second, "1.1.0"), pinned(third, "1.2.0")]);
}

#[test]
fn an_index_equals_reading_every_commit_in_full() {
    for seed in 1..=8 {
        let desk =
            Desk::with_pins(r#"[{files: "deploy/*/{service}.yaml", key: tag, image: "ghcr.io/acme/{service}"}]"#);
        let mut random = Random(seed);
        for step in 0..25 {
            random.change(&desk.repo, step);
            if random.below(6) == 0 {
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
        let files = source.files(commit, Scope::Pins(&desk.layout)).unwrap().files;
        let fragments: Vec<_> = files.iter().map(|file| Fragment::read(file, &desk.layout)).collect();
        let mut services: BTreeSet<_> = fragments.iter().flat_map(Fragment::services).cloned().collect();
        services.extend(records.keys().cloned());
        for service in services {
            let pin = pin_of(&service, &fragments);
            let known = records.get(&service).and_then(|line| line.last()).and_then(|(_, pin)| pin.clone());
            if pin != known {
                records.entry(service).or_default().push((commit, pin));
            }
        }
    }
    let version = |(commit, pin): (CommitId, Option<Pin>)| (commit, pin.map(|pin| pin.version.to_string()));
    records.into_iter().map(|(service, line)| (service, line.into_iter().map(version).collect())).collect()
}

/// A small generator (xorshift), so that a failing seed can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 1_000_000).unwrap() % end
    }

    fn change(&mut self, repo: &TestRepo, step: usize) {
        for _ in 0..=self.below(2) {
            let service = ["a", "b", "c"][self.below(3)];
            let version = format!("1.0.{}", self.below(4));
            let path = [
                format!("services/{service}.yaml"),
                format!("deploy/x/{service}.yaml"),
                format!("deploy/y/{service}.yaml"),
            ][self.below(3)]
            .clone();
            let there = repo.path().join(&path).exists();
            match self.below(8) {
                0 | 1 if there => _ = repo.remove(&path),
                2 => _ = repo.write(&path, "{broken"),
                3 => _ = repo.write(&path, "dependsOn: {b: \"^1.0\"}\n"),
                _ if path.starts_with("deploy") => _ = repo.write(&path, format!("tag: \"{version}\"\n")),
                _ => _ = repo.write(&path, service_file(service, &version)),
            }
        }
        repo.commit(&format!("Step {step}"));
        if self.below(8) == 0 {
            let topic = format!("topic-{step}");
            repo.branch(&topic).save("services/a.yaml", service_file("a", &format!("2.0.{step}")));
            repo.checkout("main").save("README.md", step.to_string());
            repo.merge(&topic);
        }
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
    let source = Source::open(&Location::Path(clone.clone()), &Access::new(folder.path())).unwrap();
    let mut index = Index::load(&source, "main", &layout);
    let visited = index.extend(&source, source.tip(None).unwrap().id, &layout).unwrap();
    let history = index.history();
    assert_eq!(visited.to_string(), run(&clone, &["rev-list", "--first-parent", "--count", "main"]));
    assert_eq!(history.services().filter(|(service, _)| history.current(service).is_some()).count(), 55);
    index.save().unwrap();
    assert_eq!(Index::load(&source, "main", &layout).history(), history);

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

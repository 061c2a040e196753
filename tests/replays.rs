use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use jiff::{SignedDuration, Timestamp};
use pintle::source::{Access, FileScope, HistoryIndex, RepositoryLocation, Source};
use pintle_core::change::{ChangeKind, pin_moves};
use pintle_core::desired::DesiredState;
use pintle_core::edit::{EarlierRevision, Edit, RevisionFiles, apply_edits};
use pintle_core::git::{Commit, CommitId, FileChange, FileContent, RepoFile, blob_id};
use pintle_core::history::{History, PinRecord};
use pintle_core::pins::{self, Layout, ParsedRevision, Pin, ServiceName, Settings};
use pintle_core::rollback::{
    HoldPolicy, Member, Request, Revert, RollbackError, RollbackInput, RollbackTarget, plan_revert,
};
use pintle_core::version::{Version, Versioning};
use tempfile::TempDir;

use crate::common::chance::Chance;
use crate::common::git::{git, replay, text};

const BUNDLE: &str = "govuk-production.bundle";
const FOLDER: &str = "charts/app-config/image-tags/production";

/// The pins of GOV.UK's production (MIT licence), see the data's own README.
struct Govuk {
    folder: TempDir,
    source: Source,
    history: Arc<History>,
    settings: RepoFile,
}

/// What goes back at a revision, and the files that change.
struct Rollback {
    revert: Revert,
    files: Vec<FileChange>,
}

/// None where the data is not there. All tests that run at the same time share it: to read it takes seconds.
fn govuk() -> Option<Arc<Govuk>> {
    static SHARED: Mutex<Weak<Govuk>> = Mutex::new(Weak::new());
    let bundle = replay(BUNDLE)?;
    let mut shared = SHARED.lock().unwrap();
    if let Some(known) = shared.upgrade() {
        return Some(known);
    }
    let read = Arc::new(Govuk::read(&bundle));
    *shared = Arc::downgrade(&read);
    Some(read)
}

impl Govuk {
    fn read(bundle: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clone = folder.path().join("pins.git");
        let (from, to) = (bundle.to_str().unwrap(), clone.to_str().unwrap());
        text(git(folder.path()).args(["clone", "-q", "--bare", "-b", "main", from, to]).output().unwrap());
        let pattern =
            format!("pins: [{{files: \"{FOLDER}/{{service}}\", key: image_tag, image: \"alphagov/{{service}}\"}}]");
        let settings = file("pintle.yaml", &format!("apiVersion: pintle.dev/v1alpha1\n{pattern}\n"));
        let (read, _) = Settings::read(&settings.path, bytes(&settings));
        let layout = Layout::new("", &read.unwrap(), []);
        let source = Source::open(&RepositoryLocation::Path(clone), &Access::new(folder.path())).unwrap();
        let mut index = HistoryIndex::load(&source, "main", &layout);
        index.extend(&source, source.tip(None).unwrap().id, &layout).unwrap();
        Self { folder, source, history: Arc::clone(index.history()), settings }
    }

    /// The newest commit that moved something until then, and its place.
    fn at(&self, time: Timestamp) -> (u32, Arc<Commit>) {
        let place = self.history.moves().iter().rposition(|commit| commit.time <= time).unwrap();
        (u32::try_from(place).unwrap(), Arc::clone(&self.history.moves()[place]))
    }

    fn before(&self, commit: CommitId) -> Option<CommitId> {
        self.source.resolve(&format!("{commit}~1")).ok().map(|before| before.id)
    }

    /// What a revision says of some services, and the bytes that say it.
    fn files(&self, at: CommitId, services: &BTreeSet<ServiceName>) -> (Vec<RepoFile>, ParsedRevision) {
        let paths: Vec<Arc<str>> = services.iter().map(|name| format!("{FOLDER}/{name}").into()).collect();
        let mut files = self.source.files(at, FileScope::Paths(&paths)).unwrap().files;
        files.push(self.settings.clone());
        let reading = pins::parse_revision("", &files);
        (files, reading)
    }

    /// What `pintle rollback` makes of a revision, were these services all there are.
    fn rolls_back(
        &self,
        (tip, position): (CommitId, u32),
        services: &BTreeSet<ServiceName>,
        ask: impl FnOnce(&History) -> Request,
    ) -> Result<Rollback, String> {
        let (files, reading) = self.files(tip, services);
        let history = of_services(&self.history, services, position);
        let request = ask(&history);
        let revert = goes_back(reading.pins.clone(), Arc::new(history), &request).map_err(|it| it.to_string())?;
        let edits: Vec<_> =
            revert.members.iter().map(|member| (member.service.clone(), self.restore(member))).collect();
        let said = RevisionFiles { root: "", files: &files, reading: &reading, known: None };
        let edited = apply_edits(&said, &edits).map_err(|refusal| refusal.message.clone())?;
        Ok(Rollback { revert, files: edited.files })
    }

    /// The keys as they were at the last revision that pinned the target.
    fn restore(&self, member: &Member) -> Edit {
        let records = self.history.records(&member.service);
        let at = records.iter().position(|record| record.commit.id == member.target.commit.id).unwrap();
        let last = records.get(at + 1).and_then(|next| self.before(next.commit.id)).unwrap_or(records[at].commit.id);
        let (files, reading) = self.files(last, &BTreeSet::from([member.service.clone()]));
        Edit::Restore {
            as_of: Arc::new(EarlierRevision { root: String::new(), files, reading }),
            name: member.service.clone(),
        }
    }
}

fn file(path: &str, text: &str) -> RepoFile {
    RepoFile { path: path.into(), blob: blob_id(text.as_bytes()), content: FileContent::Bytes(text.as_bytes().into()) }
}

fn bytes(file: &RepoFile) -> &[u8] {
    let FileContent::Bytes(bytes) = &file.content else { panic!("{} is no file", file.path) };
    bytes
}

/// The history of some services, up to a place.
fn of_services(history: &History, services: &BTreeSet<ServiceName>, until: u32) -> History {
    let records = services.iter().flat_map(|name| history.records(name).iter().map(move |record| (name, record)));
    let mut records: Vec<(&ServiceName, &PinRecord)> = records.filter(|(_, record)| record.position <= until).collect();
    records.sort_by_key(|(_, record)| record.position);
    let mut part = History::default();
    for (name, record) in records {
        part.record_pin(name, &record.commit, record.pin.as_deref().cloned());
        part.set_tip(Arc::clone(&record.commit));
    }
    part
}

fn goes_back(pins: pins::Pins, history: Arc<History>, request: &Request) -> Result<Revert, RollbackError> {
    let commit = history.tip().unwrap().id;
    let desired = DesiredState::new(commit, pins, history, String::new());
    let DesiredState { pins, history, graph, lockstep, .. } = &desired;
    let wanted: Vec<_> = graph.ids().map(|id| desired.target(id)).collect();
    let (live, proven) = (&desired.live_settled_at(pins), &BTreeMap::new());
    let wanted = &wanted;
    let known = RollbackInput { pins, history, graph, lockstep, wanted, live, proven, evidence: None };
    plan_revert(known, request, HoldPolicy::None)
}

fn number(version: &Version) -> Option<u32> {
    version.as_str().strip_prefix('v')?.parse().ok()
}

/// The line of the version, and the others.
fn lines(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    String::from_utf8_lossy(bytes).lines().map(str::to_owned).partition(|line| line.starts_with("image_tag:"))
}

/// Each move of a pin, as numbers in its service's records.
fn moves(records: &[PinRecord]) -> impl Iterator<Item = (usize, &Pin, &Pin)> {
    let pairs = records.windows(2).zip(1..);
    let pinned = pairs.filter_map(|(pair, at)| Some((at, pair[0].pin.as_deref()?, pair[1].pin.as_deref()?)));
    pinned.filter(|(_, from, to)| from.version != to.version)
}

/// A return is what people did when they rolled back; nothing is known to be proven, so it is the pin before that is
/// proposed.
#[test]
fn the_default_target_is_mostly_what_people_went_back_to() {
    let Some(govuk) = govuk() else { return println!("skipped: {BUNDLE} is not there") };
    let history = &govuk.history;
    let (mut returns, mut numbered, mut same, mut refused) = (0, 0, 0, 0);
    for (name, records) in history.services() {
        let order = history.version_order(name, Some(Versioning::History));
        for (at, one) in pin_moves(records, &order).iter().enumerate() {
            if !matches!(one.kind, Some(ChangeKind::Return(std::cmp::Ordering::Less))) {
                continue;
            }
            returns += 1;
            let [from, to] = [&one.from, &one.to].map(|pin| pin.as_ref().and_then(|pin| number(&pin.version)));
            numbered += usize::from(from.zip(to).is_some_and(|(from, to)| to < from));
            let services = BTreeSet::from([name.clone()]);
            let history = of_services(history, &services, records[at - 1].position);
            let Pin { version, image, .. } = records[at - 1].pin.as_deref().unwrap();
            let pinned = file(
                &format!("services/{name}.yaml"),
                &format!("version: \"{version}\"\nimage: {}\n", image.repository()),
            );
            let request = Request::Services(vec![name.clone()], RollbackTarget::Good);
            match goes_back(pins::parse_revision("", &[pinned]).pins, Arc::new(history), &request) {
                Ok(revert) => same += usize::from(Some(&revert.members[0].to) == one.to.as_deref()),
                Err(_) => refused += 1,
            }
        }
    }
    println!(
        "default target: {same} of {returns} returns as people chose, {refused} without any; {numbered} of them from a \
         number to a lower one, the others from or to hashes and branches, or among numbers that came in another order"
    );
    assert_eq!((returns, numbered, same, refused), (196, 140, 109, 0));
}

/// A week later other bumps have touched the same line, which is a conflict of text.
#[test]
fn a_bump_is_taken_back_after_a_week_where_text_conflicts() {
    let Some(govuk) = govuk() else { return println!("skipped: {BUNDLE} is not there") };
    let history = &govuk.history;
    let repo = git2::Repository::open(govuk.folder.path().join("pins.git")).unwrap();
    let end = history.tip().unwrap().time - WEEK;
    let bumps = history.services().flat_map(|(_, records)| moves(records).map(|(at, ..)| &records[at]));
    let bumps: Vec<&PinRecord> = bumps.filter(|record| record.commit.time < end).collect();
    let mut draw = Chance(7);
    let (mut of_text, mut of_pins) = (Count::default(), Count::default());
    let work = WorkTree::of(govuk.folder.path());
    for number in 0..300 {
        let PinRecord { commit, position, .. } = bumps[draw.below(bumps.len())];
        let (place, tip) = govuk.at(commit.time + WEEK);
        let text = reverts(&repo, commit.id, tip.id);
        if number % 30 == 0 {
            assert_eq!(work.reverts(commit.id, tip.id), text, "git itself, {} at {}", commit.id, tip.id);
        }
        match text {
            Text::Conflict => of_text.refused += 1,
            Text::Nothing => of_text.nothing += 1,
            Text::Reverted => of_text.done += 1,
        }
        let moved = |records: &[PinRecord]| records.iter().any(|record| record.position == *position);
        let services = history.services().filter(|(_, records)| moved(records)).map(|(name, _)| name.clone()).collect();
        let place_of = |history: &History| history.position_of(commit.id).unwrap();
        let rollback = govuk
            .rolls_back((tip.id, place), &services, |history| Request::Moved(place_of(history)..=place_of(history)));
        match rollback {
            Err(_) => of_pins.refused += 1,
            Ok(it) if it.files.is_empty() && it.revert.skipped.is_empty() => of_pins.nothing += 1,
            Ok(it) if it.files.is_empty() => of_pins.stays += 1,
            Ok(_) => of_pins.done += 1,
        }
    }
    println!("300 bumps taken back after a week: git revert {of_text:?}, pintle {of_pins:?}");
    assert_eq!(of_text, Count { done: 16, refused: 284, ..Count::default() });
    assert_eq!(of_pins, Count { done: 300, ..Count::default() });
}

/// What people wrote when they went down, rollback writes, byte for byte.
#[test]
fn a_downgrade_is_what_people_wrote() {
    let Some(govuk) = govuk() else { return println!("skipped: {BUNDLE} is not there") };
    let (mut downgrades, mut pinned_before, mut same, mut other_lines) = (0, 0, 0, 0);
    for (name, records) in govuk.history.services() {
        for (at, from, to) in moves(records) {
            if number(&from.version).zip(number(&to.version)).is_none_or(|(from, to)| from < to) {
                continue;
            }
            downgrades += 1;
            if !records[..at].iter().filter_map(|it| it.pin.as_ref()).any(|pin| pin.version == to.version) {
                continue;
            }
            pinned_before += 1;
            let (by, services) = (records[at].commit.id, BTreeSet::from([name.clone()]));
            let before = govuk.before(by).unwrap();
            let rollback = govuk.rolls_back((before, records[at - 1].position), &services, |_| {
                Request::Services(vec![name.clone()], RollbackTarget::Version(to.version.clone()))
            });
            let [written] = &rollback.unwrap().files[..] else { panic!("{name} at {by}") };
            let people = govuk.source.file(by, &written.path).unwrap().unwrap();
            if written.content.as_deref() == Some(bytes(&people)) {
                same += 1;
            } else {
                other_lines += 1;
                let was = govuk.source.file(before, &written.path).unwrap().unwrap();
                let [ours, theirs, was] = [written.content.as_deref().unwrap(), bytes(&people), bytes(&was)].map(lines);
                assert_eq!(ours.0, theirs.0, "{name} at {by}");
                assert_ne!(was.1, theirs.1, "{name} at {by}");
            }
        }
    }
    println!(
        "downgrades: {downgrades}, {pinned_before} of them to a version that was pinned before; the same bytes as people \
         wrote in {same}, and {other_lines} in which they changed other lines too"
    );
    assert_eq!((downgrades, pinned_before, same, other_lines), (246, 140, 130, 10));
}

/// In four minutes of 2025-01-27 people took 33 services back, to what was pinned at 10:34 four days before; a bot pinned
/// most of the newer versions again within the quarter of an hour.
#[test]
fn a_mass_rollback_is_one_commit() {
    let Some(govuk) = govuk() else { return println!("skipped: {BUNDLE} is not there") };
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let (begin, end) = (time("2025-01-27T09:56:00Z"), time("2025-01-27T10:01:00Z"));
    let within = |from: Timestamp, to: Timestamp| {
        govuk.history.services().filter_map(move |(name, records)| {
            let mut inside = records.iter().filter(|record| record.commit.time >= from && record.commit.time < to);
            Some((name.clone(), inside.next_back()?.pin.as_ref()?.version.clone()))
        })
    };
    let people: BTreeMap<ServiceName, Version> = within(begin, end).collect();
    let all: BTreeSet<ServiceName> = govuk.history.services().map(|(name, _)| name.clone()).collect();
    let rollback = |from: Timestamp, to: &str| {
        let (place, tip) = govuk.at(from);
        let to = time(to);
        let rollback = govuk.rolls_back((tip.id, place), &all, |history| {
            let place = history.moves().iter().rposition(|commit| commit.time <= to).unwrap();
            Request::All(RollbackTarget::At(u32::try_from(place).unwrap()))
        });
        let rollback = rollback.unwrap();
        assert_eq!(rollback.files.len(), rollback.revert.members.len());
        let to = rollback.revert.members.into_iter().map(|member| (member.service, member.to.version));
        to.collect::<BTreeMap<ServiceName, Version>>()
    };
    let same = |ours: &BTreeMap<ServiceName, Version>, theirs: &BTreeMap<ServiceName, Version>| {
        ours.iter().filter(|(name, version)| theirs.get(*name) == Some(version)).count()
    };
    let minute = SignedDuration::from_secs(1);
    let ten_to_ten = rollback(begin - minute, "2025-01-27T09:50:00Z");
    let four_days = rollback(begin - minute, "2025-01-23T10:34:00Z");
    let back_again = rollback(end, "2025-01-27T09:50:00Z");
    let bot: BTreeMap<ServiceName, Version> = within(end, time("2025-01-27T10:17:00Z")).collect();
    println!(
        "mass rollback of 2025-01-27: people moved {}; --to 09:50 of that day moves {}, {} as they did; --to 10:34 four days \
         before moves {}, {} as they did; afterwards --to 09:50 moves {} forward again, {} as the bot did with {}",
        people.len(),
        ten_to_ten.len(),
        same(&ten_to_ten, &people),
        four_days.len(),
        same(&four_days, &people),
        back_again.len(),
        same(&back_again, &bot),
        bot.len(),
    );
    assert_eq!((people.len(), ten_to_ten.len(), same(&ten_to_ten, &people)), (33, 2, 0));
    assert_eq!((four_days.len(), same(&four_days, &people)), (33, 33));
    assert_eq!((back_again.len(), same(&back_again, &bot)), (33, 30));
}

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What became of so many reverts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    done: usize,
    /// All is so already.
    nothing: usize,
    /// The service is new or gone, and nothing is removed or added.
    stays: usize,
    /// A conflict, or a refusal.
    refused: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Text {
    Reverted,
    Nothing,
    Conflict,
}

/// A working tree in which git itself reverts.
struct WorkTree(PathBuf);

impl WorkTree {
    fn of(folder: &Path) -> Self {
        text(git(folder).args(["clone", "-q", "--shared", "--no-checkout", "pins.git", "work"]).output().unwrap());
        Self(folder.join("work"))
    }

    fn reverts(&self, commit: CommitId, tip: CommitId) -> Text {
        let (commit, tip) = (commit.to_hex(), tip.to_hex());
        let run = |args: &[&str]| git(&self.0).args(args).output().unwrap();
        text(run(&["checkout", "-q", "--force", "--detach", &tip]));
        let is_merge = run(&["rev-parse", "--verify", "-q", &format!("{commit}^2")]).status.success();
        let mainline: &[&str] = if is_merge { &["-m", "1"] } else { &[] };
        let reverted = run(&[&["revert", "--no-commit"], mainline, &[&commit]].concat());
        let changed = !run(&["diff", "--cached", "--quiet"]).status.success();
        text(run(&["reset", "-q", "--hard"]));
        match (reverted.status.success(), changed) {
            (false, _) => Text::Conflict,
            (true, true) => Text::Reverted,
            (true, false) => Text::Nothing,
        }
    }
}

/// What `git revert` of a commit does on a tip: a merge of three trees.
fn reverts(repo: &git2::Repository, commit: CommitId, tip: CommitId) -> Text {
    let find = |id: CommitId| repo.find_commit(git2::Oid::from_str(&id.to_hex()).unwrap()).unwrap();
    let (reverted, tip) = (find(commit), find(tip).tree().unwrap());
    let before = reverted.parent(0).unwrap().tree().unwrap();
    let mut merged = repo.merge_trees(&reverted.tree().unwrap(), &tip, &before, None).unwrap();
    match merged.has_conflicts() {
        true => Text::Conflict,
        false if merged.write_tree_to(repo).unwrap() == tip.id() => Text::Nothing,
        false => Text::Reverted,
    }
}

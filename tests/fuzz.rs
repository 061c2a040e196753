use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pintle::source::{Access, CommitMessage, RepositoryLocation, Source};
use pintle_core::edit::{EarlierRevision, Edit, NewHold, RevisionFiles, apply_edits};
use pintle_core::git::{CommitId, FileContent, RepoFile, blob_id};
use pintle_core::pins::{self, HeldVersions, ParsedRevision, Pin, ServiceName};

use crate::common::chance::Chance;
use crate::common::git::TestRepo;

/// So many inputs without `PINTLE_FUZZ`, which says for how many seconds it goes on.
const INPUTS: usize = 300;

/// Files as people write them, and odder ones.
const FILES: [&str; 12] = [
    "version: \"1.8.2\"\nimage: ghcr.io/acme/checkout\n",
    "# the shop\nversion: '1.8.2' # c\nimage: a/b\n\n# needs\ndependsOn:\n  payments: ^2 # why\n  inventory: \">=1\"\n",
    "\u{feff}version: 1.8.2\r\nimage: a/b\r\ndependsOn: {payments: ^2}\r\n",
    "{image: a/b, \"version\": \"1.8.2\"}",
    "---\nversion: &v 1.8.2\nimage: a/b\ntag: *v\n...\n",
    "? version\n: 1.8.2\nimage: a/b\nverify:\n  timeout: 5m # g\n  # h\n",
    "image: a/b\nversion:\n  1.8.2\nhold: {above: \"1.8\", reason: \"it: # says \\\"no\\\"\", by: Ada}\n",
    "  version: 1.8.2\n  image: a/b\n  dependsOn:\n  - payments\n  # c\n  -  inventory # d",
    "image: a/b\nversion: !!str 1.8.2\nlocal:\n  run: [a,\n    b]\n  port: 80\n\n\n",
    "version: 1.8.2\nimage: a/b\ndependsOn:\n  payments: {\"1.0\": \"*\", \"1.8\": ^2}\n  inventory: ^2\nhold:\n  versions: \">=1.9\"\n  until: 2026-12-01T00:00Z\n",
    "version: 1.8.2\nimage: a/b\nworkloads: [deployment/x]\nrollbackFloor: \"1.0\"\ndrift: {policy: report}\n",
    "version: \"1.8\\u002e2\"\nimage: \"a/b\"   \nnamespace: shop # \u{1f980}\n",
];

/// What YAML is made of, and what the editor looks for.
const PARTS: [&str; 36] = [
    "\n",
    "\r\n",
    "\r",
    "\t",
    "  ",
    ": ",
    ":",
    "- ",
    "#",
    " # c",
    "'",
    "\"",
    "&a ",
    "*a",
    "!!str ",
    "|",
    ">-\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    "? ",
    "---\n",
    "...\n",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{0}",
    "<<: *a",
    "version: 2",
    "hold:",
    "image: a/b\n",
    "dependsOn:\n  payments: ^2\n",
    "tag: \"v{version}\"\n",
    "%YAML 1.2\n",
];

/// Calls `try_one` with one number after another: so often, or for as long as `PINTLE_FUZZ` says. Returns how often.
fn inputs(mut try_one: impl FnMut(u64)) -> String {
    let seconds = std::env::var("PINTLE_FUZZ").ok().map(|seconds| seconds.parse().unwrap());
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    // Each run of minutes sees others; the number of what fails is told, and is tried alone with PINTLE_FUZZ_SEED.
    let fresh = || jiff::Timestamp::now().as_second().unsigned_abs() << 20;
    let from = std::env::var("PINTLE_FUZZ_SEED").ok().map(|from| from.parse().unwrap());
    let first = from.unwrap_or_else(|| if end.is_some() { fresh() } else { 1 });
    let goes_on = |done: usize| end.map_or(done < INPUTS, |end| Instant::now() < end);
    let mut done = 0;
    while goes_on(done) {
        try_one(first + done as u64);
        done += 1;
    }
    format!("{done} inputs from {first} on")
}

/// A file of the corpus with some of its bytes moved, doubled, lost, or replaced.
fn file(chance: &mut Chance) -> String {
    let mut text: Vec<char> = FILES[chance.below(FILES.len())].chars().collect();
    for _ in 0..chance.below(5) {
        let (a, b) = (chance.below(text.len() + 1), chance.below(text.len() + 1));
        let range = a.min(b)..a.max(b).min(a.min(b) + 12);
        match chance.below(5) {
            0 => drop(text.drain(range)),
            1 => {
                let doubled: Vec<char> = text[range].to_vec();
                text.splice(b..b, doubled);
            }
            2 => {
                let other: Vec<char> = FILES[chance.below(FILES.len())].chars().collect();
                let from = chance.below(other.len());
                text.splice(range, other[from..(from + 20).min(other.len())].iter().copied());
            }
            _ => drop(text.splice(a..a, PARTS[chance.below(PARTS.len())].chars())),
        }
    }
    text.into_iter().collect()
}

/// A revision: the file, beside two services that it may need.
struct Repo {
    files: Vec<RepoFile>,
    reading: ParsedRevision,
}

impl Repo {
    fn of(text: &str) -> Self {
        let other = "version: \"2.0.0\"\nimage: ghcr.io/acme/x\n";
        let file = |(name, text): (&str, &str)| {
            let (path, bytes) = (format!("services/{name}.yaml").into(), text.as_bytes());
            RepoFile { path, blob: blob_id(bytes), content: FileContent::Bytes(bytes.into()) }
        };
        let files: Vec<RepoFile> = [("checkout", text), ("inventory", other), ("payments", other)].map(file).into();
        let reading = pins::parse_revision("", &files);
        Self { files, reading }
    }

    /// What the edit makes of the file, if it is made.
    fn after(&self, one: Edit) -> Option<String> {
        let said = RevisionFiles { root: "", files: &self.files, reading: &self.reading, known: None };
        let edited = apply_edits(&said, &[(checkout(), one)]).ok()?;
        let before = || self.files[0].content.clone();
        match edited.files.first() {
            Some(file) => String::from_utf8(file.content.as_ref()?.to_vec()).ok(),
            None => {
                if let FileContent::Bytes(bytes) = before() {
                    String::from_utf8(bytes.to_vec()).ok()
                } else {
                    None
                }
            }
        }
    }

    /// What is pinned.
    fn pins(&self) -> BTreeMap<ServiceName, Pin> {
        self.reading.pins.services.iter().map(|(name, service)| (name.clone(), service.pin.clone())).collect()
    }
}

fn checkout() -> ServiceName {
    ServiceName::new("checkout").unwrap()
}

fn pin(version: &str) -> Edit {
    Edit::Pin { version: version.parse().unwrap(), digest: None, needs: Vec::new() }
}

/// What differs between two texts, their common beginnings and ends taken away.
fn apart<'t>(one: &'t str, other: &'t str) -> [&'t str; 2] {
    let start = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let start = (0..=start).rev().find(|&at| one.is_char_boundary(at) && other.is_char_boundary(at)).unwrap();
    let rest = one.len().min(other.len()) - start;
    let end = one.bytes().rev().zip(other.bytes().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let is_boundary = |end: &usize| one.is_char_boundary(one.len() - end) && other.is_char_boundary(other.len() - end);
    let end = (0..=end).rev().find(is_boundary).unwrap();
    [&one[start..one.len() - end], &other[start..other.len() - end]]
}

#[test]
fn an_edit_of_any_file_changes_what_is_meant_or_nothing() {
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    let tried = inputs(|number| {
        let mut chance = Chance(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (text, other) = (file(&mut chance), file(&mut chance));
        let tell = format!("input {number}: {text:?}, beside {other:?}");
        let (repo, then) = (Repo::of(&text), Repo::of(&other));
        let now = repo.reading.pins.services.get(&checkout());
        if let Some(after) = repo.after(pin("1.9.0")) {
            *made.entry("pin").or_default() += 1;
            let [old, new] = apart(&text, &after);
            assert!(!old.contains(['\n', '\r']) && !new.contains(['\n', '\r']), "{tell}: {after:?}");
            let back = Repo::of(&after).after(pin(now.unwrap().pin.version.as_str()));
            assert_eq!(back.map(|it| Repo::of(&it).pins()), Some(repo.pins()), "{tell}: {after:?}");
        }
        let versions = HeldVersions::Above("1.9".parse().unwrap());
        let hold = NewHold { versions, reason: "it: # says \"no\"".to_owned(), by: None, until: None };
        if let Some(held) = repo.after(Edit::Hold(hold)).filter(|_| now.is_some_and(|now| now.hold.is_none())) {
            *made.entry("hold").or_default() += 1;
            assert_eq!(Repo::of(&held).after(Edit::Release).as_ref(), Some(&text), "{tell}: {held:?}");
        }
        let as_of = || {
            let (files, reading) = (then.files.clone(), then.reading.clone());
            Edit::Restore { as_of: Arc::new(EarlierRevision { root: String::new(), files, reading }), name: checkout() }
        };
        if let Some(restored) = repo.after(as_of()) {
            *made.entry("restore").or_default() += 1;
            assert_eq!(Repo::of(&restored).after(as_of()).as_ref(), Some(&restored), "{tell}");
        }
    });
    println!("{tried}: edits made: {made:?}");
    assert!(["pin", "hold", "restore"].iter().all(|it| made.get(it).is_some_and(|made| *made > 5)), "{made:?}");
}

#[test]
fn any_commit_is_read_and_known_again_by_its_id() {
    let made = TestRepo::with(&[("a", "1")]);
    let repo = git2::Repository::open(made.path()).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let source =
        Source::open(&RepositoryLocation::parse(&made.location()).unwrap(), &Access::new(cache.path())).unwrap();
    let base = made.head();
    let tree = made.git(&["rev-parse", "HEAD^{tree}"]);
    let words = [
        "Pintle-Id: ab12",
        "Pintle-Id:",
        "This reverts commit ",
        "Revert \"",
        "\n",
        "\n\n",
        "\r\n",
        ": ",
        "\u{0}",
        "\u{feff}",
        "é",
        "# c",
        "--- a",
        " ",
        "0123456789abcdef0123456789abcdef01234567",
    ];
    let tried = inputs(|number| {
        let mut chance = Chance(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut text =
            |count: usize| (0..chance.below(count)).map(|_| words[chance.below(words.len())]).collect::<String>();
        let (subject, body, value) = (text(4), text(12), text(3));
        let id = format!("{number:016x}");
        let message =
            CommitMessage { subject, body, trailers: vec![("Pintle-Services", value)] }.with_change_id(&id).to_text();
        let mut object =
            format!("tree {tree}\nparent {base}\nauthor {} <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\n{message}", "A")
                .into_bytes();
        let known = write(&repo, &object);
        assert_eq!(source.find_commit_of_change(&id, base, known).unwrap(), Some(known), "input {number}: {message:?}");
        assert_eq!(source.find_commit_of_change("0000", base, known).unwrap(), None, "input {number}: {message:?}");
        // And what nobody would write: any bytes anywhere.
        for _ in 0..=chance.below(6) {
            let at = chance.below(object.len());
            object[at] = u8::try_from(chance.below(256)).unwrap();
        }
        let odd = write(&repo, &object);
        if let Ok(commit) = source.resolve(&odd.to_hex()) {
            assert!(!commit.subject.contains('\n') && commit.subject.chars().count() <= 1000, "input {number}");
        }
        let _ = source.find_commit_of_change(&id, base, odd);
    });
    println!("commits: {tried}");
}

fn write(repo: &git2::Repository, object: &[u8]) -> CommitId {
    let id = repo.odb().unwrap().write(git2::ObjectType::Commit, object).unwrap();
    id.to_string().try_into().unwrap()
}

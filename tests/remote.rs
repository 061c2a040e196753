//! Remotes over http, ssh and file: what is asked, what is kept, and what is said when something is wrong.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pintle::source::{Access, Credentials, Location, Reach, Relation, Scope, Source, SourceError};
use tempfile::TempDir;

use crate::common::git::{TestRepo, git, hermetic};
use crate::common::git_http::{GitServer, Identity, Mood};

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
        Access { answer_within: Duration::from_secs(10), ..Access::new(self.cache.path()) }
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
    Source::open(&Location::parse_with_plain_http(url).unwrap(), access).unwrap()
}

fn content(source: &Source) -> String {
    let tip = source.tip(None).unwrap().id;
    format!("{:?}", source.files(tip, Scope::All).unwrap().files[0].content)
}

fn reach(error: &SourceError) -> Reach {
    match error {
        SourceError::Unreachable { kind, .. } => *kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn http_asks_first_and_fetches_what_moved() {
    let forge = Forge::new();
    let server = GitServer::start(forge.root.path());
    let mut source = open(&server.url("pins.git"), &forge.access());
    assert!(matches!(source.tip(None), Err(SourceError::Empty { .. })), "nothing is fetched yet");
    assert_eq!(source.reached(), None);
    assert_eq!(source.fetch(None).unwrap().id, forge.repo.head());
    assert!(source.reached().is_some());
    server.requests();
    for branch in [None, Some("main")] {
        assert_eq!(source.fetch(branch).unwrap().id, forge.repo.head());
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "a greeting and one question: {requests:?}");
    }
    forge.push("2");
    let old = source.tip(None).unwrap().id;
    let new = source.fetch(None).unwrap().id;
    assert_eq!(new, forge.repo.head());
    assert_eq!(source.relation(old, new).unwrap(), Relation::Forward { commits: 1 });
    let mut other = open(&server.url("pins.git"), &forge.access());
    assert_eq!(other.tip(None).unwrap().id, new, "the cache is shared");
    assert_eq!(other.fetch(Some("main")).unwrap().id, new);
}

#[test]
fn credentials_are_told_to_the_server_of_the_url_only() {
    let forge = Forge::new();
    let Some(identity) = Identity::new(forge.root.path()) else {
        println!("skipped: openssl is not installed");
        return;
    };
    let server = GitServer::start_tls(forge.root.path(), &identity);
    // ada:secret
    server.set(Mood::Guard("Basic YWRhOnNlY3JldA=="));
    let known = |password: &str| Credentials::Known("ada".to_owned(), password.to_owned());
    let try_with = |url: &str, credentials| {
        let access = Access { credentials, certificates: identity.certificate.clone(), ..forge.access() };
        assert!(!format!("{access:?}").contains("secret"));
        open(url, &access).fetch(None)
    };
    let url = server.url("pins.git");
    for credentials in [Credentials::None, known("secret2")] {
        let error = try_with(&url, credentials).unwrap_err();
        assert_eq!(reach(&error), Reach::Credentials, "{error}");
        assert!(!error.retryable() && !format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    assert_eq!(try_with(&url, known("secret")).unwrap().id, forge.repo.head());

    let thief = GitServer::start_tls(forge.root.path(), &identity);
    thief.set(Mood::Guard("Basic nothing-is-right"));
    server.set(Mood::Redirect(thief.url("").trim_end_matches('/').to_owned()));
    let error = try_with(&url, known("secret")).unwrap_err();
    assert_eq!(reach(&error), Reach::Credentials, "{error}");
    let heard = thief.requests().join("\n");
    assert!(!heard.is_empty() && !heard.contains("YWRh"), "{heard}");

    let plain = GitServer::start(forge.root.path());
    plain.set(Mood::Guard("Basic YWRhOnNlY3JldA=="));
    let error = try_with(&plain.url("pins.git"), known("secret")).unwrap_err();
    assert_eq!(reach(&error), Reach::Credentials, "{error}");
    let heard = plain.requests().join("\n");
    assert!(!heard.is_empty() && !heard.contains("YWRh"), "never in clear text: {heard}");

    let error = open(&url, &forge.access()).fetch(None).unwrap_err();
    assert_eq!(reach(&error), Reach::Untrusted, "{error}");
}

#[test]
fn what_an_unreachable_remote_had_can_still_be_read() {
    let forge = Forge::new();
    let server = GitServer::start(forge.root.path());
    let access = Access { answer_within: Duration::from_secs(1), ..forge.access() };
    let mut source = open(&server.url("pins.git"), &access);
    source.fetch(None).unwrap();
    let moods = [
        (Mood::Page(200), Reach::Protocol),
        (Mood::Page(403), Reach::Forbidden),
        (Mood::Page(404), Reach::NotFound),
        (Mood::Page(429), Reach::Passing),
        (Mood::Page(503), Reach::Passing),
        (Mood::Stall, Reach::Passing),
    ];
    for (mood, kind) in moods {
        server.set(mood);
        let start = Instant::now();
        let error = source.fetch(None).unwrap_err();
        assert_eq!(reach(&error), kind, "{error}");
        assert!(error.to_string().contains("(last reached 20"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(content(&source).contains("49"), "the old state");
    }
    let error = open("http://127.0.0.1:1/pins.git", &access).fetch(None).unwrap_err();
    assert_eq!(reach(&error), Reach::Passing, "{error}");
    assert!(error.retryable() && !error.to_string().contains("last reached"), "{error}");
}

#[test]
fn a_pack_that_stalls_at_its_end_or_comes_in_drops_is_given_up_in_time_and_received_later() {
    let forge = Forge::new();
    let server = GitServer::start(forge.root.path());
    let access = Access { send_within: Duration::from_secs(2), ..forge.access() };
    let mut source = open(&server.url("pins.git"), &access);
    source.fetch(None).unwrap();
    let old = forge.repo.head();
    // Nothing of it is compressed away.
    let text = (0..20_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string()).collect::<Vec<_>>().join(" ");
    forge.push(&text);
    for mood in [Mood::StallInPack, Mood::Drip] {
        server.set(mood);
        let start = Instant::now();
        let error = source.fetch(None).unwrap_err();
        assert!(error.to_string().contains("cannot be reached: no answer within 2 s (last reached"), "{error}");
        assert!(error.retryable() && start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
        assert_eq!(source.tip(None).unwrap().id, old);
    }
    server.set(Mood::Serve);
    assert_eq!(source.fetch(None).unwrap().id, forge.repo.head());
    let packs = std::fs::read_dir(forge.mirror().join("objects/pack")).unwrap();
    let names = packs.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with(".tmp")).count(), 0, "what was half received is gone");
}

/// A program in place of ssh: it notes what it was asked, and runs the command here.
fn ssh(folder: &Path, body: &str) -> Vec<String> {
    let script = folder.join("ssh.sh");
    let text = format!("printf '%s\\n' \"$@\" > {}\nfor last; do :; done\n{body}\n", folder.join("asked").display());
    std::fs::write(&script, text).unwrap();
    vec!["sh".to_owned(), script.to_str().unwrap().to_owned()]
}

#[test]
fn ssh_is_the_systems_and_never_asks() {
    let forge = Forge::new();
    let access = |body| Access { ssh: ssh(forge.root.path(), body), ..forge.access() };
    let url = format!("ssh://git@host.example:2222{}", forge.bare());
    let mut source = open(&url, &access("exec sh -c \"$last\""));
    assert_eq!(source.fetch(None).unwrap().id, forge.repo.head());
    let asked = std::fs::read_to_string(forge.root.path().join("asked")).unwrap();
    let expected = format!("-p\n2222\n--\ngit@host.example\ngit-upload-pack '{}'\n", forge.bare());
    assert!(asked.contains("BatchMode=yes") && asked.ends_with(&expected), "{asked}");

    let scp = format!("git@host.example:{}", forge.bare());
    assert_eq!(open(&scp, &access("exec sh -c \"$last\"")).fetch(None).unwrap().id, forge.repo.head());

    let failures = [
        ("echo 'Host key verification failed.' >&2; exit 255", Reach::Untrusted),
        ("echo 'git@host.example: Permission denied (publickey).' >&2; exit 255", Reach::Credentials),
        ("echo 'ssh: Could not resolve hostname x: Name or service not known' >&2; exit 255", Reach::Passing),
        ("echo 'ERROR: Repository not found.' >&2; exit 1", Reach::NotFound),
        ("printf 'fatal: \\033[2J\\n' >&2; exit 1", Reach::Passing),
    ];
    for (body, kind) in failures {
        let error = open(&url, &access(body)).fetch(None).unwrap_err();
        assert_eq!(reach(&error), kind, "{error}");
        assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
    }
    let at_length =
        "printf 'fatal: detected dubious ownership\\nTo add an exception, call:\\n\\n\\tgit config x\\n' >&2; exit 128";
    let error = open(&url, &access(at_length)).fetch(None).unwrap_err();
    assert!(error.to_string().contains("cannot be reached: fatal: detected dubious ownership"), "{error}");
    let missing = Access { ssh: vec!["/nonexistent/ssh".to_owned()], ..forge.access() };
    let error = open(&url, &missing).fetch(None).unwrap_err();
    assert_eq!(reach(&error), Reach::Program, "{error}");
}

#[test]
fn a_program_that_hangs_is_ended() {
    let forge = Forge::new();
    let ssh = ssh(forge.root.path(), "exec sleep 60");
    let access = Access { ssh, answer_within: Duration::from_millis(300), ..forge.access() };
    let start = Instant::now();
    let error = open("git@host.example:pins.git", &access).fetch(None).unwrap_err();
    assert!(error.to_string().contains("no answer within"), "{error}");
    assert!(error.retryable() && start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_hundred_and_twenty_fetches_of_one_process_leave_few_packs() {
    let forge = Forge::new();
    let mut source = forge.file_source();
    for round in 0..120 {
        forge.push(&round.to_string());
        assert_eq!(source.fetch(None).unwrap().id, forge.repo.head(), "round {round}");
    }
    let packs = std::fs::read_dir(forge.mirror().join("objects/pack")).unwrap();
    let packs = packs.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "pack")).count();
    assert!(packs <= 51, "{packs}");
    let first = source.resolve("HEAD~120").unwrap();
    assert_eq!(&*first.subject, "Start");
}

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
    assert_eq!(source.relation(old, new).unwrap(), Relation::Rewritten { merge_base: Some(base) });
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
fn a_damaged_mirror_is_fetched_anew() {
    let forge = Forge::new();
    forge.file_source().fetch(None).unwrap();
    let mirror = forge.mirror();
    let packs = || {
        let files = std::fs::read_dir(mirror.join("objects/pack")).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|end| end == "pack")).collect::<Vec<_>>()
    };
    let writable = |path: &Path| {
        let mut permissions = path.metadata().unwrap().permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "a file in a temp folder")]
        permissions.set_readonly(false);
        std::fs::set_permissions(path, permissions).unwrap();
    };
    let damages: [&dyn Fn(); 6] = [
        &|| packs().iter().for_each(|pack| std::fs::remove_file(pack).unwrap()),
        &|| {
            for pack in packs() {
                writable(&pack);
                let bytes = std::fs::read(&pack).unwrap();
                std::fs::write(&pack, &bytes[..bytes.len() / 2]).unwrap();
            }
        },
        &|| std::fs::remove_dir_all(mirror.join("objects")).unwrap(),
        &|| std::fs::write(mirror.join("HEAD"), "\0\0garbage").unwrap(),
        &|| {
            std::fs::remove_dir_all(&mirror).unwrap();
            std::fs::write(&mirror, "a file").unwrap();
        },
        &|| std::fs::write(mirror.join("config"), "[core\n\0").unwrap(),
    ];
    for (number, damage) in damages.iter().enumerate() {
        damage();
        // What a process that was killed leaves behind is no obstacle either.
        std::fs::create_dir_all(mirror.with_extension("new").join("objects")).unwrap();
        let mut source = forge.file_source();
        assert_eq!(source.fetch(None).unwrap().id, forge.repo.head(), "damage {number}");
        assert!(content(&source).contains("49"), "damage {number}");
    }
    let mut source = forge.file_source();
    assert_eq!(source.fetch_anew(None).unwrap().id, forge.repo.head());
}

#[test]
fn a_process_killed_while_it_fetches_leaves_a_mirror_that_can_be_used() {
    let forge = Forge::new();
    let (mut killed, mut ended) = (0, 0);
    for round in 0..24 {
        // Numbers that git cannot make small: receiving them takes a while.
        let noise: Vec<u64> =
            (0..40_000_u64).map(|n| (n + round).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)).collect();
        forge.push(&format!("{noise:?}"));
        let mut victim = hermetic(&mut Command::new(env!("CARGO_BIN_EXE_pintle")))
            .args(["history", "--repo", &format!("file://{}", forge.bare()), "--cache-dir"])
            .arg(forge.cache.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(10 + round * 8));
        victim.kill().unwrap();
        if victim.wait().unwrap().success() {
            ended += 1;
        } else {
            killed += 1;
        }
        if round % 3 == 0 {
            let mut source = forge.file_source();
            assert_eq!(source.fetch(None).unwrap().id, forge.repo.head(), "round {round}");
            assert!(content(&source).len() > 100_000, "round {round}");
        }
    }
    println!("{killed} were killed, {ended} came to their end");
    assert!(killed > 0, "nobody was killed");
}

#[test]
fn what_a_killed_process_leaves_in_the_mirror_is_no_obstacle_and_is_removed() {
    let forge = Forge::new();
    let mut source = forge.file_source();
    source.fetch(None).unwrap();
    let left = ["refs/heads/main.lock", "packed-refs.lock", "objects/pack/.tmpk1ll3d", "objects/pack/pack-1.keep"];
    let left = left.map(|file| forge.mirror().join(file));
    for file in &left {
        std::fs::write(file, "").unwrap();
    }
    forge.push("2");
    assert_eq!(source.fetch(None).unwrap().id, forge.repo.head());
    assert!(!left.iter().any(|file| file.exists()), "{left:?}");
}

#[test]
fn two_readers_share_a_cache() {
    let forge = Forge::new();
    let url = format!("file://{}", forge.bare());
    let access = forge.access();
    let fetch = |_| {
        let mut source = open(&url, &access);
        (0..5).map(|_| source.fetch(None).unwrap().id).collect::<Vec<_>>()
    };
    let tips: Vec<_> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|reader| scope.spawn(move || fetch(reader))).collect();
        readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
    });
    assert_eq!(tips, vec![forge.repo.head(); 20]);
}

#[test]
fn who_waits_too_long_for_another_process_says_so() {
    let forge = Forge::new();
    let access = Access { answer_within: Duration::from_millis(300), ..forge.access() };
    let mut source = open(&format!("file://{}", forge.bare()), &access);
    source.fetch(None).unwrap();
    let lock = std::fs::File::options().write(true).open(forge.mirror().with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let error = source.fetch(None).unwrap_err();
    assert!(matches!(error, SourceError::Locked { .. }) && error.retryable(), "{error}");
    assert!(content(&open(&format!("file://{}", forge.bare()), &access)).contains("49"), "reading needs no lock");
    drop(lock);
    source.fetch(None).unwrap();
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

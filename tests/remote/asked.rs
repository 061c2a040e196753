//! What is asked of a remote and what is told to it, by http and ssh; and remotes that do not answer.

use std::path::Path;
use std::time::{Duration, Instant};

use pintle::source::{Access, Credentials, Reach, SourceError, TipRelation};

use super::{Forge, content, open, reach};
use crate::common::git_http::{GitServer, Identity, Mood};
use crate::common::limit::EMERGENCY;

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
    assert_eq!(source.relation_to_tip(old, new).unwrap(), TipRelation::Ahead { commits: 1 });
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
    let (access, url) = (forge.access(), server.url("pins.git"));
    open(&url, &access).fetch(None).unwrap();
    let moods = [
        (Mood::Page(200), Reach::Protocol),
        (Mood::Page(403), Reach::Forbidden),
        (Mood::Page(404), Reach::NotFound),
        (Mood::Page(429), Reach::Passing),
        (Mood::Page(503), Reach::Passing),
        (Mood::Stall, Reach::Passing),
    ];
    for (mood, kind) in moods {
        let answer_within = if matches!(mood, Mood::Stall) { Duration::from_secs(1) } else { access.answer_within };
        server.set(mood);
        let mut source = open(&url, &Access { answer_within, ..access.clone() });
        let error = source.fetch(None).unwrap_err();
        assert_eq!(reach(&error), kind, "{error}");
        assert!(error.to_string().contains("(last reached 20"), "{error}");
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
    let url = server.url("pins.git");
    open(&url, &forge.access()).fetch(None).unwrap();
    let old = forge.repo.head();
    // Nothing of it is compressed away.
    let text = (0..20_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string()).collect::<Vec<_>>().join(" ");
    forge.push(&text);
    for mood in [Mood::StallInPack, Mood::Drip] {
        server.set(mood);
        let mut source = open(&url, &Access { send_within: Duration::from_secs(2), ..forge.access() });
        let error = source.fetch(None).unwrap_err();
        // The server itself would go on for minutes.
        assert!(error.to_string().contains("no answer within 2 s (last reached"), "{error}");
        assert!(error.retryable(), "{error:?}");
        assert_eq!(source.tip(None).unwrap().id, old);
    }
    server.set(Mood::Serve);
    assert_eq!(open(&url, &forge.access()).fetch(None).unwrap().id, forge.repo.head());
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
    let pid = forge.root.path().join("pid");
    let ssh = ssh(forge.root.path(), &format!("echo $$ >{}; exec sleep 600", pid.display()));
    let access = Access { ssh, answer_within: Duration::from_secs(1), ..forge.access() };
    let began = Instant::now();
    // On a busy machine it is ended before it has begun.
    let asked = (0..100).find_map(|_| {
        let error = open("ssh://git@host.example/pins.git", &access).fetch(None).unwrap_err();
        assert!(error.retryable() && error.to_string().contains("no answer within"), "{error}");
        std::fs::read_to_string(&pid).ok()
    });
    let process = Path::new("/proc").join(asked.unwrap().trim());
    assert!(!process.exists(), "{} still runs", process.display());
    assert!(began.elapsed() < EMERGENCY, "it came to its own end");
}

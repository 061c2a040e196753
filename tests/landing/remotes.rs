use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use insta::assert_snapshot;
use pintle::source::{Access, Credentials, LandError, RepositoryLocation, Source};
use pintle_core::git::FileChange;

use crate::common::git_http::{GitServer, Identity, Mood};
use crate::common::pushed::{PinsClone, human};

#[test]
fn a_hook_that_refuses_is_quoted_and_the_clone_left_alone() {
    let shop = PinsClone::new();
    shop.hook("pre-receive", "echo 'main is protected: open a pull request' >&2; exit 1");
    let (here, there) = (shop.repo.head(), shop.at_remote());
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @"
    error origin/main
    hint --propose
    exit 1
    ");
    assert_eq!((shop.repo.head(), shop.at_remote()), (here, there));
    assert_eq!(shop.repo.git(&["status", "--short"]), "");
}

#[test]
fn a_remote_that_is_not_there_changes_nothing() {
    let shop = PinsClone::new();
    shop.repo.git(&["remote", "set-url", "origin", "/nonexistent/pins.git"]);
    let here = shop.repo.head();
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @"
    error /nonexistent/pins.git | file:///nonexistent/pins.git
    hint
    exit 1
    ");
    assert_eq!(shop.repo.head(), here);
}

#[test]
fn a_url_needs_no_clone() {
    let shop = PinsClone::new();
    let server = GitServer::start(shop.root.path());
    assert_snapshot!(shop.outline_remotely(&server, "pin payments 2.1.0 --yes"), @r#"
    branch=main pushedTo=main of URL commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.0.3"
        lines +version: "2.1.0"
        lines  image: ghcr.io/acme/payments
    "#);
    assert!(shop.in_bare(&["show", "main:services/payments.yaml"]).contains("2.1.0"));
    assert_snapshot!(shop.outline_remotely(&server, "pin payments 2.1.1 --commit-only --yes"), @"
    error --commit-only
    hint --repo PATH
    exit 64
    ");
}

#[test]
fn who_is_overtaken_at_a_url_decides_anew() {
    let shop = PinsClone::new();
    let server = GitServer::start(shop.root.path());
    let (bare, pushes) = (shop.bare(), AtomicU32::new(0));
    // The human is faster: after the tip was read, and before the push begins.
    server.set(Mood::After(Arc::new(move |line| {
        if line.contains("info/refs?service=git-receive-pack") && pushes.fetch_add(1, Ordering::SeqCst) == 0 {
            human(&bare, "sed -i s/2.0.3/2.0.4/ services/payments.yaml");
        }
    })));
    assert_snapshot!(shop.outline_remotely(&server, "pin payments 2.1.0 --yes"), @r#"
    branch=main pushedTo=main of URL commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.0.4"
        lines +version: "2.1.0"
        lines  image: ghcr.io/acme/payments
    "#);
    assert_snapshot!(shop.commits(), @"
    Pintle-Services: payments
    Human
    Start
    ");
}

#[test]
fn a_push_whose_answer_is_lost_is_known_again() {
    let shop = PinsClone::new();
    let server = GitServer::start(shop.root.path());
    server.set(Mood::Swallow);
    assert_snapshot!(shop.outline_remotely(&server, "pin payments 2.1.0 --yes"), @r#"
    branch=main pushedTo=main of URL commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.0.3"
        lines +version: "2.1.0"
        lines  image: ghcr.io/acme/payments
    "#);
    assert_snapshot!(shop.commits(), @"
    Pintle-Services: payments
    Start
    ");
}

#[test]
fn a_push_that_was_overtaken_after_its_answer_was_lost_is_known_by_its_id() {
    let shop = PinsClone::new();
    let server = GitServer::start(shop.root.path());
    // The server takes the push and hangs up; before it is asked again, a human has pushed.
    shop.hook(
        "post-receive",
        "read old new ref; test -e once && exit; touch once
         other=$(git commit-tree -p $new -m Human $new^{tree}); git update-ref refs/heads/main $other",
    );
    server.set(Mood::Swallow);
    let said = shop.remotely(&server, "pin payments 2.1.0 --yes").0;
    let first = shop.in_bare(&["rev-parse", "--short=8", "main~1"]);
    assert!(said.lines().next().unwrap().contains(&first), "{said}");
    assert_snapshot!(shop.commits(), @"
    Human
    Pintle-Services: payments
    Start
    ");
}

#[test]
fn a_server_that_asks_who_is_there_is_told_over_tls_alone() {
    let shop = PinsClone::new();
    let Some(identity) = Identity::new(shop.root.path()) else {
        println!("skipped: openssl is not installed");
        return;
    };
    let safe = GitServer::start_tls(shop.root.path(), &identity);
    let access = Access {
        credentials: Credentials::Known("ada".to_owned(), "secret".to_owned()),
        certificates: identity.certificate.clone(),
        ..Access::new(shop.root.path().join("cache"))
    };
    safe.set(Mood::Guard("Basic YWRhOnNlY3JldA=="));
    assert_eq!(landed(&safe.url("pins.git"), &access).unwrap(), shop.at_remote());
    let wrong = Access { credentials: Credentials::Known("ada".to_owned(), "wrong".to_owned()), ..access.clone() };
    let mut source = open(&safe.url("pins.git"), &access);
    let tip = source.fetch(Some("main")).unwrap().id;
    let refused =
        open(&safe.url("pins.git"), &wrong).landing(Some("main")).unwrap().land(tip, &change(), "New\n", true);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("401") && !refused.contains("wrong"), "{refused}");

    // Whoever is on the way could read them.
    let clear = GitServer::start(shop.root.path());
    let mut source = open(&clear.url("pins.git"), &access);
    let tip = source.fetch(Some("main")).unwrap().id;
    clear.set(Mood::Guard("Basic YWRhOnNlY3JldA=="));
    let refused = source.landing(Some("main")).unwrap().land(tip, &change(), "New\n", true).unwrap_err().to_string();
    assert!(refused.contains("clear text"), "{refused}");
    assert!(!clear.requests().concat().contains("Basic"), "nothing was told");
}

#[test]
fn a_hook_behind_http_is_quoted() {
    let shop = PinsClone::new();
    let server = GitServer::start(shop.root.path());
    shop.hook("update", "echo 'no pushes on Fridays' >&2; exit 1");
    let said = shop.remotely(&server, "pin payments 2.1.0 --yes").0;
    assert_snapshot!(said, @r#"
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to main of URL
    error: main of URL refuses the commit: no pushes on Fridays; error: hook declined to update refs/heads/main (hook declined)
      hint: open a pull request instead: --propose
    --- exit 1
    "#);
}

#[test]
fn ssh_remotes_are_pushed_to_by_the_systems_ssh() {
    let shop = PinsClone::new();
    let script = shop.root.path().join("ssh.sh");
    std::fs::write(&script, "for last; do :; done\nexec sh -c \"$last\"\n").unwrap();
    let ssh = vec!["sh".to_owned(), script.to_str().unwrap().to_owned()];
    let access = Access { ssh, ..Access::new(shop.root.path().join("cache")) };
    let url = format!("ssh://git@host.example{}", shop.bare().display());
    assert_eq!(landed(&url, &access).unwrap(), shop.at_remote());
}

fn open(url: &str, access: &Access) -> Source {
    Source::open(&RepositoryLocation::parse_with_plain_http(url).unwrap(), access).unwrap()
}

fn change() -> [FileChange; 1] {
    [FileChange { path: "new.txt".into(), content: Some(Arc::from(&b"new"[..])) }]
}

/// Pushes a commit on the tip of a remote, without the command line.
fn landed(url: &str, access: &Access) -> Result<String, LandError> {
    let mut source = open(url, access);
    let tip = source.fetch(Some("main"))?.id;
    Ok(source.landing(Some("main"))?.land(tip, &change(), "New\n", true)?.commit.to_hex())
}

//! History over ssh and https, and what becomes of it when it stalls or its receiver is killed.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use pintle::source::{Access, Credentials};

use super::Shallow;
use crate::common::git_http::{GitServer, Identity, Mood};
use crate::common::limit::EMERGENCY;
use crate::common::pushed::PinsClone;

/// A program that is found first by the name of ssh: it runs the command here.
fn ssh(folder: &Path) -> String {
    let program = folder.join("ssh");
    std::fs::write(&program, "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[test]
fn history_is_received_over_ssh() {
    let shop = PinsClone::upgraded();
    let clone = Shallow::of(&shop, 1);
    clone.comes_from(&format!("git@host.example:{}", clone.shop.bare().display()));
    let path = ssh(clone.shop.root.path());
    let said = clone.outlined(clone.command("rollback payments --yes --reason INC-47").env("PATH", path));
    assert!(said.starts_with("branch=main pushedTo=origin/main commit=COMMIT\n"), "{said}");
    assert!(!clone.is_cut());
}

#[test]
fn history_is_received_over_https_with_what_the_credential_helper_knows() {
    let shop = PinsClone::upgraded();
    let clone = Shallow::of(&shop, 1);
    let root = clone.shop.root.path();
    let Some(identity) = Identity::new(root) else { return println!("skipped: openssl is not installed") };
    let server = GitServer::start_tls(root, &identity);
    // ada:secret
    server.set(Mood::Guard("Basic YWRhOnNlY3JldA=="));
    clone.comes_from(&server.url("pins.git"));
    let trusted = root.join("cert.pem");
    let rollback = || {
        let mut command = clone.command("rollback payments --yes --reason INC-47");
        clone.outlined(command.env("SSL_CERT_FILE", &trusted)).replace(&server.url(""), "SERVER/")
    };
    assert_snapshot!(rollback(), @"
    warning SERVER/pins.git
    error 2.1.0 | payments
    hint git fetch --unshallow
    exit 1
    ");
    clone.git(&["config", "credential.helper", "!printf 'username=ada\\npassword=secret\\n'; :"]);
    let said = rollback();
    assert!(said.starts_with("branch=main pushedTo=origin/main commit=COMMIT\n"), "{said}");
    assert!(!clone.is_cut() && !said.contains("secret"));
}

#[test]
fn who_is_killed_while_history_arrives_leaves_a_clone_that_can_be_asked_again() {
    let shop = PinsClone::upgraded();
    let clone = Shallow::of(&shop, 1);
    let root = clone.shop.root.path();
    let Some(identity) = Identity::new(root) else { return println!("skipped: openssl is not installed") };
    let server = GitServer::start_tls(root, &identity);
    clone.comes_from(&server.url("pins.git"));
    let before = clone.state();
    let mut command = clone.command("rollback payments --dry-run");
    command.env("SSL_CERT_FILE", root.join("cert.pem"));
    server.set(Mood::StallInPack);
    let mut killed = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let folder = clone.folder.path().join(".git/objects");
    let names = || std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let begun = || names().filter(|name| name.starts_with("tmp_")).count();
    let deadline = Instant::now() + EMERGENCY;
    while begun() == 0 {
        assert!(Instant::now() < deadline, "nothing arrives: {:?}", server.requests());
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!clone.folder.path().join(".git/shallow.lock").exists(), "nobody would let go of it");
    assert!(clone.is_cut());
    assert_eq!(clone.state(), before);
    server.set(Mood::Serve);
    let said = clone.outlined(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert!(said.contains("\nmembers service=payments from=2.1.0 to=2.0.3 "), "{said}");
    assert!(!clone.is_cut());
    assert_eq!(clone.state(), before);
    // What is left of the one that was killed goes as git's own does.
    assert_eq!(begun(), 1);
    clone.git(&["prune", "--expire=now"]);
    assert_eq!(begun(), 0);
}

#[test]
fn history_that_stalls_is_given_up_in_time_and_received_later() {
    let shop = PinsClone::upgraded();
    // Nothing of it is compressed away.
    let words = (0..20_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string()).collect::<Vec<_>>().join(" ");
    shop.repo.save("README.md", words);
    shop.repo.save("README.md", "Short again\n");
    shop.repo.git(&["push", "--quiet"]);
    let clone = Shallow::of(&shop, 1);
    let root = clone.shop.root.path();
    let Some(identity) = Identity::new(root) else { return println!("skipped: openssl is not installed") };
    let server = GitServer::start_tls(root, &identity);
    clone.comes_from(&server.url("pins.git"));
    let access = Access {
        credentials: Credentials::None,
        certificates: identity.certificate.clone(),
        answer_within: EMERGENCY,
        send_within: EMERGENCY,
        ..Access::new(root.join("cache"))
    };
    let hasty = Access { send_within: Duration::from_secs(2), ..access.clone() };
    let (source, before) = (clone.source(&hasty), clone.state());
    let origin = source.origin(None).unwrap().unwrap();
    for mood in [Mood::StallInPack, Mood::Drip] {
        server.set(mood);
        let error = source.deepen(&origin).unwrap_err();
        // The server itself would go on for minutes.
        assert!(error.to_string().contains("no answer within 2 s"), "{error}");
        assert!(clone.git(&["rev-parse", "--is-shallow-repository"]) == "true");
    }
    server.set(Mood::Serve);
    clone.source(&access).deepen(&origin).unwrap();
    assert_eq!(clone.state(), before);
    assert!(!clone.source(&access).is_shallow());
}

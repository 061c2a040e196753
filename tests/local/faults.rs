use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use crate::common::host::{Host, signal};
use crate::common::through::through;

const NEEDS_NEW: &str = "dependsOn: {payments: \">=2.1\"}\n";

#[tokio::test]
async fn a_program_that_exits_at_once_is_a_crash_loop_with_its_last_words_and_git_revert_undoes_it() {
    let mut host = Host::open(&["payments 2.0.3", "checkout 1.7.9", "free 1.0"]).await;
    let watch = host.watch();
    host.pin("payments", "2.1.0 crash", "").pin("checkout", "1.8.2", NEEDS_NEW).pin("free", "1.1", "");
    let upgrade = host.commit("Upgrade all");
    let broken = host.apply_ends(3).await;
    broken.result(&["Failed: payments 2.1.0:", "CrashLoopBackOff after 3 restarts: exit code 1", "asked to crash"]);
    broken.result(&["Not started: checkout"]);
    assert_eq!(host.versions(&["payments", "checkout", "free"]), "- 1.7.9 1.1");
    // Nobody keeps it now, and why it ended is known.
    let status = host.pintle(&["status"]).await.ended(3);
    status.result(&["payments", "nothing", "Missing"]);
    status.result(&[
        "it failed before it was verified: it has ended with exit code 1; last line of its log: \"",
        "asked to crash\"; starts at the next apply",
    ]);
    // The next apply tries again.
    host.apply_ends(3).await.result(&["Failed: payments 2.1.0:", "CrashLoopBackOff"]);

    host.repo.revert(upgrade);
    host.apply().await;
    assert_eq!(host.versions(&["payments", "checkout", "free"]), "2.0.3 1.7.9 1.0");
    host.kept(watch);
}

#[tokio::test]
async fn a_program_that_is_missing_or_not_executable_is_named_and_tried_no_longer() {
    let mut host = Host::open(&["payments 1.0", "free 1.0"]).await;
    host.pin("payments", "1.1 missing", "").pin("free", "1.1", "").commit("Upgrade both");
    let failed = host.apply_ends(3).await;
    failed.result(&["Failed: payments 1.1:", "./missing: No such file or directory"]);
    // It takes no crash loop to know.
    failed.never("CrashLoopBackOff");
    assert_eq!(host.version("free"), "1.1");
    host.repo.write("missing", "#!/bin/sh\n");
    let mut mode = std::fs::metadata(host.repo.path().join("missing")).unwrap().permissions();
    mode.set_mode(0o644);
    std::fs::set_permissions(host.repo.path().join("missing"), mode).unwrap();
    host.apply_ends(3).await.result(&["Failed: payments 1.1:", "./missing: Permission denied"]);
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_to_be_and_an_answer_of_another_is_none() {
    let mut host = Host::new(&["payments 1.0 deaf"]);
    let port = host.port("payments");
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    host.pin("payments", "1.0 deaf", "verify: {timeout: 2s}\n").commit("Do not wait for long");
    let failed = host.apply_ends(3).await;
    failed.result(&["Failed: payments 1.0:", &format!("port {port} is taken by another process")]);
    // One that tries to listen says it itself.
    host.pin("payments", "1.1", "").commit("Listen");
    host.apply_ends(3).await.result(&["Failed: payments 1.1:", "CrashLoopBackOff", "Address already in use"]);
    drop(taken);
    host.apply().await;
    assert_eq!(host.version("payments"), "1.1");
}

#[tokio::test]
async fn what_ignores_sigterm_is_killed_after_a_while_and_nothing_starts_before() {
    let mut host = Host::open(&["payments 2.0 stubborn", "checkout 1.0"]).await;
    host.pin("payments", "2.1", "").pin("checkout", "1.1", NEEDS_NEW).commit("Upgrade both");
    let (began, watch) = (Instant::now(), host.watch());
    host.apply().await;
    assert!(began.elapsed().as_secs() >= 9, "it has time to end");
    host.kept(watch);
    assert_eq!(host.versions(&["payments", "checkout"]), "2.1 1.1");
}

#[tokio::test]
async fn a_service_that_never_becomes_well_fails_in_its_time_and_its_successor_takes_its_place() {
    let mut host = Host::new(&[]);
    host.pin("payments", "1.0 unwell", "verify: {timeout: 1s}\n").commit("Pin what is unwell");
    let failed = host.apply_ends(3).await;
    failed.result(&["Failed: payments 1.0:", "after the write", "/healthz: status 503"]);
    host.pin("payments", "1.1", "").commit("Fix it");
    host.apply().await;
    assert_eq!(host.version("payments"), "1.1");
}

#[tokio::test]
async fn a_service_without_local_is_refused_by_name_and_the_others_run() {
    let mut host = Host::new(&["payments 1.0"]);
    host.repo.write("services/checkout.yaml", "version: \"1.0\"\nimage: acme/checkout\n");
    host.pin("payments", "1.1", "").commit("Forget how checkout is run");
    let held = host.apply_ends(4).await;
    held.result(&["Held: checkout", "services/checkout.yaml:1:10", "nothing says how to run `checkout`"]);
    assert_eq!(host.version("payments"), "1.1");
}

// --- The state folder.

#[tokio::test]
async fn a_record_that_is_damaged_or_of_another_version_holds_its_service_and_no_other() {
    let mut host = Host::open(&["payments 1.0", "checkout 1.0", "free 1.0"]).await;
    let services = host.state().join("services");
    let record = |name: &str| services.join(name).join("record");
    std::fs::write(record("payments"), "{\"schema\":1,").unwrap();
    std::fs::write(record("checkout"), "{\"schema\":2}").unwrap();
    host.pin("payments", "1.1", "").pin("checkout", "1.1", "").pin("free", "1.1", "").commit("Upgrade all");
    let held = host.apply_ends(4).await;
    held.result(&[
        "Held: payments 1.1: it cannot be looked at",
        "services/payments/record is damaged",
        "delete the file",
    ]);
    held.result(&["Held: checkout 1.1: it cannot be looked at", "services/checkout/record is of version 2"]);
    assert_eq!(host.versions(&["payments", "checkout", "free"]), "1.0 1.0 1.1");
    let down = host.pintle(&["down"]).await.ended(1);
    down.result(&["free stopped"]);
    down.result(&["payments not stopped", "is damaged"]);
    assert_eq!(host.versions(&["payments", "checkout", "free"]), "1.0 1.0 -");
    // The way out that was named.
    signal("TERM", host.pid("payments"));
    host.wait_for("payments", 0).await;
    std::fs::remove_file(record("payments")).unwrap();
    host.apply_ends(4).await.line(&["payments 1.1 verified"]);
}

#[tokio::test]
async fn a_state_folder_that_cannot_be_written_is_named_before_anything_starts() {
    let host = Host::new(&["payments 1.0"]);
    std::fs::create_dir_all(host.state().parent().unwrap()).unwrap();
    std::fs::write(host.state(), "a file").unwrap();
    let path = host.state().display().to_string();
    host.apply_ends(1).await.line(&["error: the state folder cannot be used", &path]);
    assert!(host.processes("payments").is_empty());
    std::fs::remove_file(host.state()).unwrap();
    host.apply().await;
}

#[tokio::test]
async fn on_a_full_disk_nothing_starts_and_what_runs_stays() {
    let mut host = Host::open(&["payments 1.0"]).await;
    host.pin("payments", "1.1", "").commit("Upgrade payments");
    // No file may grow, which a program that ignores SIGXFSZ is told as an error of each write.
    let pintle = host.command(&["apply", "--yes"]);
    let mut full = through(&["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""], &pintle);
    let held = crate::common::shop::Printed::from(full.output().unwrap());
    assert_ne!(held.code, Some(0), "{}", held.err);
    assert!(held.err.contains("File too large"), "{}\n{}", held.err, held.out);
    assert_eq!(host.version("payments"), "1.0");
    host.apply().await;
    assert_eq!(host.version("payments"), "1.1");
}

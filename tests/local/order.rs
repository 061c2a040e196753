use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::common::host::{Host, get, image, signal};

#[tokio::test]
async fn an_upgrade_goes_provider_first_and_its_git_revert_consumer_first() {
    let mut host = Host::open(&["payments 2.0.3", "checkout 1.7.9"]).await;
    let watch = host.watch();
    host.pin("payments", "2.1.0", "").pin("checkout", "1.8.2", "dependsOn: {payments: \">=2.1\"}\n");
    let upgrade = host.commit("Upgrade both");
    let up = host.apply().await;
    assert_eq!(host.versions(&["payments", "checkout"]), "2.1.0 1.8.2");
    let recording = host.kept(watch);
    assert!(recording.gone(&image("payments", "2.0.3")) < recording.first(&image("checkout", "1.8.2")));
    assert!(up.line(&["payments 2.0.3 gone"]) < up.line(&["checkout 1.8.2 starting"]));

    let watch = host.watch();
    host.repo.revert(upgrade);
    let down = host.apply().await;
    assert_eq!(host.versions(&["payments", "checkout"]), "2.0.3 1.7.9");
    let recording = host.kept(watch);
    assert!(recording.gone(&image("checkout", "1.8.2")) < recording.first(&image("payments", "2.0.3")));
    down.line(&["payments", "waits until checkout 1.8.2 is gone: it needs payments >=2.1"]);
    down.result(&["In sync: everything runs what is pinned (2 changed)"]);
}

#[tokio::test]
async fn what_never_ran_starts_after_what_it_needs() {
    let mut host = Host::new(&["payments 2.0.3", "ledger 1.0", "checkout 1.7.9"]);
    host.pin("payments", "2.0.3", "dependsOn: {ledger: \"*\"}\n").pin(
        "checkout",
        "1.7.9",
        "dependsOn: {payments: \"*\"}\n",
    );
    host.commit("Say who needs whom");
    let watch = host.watch();
    let apply = host.apply().await;
    apply.line(&["checkout", "nothing -> 1.7.9", "deploy"]);
    apply.line(&["payments", "waits until ledger runs: payments 2.0.3 needs ledger *"]);
    let recording = host.kept(watch);
    let first = |name, version| recording.first(&image(name, version));
    assert!(
        first("ledger", "1.0") < first("payments", "2.0.3") && first("payments", "2.0.3") < first("checkout", "1.7.9")
    );
}

#[tokio::test]
async fn two_that_need_each_others_new_version_are_refused_and_go_together_in_lockstep() {
    let mut host = Host::open(&["checkout 1.0", "payments 1.0"]).await;
    host.pin("payments", "1.0", "dependsOn: {checkout: \"<2.0\"}\n").commit("Say what payments needs");
    let watch = host.watch();
    host.pin("checkout", "2.0", "dependsOn: {payments: \">=2.0\"}\n");
    host.pin("payments", "2.0", "dependsOn: {checkout: \">=2.0\"}\n").commit("Upgrade both");
    host.apply_ends(4).await.result(&["Refused: checkout 2.0: there is no safe order for it and payments"]);
    let recording = host.kept(watch);
    assert!(recording.never(&image("checkout", "2.0")) && recording.never(&image("payments", "2.0")));
    host.settings("lockstep: [[checkout, payments]]\n").commit("Allow an unsafe moment");
    host.apply().await;
    assert_eq!(host.versions(&["checkout", "payments"]), "2.0 2.0");
}

#[tokio::test]
async fn a_rolling_service_answers_all_the_time_and_its_old_version_ends_when_the_new_one_is_well() {
    let mut host = Host::open(&["web 1.0 share"]).await;
    let port = host.port("web");
    let (over, watch) = (Arc::new(AtomicBool::new(false)), host.watch());
    let until = Arc::clone(&over);
    let customer = std::thread::spawn(move || {
        let mut answers = 0;
        while !until.load(Ordering::SeqCst) {
            // Whoever comes in the very moment in which an old process closes its port is turned away by the kernel.
            assert!((0..4).any(|_| get(port, "/version").is_ok()), "nobody answers");
            answers += 1;
            std::thread::sleep(Duration::from_millis(2));
        }
        answers
    });
    host.pin("web", "1.1 share unwell", "verify: {timeout: 2s}\n").commit("Upgrade to what is not well");
    host.apply_ends(3).await.result(&["Failed: web 1.1:", "/healthz: status 503"]);
    assert_eq!(host.processes("web").len(), 2, "the old version stays");
    host.pin("web", "1.2 share", "").commit("Fix web");
    host.apply().await;
    over.store(true, Ordering::SeqCst);
    assert!(customer.join().unwrap() > 100);
    let recording = host.kept(watch);
    assert_eq!(host.versions(&["web"]), "1.2");
    assert!(recording.first(&image("web", "1.2")) < recording.gone(&image("web", "1.0")), "there was a gap");
    assert_eq!(host.processes("web").len(), 1);
}

#[tokio::test]
async fn a_consumer_that_is_well_only_beside_its_provider_goes_back_with_it() {
    let mut host = Host::new(&["payments 2.0.3"]);
    let needs = format!("needs=payments={}", host.port("payments"));
    host.pin("checkout", &format!("1.7.9 {needs}"), "").commit("Add checkout");
    host.apply().await;
    host.pin("payments", "2.1.0", "");
    host.pin("checkout", &format!("1.8.2 {needs}"), "dependsOn: {payments: \">=2.1\"}\n");
    let upgrade = host.commit("Upgrade both");
    host.apply().await;
    let watch = host.watch();
    signal("KILL", host.pid("payments"));
    host.wait_for("payments", 0).await;
    host.repo.revert(upgrade);
    host.apply().await;
    assert_eq!(host.versions(&["payments", "checkout"]), "2.0.3 1.7.9");
    host.kept(watch);
}

#[tokio::test]
async fn a_clone_that_is_behind_starts_nothing_not_even_what_does_not_run() {
    let mut host = Host::open(&["payments 1.0"]).await;
    host.pin("payments", "2.0", "").commit("Upgrade payments");
    host.apply().await;
    host.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    host.apply_ends(4).await.line(&["is older than", "which the cluster was last written at: nothing is done"]);
    assert_eq!(host.version("payments"), "2.0");
    host.pintle(&["down"]).await.ended(0);
    host.apply_ends(4).await.line(&["is older than", "nothing is done"]);
    assert!(host.processes("payments").is_empty());
}

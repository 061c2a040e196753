use std::time::Duration;

use crate::common::control_plane::{ControlPlane, Part};
use crate::common::git::{git, text};
use crate::common::git_http::{GitServer, Mood};
use crate::common::recorder::Recorder;
use crate::common::running::Running;
use crate::common::shop::{Shop, image};

const NEEDS_NEW: &str = "dependsOn: {payments: \">=2.0\"}\n";

#[tokio::test]
async fn a_rewritten_branch_is_held_until_somebody_accepts_it() {
    let shop = Shop::open(&["payments 1.0", "checkout 1.0", "free 1.0"]).await;
    shop.pin("free", "1.1", "").commit("Upgrade free");
    shop.apply().await;
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    shop.apply().await;
    let old = shop.repo.head();
    shop.repo.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    shop.pin("free", "1.1", "").pin("checkout", "2.0", "").commit("Another history");
    let new = shop.repo.head();
    let range = format!("{}..{}", old.short(), new.short());
    let before = shop.ns.written("deployment/payments").await;

    let held = shop.apply_ends(4).await;
    held.line(&["the branch was rewritten", &old.short(), &new.short(), "nothing is done"]);
    held.line(&["hint", &format!("--accept-rewrite {range}")]);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0 1.0");
    assert_eq!(shop.ns.written("deployment/payments").await, before);

    shop.pintle(&["apply", "--yes", "--accept-rewrite", &range]).await.ended(0);
    assert_eq!(shop.versions(&["payments", "checkout", "free"]).await, "1.0 2.0 1.1");
    // Once is enough, also for what the new history did not change.
    shop.apply().await.result(&["In sync"]);
}

#[tokio::test]
async fn a_clone_that_is_behind_writes_nothing() {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    shop.apply().await;
    shop.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let held = shop.apply_ends(4).await;
    held.line(&["is older than", "which the cluster was last written at: nothing is done"]);
    held.line(&["hint: git pull, or revert with a commit"]);
    assert_eq!(shop.version("payments").await, "2.0");
}

#[tokio::test]
async fn a_commit_made_in_mid_apply_changes_nothing_of_that_run_and_is_told_at_its_end() {
    let shop = Shop::open(&["payments 1.0", "checkout 1.0", "free 1.0"]).await;
    shop.pin("payments", "2.0 slow", "").pin("checkout", "2.0", NEEDS_NEW);
    let shown = shop.commit("Upgrade both");
    let mut apply = shop.start_apply();
    apply.says(&["payments 2.0 starting"]).await;
    shop.pin("checkout", "2.1", NEEDS_NEW).pin("free", "2.0", "");
    let later = shop.commit("Upgrade more");
    let ended = apply.end().await.ended(0);
    ended.result(&[&format!("In sync: everything runs what is pinned at {} (2 changed).", shown.short())]);
    let last = format!("main has moved on to {} meanwhile: pintle apply", later.short());
    assert_eq!(ended.out.lines().last(), Some(last.as_str()));
    assert_eq!(shop.versions(&["payments", "checkout", "free"]).await, "2.0-slow 2.0 1.0");

    shop.apply().await.never("has moved on");
    assert_eq!(shop.versions(&["payments", "checkout", "free"]).await, "2.0-slow 2.1 2.0");
}

#[tokio::test]
async fn what_is_not_committed_and_what_cannot_be_used_is_told_by_status_too() {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.pin("payments", "2.0", "");
    let status = shop.pintle(&["status"]).await.ended(0);
    status.line(&["warning: only commits count, and these files", "not committed: services/payments.yaml"]);
    status.result(&["payments", "1.0", "Healthy"]);
    shop.pintle(&["plan"]).await.ended(0).line(&["warning: only commits count"]);
    shop.pintle(&["apply", "--yes"]).await.ended(0).line(&["warning: only commits count"]);

    shop.repo.write("services/checkout.yaml", "version: 1.10\nimage: ghcr.io/acme/checkout\n").commit("Add checkout");
    let status = shop.pintle(&["status"]).await.ended(1);
    status.result(&["payments", "1.0"]);
    status.line(&["error: the pins have 1 error"]);
    shop.repo.remove("services/checkout.yaml").remove("services/payments.yaml").commit("Remove all");
    shop.pintle(&["status"]).await.ended(1).line(&["error: ", "0 pins: this revision pins no service"]);
    shop.pintle(&["plan"]).await.ended(1).line(&["error: ", "0 pins: this revision pins no service"]);
}

#[tokio::test]
async fn a_repository_without_pins_removes_and_writes_nothing() {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    shop.apply().await;
    let before = shop.ns.written("deployment/payments").await;
    shop.repo.remove("services/payments.yaml").commit("Remove all pins");
    shop.pintle(&["apply", "--yes"]).await.ended(1).line(&["error", "0 pins", "nothing is done"]);
    shop.repo.remove("pintle.yaml").commit("Remove everything");
    shop.pintle(&["apply", "--yes"]).await.ended(1).line(&["error", "0 pins", "nothing is done"]);
    shop.repo.git(&["checkout", "--quiet", "--orphan", "other"]);
    shop.repo.git(&["branch", "-D", "main"]);
    shop.repo.git(&["branch", "-m", "main"]);
    let empty = shop.pintle(&["apply", "--yes"]).await.ended(1);
    empty.line(&["error", "has no commit yet"]);
    assert_eq!(shop.ns.written("deployment/payments").await, before);
}

#[tokio::test]
async fn a_remote_that_is_gone_holds_everything_and_says_since_when() {
    let shop = Shop::open(&["payments 1.0"]).await;
    let (server, url) = GitServer::of(&shop.repo);
    let remote = ["--repo", &url, "--dangerous-plain-http"];
    let apply = [&["apply", "--yes"], &remote[..]].concat();
    shop.pintle(&apply).await.ended(0);
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    text(git(shop.repo.path()).args(["push", "--quiet", "origin", "main"]).output().unwrap());
    shop.pintle(&[&["plan"], &remote[..]].concat()).await.ended(0).result(&["1.0 -> 2.0"]);
    server.set(Mood::Page(503));
    let held = shop.pintle(&apply).await.ended(1);
    held.line(&["cannot be reached", "last reached 20", "nothing is written from what was fetched before"]);
    server.set(Mood::Page(404));
    let held = shop.pintle(&apply).await.ended(1);
    held.line(&["cannot be reached", "last reached 20"]);
    held.line(&["hint: look at the spelling, and whether the token or key may see the repository"]);
    assert_eq!(shop.version("payments").await, "1.0");
    server.set(Mood::Serve);
    shop.pintle(&apply).await.ended(0);
    assert_eq!(shop.version("payments").await, "2.0");
}

#[tokio::test]
async fn an_api_server_that_stops_in_mid_rollout_holds_everything_and_then_it_goes_on() {
    let mut own = ControlPlane::start();
    let (shop, recorder, apply) = in_mid_rollout(&own).await;
    own.pause(Part::Apiserver);
    tokio::time::sleep(Duration::from_secs(20)).await;
    own.resume(Part::Apiserver);
    apply.end().await.ended(0);
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0-slow 2.0");
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("payments", "1.0")) < recording.first(&image("checkout", "2.0")));
}

#[tokio::test]
async fn an_api_server_that_is_killed_in_mid_rollout_holds_everything_says_so_and_then_it_goes_on() {
    let mut own = ControlPlane::start();
    let (shop, recorder, mut apply) = in_mid_rollout(&own).await;
    own.kill(Part::Apiserver);
    apply.says(&["the cluster does not answer", "everything is held"]).await;
    own.restart(Part::Apiserver).await;
    apply.says(&["the cluster answers again"]).await;
    // Said once, not at each attempt.
    apply.end().await.ended(0).never("ERROR");
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0-slow 2.0");
    shop.kept(recorder).await;
}

/// A shop of which the provider is under way, and the consumer waits.
async fn in_mid_rollout(own: &ControlPlane) -> (Shop, Recorder, Running) {
    let shop = Shop::found(own, &["payments 1.0", "checkout 1.0"], |_, _| ()).await;
    shop.settle().await;
    shop.pin("payments", "2.0 slow", "").pin("checkout", "2.0", NEEDS_NEW).commit("Upgrade both");
    let recorder = shop.record().await;
    let mut apply = shop.start_apply();
    apply.says(&["payments 2.0 starting"]).await;
    (shop, recorder, apply)
}

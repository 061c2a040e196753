//! A repository that does not answer, answers nonsense, or says something else than before.

use std::process::Command;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::git_http::{GitServer, Mood};
use crate::common::limit::EMERGENCY;
use crate::common::running::Running;
use crate::common::shop::{Shop, image};

/// A shop whose repository is served.
pub(super) struct Served {
    pub shop: Shop,
    server: GitServer,
    _root: TempDir,
}

impl Served {
    pub(super) async fn open() -> Self {
        Self::of(Shop::open(&["payments 1.0"]).await)
    }

    pub(super) fn of(shop: Shop) -> Self {
        let root = tempfile::tempdir().unwrap();
        let bare = root.path().join("pins.git").to_str().unwrap().to_owned();
        shop.repo.git(&["clone", "--quiet", "--bare", ".", &bare]);
        shop.repo.git(&["remote", "add", "origin", &bare]);
        let server = GitServer::start(root.path());
        Self { shop, server, _root: root }
    }

    pub(super) async fn run(&self) -> Running {
        let mut run = self.start();
        run.says(&["\"event\":\"inSync\""]).await;
        run
    }

    pub(super) fn start(&self) -> Running {
        Running::start(self.command())
    }

    pub(super) fn command(&self) -> Command {
        let url = self.server.url("pins.git");
        self.shop.command(&["--dangerous-plain-http", "--repo", &url, "run", "--interval", "1s"])
    }

    pub(super) fn push(&self, version: &str) {
        self.shop.pin("payments", version, "").commit(&format!("Pin {version}"));
        self.push_all();
    }

    pub(super) fn push_all(&self) {
        self.shop.repo.git(&["push", "--quiet", "--force", "origin", "HEAD"]);
    }

    /// Waits until the repository has been asked for something.
    async fn until_asked(&self) {
        let deadline = Instant::now() + EMERGENCY;
        while self.server.requests().is_empty() {
            assert!(Instant::now() < deadline, "nobody asks");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Somebody sets what was never pinned, which is corrected by what is known.
    pub(super) async fn drifts_and_is_corrected(&self, to: &str) {
        self.shop.ns.set_image("deployment/payments", &image("payments", "9.9")).await;
        let pinned = image("payments", to);
        let is_back = |it: &Value| it["spec"]["template"]["spec"]["containers"][0]["image"] == *pinned;
        self.shop.ns.wait("deployment/payments", "corrected", is_back).await;
    }
}

#[tokio::test]
async fn while_the_repository_talks_nonsense_what_runs_is_held_and_afterwards_it_is_followed() {
    let pages = [200, 401, 403, 404, 429, 500].map(|code| (Mood::Page(code), Duration::from_secs(3)));
    // Longer than an answer is waited for.
    let all = pages.into_iter().chain([(Mood::Stall, Duration::from_secs(35))]);
    join_all(all.map(|(mood, lasts)| moody(mood, lasts))).await;
}

#[tokio::test]
async fn a_leader_cut_off_from_the_repository_alone_keeps_what_it_knows_and_status_says_since_when() {
    let served = Served::open().await;
    let mut run = served.run().await;
    served.push("2.0");
    run.says(&["\"event\":\"verified\"", "\"version\":\"2.0\""]).await;
    served.server.set(Mood::StallInPack);
    served.push("3.0");
    served.drifts_and_is_corrected("2.0").await;
    // A minute without a sign.
    run.says(&["\"event\":\"noGit\"", "cannot be reached: no answer within 60 s"]).await;
    assert_eq!(served.shop.version("payments").await, "2.0");
    let why = "cannot be reached: no answer within 60 s";
    // The lease says it from its next renewal on.
    let status =
        served.shop.status_once("the run is silent", |status| status["writer"]["says"]["silent"].is_string()).await;
    assert!(status["writer"]["says"]["silent"].as_str().unwrap().contains(why), "{status}");
    served.shop.pintle(&["status"]).await.result(&["pintle run on", "the repository last answered it", "ago:", why]);
    served.server.set(Mood::Serve);
    run.says(&["\"event\":\"git\""]).await;
    run.says(&["\"event\":\"verified\"", "\"version\":\"3.0\""]).await;
    served.shop.status_once("the run answers", |status| status["writer"]["says"]["silent"].is_null()).await;
    served.shop.pintle(&["status"]).await.ended(0).never("last answered");
}

#[tokio::test]
async fn told_to_end_before_anything_has_begun_it_ends_at_once() {
    let served = Served::open().await;
    // It waits for an answer; it waits to ask again.
    for (mood, says) in [(Mood::Stall, None), (Mood::Page(503), Some("cannot be reached"))] {
        served.server.set(mood);
        let mut run = served.start();
        if let Some(words) = says {
            run.says(&["\"event\":\"heldAll\"", words]).await;
        } else {
            served.until_asked().await;
        }
        run.terminate();
        // The server stays as it is: whoever waited for it would wait for ever.
        run.end().await.ended(0);
    }
}

async fn moody(mood: Mood, lasts: Duration) {
    let served = Served::open().await;
    let mut run = served.run().await;
    served.server.set(mood);
    served.push("2.0");
    tokio::time::sleep(lasts).await;
    assert_eq!(served.shop.version("payments").await, "1.0");
    served.server.set(Mood::Serve);
    run.says(&["\"event\":\"verified\"", "\"version\":\"2.0\""]).await;
    run.terminate();
    run.end().await.ended(0).never("panic");
}

#[tokio::test]
async fn a_run_that_begins_without_the_repository_does_nothing_by_what_it_knew_before() {
    let served = Served::open().await;
    drop(served.run().await);
    served.shop.ns.delete_lease().await;
    served.server.set(Mood::Page(503));
    served.shop.ns.set_image("deployment/payments", &image("payments", "9.9")).await;
    let mut run = served.start();
    run.says(&["\"event\":\"heldAll\"", "nothing is done until it answers"]).await;
    run.says(&["\"event\":\"leads\""]).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(served.shop.version("payments").await, "9.9");
    served.server.set(Mood::Serve);
    run.says(&["\"event\":\"heldNoMore\""]).await;
    run.says(&["\"event\":\"verified\"", "\"version\":\"1.0\""]).await;
}

#[tokio::test]
async fn a_branch_that_is_set_back_deleted_or_emptied_holds_everything() {
    let shop = Shop::open(&["payments 1.0"]).await;
    let mut run = shop.start(&["run"]);
    run.says(&["\"event\":\"inSync\""]).await;
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    run.says(&["\"event\":\"verified\"", "2.0"]).await;
    let tip = shop.repo.head().to_hex();
    let mut held = 0;
    let breaks: [(&[&str], &str); 3] = [
        (&["reset", "--quiet", "--hard", "HEAD~1"], "is older than"),
        (&["update-ref", "-d", "refs/heads/main"], ""),
        (&["commit", "--quiet", "--amend", "--allow-empty", "-m", "Something else"], "rewritten"),
    ];
    for (how, why) in breaks {
        shop.repo.git(how);
        let is_empty = why.is_empty();
        if is_empty {
            run.says(&["\"event\":\"noGit\""]).await;
        } else {
            run.says(&["\"event\":\"heldAll\"", why]).await;
            held += 1;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(shop.version("payments").await, "2.0", "{how:?}");
        shop.repo.git(&["update-ref", "refs/heads/main", &tip]);
        shop.repo.git(&["reset", "--quiet", "--hard", "main"]);
        says_so_often(&run, "\"event\":\"heldNoMore\"", held).await;
    }
    // Nothing is pinned any more: nothing is removed.
    shop.repo.git(&["rm", "--quiet", "-r", "services", "pintle.yaml"]);
    shop.commit("Remove all");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(shop.version("payments").await, "2.0");
    shop.repo.revert(shop.repo.head());
    shop.pin("payments", "3.0", "").commit("Upgrade payments again");
    run.says(&["\"event\":\"verified\"", "3.0"]).await;
}

async fn says_so_often(run: &Running, what: &str, often: usize) {
    let deadline = Instant::now() + EMERGENCY;
    while run.said().matches(what).count() < often {
        assert!(Instant::now() < deadline, "not {often} times {what} in\n{}", run.said());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

//! A repository that does not answer, answers nonsense, or says something else than before; and caches that are damaged.

use std::time::Duration;

use futures::future::join_all;
use tempfile::TempDir;

use crate::common::git_http::{GitServer, Mood};
use crate::common::running::Running;
use crate::common::shop::{Shop, image};

/// A shop whose repository is served.
struct Served {
    shop: Shop,
    server: GitServer,
    _root: TempDir,
}

impl Served {
    async fn open() -> Self {
        let shop = Shop::open(&["payments 1.0"]).await;
        let root = tempfile::tempdir().unwrap();
        let bare = root.path().join("pins.git").to_str().unwrap().to_owned();
        shop.repo.git(&["clone", "--quiet", "--bare", ".", &bare]);
        shop.repo.git(&["remote", "add", "origin", &bare]);
        let server = GitServer::start(root.path());
        Self { shop, server, _root: root }
    }

    async fn run(&self) -> Running {
        let mut run = self.start();
        run.says(&["\"event\":\"inSync\""]).await;
        run
    }

    fn start(&self) -> Running {
        let url = self.server.url("pins.git");
        self.shop.start(&["--dangerous-plain-http", "--repo", &url, "run", "--interval", "1s"])
    }

    fn push(&self, version: &str) {
        self.shop.pin("payments", version, "").commit(&format!("Pin {version}"));
        self.shop.repo.git(&["push", "--quiet", "--force", "origin", "HEAD"]);
    }
}

#[tokio::test]
async fn while_the_repository_talks_nonsense_what_runs_is_held_and_afterwards_it_is_followed() {
    let pages = [200, 401, 403, 404, 429, 500].map(|code| (Mood::Page(code), Duration::from_secs(3)));
    // Longer than an answer is waited for.
    let all = pages.into_iter().chain([(Mood::Stall, Duration::from_secs(35))]);
    join_all(all.map(|(mood, lasts)| moody(mood, lasts))).await;
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
    for _ in 0..200 {
        if run.said().matches(what).count() >= often {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not {often} times {what} in\n{}", run.said());
}

#[tokio::test]
async fn a_cache_that_is_damaged_foreign_or_cannot_be_written_is_made_anew_or_done_without() {
    let served = Served::open().await;
    drop(served.run().await);
    let cache = served.shop.cache();
    // Damaged: half of every file.
    let mut count = 0;
    for_each_file(&cache, &mut |file| {
        let bytes = std::fs::read(file).unwrap();
        // Git keeps its objects read-only.
        std::fs::remove_file(file).unwrap();
        std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
        count += 1;
    });
    assert!(count > 3, "{count} files");
    served.shop.ns.delete_lease().await;
    let mut run = served.run().await;
    served.push("2.0");
    run.says(&["\"event\":\"verified\"", "2.0"]).await;
    drop(run);
    // Foreign: text in place of every file.
    for_each_file(&cache, &mut |file| {
        std::fs::remove_file(file).unwrap();
        std::fs::write(file, "This belongs to somebody else.\n").unwrap();
    });
    served.shop.ns.delete_lease().await;
    let mut run = served.run().await;
    served.push("3.0");
    run.says(&["\"event\":\"verified\"", "3.0"]).await;
    drop(run);
    // Not to be written: a file where the folder is to be.
    std::fs::remove_dir_all(&cache).unwrap();
    std::fs::write(&cache, "no folder").unwrap();
    served.shop.ns.delete_lease().await;
    let mut run = served.start();
    run.says(&["\"event\":\"heldAll\"", "cache"]).await;
    let mut beside = served.shop.start(&["run"]);
    beside.says(&["\"event\":\"inSync\""]).await;
    drop(beside);
    std::fs::remove_file(&cache).unwrap();
    run.says(&["\"event\":\"leads\""]).await;
}

fn for_each_file(folder: &std::path::Path, act: &mut impl FnMut(&std::path::Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { for_each_file(&path, act) } else { act(&path) }
    }
}

//! `pintle run` on a real API server: how long after a commit, a drift, a revert and a start the cluster is written, and
//! what it uses. Timed by a watch of the bench's own; drift beside a bare loop of watch and patch in the same run.
//!
//! `cargo bench --bench run`; `SERVICES=200 ROUNDS=4` for a smaller one, `REPLICAS=0` has pods for those services only that
//! are moved. Needs the test servers (`make servers`).
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark starts servers, reads the clock, and prints"
)]

#[path = "../tests/common/mod.rs"]
#[expect(dead_code, unused_imports, clippy::panic, reason = "made for the tests, which use more")]
mod common;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use common::control_plane::ControlPlane;
use common::namespace::rolled_out;
use common::running::Running;
use common::shop::{Shop, image};
use common::usage::Usage;
use futures::{StreamExt, TryStreamExt, pin_mut};
use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What came before is over, and nothing happens.
const CALM: Duration = Duration::from_millis(500);
/// What is used while nothing happens is counted for so long.
const IDLE: Duration = Duration::from_secs(30);
/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (services, rounds) = (number("SERVICES", 1_000), number("ROUNDS", 20));
    let cp = ControlPlane::start();
    let bench = Bench::open(&cp, services, rounds, number("REPLICAS", 1)).await;
    println!("{services} Deployments, {rounds} rounds");
    let (mut run, first) = bench.start(bench.parts.first.start).await;
    bench.warm_up(&mut run).await;
    print("commit to patch accepted", &bench.commits(&mut run).await);
    let [corrected, bare] = bench.drifts(&mut run).await;
    print("drift to corrected", &corrected);
    print("drift to corrected, by a bare loop", &bare);
    print("git revert of a pin that hangs, to the old image", &bench.reverts(&mut run).await);
    println!("{:<50} {:>9.3} % of a core", "processor time while nothing happens", bench.idle(&run).await);
    println!("{:<50} {:>9.1} MiB", "memory, at most", Usage::of(run.pid()).peak_mib);
    let lists = bench.lists().await;
    let starts = bench.starts(run).await;
    print("a list of all Deployments", &[lists]);
    print("first start to a drift of before corrected", &[first]);
    print("start to a drift of before corrected", &starts);
}

/// The median, and what is on both sides of it.
fn print(name: &str, took: &[Duration]) {
    let mut took = took.to_vec();
    took.sort_unstable();
    let (fastest, middle, slowest) = (took[0], took[took.len() / 2], took[took.len() - 1]);
    println!("{name:<50} median {middle:>9.2?}  min {fastest:>9.2?}  max {slowest:>9.2?}");
}

struct Bench {
    shop: Shop,
    sight: Sight,
    names: Vec<String>,
    parts: Parts,
}

/// Which services are moved: each once, because a hand that comes twice is another matter.
struct Parts {
    commits: Range<usize>,
    drifts: Range<usize>,
    reverts: Range<usize>,
    starts: Range<usize>,
    first: Range<usize>,
}

impl Parts {
    fn of(rounds: usize) -> Self {
        let few = rounds.div_ceil(4);
        let (drifts, reverts, starts) = (2 * rounds, 2 * rounds + few, 2 * rounds + 2 * few);
        Self {
            commits: 0..rounds,
            drifts: rounds..drifts,
            reverts: drifts..reverts,
            starts: reverts..starts,
            first: starts..starts + 1,
        }
    }
}

impl Bench {
    /// Everything runs what is pinned, save one.
    async fn open(cp: &ControlPlane, services: usize, rounds: usize, replicas: usize) -> Self {
        let parts = Parts::of(rounds);
        assert!(services >= parts.first.end, "{} services at least are moved", parts.first.end);
        let names: Vec<String> = (0..services).map(|n| format!("service-{n:05}")).collect();
        let versions: Vec<String> = names.iter().map(|name| format!("{name} 1.0")).collect();
        let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
        let moved: Vec<&String> = names[..parts.first.end].iter().collect();
        let shop = Shop::found(cp, &versions, |name, manifest| {
            let is_moved = moved.iter().any(|moved| *moved == name);
            manifest["spec"]["replicas"] = if is_moved { 1 } else { replicas }.into();
        })
        .await;
        for round in 0..rounds {
            shop.ns.run(&format!("deployment/{}", bare(round)), &image(&bare(round), "1.0"), 1).await;
        }
        let first = &names[parts.first.start];
        shop.ns.set_image(&object(first), &image(first, "0.9")).await;
        shop.settle().await;
        let sight = Sight::of(shop.ns.api("deployment/any")).await;
        Self { shop, sight, names, parts }
    }

    /// Starts a run; until it has corrected what a service runs that it should not.
    async fn start(&self, drifted: usize) -> (Running, Duration) {
        let (name, begun) = (&self.names[drifted], SystemTime::now());
        let before = self.sight.count(name);
        let run = self.shop.start(&["run"]);
        let pinned = if drifted == self.parts.first.start { "1.0" } else { "2.0" };
        let corrected = self.sight.shows(name, before, pinned).await;
        (run, since(begun, corrected))
    }

    /// What was never written is asked for its owner first: that is no part of what is measured.
    async fn warm_up(&self, run: &mut Running) {
        let names = &self.names[..self.parts.first.start];
        for name in names {
            self.shop.pin(name, "2.0", "");
        }
        self.shop.commit("Pin 2.0");
        for name in names {
            verified(run, name, "2.0").await;
        }
    }

    async fn commits(&self, run: &mut Running) -> Vec<Duration> {
        let mut took = Vec::new();
        for name in &self.names[self.parts.commits.clone()] {
            tokio::time::sleep(CALM).await;
            let before = self.sight.count(name);
            self.shop.pin(name, "3.0", "");
            let committed = self.moved(|| _ = self.shop.commit("Pin 3.0"));
            took.push(since(committed, self.sight.shows(name, before, "3.0").await));
            verified(run, name, "3.0").await;
        }
        took
    }

    /// By Pintle and by a bare loop, turn by turn.
    async fn drifts(&self, run: &mut Running) -> [Vec<Duration>; 2] {
        let (mut took, mut bare_took) = (Vec::new(), Vec::new());
        let rounds = self.parts.drifts.len();
        let pinned = (0..rounds).map(|round| (bare(round), image(&bare(round), "1.0"))).collect();
        let bare_loop = tokio::spawn(bare_loop(self.shop.ns.api("deployment/any"), pinned));
        for (round, name) in self.names[self.parts.drifts.clone()].iter().enumerate() {
            tokio::time::sleep(CALM).await;
            took.push(self.drift(name, "2.0").await);
            verified(run, name, "2.0").await;
            tokio::time::sleep(CALM).await;
            bare_took.push(self.drift(&bare(round), "1.0").await);
        }
        bare_loop.abort();
        [took, bare_took]
    }

    /// From when it shows to when it is corrected.
    async fn drift(&self, name: &str, pinned: &str) -> Duration {
        let before = self.sight.count(name);
        self.shop.ns.set_image(&object(name), &image(name, "9.9")).await;
        let drifted = self.sight.shows(name, before, "9.9").await;
        since(drifted, self.sight.shows(name, before + 1, pinned).await)
    }

    async fn reverts(&self, run: &mut Running) -> Vec<Duration> {
        let mut took = Vec::new();
        for name in &self.names[self.parts.reverts.clone()] {
            self.shop.pin(name, "4.0 broken", "").commit("Pin 4.0");
            let hangs = |pod: &serde_json::Value| {
                pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
            };
            self.shop.ns.wait_for_pods(name, "hangs", |pods| pods.iter().any(hangs)).await;
            run.says(&["\"event\":\"failed\"", &format!("\"service\":\"{name}\"")]).await;
            tokio::time::sleep(CALM).await;
            let before = self.sight.count(name);
            let committed = self.moved(|| _ = self.shop.repo.git(&["revert", "--no-edit", "HEAD"]));
            took.push(since(committed, self.sight.shows(name, before, "2.0").await));
            self.shop.ns.wait(&object(name), "rolled out", rolled_out).await;
        }
        took
    }

    /// When git moved the branch: what it does before and after that is its own.
    fn moved(&self, commit: impl FnOnce()) -> SystemTime {
        commit();
        let branch = self.shop.repo.path().join(".git/refs/heads/main");
        std::fs::metadata(branch).unwrap().modified().unwrap()
    }

    /// How much of one core is used while nothing happens, in hundredths.
    async fn idle(&self, run: &Running) -> f64 {
        tokio::time::sleep(4 * CALM).await;
        let before = Usage::of(run.pid()).cpu;
        tokio::time::sleep(IDLE).await;
        100.0 * Usage::of(run.pid()).cpu.saturating_sub(before).as_secs_f64() / IDLE.as_secs_f64()
    }

    async fn lists(&self) -> Duration {
        let begun = SystemTime::now();
        let listed = self.shop.ns.api("deployment/any").list(&ListParams::default()).await.unwrap();
        assert!(listed.items.len() > self.names.len());
        since(begun, SystemTime::now())
    }

    async fn starts(&self, mut run: Running) -> Vec<Duration> {
        let mut took = Vec::new();
        for drifted in self.parts.starts.clone() {
            run.terminate();
            run.end().await.ended(0);
            let name = &self.names[drifted];
            let before = self.sight.count(name);
            self.shop.ns.set_image(&object(name), &image(name, "9.9")).await;
            self.sight.shows(name, before, "9.9").await;
            let (next, corrected) = self.start(drifted).await;
            took.push(corrected);
            run = next;
        }
        took
    }
}

async fn verified(run: &mut Running, name: &str, version: &str) {
    run.says(&["\"event\":\"verified\"", &format!("\"service\":\"{name}\""), &format!("\"version\":\"{version}\"")])
        .await;
}

fn object(name: &str) -> String {
    format!("deployment/{name}")
}

/// A Deployment that Pintle knows nothing of.
fn bare(round: usize) -> String {
    format!("bare-{round:05}")
}

/// Clocks are set now and then.
fn since(begun: SystemTime, ended: SystemTime) -> Duration {
    ended.duration_since(begun).unwrap_or_default()
}

/// Watches, and patches what runs another image; nothing else.
async fn bare_loop(api: Api<DynamicObject>, pinned: BTreeMap<String, String>) {
    let events = watcher(api.clone(), watcher::Config::default()).default_backoff().applied_objects();
    pin_mut!(events);
    while let Some(object) = events.try_next().await.unwrap() {
        let Some(pinned) = pinned.get(&object.name_any()) else { continue };
        if image_of(&object) != *pinned {
            let containers = json!([{"name": "app", "image": pinned}]);
            let patch = Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": containers}}}}));
            api.patch(&object.name_any(), &PatchParams::default(), &patch).await.unwrap();
        }
    }
}

fn image_of(object: &DynamicObject) -> &str {
    object.data["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap()
}

/// Of each Deployment its images, and when they were shown.
type Shown = BTreeMap<String, Vec<(String, SystemTime)>>;

/// What a watch of the bench's own has shown.
struct Sight {
    shown: Arc<Mutex<Shown>>,
    changes: watch::Receiver<()>,
    task: JoinHandle<()>,
}

impl Sight {
    async fn of(api: Api<DynamicObject>) -> Self {
        let shown: Arc<Mutex<Shown>> = Arc::default();
        let (tell, mut changes) = watch::channel(());
        let (into, listed) = (Arc::clone(&shown), Arc::new(tokio::sync::Notify::new()));
        let is_listed = Arc::clone(&listed);
        let task = tokio::spawn(async move {
            let events = watcher(api, watcher::Config::default()).default_backoff();
            pin_mut!(events);
            while let Some(event) = events.next().await {
                let object = match event.unwrap() {
                    watcher::Event::Apply(object) | watcher::Event::InitApply(object) => object,
                    watcher::Event::InitDone => {
                        is_listed.notify_one();
                        continue;
                    }
                    watcher::Event::Init | watcher::Event::Delete(_) => continue,
                };
                let mut shown = into.lock().unwrap();
                let images = shown.entry(object.name_any()).or_default();
                if images.last().is_none_or(|(last, _)| last != image_of(&object)) {
                    images.push((image_of(&object).to_owned(), SystemTime::now()));
                    tell.send_replace(());
                }
            }
        });
        listed.notified().await;
        changes.mark_unchanged();
        Self { shown, changes, task }
    }

    /// How many images a Deployment has had.
    fn count(&self, name: &str) -> usize {
        self.shown.lock().unwrap().get(name).map_or(0, Vec::len)
    }

    /// When a Deployment had the image of a version, after it had so many images.
    async fn shows(&self, name: &str, after: usize, version: &str) -> SystemTime {
        let (mut changes, wanted) = (self.changes.clone(), image(name, version));
        let found = || {
            let shown = self.shown.lock().unwrap();
            shown.get(name)?.iter().skip(after).find(|(image, _)| *image == wanted).map(|(_, at)| *at)
        };
        let shown = tokio::time::timeout(PATIENCE, async {
            loop {
                changes.mark_unchanged();
                if let Some(at) = found() {
                    return at;
                }
                changes.changed().await.unwrap();
            }
        });
        shown.await.unwrap_or_else(|_| panic!("{name} has not shown {version} within {PATIENCE:?}"))
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

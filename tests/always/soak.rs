use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::common::chance::Chance;
use crate::common::git_http::GitServer;
use crate::common::namespace::rolled_out;
use crate::common::running::Running;
use crate::common::shop::{Shop, image};
use crate::common::usage::{Usage, disk};
use crate::run::story::start_with;

/// Of each pair the consumer needs the provider to be as new as itself; a third service has nothing to do with them.
const PAIRS: usize = 4;
/// A hand that comes back within ten minutes of its correction, which takes a moment, is another matter.
const HAND: Duration = Duration::from_secs(660);
/// A run that was killed is succeeded when its lease has run out: a short soak has no time for that.
const LONG: Duration = Duration::from_secs(120);

struct Soak {
    shop: Shop,
    server: GitServer,
    url: String,
    chance: Chance,
    /// When a hand was last on a service.
    hands: BTreeMap<String, Instant>,
    /// How often each was done.
    deeds: BTreeMap<&'static str, u32>,
    begun: Instant,
    commits: u32,
}

/// What a run uses in a moment of rest, and what it keeps on disk.
#[derive(Debug)]
struct Rest {
    used: Usage,
    files: usize,
    bytes: u64,
}

/// Two minutes, or `$PINTLE_SOAK` seconds: half of the time with restarts, half of it one process.
#[tokio::test]
async fn random_commits_drift_and_restarts_end_in_what_is_pinned_and_nothing_grows() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (lasts, seed) = (Duration::from_secs(number("PINTLE_SOAK", 120)), number("PINTLE_SOAK_SEED", 0x5eed));
    let mut soak = Soak::open(seed).await;
    let recorder = soak.shop.record().await;
    let mut run = soak.start().await;
    let half = Instant::now() + lasts / 2;
    while Instant::now() < half {
        run = soak.restless(run, lasts).await;
    }
    let before = soak.rest(&run).await;
    eprintln!("{before:?}");
    let end = Instant::now() + lasts / 2;
    while Instant::now() < end {
        soak.one().await;
    }
    let after = soak.rest(&run).await;
    run.terminate();
    run.end().await.ended(0);
    eprintln!("{:?}, {} commits\n{after:?}", soak.deeds, soak.commits);
    // Connections that rest and threads that wait come and go.
    assert!(after.used.files <= before.used.files + 8, "{before:?} {after:?}");
    assert!(after.used.threads <= before.used.threads + 4, "{before:?} {after:?}");
    assert!(after.used.resident_mib < before.used.resident_mib + 8.0, "{before:?} {after:?}");
    assert!(after.used.peak_mib < before.used.peak_mib + 16.0, "{before:?} {after:?}");
    // Packs are gathered when they are fifty; history grows by what is committed.
    assert!(after.files < 300 && after.bytes < (1 << 20) + u64::from(soak.commits) * (4 << 10), "{after:?}");
    soak.shop.kept(recorder).await;
}

impl Soak {
    async fn open(seed: u64) -> Self {
        let names = (0..PAIRS).flat_map(|pair| [provider(pair), consumer(pair), other(pair)]);
        let names: Vec<String> = names.map(|name| format!("{name} 1.0")).collect();
        let shop = Shop::open(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let (server, url) = GitServer::of(&shop.repo);
        let chance = Chance(seed.max(1));
        Self {
            shop,
            server,
            url,
            chance,
            hands: BTreeMap::new(),
            deeds: BTreeMap::new(),
            begun: Instant::now(),
            commits: 0,
        }
    }

    async fn start(&mut self) -> Running {
        start_with(&self.shop, &["--repo", &self.url, "--dangerous-plain-http", "--interval", "1s"]).await
    }

    /// One deed, which may be the end of a run and the start of the next one.
    async fn restless(&mut self, run: Running, lasts: Duration) -> Running {
        match self.chance.below(5) {
            0 => {
                self.did("restart", "");
                run.terminate();
                run.end().await.ended(0);
                self.start().await
            }
            1 if lasts >= LONG => {
                self.did("kill", "");
                drop(run);
                self.start().await
            }
            _ => {
                self.one().await;
                run
            }
        }
    }

    /// One deed, and some time.
    async fn one(&mut self) {
        match self.chance.below(6) {
            0 if self.commits > 0 => {
                self.did("revert", "");
                self.shop.repo.git(&["revert", "--no-edit", "HEAD"]);
                self.push();
            }
            1 | 2 => self.drift().await,
            _ => {
                let (pair, word) = (self.chance.below(PAIRS), ["", "", "", " slow", " broken"][self.chance.below(5)]);
                let version = self.pin(pair, word);
                self.did("pin", &format!("{} and {} {version}{word}", provider(pair), consumer(pair)));
                self.shop.commit("Pin a pair");
                self.push();
            }
        }
        let millis = self.chance.below(1_000).try_into().unwrap();
        tokio::time::sleep(Duration::from_millis(millis)).await;
        // Nobody else reads what the server was asked.
        self.server.requests();
    }

    #[expect(clippy::print_stderr, reason = "shown when it fails")]
    fn did(&mut self, what: &'static str, more: &str) {
        eprintln!("{:>9.3?} {what} {more}", self.begun.elapsed());
        *self.deeds.entry(what).or_default() += 1;
    }

    /// Moves a pair up or down, to versions that never were.
    fn pin(&mut self, pair: usize, word: &str) -> String {
        let version = format!("{}.{}", 1 + self.chance.below(9), self.commits + 1);
        let needs = format!("dependsOn: {{{}: \">={version}\"}}\n", provider(pair));
        // Either may be the one that is slow, or broken.
        let (first, second) = if self.chance.below(2) == 0 { (word, "") } else { ("", word) };
        self.shop.pin(&provider(pair), &format!("{version}{first}"), "");
        self.shop.pin(&consumer(pair), &format!("{version}{second}"), &needs);
        version
    }

    fn push(&mut self) {
        self.commits += 1;
        self.shop.repo.git(&["push", "--quiet", "origin", "main"]);
    }

    /// A hand sets what was never pinned. Not on a provider: that would break the pair, and what is broken restricts
    /// nothing, so that no order could be asked for.
    async fn drift(&mut self) {
        let pair = self.chance.below(PAIRS);
        let name = if self.chance.below(2) == 0 { other(pair) } else { consumer(pair) };
        if self.hands.get(&name).is_some_and(|at| at.elapsed() < HAND) {
            return;
        }
        self.did("drift", &name);
        self.hands.insert(name.clone(), Instant::now());
        self.shop.ns.set_image(&format!("deployment/{name}"), &image(&name, "0.1")).await;
    }

    /// Pins what is well, waits until that runs, and a little longer.
    async fn rest(&mut self, run: &Running) -> Rest {
        let versions: Vec<String> = (0..PAIRS).map(|pair| self.pin(pair, "")).collect();
        self.shop.commit("Pin what is well");
        self.push();
        for (pair, version) in versions.iter().enumerate() {
            for (name, version) in [(provider(pair), version.as_str()), (consumer(pair), version), (other(pair), "1.0")]
            {
                let pinned = image(&name, version);
                let arrived = |it: &serde_json::Value| {
                    it["spec"]["template"]["spec"]["containers"][0]["image"] == *pinned && rolled_out(it)
                };
                self.shop.ns.wait(&format!("deployment/{name}"), &format!("{version} rolled out"), arrived).await;
            }
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (files, bytes) = disk(&self.shop.cache());
        assert!(files > 0, "nothing in {}", self.shop.cache().display());
        Rest { used: Usage::of(run.pid()), files, bytes }
    }
}

fn provider(pair: usize) -> String {
    format!("provider-{pair}")
}

fn consumer(pair: usize) -> String {
    format!("consumer-{pair}")
}

fn other(pair: usize) -> String {
    format!("other-{pair}")
}

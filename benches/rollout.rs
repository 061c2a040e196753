//! Rollouts on a real API server, beside a bare loop of the same patches in the same run: what Pintle adds to what the
//! control plane itself takes.
//!
//! `cargo bench --bench rollout`; `SERVICES=200 ROUNDS=1` for a smaller one. Needs the test servers (`make servers`).
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark starts servers, reads the clock, and prints"
)]

#[path = "../tests/common/mod.rs"]
#[expect(dead_code, unused_imports, clippy::panic, reason = "made for the tests, which use more")]
mod common;

use std::collections::BTreeSet;
use std::fmt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::control_plane::ControlPlane;
use common::git::{TestRepo, hermetic};
use common::namespace::{Namespace, rolled_out};
use futures::{StreamExt, TryStreamExt, pin_mut};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};

/// Patches that are on their way at once, here and in Pintle.
const CONCURRENCY: usize = 16;
/// What came before is over.
const CALM: Duration = Duration::from_secs(5);

struct Bench {
    cp: ControlPlane,
    ns: Namespace,
    repo: TestRepo,
    home: tempfile::TempDir,
    names: Vec<String>,
}

#[tokio::main]
async fn main() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (services, rounds) = (number("SERVICES", 1_000), number("ROUNDS", 2));
    let bench = Bench::open(services).await;
    println!("{services} Deployments of one pod, all moved at once, {CONCURRENCY} patches at a time");
    println!("  the first time, asking who owns each image: {}", bench.pintle("2", &bench.names, |_| String::new()));
    let (mut bare, mut pintle, before) = (Vec::new(), Vec::new(), bench.patches().await);
    // Each goes first every other time: whatever the server has become slower by, both have met.
    for turn in 0..2 * rounds {
        tokio::time::sleep(CALM).await;
        let version = format!("{}", 3 + turn);
        if turn % 4 == 0 || turn % 4 == 3 {
            bare.push(bench.bare(&bench.names, &version).await);
            println!("  bare loop: {}", bare[bare.len() - 1]);
        } else {
            pintle.push(bench.pintle(&version, &bench.names, |_| String::new()));
            println!("  pintle:    {}", pintle[pintle.len() - 1]);
        }
    }
    let changes = u32::try_from(services * rounds).unwrap();
    let patches = bench.patches().await - before - changes;
    let ratio = |of: fn(&Took) -> Duration| {
        let sum = |all: &[Took]| all.iter().map(of).sum::<Duration>().as_secs_f64();
        sum(&pintle) / sum(&bare)
    };
    println!(
        "  ratio:     accepted {:.2}, known healthy {:.2}; {:.2} patches a change",
        ratio(|took| took.accepted),
        ratio(|took| took.healthy),
        f64::from(patches) / f64::from(changes),
    );
    bench.chain().await;
}

/// How long one move of all services took.
struct Took {
    /// Until the last patch was accepted.
    accepted: Duration,
    /// Until the last service was known to be healthy.
    healthy: Duration,
    /// What `pintle` used, until its end.
    used: Option<Used>,
}

/// What a process used.
struct Used {
    ended: Duration,
    cpu: Duration,
    peak_mib: f64,
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "accepted {:.2?}, known healthy {:.2?}", self.accepted, self.healthy)?;
        let Some(Used { ended, cpu, peak_mib }) = &self.used else { return Ok(()) };
        write!(f, ", ended {ended:.2?}; {cpu:.2?} of processor time, at most {peak_mib:.0} MiB")
    }
}

impl Bench {
    async fn open(services: usize) -> Self {
        let cp = ControlPlane::start();
        let ns = cp.namespace("bench").await;
        let names: Vec<String> = (0..services).map(|n| format!("service-{n:04}")).collect();
        let create = |name: &String| {
            let (object, image) = (format!("deployment/{name}"), image(name, "1"));
            let ns = &ns;
            async move { ns.run(&object, &image, 1).await }
        };
        futures::stream::iter(names.iter().map(create)).buffer_unordered(CONCURRENCY).collect::<Vec<()>>().await;
        let bench = Self { repo: TestRepo::new(), home: tempfile::tempdir().unwrap(), cp, ns, names };
        bench.healthy(&bench.names, "1").await;
        bench
    }

    /// Patches and watches, and nothing else.
    async fn bare(&self, names: &[String], version: &str) -> Took {
        let begun = Instant::now();
        let api = self.ns.api("deployment/any");
        let patch = |name: &String| {
            let body = patch(name, version);
            let (api, name) = (api.clone(), name.clone());
            async move { api.patch(&name, &PatchParams::apply("kubectl").force(), &Patch::Apply(body)).await.unwrap() }
        };
        let patches = async {
            futures::stream::iter(names.iter().map(patch)).buffer_unordered(CONCURRENCY).for_each(|_| async {}).await;
            begun.elapsed()
        };
        let (accepted, ()) = tokio::join!(patches, self.healthy(names, version));
        Took { accepted, healthy: begun.elapsed(), used: None }
    }

    /// Until a watch has shown all of these rolled out, and nothing of what they ran before: what Pintle calls healthy.
    async fn healthy(&self, names: &[String], version: &str) {
        let mut left: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let api: Api<DynamicObject> = self.ns.api("deployment/any");
        // One alone is watched alone, as a bare loop would.
        let config = match names {
            [name] => watcher::Config::default().fields(&format!("metadata.name={name}")),
            _ => watcher::Config::default(),
        };
        let events = watcher(api, config.any_semantic()).default_backoff().applied_objects();
        pin_mut!(events);
        while let Some(object) = events.try_next().await.unwrap() {
            let object = serde_json::to_value(object).unwrap();
            let name = object["metadata"]["name"].as_str().unwrap();
            let at = &object["spec"]["template"]["spec"]["containers"][0]["image"];
            let ending = object["status"]["terminatingReplicas"].as_u64().unwrap_or(0);
            if *at == image(name, version) && rolled_out(&object) && ending == 0 {
                left.remove(name);
            }
            if left.is_empty() {
                return;
            }
        }
    }

    /// Pins a version of all of these and applies it.
    fn pintle(&self, version: &str, names: &[String], rest: impl Fn(usize) -> String) -> Took {
        self.repo.write("pintle.yaml", format!("apiVersion: pintle.dev/v1alpha1\nnamespace: {}\n", self.ns.name));
        for (name, number) in names.iter().zip(0..) {
            let text = format!("version: \"{version}\"\nimage: ghcr.io/acme/{name}\n{}", rest(number));
            self.repo.write(&format!("services/{name}.yaml"), text);
        }
        self.repo.commit(&format!("Pin {version}"));
        self.apply()
    }

    fn apply(&self) -> Took {
        let mut pintle = Command::new(env!("CARGO_BIN_EXE_pintle"));
        hermetic(&mut pintle).env("HOME", self.home.path()).env("KUBECONFIG", self.cp.kubeconfig());
        pintle.current_dir(self.repo.path()).args(["apply", "--yes"]).stdin(Stdio::null()).stdout(Stdio::null());
        let (begun, (cpu, _)) = (Instant::now(), used_by_children());
        let mut child = pintle.stderr(Stdio::piped()).spawn().unwrap();
        let (mut accepted, mut healthy, mut text) = (Duration::ZERO, Duration::ZERO, String::new());
        for line in std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap())) {
            let line = line.unwrap();
            if line.ends_with(" starting") {
                accepted = begun.elapsed();
            } else if line.contains(" verified after ") {
                healthy = begun.elapsed();
            }
            text.push_str(&line);
            text.push('\n');
        }
        assert!(child.wait().unwrap().success(), "{text}");
        let (ended, (cpu_after, peak_mib)) = (begun.elapsed(), used_by_children());
        Took { accepted, healthy, used: Some(Used { ended, cpu: cpu_after.saturating_sub(cpu), peak_mib }) }
    }

    /// Ten services, each of which needs the new version of the next, against ten single rollouts.
    async fn chain(&self) {
        let names = &self.names[..10];
        tokio::time::sleep(CALM).await;
        let begun = Instant::now();
        for name in names {
            self.bare(std::slice::from_ref(name), "5").await;
        }
        let one_by_one = begun.elapsed();
        let needs = |version: &str, number: usize| {
            if number == 9 {
                String::new()
            } else {
                format!("dependsOn: {{service-{:04}: \">={version}\"}}\n", number + 1)
            }
        };
        self.pintle("5", names, |number| needs("5", number));
        tokio::time::sleep(CALM).await;
        let up = self.pintle("6", names, |number| needs("6", number));
        self.repo.git(&["revert", "--no-edit", "HEAD"]);
        let down = self.apply();
        println!(
            "ten in a chain: ten single rollouts {one_by_one:.2?}, forwards {:.2?}, git revert {:.2?}",
            up.healthy, down.healthy
        );
    }

    /// The server-side applies so far, by the API server's own count: of the bare loop, one a change, and of Pintle.
    async fn patches(&self) -> u32 {
        let metrics = self.cp.metrics().await;
        let count = |line: &str| line.rsplit(' ').next().and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0);
        let apply = |line: &&str| line.starts_with("apiserver_request_total") && line.contains("verb=\"APPLY\"");
        let total: f64 = metrics.lines().filter(apply).map(count).sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests")]
        let total = total as u32;
        total
    }
}

/// What Pintle sends: the image, and an annotation as long as its own; under a name from which Pintle takes over.
fn patch(name: &str, version: &str) -> Value {
    let remembered = format!("{version}{}", "x".repeat(500));
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "annotations": {"acme.dev/remembered": remembered}},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": image(name, version)}]}}},
    })
}

fn image(name: &str, version: &str) -> String {
    format!("ghcr.io/acme/{name}:{version}")
}

/// The processor time of all children that have ended, and the most memory that any of them had, in MiB.
fn used_by_children() -> (Duration, f64) {
    #[expect(unsafe_code, reason = "the only way to ask for what children used")]
    // SAFETY: getrusage writes the struct it is given, which is valid for all bit patterns.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    #[expect(clippy::cast_sign_loss, reason = "times are not negative")]
    let time = |it: libc::timeval| Duration::from_secs(it.tv_sec as u64) + Duration::from_micros(it.tv_usec as u64);
    #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
    let peak = usage.ru_maxrss as f64 / 1024.0;
    (time(usage.ru_utime) + time(usage.ru_stime), peak)
}

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::common::control_plane::ControlPlane;
use crate::common::git_http::GitServer;
use crate::common::shop::Shop;
use crate::common::usage::Usage;
use crate::run::story::start_with;

const SERVICES: usize = 200;
/// From one poll of the remote to the next.
const INTERVAL: u32 = 5;
/// From one renewal of the lease to the next.
const RENEWAL: u32 = 2;
/// What the API server asks itself, and for metrics.
const OWN: [&str; 3] = ["GET ", "GET endpoints", "GET endpointslices"];
/// From one renewal of its own lease to the next.
const OWN_RENEWAL: u32 = 10;

/// How often the API server was asked for what, by its own count: `PUT leases`.
type Requests = BTreeMap<String, u32>;

async fn requests(cp: &ControlPlane) -> Requests {
    let metrics = cp.metrics().await;
    let mut requests = Requests::new();
    for line in metrics.lines().filter(|line| line.starts_with("apiserver_request_total{")) {
        // They are counted when they end.
        if line.contains("verb=\"WATCH\"") {
            continue;
        }
        let label = |name: &str| line.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap();
        let count: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let count = count as u32;
        *requests.entry(format!("{} {}", label("verb"), label("resource"))).or_default() += count;
    }
    requests
}

/// What was asked for between two counts.
fn between(before: &Requests, after: &Requests) -> Requests {
    let since = |(what, count): (&String, &u32)| (what.clone(), count - before.get(what).unwrap_or(&0));
    after.iter().map(since).filter(|(_, count)| *count > 0).collect()
}

/// Two minutes, or `$PINTLE_QUIET` seconds.
#[tokio::test]
async fn in_sync_nothing_is_written_and_nothing_asked_but_the_lease_and_where_the_branch_is() {
    let seconds: u32 = std::env::var("PINTLE_QUIET").map_or(120, |text| text.parse().unwrap());
    let cp = ControlPlane::start();
    let services: Vec<String> = (0..SERVICES).map(|n| format!("service-{n:03} 1.0")).collect();
    let services: Vec<&str> = services.iter().map(String::as_str).collect();
    // Each tenth has a pod.
    let shop = Shop::found(&cp, &services, |name, manifest| {
        manifest["spec"]["replicas"] = u32::from(name.ends_with('0')).into();
    })
    .await;
    shop.settle().await;
    let (server, url) = GitServer::of(&shop.repo);
    let interval = format!("{INTERVAL}s");
    let mut run = start_with(&shop, &["--repo", &url, "--dangerous-plain-http", "--interval", &interval]).await;
    run.says(&["\"event\":\"inSync\""]).await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    drop(server.requests());
    let (before, used) = (requests(&cp).await, Usage::of(run.pid()).cpu);
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let (polls, asked) = (server.requests(), between(&before, &requests(&cp).await));
    let took = u32::try_from(began.elapsed().as_secs()).unwrap();
    eprintln!(
        "{asked:?}, {} to git, {:?} of processor time",
        polls.len(),
        Usage::of(run.pid()).cpu.saturating_sub(used)
    );

    let renewals = asked.get("PUT leases").copied().unwrap_or(0);
    // A busy machine comes to fewer, and to none of another kind.
    let (least, most) = (seconds / RENEWAL / 2, took / RENEWAL + took / OWN_RENEWAL + 2);
    assert!((least..=most).contains(&renewals), "{asked:?}");
    let others: Vec<_> = asked.keys().filter(|what| *what != "PUT leases" && !OWN.contains(&what.as_str())).collect();
    assert!(others.is_empty(), "{asked:?}");
    // Each poll says hello, then asks for one branch.
    let hellos = polls.iter().filter(|request| request.starts_with("GET /bare.git/info/refs?")).count();
    let questions = polls.iter().filter(|request| request.starts_with("POST /bare.git/git-upload-pack ")).count();
    let [least, most] = [seconds / INTERVAL / 2, took / INTERVAL + 1].map(|count| usize::try_from(count).unwrap());
    assert!(hellos + questions == polls.len() && hellos.abs_diff(questions) <= 1, "{polls:?}");
    assert!((least..=most).contains(&questions), "{polls:?}");
    run.terminate();
    let log = run.end().await.ended(0).err;
    let ending: Vec<&str> = log.lines().rev().take(2).collect();
    assert!(ending[1].contains("\"event\":\"inSync\"") && ending[0].contains("\"event\":\"stopping\""), "{log}");
}

//! Two runs and their lease: stopped, edited, deleted; and two instances that pin one workload.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::common::control_plane::ControlPlane;
use crate::common::git::TestRepo;
use crate::common::limit::EMERGENCY;
use crate::common::namespace::Namespace;
use crate::common::proxy::fault::{Fault, Kind, Rule};
use crate::common::proxy::{Call, Proxy};
use crate::common::running::Running;
use crate::common::shop::{Shop, image};

const LEADS: &[&str] = &["\"event\":\"leads\""];
const STANDS_BY: &[&str] = &["\"event\":\"standsBy\""];

/// Two runs, each behind a proxy of its own; the first leads.
struct Pair {
    shop: Shop,
    proxies: [Proxy; 2],
    runs: [Running; 2],
}

impl Pair {
    async fn open() -> Self {
        let mut shop = Shop::open(&["payments 1.0"]).await;
        let proxies = [Proxy::before(ControlPlane::shared()), Proxy::before(ControlPlane::shared())];
        shop.connect(proxies[0].kubeconfig());
        let mut first = shop.start(&["run"]);
        first.says(LEADS).await;
        shop.connect(proxies[1].kubeconfig());
        let mut second = shop.start(&["run"]);
        second.says(STANDS_BY).await;
        Self { shop, proxies, runs: [first, second] }
    }

    /// Pins a version, and waits until it is proven.
    async fn roll_out(&self, version: &str) {
        self.shop.pin("payments", version, "").commit(&format!("Pin {version}"));
        self.arrives(version).await;
    }

    /// Waits until the tip is proven.
    async fn arrives(&self, version: &str) {
        let head = self.shop.repo.head().to_hex();
        let is_proven = |it: &Value| {
            let state = it["metadata"]["annotations"]["pintle.dev/state"].as_str().unwrap_or("null");
            let state: Value = serde_json::from_str(state).unwrap();
            state["proven"][0]["commit"] == head && state["version"] == version
        };
        self.shop.ns.wait("deployment/payments", "proven", is_proven).await;
    }
}

fn accepted(calls: &[Call]) -> usize {
    calls.iter().filter(|call| Kind::Patch.takes(call) && call.sent && call.code == Some(200)).count()
}

#[tokio::test]
async fn of_a_leader_that_stood_still_no_write_is_accepted_not_even_one_that_is_on_its_way() {
    let mut pair = Pair::open().await;
    let rule = Rule { kind: Kind::Patch, number: 0, fault: Fault::Kept, lasts: Duration::ZERO };
    pair.proxies[0].set(Some(rule));
    pair.shop.pin("payments", "2.0", "").commit("Upgrade payments");
    pair.proxies[0].strikes().await;
    pair.runs[0].signal("STOP");
    pair.runs[1].says(LEADS).await;
    pair.arrives("2.0").await;
    pair.roll_out("3.0").await;
    pair.runs[0].signal("CONT");
    pair.runs[0].says(STANDS_BY).await;
    pair.proxies[0].heal();
    let deadline = Instant::now() + EMERGENCY;
    let late = loop {
        let calls = pair.proxies[0].calls();
        if let Some(late) = calls.into_iter().find(|call| Kind::Patch.takes(call) && call.code.is_some()) {
            break late;
        }
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(late.code, Some(409), "{late:?}");
    assert_eq!(pair.shop.version("payments").await, "3.0");
    pair.roll_out("4.0").await;
    assert_eq!(accepted(&pair.proxies[0].take()), 0);
    assert_eq!(accepted(&pair.proxies[1].take()), 6);
}

#[tokio::test]
async fn whatever_becomes_of_the_lease_one_of_two_runs_goes_on() {
    let edits = [
        ("deleted", None),
        ("held by somebody else", Some(json!({"holderIdentity": "somebody"}))),
        ("held by nobody", Some(json!({"holderIdentity": ""}))),
        ("renewed in the future", Some(json!({"renewTime": "2099-01-01T00:00:00.000000Z"}))),
        ("lasts a second", Some(json!({"leaseDurationSeconds": 1}))),
        ("says not how long it lasts", Some(json!({"leaseDurationSeconds": null}))),
    ];
    join_all(edits.map(|(what, edit)| edited(what, edit))).await;
}

async fn edited(what: &str, edit: Option<Value>) {
    let pair = Pair::open().await;
    match edit {
        None => pair.shop.ns.delete_lease().await,
        Some(spec) => pair.shop.ns.edit_lease(json!({"spec": spec})).await,
    }
    // Both have looked at it since.
    tokio::time::sleep(Duration::from_secs(5)).await;
    pair.roll_out("2.0").await;
    pair.roll_out("1.0").await;
    let [first, second] = pair.proxies.each_ref().map(|proxy| accepted(&proxy.take()));
    assert_eq!(first + second, 4, "{what}");
    assert!(first == 0 || second == 0 || what != "lasts a second", "{what}: {first} and {second}");
    for run in pair.runs {
        run.terminate();
        run.end().await.ended(0);
    }
}

#[tokio::test]
async fn of_two_instances_that_pin_one_workload_the_first_keeps_it() {
    let shop = Shop::open(&["payments 1.0"]).await;
    let mut first = shop.start(&["run"]);
    first.says(LEADS).await;
    shop.pin("payments", "2.0", "").commit("Upgrade payments");
    first.says(&["\"event\":\"verified\"", "2.0"]).await;
    let other = TestRepo::new();
    let settings = format!("apiVersion: pintle.dev/v1alpha1\ninstance: other\nnamespace: {}\n", shop.ns.name);
    other.write("pintle.yaml", settings).pin("payments", "3.0", "").commit("Pin it too");
    let mut second = shop.start(&["run", "--repo", &other.location()]);
    second.says(LEADS).await;
    second.says(&["\"event\":\"held\"", "belongs to the instance default"]).await;
    assert_eq!(generation_after(&shop.ns, Duration::from_secs(3)).await, 0);
    shop.pin("payments", "2.1", "").commit("Upgrade payments again");
    first.says(&["\"event\":\"verified\"", "2.1"]).await;
    assert_eq!(shop.ns.image("deployment/payments").await, image("payments", "2.1"));
}

/// How often the workload is written within a time.
async fn generation_after(ns: &Namespace, time: Duration) -> i64 {
    let generation = async || ns.get("deployment/payments").await["metadata"]["generation"].as_i64().unwrap();
    let before = generation().await;
    tokio::time::sleep(time).await;
    generation().await - before
}

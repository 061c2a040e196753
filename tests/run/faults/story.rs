//! A rollout of three services in two stages, a drift by hand, a revert; by a run that is started again whenever it is
//! killed, as a supervisor would.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::control_plane::ControlPlane;
use crate::common::limit::EMERGENCY;
use crate::common::namespace::rolled_out;
use crate::common::proxy::Proxy;
use crate::common::proxy::fault::{Kind, Rule};
use crate::common::running::Running;
use crate::common::shop::{Shop, image};

const NAMES: [&str; 3] = ["base", "left", "right"];

/// What befalls the story.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    pub rule: Option<Rule>,
    /// The run looks at everything anew each minute.
    pub looks_anew: bool,
}

/// What the API server and the proxy saw of it.
#[derive(Debug)]
pub(super) struct Trace {
    /// How often each workload was written.
    pub writes: BTreeMap<String, usize>,
    /// How many calls there were of each kind.
    pub calls: BTreeMap<Kind, usize>,
    /// How many calls something befell.
    pub hits: usize,
}

struct Stage {
    shop: Shop,
    proxy: Proxy,
    run: Running,
    plan: Plan,
}

/// Tells it. Each of its three parts must come to the end that the pins say, in order.
pub(super) async fn story(plan: Plan) -> Trace {
    let mut stage = Stage::open(plan).await;
    let recorder = stage.shop.record().await;
    let needs = "dependsOn: {base: \">=2.0\"}\n";
    stage.shop.pin("base", "2.0", "").pin("left", "2.0", needs).pin("right", "2.0", needs).commit("Upgrade all");
    stage.arrives("2.0").await;
    stage.shop.ns.set_image("deployment/left", &image("left", "9.9")).await;
    stage.arrives("2.0").await;
    stage.shop.repo.revert(stage.shop.repo.head());
    stage.arrives("1.0").await;
    stage.shop.kept(recorder).await;
    stage.end().await
}

impl Stage {
    async fn open(plan: Plan) -> Self {
        let one = |_: &str, manifest: &mut Value| manifest["spec"]["replicas"] = json!(1);
        let services = NAMES.map(|name| format!("{name} 1.0"));
        let mut shop = Shop::found(ControlPlane::shared(), &services.each_ref().map(String::as_str), one).await;
        shop.settle().await;
        let proxy = Proxy::before(ControlPlane::shared());
        shop.connect(proxy.kubeconfig());
        proxy.set(plan.rule);
        let run = proxy.start(|| start(&shop, plan));
        Self { shop, proxy, run, plan }
    }

    /// Waits until every service runs a version, and it is recorded as proven at the tip.
    async fn arrives(&mut self, version: &str) {
        let (mut changes, deadline) = (self.shop.ns.changes(), Instant::now() + EMERGENCY);
        loop {
            let mut missing = Vec::new();
            for name in NAMES {
                missing.extend(self.is_missing(name, version).await);
            }
            if missing.is_empty() {
                return;
            }
            if Instant::now() > deadline {
                let said = self.run.said();
                panic!("{:?}: after {EMERGENCY:?}: {missing:?}; it says\n{said}", self.plan.rule);
            }
            while !changes.wait(Duration::from_millis(100)).await && Instant::now() < deadline {
                self.supervise().await;
            }
        }
    }

    /// What a service lacks of having arrived.
    async fn is_missing(&self, name: &str, version: &str) -> Option<String> {
        let object = self.shop.ns.get(&format!("deployment/{name}")).await;
        let is = object["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
        if is != image(name, version) || !rolled_out(&object) {
            return Some(format!("{name} is {is}"));
        }
        let annotation = &object["metadata"]["annotations"]["pintle.dev/state"];
        let state: Value = annotation.as_str().map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default();
        let head = json!(self.shop.repo.head().to_hex());
        let named = |it: &Value| it["version"] == version && it["commit"] == head;
        (!named(&state) || !named(&state["proven"][0])).then(|| format!("{name} says {state}"))
    }

    /// Starts it again where it was killed.
    async fn supervise(&mut self) {
        if self.run.is_over() {
            // As if it had run out: that takes a quarter of a minute.
            self.shop.ns.delete_lease().await;
            self.run = self.proxy.start(|| start(&self.shop, self.plan));
        }
    }

    async fn end(mut self) -> Trace {
        // What would be written once more is written now.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let hits = self.proxy.hits();
        self.proxy.heal();
        // It may have been killed at the last moment.
        tokio::time::sleep(Duration::from_millis(100)).await;
        if self.run.is_over() {
            self.supervise().await;
            self.run.says(&["\"event\":\"leads\""]).await;
        }
        self.run.terminate();
        self.run.end().await.ended(0);
        let calls = self.proxy.take();
        let mut writes = BTreeMap::new();
        for call in calls.iter().filter(|call| Kind::Patch.takes(call) && call.sent && call.code == Some(200)) {
            *writes.entry(call.path.rsplit_once('/').unwrap().1.to_owned()).or_default() += 1;
        }
        let kinds = [Kind::Any, Kind::Patch, Kind::Question, Kind::Lease, Kind::Workloads, Kind::Pods];
        let count = |kind: Kind| (kind, calls.iter().filter(|call| kind.takes(call)).count());
        Trace { writes, calls: kinds.map(count).into(), hits }
    }
}

fn start(shop: &Shop, plan: Plan) -> Running {
    let args: &[&str] = if plan.looks_anew { &["run", "--schedule", "* * * * * UTC"] } else { &["run"] };
    shop.start(args)
}

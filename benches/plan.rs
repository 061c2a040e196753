//! How long `next` and the plan take: in a large system that changes a little, and in a chain that changes as a whole.

#[path = "../tests/common/chance.rs"]
mod chance;
mod common;
#[path = "common/system.rs"]
mod system;

use std::sync::Arc;
use std::time::Duration;

use chance::Chance;
use common::measure;
use pintle_core::graph::{Graph, ServiceNode};
use pintle_core::pins::{DependsOn, Need};
use pintle_core::plan::{LiveService, PastDuration, Plan, PlanInput, ServiceTarget, next};
use pintle_core::running::Running;
use pintle_core::version::{Version, VersionOrder};
use system::{NEEDS, SERVICES, image, name};

const CHANGES: usize = 1_000;

/// A system: owns what a [`Situation`] borrows.
struct System {
    graph: Graph,
    wanted: Vec<ServiceTarget>,
    live: Vec<LiveService>,
    took: Vec<PastDuration>,
}

fn main() {
    let large = large();
    measure("next: 10,000 services, 30,000 edges, 1,000 changes", 50, || next(large.at()));
    measure("plan: the same 1,000 changes, with its estimate", 20, || Plan::simulate(large.at(), &large.took));
    let settled = settled();
    measure("next: the same, and nothing to do", 50, || next(settled.at()));
    let chain = chain();
    measure("next: a chain of 10,000, all change in order", 20, || next(chain.at()));
    measure("plan: a chain of 10,000, with its estimate", 5, || Plan::simulate(chain.at(), &chain.took));
    let hub = hub();
    measure("plan: 10,000 that all need one, with its estimate", 5, || Plan::simulate(hub.at(), &hub.took));
}

/// Each service needs three others, in ranges as people write them. Every tenth changes, and the new version of every
/// other one of these needs the new versions of those that change with it.
fn large() -> System {
    let mut chance = Chance(7);
    let changes = |service: usize| service.is_multiple_of(SERVICES / CHANGES);
    let need = |service: usize, chance: &mut Chance| {
        let on = chance.below(service);
        // As likely as not one that changes too: what is released together belongs together.
        let on = if changes(service) && chance.below(2) == 0 { on / 10 * 10 } else { on };
        let old = ["^1.4", ">=1.4, <3", "~1.4 || ~1.5", "*"][chance.below(4)];
        let new = if changes(on) && chance.below(2) == 0 { "^1.5" } else { old };
        (on, old, new)
    };
    let needs: Vec<Vec<_>> =
        (0..SERVICES).map(|service| (0..NEEDS.min(service)).map(|_| need(service, &mut chance)).collect()).collect();
    System::new(&needs, changes)
}

fn settled() -> System {
    let mut system = large();
    let targets = system.wanted.iter().filter_map(ServiceTarget::target).cloned();
    for (live, target) in system.live.iter_mut().zip(targets) {
        (live.running, live.spec) = (vec![target.clone()], vec![target]);
    }
    system
}

/// Each needs the new version of the one before it.
fn chain() -> System {
    let all: Vec<_> = (0_usize..SERVICES)
        .map(|service| service.checked_sub(1).map_or_else(Vec::new, |on| vec![(on, "^1.4", "^1.5")]))
        .collect();
    System::new(&all, |_| true)
}

/// All need the new version of the first.
fn hub() -> System {
    let needs = |service: usize| if service == 0 { vec![] } else { vec![(0, "^1.4", "^1.5")] };
    System::new(&(0..SERVICES).map(needs).collect::<Vec<_>>(), |_| true)
}

impl System {
    /// Each service needs some others: in a range as of 1.4.0, which runs, and in another as of 1.5.0, which is wanted
    /// of those that change.
    fn new(needs: &[Vec<(usize, &str, &str)>], changes: impl Fn(usize) -> bool) -> Self {
        let versions = ["1.4.0", "1.5.0"].map(|text| Version::new(text).expect("a version"));
        let need = |on: usize, range: &str| (name(on), Need::Range(range.parse().expect("a range")));
        let nodes = needs.iter().enumerate().map(|(service, needs)| {
            let old: DependsOn = needs.iter().map(|&(on, old, _)| need(on, old)).collect();
            let new: DependsOn = needs.iter().map(|&(on, _, new)| need(on, new)).collect();
            let order = VersionOrder::choose(None, versions.clone());
            let versions = versions.iter().cloned().zip([Arc::new(old), Arc::new(new)]).collect();
            ServiceNode { name: name(service), order, current_needs: Arc::default(), versions }
        });
        let graph = Graph::new(nodes.collect());
        let run = |service: usize, version: usize| {
            Running::Image(image(service, &versions[version]), Some(versions[version].clone()))
        };
        let services = 0..needs.len();
        Self {
            graph,
            wanted: services.clone().map(|it| ServiceTarget::Run(run(it, usize::from(changes(it))))).collect(),
            live: services.clone().map(|it| system::settled(run(it, 0))).collect(),
            took: services.map(|it| Some(Duration::from_secs(5 + it as u64 * 37 % 86))).collect(),
        }
    }

    fn at(&self) -> PlanInput<'_> {
        PlanInput { graph: &self.graph, wanted: &self.wanted, live: &self.live, lockstep: &[], evidence: None }
    }
}

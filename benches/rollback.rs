//! How long it takes to find who goes back together: in a large system, in a chain, around a hub, and where the search
//! comes to its limit. And `pintle rollback` as a process, in a repository of 1,000 services and 10,000 commits; without
//! a cluster, and beside `git revert`.
//!
//! `cargo bench --bench rollback`; `-- closure` or `-- process` for one of both.
#![expect(clippy::print_stdout, reason = "a bench says what it has found")]

#[path = "../tests/common/chance.rs"]
mod chance;
mod common;
#[path = "../tests/common/git.rs"]
#[expect(dead_code, unused_imports, clippy::disallowed_methods, clippy::unwrap_used, reason = "made for the tests")]
mod git;
#[path = "common/repository.rs"]
mod repository;
#[path = "common/system.rs"]
mod system;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chance::Chance;
use common::{measure, measure_after};
use jiff::Timestamp;
use pintle_core::git::{Commit, CommitId};
use pintle_core::graph::{Graph, ServiceId};
use pintle_core::history::History;
use pintle_core::pins::{
    DependsOn, Need, Pin, Pins, Service, ServiceName, Settings, VerifySettings, WorkloadKind, WorkloadRef,
};
use pintle_core::plan::{LiveService, ServiceTarget};
use pintle_core::problem::FilePlace;
use pintle_core::rollback::{HoldPolicy, Request, RollbackInput, RollbackTarget, plan_revert};
use pintle_core::running::Running;
use pintle_core::version::Version;
use repository::Repository;
use system::{NEEDS, SERVICES, image, name};

const VERSIONS: usize = 10;

/// A repository: owns what [`RollbackInput`] borrows.
struct PinnedSystem {
    pins: Pins,
    history: History,
    graph: Graph,
    wanted: Vec<ServiceTarget>,
    live: Vec<LiveService>,
}

fn main() {
    closures();
    processes();
}

fn closures() {
    let large = large();
    for (what, service) in [("a service that many need", 3), ("one in the middle", 4_000), ("one that few need", 9_000)]
    {
        large.measure(what, 10, &named([service], 1));
    }
    large.measure("a service that many need, by 5", 10, &named([3], 5));
    large.measure("one in the middle, by 5", 10, &named([4_000], 5));
    large.measure("100 services", 10, &named((0..100).map(|it| it * 97), 1));
    large.measure("300 services", 10, &named((0..300).map(|it| it * 31), 1));
    large.measure("all 10,000", 5, &Request::All(RollbackTarget::Steps(1)));
    let chain = PinnedSystem::new(SERVICES, 2, |service, version| {
        service.checked_sub(1).map_or_else(Vec::new, |on| vec![(on, at_least(version))])
    });
    chain.measure("a chain of 10,000", 5, &named([0], 1));
    let needs_one = |service: usize, version| if service == 0 { vec![] } else { vec![(0, at_least(version))] };
    let hub = PinnedSystem::new(SERVICES, VERSIONS, needs_one);
    hub.measure("10,000 that need one", 5, &named([0], 1));
    choices().measure("100 choices between 9", 5, &named([0], 1));
}

fn processes() {
    let words = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect::<Vec<_>>();
    if !words.is_empty() && !words.iter().any(|word| "process".contains(word.as_str())) {
        return;
    }
    let repository = Repository::new(1_000, 10_000);
    let tip = repository.git(&["rev-parse", "HEAD"]);
    let pinned = repository.pintle("history s0500 --output json");
    let to = pinned.split("\"version\": \"").nth(2).and_then(|rest| rest.split('"').next()).expect("two versions");
    let one = format!("rollback s0500 --to {to} --dry-run");
    measure("process: rollback of one service, --dry-run", 10, || repository.pintle(&one));
    measure("process: rollback of all 1,000, --dry-run", 10, || {
        repository.pintle("rollback --all --to HEAD~1 --dry-run")
    });
    let all = "rollback --all --to HEAD~1 --commit-only --yes --reason bench";
    let ready = || repository.reset(&tip);
    measure_after("process: rollback of all 1,000, committed", 10, ready, || repository.pintle(all));
    measure_after("process: git revert of the same", 10, ready, || repository.git(&["revert", "--no-edit", "HEAD"]));
}

/// These services go back by so many pins.
fn named(services: impl IntoIterator<Item = usize>, steps: usize) -> Request {
    Request::Services(services.into_iter().map(name).collect(), RollbackTarget::Steps(steps))
}

/// A service that 100 others need as new as they are, and for each earlier version of each of them another one that would
/// have to go back too: as many sets as small as there are numbers of 100 digits.
fn choices() -> PinnedSystem {
    const CONSUMERS: usize = 100;
    PinnedSystem::new(1 + CONSUMERS * VERSIONS, VERSIONS, |service, version| match service {
        1..=CONSUMERS if version < VERSIONS - 1 => {
            vec![(0, at_least(0)), (CONSUMERS + (service - 1) * (VERSIONS - 1) + version + 1, "<1.9".to_owned())]
        }
        1..=CONSUMERS => vec![(0, at_least(version))],
        _ => Vec::new(),
    })
}

/// Each service needs three others, the first ones more often than the last. Every third version of a consumer needs
/// what was newest of a provider when it was released, the others any.
fn large() -> PinnedSystem {
    let mut chance = Chance(7);
    let needs: Vec<Vec<usize>> = (0..SERVICES)
        .map(|service| {
            let on = |chance: &mut Chance| chance.below(service).min(chance.below(service));
            (0..NEEDS.min(service)).map(|_| on(&mut chance)).collect::<BTreeSet<_>>().into_iter().collect()
        })
        .collect();
    let strict: Vec<Vec<bool>> = (0..SERVICES).map(|_| (0..VERSIONS).map(|_| chance.below(3) == 0).collect()).collect();
    PinnedSystem::new(SERVICES, VERSIONS, |service, version| {
        let least = if strict[service][version] { version } else { 0 };
        needs[service].iter().map(|&on| (on, at_least(least))).collect()
    })
}

impl PinnedSystem {
    /// Services that had so many versions, the last of which is pinned, and what each version needs of others.
    fn new(services: usize, versions: usize, needs: impl Fn(usize, usize) -> Vec<(usize, String)>) -> Self {
        let mut history = History::default();
        for version in 0..versions {
            let commit = commit(version);
            for service in 0..services {
                history.record_pin(&name(service), &commit, Some(pin(service, version, &needs(service, version))));
            }
            history.set_tip(commit);
        }
        let last = |number: usize| service(number, pin(number, versions - 1, &needs(number, versions - 1)));
        let services: BTreeMap<ServiceName, Service> =
            (0..services).map(|number| (name(number), last(number))).collect();
        let pins = Pins { settings: Settings::default(), services, broken: BTreeMap::new() };
        let running = |service: &Service| Running::Image(service.pin.image.clone(), Some(service.pin.version.clone()));
        Self {
            graph: Graph::from_pins(&pins, &history),
            wanted: pins.services.values().map(|service| ServiceTarget::Run(running(service))).collect(),
            live: pins.services.values().map(|service| system::settled(running(service))).collect(),
            pins,
            history,
        }
    }

    fn measure(&self, what: &str, times: usize, request: &Request) {
        let (members, complete) = self.goes_back(request);
        let stopped = if complete { "" } else { ", search stopped" };
        measure(&format!("closure: {what}: {members} go back{stopped}"), times, || self.goes_back(request));
    }

    /// How many go back, and whether all sets were considered.
    fn goes_back(&self, request: &Request) -> (usize, bool) {
        let lockstep: [Vec<ServiceId>; 0] = [];
        let Self { pins, history, graph, wanted, live } = self;
        let proven = &BTreeMap::new();
        let known = RollbackInput { pins, history, graph, lockstep: &lockstep, wanted, live, proven, evidence: None };
        plan_revert(known, request, HoldPolicy::Above).map_or_else(
            |refusal| {
                println!("{refusal}");
                (0, false)
            },
            |it| (it.members.len(), it.complete),
        )
    }
}

/// The version of that number or a newer one.
fn at_least(number: usize) -> String {
    format!(">=1.{number}, <2")
}

fn pin(service: usize, number: usize, needs: &[(usize, String)]) -> Pin {
    let need = |(on, range): &(usize, String)| (name(*on), Need::Range(range.parse().expect("a range")));
    Pin {
        version: version(number),
        image: image(service, &version(number)),
        depends_on: Arc::new(needs.iter().map(need).collect::<DependsOn>()),
        verify: VerifySettings::default(),
        local: None,
    }
}

fn service(number: usize, pin: Pin) -> Service {
    Service {
        name: name(number),
        pin,
        workloads: vec![WorkloadRef { kind: WorkloadKind::Deployment, name: name(number).to_string() }],
        containers: None,
        namespace: None,
        versioning: None,
        hold: None,
        rollback_floor: None,
        drift: None,
        external: false,
        formerly: None,
        version_at: FilePlace::whole_file(&"services".into()),
        needs_at: BTreeMap::new(),
        rollback_floor_at: None,
    }
}

fn version(number: usize) -> Version {
    Version::new(&format!("1.{number}.0")).expect("a version")
}

fn commit(number: usize) -> Arc<Commit> {
    let id = CommitId::from([u8::try_from(number).expect("few versions"); 20]);
    Arc::new(Commit { id, author: "Ada".into(), time: Timestamp::UNIX_EPOCH, subject: "Release".into() })
}

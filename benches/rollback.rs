//! How long it takes to find who goes back together: in a large system, in a chain, around a hub, and where the search
//! comes to its limit.

#[path = "common/chance.rs"]
mod chance;
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chance::Chance;
use common::measure;
use jiff::Timestamp;
use pintle::graph::{Graph, Id};
use pintle::image::Image;
use pintle::pins::{DependsOn, Need, Pin, Pins, Service, ServiceName, Settings, Verify, WorkloadKind, WorkloadRef};
use pintle::plan::{Live, Motion, Running, Wanted};
use pintle::problem::Place;
use pintle::rollback::{Aim, Holding, Known, Request, revert};
use pintle::source::{Commit, CommitId, History};
use pintle::version::Version;

const SERVICES: usize = 10_000;
const VERSIONS: usize = 10;
const NEEDS: usize = 3;

/// A repository: owns what [`Known`] borrows.
struct Shop {
    pins: Pins,
    history: History,
    graph: Graph,
    wanted: Vec<Wanted>,
    live: Vec<Live>,
}

fn main() {
    let large = large();
    for (what, service) in [("a service that many need", 3), ("one in the middle", 4_000), ("one that few need", 9_000)]
    {
        let (members, complete) = large.goes_back(service);
        let name = format!("{what}: {members} go back{}", if complete { "" } else { ", search stopped" });
        measure(&name, 10, || large.goes_back(service));
    }
    let chain = Shop::new(SERVICES, 2, |service, version| {
        service.checked_sub(1).map_or_else(Vec::new, |on| vec![(on, version)])
    });
    let hub = Shop::new(SERVICES, VERSIONS, |service, version| if service == 0 { vec![] } else { vec![(0, version)] });
    for (what, shop) in [("a chain of 10,000", &chain), ("10,000 that need one", &hub)] {
        let (members, complete) = shop.goes_back(0);
        let name = format!("{what}: {members} go back{}", if complete { "" } else { ", search stopped" });
        measure(&name, 5, || shop.goes_back(0));
    }
}

/// Each service needs three others, the first ones more often than the last. Every third version of a consumer needs
/// what was newest of a provider when it was released, the others any.
fn large() -> Shop {
    let mut chance = Chance(7);
    let needs: Vec<Vec<usize>> = (0..SERVICES)
        .map(|service| {
            let on = |chance: &mut Chance| chance.below(service).min(chance.below(service));
            (0..NEEDS.min(service)).map(|_| on(&mut chance)).collect::<BTreeSet<_>>().into_iter().collect()
        })
        .collect();
    let strict: Vec<Vec<bool>> = (0..SERVICES).map(|_| (0..VERSIONS).map(|_| chance.below(3) == 0).collect()).collect();
    Shop::new(SERVICES, VERSIONS, |service, version| {
        let least = if strict[service][version] { version } else { 0 };
        needs[service].iter().map(|&on| (on, least)).collect()
    })
}

impl Shop {
    /// Services that had so many versions, the last of which is pinned; what each version needs of others is the version
    /// of that number or a newer one.
    fn new(services: usize, versions: usize, needs: impl Fn(usize, usize) -> Vec<(usize, usize)>) -> Self {
        let mut history = History::default();
        for version in 0..versions {
            let commit = commit(version);
            for service in 0..services {
                history.push(&name(service), &commit, Some(pin(service, version, &needs(service, version))));
            }
            history.reach(commit);
        }
        let last = |number: usize| service(number, pin(number, versions - 1, &needs(number, versions - 1)));
        let services: BTreeMap<ServiceName, Service> =
            (0..services).map(|number| (name(number), last(number))).collect();
        let pins = Pins { settings: Settings::default(), services, broken: BTreeMap::new() };
        let running = |service: &Service| Running::Image(service.pin.image.clone(), Some(service.pin.version.clone()));
        let live = |service: &Service| {
            let (running, spec) = (vec![running(service)], vec![running(service)]);
            Live { running, spec, motion: Motion::Still, ready: true, pods: 3, surge: 1 }
        };
        Self {
            graph: Graph::of(&pins, &history),
            wanted: pins.services.values().map(|service| Wanted::Target(running(service))).collect(),
            live: pins.services.values().map(live).collect(),
            pins,
            history,
        }
    }

    /// How many go back with one, and whether all sets were considered.
    fn goes_back(&self, service: usize) -> (usize, bool) {
        let lockstep: [Vec<Id>; 0] = [];
        let Self { pins, history, graph, wanted, live } = self;
        let proven = &BTreeMap::new();
        let known = Known { pins, history, graph, lockstep: &lockstep, wanted, live, proven };
        let request = Request::Services(vec![name(service)], Aim::Good);
        revert(known, &request, Holding::Above).map_or((0, false), |it| (it.members.len(), it.complete))
    }
}

fn pin(service: usize, number: usize, needs: &[(usize, usize)]) -> Pin {
    let need =
        |&(on, least): &(usize, usize)| (name(on), Need::Range(format!(">=1.{least}, <2").parse().expect("a range")));
    Pin {
        version: version(number),
        image: Image::render(&format!("ghcr.io/acme/{}", name(service)), version(number).as_str(), None)
            .expect("an image"),
        depends_on: Arc::new(needs.iter().map(need).collect::<DependsOn>()),
        verify: Verify::default(),
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
        version_at: Place::file(&"services".into()),
        needs_at: BTreeMap::new(),
        rollback_floor_at: None,
    }
}

fn name(service: usize) -> ServiceName {
    ServiceName::try_from(format!("s{service:05}")).expect("a name")
}

fn version(number: usize) -> Version {
    Version::new(&format!("1.{number}.0")).expect("a version")
}

fn commit(number: usize) -> Arc<Commit> {
    let id = CommitId::from([u8::try_from(number).expect("few versions"); 20]);
    Arc::new(Commit { id, author: "Ada".into(), time: Timestamp::UNIX_EPOCH, subject: "Release".into() })
}

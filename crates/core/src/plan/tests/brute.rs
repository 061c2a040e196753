//! Small systems as numbers, and what every sequence of starts and finishes can reach: no code shared with the rules.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{System, system};

/// Versions are 1 to 3; 0 is absence, and as a target it says that the service is held.
pub(super) type V = u8;

/// Versions, or services, as bits.
pub(super) type Bits = u8;

/// A system: services, and edges between them.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) live: Vec<V>,
    pub(super) target: Vec<V>,
    pub(super) edges: Vec<Edge>,
    /// The service of each workload.
    pub(super) owners: Vec<usize>,
    /// The services of a lockstep group.
    pub(super) lockstep: Bits,
}

/// What each version of a consumer needs of a provider: none, or the set of versions as bits.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) consumer: usize,
    pub(super) provider: usize,
    pub(super) accepts: [Option<Bits>; 3],
}

/// The workloads of a system as they are; entries without an owner stay as they are made.
pub(super) type World = [Work; 5];

/// One workload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Work {
    pub(super) spec: V,
    /// Other versions of which pods exist.
    pub(super) old: Bits,
    pub(super) health: Health,
}

/// How what was written last is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) enum Health {
    /// Verified.
    #[default]
    Well,
    UnderWay,
    /// Failed, with a ready pod left.
    Failed,
    /// Failed, with none.
    Down,
}

impl Work {
    /// What may run, as bits.
    pub(super) fn live(self) -> Bits {
        self.old | bit(self.spec)
    }

    pub(super) fn has_failed(self) -> bool {
        matches!(self.health, Health::Failed | Health::Down)
    }

    pub(super) fn has_ready_pod(self) -> bool {
        self.live() != bit(0) && self.health != Health::Down
    }

    /// This version is written; what ran goes on running for a while.
    pub(super) fn write(&mut self, version: V) {
        self.old = self.live() & !bit(version);
        self.spec = version;
        self.health = Health::UnderWay;
    }

    /// What was written is verified.
    pub(super) fn finish(&mut self) {
        (self.old, self.health) = (0, Health::Well);
    }
}

impl Edge {
    pub(super) fn ok(&self, x: V, y: V) -> bool {
        let needs = x.checked_sub(1).and_then(|x| self.accepts[usize::from(x)]);
        needs.is_none_or(|accepted| y > 0 && accepted & (1 << (y - 1)) != 0)
    }

    fn needs(&self, x: V) -> bool {
        x > 0 && self.accepts[usize::from(x) - 1].is_some()
    }

    /// All pairs of these are ok.
    pub(super) fn all_ok(&self, consumer: Bits, provider: Bits) -> bool {
        versions(consumer).all(|x| versions(provider).all(|y| self.ok(x, y)))
    }

    fn some_ok(&self, consumer: Bits, provider: Bits) -> bool {
        versions(consumer).any(|x| versions(provider).any(|y| self.ok(x, y)))
    }

    /// Some pair of these live sets is ok.
    pub(super) fn has_ok_pair(&self, live: &[BTreeSet<V>]) -> bool {
        live[self.consumer].iter().any(|&x| live[self.provider].iter().any(|&y| self.ok(x, y)))
    }
}

/// What is wanted, and who may be moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim<'a> {
    pub(super) targets: &'a [V],
    /// Services that rule 1 or a hold keeps where they are.
    pub(super) held: Bits,
}

impl Aim<'_> {
    pub(super) fn is_held(&self, service: usize) -> bool {
        self.held & 1 << service != 0
    }
}

impl Case {
    /// The same system for `next`; services are named a, b, c, d.
    pub(super) fn system(&self) -> System {
        let mut text = String::new();
        for (service, (live, target)) in self.live.iter().zip(&self.target).enumerate() {
            let live = if *live == 0 { "-".to_owned() } else { live.to_string() };
            write!(text, "{}: {live} -> {target}", name(service)).unwrap();
            for version in 1..=3 {
                let needs: Vec<String> = self
                    .edges
                    .iter()
                    .filter(|edge| edge.consumer == service)
                    .filter_map(|edge| need(edge, version))
                    .collect();
                if !needs.is_empty() {
                    write!(text, "; {version} needs {}", needs.join(", ")).unwrap();
                }
            }
            text.push('\n');
        }
        system(&text)
    }

    pub(super) fn services(&self) -> std::ops::Range<usize> {
        0..self.live.len()
    }

    pub(super) fn around(&self, service: usize) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.consumer == service || edge.provider == service)
    }

    /// Everything settled on what the case says.
    pub(super) fn world(&self) -> World {
        let mut world = World::default();
        for (work, &owner) in world.iter_mut().zip(&self.owners) {
            work.spec = self.live[owner];
        }
        world
    }

    pub(super) fn works<'a>(&'a self, world: &'a World, service: usize) -> impl Iterator<Item = Work> + 'a {
        self.owners.iter().zip(world).filter(move |(owner, _)| **owner == service).map(|(_, &work)| work)
    }

    pub(super) fn live(&self, world: &World, service: usize) -> Bits {
        self.works(world, service).map(Work::live).fold(0, std::ops::BitOr::bitor)
    }

    pub(super) fn specs(&self, world: &World, service: usize) -> Bits {
        self.works(world, service).map(|work| bit(work.spec)).fold(0, std::ops::BitOr::bitor)
    }

    /// What the service is going to run: its target, or, where it is held, what its specifications say.
    pub(super) fn aims(&self, world: &World, aim: Aim<'_>, service: usize) -> Bits {
        if aim.is_held(service) { self.specs(world, service) } else { bit(aim.targets[service]) }
    }

    /// Something of it is not written, and may be.
    pub(super) fn is_open(&self, world: &World, aim: Aim<'_>, service: usize) -> bool {
        !aim.is_held(service) && self.specs(world, service) != bit(aim.targets[service])
    }

    pub(super) fn is_there(&self, world: &World, aim: Aim<'_>, service: usize) -> bool {
        self.live(world, service) == bit(aim.targets[service])
            && self.works(world, service).all(|work| work.health == Health::Well)
    }

    /// Rule 1, by its words.
    pub(super) fn aim<'a>(&self, world: &World, targets: &'a [V]) -> Aim<'a> {
        let said = self.services().filter(|&service| targets[service] == 0).map(|service| 1 << service).sum();
        let mut aim = Aim { targets, held: said };
        loop {
            let fits =
                |edge: &Edge| edge.all_ok(self.aims(world, aim, edge.consumer), self.aims(world, aim, edge.provider));
            let held = |end: fn(&Edge) -> usize| -> Bits {
                let ends = self.edges.iter().filter(|edge| !fits(edge)).map(end);
                ends.filter(|&end| self.is_open(world, aim, end)).fold(0, |held, end| held | 1 << end)
            };
            let held = match held(|edge| edge.consumer) {
                0 => held(|edge| edge.provider),
                consumers => consumers,
            };
            if held == 0 {
                return aim;
            }
            aim.held |= held;
        }
    }

    /// Rule 4, by its words.
    pub(super) fn restricts_nothing(&self, world: &World, aim: Aim<'_>, edge: &Edge) -> bool {
        let works = || self.works(world, edge.provider);
        let down = works().any(Work::has_failed) && !works().any(Work::has_ready_pod);
        let off_target = self.specs(world, edge.provider) != self.aims(world, aim, edge.provider);
        down && off_target
            || !edge.some_ok(self.live(world, edge.consumer), self.live(world, edge.provider))
            || self.is_half_started(world, aim, edge)
    }

    /// Rule 6, by its words: one end of a lockstep group has started, and does not run well beside the other, which has
    /// not.
    fn is_half_started(&self, world: &World, aim: Aim<'_>, edge: &Edge) -> bool {
        let started = |it: usize| {
            !aim.is_held(it)
                && self.specs(world, it) == bit(aim.targets[it])
                && self.works(world, it).any(|work| work.health != Health::Well)
        };
        let (consumer, provider) = (edge.consumer, edge.provider);
        let target = |it: usize| bit(aim.targets[it]);
        let both = 1 << consumer | 1 << provider;
        self.lockstep & both == both
            && (started(consumer) && !edge.all_ok(target(consumer), self.live(world, provider))
                || started(provider) && !edge.all_ok(self.live(world, consumer), target(provider)))
    }

    /// Rule 2 with rule 4, by its words: what a start adds runs well beside everything that runs.
    pub(super) fn is_safe(&self, world: &World, aim: Aim<'_>, service: usize) -> bool {
        let target = bit(aim.targets[service]);
        let restricting = self.around(service).filter(|edge| !self.restricts_nothing(world, aim, edge));
        let adds_nothing = self.specs(world, service) & target != 0;
        adds_nothing
            || restricting.into_iter().all(|edge| {
                if edge.consumer == service {
                    edge.all_ok(target, self.live(world, edge.provider))
                } else {
                    edge.all_ok(self.live(world, edge.consumer), target)
                }
            })
    }

    /// Rule 3, by its words: providers that run their target alone and are not verified there.
    pub(super) fn unverified<'a>(
        &'a self,
        world: &'a World,
        aim: Aim<'a>,
        service: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        let needed = move |edge: &&Edge| {
            edge.consumer == service && versions(self.aims(world, aim, service)).any(|version| edge.needs(version))
        };
        self.edges.iter().filter(needed).map(|edge| edge.provider).filter(move |&on| {
            self.live(world, on) == self.aims(world, aim, on)
                && self.live(world, on).is_power_of_two()
                && self.works(world, on).any(|work| work.health != Health::Well)
        })
    }

    /// Whether some sequence of safe starts and finishes brings these services to their targets, where nothing fails
    /// from now on, and what has failed on its target gets well.
    pub(super) fn reaches(&self, world: World, aim: Aim<'_>, goal: Bits) -> bool {
        let mut seen = HashSet::from([world]);
        let mut queue = VecDeque::from([world]);
        while let Some(world) = queue.pop_front() {
            if self.services().filter(|service| goal & 1 << service != 0).all(|it| self.is_there(&world, aim, it)) {
                return true;
            }
            queue.extend(self.moves(&world, aim).filter(|&then| seen.insert(then)));
        }
        false
    }

    /// Where each safe start and each finish leads.
    fn moves<'a>(&'a self, world: &'a World, aim: Aim<'a>) -> impl Iterator<Item = World> + 'a {
        let ready = move |service: &usize| self.is_open(world, aim, *service) && self.is_safe(world, aim, *service);
        let starts =
            self.services().filter(ready).map(move |service| self.start(*world, service, aim.targets[service]));
        let finishes = (0..self.owners.len()).filter(move |&work| self.ends(world, aim, work)).map(|work| {
            let mut then = *world;
            then[work].finish();
            then
        });
        starts.chain(finishes)
    }

    /// Whether a workload comes to its end where nothing fails from now on.
    pub(super) fn ends(&self, world: &World, aim: Aim<'_>, number: usize) -> bool {
        let (work, owner) = (world[number], self.owners[number]);
        let stays = aim.is_held(owner) || work.spec == aim.targets[owner];
        work.health == Health::UnderWay || work.has_failed() && stays
    }

    /// Writes a version to all workloads of a service.
    pub(super) fn start(&self, mut world: World, service: usize, version: V) -> World {
        let works = self.owners.iter().zip(&mut world).filter(|(owner, _)| **owner == service);
        works.filter(|(_, work)| work.spec != version).for_each(|(_, work)| work.write(version));
        world
    }

    /// Whether some sequence of safe starts and finishes ends with every service on its target.
    pub(super) fn is_solvable(&self) -> bool {
        let aim = Aim { targets: &self.target, held: 0 };
        self.reaches(self.world(), aim, all(self.services()))
    }

    /// Whether the targets fit on all edges with an end that moves.
    pub(super) fn fits(&self) -> bool {
        self.aim(&self.world(), &self.target).held == 0
    }
}

pub(super) fn bit(version: V) -> Bits {
    1 << version
}

pub(super) fn versions(bits: Bits) -> impl Iterator<Item = V> {
    (0..=3).filter(move |&version| bits & bit(version) != 0)
}

/// These, as bits.
pub(super) fn all(of: impl IntoIterator<Item = usize>) -> Bits {
    of.into_iter().fold(0, |bits, one| bits | 1 << one)
}

pub(super) fn name(service: usize) -> &'static str {
    ["a", "b", "c", "d"][service]
}

fn need(edge: &Edge, version: V) -> Option<String> {
    let accepted = edge.accepts[usize::from(version) - 1]?;
    let versions: Vec<String> = (1..=3).filter(|y| accepted & (1 << (y - 1)) != 0).map(|y| format!("={y}")).collect();
    let range = if versions.is_empty() { ">9".to_owned() } else { versions.join(" || ") };
    Some(format!("{} {range}", name(edge.provider)))
}

/// Systems of two to four services. Ranges lean to the generous side: else nearly nothing fits.
pub(super) fn cases() -> impl Strategy<Value = Case> {
    (2..=4_usize).prop_flat_map(|services| {
        let accepts = prop_oneof![1 => Just(None), 3 => (0..8_u8).prop_map(Some), 2 => Just(Some(7)), 2 => Just(Some(6)), 2 => Just(Some(3))];
        let edge = (0..services, 1..services, [accepts.clone(), accepts.clone(), accepts]).prop_map(
            move |(consumer, step, accepts)| Edge { consumer, provider: (consumer + step) % services, accepts },
        );
        (vec(0..=3_u8, services), vec(1..=3_u8, services), vec(edge, 0..=services + 2)).prop_map(move |(live, target, mut edges)| {
            edges.retain(|edge| edge.accepts.iter().any(Option::is_some));
            edges.sort_by_key(|edge| (edge.consumer, edge.provider));
            edges.dedup_by_key(|edge| (edge.consumer, edge.provider));
            let owners = (0..services).collect();
            Case { live, target, edges, owners, lockstep: 0 }
        })
    })
}

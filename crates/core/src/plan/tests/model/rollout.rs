//! A small system with its revisions, and what is known of it: what `next` says, and what brute force finds.

use std::collections::HashMap;
use std::sync::Mutex;

use super::super::brute::{Aim, Bits, Case, Health, V, Work, World, all, name, versions};
use super::super::{LiveService, PlanInput, RolloutProgress, ServiceTarget, System, crash, next, on_hold, running};
use crate::graph::ServiceId;
use crate::plan::{Next, PlanStep};
use crate::running::Running;

/// A system with its revisions, and what may go wrong in it.
pub(super) struct Rollout {
    pub(super) case: Case,
    /// The targets of each revision; the last one stays.
    pub(super) revisions: Vec<Vec<V>>,
    /// How often something may fail.
    pub(super) faults: u8,
    /// How many workloads the writer may see as they were, at the same time.
    pub(super) lag: usize,
    system: System,
    /// Of each service: absence, and its three versions.
    images: Vec<[Running; 4]>,
    /// What was worked out before.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    said: HashMap<(World, u8), Said>,
    answers: HashMap<(Question, World, u8), bool>,
}

/// A question about a world at a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// Once faults have stopped, the target is reached.
    Arrives,
    /// Some safe sequence brings these services to their targets while those are held.
    Reaches { held: Bits, goal: Bits },
}

/// What `next` says, as far as promises are concerned; services as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) starts: Bits,
    pub(super) together: Bits,
    /// Whatever is not where it should be.
    pub(super) spoken_of: Bits,
}

impl Rollout {
    pub(super) fn new(mut case: Case, lockstep: &[usize], later: &[Vec<V>], (faults, lag): (u8, usize)) -> Self {
        case.lockstep = all(lockstep.iter().copied());
        let mut system = case.system();
        let ids: Vec<ServiceId> = system.graph.ids().collect();
        system.lockstep = if lockstep.is_empty() { vec![] } else { vec![lockstep.iter().map(|&it| ids[it]).collect()] };
        let revisions = std::iter::once(case.target.clone()).chain(later.iter().cloned()).collect();
        let image = |service, version: &str| running(name(service), version);
        let images = case.services().map(|it| ["-", "1", "2", "3"].map(|version| image(it, version))).collect();
        Self { case, revisions, faults, lag, system, images, known: Mutex::default() }
    }

    pub(super) fn targets(&self, revision: u8) -> &[V] {
        &self.revisions[usize::from(revision)]
    }

    /// What rule 1 and holds leave of a revision.
    pub(super) fn aim(&self, world: &World, revision: u8) -> Aim<'_> {
        self.case.aim(world, self.targets(revision))
    }

    /// Answers from memory where the same was asked before.
    pub(super) fn answer(&self, question: Question, (world, revision): (World, u8), find: impl Fn() -> bool) -> bool {
        let key = (question, world, revision);
        let known = self.known.lock().unwrap().answers.get(&key).copied();
        known.unwrap_or_else(|| {
            let answer = find();
            self.known.lock().unwrap().answers.insert(key, answer);
            answer
        })
    }

    /// Some safe sequence brings these services to their targets.
    pub(super) fn reaches(&self, world: World, revision: u8, aim: Aim<'_>, goal: Bits) -> bool {
        let question = Question::Reaches { held: aim.held, goal };
        self.answer(question, (world, revision), || self.case.reaches(world, aim, goal))
    }

    /// What `next` says.
    pub(super) fn says(&self, world: &World, revision: u8) -> Said {
        let known = self.known.lock().unwrap().said.get(&(*world, revision)).copied();
        known.unwrap_or_else(|| {
            let next = self.next(world, revision);
            let together = next.steps.iter().filter(|(_, step)| matches!(step, PlanStep::Start(Some(_))));
            let said = Said {
                starts: all(next.starts().map(ServiceId::index)),
                together: all(together.map(|(id, _)| id.index())),
                spoken_of: all(next.steps.iter().map(|(id, _)| id.index())),
            };
            self.known.lock().unwrap().said.insert((*world, revision), said);
            said
        })
    }

    /// The function that all this is about.
    fn next(&self, world: &World, revision: u8) -> Next {
        let targets = self.targets(revision).iter().zip(&self.images);
        let wanted: Vec<ServiceTarget> = targets
            .map(|(&target, images)| match target {
                0 => ServiceTarget::Held(None, on_hold()),
                target => ServiceTarget::Run(images[usize::from(target)].clone()),
            })
            .collect();
        let live: Vec<LiveService> = self.case.services().map(|service| self.live(world, service)).collect();
        let System { graph, lockstep, .. } = &self.system;
        next(PlanInput { graph, wanted: &wanted, live: &live, lockstep, evidence: None })
    }

    fn live(&self, world: &World, service: usize) -> LiveService {
        let works: Vec<Work> = self.case.works(world, service).collect();
        let images = |bits| versions(bits).map(|version| self.images[service][usize::from(version)].clone()).collect();
        let motion = match () {
            () if works.iter().any(|work| work.has_failed()) => RolloutProgress::Failed(crash()),
            () if works.iter().any(|work| work.health == Health::UnderWay) => RolloutProgress::UnderWay,
            () => RolloutProgress::Still,
        };
        LiveService {
            running: images(self.case.live(world, service)),
            spec: images(self.case.specs(world, service)),
            progress: motion,
            ready: works.iter().any(|work| work.has_ready_pod()),
            replaced_pods: 1,
            surge_pods: 1,
            is_drift: false,
        }
    }

    /// The workloads of a service that are to be written.
    pub(super) fn writes(&self, world: &World, service: usize, target: V) -> Bits {
        let works = self.case.owners.iter().zip(world).enumerate();
        all(works.filter(|(_, (owner, work))| **owner == service && work.spec != target).map(|(number, _)| number))
    }

    pub(super) fn works(&self) -> std::ops::Range<usize> {
        0..self.case.owners.len()
    }
}

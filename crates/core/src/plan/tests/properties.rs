//! What must hold of every system: the properties of the design's §4, against brute force.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::brute::{Case, V, cases, name};
use super::{RolloutProgress, ServiceTarget, System, crash, running};
use crate::graph::ServiceId;
use crate::plan::{Neighbourhood, Plan, PlanStep};
use crate::running::Running;

/// A system that is driven by hand, pass by pass.
struct Drive {
    case: Case,
    system: System,
    /// The starts of the pass that goes on, and the edges that rule 4 exempted when it began.
    pass: Vec<ServiceId>,
    exempt: Vec<bool>,
}

impl Drive {
    fn new(case: Case) -> Self {
        Self { system: case.system(), case, pass: Vec::new(), exempt: Vec::new() }
    }

    fn live(&self) -> Vec<BTreeSet<V>> {
        let versions = |live: &super::LiveService| live.running.iter().map(number).collect();
        self.system.live.iter().map(versions).collect()
    }

    fn begin_pass(&mut self) {
        let live = self.live();
        self.exempt = self.case.edges.iter().map(|edge| !edge.has_ok_pair(&live)).collect();
        self.pass = self.system.next().starts().collect();
    }

    /// Writes one start of the pass, after checking that it adds no pair that is not ok.
    fn write(&mut self, id: ServiceId) -> Result<(), TestCaseError> {
        let (service, live) = (id.index(), self.live());
        let target = self.case.target[service];
        for (edge, exempt) in self.case.edges.iter().zip(&self.exempt) {
            let pairs: Vec<(V, V)> = match () {
                () if edge.consumer == service => live[edge.provider].iter().map(|&y| (target, y)).collect(),
                () if edge.provider == service => live[edge.consumer].iter().map(|&x| (x, target)).collect(),
                () => continue,
            };
            prop_assert!(*exempt || pairs.iter().all(|&(x, y)| edge.ok(x, y)), "{service} adds one of {pairs:?}");
        }
        let target = running(name(service), &target.to_string());
        let live = &mut self.system.live[service];
        live.running.push(target.clone());
        live.spec = vec![target];
        live.progress = RolloutProgress::UnderWay;
        Ok(())
    }

    fn under_way(&self) -> Vec<usize> {
        (0..self.system.live.len())
            .filter(|&service| self.system.live[service].progress == RolloutProgress::UnderWay)
            .collect()
    }

    fn finish(&mut self, service: usize) {
        let live = &mut self.system.live[service];
        live.running = live.spec.clone();
        live.progress = RolloutProgress::Still;
    }

    /// Does one thing after another, as the numbers say, until nothing can be done any more: begin a pass, write one
    /// of its starts, be killed in the middle of it, let something finish.
    fn run(&mut self, numbers: &[Index]) -> Result<(), TestCaseError> {
        let mut numbers = numbers.iter().cycle();
        let mut choose = |count: usize| numbers.next().map_or(0, |number| number.index(count));
        for _ in 0..200 {
            let under_way = self.under_way();
            match choose(4) {
                0 => self.begin_pass(),
                1 if !under_way.is_empty() => self.finish(under_way[choose(under_way.len())]),
                2 if choose(4) == 0 => self.pass.clear(),
                _ if !self.pass.is_empty() => {
                    let id = self.pass.swap_remove(choose(self.pass.len()));
                    self.write(id)?;
                }
                _ if !under_way.is_empty() => self.finish(under_way[choose(under_way.len())]),
                _ => self.begin_pass(),
            }
        }
        self.settle()
    }

    /// Lets everything that was begun come to its end.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        loop {
            self.begin_pass();
            if self.pass.is_empty() && self.under_way().is_empty() {
                return Ok(());
            }
            for id in std::mem::take(&mut self.pass) {
                self.write(id)?;
            }
            self.under_way().into_iter().for_each(|service| self.finish(service));
        }
    }
}

fn number(running: &Running) -> V {
    match running {
        Running::Image(_, Some(version)) => version.as_str().parse().unwrap(),
        _ => 0,
    }
}

/// What is bent in a service of a case that is otherwise settled or open.
#[derive(Debug, Clone, Copy)]
struct Odd {
    /// Something else is wanted of it.
    moved: bool,
    version: V,
    /// It is where it should be.
    there: bool,
    /// It belongs to the lockstep group.
    grouped: bool,
    motion: u8,
}

fn odd() -> impl Strategy<Value = Odd> {
    let is = proptest::bool::weighted;
    (is(0.3), 1..=3_u8, is(0.5), is(0.3), 0..8_u8).prop_map(|(moved, version, there, grouped, motion)| Odd {
        moved,
        version,
        there,
        grouped,
        motion,
    })
}

/// A case of which much is settled, and some is under way or has failed, as after any history of passes.
fn bent(case: &Case, odd: &[Odd]) -> System {
    let mut system = case.system();
    for ((number, live), Odd { version, there, motion, .. }) in system.live.iter_mut().enumerate().zip(odd) {
        if *there && !matches!(system.wanted[number], ServiceTarget::Held(..)) {
            system.wanted[number] = ServiceTarget::Run(live.spec[0].clone());
        }
        live.progress = match motion {
            0 => RolloutProgress::UnderWay,
            1 => RolloutProgress::Failed(crash()),
            _ => continue,
        };
        live.ready = version % 2 == 0;
        let pod = running(name(number), &version.to_string());
        if !live.running.contains(&pod) {
            live.running.push(pod);
        }
    }
    let grouped = system.graph.ids().zip(odd).filter(|(_, odd)| odd.grouped);
    system.lockstep = vec![grouped.map(|(id, _)| id).collect()];
    system
}

fn target(service: usize, version: V) -> ServiceTarget {
    ServiceTarget::Run(running(name(service), &version.to_string()))
}

fn numbers() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 97)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, max_global_rejects: 200_000, ..ProptestConfig::default() })]

    #[test]
    fn no_start_adds_a_pair_that_is_not_ok_whatever_finishes_and_whenever_it_is_killed(case in cases(), numbers in numbers()) {
        Drive::new(case).run(&numbers)?;
    }

    #[test]
    fn the_targets_are_reached_if_and_only_if_some_safe_sequence_reaches_them(case in cases(), numbers in numbers()) {
        prop_assume!(case.fits());
        let mut drive = Drive::new(case);
        drive.run(&numbers)?;
        let goal: Vec<BTreeSet<V>> = drive.case.target.iter().map(|&version| BTreeSet::from([version])).collect();
        prop_assert_eq!(drive.live() == goal, drive.case.is_solvable());
    }

    #[test]
    fn the_end_does_not_depend_on_the_order_of_finishes_or_on_being_killed(case in cases(), numbers in numbers()) {
        let (mut by_chance, mut straight) = (Drive::new(case.clone()), Drive::new(case));
        by_chance.run(&numbers)?;
        straight.settle()?;
        prop_assert_eq!(&by_chance.system.live, &straight.system.live);
    }

    #[test]
    fn what_is_not_held_fits_after_rule_1(case in cases()) {
        let system = case.system();
        let held: BTreeSet<usize> =
            system.next().steps.iter().filter(|(_, step)| matches!(step, PlanStep::Held(_))).map(|(id, _)| id.index()).collect();
        let target = |service: usize| if held.contains(&service) { case.live[service] } else { case.target[service] };
        for edge in &case.edges {
            let moves = [edge.consumer, edge.provider].into_iter().any(|end| target(end) != case.live[end]);
            prop_assert!(!moves || edge.ok(target(edge.consumer), target(edge.provider)));
        }
    }

    #[test]
    fn what_becomes_of_services_is_decided_by_what_moves_around_them(case in cases(), odd in vec(odd(), 5)) {
        let mut system = bent(&case, &odd);
        let services = || system.graph.ids().zip(&odd).filter(|(_, odd)| odd.moved);
        let instead = services().map(|(id, odd)| (id, target(id.index(), odd.version))).collect();
        let near = Neighbourhood::of(system.at(), &instead).unreached();
        let looked_at: BTreeSet<ServiceId> = Neighbourhood::of(system.at(), &instead).ids().iter().copied().collect();
        prop_assert!(instead.keys().all(|id| looked_at.contains(id)));
        for (id, wanted) in instead {
            system.wanted[id.index()] = wanted;
        }
        let whole = system.plan().unreached.into_iter().filter(|(id, _)| looked_at.contains(id));
        prop_assert_eq!(whole.collect::<Vec<_>>(), near);
    }

    #[test]
    fn a_plan_is_the_straight_run_of_next(case in cases()) {
        let mut drive = Drive::new(case);
        let plan: Plan = drive.system.plan();
        for stage in &plan.stages {
            drive.begin_pass();
            let starts: Vec<ServiceId> = stage.changes.iter().map(|change| change.service).collect();
            prop_assert_eq!(&drive.pass, &starts);
            for id in starts {
                drive.write(id)?;
            }
            drive.under_way().into_iter().for_each(|service| drive.finish(service));
        }
        prop_assert_eq!(&drive.system.next().steps, &plan.unreached);
    }
}

//! The search for the best set of moves that fits: branch and bound, depth first, with a budget.
//!
//! A service joins the set only when it is *forced*: what it is pinned at does not fit a move that is made, or any of those
//! that are left to a service that must move itself. Whatever is in a smallest set is forced by the rest of it, and one
//! more move never makes an order where there was none, so nothing else need be tried. For each forced service the moves
//! are kept that still fit some move of each forced neighbour; the one with the fewest is decided next.
//!
//! So the least that a set costs is mostly known before anything is decided, and the first set that is found is the best.

mod assignment;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use self::assignment::{Assignment, DeadEnd, Domain, Undo};
use super::RollbackInput;
use super::earlier::EarlierPin;
use crate::graph::ServiceId;
use crate::plan::{EdgeWait, Neighbourhood, PlanInput, PlanStep, ServiceTarget};
use crate::running::{Label, Running};

/// So many pairs of versions are compared at most, which bounds the time that a search takes.
const COMPARISON_BUDGET: usize = 200_000;

/// So many times the budget, where nothing was found yet.
const FIRST_SET_BUDGET_FACTOR: usize = 4;

/// To ask whether a set has an order takes as long as to compare so many pairs for each service that is looked at.
const ORDER_CHECK_COST: usize = 16;

/// So many names are compared in the time of one pair of versions.
const NAMES_PER_COMPARISON: usize = 8;

/// A move that a service can make.
#[derive(Debug, Clone, Copy)]
pub(super) struct CandidateMove<'a> {
    pub(super) to: EarlierPin<'a>,
    pub(super) is_proven: bool,
}

/// Moves, by service.
pub(super) type MoveSet<'a> = BTreeMap<ServiceId, CandidateMove<'a>>;

/// What a set costs, what matters most first: services, pins back in all, services not proven there, names.
pub(super) type MoveSetCost = (usize, usize, usize, Vec<ServiceId>);

/// A search, and what it has found.
pub(super) struct ClosureSearch<'s, 'a> {
    assignment: Assignment<'s, 'a>,
    /// The best set so far.
    pub(super) best: Option<(MoveSetCost, MoveSet<'a>)>,
    /// Where it got stuck with the fewest moves made: these, and the service that has none left.
    pub(super) dead_end: Option<(MoveSet<'a>, ServiceId)>,
    /// The first set that fits and has no order, and a circle of waits in it.
    pub(super) no_order: Option<(MoveSet<'a>, Vec<(ServiceId, EdgeWait)>)>,
}

/// A service that is being decided.
struct SearchFrame<'a> {
    service: ServiceId,
    /// What is left to try, each with the number of services that it forces, as far as that was counted.
    options: std::vec::IntoIter<(usize, CandidateMove<'a>)>,
    undo: Vec<Undo<'a>>,
}

impl<'s, 'a> ClosureSearch<'s, 'a> {
    pub(super) fn new(input: RollbackInput<'a>, pinned: &'s [Label<'a>]) -> Self {
        Self { assignment: Assignment::new(input, pinned), best: None, dead_end: None, no_order: None }
    }

    /// Looks for the best set in which these moves are made, and says whether all sets were considered.
    pub(super) fn run(&mut self, asked: &MoveSet<'a>) -> bool {
        if let Err(DeadEnd(service)) = self.assignment.begin(asked) {
            self.get_stuck(service);
            return true;
        }
        // No set costs less than this one.
        let nearest = self.assignment.nearest();
        if self.assignment.fit(&nearest) {
            self.arrive(nearest);
        }
        if self.best.is_some() {
            return true;
        }
        let mut frames: Vec<SearchFrame<'a>> = self.branch().into_iter().collect();
        while let Some(frame) = frames.last_mut() {
            self.assignment.take_back(std::mem::take(&mut frame.undo));
            let Some((forces, choice)) = frame.options.next() else {
                frames.pop();
                continue;
            };
            if !self.may_beat_best(frame.service, choice, forces) {
                continue;
            }
            if self.assignment.spent()
                > if self.best.is_some() { COMPARISON_BUDGET } else { FIRST_SET_BUDGET_FACTOR * COMPARISON_BUDGET }
            {
                return false;
            }
            match self.assignment.decide(frame.service, choice, &mut frame.undo) {
                Err(DeadEnd(service)) => self.get_stuck(service),
                Ok(()) if self.can_beat_best() => frames.extend(self.branch()),
                Ok(()) => {}
            }
        }
        true
    }

    /// The next service to decide; none where all are, which is a set.
    fn branch(&mut self) -> Option<SearchFrame<'a>> {
        let Some(service) = self.assignment.next() else {
            self.arrive(self.assignment.moved.clone());
            return None;
        };
        let options = self.ranked(service).into_iter();
        Some(SearchFrame { service, options, undo: Vec::new() })
    }

    /// The moves of a forced service: those first that force the fewest others. After one that forces none there is no
    /// need to count.
    fn ranked(&self, service: ServiceId) -> Vec<(usize, CandidateMove<'a>)> {
        let all = self.assignment.forced.get(&service).map_or(&[][..], |Domain(left)| left);
        let mut ranked = Vec::new();
        let mut rest = all.iter();
        for &choice in rest.by_ref() {
            let forces = if all.len() == 1 { 0 } else { self.assignment.forces(service, choice) };
            ranked.push((forces, choice));
            if forces == 0 {
                break;
            }
        }
        ranked.sort_by_key(|&(forces, choice)| (forces, choice.to.pins_back));
        ranked.extend(rest.map(|&choice| (0, choice)));
        ranked
    }

    /// Whether the least that a move leads to is less than the best: a first look, before it is made.
    fn may_beat_best(&self, service: ServiceId, choice: CandidateMove<'a>, forces: usize) -> bool {
        let Some(((size, back, ..), _)) = &self.best else { return true };
        let least = self.assignment.forced.get(&service).map_or(0, Domain::back);
        (self.assignment.size() + forces, self.assignment.back - least + choice.to.pins_back) <= (*size, *back)
    }

    /// The same, after it was made. Where nothing more need move, the names are known too.
    fn can_beat_best(&self) -> bool {
        let Some((best, _)) = &self.best else { return true };
        let least = (self.assignment.size(), self.assignment.back, self.assignment.unproven);
        match least.cmp(&(best.0, best.1, best.2)) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => self.is_before(&best.3),
        }
    }

    /// Whether the names of those that move or must move sort before others, as many.
    fn is_before(&self, names: &[ServiceId]) -> bool {
        self.assignment.spend(names.len() / NAMES_PER_COMPARISON);
        let Assignment { moved, forced, .. } = &self.assignment;
        let (mut moved, mut forced) = (moved.keys().peekable(), forced.keys().peekable());
        for name in names {
            let is_forced = match (moved.peek(), forced.peek()) {
                (Some(moved), Some(forced)) => forced < moved,
                (moved, _) => moved.is_none(),
            };
            let next = if is_forced { forced.next() } else { moved.next() };
            match next.cmp(&Some(name)) {
                Ordering::Equal => {}
                order => return order.is_lt(),
            }
        }
        false
    }

    /// Those that must move and are not decided count as they would go at best.
    fn get_stuck(&mut self, service: ServiceId) {
        if self.dead_end.as_ref().is_none_or(|(moves, _)| self.assignment.size() <= moves.len()) {
            self.dead_end = Some((self.assignment.nearest(), service));
        }
    }

    /// A set that fits. It counts where it is the best and `next` has an order for it.
    fn arrive(&mut self, moves: MoveSet<'a>) {
        let back = moves.values().map(|choice| choice.to.pins_back).sum();
        let unproven = moves.values().filter(|choice| !choice.is_proven).count();
        let cost = (moves.len(), back, unproven, moves.keys().copied().collect());
        if self.best.as_ref().is_some_and(|(best, _)| *best <= cost) {
            return;
        }
        let near = neighbourhood_of(self.assignment.input, &moves);
        self.assignment.spend(ORDER_CHECK_COST * near.ids().len());
        match waiting_cycle(&near, &moves) {
            None => self.best = Some((cost, moves)),
            Some(circle) => drop(self.no_order.get_or_insert((moves, circle))),
        }
    }
}

impl<'a> CandidateMove<'a> {
    pub(super) fn label(&self) -> Label<'a> {
        Label::Version(&self.to.pin.version)
    }
}

/// What these moves come to, as far as they reach.
fn neighbourhood_of(input: RollbackInput<'_>, moves: &MoveSet<'_>) -> Neighbourhood {
    let wanted = moves
        .iter()
        .map(|(&id, CandidateMove { to: EarlierPin { pin, .. }, .. })| (id, ServiceTarget::Run(Running::pinned(pin))));
    let RollbackInput { graph, wanted: at_tip, live, lockstep, .. } = input;
    Neighbourhood::of(PlanInput { graph, wanted: at_tip, live, lockstep, evidence: None }, &wanted.collect())
}

/// A circle of waits among these moves; none where `next` has an order for them. That something else is in their way
/// (what has failed, what is held) is for the plan to say.
fn waiting_cycle(near: &Neighbourhood, moves: &MoveSet<'_>) -> Option<Vec<(ServiceId, EdgeWait)>> {
    near.unreached().into_iter().find_map(|(id, step)| match step {
        PlanStep::Refused(circle) if moves.contains_key(&id) => Some(circle),
        _ => None,
    })
}

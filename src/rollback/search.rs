//! The search for the best set of moves that fits: branch and bound, depth first, with a budget.
//!
//! A service joins the set only when it is *forced*: what it is pinned at does not fit a move that is made, or any of those
//! that are left to a service that must move itself. Whatever is in a smallest set is forced by the rest of it, and one
//! more move never makes an order where there was none, so nothing else need be tried. For each forced service the moves
//! are kept that still fit some move of each forced neighbour; the one with the fewest is decided next.
//!
//! So the least that a set costs is mostly known before anything is decided, and the first set that is found is the best.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use super::Known;
use super::earlier::{Earlier, earlier, objection};
use crate::graph::{EdgeId, Id, Label};
use crate::plan::{Near, Running, Situation, Step, Wait, Wanted};
use crate::version::Version;

/// So many pairs of versions are compared at most, which bounds the time that a search takes.
const BUDGET: usize = 200_000;

/// So many times the budget, where nothing was found yet.
const PATIENCE: usize = 4;

/// To ask whether a set has an order takes as long as to compare so many pairs for each service that is looked at.
const ORDER: usize = 16;

/// So many names are compared in the time of one pair of versions.
const NAMES: usize = 8;

/// A move that a service can make.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) to: Earlier<'a>,
    pub(super) proven: bool,
}

/// Moves, by service.
pub(super) type Moves<'a> = BTreeMap<Id, Choice<'a>>;

/// What a set costs, what matters most first: services, pins back in all, services not proven there, names.
pub(super) type Cost = (usize, usize, usize, Vec<Id>);

/// Moves are made and taken back on it, one after the other.
pub(super) struct Search<'s, 'a> {
    known: Known<'a>,
    /// What each service is pinned at.
    pinned: &'s [Label<'a>],
    choices: HashMap<Id, Rc<[Choice<'a>]>>,
    moved: Moves<'a>,
    /// Each service that must move and is not decided.
    forced: BTreeMap<Id, Forced<'a>>,
    /// These again, those with the fewest moves first.
    next: BTreeSet<(usize, Id)>,
    /// The least that all of this costs: pins back, and services not proven.
    back: usize,
    unproven: usize,
    spent: Cell<usize>,
    /// What is known of pairs, where they must have been seen together.
    seen: RefCell<HashMap<(EdgeId, &'a Version, &'a Version), bool>>,
    /// The best set so far.
    pub(super) best: Option<(Cost, Moves<'a>)>,
    /// Where it got stuck with the fewest moves made: these, and the service that has none left.
    pub(super) dead_end: Option<(Moves<'a>, Id)>,
    /// The first set that fits and has no order, and a circle of waits in it.
    pub(super) no_order: Option<(Moves<'a>, Vec<(Id, Wait)>)>,
}

/// A service that must move: the moves that fit, nearest first.
#[derive(Debug, Clone)]
struct Forced<'a>(Vec<Choice<'a>>);

/// A service that is being decided.
struct Frame<'a> {
    service: Id,
    /// What is left to try, each with the number of services that it forces, as far as that was counted.
    options: std::vec::IntoIter<(usize, Choice<'a>)>,
    undo: Vec<Undo<'a>>,
}

enum Undo<'a> {
    Moved(Id, Forced<'a>),
    /// What was left before; none where it was not forced.
    Forced(Id, Option<Forced<'a>>),
}

impl<'s, 'a> Search<'s, 'a> {
    pub(super) fn new(known: Known<'a>, pinned: &'s [Label<'a>]) -> Self {
        Self {
            known,
            pinned,
            choices: HashMap::new(),
            moved: Moves::new(),
            forced: BTreeMap::new(),
            next: BTreeSet::new(),
            back: 0,
            unproven: 0,
            spent: Cell::new(0),
            seen: RefCell::default(),
            best: None,
            dead_end: None,
            no_order: None,
        }
    }

    /// Looks for the best set in which these moves are made, and says whether all sets were considered.
    pub(super) fn run(&mut self, asked: &Moves<'a>) -> bool {
        for (&id, &choice) in asked {
            self.count(choice, usize::checked_add);
            self.moved.insert(id, choice);
        }
        if !self.force(asked.keys().copied().collect(), &mut Vec::new()) {
            return true;
        }
        // No set costs less than this one.
        if let Some(moves) = self.at_nearest() {
            self.arrive(moves);
        }
        if self.best.is_some() {
            return true;
        }
        let mut frames: Vec<Frame<'a>> = self.branch().into_iter().collect();
        while let Some(frame) = frames.last_mut() {
            self.take_back(std::mem::take(&mut frame.undo));
            let Some((forces, choice)) = frame.options.next() else {
                frames.pop();
                continue;
            };
            if !self.may_win(frame.service, choice, forces) {
                continue;
            }
            if self.spent.get() > if self.best.is_some() { BUDGET } else { PATIENCE * BUDGET } {
                return false;
            }
            if self.decide(frame.service, choice, &mut frame.undo) && self.can_win() {
                frames.extend(self.branch());
            }
        }
        true
    }

    /// The next service to decide; none where all are, which is a set.
    fn branch(&mut self) -> Option<Frame<'a>> {
        let Some(&(_, service)) = self.next.first() else {
            self.arrive(self.moved.clone());
            return None;
        };
        let options = self.ranked(service).into_iter();
        Some(Frame { service, options, undo: Vec::new() })
    }

    /// The moves of a forced service: those first that force the fewest others. After one that forces none there is no
    /// need to count.
    fn ranked(&self, service: Id) -> Vec<(usize, Choice<'a>)> {
        let all = self.forced.get(&service).map_or(&[][..], |forced| &forced.0);
        let mut ranked = Vec::new();
        let mut rest = all.iter();
        for &choice in rest.by_ref() {
            let forces = if all.len() == 1 { 0 } else { self.forces(service, choice) };
            ranked.push((forces, choice));
            if forces == 0 {
                break;
            }
        }
        ranked.sort_by_key(|&(forces, choice)| (forces, choice.to.back));
        ranked.extend(rest.map(|&choice| (0, choice)));
        ranked
    }

    /// How many services a move would force.
    fn forces(&self, service: Id, choice: Choice<'a>) -> usize {
        let is_free = |other: &Id| !self.moved.contains_key(other) && !self.forced.contains_key(other);
        let around = self.known.graph.around(service).filter(|(_, other)| *other != service && is_free(other));
        let bad = around.filter(|&(edge, other)| !self.ok(edge, service, choice.label(), self.pinned[other.index()]));
        let mut others: Vec<Id> = bad.map(|(_, other)| other).collect();
        others.sort_unstable();
        others.dedup();
        others.len()
    }

    /// Whether the least that a move leads to is less than the best: a first look, before it is made.
    fn may_win(&self, service: Id, choice: Choice<'a>, forces: usize) -> bool {
        let Some(((size, back, ..), _)) = &self.best else { return true };
        let least = self.forced.get(&service).map_or(0, Forced::back);
        (self.moved.len() + self.forced.len() + forces, self.back - least + choice.to.back) <= (*size, *back)
    }

    /// The same, after it was made. Where nothing more need move, the names are known too.
    fn can_win(&self) -> bool {
        let Some((best, _)) = &self.best else { return true };
        let least = (self.moved.len() + self.forced.len(), self.back, self.unproven);
        match least.cmp(&(best.0, best.1, best.2)) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => self.is_before(&best.3),
        }
    }

    /// Whether the names of those that move or must move sort before others, as many.
    fn is_before(&self, names: &[Id]) -> bool {
        self.spent.set(self.spent.get() + names.len() / NAMES);
        let (mut moved, mut forced) = (self.moved.keys().peekable(), self.forced.keys().peekable());
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

    /// Makes a move of a forced service; false where it leaves another one without any.
    fn decide(&mut self, service: Id, choice: Choice<'a>, undo: &mut Vec<Undo<'a>>) -> bool {
        if let Some(forced) = self.put(service, None) {
            undo.push(Undo::Moved(service, forced));
        }
        self.count(choice, usize::checked_add);
        self.moved.insert(service, choice);
        self.force(VecDeque::from([service]), undo)
    }

    fn take_back(&mut self, undo: Vec<Undo<'a>>) {
        for one in undo.into_iter().rev() {
            match one {
                Undo::Forced(id, before) => drop(self.put(id, before)),
                Undo::Moved(id, forced) => {
                    if let Some(choice) = self.moved.remove(&id) {
                        self.count(choice, usize::checked_sub);
                    }
                    self.put(id, Some(forced));
                }
            }
        }
    }

    /// Works out what these services, to which fewer moves are left now, leave to their neighbours, and those to theirs;
    /// false where one of them is left without any.
    fn force(&mut self, mut narrowed: VecDeque<Id>, undo: &mut Vec<Undo<'a>>) -> bool {
        let graph = self.known.graph;
        while let Some(id) = narrowed.pop_front() {
            for (edge, other) in graph.around(id).filter(|(_, other)| *other != id) {
                let Some(left) = self.narrow((edge, id), other) else { continue };
                let is_stuck = left.is_empty();
                let before = self.put(other, Some(Forced(left)));
                undo.push(Undo::Forced(other, before));
                if is_stuck {
                    self.get_stuck(other);
                    return false;
                }
                narrowed.push_back(other);
            }
        }
        true
    }

    /// What the moves that are left to a service leave to the one at the other end of an edge; none where they change
    /// nothing there.
    fn narrow(&mut self, (edge, by): (EdgeId, Id), other: Id) -> Option<Vec<Choice<'a>>> {
        if self.moved.contains_key(&other) {
            return None;
        }
        let fits = |choice: &Choice<'a>| self.fits_some((edge, by), choice.label());
        match self.forced.get(&other) {
            Some(Forced(left)) => {
                let first = left.iter().position(|choice| !fits(choice))?;
                let (fitting, rest) = left.split_at(first);
                Some(fitting.iter().chain(rest[1..].iter().filter(|choice| fits(choice))).copied().collect())
            }
            None if self.fits_some((edge, by), self.pinned[other.index()]) => None,
            None => Some(self.fitting(other)),
        }
    }

    /// Whether what is at the other end of an edge fits some of the moves that are left to this service; all of them,
    /// where it need not move.
    fn fits_some(&self, (edge, service): (EdgeId, Id), other: Label<'a>) -> bool {
        if let Some(choice) = self.moved.get(&service) {
            return self.ok(edge, service, choice.label(), other);
        }
        let left = self.forced.get(&service);
        left.is_none_or(|Forced(left)| left.iter().any(|choice| self.ok(edge, service, choice.label(), other)))
    }

    /// The moves of a service that fit what moves around it.
    fn fitting(&mut self, service: Id) -> Vec<Choice<'a>> {
        let choices = self.choices(service);
        let around = || self.known.graph.around(service).filter(|(_, other)| *other != service);
        let fits = |choice: &&Choice<'a>| around().all(|around| self.fits_some(around, choice.label()));
        choices.iter().filter(fits).copied().collect()
    }

    /// The moves that a service can make by its own limits, nearest first, each version once.
    fn choices(&mut self, service: Id) -> Rc<[Choice<'a>]> {
        if let Some(known) = self.choices.get(&service) {
            return Rc::clone(known);
        }
        let choices: Rc<[Choice<'a>]> = choices(self.known, service).into();
        self.choices.insert(service, Rc::clone(&choices));
        choices
    }

    /// Replaces what is left to a service, keeps the sums, and returns what was left before.
    fn put(&mut self, service: Id, now: Option<Forced<'a>>) -> Option<Forced<'a>> {
        let before = match now {
            Some(now) => {
                self.next.insert((now.0.len(), service));
                (self.back, self.unproven) = (self.back + now.back(), self.unproven + now.unproven());
                self.forced.insert(service, now)
            }
            None => self.forced.remove(&service),
        };
        if let Some(before) = &before {
            let now = self.forced.get(&service).map(|now| now.0.len());
            if now != Some(before.0.len()) {
                self.next.remove(&(before.0.len(), service));
            }
            (self.back, self.unproven) = (self.back - before.back(), self.unproven - before.unproven());
        }
        before
    }

    fn count(&mut self, choice: Choice<'a>, by: fn(usize, usize) -> Option<usize>) {
        let sum = |sum, add| by(sum, add).unwrap_or_default();
        (self.back, self.unproven) = (sum(self.back, choice.to.back), sum(self.unproven, usize::from(!choice.proven)));
    }

    /// Those that must move and are not decided count as they would go at best.
    fn get_stuck(&mut self, service: Id) {
        let forced = self.forced.iter().filter_map(|(&id, Forced(left))| Some((id, *left.first()?)));
        if self.dead_end.as_ref().is_none_or(|(moves, _)| self.moved.len() + self.forced.len() <= moves.len()) {
            self.dead_end =
                Some((self.moved.iter().map(|(&id, &choice)| (id, choice)).chain(forced).collect(), service));
        }
    }

    /// The nearest move of each service that must move, where these fit each other and all that stays.
    fn at_nearest(&self) -> Option<Moves<'a>> {
        let nearest = self.forced.iter().filter_map(|(&id, Forced(left))| Some((id, *left.first()?)));
        let moves: Moves<'a> = self.moved.iter().map(|(&id, &choice)| (id, choice)).chain(nearest).collect();
        let graph = self.known.graph;
        let label = |other: Id| moves.get(&other).map_or(self.pinned[other.index()], Choice::label);
        let fits = |(&id, choice): (&Id, &Choice<'a>)| {
            // Between two that move, an edge is looked at from its consumer.
            let is_mine = |edge: EdgeId, other: Id| {
                other != id && (graph.edge(edge).consumer == id || !moves.contains_key(&other))
            };
            let mut mine = graph.around(id).filter(|&(edge, other)| is_mine(edge, other));
            mine.all(|(edge, other)| self.ok(edge, id, choice.label(), label(other)))
        };
        moves.iter().all(fits).then_some(moves)
    }

    /// A set that fits. It counts where it is the best and `next` has an order for it.
    fn arrive(&mut self, moves: Moves<'a>) {
        let back = moves.values().map(|choice| choice.to.back).sum();
        let unproven = moves.values().filter(|choice| !choice.proven).count();
        let cost = (moves.len(), back, unproven, moves.keys().copied().collect());
        if self.best.as_ref().is_some_and(|(best, _)| *best <= cost) {
            return;
        }
        let near = near(self.known, &moves);
        self.spent.set(self.spent.get() + ORDER * near.ids().len());
        match circle(&near, &moves) {
            None => self.best = Some((cost, moves)),
            Some(circle) => drop(self.no_order.get_or_insert((moves, circle))),
        }
    }

    /// Whether `x` at this end of an edge and `y` at the other may come together.
    fn ok(&self, edge: EdgeId, at: Id, x: Label<'a>, y: Label<'a>) -> bool {
        self.spent.set(self.spent.get() + 1);
        let (x, y) = if self.known.graph.edge(edge).consumer == at { (x, y) } else { (y, x) };
        let (Some(_), Label::Version(one), Label::Version(other)) = (self.known.evidence, x, y) else {
            return self.known.fits(edge, x, y);
        };
        // To look into history takes longer than to compare.
        *self.seen.borrow_mut().entry((edge, one, other)).or_insert_with(|| self.known.fits(edge, x, y))
    }
}

impl<'a> Choice<'a> {
    pub(super) fn label(&self) -> Label<'a> {
        Label::Version(&self.to.pin.version)
    }
}

impl Forced<'_> {
    fn back(&self) -> usize {
        self.0.first().map_or(0, |nearest| nearest.to.back)
    }

    /// Of the move that costs least: a proven one further back costs more.
    fn unproven(&self) -> usize {
        usize::from(!self.0.first().is_some_and(|nearest| nearest.proven))
    }
}

/// The moves that a service can make by its own limits, nearest first, each version once.
fn choices(known: Known<'_>, id: Id) -> Vec<Choice<'_>> {
    let Some(service) = known.pins.services.get(known.graph.name(id)) else { return Vec::new() };
    let mut seen = BTreeSet::from([&service.pin.version]);
    let all = earlier(known, service).into_iter();
    let mine = all.filter(|to| seen.insert(&to.pin.version) && objection(known, service, &to.pin.version).is_none());
    mine.map(|to| Choice { to, proven: known.proof(&service.name, &to.pin.version).is_some() }).collect()
}

/// What these moves come to, as far as they reach.
fn near(known: Known<'_>, moves: &Moves<'_>) -> Near {
    let wanted = moves.iter().map(|(&id, Choice { to: Earlier { pin, .. }, .. })| {
        (id, Wanted::Target(Running::Image(pin.image.clone(), Some(pin.version.clone()))))
    });
    let Known { graph, wanted: at_tip, live, lockstep, .. } = known;
    Near::of(Situation { graph, wanted: at_tip, live, lockstep, evidence: None }, &wanted.collect())
}

/// A circle of waits among these moves; none where `next` has an order for them. That something else is in their way
/// (what has failed, what is held) is for the plan to say.
fn circle(near: &Near, moves: &Moves<'_>) -> Option<Vec<(Id, Wait)>> {
    near.rest().into_iter().find_map(|(id, step)| match step {
        Step::Refused(circle) if moves.contains_key(&id) => Some(circle),
        _ => None,
    })
}

//! A set in the making: what moves so far, what that forces to move, and which moves are left to those.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use super::{CandidateMove, MoveSet, RollbackInput};
use crate::graph::{EdgeId, ServiceId};
use crate::rollback::earlier::{earlier_pins, objection};
use crate::running::Label;
use crate::version::Version;

/// Moves are made and taken back on it, one after the other.
pub(super) struct Assignment<'s, 'a> {
    pub(super) input: RollbackInput<'a>,
    /// What each service is pinned at.
    pinned: &'s [Label<'a>],
    choices: HashMap<ServiceId, Rc<[CandidateMove<'a>]>>,
    pub(super) moved: MoveSet<'a>,
    /// Each service that must move and is not decided.
    pub(super) forced: BTreeMap<ServiceId, Domain<'a>>,
    /// These again, those with the fewest moves first.
    next: BTreeSet<(usize, ServiceId)>,
    /// The least that all of this costs: pins back, and services not proven.
    pub(super) back: usize,
    pub(super) unproven: usize,
    spent: Cell<usize>,
    /// What is known of pairs, where they must have been seen together.
    seen: RefCell<HashMap<(EdgeId, &'a Version, &'a Version), bool>>,
}

/// A service that must move: the moves that fit, nearest first.
#[derive(Debug, Clone)]
pub(super) struct Domain<'a>(pub(super) Vec<CandidateMove<'a>>);

/// What is to be taken back.
pub(super) enum Undo<'a> {
    Moved(ServiceId, Domain<'a>),
    /// What was left before; none where it was not forced.
    Domain(ServiceId, Option<Domain<'a>>),
}

/// This service must move and has no move left.
pub(super) struct DeadEnd(pub(super) ServiceId);

impl<'s, 'a> Assignment<'s, 'a> {
    pub(super) fn new(input: RollbackInput<'a>, pinned: &'s [Label<'a>]) -> Self {
        Self {
            input,
            pinned,
            choices: HashMap::new(),
            moved: MoveSet::new(),
            forced: BTreeMap::new(),
            next: BTreeSet::new(),
            back: 0,
            unproven: 0,
            spent: Cell::new(0),
            seen: RefCell::default(),
        }
    }

    /// Makes the moves that are never taken back.
    pub(super) fn begin(&mut self, asked: &MoveSet<'a>) -> Result<(), DeadEnd> {
        for (&id, &choice) in asked {
            self.count(choice, usize::checked_add);
            self.moved.insert(id, choice);
        }
        self.force(asked.keys().copied().collect(), &mut Vec::new())
    }

    /// Makes a move of a forced service.
    pub(super) fn decide(
        &mut self,
        service: ServiceId,
        choice: CandidateMove<'a>,
        undo: &mut Vec<Undo<'a>>,
    ) -> Result<(), DeadEnd> {
        if let Some(forced) = self.put(service, None) {
            undo.push(Undo::Moved(service, forced));
        }
        self.count(choice, usize::checked_add);
        self.moved.insert(service, choice);
        self.force(VecDeque::from([service]), undo)
    }

    pub(super) fn take_back(&mut self, undo: Vec<Undo<'a>>) {
        for one in undo.into_iter().rev() {
            match one {
                Undo::Domain(id, before) => drop(self.put(id, before)),
                Undo::Moved(id, forced) => {
                    if let Some(choice) = self.moved.remove(&id) {
                        self.count(choice, usize::checked_sub);
                    }
                    self.put(id, Some(forced));
                }
            }
        }
    }

    /// The service to decide next: the one with the fewest moves.
    pub(super) fn next(&self) -> Option<ServiceId> {
        self.next.first().map(|&(_, id)| id)
    }

    /// How many services move or must move.
    pub(super) fn size(&self) -> usize {
        self.moved.len() + self.forced.len()
    }

    /// What has been compared so far.
    pub(super) fn spent(&self) -> usize {
        self.spent.get()
    }

    /// Counts what took as long as to compare so many pairs.
    pub(super) fn spend(&self, pairs: usize) {
        self.spent.set(self.spent.get() + pairs);
    }

    /// How many services a move would force.
    pub(super) fn forces(&self, service: ServiceId, choice: CandidateMove<'a>) -> usize {
        let is_free = |other: &ServiceId| !self.moved.contains_key(other) && !self.forced.contains_key(other);
        let around = self.input.graph.neighbours(service).filter(|(_, other)| *other != service && is_free(other));
        let bad = around.filter(|&(edge, other)| !self.ok(edge, service, choice.label(), self.pinned[other.index()]));
        let mut others: Vec<ServiceId> = bad.map(|(_, other)| other).collect();
        others.sort_unstable();
        others.dedup();
        others.len()
    }

    /// All that moves, those that are not decided by their nearest move; without those that have none left.
    pub(super) fn nearest(&self) -> MoveSet<'a> {
        let nearest = self.forced.iter().filter_map(|(&id, Domain(left))| Some((id, *left.first()?)));
        self.moved.iter().map(|(&id, &choice)| (id, choice)).chain(nearest).collect()
    }

    /// Whether moves fit each other and all that stays.
    pub(super) fn fit(&self, moves: &MoveSet<'a>) -> bool {
        let graph = self.input.graph;
        let label = |other: ServiceId| moves.get(&other).map_or(self.pinned[other.index()], CandidateMove::label);
        moves.iter().all(|(&id, choice)| {
            // Between two that move, an edge is looked at from its consumer.
            let is_mine = |edge: EdgeId, other: ServiceId| {
                other != id && (graph.edge(edge).consumer == id || !moves.contains_key(&other))
            };
            let mut mine = graph.neighbours(id).filter(|&(edge, other)| is_mine(edge, other));
            mine.all(|(edge, other)| self.ok(edge, id, choice.label(), label(other)))
        })
    }

    /// Works out what these services, to which fewer moves are left now, leave to their neighbours, and those to theirs.
    fn force(&mut self, mut narrowed: VecDeque<ServiceId>, undo: &mut Vec<Undo<'a>>) -> Result<(), DeadEnd> {
        let graph = self.input.graph;
        while let Some(id) = narrowed.pop_front() {
            for (edge, other) in graph.neighbours(id).filter(|(_, other)| *other != id) {
                let Some(left) = self.narrow((edge, id), other) else { continue };
                let is_stuck = left.is_empty();
                let before = self.put(other, Some(Domain(left)));
                undo.push(Undo::Domain(other, before));
                if is_stuck {
                    return Err(DeadEnd(other));
                }
                narrowed.push_back(other);
            }
        }
        Ok(())
    }

    /// What the moves that are left to a service leave to the one at the other end of an edge; none where they change
    /// nothing there.
    fn narrow(&mut self, (edge, by): (EdgeId, ServiceId), other: ServiceId) -> Option<Vec<CandidateMove<'a>>> {
        if self.moved.contains_key(&other) {
            return None;
        }
        let fits = |choice: &CandidateMove<'a>| self.fits_some((edge, by), choice.label());
        match self.forced.get(&other) {
            Some(Domain(left)) => {
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
    fn fits_some(&self, (edge, service): (EdgeId, ServiceId), other: Label<'a>) -> bool {
        if let Some(choice) = self.moved.get(&service) {
            return self.ok(edge, service, choice.label(), other);
        }
        let left = self.forced.get(&service);
        left.is_none_or(|Domain(left)| left.iter().any(|choice| self.ok(edge, service, choice.label(), other)))
    }

    /// The moves of a service that fit what moves around it.
    fn fitting(&mut self, service: ServiceId) -> Vec<CandidateMove<'a>> {
        let input = self.input;
        let choices = Rc::clone(self.choices.entry(service).or_insert_with(|| choices(input, service).into()));
        let around = || input.graph.neighbours(service).filter(|(_, other)| *other != service);
        let fits = |choice: &&CandidateMove<'a>| around().all(|around| self.fits_some(around, choice.label()));
        choices.iter().filter(fits).copied().collect()
    }

    /// Replaces what is left to a service, keeps the sums, and returns what was left before.
    fn put(&mut self, service: ServiceId, now: Option<Domain<'a>>) -> Option<Domain<'a>> {
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

    fn count(&mut self, choice: CandidateMove<'a>, by: fn(usize, usize) -> Option<usize>) {
        let sum = |sum, add| by(sum, add).unwrap_or_default();
        (self.back, self.unproven) =
            (sum(self.back, choice.to.pins_back), sum(self.unproven, usize::from(!choice.is_proven)));
    }

    /// Whether `x` at this end of an edge and `y` at the other may come together.
    fn ok(&self, edge: EdgeId, at: ServiceId, x: Label<'a>, y: Label<'a>) -> bool {
        self.spend(1);
        let (x, y) = if self.input.graph.edge(edge).consumer == at { (x, y) } else { (y, x) };
        let (Some(_), Label::Version(one), Label::Version(other)) = (self.input.evidence, x, y) else {
            return self.input.fits(edge, x, y);
        };
        // To look into history takes longer than to compare.
        *self.seen.borrow_mut().entry((edge, one, other)).or_insert_with(|| self.input.fits(edge, x, y))
    }
}

impl Domain<'_> {
    pub(super) fn back(&self) -> usize {
        self.0.first().map_or(0, |nearest| nearest.to.pins_back)
    }

    /// Of the move that costs least: a proven one further back costs more.
    fn unproven(&self) -> usize {
        usize::from(!self.0.first().is_some_and(|nearest| nearest.is_proven))
    }
}

/// The moves that a service can make by its own limits, nearest first, each version once.
fn choices(input: RollbackInput<'_>, id: ServiceId) -> Vec<CandidateMove<'_>> {
    let Some(service) = input.pins.services.get(input.graph.name(id)) else { return Vec::new() };
    let mut seen = BTreeSet::from([&service.pin.version]);
    let all = earlier_pins(input, service).into_iter();
    let mine = all.filter(|to| seen.insert(&to.pin.version) && objection(input, service, &to.pin.version).is_none());
    mine.map(|to| CandidateMove { to, is_proven: input.proof(&service.name, &to.pin.version).is_some() }).collect()
}

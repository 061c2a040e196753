//! What each open service waits for, kept up to date while moves are made: the work of a move is its neighbourhood.

use std::collections::{BTreeMap, BTreeSet};

use super::circles::circles;
use super::state::PlanState;
use super::stuck;
use super::waits::{Waits, lets_go_first, needs, preferred};
use super::{Step, Wait, WaitReason};
use crate::graph::{EdgeId, Id};

/// A board, and the waits on it.
#[derive(Clone)]
pub(super) struct Engine<'a> {
    pub(super) board: PlanState<'a>,
    /// Of each service that is open, the edges on which it waits, and for what: rules 2 to 4.
    needs: Vec<Option<BTreeMap<EdgeId, Vec<Wait>>>>,
    /// The open services that nothing but time keeps from starting: the ones that preferences wait for.
    coming: BTreeSet<Id>,
    /// The open services whose preferences would wait for each other: between them there are none.
    circles: BTreeSet<Id>,
    parts: Parts,
}

/// The services that move, in groups that no edge joins: rule 6 asks of each group whether it stands still, so that
/// something which hangs elsewhere stops nothing here.
#[derive(Clone)]
struct Parts {
    /// Of each service, the number of its group.
    of: Vec<Option<usize>>,
    members: Vec<Vec<Id>>,
    /// How many members are under way.
    under_way: Vec<usize>,
}

impl<'a> Engine<'a> {
    pub(super) fn new(board: PlanState<'a>) -> Self {
        let parts = Parts::of(&board);
        let open: Vec<Id> = board.open.iter().copied().collect();
        let needs = vec![None; board.graph.len()];
        let mut engine = Self { board, needs, coming: BTreeSet::new(), circles: BTreeSet::new(), parts };
        for &id in &open {
            engine.needs[id.index()] = Some(engine.needs_of(id));
            engine.come(id);
        }
        engine.circles = circles(engine.preferences());
        engine
    }

    fn needs_of(&self, id: Id) -> BTreeMap<EdgeId, Vec<Wait>> {
        let waits = self.board.graph.around(id).map(|(edge, _)| (edge, needs(&self.board, id, edge)));
        waits.filter(|(_, waits)| !waits.is_empty()).collect()
    }

    /// Of each free pair of open services, the one that waits, and the one that goes first.
    fn preferences(&self) -> Vec<(Id, Id)> {
        let is_free = |id: Id, edge| self.needs[id.index()].as_ref().is_some_and(|needs| !needs.contains_key(&edge));
        let mut preferences = Vec::new();
        for &id in &self.board.open {
            let free = self.board.graph.around(id).filter(|&(edge, other)| is_free(id, edge) && is_free(other, edge));
            let first = free.filter(|&(edge, _)| lets_go_first(&self.board, id, edge));
            preferences.extend(first.map(|(_, other)| (id, other)));
        }
        preferences
    }

    /// What these services do now; of each group that stands still, what all its open services do.
    pub(super) fn steps(&self, asked: impl IntoIterator<Item = Id>) -> BTreeMap<Id, Step> {
        let mut waits: Waits = BTreeMap::new();
        // Of each group that was asked for, whether something starts in it.
        let mut starts: BTreeMap<usize, bool> = BTreeMap::new();
        for id in asked {
            let Some(part) = self.parts.of[id.index()] else { continue };
            let starts = starts.entry(part).or_default();
            if self.board.is_open(id) {
                let own = self.waits(id);
                *starts |= own.is_empty();
                waits.insert(id, own);
            }
        }
        let mut steps = BTreeMap::new();
        for (part, _) in starts.into_iter().filter(|&(part, starts)| !starts && self.parts.under_way[part] == 0) {
            let open = self.parts.members[part].iter().filter(|id| self.board.is_open(**id));
            steps.extend(stuck::resolve(&self.board, open.map(|&id| (id, self.waits(id))).collect()));
        }
        for (id, waits) in waits {
            let step = if waits.is_empty() { Step::Start(None) } else { Step::Waits(waits) };
            steps.entry(id).or_insert(step);
        }
        steps
    }

    /// Writes the targets of these, and says whom to ask anew.
    pub(super) fn start(&mut self, ids: &[Id]) -> BTreeSet<Id> {
        self.write(ids);
        self.look_around(ids)
    }

    /// Lets these, which are under way, be verified, and says whom to ask anew.
    pub(super) fn finish(&mut self, ids: &[Id]) -> BTreeSet<Id> {
        self.verify(ids);
        self.look_around(ids)
    }

    /// Both at once: the targets of `starts` are written, and all that is under way is verified, they included.
    pub(super) fn go_through(&mut self, starts: &[Id], under_way: &[Id]) -> BTreeSet<Id> {
        self.write(starts);
        self.verify(under_way);
        self.look_around(under_way)
    }

    fn write(&mut self, ids: &[Id]) {
        for &id in ids {
            self.board.start(id);
            self.parts.count(id, |under_way| under_way + 1);
            self.needs[id.index()] = None;
            self.coming.remove(&id);
        }
    }

    fn verify(&mut self, ids: &[Id]) {
        for &id in ids {
            self.board.finish(id);
            self.parts.count(id, |under_way| under_way.saturating_sub(1));
        }
    }

    fn look_around(&mut self, moved: &[Id]) -> BTreeSet<Id> {
        let graph = self.board.graph;
        let mut ask: BTreeSet<Id> = moved.iter().copied().collect();
        for (edge, id) in moved.iter().flat_map(|&id| graph.around(id)) {
            ask.insert(id);
            if self.look_at(id, edge) {
                ask.extend(graph.around(id).map(|(_, other)| other));
            }
        }
        ask
    }

    /// Works out rules 2 to 4 of an open service anew on one edge, and says whether its coming has changed.
    fn look_at(&mut self, id: Id, edge: EdgeId) -> bool {
        let Some(known) = &mut self.needs[id.index()] else { return false };
        let waits = needs(&self.board, id, edge);
        if waits.is_empty() {
            known.remove(&edge);
        } else {
            known.insert(edge, waits);
        }
        self.come(id)
    }

    /// Notes whether nothing but time keeps an open service from starting, and says whether that is new.
    fn come(&mut self, id: Id) -> bool {
        let mut waits = self.needs[id.index()].iter().flat_map(BTreeMap::values).flatten();
        if waits.all(|wait| wait.because == WaitReason::Unverified) {
            self.coming.insert(id)
        } else {
            self.coming.remove(&id)
        }
    }

    /// All waits of an open service; preferences count where nothing else does.
    fn waits(&self, id: Id) -> Vec<Wait> {
        match &self.needs[id.index()] {
            Some(waits) if !waits.is_empty() => waits.values().flatten().cloned().collect(),
            _ => preferred(&self.board, id, &self.coming, &self.circles),
        }
    }
}

impl Parts {
    fn of(board: &PlanState<'_>) -> Self {
        let moves = |id: Id| board.is_open(id) || board.is_written(id);
        let mut parts = Self { of: vec![None; board.graph.len()], members: Vec::new(), under_way: Vec::new() };
        for first in board.graph.ids().filter(|&id| moves(id)) {
            if parts.of[first.index()].is_some() {
                continue;
            }
            let number = parts.members.len();
            parts.of[first.index()] = Some(number);
            let mut members = vec![first];
            let mut at = 0;
            while let Some(&id) = members.get(at) {
                for other in board.graph.around(id).map(|(_, other)| other).filter(|&other| moves(other)) {
                    if parts.of[other.index()].replace(number).is_none() {
                        members.push(other);
                    }
                }
                at += 1;
            }
            parts.under_way.push(members.iter().filter(|&&id| board.is_under_way(id)).count());
            parts.members.push(members);
        }
        parts
    }

    fn count(&mut self, id: Id, change: impl Fn(usize) -> usize) {
        if let Some(part) = self.of[id.index()] {
            self.under_way[part] = change(self.under_way[part]);
        }
    }
}

//! What each open service waits for, kept up to date while moves are made: the work of a move is its neighbourhood.

use std::collections::{BTreeMap, BTreeSet};

use super::circles::circles;
use super::stuck;
use super::waits::{incompatible, lets_go_first, preferred, unverified};
use super::world::Board;
use super::{Because, Step, Wait};
use crate::graph::Id;

/// What each open service waits for; nothing means that it may start.
pub(super) type Waits = BTreeMap<Id, Vec<Wait>>;

/// A board, and the waits on it.
pub(super) struct Engine<'a> {
    pub(super) board: Board<'a>,
    /// Rules 2 to 4 of each open service.
    needs: Waits,
    /// The open services that nothing but time keeps from starting: the ones that preferences wait for.
    coming: BTreeSet<Id>,
    /// The open services whose preferences would wait for each other: between them there are none.
    circles: BTreeSet<Id>,
    parts: Parts,
}

/// The services that move, in groups that no edge joins: rule 6 asks of each group whether it stands still, so that
/// something which hangs elsewhere stops nothing here.
struct Parts {
    of: BTreeMap<Id, usize>,
    members: Vec<BTreeSet<Id>>,
    /// How many members are under way.
    under_way: Vec<usize>,
}

impl<'a> Engine<'a> {
    pub(super) fn new(board: Board<'a>) -> Self {
        let parts = Parts::of(&board);
        let open: Vec<Id> = board.open.iter().copied().collect();
        let mut engine = Self { board, needs: Waits::new(), coming: BTreeSet::new(), circles: BTreeSet::new(), parts };
        for id in open {
            engine.look_at(id);
        }
        engine.circles = circles(engine.preferences());
        engine
    }

    /// Of each free pair of open services, the one that waits, and the one that goes first.
    fn preferences(&self) -> Vec<(Id, Id)> {
        let is_free = |id: Id, other: Id| self.needs[&id].iter().all(|wait| wait.on != other);
        let pairs =
            self.needs.keys().flat_map(|&id| self.board.graph.around(id).map(move |(edge, other)| (id, edge, other)));
        pairs
            .filter(|(_, _, other)| self.needs.contains_key(other))
            .filter(|&(id, edge, other)| {
                is_free(id, other) && is_free(other, id) && lets_go_first(&self.board, id, edge)
            })
            .map(|(id, _, other)| (id, other))
            .collect()
    }

    /// What these services do now; of each group that stands still, what all its open services do.
    pub(super) fn steps(&self, asked: impl IntoIterator<Item = Id>) -> BTreeMap<Id, Step> {
        let asked: Vec<Id> = asked.into_iter().collect();
        let mut waits: Waits =
            asked.iter().filter(|id| self.needs.contains_key(id)).map(|&id| (id, self.waits(id))).collect();
        let mut steps = BTreeMap::new();
        let parts: BTreeSet<usize> = asked.iter().filter_map(|id| self.parts.of.get(id).copied()).collect();
        let starting: BTreeSet<usize> = waits
            .iter()
            .filter(|(_, waits)| waits.is_empty())
            .filter_map(|(id, _)| self.parts.of.get(id).copied())
            .collect();
        for part in parts {
            if self.parts.under_way[part] == 0 && !starting.contains(&part) {
                let members = self.parts.members[part].iter().filter(|id| self.needs.contains_key(id));
                let still = members.map(|&id| (id, self.waits(id))).collect();
                steps.extend(stuck::resolve(&self.board, still));
            }
        }
        waits.retain(|id, _| !steps.contains_key(id));
        steps.extend(
            waits
                .into_iter()
                .map(|(id, waits)| if waits.is_empty() { (id, Step::Start(None)) } else { (id, Step::Waits(waits)) }),
        );
        steps
    }

    /// Writes the targets of these, and says whom to ask anew.
    pub(super) fn start(&mut self, ids: &[Id]) -> BTreeSet<Id> {
        for &id in ids {
            self.board.start(id);
            self.parts.count(id, |under_way| under_way + 1);
            self.needs.remove(&id);
            self.coming.remove(&id);
        }
        self.look_around(ids)
    }

    /// Lets these, which are under way, be verified, and says whom to ask anew.
    pub(super) fn finish(&mut self, ids: &[Id]) -> BTreeSet<Id> {
        for &id in ids {
            self.board.finish(id);
            self.parts.count(id, |under_way| under_way.saturating_sub(1));
        }
        self.look_around(ids)
    }

    fn look_around(&mut self, moved: &[Id]) -> BTreeSet<Id> {
        let around = |board: &Board<'_>, id| -> Vec<Id> { board.graph.around(id).map(|(_, other)| other).collect() };
        let near: BTreeSet<Id> = moved.iter().flat_map(|&id| around(&self.board, id)).collect();
        let mut ask: BTreeSet<Id> = moved.iter().copied().collect();
        for id in near {
            ask.insert(id);
            if self.needs.contains_key(&id) && self.look_at(id) {
                ask.extend(around(&self.board, id));
            }
        }
        ask
    }

    /// Works out rules 2 to 4 of a service anew, and says whether it comes or goes as one that preferences wait for.
    fn look_at(&mut self, id: Id) -> bool {
        let mut waits = incompatible(&self.board, id, &[]);
        waits.extend(unverified(&self.board, id));
        let comes = waits.iter().all(|wait| wait.because == Because::Unverified);
        self.needs.insert(id, waits);
        if comes { self.coming.insert(id) } else { self.coming.remove(&id) }
    }

    /// All waits of an open service; preferences count where nothing else does.
    fn waits(&self, id: Id) -> Vec<Wait> {
        match self.needs.get(&id) {
            Some(waits) if !waits.is_empty() => waits.clone(),
            _ => preferred(&self.board, id, &self.coming, &self.circles),
        }
    }
}

impl Parts {
    fn of(board: &Board<'_>) -> Self {
        let moves = |id: Id| board.open.contains(&id) || board.is_written(id);
        let mut parts = Self { of: BTreeMap::new(), members: Vec::new(), under_way: Vec::new() };
        for first in board.graph.ids().filter(|&id| moves(id)) {
            if parts.of.contains_key(&first) {
                continue;
            }
            let number = parts.members.len();
            let mut members = BTreeSet::from([first]);
            let mut look_at = vec![first];
            while let Some(id) = look_at.pop() {
                parts.of.insert(id, number);
                let others = board.graph.around(id).map(|(_, other)| other).filter(|&other| moves(other));
                look_at.extend(others.filter(|&other| members.insert(other)));
            }
            parts.under_way.push(members.iter().filter(|&&id| board.is_under_way(id)).count());
            parts.members.push(members);
        }
        parts
    }

    fn count(&mut self, id: Id, change: impl Fn(usize) -> usize) {
        if let Some(&part) = self.of.get(&id) {
            self.under_way[part] = change(self.under_way[part]);
        }
    }
}

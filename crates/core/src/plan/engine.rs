//! What each open service waits for, kept up to date while moves are made: the work of a move is its neighbourhood.

use std::collections::{BTreeMap, BTreeSet};

use super::circles::nodes_in_cycles;
use super::state::PlanState;
use super::stuck;
use super::waits::{Waits, edge_waits, preference_waits, yields_to_neighbour};
use super::{EdgeWait, PlanStep, WaitReason};
use crate::graph::{EdgeId, ServiceId};

/// A board, and the waits on it.
#[derive(Clone)]
pub(super) struct WaitTracker<'a> {
    pub(super) state: PlanState<'a>,
    /// Of each service that is open, the edges on which it waits, and for what: rules 2 to 4.
    edge_waits: Vec<Option<BTreeMap<EdgeId, Vec<EdgeWait>>>>,
    /// The open services that nothing but time keeps from starting: the ones that preferences wait for.
    about_to_start: BTreeSet<ServiceId>,
    /// The open services whose preferences would wait for each other: between them there are none.
    preference_cycles: BTreeSet<ServiceId>,
    components: MovingComponents,
}

/// The services that move, in groups that no edge joins: rule 6 asks of each group whether it stands still, so that
/// something which hangs elsewhere stops nothing here.
#[derive(Clone)]
struct MovingComponents {
    /// Of each service, the number of its group.
    component_of: Vec<Option<usize>>,
    members: Vec<Vec<ServiceId>>,
    /// How many members are under way.
    under_way: Vec<usize>,
}

impl<'a> WaitTracker<'a> {
    pub(super) fn new(board: PlanState<'a>) -> Self {
        let parts = MovingComponents::of(&board);
        let open: Vec<ServiceId> = board.open.iter().copied().collect();
        let needs = vec![None; board.graph.len()];
        let mut engine = Self {
            state: board,
            edge_waits: needs,
            about_to_start: BTreeSet::new(),
            preference_cycles: BTreeSet::new(),
            components: parts,
        };
        for &id in &open {
            engine.edge_waits[id.index()] = Some(engine.needs_of(id));
            engine.update_about_to_start(id);
        }
        engine.preference_cycles = nodes_in_cycles(engine.preferences());
        engine
    }

    fn needs_of(&self, id: ServiceId) -> BTreeMap<EdgeId, Vec<EdgeWait>> {
        let waits = self.state.graph.neighbours(id).map(|(edge, _)| (edge, edge_waits(&self.state, id, edge)));
        waits.filter(|(_, waits)| !waits.is_empty()).collect()
    }

    /// Of each free pair of open services, the one that waits, and the one that goes first.
    fn preferences(&self) -> Vec<(ServiceId, ServiceId)> {
        let is_free =
            |id: ServiceId, edge| self.edge_waits[id.index()].as_ref().is_some_and(|needs| !needs.contains_key(&edge));
        let mut preferences = Vec::new();
        for &id in &self.state.open {
            let free =
                self.state.graph.neighbours(id).filter(|&(edge, other)| is_free(id, edge) && is_free(other, edge));
            let first = free.filter(|&(edge, _)| yields_to_neighbour(&self.state, id, edge));
            preferences.extend(first.map(|(_, other)| (id, other)));
        }
        preferences
    }

    /// What these services do now; of each group that stands still, what all its open services do.
    pub(super) fn steps(&self, asked: impl IntoIterator<Item = ServiceId>) -> BTreeMap<ServiceId, PlanStep> {
        let mut waits: Waits = BTreeMap::new();
        // Of each group that was asked for, whether something starts in it.
        let mut starts: BTreeMap<usize, bool> = BTreeMap::new();
        for id in asked {
            let Some(part) = self.components.component_of[id.index()] else { continue };
            let starts = starts.entry(part).or_default();
            if self.state.is_open(id) {
                let own = self.waits(id);
                *starts |= own.is_empty();
                waits.insert(id, own);
            }
        }
        let mut steps = BTreeMap::new();
        for (part, _) in starts.into_iter().filter(|&(part, starts)| !starts && self.components.under_way[part] == 0) {
            let open = self.components.members[part].iter().filter(|id| self.state.is_open(**id));
            steps.extend(stuck::resolve_deadlock(&self.state, open.map(|&id| (id, self.waits(id))).collect()));
        }
        for (id, waits) in waits {
            let step = if waits.is_empty() { PlanStep::Start(None) } else { PlanStep::Waits(waits) };
            steps.entry(id).or_insert(step);
        }
        steps
    }

    /// Writes the targets of these, and says whom to ask anew.
    pub(super) fn start(&mut self, ids: &[ServiceId]) -> BTreeSet<ServiceId> {
        self.mark_started(ids);
        self.update_around(ids)
    }

    /// Lets these, which are under way, be verified, and says whom to ask anew.
    pub(super) fn finish(&mut self, ids: &[ServiceId]) -> BTreeSet<ServiceId> {
        self.mark_finished(ids);
        self.update_around(ids)
    }

    /// Both at once: the targets of `starts` are written, and all that is under way is verified, they included.
    pub(super) fn start_and_finish(&mut self, starts: &[ServiceId], under_way: &[ServiceId]) -> BTreeSet<ServiceId> {
        self.mark_started(starts);
        self.mark_finished(under_way);
        self.update_around(under_way)
    }

    fn mark_started(&mut self, ids: &[ServiceId]) {
        for &id in ids {
            self.state.start(id);
            self.components.count(id, |under_way| under_way + 1);
            self.edge_waits[id.index()] = None;
            self.about_to_start.remove(&id);
        }
    }

    fn mark_finished(&mut self, ids: &[ServiceId]) {
        for &id in ids {
            self.state.finish(id);
            self.components.count(id, |under_way| under_way.saturating_sub(1));
        }
    }

    fn update_around(&mut self, moved: &[ServiceId]) -> BTreeSet<ServiceId> {
        let graph = self.state.graph;
        let mut ask: BTreeSet<ServiceId> = moved.iter().copied().collect();
        for (edge, id) in moved.iter().flat_map(|&id| graph.neighbours(id)) {
            ask.insert(id);
            if self.update_edge(id, edge) {
                ask.extend(graph.neighbours(id).map(|(_, other)| other));
            }
        }
        ask
    }

    /// Works out rules 2 to 4 of an open service anew on one edge, and says whether its coming has changed.
    fn update_edge(&mut self, id: ServiceId, edge: EdgeId) -> bool {
        let Some(known) = &mut self.edge_waits[id.index()] else { return false };
        let waits = edge_waits(&self.state, id, edge);
        if waits.is_empty() {
            known.remove(&edge);
        } else {
            known.insert(edge, waits);
        }
        self.update_about_to_start(id)
    }

    /// Notes whether nothing but time keeps an open service from starting, and says whether that is new.
    fn update_about_to_start(&mut self, id: ServiceId) -> bool {
        let mut waits = self.edge_waits[id.index()].iter().flat_map(BTreeMap::values).flatten();
        if waits.all(|wait| wait.reason == WaitReason::Unverified) {
            self.about_to_start.insert(id)
        } else {
            self.about_to_start.remove(&id)
        }
    }

    /// All waits of an open service; preferences count where nothing else does.
    fn waits(&self, id: ServiceId) -> Vec<EdgeWait> {
        match &self.edge_waits[id.index()] {
            Some(waits) if !waits.is_empty() => waits.values().flatten().cloned().collect(),
            _ => preference_waits(&self.state, id, &self.about_to_start, &self.preference_cycles),
        }
    }
}

impl MovingComponents {
    fn of(board: &PlanState<'_>) -> Self {
        let moves = |id: ServiceId| board.is_open(id) || board.is_written(id);
        let mut parts =
            Self { component_of: vec![None; board.graph.len()], members: Vec::new(), under_way: Vec::new() };
        for first in board.graph.ids().filter(|&id| moves(id)) {
            if parts.component_of[first.index()].is_some() {
                continue;
            }
            let number = parts.members.len();
            parts.component_of[first.index()] = Some(number);
            let mut members = vec![first];
            let mut at = 0;
            while let Some(&id) = members.get(at) {
                for other in board.graph.neighbours(id).map(|(_, other)| other).filter(|&other| moves(other)) {
                    if parts.component_of[other.index()].replace(number).is_none() {
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

    fn count(&mut self, id: ServiceId, change: impl Fn(usize) -> usize) {
        if let Some(part) = self.component_of[id.index()] {
            self.under_way[part] = change(self.under_way[part]);
        }
    }
}

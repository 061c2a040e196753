//! The moves of services along their history.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::{ChangeEnd, ChangeKind, NeedChange, need_changes_between};
use crate::git::Commit;
use crate::graph::version_order;
use crate::history::{History, PinRecord};
use crate::pins::{Pin, Pins, ServiceName};
use crate::version::{Version, VersionOrder};

/// One move along a service's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinMove {
    pub commit: Arc<Commit>,
    /// The pin before the move, if there was one.
    pub from: Option<Arc<Pin>>,
    /// The pin after the move, if there is one.
    pub to: Option<Arc<Pin>>,
    /// `None` if the pin did not move, and only needs or verification changed.
    pub kind: Option<ChangeKind>,
    pub need_changes: Vec<NeedChange>,
    /// The commit of the next move of the pin; `None` if the pin still stands, or if this is no move of the pin.
    pub superseded_by: Option<Arc<Commit>>,
}

impl PinMove {
    /// Returns whether the pin of this move is the present one.
    pub fn is_current(&self) -> bool {
        self.kind.is_some() && self.to.is_some() && self.superseded_by.is_none()
    }
}

/// Builds the moves from the records of a service, oldest first.
pub fn pin_moves(records: &[PinRecord], order: &VersionOrder) -> Vec<PinMove> {
    let mut seen: HashSet<&Version> = HashSet::new();
    let mut moves: Vec<PinMove> = Vec::with_capacity(records.len());
    let mut last: Option<&Arc<Pin>> = None;
    let mut standing: Option<usize> = None;
    for record in records {
        let (from, to) = (last, record.pin.as_ref());
        let before = to.is_some_and(|to| seen.contains(&to.version));
        let kind = ChangeKind::between(
            from.map(|from| ChangeEnd::from(from.as_ref())),
            to.map(|to| ChangeEnd::from(to.as_ref())),
            order,
            before,
        );
        if kind.is_some()
            && let Some(standing) = standing.replace(moves.len())
        {
            moves[standing].superseded_by = Some(Arc::clone(&record.commit));
        }
        moves.push(PinMove {
            commit: Arc::clone(&record.commit),
            from: from.cloned(),
            to: to.cloned(),
            kind,
            need_changes: from
                .zip(to)
                .map(|(from, to)| need_changes_between(&from.depends_on, &to.depends_on))
                .unwrap_or_default(),
            superseded_by: None,
        });
        seen.extend(to.map(|to| &to.version));
        last = to;
    }
    moves
}

/// Returns the moves of one service, or of all, newest first. The list of all has no separate moves under earlier
/// names: renamed services count under their present name.
pub fn moves_newest_first<'h>(
    history: &'h History,
    pins: &Pins,
    only: Option<&ServiceName>,
) -> Vec<(&'h ServiceName, PinMove)> {
    let services = &pins.services;
    let earlier: BTreeSet<&ServiceName> = services.values().filter_map(|service| service.formerly.as_ref()).collect();
    let is_wanted = |name: &ServiceName| only.map_or(!earlier.contains(name), |only| only == name);
    let mut all = Vec::new();
    for (name, records) in history.services().filter(|(name, _)| is_wanted(name)) {
        let order = services
            .get(name)
            .map_or_else(|| history.version_order(name, None), |service| version_order(service, history));
        let moves = pin_moves(records, &order).into_iter().zip(records);
        all.extend(moves.map(|(moved, record)| (record.position, name, moved)));
    }
    all.sort_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
    all.into_iter().map(|(_, name, moved)| (name, moved)).collect()
}

//! The moves that are shown, each with what its commit takes back and with what the cluster has verified of it.

use pintle_core::change::{Move, moves_newest_first};
use pintle_core::pins::ServiceName;

use super::proven::{Proof, Proofs};
use super::undone::{Messages, Undone};
use crate::cli::load::Loaded;

/// Moves of one service or of all, newest first.
#[derive(Debug)]
pub(super) struct HistoryEntries {
    /// The cluster that was asked what it has verified; none where none was.
    pub(super) cluster: Option<String>,
    pub(super) total: usize,
    pub(super) moves: Vec<HistoryEntry>,
}

#[derive(Debug)]
pub(super) struct HistoryEntry {
    pub(super) service: ServiceName,
    pub(super) one: Move,
    pub(super) proven: Option<Proof>,
    /// What its commit takes back.
    pub(super) undoes: Option<Undone>,
}

impl HistoryEntries {
    pub(super) fn new(
        loaded: &Loaded,
        service: Option<&ServiceName>,
        limit: usize,
        mut proofs: Option<Proofs>,
    ) -> Self {
        let all = moves_newest_first(&loaded.history, &loaded.at.reading.pins, service);
        let (total, cluster) = (all.len(), proofs.as_ref().map(|proofs| proofs.cluster.clone()));
        let mut messages = Messages::of(loaded);
        let entry = |(service, one): (&ServiceName, Move)| {
            let proven = proofs.as_mut().and_then(|proofs| proofs.take(&loaded.source, service, &one));
            HistoryEntry { service: service.clone(), proven, undoes: messages.undone(&one.commit), one }
        };
        Self { cluster, total, moves: all.into_iter().take(limit).map(entry).collect() }
    }
}

//! The moves that are shown, each with what its commit takes back and with what the cluster has verified of it.

use pintle_core::change::{PinMove, moves_newest_first};
use pintle_core::pins::ServiceName;

use super::proven::{ClusterProofs, PinProof};
use super::undone::{MessageReader, UndoneCommits};
use crate::cli::load::LoadedRevision;

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
    pub(super) one: PinMove,
    pub(super) proven: Option<PinProof>,
    /// What its commit takes back.
    pub(super) undoes: Option<UndoneCommits>,
}

impl HistoryEntries {
    pub(super) fn new(
        loaded: &LoadedRevision,
        service: Option<&ServiceName>,
        limit: usize,
        mut proofs: Option<ClusterProofs>,
    ) -> Self {
        let all = moves_newest_first(&loaded.history, &loaded.revision.reading.pins, service);
        let (total, cluster) = (all.len(), proofs.as_ref().map(|proofs| proofs.cluster.clone()));
        let mut messages = MessageReader::of(loaded);
        let entry = |(service, one): (&ServiceName, PinMove)| {
            let proven = proofs.as_mut().and_then(|proofs| proofs.take(&loaded.source, service, &one));
            HistoryEntry { service: service.clone(), proven, undoes: messages.undone(&one.commit), one }
        };
        Self { cluster, total, moves: all.into_iter().take(limit).map(entry).collect() }
    }
}

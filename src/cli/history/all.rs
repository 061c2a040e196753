//! The last commits that moved pins, across services.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::proven::{Proof, Proofs};
use super::word;
use crate::change::{Move, line};
use crate::cli::load::Loaded;
use crate::cli::output::{DIM, NAME};
use crate::cli::shown::{ShownCommit, ShownKind};
use crate::cli::table::{Cell, Head, Table};
use crate::cli::words::{author, when};
use crate::graph::order_of;
use crate::pins::ServiceName;
use crate::version::Version;

/// The last moves, newest first; also `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Last {
    /// The cluster that was asked what it has verified; not there where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    total: usize,
    moves: Vec<Shown>,
    #[serde(skip)]
    from: Vec<(ServiceName, Move)>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    service: ServiceName,
    from: Option<Version>,
    to: Option<Version>,
    #[serde(flatten)]
    kind: ShownKind,
    commit: ShownCommit,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven: Option<Proof>,
}

impl Last {
    /// The last moves of all services.
    pub(super) fn of(loaded: &Loaded, limit: usize, mut proofs: Option<Proofs>) -> Self {
        let history = &loaded.history;
        let mut all = Vec::new();
        // Their moves are told as those of their later names.
        let earlier: BTreeSet<&ServiceName> =
            loaded.at.reading.pins.services.values().filter_map(|service| service.formerly.as_ref()).collect();
        for (name, records) in history.services().filter(|(name, _)| !earlier.contains(name)) {
            let service = loaded.at.reading.pins.services.get(name);
            let order = service.map_or_else(|| history.order(name, None), |service| order_of(service, history));
            let moves = line(records, &order).into_iter().zip(records);
            all.extend(moves.map(|(one, record)| (record.position, name, one)));
        }
        all.sort_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
        let total = all.len();
        let from: Vec<_> = all.into_iter().take(limit).map(|(_, name, one)| (name.clone(), one)).collect();
        let cluster = proofs.as_ref().map(|proofs| proofs.cluster.clone());
        let mut proof = |name: &ServiceName, one: &Move| proofs.as_mut()?.take(&loaded.source, name, one);
        let moves = from.iter().map(|(name, one)| Shown::of(name, one, proof(name, one))).collect();
        Self { cluster, total, moves, from }
    }

    /// How many there are beyond the limit.
    pub(super) fn more(&self) -> usize {
        self.total - self.moves.len()
    }

    /// For people.
    pub(super) fn table(&self, now: Timestamp) -> Table {
        let mut heads = vec![Head::whole("COMMIT"), Head::whole("WHEN (UTC)"), Head::cut("AUTHOR")];
        heads.extend([Head::whole("SERVICE"), Head::whole("FROM"), Head::whole("TO"), Head::whole("MOVE")]);
        heads.extend(self.cluster.as_ref().map(|_| Head::whole("PROVEN")));
        let mut table = Table::new(heads);
        for ((name, one), shown) in self.from.iter().zip(&self.moves) {
            let version = |version: &Option<Version>| version.as_ref().map_or("-", Version::as_str).to_owned();
            let commit = &one.commit;
            let mut row = vec![
                commit.id.short().into(),
                when(commit.time).into(),
                author(commit).into(),
                Cell::new(NAME, name.as_str()),
                Cell::new(DIM, version(&shown.from)),
                version(&shown.to).into(),
                word(one.kind),
            ];
            row.extend(self.cluster.as_ref().map(|_| Proof::cell(shown.proven, now)));
            table.row(row);
        }
        table
    }
}

impl Shown {
    fn of(service: &ServiceName, one: &Move, proven: Option<Proof>) -> Self {
        Self {
            service: service.clone(),
            from: one.from.as_ref().map(|pin| pin.version.clone()),
            to: one.to.as_ref().map(|pin| pin.version.clone()),
            kind: ShownKind::of(one.kind),
            commit: ShownCommit::of(&one.commit),
            proven,
        }
    }
}

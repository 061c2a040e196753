//! Each pin that one service had.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::proven::{Proof, Proofs};
use super::word;
use crate::change::{ChangeKind, Move, line};
use crate::cli::load::Loaded;
use crate::cli::output::{DIM, NAME};
use crate::cli::shown::{ShownCommit, ShownKind, ShownNeed};
use crate::cli::table::{Cell, Head, Table};
use crate::cli::words::{author, how_long, image_moved, need_moved, when};
use crate::graph::order_of;
use crate::pins::ServiceName;
use crate::problem::display_safe;
use crate::version::Version;

/// The moves of one service, newest first; also `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    service: ServiceName,
    /// The cluster that was asked what it has verified; not there where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    total: usize,
    pins: Vec<Shown>,
    #[serde(skip)]
    moves: Vec<Move>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    version: Option<Version>,
    image: Option<String>,
    from: Option<Version>,
    #[serde(flatten)]
    kind: ShownKind,
    needs: Vec<ShownNeed>,
    commit: ShownCommit,
    until: Option<ShownCommit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven: Option<Proof>,
}

impl Line {
    /// The last moves of a service.
    pub(super) fn of(loaded: &Loaded, name: &ServiceName, limit: usize, mut proofs: Option<Proofs>) -> Self {
        let service = loaded.at.reading.pins.services.get(name);
        let order =
            service.map_or_else(|| loaded.history.order(name, None), |service| order_of(service, &loaded.history));
        let mut moves = line(loaded.history.records(name), &order);
        let total = moves.len();
        moves.reverse();
        moves.truncate(limit);
        let cluster = proofs.as_ref().map(|proofs| proofs.cluster.clone());
        let mut proof = |one: &Move| proofs.as_mut()?.take(&loaded.source, name, one);
        let pins = moves.iter().map(|one| Shown::of(one, proof(one))).collect();
        Self { service: name.clone(), cluster, total, pins, moves }
    }

    /// How many there are beyond the limit.
    pub(super) fn more(&self) -> usize {
        self.total - self.moves.len()
    }

    /// For people.
    pub(super) fn table(&self, now: Timestamp) -> Table {
        let mut heads = vec![Head::whole("VERSION"), Head::whole("MOVE"), Head::whole("COMMIT"), Head::cut("AUTHOR")];
        heads.extend([Head::whole("WHEN (UTC)"), Head::whole("STOOD")]);
        heads.extend(self.cluster.as_ref().map(|_| Head::whole("PROVEN")));
        heads.push(Head::cut("SUBJECT"));
        let mut table = Table::new(heads);
        for (one, shown) in self.moves.iter().zip(&self.pins) {
            let version = one.to.as_ref().map_or(Cell::new(DIM, "none"), |pin| Cell::new(NAME, pin.version.as_str()));
            let commit = &one.commit;
            let mut row = vec![version, word(one.kind), commit.id.short().into(), author(commit).into()];
            row.extend([when(commit.time).into(), stood(one, now)]);
            row.extend(self.cluster.as_ref().map(|_| Proof::cell(shown.proven, now)));
            row.push(Cell::new(DIM, display_safe(&commit.subject, 100)));
            table.row(row);
            if let (Some(from), Some(to), Some(ChangeKind::Image)) = (&one.from, &one.to, one.kind) {
                table.note(Cell::new(DIM, image_moved(&from.image, &to.image)));
            }
            for needs in &one.needs {
                table.note(Cell::new(DIM, need_moved(needs)));
            }
        }
        table
    }
}

impl Shown {
    fn of(one: &Move, proven: Option<Proof>) -> Self {
        let version = |pin: &Option<Arc<crate::pins::Pin>>| pin.as_ref().map(|pin| pin.version.clone());
        Self {
            version: version(&one.to),
            image: one.to.as_ref().map(|pin| pin.image.to_string()),
            from: version(&one.from),
            kind: ShownKind::of(one.kind),
            needs: one.needs.iter().map(ShownNeed::of).collect(),
            commit: ShownCommit::of(&one.commit),
            until: one.until.as_deref().map(ShownCommit::of),
            proven,
        }
    }
}

/// How long it was pinned; commits carry the time of whoever made them, so it can only be told, not computed with.
fn stood(one: &Move, now: Timestamp) -> Cell {
    let lasted = |until: Timestamp| how_long(until.duration_since(one.commit.time).max(SignedDuration::ZERO));
    match &one.until {
        Some(until) => lasted(until.time).into(),
        None if one.stands() => Cell::new(NAME, format!("{} so far", lasted(now))),
        None => "".into(),
    }
}

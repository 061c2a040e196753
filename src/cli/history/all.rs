//! The last commits that moved pins, across services.

use jiff::Timestamp;
use pintle_core::git::Commit;
use pintle_core::pins::ServiceName;
use pintle_core::version::Version;
use serde::Serialize;

use super::entries::{HistoryEntries, HistoryEntry};
use super::proven::Proof;
use super::undone::Undone;
use super::word;
use crate::cli::output::{DIM, NAME};
use crate::cli::shown::ShownKind;
use crate::cli::table::{Cell, Head, Table};
use crate::cli::words::{author, when};

/// `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryJson<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'t str>,
    total: usize,
    moves: Vec<MoveJson<'t>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MoveJson<'t> {
    service: &'t ServiceName,
    from: Option<&'t Version>,
    to: Option<&'t Version>,
    #[serde(flatten)]
    kind: ShownKind,
    commit: &'t Commit,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'t Undone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven: Option<Proof>,
}

impl<'t> HistoryJson<'t> {
    /// What is told of them.
    pub(super) fn new(entries: &'t HistoryEntries) -> Self {
        let shown = |HistoryEntry { service, one, proven, undoes }: &'t HistoryEntry| MoveJson {
            service,
            from: one.from.as_ref().map(|pin| &pin.version),
            to: one.to.as_ref().map(|pin| &pin.version),
            kind: ShownKind::of(one.kind),
            commit: &one.commit,
            undoes: undoes.as_ref(),
            proven: *proven,
        };
        Self {
            cluster: entries.cluster.as_deref(),
            total: entries.total,
            moves: entries.moves.iter().map(shown).collect(),
        }
    }
}

/// For people.
pub(super) fn table(entries: &HistoryEntries, now: Timestamp) -> Table {
    let mut heads = vec![Head::whole("COMMIT"), Head::whole("WHEN (UTC)"), Head::cut("AUTHOR")];
    heads.extend([Head::whole("SERVICE"), Head::whole("FROM"), Head::whole("TO"), Head::whole("MOVE")]);
    heads.extend(entries.cluster.as_ref().map(|_| Head::whole("PROVEN")));
    let mut table = Table::new(heads);
    let mut moves = entries.moves.iter().peekable();
    while let Some(HistoryEntry { service, one, proven, undoes }) = moves.next() {
        let [from, to] = [&one.from, &one.to].map(|pin| pin.as_ref().map_or("-", |pin| pin.version.as_str()));
        let commit = &one.commit;
        let mut row = vec![commit.id.short().into(), when(commit.time).into(), author(commit).into()];
        row.extend([Cell::new(NAME, service.as_str()), Cell::new(DIM, from), to.into(), word(one.kind)]);
        row.extend(entries.cluster.as_ref().map(|_| Proof::cell(*proven, now)));
        table.row(row);
        // Once for the whole commit.
        let is_last = moves.peek().is_none_or(|next| next.one.commit.id != one.commit.id);
        if let Some(undoes) = undoes.as_ref().filter(|_| is_last) {
            table.note(Cell::new(DIM, undoes.in_words()));
        }
    }
    table
}

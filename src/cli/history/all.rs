//! The last commits that moved pins, across services.

use jiff::Timestamp;
use pintle_core::git::Commit;
use pintle_core::pins::ServiceName;
use pintle_core::version::Version;
use serde::Serialize;

use super::change_cell;
use super::entries::{HistoryEntries, HistoryEntry};
use super::proven::PinProof;
use super::undone::UndoneCommits;
use crate::cli::output::{DIM_STYLE, NAME_STYLE};
use crate::cli::shown::ChangeKindJson;
use crate::cli::table::{ColumnHead, Table, TableCell};
use crate::cli::words::{author_name, utc_minute};

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
    kind: ChangeKindJson,
    commit: &'t Commit,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'t UndoneCommits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven: Option<PinProof>,
}

impl<'t> HistoryJson<'t> {
    /// What is told of them.
    pub(super) fn new(entries: &'t HistoryEntries) -> Self {
        let shown = |HistoryEntry { service, one, proven, undoes }: &'t HistoryEntry| MoveJson {
            service,
            from: one.from.as_ref().map(|pin| &pin.version),
            to: one.to.as_ref().map(|pin| &pin.version),
            kind: ChangeKindJson::of(one.kind),
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
    let mut heads = vec![ColumnHead::fixed("COMMIT"), ColumnHead::fixed("WHEN (UTC)"), ColumnHead::cut("AUTHOR")];
    heads.extend([
        ColumnHead::fixed("SERVICE"),
        ColumnHead::fixed("FROM"),
        ColumnHead::fixed("TO"),
        ColumnHead::fixed("MOVE"),
    ]);
    heads.extend(entries.cluster.as_ref().map(|_| ColumnHead::fixed("PROVEN")));
    let mut table = Table::new(heads);
    let mut moves = entries.moves.iter().peekable();
    while let Some(HistoryEntry { service, one, proven, undoes }) = moves.next() {
        let [from, to] = [&one.from, &one.to].map(|pin| pin.as_ref().map_or("-", |pin| pin.version.as_str()));
        let commit = &one.commit;
        let mut row = vec![commit.id.short().into(), utc_minute(commit.time).into(), author_name(commit).into()];
        row.extend([
            TableCell::new(NAME_STYLE, service.as_str()),
            TableCell::new(DIM_STYLE, from),
            to.into(),
            change_cell(one.kind),
        ]);
        row.extend(entries.cluster.as_ref().map(|_| PinProof::cell(*proven, now)));
        table.row(row);
        // Once for the whole commit.
        let is_last = moves.peek().is_none_or(|next| next.one.commit.id != one.commit.id);
        if let Some(undoes) = undoes.as_ref().filter(|_| is_last) {
            table.note(TableCell::new(DIM_STYLE, undoes.in_words()));
        }
    }
    table
}

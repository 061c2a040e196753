//! Each pin that one service had.

use jiff::{SignedDuration, Timestamp};
use pintle_core::change::{ChangeKind, PinMove};
use pintle_core::git::Commit;
use pintle_core::image::Image;
use pintle_core::pins::ServiceName;
use pintle_core::problem::display_safe;
use pintle_core::version::Version;
use serde::Serialize;

use super::change_cell;
use super::entries::{HistoryEntries, HistoryEntry};
use super::proven::PinProof;
use super::undone::UndoneCommits;
use crate::cli::output::{DIM_STYLE, NAME_STYLE};
use crate::cli::shown::{ChangeKindJson, NeedMoveJson};
use crate::cli::table::{ColumnHead, Table, TableCell};
use crate::cli::words::{author_name, image_move_text, need_move_text, short_duration, utc_minute};

/// `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceHistoryJson<'t> {
    service: &'t ServiceName,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'t str>,
    total: usize,
    pins: Vec<PinJson<'t>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PinJson<'t> {
    version: Option<&'t Version>,
    image: Option<&'t Image>,
    from: Option<&'t Version>,
    #[serde(flatten)]
    kind: ChangeKindJson,
    needs: Vec<NeedMoveJson>,
    commit: &'t Commit,
    until: Option<&'t Commit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'t UndoneCommits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven: Option<PinProof>,
}

impl<'t> ServiceHistoryJson<'t> {
    /// What is told of them.
    pub(super) fn new(service: &'t ServiceName, entries: &'t HistoryEntries) -> Self {
        let shown = |HistoryEntry { one, proven, undoes, .. }: &'t HistoryEntry| PinJson {
            version: one.to.as_ref().map(|pin| &pin.version),
            image: one.to.as_ref().map(|pin| &pin.image),
            from: one.from.as_ref().map(|pin| &pin.version),
            kind: ChangeKindJson::of(one.kind),
            needs: one.need_changes.iter().map(NeedMoveJson::of).collect(),
            commit: &one.commit,
            until: one.superseded_by.as_deref(),
            undoes: undoes.as_ref(),
            proven: *proven,
        };
        let pins = entries.moves.iter().map(shown).collect();
        Self { service, cluster: entries.cluster.as_deref(), total: entries.total, pins }
    }
}

/// For people.
pub(super) fn table(entries: &HistoryEntries, now: Timestamp) -> Table {
    let mut heads = vec![
        ColumnHead::fixed("VERSION"),
        ColumnHead::fixed("MOVE"),
        ColumnHead::fixed("COMMIT"),
        ColumnHead::cut("AUTHOR"),
    ];
    heads.extend([ColumnHead::fixed("WHEN (UTC)"), ColumnHead::fixed("STOOD")]);
    heads.extend(entries.cluster.as_ref().map(|_| ColumnHead::fixed("PROVEN")));
    heads.push(ColumnHead::cut("SUBJECT"));
    let mut table = Table::new(heads);
    for HistoryEntry { one, proven, undoes, .. } in &entries.moves {
        let version = one
            .to
            .as_ref()
            .map_or(TableCell::new(DIM_STYLE, "none"), |pin| TableCell::new(NAME_STYLE, pin.version.as_str()));
        let commit = &one.commit;
        let mut row = vec![version, change_cell(one.kind), commit.id.short().into(), author_name(commit).into()];
        row.extend([utc_minute(commit.time).into(), stood(one, now)]);
        row.extend(entries.cluster.as_ref().map(|_| PinProof::cell(*proven, now)));
        row.push(TableCell::new(DIM_STYLE, display_safe(&commit.subject, 100)));
        table.row(row);
        if let Some(undoes) = undoes {
            table.note(TableCell::new(DIM_STYLE, undoes.in_words()));
        }
        if let (Some(from), Some(to), Some(ChangeKind::Image)) = (&one.from, &one.to, one.kind) {
            table.note(TableCell::new(DIM_STYLE, image_move_text(&from.image, &to.image)));
        }
        for needs in &one.need_changes {
            table.note(TableCell::new(DIM_STYLE, need_move_text(needs)));
        }
    }
    table
}

/// How long it was pinned; commits carry the time of whoever made them, so it can only be told, not computed with.
fn stood(one: &PinMove, now: Timestamp) -> TableCell {
    let lasted = |until: Timestamp| short_duration(until.duration_since(one.commit.time).max(SignedDuration::ZERO));
    match &one.superseded_by {
        Some(until) => lasted(until.time).into(),
        None if one.is_current() => TableCell::new(NAME_STYLE, format!("{} so far", lasted(now))),
        None => "".into(),
    }
}

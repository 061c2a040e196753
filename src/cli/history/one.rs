//! Each pin that one service had.

use jiff::{SignedDuration, Timestamp};
use pintle_core::change::{ChangeKind, Move};
use pintle_core::git::Commit;
use pintle_core::image::Image;
use pintle_core::pins::ServiceName;
use pintle_core::problem::display_safe;
use pintle_core::version::Version;
use serde::Serialize;

use super::entries::{HistoryEntries, HistoryEntry};
use super::proven::Proof;
use super::undone::Undone;
use super::word;
use crate::cli::output::{DIM, NAME};
use crate::cli::shown::{ShownKind, ShownNeed};
use crate::cli::table::{Cell, Head, Table};
use crate::cli::words::{author, how_long, image_moved, need_moved, when};

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
    kind: ShownKind,
    needs: Vec<ShownNeed>,
    commit: &'t Commit,
    until: Option<&'t Commit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'t Undone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven: Option<Proof>,
}

impl<'t> ServiceHistoryJson<'t> {
    /// What is told of them.
    pub(super) fn new(service: &'t ServiceName, entries: &'t HistoryEntries) -> Self {
        let shown = |HistoryEntry { one, proven, undoes, .. }: &'t HistoryEntry| PinJson {
            version: one.to.as_ref().map(|pin| &pin.version),
            image: one.to.as_ref().map(|pin| &pin.image),
            from: one.from.as_ref().map(|pin| &pin.version),
            kind: ShownKind::of(one.kind),
            needs: one.needs.iter().map(ShownNeed::of).collect(),
            commit: &one.commit,
            until: one.until.as_deref(),
            undoes: undoes.as_ref(),
            proven: *proven,
        };
        let pins = entries.moves.iter().map(shown).collect();
        Self { service, cluster: entries.cluster.as_deref(), total: entries.total, pins }
    }
}

/// For people.
pub(super) fn table(entries: &HistoryEntries, now: Timestamp) -> Table {
    let mut heads = vec![Head::whole("VERSION"), Head::whole("MOVE"), Head::whole("COMMIT"), Head::cut("AUTHOR")];
    heads.extend([Head::whole("WHEN (UTC)"), Head::whole("STOOD")]);
    heads.extend(entries.cluster.as_ref().map(|_| Head::whole("PROVEN")));
    heads.push(Head::cut("SUBJECT"));
    let mut table = Table::new(heads);
    for HistoryEntry { one, proven, undoes, .. } in &entries.moves {
        let version = one.to.as_ref().map_or(Cell::new(DIM, "none"), |pin| Cell::new(NAME, pin.version.as_str()));
        let commit = &one.commit;
        let mut row = vec![version, word(one.kind), commit.id.short().into(), author(commit).into()];
        row.extend([when(commit.time).into(), stood(one, now)]);
        row.extend(entries.cluster.as_ref().map(|_| Proof::cell(*proven, now)));
        row.push(Cell::new(DIM, display_safe(&commit.subject, 100)));
        table.row(row);
        if let Some(undoes) = undoes {
            table.note(Cell::new(DIM, undoes.in_words()));
        }
        if let (Some(from), Some(to), Some(ChangeKind::Image)) = (&one.from, &one.to, one.kind) {
            table.note(Cell::new(DIM, image_moved(&from.image, &to.image)));
        }
        for needs in &one.needs {
            table.note(Cell::new(DIM, need_moved(needs)));
        }
    }
    table
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

//! The table of a status, and the words about the one writer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::Timestamp;
use pintle_core::git::CommitId;
use pintle_core::verify::HealthStatus;

use super::StatusRow;
use crate::cli::output::{BAD_STYLE, BUSY_STYLE, GOOD_STYLE, NAME_STYLE};
use crate::cli::table::{ColumnHead, Table, TableCell};
use crate::cli::words::short_duration;
use crate::cluster::LeaseHolder;

/// What is in the way of several services: it is told once, for all of them.
pub(super) fn shared(rows: &[StatusRow]) -> BTreeMap<&str, Vec<&str>> {
    let mut shared: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.is_obstructed) {
        shared.entry(row.why.as_ref().map_or("", |why| &why.brief)).or_default().push(&row.service);
    }
    shared.retain(|_, services| services.len() > 1);
    shared
}

pub(super) fn table(rows: &[StatusRow], shared: &BTreeMap<&str, Vec<&str>>, now: Timestamp) -> Table {
    let namespaces: BTreeSet<_> = rows.iter().filter_map(|row| row.namespace.as_ref()).collect();
    let several = namespaces.len() > 1;
    let mut heads = vec![ColumnHead::fixed("SERVICE")];
    heads.extend(several.then_some(ColumnHead::fixed("NAMESPACE")));
    heads.extend(["PINNED", "RUNS", "HEALTH", "VERIFIED"].map(ColumnHead::fixed));
    let mut table = Table::new(heads);
    for row in rows {
        let style = match (row.in_sync, row.health) {
            (_, HealthStatus::Degraded | HealthStatus::Missing) => BAD_STYLE,
            (true, HealthStatus::Healthy) => GOOD_STYLE,
            _ => BUSY_STYLE,
        };
        let age = row.since.map(|since| short_duration(now.duration_since(since)) + " ago");
        let or = |text: Option<&str>, otherwise: &str| text.unwrap_or(otherwise).to_owned();
        let mut cells = vec![TableCell::new(NAME_STYLE, row.service.as_str())];
        cells.extend(several.then(|| TableCell::from(or(row.namespace.as_deref(), "?"))));
        cells.extend([or(row.pinned.as_deref(), "?").into(), TableCell::new(style, row.runs.as_str())]);
        cells.extend([TableCell::new(style, format!("{:?}", row.health)), or(age.as_deref(), "-").into()]);
        table.row(cells);
        if let Some(why) = row.why.as_ref().filter(|why| !shared.contains_key(why.brief.as_str())) {
            table.note(&why.brief);
        }
    }
    table
}

/// Who keeps it so, and how old its snapshot is.
pub(super) fn writer_words(writer: Option<&LeaseHolder>, tip: CommitId, now: Timestamp) -> String {
    let Some(LeaseHolder { holder, status: says, .. }) = writer else {
        return "No pintle run is at work: nothing is corrected until the next pintle apply".to_owned();
    };
    let ago = |time: Timestamp| short_duration(now.duration_since(time)) + " ago";
    if let Some(renewed) = writer.and_then(|writer| writer.silent_since(now)) {
        return format!("{holder} has given no sign of life since {}: nothing is corrected", ago(renewed));
    }
    let Some(says) = says else { return format!("{holder} is the one writer") };
    let mut words = match says.revision {
        Some(revision) if revision == tip => format!("{holder} keeps it so, at {}", revision.short()),
        Some(revision) => format!("{holder} is at {}, this is {}", revision.short(), tip.short()),
        None => format!("{holder} begins"),
    };
    words.extend(match (&says.repository_error, says.repository_answered_at) {
        (Some(why), Some(asked)) => Some(format!("; the repository last answered it {}: {why}", ago(asked))),
        (Some(why), None) => Some(format!("; the repository does not answer it: {why}")),
        (None, asked) => asked.map(|asked| format!("; it asked the repository {}", ago(asked))),
    });
    words.extend(says.held.as_ref().map(|why| format!("; it holds everything: {why}")));
    for (service, why) in &says.refused {
        let _ = write!(words, "\n{service} was refused to it: {why}");
    }
    words
}

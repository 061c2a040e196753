//! The pins and needs that moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pintle_core::change::{ChangeKind, ServiceChange};
use pintle_core::git::Commit;
use pintle_core::image::Image;
use pintle_core::pins::{Pin, Service, ServiceName};
use pintle_core::version::Version;
use serde::{Serialize, Serializer};

use super::text::{FileDiff, file_diffs};
use crate::cli::history::change_cell;
use crate::cli::load::Revision;
use crate::cli::output::{BUSY_STYLE, DIM_STYLE, NAME_STYLE, Output, counted, styled};
use crate::cli::shown::{ChangeKindJson, NeedMoveJson};
use crate::cli::table::{ColumnHead, Table, TableCell};
use crate::cli::words::{image_move_text, need_move_text};

/// What moved between two revisions; also `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiffReport {
    from: Option<Arc<Commit>>,
    to: Option<Arc<Commit>>,
    #[serde(serialize_with = "shown")]
    moved: Vec<ServiceChange>,
    /// Services that one of the revisions has with errors: how they moved is not known.
    unreadable: BTreeSet<ServiceName>,
    files: Vec<FileDiff>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MovedPinJson<'m> {
    service: &'m ServiceName,
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_from: Option<&'m ServiceName>,
    #[serde(flatten)]
    kind: ChangeKindJson,
    from: Option<PinJson<'m>>,
    to: Option<PinJson<'m>>,
    needs: Vec<NeedMoveJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PinJson<'m> {
    version: &'m Version,
    image: &'m Image,
}

impl DiffReport {
    pub(super) fn of(old: &Revision, new: &Revision, moved: Vec<ServiceChange>) -> Self {
        let broken = [old, new].into_iter().flat_map(|revision| revision.reading.pins.broken.keys().cloned());
        Self {
            from: old.commit.clone(),
            to: new.commit.clone(),
            unreadable: broken.collect(),
            files: file_diffs([&old.files, &new.files], &moved, true),
            moved,
        }
    }

    /// For people.
    pub(super) fn print(&self, output: &mut Output) {
        let moved = &self.moved;
        if moved.is_empty() && self.files.is_empty() && self.unreadable.is_empty() {
            output.line("Nothing moved.");
            return;
        }
        if !moved.is_empty() {
            table(moved).print(output);
            output.line(format_args!("\n{}", summary(moved)));
        }
        if !moved.is_empty() && !self.unreadable.is_empty() {
            output.line("");
        }
        for name in &self.unreadable {
            let note = styled(BUSY_STYLE, "has errors in one of the revisions: how it moved is not known");
            output.line(format_args!("{} {note}", styled(NAME_STYLE, name)));
        }
        let mut was_long = true;
        for file in &self.files {
            if file.is_long() || was_long {
                output.line("");
            }
            was_long = file.is_long();
            file.print(output);
        }
    }
}

fn shown<S: Serializer>(moved: &[ServiceChange], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(moved.iter().map(MovedPinJson::of))
}

impl<'m> MovedPinJson<'m> {
    fn of(moved: &'m ServiceChange) -> Self {
        let end = |service: &'m Option<Service>| {
            let Pin { version, image, .. } = &service.as_ref()?.pin;
            Some(PinJson { version, image })
        };
        let kind = match (&moved.renamed_from, moved.kind) {
            (Some(_), None) => ChangeKindJson::RENAME,
            (_, kind) => ChangeKindJson::of(kind),
        };
        Self {
            service: &moved.name,
            renamed_from: moved.renamed_from.as_ref(),
            kind,
            from: end(&moved.from),
            to: end(&moved.to),
            needs: moved.need_changes.iter().map(NeedMoveJson::of).collect(),
        }
    }
}

fn table(moved: &[ServiceChange]) -> Table {
    let mut table = Table::new(vec![
        ColumnHead::fixed("SERVICE"),
        ColumnHead::fixed("FROM"),
        ColumnHead::fixed("TO"),
        ColumnHead::fixed("MOVE"),
    ]);
    for one in moved {
        let pins = [&one.from, &one.to].map(|service| service.as_ref().map(|service| &service.pin));
        let versions = pins.map(|pin| pin.map_or("-", |pin| pin.version.as_str()).to_owned());
        let [from, to] = versions;
        let kind = match (&one.renamed_from, one.kind) {
            (Some(_), None) => TableCell::from("rename"),
            (_, kind) => change_cell(kind),
        };
        table.row(vec![
            TableCell::new(NAME_STYLE, one.name.as_str()),
            TableCell::new(DIM_STYLE, from),
            to.into(),
            kind,
        ]);
        if let Some(earlier) = &one.renamed_from {
            table.note(TableCell::new(DIM_STYLE, format!("was named {earlier}")));
        }
        if let ([Some(from), Some(to)], Some(ChangeKind::Image)) = (pins, one.kind) {
            table.note(TableCell::new(DIM_STYLE, image_move_text(&from.image, &to.image)));
        }
        for needs in &one.need_changes {
            table.note(TableCell::new(DIM_STYLE, need_move_text(needs)));
        }
    }
    table
}

/// `3 services: 2 upgrades, 1 return`.
fn summary(moved: &[ServiceChange]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in moved {
        let word =
            one.kind.map_or(if one.renamed_from.is_some() { "rename" } else { "change of needs" }, ChangeKind::as_str);
        *counts.entry(word).or_default() += 1;
    }
    let counts: Vec<String> = counts.into_iter().map(|(word, count)| many(count, word)).collect();
    format!("{}: {}", counted(moved.len(), "service"), counts.join(", "))
}

fn many(count: usize, word: &str) -> String {
    match word {
        "change of needs" if count > 1 => format!("{count} changes of needs"),
        _ => counted(count, word),
    }
}

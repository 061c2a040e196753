//! The pins and needs that moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pintle_core::change::{ChangeKind, Moved};
use pintle_core::git::Commit;
use pintle_core::image::Image;
use pintle_core::pins::{Pin, Service, ServiceName};
use pintle_core::version::Version;
use serde::{Serialize, Serializer};

use super::text::{FileDiff, files};
use crate::cli::history::word;
use crate::cli::load::Revision;
use crate::cli::output::{BUSY, DIM, NAME, Output, counted, styled};
use crate::cli::shown::{ShownKind, ShownNeed};
use crate::cli::table::{Cell, Head, Table};
use crate::cli::words::{image_moved, need_moved};

/// What moved between two revisions; also `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    from: Option<Arc<Commit>>,
    to: Option<Arc<Commit>>,
    #[serde(serialize_with = "shown")]
    moved: Vec<Moved>,
    /// Services that one of the revisions has with errors: how they moved is not known.
    unreadable: BTreeSet<ServiceName>,
    files: Vec<FileDiff>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'m> {
    service: &'m ServiceName,
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_from: Option<&'m ServiceName>,
    #[serde(flatten)]
    kind: ShownKind,
    from: Option<End<'m>>,
    to: Option<End<'m>>,
    needs: Vec<ShownNeed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct End<'m> {
    version: &'m Version,
    image: &'m Image,
}

impl Report {
    pub(super) fn of(old: &Revision, new: &Revision, moved: Vec<Moved>) -> Self {
        let broken = [old, new].into_iter().flat_map(|revision| revision.reading.pins.broken.keys().cloned());
        Self {
            from: old.commit.clone(),
            to: new.commit.clone(),
            unreadable: broken.collect(),
            files: files([&old.files, &new.files], &moved, true),
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
            let note = styled(BUSY, "has errors in one of the revisions: how it moved is not known");
            output.line(format_args!("{} {note}", styled(NAME, name)));
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

fn shown<S: Serializer>(moved: &[Moved], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(moved.iter().map(Shown::of))
}

impl<'m> Shown<'m> {
    fn of(moved: &'m Moved) -> Self {
        let end = |service: &'m Option<Service>| {
            let Pin { version, image, .. } = &service.as_ref()?.pin;
            Some(End { version, image })
        };
        let kind = match (&moved.renamed_from, moved.kind) {
            (Some(_), None) => ShownKind::RENAME,
            (_, kind) => ShownKind::of(kind),
        };
        Self {
            service: &moved.name,
            renamed_from: moved.renamed_from.as_ref(),
            kind,
            from: end(&moved.from),
            to: end(&moved.to),
            needs: moved.needs.iter().map(ShownNeed::of).collect(),
        }
    }
}

fn table(moved: &[Moved]) -> Table {
    let mut table =
        Table::new(vec![Head::whole("SERVICE"), Head::whole("FROM"), Head::whole("TO"), Head::whole("MOVE")]);
    for one in moved {
        let pins = [&one.from, &one.to].map(|service| service.as_ref().map(|service| &service.pin));
        let versions = pins.map(|pin| pin.map_or("-", |pin| pin.version.as_str()).to_owned());
        let [from, to] = versions;
        let kind = match (&one.renamed_from, one.kind) {
            (Some(_), None) => Cell::from("rename"),
            (_, kind) => word(kind),
        };
        table.row(vec![Cell::new(NAME, one.name.as_str()), Cell::new(DIM, from), to.into(), kind]);
        if let Some(earlier) = &one.renamed_from {
            table.note(Cell::new(DIM, format!("was named {earlier}")));
        }
        if let ([Some(from), Some(to)], Some(ChangeKind::Image)) = (pins, one.kind) {
            table.note(Cell::new(DIM, image_moved(&from.image, &to.image)));
        }
        for needs in &one.needs {
            table.note(Cell::new(DIM, need_moved(needs)));
        }
    }
    table
}

/// `3 services: 2 upgrades, 1 return`.
fn summary(moved: &[Moved]) -> String {
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

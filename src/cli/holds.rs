//! `pintle holds`: what is held, by whom, and why.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use clap::Args;
use jiff::Timestamp;
use pintle_core::pins::{HeldVersions, Hold, Service, ServiceName};
use pintle_core::problem::display_safe;
use pintle_core::version::Version;
use serde::Serialize;

use super::exit::{CommandError, CommandExit, help};
use super::load::{Revision, open_repository, warn_if_stale};
use super::output::{BUSY_STYLE, DIM_STYLE, NAME_STYLE, Output, OutputArgs};
use super::table::{ColumnHead, Table, TableCell};
use super::words::{held_text, utc_minute};
use crate::cli::config::CliConfig;

/// Show what is held, by whom, and why
#[derive(Debug, Args)]
#[command(after_help = help("pintle holds\npintle holds --output json", &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage]))]
pub(super) struct HoldsCommand {
    #[command(flatten)]
    printing: OutputArgs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HeldServiceJson<'s> {
    service: &'s ServiceName,
    pinned: &'s Version,
    held: String,
    /// The parts of that.
    #[serde(flatten)]
    versions: &'s HeldVersions,
    reason: Option<&'s str>,
    by: Option<&'s str>,
    until: Option<Timestamp>,
    /// Its time has passed; it still holds.
    overdue: bool,
}

impl HoldsCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let opened = open_repository(config)?;
        let at = Revision::read(&opened.source, &config.pin_folder, Some(opened.tip()?))?;
        warn_if_stale(opened.fetch_error.as_ref(), output);
        at.warn_if_unusable(output);
        let now = Timestamp::now();
        let services = at.reading.pins.services.values();
        let holds: Vec<HeldServiceJson<'_>> =
            services.filter_map(|service| shown(service, service.hold.as_ref()?, now)).collect();
        output.result(self.printing.output, &holds, |output| {
            if holds.is_empty() {
                output.line("Nothing is held.");
            } else {
                table(&holds).print(output);
            }
        })?;
        Ok(CommandExit::Ok)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it ends a chain of what may be absent")]
fn shown<'s>(service: &'s Service, hold: &'s Hold, now: Timestamp) -> Option<HeldServiceJson<'s>> {
    Some(HeldServiceJson {
        service: &service.name,
        pinned: &service.pin.version,
        held: held_text(&hold.versions),
        versions: &hold.versions,
        reason: hold.reason.as_deref(),
        by: hold.by.as_deref(),
        until: hold.until,
        overdue: hold.until.is_some_and(|until| until <= now),
    })
}

fn table(holds: &[HeldServiceJson<'_>]) -> Table {
    let mut table = Table::new(vec![
        ColumnHead::fixed("SERVICE"),
        ColumnHead::fixed("PINNED"),
        ColumnHead::fixed("HELD"),
        ColumnHead::fixed("UNTIL (UTC)"),
        ColumnHead::cut("BY"),
        ColumnHead::cut("REASON"),
    ]);
    for hold in holds {
        let safe = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), |text| display_safe(text, 200));
        let until = match hold.until.map(utc_minute) {
            None => TableCell::new(DIM_STYLE, "released"),
            Some(until) if hold.overdue => TableCell::new(BUSY_STYLE, format!("{until} (passed)")),
            Some(until) => until.into(),
        };
        table.row(vec![
            TableCell::new(NAME_STYLE, hold.service.as_str()),
            hold.pinned.as_str().into(),
            hold.held.as_str().into(),
            until,
            safe(hold.by).into(),
            safe(hold.reason).into(),
        ]);
    }
    table
}

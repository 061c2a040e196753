//! `pintle holds`: what is held, by whom, and why.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use clap::Args;
use jiff::Timestamp;
use pintle_core::pins::{Held, Hold, Service, ServiceName};
use pintle_core::problem::display_safe;
use pintle_core::version::Version;
use serde::Serialize;

use super::exit::{Exit, Failure, help};
use super::load::{Revision, open, say_stale};
use super::output::{BUSY, DIM, NAME, Output, Printing};
use super::table::{Cell, Head, Table};
use super::words::{held, when};
use crate::cli::config::Config;

/// Show what is held, by whom, and why
#[derive(Debug, Args)]
#[command(after_help = help("pintle holds\npintle holds --output json", &[Exit::Ok, Exit::Error, Exit::Usage]))]
pub(super) struct Holds {
    #[command(flatten)]
    printing: Printing,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'s> {
    service: &'s ServiceName,
    pinned: &'s Version,
    held: String,
    /// The parts of that.
    #[serde(flatten)]
    versions: &'s Held,
    reason: Option<&'s str>,
    by: Option<&'s str>,
    until: Option<Timestamp>,
    /// Its time has passed; it still holds.
    overdue: bool,
}

impl Holds {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let opened = open(config)?;
        let at = Revision::read(&opened.source, &config.root, Some(opened.tip()?))?;
        say_stale(opened.stale.as_ref(), output);
        at.warn(output);
        let now = Timestamp::now();
        let services = at.reading.pins.services.values();
        let holds: Vec<Shown<'_>> =
            services.filter_map(|service| shown(service, service.hold.as_ref()?, now)).collect();
        output.result(self.printing.output, &holds, |output| {
            if holds.is_empty() {
                output.line("Nothing is held.");
            } else {
                table(&holds).print(output);
            }
        })?;
        Ok(Exit::Ok)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it ends a chain of what may be absent")]
fn shown<'s>(service: &'s Service, hold: &'s Hold, now: Timestamp) -> Option<Shown<'s>> {
    Some(Shown {
        service: &service.name,
        pinned: &service.pin.version,
        held: held(&hold.versions),
        versions: &hold.versions,
        reason: hold.reason.as_deref(),
        by: hold.by.as_deref(),
        until: hold.until,
        overdue: hold.until.is_some_and(|until| until <= now),
    })
}

fn table(holds: &[Shown<'_>]) -> Table {
    let mut table = Table::new(vec![
        Head::whole("SERVICE"),
        Head::whole("PINNED"),
        Head::whole("HELD"),
        Head::whole("UNTIL (UTC)"),
        Head::cut("BY"),
        Head::cut("REASON"),
    ]);
    for hold in holds {
        let safe = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), |text| display_safe(text, 200));
        let until = match hold.until.map(when) {
            None => Cell::new(DIM, "released"),
            Some(until) if hold.overdue => Cell::new(BUSY, format!("{until} (passed)")),
            Some(until) => until.into(),
        };
        table.row(vec![
            Cell::new(NAME, hold.service.as_str()),
            hold.pinned.as_str().into(),
            hold.held.as_str().into(),
            until,
            safe(hold.by).into(),
            safe(hold.reason).into(),
        ]);
    }
    table
}

//! Alarms and suspects for people.

use jiff::Timestamp;

use super::report::{SuspectReport, SuspectsReport};
use crate::cli::output::{BAD, BUSY, DIM, NAME, Output, counted, styled};
use crate::cli::plan::text::described;
use crate::cli::words::how_long;

/// So many suspects are shown; a program is told all.
const SHOWN: usize = 10;

pub(super) fn print(report: &SuspectsReport, now: Timestamp, output: &mut Output) {
    let SuspectsReport { cluster, since, services, alarms, suspects } = report;
    if alarms.is_empty() && cluster.is_some() {
        output.line(format_args!("Nothing alarms: {} as they should be.", counted(*services, "service")));
        return;
    }
    if !alarms.is_empty() {
        output.line("Alarms");
    }
    for it in alarms {
        output.line(format_args!(
            "  {} {}{} {}",
            styled(BAD, "!"),
            styled(NAME, &it.service),
            if it.is_absent { String::new() } else { format!(" {}", it.runs) },
            it.why.brief
        ));
    }
    if suspects.is_empty() {
        let when = if since.is_some() { "then" } else { "they were well" };
        output.line(match alarms[..] {
            [] => "No cluster says what alarms, and nothing has changed.".to_owned(),
            _ => format!("\nNothing that they depend on has changed since {when}: look at what they run on."),
        });
        return;
    }
    output.line(match alarms[..] {
        [] => "No cluster says what alarms. Changed, the newest first",
        _ => "\nSuspects, the likeliest first",
    });
    for (number, it) in suspects.iter().take(SHOWN).enumerate() {
        suspect(number + 1, it, now, output);
    }
    if suspects.len() > SHOWN {
        output.line(format_args!("  and {} more", suspects.len() - SHOWN));
    }
}

fn suspect(number: usize, it: &SuspectReport, now: Timestamp, output: &mut Output) {
    let arrow = styled(BUSY, format_args!("{} -> {}", it.from, it.to));
    let by = it.commit.as_ref().map_or_else(|| "by hand".to_owned(), |commit| format!("by {}", described(commit)));
    let ago = how_long(now.duration_since(it.changed));
    output.line(format_args!("  {number} {}  {arrow}  {ago} ago, {by}", styled(NAME, &it.service)));
    for why in &it.why {
        output.line(format_args!("      {}", styled(DIM, why)));
    }
    match &it.command {
        Some(command) => output.line(format_args!("      {command}")),
        None => output.line(format_args!("      {}", styled(DIM, "it is its first pin: there is none to go back to"))),
    }
}

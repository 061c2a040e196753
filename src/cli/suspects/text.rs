//! Alarms and suspects for people.

use jiff::Timestamp;

use super::report::{SuspectReport, SuspectsReport};
use crate::cli::output::{BAD_STYLE, BUSY_STYLE, DIM_STYLE, NAME_STYLE, Output, counted, styled};
use crate::cli::plan::text::described;
use crate::cli::words::short_duration;

/// So many suspects are shown; a program is told all.
const MAX_LISTED_SUSPECTS: usize = 10;

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
            styled(BAD_STYLE, "!"),
            styled(NAME_STYLE, &it.service),
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
    for (number, it) in suspects.iter().take(MAX_LISTED_SUSPECTS).enumerate() {
        suspect(number + 1, it, now, output);
    }
    if suspects.len() > MAX_LISTED_SUSPECTS {
        output.line(format_args!("  and {} more", suspects.len() - MAX_LISTED_SUSPECTS));
    }
}

fn suspect(number: usize, it: &SuspectReport, now: Timestamp, output: &mut Output) {
    let arrow = styled(BUSY_STYLE, format_args!("{} -> {}", it.from, it.to));
    let by = it.commit.as_ref().map_or_else(|| "by hand".to_owned(), |commit| format!("by {}", described(commit)));
    let ago = short_duration(now.duration_since(it.changed));
    output.line(format_args!("  {number} {}  {arrow}  {ago} ago, {by}", styled(NAME_STYLE, &it.service)));
    for why in &it.why {
        output.line(format_args!("      {}", styled(DIM_STYLE, why)));
    }
    match &it.command {
        Some(command) => output.line(format_args!("      {command}")),
        None => {
            output
                .line(format_args!("      {}", styled(DIM_STYLE, "it is its first pin: there is none to go back to")));
        }
    }
}

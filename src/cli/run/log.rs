//! What a run tells: lines for people on a terminal, JSON for machines elsewhere, always with revision and service.
#![expect(clippy::disallowed_methods, reason = "a log names the time")]

use std::io::IsTerminal as _;

use clap::ValueEnum;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pintle_core::git::CommitId;
use serde::Serialize;

use crate::cli::describe::{Describe, EventJson, line};
use crate::cli::output::{DIM_STYLE, Output, styled};
use crate::controller::Desired;
use crate::controller::event::Event;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The log of one run.
pub(super) struct RunLog<'a> {
    output: &'a mut Output,
    format: LogFormat,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogLineJson<'a> {
    time: Timestamp,
    level: &'static str,
    revision: Option<CommitId>,
    message: String,
    #[serde(flatten)]
    event: EventJson<'a>,
}

impl<'a> RunLog<'a> {
    /// On stderr; by what stderr is where no format is asked for.
    pub(super) fn new(output: &'a mut Output, format: Option<LogFormat>) -> Self {
        let usual = || if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
        Self { format: format.unwrap_or_else(usual), output }
    }

    /// Tells one event, as of a revision.
    pub(super) fn tell(&mut self, desired: Option<&Desired>, event: &Event) {
        let now = Timestamp::now();
        let (describe, revision) = (desired.map(|it| Describe::new(it, now)), desired.map(|it| it.commit));
        let words = line(event, describe);
        let of = revision.map(CommitId::short).unwrap_or_default();
        let level = level(event);
        match self.format {
            LogFormat::Text => {
                let time = now.to_zoned(TimeZone::system()).strftime("%H:%M:%S");
                self.output.note(format_args!("{} {words}", styled(DIM_STYLE, format_args!("{time} {of:<8}"))));
            }
            LogFormat::Json => {
                let message = anstream::adapter::strip_str(&words).to_string();
                let event = EventJson { event, describe };
                let line = LogLineJson { time: now, level, revision, message, event };
                // All of it is text and numbers.
                let text = serde_json::to_string(&line).unwrap_or_default();
                self.output.note(text);
            }
        }
    }
}

fn level(event: &Event) -> &'static str {
    match event {
        Event::Failed { .. } | Event::HeldAll { .. } | Event::Unreachable { .. } => "error",
        Event::Held { .. }
        | Event::Refused { .. }
        | Event::NeedsAction { .. }
        | Event::GitUnreachable { .. }
        | Event::Down { .. } => "warn",
        _ => "info",
    }
}

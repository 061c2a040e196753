//! `pintle hold` and `pintle release`: a committed statement that versions must not run, and its end.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use clap::Args;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use pintle_core::edit::{Edit, NewHold};
use pintle_core::graph::version_order;
use pintle_core::pins::{HeldVersions, Service, ServiceName};
use pintle_core::version::{RangeError, Version, VersionRange};

use super::exit::{CommandError, CommandExit, help};
use super::land::{Land, Proposal};
use super::load::LoadedRevision;
use super::output::Output;
use super::words::{held_text, known_service, past_hold_text, utc_minute};
use crate::cli::config::CliConfig;
use crate::source::CommitMessage;

/// Keep versions of a service from running, until somebody releases it
///
/// Writes `hold:` into the service's file, with the reason and who says so, commits and pushes. `pintle check` refuses a
/// pin that is held, so that a bot's pull request is red, and nothing that is held is started. VERSION is the last good one:
/// the versions above it are held. One bad version is held by a range: '=2.2.1'.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle hold payments 2.0.3 --reason 'all above 2.0.3 lose refunds'\npintle hold payments '=2.2.1' --reason INC-46\npintle hold payments '>=2.1, <2.1.4' --reason INC-47 --until 2026-12-01",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage],
))]
pub(super) struct HoldCommand {
    /// The service
    service: String,
    /// A version: all above it are held, and it may itself run; or a range: '=2.2.1' holds that one alone
    #[arg(value_name = "VERSION|RANGE")]
    versions: String,
    /// Why, for those who meet it
    #[arg(long)]
    reason: String,
    /// Until when it is meant; past this it still holds, and says so: a time (UTC where it names no zone), or so long from
    /// now, as in 12h or 3d
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    #[command(flatten)]
    land: Land,
}

/// End the hold of a service
///
/// Where what is pinned is what the hold keeps from running, it starts then, and that is said first. To pin another version
/// and end the hold by one commit: pintle pin SERVICE VERSION --release.
#[derive(Debug, Args)]
#[command(after_help = help("pintle release payments", &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage]))]
pub(super) struct ReleaseCommand {
    /// The service
    service: String,
    #[command(flatten)]
    land: Land,
}

impl HoldCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let versions = versions(&self.versions)?;
        let until = self.until.as_deref().map(|text| time(text, Timestamp::now())).transpose()?;
        if self.reason.trim().is_empty() {
            return Err(CommandError::usage("--reason is empty").hint("say why, for those who meet the hold"));
        }
        self.land.run(config, output, |loaded, output| {
            let service = known_service(&self.service, names(loaded))?;
            let by = Some(loaded.source.identity()?.name().to_owned());
            let new = NewHold { versions: versions.clone(), reason: self.reason.trim().to_owned(), by, until };
            let new = match loaded.revision.reading.pins.services.get(&service) {
                Some(service) => new.beside_present(service, &version_order(service, &loaded.history)),
                None => new,
            };
            let message = CommitMessage {
                subject: format!("Hold {service} {}", held_text(&new.versions)),
                body: new.reason.clone(),
                trailers: vec![("Pintle-Services", service.to_string())],
            };
            let already = format!("{service} is held {} already", held_text(&new.versions));
            if let Some(service) = loaded.revision.reading.pins.services.get(&service) {
                say(service, &new, loaded, output);
            }
            let stem = format!("hold-{service}");
            Ok(Proposal::of_one((service, Edit::Hold(new)), message, stem, already))
        })
    }
}

impl ReleaseCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        self.land.run(config, output, |loaded, output| {
            let service = known_service(&self.service, names(loaded))?;
            warn_of_start(loaded, &service, output);
            let hold = loaded.revision.reading.pins.services.get(&service).and_then(|service| service.hold.as_ref());
            let was = hold.map(past_hold_text);
            let message = CommitMessage {
                subject: format!("Release {service}"),
                body: was.unwrap_or_default(),
                trailers: vec![("Pintle-Services", service.to_string())],
            };
            let already = format!("{service} is not held");
            let stem = format!("release-{service}");
            Ok(Proposal::of_one((service, Edit::Release), message, stem, already))
        })
    }
}

/// What a hold comes to.
fn say(service: &Service, new: &NewHold, loaded: &LoadedRevision, output: &mut Output) {
    let (name, pinned) = (&service.name, &service.pin.version);
    output.note(format_args!("{name} is held {} from then on", held_text(&new.versions)));
    if new.versions.contains(pinned, &version_order(service, &loaded.history)) {
        output.note(format_args!(
            "  {pinned}, which is pinned, stays as it is where it runs, and starts nowhere else: go back with pintle \
             rollback {name}"
        ));
    }
}

/// The end of a hold starts what it kept from running.
fn warn_of_start(loaded: &LoadedRevision, name: &ServiceName, output: &mut Output) {
    let Some(service) = loaded.revision.reading.pins.services.get(name) else { return };
    let pinned = &service.pin.version;
    if service.hold.as_ref().is_some_and(|hold| hold.blocks(pinned, &version_order(service, &loaded.history))) {
        output.warn(format_args!(
            "{name} {pinned}, which is pinned, is what this hold keeps from running: it starts then\n  hint: to pin \
             another version in the same commit: pintle pin {name} VERSION --release"
        ));
    }
}

fn names(loaded: &LoadedRevision) -> impl Iterator<Item = &ServiceName> {
    let pins = &loaded.revision.reading.pins;
    pins.services.keys().chain(pins.broken.keys())
}

/// A version means all above it.
fn versions(typed: &str) -> Result<HeldVersions, CommandError> {
    if let Ok(version) = Version::new(typed) {
        return Ok(HeldVersions::Above(version));
    }
    typed.parse::<VersionRange>().map(HeldVersions::Versions).map_err(|RangeError { message, hint, .. }| {
        let failure = CommandError::usage(format!("{typed:?} is neither a version nor a range: {message}"));
        CommandError { hint: hint.or_else(|| Some("write 2.0.3, or '>=2.1, <2.1.4'".to_owned())), ..failure }
    })
}

/// `2026-12-01`, `2026-12-01T10:00`, the same with a zone, or `3d` from now.
fn time(typed: &str, now: Timestamp) -> Result<Timestamp, CommandError> {
    let in_zone = || typed.parse::<Timestamp>().ok();
    let in_utc = || typed.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let days = || typed.strip_suffix('d')?.parse::<i64>().ok()?.checked_mul(24).map(|hours| format!("{hours}h"));
    let from_now = || {
        let span: jiff::SignedDuration = days().unwrap_or_else(|| typed.to_owned()).parse().ok()?;
        now.checked_add(span).ok()?.round(Unit::Minute).ok()
    };
    let time = in_zone().or_else(in_utc).or_else(from_now);
    let wrong = match time {
        Some(time) if time > now => return Ok(time),
        Some(time) => format!("--until {typed:?} has passed: {} UTC", utc_minute(time)),
        None if typed.starts_with(|c: char| c.is_ascii_digit()) && typed.contains('-') => {
            format!("--until {typed:?}: there is no such date or time")
        }
        None => format!("--until {typed:?} is not a time"),
    };
    Err(CommandError::usage(wrong).hint("write a time that is to come as in 2026-12-01, 2026-12-01T10:00Z, 12h or 3d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_so_long_from_now() {
        let now = "2026-11-24T22:00:00Z".parse().unwrap();
        for (typed, meant) in [
            ("2026-12-01", "2026-12-01T00:00:00Z"),
            ("2026-12-01T10:00", "2026-12-01T10:00:00Z"),
            ("2026-12-01T10:00+02:00", "2026-12-01T08:00:00Z"),
            ("12h", "2026-11-25T10:00:00Z"),
            ("3d", "2026-11-27T22:00:00Z"),
        ] {
            assert_eq!(time(typed, now).unwrap().to_string(), meant);
        }
        for (typed, wrong) in [
            ("", "is not a time"),
            ("tomorrow", "is not a time"),
            ("99999999999999d", "is not a time"),
            ("2026-13-01", "there is no such date or time"),
            ("2026-11-31T10:00", "there is no such date or time"),
            ("2026-11-01", "has passed: 2026-11-01 00:00 UTC"),
            ("-1h", "has passed: 2026-11-24 21:00 UTC"),
        ] {
            let failure = time(typed, now).unwrap_err();
            assert!(failure.message.contains(wrong), "{typed}: {}", failure.message);
        }
    }

    #[test]
    fn a_version_holds_what_is_above_it_and_a_range_itself() {
        assert!(matches!(versions("2.0.3"), Ok(HeldVersions::Above(_))));
        assert!(matches!(versions(">=2.1, <2.1.4"), Ok(HeldVersions::Versions(_))));
        assert!(versions(">=").is_err());
    }
}

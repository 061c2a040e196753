//! The words that results share: needs, times, how long, who.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use pintle_core::change::NeedChange;
use pintle_core::git::Commit;
use pintle_core::graph::{Graph, ServiceId};
use pintle_core::image::Image;
use pintle_core::pins::{HeldVersions, Hold, Need, ServiceName, did_you_mean};
use pintle_core::problem::display_safe;

use super::exit::CommandError;

/// Longer names of people are cut.
const MAX_AUTHOR_CHARS: usize = 30;

/// The services that a user typed, if all are known.
pub(super) fn service_ids(graph: &Graph, typed: &[String]) -> Result<Vec<ServiceId>, CommandError> {
    let names = || graph.ids().map(|id| graph.name(id));
    let ids = typed.iter().map(|typed| Ok(graph.id(&known_service(typed, names())?)));
    Ok(ids.collect::<Result<Vec<_>, CommandError>>()?.into_iter().flatten().collect())
}

/// `2026-01-31 14:02`, in UTC.
pub(super) fn utc_minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// `45s`, `12m`, `4h 12m`, `2d 5h`, `93d`: two units at most, and those that matter.
pub(super) fn short_duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |first: String, rest: i64, unit: &str| if rest == 0 { first } else { format!("{first} {rest}{unit}") };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m"),
        (0, ..) => two(format!("{hours}h"), minutes % 60, "m"),
        (1..=9, ..) => two(format!("{days}d"), hours % 24, "h"),
        _ => format!("{days}d"),
    }
}

/// A duration that a user typed, within bounds.
pub(super) fn parse_duration(typed: &str, bounds: [&str; 2]) -> Result<Duration, String> {
    let read = |text: &str| text.parse::<SignedDuration>();
    let signed = read(typed).map_err(|_| "durations look like 90s, 15m, 2h".to_owned())?;
    let span = Duration::try_from(signed).map_err(|_| "it is below zero".to_owned())?;
    let [least, most] = bounds.map(read);
    let within = least.is_ok_and(|least| least <= signed) && most.is_ok_and(|most| signed <= most);
    if within { Ok(span) } else { Err(format!("it is not between {} and {}", bounds[0], bounds[1])) }
}

/// How a time in the past is written.
pub(super) const TIME_FORMATS: &str = "2h, 2h ago, or 2026-11-20T10:00 in UTC";

/// `2h` or `2h ago`, `2026-11-20T10:00` (UTC), or a time with its zone.
pub(super) fn parse_time(text: &str, now: Timestamp) -> Option<Timestamp> {
    let span = text.strip_suffix("ago").map_or(text, str::trim_end);
    if let Ok(span) = span.parse::<Span>() {
        let ago = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        return now.checked_sub(ago).ok().filter(|time| *time <= now);
    }
    let utc = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(utc)
}

/// How many seconds something takes or took: `0.4s`, `45s`, `1m 30s`.
pub(super) fn seconds_text(seconds: f64) -> String {
    let whole = std::time::Duration::from_secs_f64(seconds);
    let (minutes, rest) = (whole.as_secs() / 60, whole.as_secs() % 60);
    match minutes {
        0 if seconds < 10.0 => format!("{seconds:.1}s"),
        0 => format!("{rest}s"),
        _ if rest == 0 => format!("{minutes}m"),
        _ => format!("{minutes}m {rest}s"),
    }
}

/// Who wrote a commit, without the address.
pub(super) fn author_name(commit: &Commit) -> String {
    let name = commit.author.split(" <").next().unwrap_or_default();
    display_safe(if name.is_empty() { &commit.author } else { name }, MAX_AUTHOR_CHARS)
}

/// `>=2.1, <3`, or the rows of a table.
pub(super) fn need_text(need: &Need) -> String {
    match need {
        Need::Range(range) => range.to_string(),
        Need::Table(rows) => {
            let rows: Vec<String> = rows.iter().map(|(from, range)| format!("{from}: {range}")).collect();
            format!("{{{}}}", rows.join("; "))
        }
    }
}

/// `above 2.0.3`, or `>=1.8, <1.8.4`.
pub(super) fn held_text(versions: &HeldVersions) -> String {
    match versions {
        HeldVersions::Above(version) => format!("above {version}"),
        HeldVersions::Versions(range) => range.to_string(),
    }
}

/// `It was held above 2.0.3: loses refunds`.
pub(super) fn past_hold_text(hold: &Hold) -> String {
    let reason = hold.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("It was held {}{reason}", held_text(&hold.versions))
}

/// `runs as ghcr.io/acme/x:2, was acme/x:2`.
pub(super) fn image_move_text(from: &Image, to: &Image) -> String {
    format!("runs as {to}, was {from}")
}

/// `needs payments >=2.1 (was >=2.0)`.
pub(super) fn need_move_text(moved: &NeedChange) -> String {
    let NeedChange { provider, from, to } = moved;
    match (from, to) {
        (Some(from), Some(to)) => format!("needs {provider} {} (was {})", need_text(to), need_text(from)),
        (None, Some(to)) => format!("needs {provider} {} (new)", need_text(to)),
        (Some(from), None) => format!("no longer needs {provider} (was {})", need_text(from)),
        (None, None) => String::new(),
    }
}

/// The name of a service that a user typed, if it is one of the known.
pub(super) fn known_service<'n>(
    typed: &str,
    names: impl Iterator<Item = &'n ServiceName>,
) -> Result<ServiceName, CommandError> {
    let names: Vec<&ServiceName> = names.collect();
    if let Some(name) = names.iter().find(|name| name.as_str() == typed) {
        return Ok((*name).clone());
    }
    let failure = CommandError::error(format!("there is no service {:?}", display_safe(typed, MAX_AUTHOR_CHARS)));
    let near = did_you_mean(typed, names.into_iter().map(ServiceName::as_str));
    Err(failure.hint(near.unwrap_or_else(|| "`pintle graph` shows all services".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_the_past_is_an_age_or_a_date() {
        let now: Timestamp = "2026-11-28T15:20:00Z".parse().unwrap();
        let read = |text: &str| parse_time(text, now).map_or_else(|| "no time".to_owned(), |time| time.to_string());
        for (text, time) in [
            ("2h", "2026-11-28T13:20:00Z"),
            ("2h ago", "2026-11-28T13:20:00Z"),
            ("1d 2h ago", "2026-11-27T13:20:00Z"),
            ("2 hours ago", "2026-11-28T13:20:00Z"),
            ("2026-11-20T10:00", "2026-11-20T10:00:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20T10:00+01:00", "2026-11-20T09:00:00Z"),
            ("-2h", "no time"),
            ("-2h ago", "no time"),
            ("ago", "no time"),
            ("2026-11-20 ago", "no time"),
            ("2026-99-99", "no time"),
            ("15:20", "no time"),
            ("yesterday", "no time"),
        ] {
            assert_eq!(read(text), time, "{text}");
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, words) in [
            (-5, "0s"),
            (59, "59s"),
            (3599, "59m"),
            (3600, "1h"),
            (15_120, "4h 12m"),
            (86_400, "1d"),
            (190_800, "2d 5h"),
            (8_035_200, "93d"),
        ] {
            assert_eq!(short_duration(SignedDuration::from_secs(seconds)), words);
        }
    }
}

//! Who ran which version when, and where requests failed, as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::load::Seen;

/// How wide a picture is.
const WIDTH: usize = 48;

/// Draws a stretch of time: a line for each of these services that changed, then the requests.
pub(crate) fn draw(services: &[&str], seen: &Seen, began: Instant, took: Duration) -> String {
    let column = |at: Instant| {
        let part = at.checked_duration_since(began)?.as_micros() * WIDTH as u128 / took.as_micros().max(1);
        usize::try_from(part).ok().filter(|column| *column < WIDTH)
    };
    let mut text = String::new();
    for service in services {
        let looks = seen.versions.iter().filter(|(_, name, _)| name == service);
        let looks: Vec<(usize, &str)> =
            looks.filter_map(|(at, _, version)| Some((column(*at)?, version.as_str()))).collect();
        let (Some((_, old)), Some((_, new))) = (looks.first(), looks.last()) else { continue };
        if old != new {
            let _ = writeln!(text, "    {service:10}{}  {old} -> {new}", line(&looks, old, new));
        }
    }
    let mut failed = [' '; WIDTH];
    for (at, succeeded) in &seen.requests {
        if let Some(column) = column(*at).filter(|_| !succeeded) {
            failed[column] = 'x';
        }
    }
    let _ = writeln!(
        text,
        "    {:10}{}  {} of {}",
        "failed",
        failed.iter().collect::<String>(),
        seen.failed(),
        seen.requests.len()
    );
    text
}

/// One service: its old version, both, its new one. Where nobody answered a look, it is as it was before.
fn line(looks: &[(usize, &str)], old: &str, new: &str) -> String {
    let mut last = '#';
    let of = |column: usize| {
        let there: BTreeSet<&str> = looks.iter().filter(|(at, _)| *at == column).map(|(_, version)| *version).collect();
        match (there.contains(old), there.contains(new)) {
            (true, true) => '+',
            (true, false) => '#',
            (false, true) => '.',
            (false, false) => ' ',
        }
    };
    let letters = (0..WIDTH).map(|column| {
        last = match of(column) {
            ' ' => {
                if last == '+' {
                    '.'
                } else {
                    last
                }
            }
            letter => letter,
        };
        last
    });
    letters.collect()
}

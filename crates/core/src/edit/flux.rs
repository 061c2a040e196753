//! Flux's markers: a comment behind a value, by which a bot of Flux writes the newest version there, past any hold.
//!
//! Flux takes a comment for a marker where all of it is JSON. One that is muted says more than that: it is a comment like
//! any other then, and becomes the same marker again when the words are gone.

use std::ops::Range;

use super::request::Edit;
use super::revision::{RevisionFiles, bytes};
use super::splice::Splice;
use crate::pins::{Service, ServiceName};
use crate::problem::{Place, Problem};
use crate::remedy::Remedy;

const KEY: &str = "$imagepolicy";
const MUTE: &str = "held by pintle: ";

/// A marker in the line of a pin.
#[derive(Debug, PartialEq, Eq)]
enum Marker {
    /// Flux heeds it; where its text begins.
    Live(usize),
    /// It does not; the words that see to it.
    Muted(Range<usize>),
}

/// A hold mutes the marker behind the pin, and the end of the hold gives it back.
pub(super) fn splice(tip: &RevisionFiles<'_>, service: &Service, edit: &Edit) -> Option<Splice> {
    match (edit, of(tip, service)?) {
        (Edit::Hold(_), Marker::Live(at)) => Some(Splice { at: at..at, text: MUTE.to_owned() }),
        (Edit::Release, Marker::Muted(at)) => Some(Splice { at, text: String::new() }),
        (Edit::Hold(_) | Edit::Release | Edit::Pin { .. } | Edit::Restore { .. }, _) => None,
    }
}

/// The services whose markers these edits mute.
pub fn muted<'e>(tip: &RevisionFiles<'_>, edits: &'e [(ServiceName, Edit)]) -> Vec<&'e ServiceName> {
    let is_muted = |(name, edit): &&(ServiceName, Edit)| {
        let service = tip.reading.pins.services.get(name);
        matches!(edit, Edit::Hold(_)) && service.is_some_and(|service| splice(tip, service, edit).is_some())
    };
    edits.iter().filter(is_muted).map(|(name, _)| name).collect()
}

/// The holds that a bot of Flux writes past.
pub fn written_past(said: &RevisionFiles<'_>) -> Vec<Problem> {
    let held = said.reading.pins.services.values().filter(|service| service.hold.is_some());
    let problem = |service: &Service| {
        let Marker::Live(at) = of(said, service)? else { return None };
        let name = &service.name;
        let place = Place::at(&service.version_at.path, at..at);
        let message = format!("a bot of Flux writes past the hold of `{name}`: its pin carries a `{KEY}` marker");
        Some(Problem::warning(message, place).of(name).remedy(Remedy::HoldAgain { service: name.clone() }))
    };
    held.filter_map(problem).collect()
}

fn of(said: &RevisionFiles<'_>, service: &Service) -> Option<Marker> {
    let text = std::str::from_utf8(bytes(said.files, &service.version_at.path)?).ok()?;
    marker(text, service.version_at.span.as_ref()?.end)
}

/// The marker between a value and the end of its line. What stands between may have a `#` of its own.
fn marker(text: &str, end: usize) -> Option<Marker> {
    let line = text.get(end..)?.split(['\n', '\r']).next()?;
    line.match_indices('#').find_map(|(sign, _)| {
        let comment = line[sign + 1..].trim_start();
        let at = end + line.len() - comment.len();
        match comment.strip_prefix(MUTE) {
            Some(muted) => is_marker(muted).then_some(Marker::Muted(at..at + MUTE.len())),
            None => is_marker(comment).then_some(Marker::Live(at)),
        }
    })
}

fn is_marker(comment: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(comment).is_ok_and(|json| json.get(KEY).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_a_comment_that_is_json_alone() {
        for (text, found) in [
            ("1 # {\"$imagepolicy\": \"a:b\"}\n", Some(Marker::Live(4))),
            ("1 #{\"$imagepolicy\": \"a:b:tag\"}  \r\n", Some(Marker::Live(3))),
            ("1, x: \"#\"} # {\"$imagepolicy\": \"a:b\"}", Some(Marker::Live(13))),
            ("1 # held by pintle: {\"$imagepolicy\": \"a:b\"}", Some(Marker::Muted(4..20))),
            ("1 # see {\"$imagepolicy\": \"a:b\"}", None),
            ("1 # {\"other\": 1}", None),
            ("1 # {\"$imagepolicy\": ", None),
            ("1\n# {\"$imagepolicy\": \"a:b\"}", None),
            ("1", None),
        ] {
            assert_eq!(marker(text, 1), found, "{text}");
        }
    }
}

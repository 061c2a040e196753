//! Flux's image policy markers: comments behind a value. Flux's image automation writes the newest version to such a
//! value, whether or not the service is on hold.
//!
//! Flux recognizes a marker only if the whole comment is JSON. A hold therefore mutes a marker with a prefix, and the
//! end of the hold removes the prefix.

use std::ops::Range;

use super::request::Edit;
use super::revision::{RevisionFiles, bytes};
use super::splice::TextSplice;
use crate::pins::{Service, ServiceName};
use crate::problem::{FilePlace, Problem};
use crate::remedy::Remedy;

const FLUX_MARKER_KEY: &str = "$imagepolicy";
const MUTE_PREFIX: &str = "held by pintle: ";

/// A marker in the line of a pin.
#[derive(Debug, PartialEq, Eq)]
enum FluxMarker {
    /// A marker that Flux acts on, with the start of its JSON.
    Active(usize),
    /// A muted marker, with the range of the muting prefix.
    Muted(Range<usize>),
}

/// Builds the splice for the marker behind the pin: a hold mutes it, the end of the hold restores it.
pub(super) fn marker_splice(tip: &RevisionFiles<'_>, service: &Service, edit: &Edit) -> Option<TextSplice> {
    match (edit, pin_marker(tip, service)?) {
        (Edit::Hold(_), FluxMarker::Active(at)) => Some(TextSplice { at: at..at, text: MUTE_PREFIX.to_owned() }),
        (Edit::Release, FluxMarker::Muted(at)) => Some(TextSplice { at, text: String::new() }),
        (Edit::Hold(_) | Edit::Release | Edit::Pin { .. } | Edit::Restore { .. }, _) => None,
    }
}

/// Returns the services whose markers these edits mute.
pub fn muted_services<'e>(tip: &RevisionFiles<'_>, edits: &'e [(ServiceName, Edit)]) -> Vec<&'e ServiceName> {
    let is_muted = |(name, edit): &&(ServiceName, Edit)| {
        let service = tip.reading.pins.services.get(name);
        matches!(edit, Edit::Hold(_)) && service.is_some_and(|service| marker_splice(tip, service, edit).is_some())
    };
    edits.iter().filter(is_muted).map(|(name, _)| name).collect()
}

/// Reports services on hold whose pin still has a live marker: Flux would overwrite it despite the hold.
pub fn overwritten_holds(said: &RevisionFiles<'_>) -> Vec<Problem> {
    let held = said.reading.pins.services.values().filter(|service| service.hold.is_some());
    let problem = |service: &Service| {
        let FluxMarker::Active(at) = pin_marker(said, service)? else { return None };
        let name = &service.name;
        let place = FilePlace::at(&service.version_at.path, at..at);
        let message =
            format!("a bot of Flux writes past the hold of `{name}`: its pin carries a `{FLUX_MARKER_KEY}` marker");
        Some(Problem::warning(message, place).for_service(name).remedy(Remedy::HoldAgain { service: name.clone() }))
    };
    held.filter_map(problem).collect()
}

fn pin_marker(said: &RevisionFiles<'_>, service: &Service) -> Option<FluxMarker> {
    let text = std::str::from_utf8(bytes(said.files, &service.version_at.path)?).ok()?;
    marker(text, service.version_at.span.as_ref()?.end)
}

/// Finds the marker between a value and the end of its line. The text between may itself contain a `#`.
fn marker(text: &str, end: usize) -> Option<FluxMarker> {
    let line = text.get(end..)?.split(['\n', '\r']).next()?;
    line.match_indices('#').find_map(|(sign, _)| {
        let comment = line[sign + 1..].trim_start();
        let at = end + line.len() - comment.len();
        match comment.strip_prefix(MUTE_PREFIX) {
            Some(muted) => is_marker(muted).then_some(FluxMarker::Muted(at..at + MUTE_PREFIX.len())),
            None => is_marker(comment).then_some(FluxMarker::Active(at)),
        }
    })
}

fn is_marker(comment: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(comment).is_ok_and(|json| json.get(FLUX_MARKER_KEY).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_a_comment_that_is_json_alone() {
        for (text, found) in [
            ("1 # {\"$imagepolicy\": \"a:b\"}\n", Some(FluxMarker::Active(4))),
            ("1 #{\"$imagepolicy\": \"a:b:tag\"}  \r\n", Some(FluxMarker::Active(3))),
            ("1, x: \"#\"} # {\"$imagepolicy\": \"a:b\"}", Some(FluxMarker::Active(13))),
            ("1 # held by pintle: {\"$imagepolicy\": \"a:b\"}", Some(FluxMarker::Muted(4..20))),
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

//! Checks of pins against each other, their history and their own limits.
//!
//! The `pins` module reports problems within one file and between names.

mod edges;
mod joined;
mod limits;
mod moved;

use std::cmp::Ordering;

use jiff::Timestamp;
pub use joined::{UnseenPair, unseen_pairs};

use crate::edit::{RevisionFiles, overwritten_holds};
use crate::graph::Graph;
use crate::history::History;
use crate::pins::{Pins, Service, ServiceName, UnseenPolicy};
use crate::problem::{FilePlace, Problem};
use crate::version::{Version, VersionOrder, VersionRange, Versioning};

/// All problems of a revision.
#[derive(Debug)]
pub struct Findings {
    /// The problems, unsorted.
    pub problems: Vec<Problem>,
    /// Pairs of pinned versions that were never pinned together before, if the settings refuse those.
    ///
    /// The settings at the commit of a pair may have allowed it. Such a pair already runs.
    pub unseen: Vec<UnseenPair>,
}

/// Finds all problems of a revision. Services with errors are checked as far as they can be read, to report all errors
/// at once.
pub fn findings(said: &RevisionFiles<'_>, history: &History, now: Timestamp) -> Findings {
    let reading = said.reading;
    let mut pins = reading.pins.clone();
    pins.services.extend(reading.faulty.clone());
    pins.broken.retain(|name, _| !reading.faulty.contains_key(name));
    let graph = Graph::from_pins(&pins, history);
    let mut problems = reading.problems.clone();
    problems.extend(check_pins(&pins, &graph, history, now));
    problems.extend(overwritten_holds(said));
    let is_refused = pins.settings.unseen == UnseenPolicy::Refuse;
    let unseen = if is_refused { unseen_pairs(&pins, &graph, history) } else { Vec::new() };
    Findings { problems, unseen }
}

/// Checks the pins against their history, as of `now`.
pub fn check_pins(pins: &Pins, graph: &Graph, history: &History, now: Timestamp) -> Vec<Problem> {
    let checked = CheckInput { pins, graph, history, now };
    let of_one = |service: &Service| {
        let Some(order) = checked.order(&service.name) else { return Vec::new() };
        let mut problems = limits::limit_problems(&checked, service, order);
        problems.extend(edges::edge_problems(&checked, service, order));
        problems.extend(moved::changed_need_problems(&checked, service));
        problems
    };
    pins.services.values().flat_map(of_one).collect()
}

struct CheckInput<'a> {
    pins: &'a Pins,
    graph: &'a Graph,
    history: &'a History,
    now: Timestamp,
}

impl CheckInput<'_> {
    /// Returns the version order of a service; `None` if the graph does not have the service.
    fn order(&self, service: &ServiceName) -> Option<&VersionOrder> {
        Some(self.graph.version_order(self.graph.id(service)?))
    }

    /// Returns all versions that were pinned for a service, repeats included.
    fn versions(&self, service: &ServiceName) -> impl Iterator<Item = &Version> {
        self.history.records(service).iter().filter_map(|record| record.pin.as_ref()).map(|pin| &pin.version)
    }
}

fn newest<'v>(versions: impl Iterator<Item = &'v Version>, order: &VersionOrder) -> Option<&'v Version> {
    versions.reduce(|a, b| if order.compare(b, a) == Some(Ordering::Greater) { b } else { a })
}

/// Returns the place of the need for a provider, or that of the version if the need has none.
fn need_at(service: &Service, provider: &ServiceName) -> FilePlace {
    service.needs_at.get(provider).map_or(&service.version_at, |at| &at.provider).clone()
}

/// Returns the first bound of a range that was never pinned, if versions are ordered by history.
fn never_pinned<'r>(range: &'r VersionRange, order: &VersionOrder) -> Option<&'r Version> {
    range.bound_versions().find(|bound| was_never_pinned(bound, order))
}

/// Returns whether a version has no position in the order: versions are ordered by history, and it was never pinned.
fn was_never_pinned(version: &Version, order: &VersionOrder) -> bool {
    order.versioning() == Versioning::History && !order.knows(version)
}

/// Warns that `what` has no effect, because the version it names was never pinned. `whose` is the service of that
/// version.
fn unpinned_bound_problem(
    service: &Service,
    what: &str,
    (whose, version): (&ServiceName, &Version),
    at: &FilePlace,
) -> Problem {
    let message = format!("`{whose}` was never pinned at {version}, so this {what} says nothing yet");
    let hint = "its versions have the order in which they were first pinned; name one that was, or set `versioning`";
    Problem::warning(message, at.clone()).for_service(&service.name).hint(hint)
}

//! What is wrong between pins: versions that do not fit each other, their order, their history or their own limits.
//!
//! Where this stops: what is wrong with a file on its own, and between names, `pins` has said.

mod edges;
mod joined;
mod limits;
mod moved;

use std::cmp::Ordering;

use jiff::Timestamp;
pub use joined::{Joined, joined};

use crate::edit::{RevisionFiles, written_past};
use crate::graph::Graph;
use crate::history::History;
use crate::pins::{Pins, Service, ServiceName, Unseen};
use crate::problem::{Place, Problem};
use crate::version::{Order, Range, Version, Versioning};

/// All that is wrong with a revision.
#[derive(Debug)]
pub struct Findings {
    /// The problems, in no order.
    pub problems: Vec<Problem>,
    /// Pairs that were never seen together, where the settings refuse such. A pair that was let through runs by now: the
    /// settings at its commit say whether it was.
    pub unseen: Vec<Joined>,
}

/// Finds all that is wrong with what a revision says. Services with errors are checked too, as far as they can be read:
/// what is wrong in one way may be wrong in another.
pub fn findings(said: &RevisionFiles<'_>, history: &History, now: Timestamp) -> Findings {
    let reading = said.reading;
    let mut pins = reading.pins.clone();
    pins.services.extend(reading.faulty.clone());
    pins.broken.retain(|name, _| !reading.faulty.contains_key(name));
    let graph = Graph::of(&pins, history);
    let mut problems = reading.problems.clone();
    problems.extend(check(&pins, &graph, history, now));
    problems.extend(written_past(said));
    let is_refused = pins.settings.unseen == Unseen::Refuse;
    let unseen = if is_refused { joined(&pins, &graph, history) } else { Vec::new() };
    Findings { problems, unseen }
}

/// Everything there is to say about these pins, at their time and after their history.
pub fn check(pins: &Pins, graph: &Graph, history: &History, now: Timestamp) -> Vec<Problem> {
    let checked = Checked { pins, graph, history, now };
    let of_one = |service: &Service| {
        let Some(order) = checked.order(&service.name) else { return Vec::new() };
        let mut problems = limits::all(&checked, service, order);
        problems.extend(edges::all(&checked, service, order));
        problems.extend(moved::needs(&checked, service));
        problems
    };
    pins.services.values().flat_map(of_one).collect()
}

struct Checked<'a> {
    pins: &'a Pins,
    graph: &'a Graph,
    history: &'a History,
    now: Timestamp,
}

impl Checked<'_> {
    /// The order of a service's versions; none where the graph does not hold it.
    fn order(&self, service: &ServiceName) -> Option<&Order> {
        Some(self.graph.order(self.graph.id(service)?))
    }

    /// All versions that history knows of a service, repeats included.
    fn versions(&self, service: &ServiceName) -> impl Iterator<Item = &Version> {
        self.history.records(service).iter().filter_map(|record| record.pin.as_ref()).map(|pin| &pin.version)
    }
}

/// The newest of some versions.
fn newest<'v>(versions: impl Iterator<Item = &'v Version>, order: &Order) -> Option<&'v Version> {
    versions.reduce(|a, b| if order.compare(b, a) == Some(Ordering::Greater) { b } else { a })
}

/// Where a need of this provider is written.
fn need_at(service: &Service, provider: &ServiceName) -> Place {
    service.needs_at.get(provider).map_or(&service.version_at, |at| &at.provider).clone()
}

/// The first version that a range names and that was never pinned, where history is the order.
fn never_pinned<'r>(range: &'r Range, order: &Order) -> Option<&'r Version> {
    range.bounds().find(|bound| has_no_place(bound, order))
}

/// Nothing is known of a version that was never pinned, where history is the order.
fn has_no_place(version: &Version, order: &Order) -> bool {
    order.versioning() == Versioning::History && !order.knows(version)
}

/// What such a version stands for in the file of a service: `what`, about the versions of `whose`.
fn says_nothing(service: &Service, what: &str, (whose, version): (&ServiceName, &Version), at: &Place) -> Problem {
    let message = format!("`{whose}` was never pinned at {version}, so this {what} says nothing yet");
    let hint = "its versions have the order in which they were first pinned; name one that was, or set `versioning`";
    Problem::warning(message, at.clone()).of(&service.name).hint(hint)
}

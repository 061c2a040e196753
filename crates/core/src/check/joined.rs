//! New pairs of pinned versions: no range covers them, and history has no evidence for them. `unseen: refuse` holds
//! them.

use std::sync::Arc;

use crate::evidence::{Evidence, Pair};
use crate::git::Commit;
use crate::graph::{EdgeId, Graph};
use crate::history::History;
use crate::pins::{Pin, Pins, Service};
use crate::problem::Problem;
use crate::running::Label;

/// Two pinned versions that were never pinned together before.
#[derive(Debug)]
pub struct Joined {
    /// The problem to report if the settings refuse such pairs.
    pub problem: Problem,
    /// The commit that joined the two versions; `None` if it is not made yet.
    pub by: Option<Arc<Commit>>,
}

/// The arrival of a service at its present pin.
struct Arrival<'a> {
    service: &'a Service,
    /// Position of the commit that moved the service to this version; [`NOW`] if it is not made yet.
    place: u32,
    /// Whether the pin replaces an earlier one, and Pintle writes the service.
    replaces: bool,
}

/// A position after the whole history.
const NOW: u32 = u32::MAX;

/// Returns the new pairs of pinned versions of which one service was held at the commit, if its settings refuse such
/// pairs.
///
/// A service without an earlier pin is never held for this reason, as nothing of it runs.
pub fn joined(pins: &Pins, graph: &Graph, history: &History) -> Vec<Joined> {
    let evidence = Evidence::new(history, pins.settings.soak);
    let pair = |edge: EdgeId| {
        let ends = graph.edge(edge);
        let service = |id| pins.services.get(graph.name(id));
        let (consumer, provider) = (service(ends.consumer)?, service(ends.provider)?);
        let [x, y] = [consumer, provider].map(|service| Label::Version(&service.pin.version));
        let pair = evidence.lacks(graph, edge, x, y)?;
        let ends = [consumer, provider].map(|service| Arrival::of(service, history));
        let place = held_since(&ends, history)?;
        let problem = problem(&ends, place, &pair).remedy(evidence.remedy(graph, &pair));
        let by = usize::try_from(place).ok().and_then(|place| history.moves().get(place)).cloned();
        Some(Joined { problem, by })
    };
    graph.edges().filter_map(pair).collect()
}

/// Returns the position of the commit that joined consumer and provider, if that commit held one of them.
fn held_since(ends: &[Arrival<'_>; 2], history: &History) -> Option<u32> {
    let [consumer, provider] = ends;
    let place = consumer.place.max(provider.place);
    let need = |of: &Pin| of.depends_on.get(&provider.service.name).cloned();
    // If the need was different at that commit, it did not hold anything then.
    let then = history.pinned_at(&consumer.service.name, place).map(|pin| need(pin));
    let as_now = place == NOW || then == Some(need(&consumer.service.pin));
    let is_held = |end: &Arrival<'_>| end.place == place && end.replaces;
    (as_now && ends.iter().any(is_held)).then_some(place)
}

/// Builds the problem, at the pin that moved last. If both moved in one commit, it is the consumer's.
fn problem(ends: &[Arrival<'_>; 2], place: u32, pair: &Pair) -> Problem {
    let Pair { consumer, version, provider, beside } = pair;
    let message = format!("`{consumer}` {version} has never run with `{provider}` {beside} (`unseen: refuse`)");
    let [one, other] = ends;
    let is_moved = one.place == place && one.replaces;
    let (moved, other) = if is_moved { (one.service, other.service) } else { (other.service, one.service) };
    let label = format!("{} is pinned here", other.pin.version);
    Problem::error(message, moved.version_at.clone()).of(&moved.name).also(other.version_at.clone(), label)
}

impl<'a> Arrival<'a> {
    fn of(service: &'a Service, history: &History) -> Self {
        let records = history.records(&service.name).iter().rev();
        // A file that was unreadable for a while does not count as a move.
        let mut pinned = records.filter_map(|record| Some((record.position, record.pin.as_deref()?))).peekable();
        let mut place = NOW;
        while let Some((since, _)) = pinned.next_if(|(_, pin)| pin.version == service.pin.version) {
            place = since;
        }
        Self { service, place, replaces: pinned.peek().is_some() && !service.external }
    }
}

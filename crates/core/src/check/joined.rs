//! New pairs of pinned versions: no range covers them, and history has no evidence for them. `unseen: refuse` holds
//! them.

use std::sync::Arc;

use crate::evidence::{Evidence, VersionPair};
use crate::git::Commit;
use crate::graph::{EdgeId, Graph};
use crate::history::History;
use crate::pins::{Pin, Pins, Service};
use crate::problem::Problem;
use crate::running::Label;

/// Two pinned versions that were never pinned together before.
#[derive(Debug)]
pub struct UnseenPair {
    /// The problem to report if the settings refuse such pairs.
    pub problem: Problem,
    /// The commit that joined the two versions; `None` if it is not made yet.
    pub commit: Option<Arc<Commit>>,
}

/// The arrival of a service at its present pin.
struct PinArrival<'a> {
    service: &'a Service,
    /// Position of the commit that moved the service to this version; [`NOW`] if it is not made yet.
    position: u32,
    /// Whether the pin replaces an earlier one, and Pintle writes the service.
    replaces: bool,
}

/// A position after the whole history.
const UNCOMMITTED_POSITION: u32 = u32::MAX;

/// Returns the new pairs of pinned versions of which one service was held at the commit, if its settings refuse such
/// pairs.
///
/// A service without an earlier pin is never held for this reason, as nothing of it runs.
pub fn unseen_pairs(pins: &Pins, graph: &Graph, history: &History) -> Vec<UnseenPair> {
    let evidence = Evidence::new(history, pins.settings.soak);
    let pair = |edge: EdgeId| {
        let ends = graph.edge(edge);
        let service = |id| pins.services.get(graph.name(id));
        let (consumer, provider) = (service(ends.consumer)?, service(ends.provider)?);
        let [x, y] = [consumer, provider].map(|service| Label::Version(&service.pin.version));
        let pair = evidence.unseen_pair(graph, edge, x, y)?;
        let ends = [consumer, provider].map(|service| PinArrival::of(service, history));
        let place = held_since(&ends, history)?;
        let problem = problem(&ends, place, &pair).remedy(evidence.remedy(graph, &pair));
        let by = usize::try_from(place).ok().and_then(|place| history.moves().get(place)).cloned();
        Some(UnseenPair { problem, commit: by })
    };
    graph.edges().filter_map(pair).collect()
}

/// Returns the position of the commit that joined consumer and provider, if that commit held one of them.
fn held_since(ends: &[PinArrival<'_>; 2], history: &History) -> Option<u32> {
    let [consumer, provider] = ends;
    let place = consumer.position.max(provider.position);
    let need = |of: &Pin| of.depends_on.get(&provider.service.name).cloned();
    // If the need was different at that commit, it did not hold anything then.
    let then = history.pinned_at(&consumer.service.name, place).map(|pin| need(pin));
    let as_now = place == UNCOMMITTED_POSITION || then == Some(need(&consumer.service.pin));
    let is_held = |end: &PinArrival<'_>| end.position == place && end.replaces;
    (as_now && ends.iter().any(is_held)).then_some(place)
}

/// Builds the problem, at the pin that moved last. If both moved in one commit, it is the consumer's.
fn problem(ends: &[PinArrival<'_>; 2], place: u32, pair: &VersionPair) -> Problem {
    let VersionPair { consumer, consumer_version: version, provider, provider_version: beside } = pair;
    let message = format!("`{consumer}` {version} has never run with `{provider}` {beside} (`unseen: refuse`)");
    let [one, other] = ends;
    let is_moved = one.position == place && one.replaces;
    let (moved, other) = if is_moved { (one.service, other.service) } else { (other.service, one.service) };
    let label = format!("{} is pinned here", other.pin.version);
    Problem::error(message, moved.version_at.clone()).for_service(&moved.name).also(other.version_at.clone(), label)
}

impl<'a> PinArrival<'a> {
    fn of(service: &'a Service, history: &History) -> Self {
        let records = history.records(&service.name).iter().rev();
        // A file that was unreadable for a while does not count as a move.
        let mut pinned = records.filter_map(|record| Some((record.position, record.pin.as_deref()?))).peekable();
        let mut position = UNCOMMITTED_POSITION;
        while let Some((since, _)) = pinned.next_if(|(_, pin)| pin.version == service.pin.version) {
            position = since;
        }
        Self { service, position, replaces: pinned.peek().is_some() && !service.external }
    }
}

//! Pins that put together what history never saw together, where no range speaks of them: what `unseen: refuse` holds.

use std::sync::Arc;

use crate::evidence::{Evidence, Pair};
use crate::git::Commit;
use crate::graph::{EdgeId, Graph};
use crate::history::History;
use crate::pins::{Pin, Pins, Service};
use crate::problem::Problem;
use crate::running::Label;

/// Two pinned versions that were never seen together.
#[derive(Debug)]
pub struct Joined {
    /// What is wrong with that where such pairs are refused.
    pub problem: Problem,
    /// The commit that put them together; none where it is still to be made.
    pub by: Option<Arc<Commit>>,
}

/// How a service came to its pin.
struct Arrival<'a> {
    service: &'a Service,
    /// The place of the commit that moved it there; [`NOW`] where that is still to be made.
    place: u32,
    /// It was pinned otherwise before, and is written by Pintle: something runs that the pin takes the place of.
    replaces: bool,
}

/// After all that history knows.
const NOW: u32 = u32::MAX;

/// The pairs that were never seen, and of which a service was held when it was moved there, if they were refused then. What
/// had no pin before starts from nothing, which is never held for that.
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

/// The place of the commit that put a consumer and its provider together, where that held one of them.
fn held_since(ends: &[Arrival<'_>; 2], history: &History) -> Option<u32> {
    let [consumer, provider] = ends;
    let place = consumer.place.max(provider.place);
    let need = |of: &Pin| of.depends_on.get(&provider.service.name).cloned();
    // An edge that was found out later, or has lost its range since, held nothing then.
    let then = history.pinned_at(&consumer.service.name, place).map(|pin| need(pin));
    let as_now = place == NOW || then == Some(need(&consumer.service.pin));
    let is_held = |end: &Arrival<'_>| end.place == place && end.replaces;
    (as_now && ends.iter().any(is_held)).then_some(place)
}

/// It is told where the pin stands that was moved last, of both the consumer's.
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
        // A file that could not be read for a while moves nothing.
        let mut pinned = records.filter_map(|record| Some((record.position, record.pin.as_deref()?))).peekable();
        let mut place = NOW;
        while let Some((since, _)) = pinned.next_if(|(_, pin)| pin.version == service.pin.version) {
            place = since;
        }
        Self { service, place, replaces: pinned.peek().is_some() && !service.external }
    }
}

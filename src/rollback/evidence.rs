//! Pairs of versions that were never seen together: where no range speaks of them, history does.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::{Known, Revert};
use crate::graph::Label;
use crate::pins::ServiceName;
use crate::source::History;
use crate::version::Version;

/// A consumer and what it needs, in versions that were never pinned together for long enough.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unseen {
    /// Who needs.
    pub consumer: ServiceName,
    /// In which version.
    pub version: Version,
    /// Whom.
    pub provider: ServiceName,
    /// In which version it would be there.
    pub beside: Version,
}

/// Of the pairs that a revert brings together, those that were never pinned together for `soak`. What is pinned at the
/// tip is so until `now`.
pub fn unseen(known: Known<'_>, revert: &Revert, soak: Duration, now: Timestamp) -> Vec<Unseen> {
    let pins = revert.pins(known.pins);
    let pinned = |name: &ServiceName| pins.services.get(name).map(|service| &service.pin.version);
    let members = revert.members.iter().filter_map(|member| known.graph.id(&member.service));
    let pair = |edge| {
        let ends = known.graph.edge(edge);
        let [consumer, provider] = [ends.consumer, ends.provider].map(|id| known.graph.name(id));
        let (version, beside) = (pinned(consumer)?, pinned(provider)?);
        known.graph.need(edge, version)?;
        // Said to be wrong already.
        let fits = known.graph.ok(edge, Label::Version(version), Label::Version(beside));
        let unseen = fits && !were_seen(known.history, [(consumer, version), (provider, beside)], soak, now);
        unseen.then(|| Unseen {
            consumer: consumer.clone(),
            version: version.clone(),
            provider: provider.clone(),
            beside: beside.clone(),
        })
    };
    let mut unseen: Vec<Unseen> =
        members.flat_map(|id| known.graph.around(id)).filter_map(|(edge, _)| pair(edge)).collect();
    unseen.sort();
    unseen.dedup();
    unseen
}

/// Whether two versions were pinned together for so long at least.
fn were_seen(history: &History, pair: [(&ServiceName, &Version); 2], soak: Duration, now: Timestamp) -> bool {
    let [one, other] = pair.map(|(name, version)| spans(history, name, version));
    let time = |place: u32| history.moves().get(place as usize).map_or(now, |commit| commit.time);
    let lasted = |from: u32, until: u32| {
        from < until && time(until).duration_since(time(from)) >= soak.try_into().unwrap_or_default()
    };
    one.iter().any(|(from, until)| other.iter().any(|(begin, end)| lasted(*from.max(begin), *until.min(end))))
}

/// The places in history from which and until which a service was pinned at a version.
fn spans(history: &History, service: &ServiceName, version: &Version) -> Vec<(u32, u32)> {
    let records = history.records(service);
    let ends = records.iter().skip(1).map(|record| record.position).chain([u32::MAX]);
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for (record, end) in records.iter().zip(ends) {
        if record.pin.as_ref().is_none_or(|pin| pin.version != *version) {
            continue;
        }
        match spans.last_mut() {
            // What it needed changed, not what it was.
            Some(last) if last.1 == record.position => last.1 = end,
            _ => spans.push((record.position, end)),
        }
    }
    spans
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} with {} {}", self.consumer, self.version, self.provider, self.beside)
    }
}

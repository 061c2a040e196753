//! Evidence from history that two versions work together. It decides pairs that no range covers.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Serialize;

use crate::graph::{EdgeId, Graph};
use crate::history::{History, PinRecord};
use crate::pins::ServiceName;
use crate::remedy::Remedy;
use crate::running::Label;
use crate::version::{Version, VersionRange};

/// The evidence that history has for pairs of versions.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    history: &'a History,
    soak: Duration,
}

/// A consumer and a provider, each at a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct VersionPair {
    pub consumer: ServiceName,
    /// The version of the consumer.
    #[serde(rename = "version")]
    pub consumer_version: Version,
    pub provider: ServiceName,
    /// The version of the provider.
    #[serde(rename = "beside")]
    pub provider_version: Version,
}

impl<'a> Evidence<'a> {
    /// Counts a pair as seen only if its versions were pinned together for at least `soak`.
    pub fn new(history: &'a History, soak: Duration) -> Self {
        Self { history, soak }
    }

    /// Returns whether two versions were pinned together for at least `soak`. Only intervals that have ended count:
    /// otherwise, a commit would become its own evidence as time passes.
    fn is_seen(self, pair: [(&ServiceName, &Version); 2]) -> bool {
        let soak = SignedDuration::try_from(self.soak).unwrap_or(SignedDuration::MAX);
        let together = self.history.intervals_together(pair);
        let mut lasted = together.iter().filter_map(|it| Some(it.until.as_ref()?.time.duration_since(it.from.time)));
        lasted.any(|lasted| lasted >= soak)
    }

    /// Returns the remedy for a user who knows that the pair is compatible.
    pub fn remedy(self, graph: &Graph, pair: &VersionPair) -> Remedy {
        let from = self.compatible_from(graph, pair).clone();
        let VersionPair { consumer, consumer_version: version, provider, .. } = pair.clone();
        Remedy::StateNeed { consumer, version, provider, from }
    }

    /// Returns the oldest of the pair's provider version and all that were pinned together with this consumer version.
    ///
    /// A statement of compatibility from that version on does not reject versions that history has already accepted.
    pub fn compatible_from<'v>(self, graph: &Graph, pair: &'v VersionPair) -> &'v Version
    where
        'a: 'v,
    {
        let order = graph.id(&pair.provider).map(|id| graph.version_order(id));
        let is_older = |a: &Version, b: &Version| order.and_then(|order| order.compare(a, b)) == Some(Ordering::Less);
        self.stood_beside(pair)
            .fold(&pair.provider_version, |from, other| if is_older(other, from) { other } else { from })
    }

    /// Returns the versions of the provider that were pinned while the consumer was pinned at this version.
    fn stood_beside(self, pair: &VersionPair) -> impl Iterator<Item = &'a Version> {
        let [consumer, provider] = [&pair.consumer, &pair.provider].map(|name| self.history.records(name));
        let ends = consumer.iter().skip(1).map(|record| record.position).chain([u32::MAX]);
        let stood = consumer
            .iter()
            .zip(ends)
            .filter(|(record, _)| record.pin.as_ref().is_some_and(|pin| pin.version == pair.consumer_version));
        let beside = move |(record, end): (&PinRecord, u32)| {
            let first = provider.partition_point(|other| other.position <= record.position).saturating_sub(1);
            provider[first..].iter().take_while(move |other| other.position < end)
        };
        stood.flat_map(beside).filter_map(|other| other.pin.as_deref()).map(|pin| &pin.version)
    }

    /// Returns the pair on an edge if it lacks evidence: the consumer needs the provider, no range covers the need, and
    /// the two versions were never seen together. Pairs outside a range are reported elsewhere.
    pub fn unseen_pair(self, graph: &Graph, edge: EdgeId, x: Label<'_>, y: Label<'_>) -> Option<VersionPair> {
        let (Label::Version(version), Label::Version(beside)) = (x, y) else { return None };
        graph.required_range(edge, version).filter(|range| VersionRange::is_any(range))?;
        let ends = graph.edge(edge);
        let [consumer, provider] = [ends.consumer, ends.provider].map(|id| graph.name(id));
        let seen = self.is_seen([(consumer, version), (provider, beside)]);
        (!seen).then(|| VersionPair {
            consumer: consumer.clone(),
            consumer_version: version.clone(),
            provider: provider.clone(),
            provider_version: beside.clone(),
        })
    }
}

impl fmt::Display for VersionPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} with {} {}", self.consumer, self.consumer_version, self.provider, self.provider_version)
    }
}

//! What history knows of the pairs that a revert brings together.

use super::{Revert, RollbackInput};
use crate::evidence::{Evidence, VersionPair};
use crate::pins::{ServiceName, UnseenPolicy};
use crate::running::Label;

/// Returns the pairs that a revert brings together, that no range speaks of and that were never seen; none where the
/// settings ignore them.
pub fn unseen_pairs(input: RollbackInput<'_>, revert: &Revert, evidence: Evidence<'_>) -> Vec<VersionPair> {
    if input.pins.settings.unseen == UnseenPolicy::Ignore {
        return Vec::new();
    }
    let pins = revert.pins(input.pins);
    let pinned = |name: &ServiceName| pins.services.get(name).map(|service| Label::Version(&service.pin.version));
    let members = revert.members.iter().filter_map(|member| input.graph.id(&member.service));
    let pair = |edge| {
        let ends = input.graph.edge(edge);
        let [consumer, provider] = [ends.consumer, ends.provider].map(|id| input.graph.name(id));
        evidence.unseen_pair(input.graph, edge, pinned(consumer)?, pinned(provider)?)
    };
    let mut unseen: Vec<VersionPair> =
        members.flat_map(|id| input.graph.neighbours(id)).filter_map(|(edge, _)| pair(edge)).collect();
    unseen.sort();
    unseen.dedup();
    unseen
}

//! `pintle init --output json`.

use std::collections::BTreeSet;

use pintle_core::init::{EngineOwnership, InitProposal, ProposedEdge, ProposedFile, UnpinnedItem};
use pintle_core::pins::ServiceName;
use serde::Serialize;

/// What is proposed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProposalJson<'p> {
    environment: Option<&'p str>,
    services: &'p BTreeSet<ServiceName>,
    edges: Vec<EdgeJson<'p>>,
    files: &'p [ProposedFile],
    left: &'p [UnpinnedItem],
    owned: &'p [EngineOwnership],
}

#[derive(Debug, Serialize)]
struct EdgeJson<'p> {
    consumer: &'p ServiceName,
    #[serde(flatten)]
    edge: &'p ProposedEdge,
}

impl<'p> From<&'p InitProposal> for ProposalJson<'p> {
    fn from(proposal: &'p InitProposal) -> Self {
        let edges = proposal.edges.iter();
        let edges = edges.flat_map(|(consumer, edges)| edges.iter().map(move |edge| EdgeJson { consumer, edge }));
        Self {
            environment: proposal.environment.as_deref(),
            services: &proposal.services,
            edges: edges.collect(),
            files: &proposal.files,
            left: &proposal.unpinned,
            owned: &proposal.engine_ownership,
        }
    }
}

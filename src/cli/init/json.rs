//! `pintle init --output json`.

use std::collections::BTreeSet;

use pintle_core::init::{Edge, Left, NewFile, Owned, Proposal};
use pintle_core::pins::ServiceName;
use serde::Serialize;

/// What is proposed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProposalJson<'p> {
    environment: Option<&'p str>,
    services: &'p BTreeSet<ServiceName>,
    edges: Vec<EdgeJson<'p>>,
    files: &'p [NewFile],
    left: &'p [Left],
    owned: &'p [Owned],
}

#[derive(Debug, Serialize)]
struct EdgeJson<'p> {
    consumer: &'p ServiceName,
    #[serde(flatten)]
    edge: &'p Edge,
}

impl<'p> From<&'p Proposal> for ProposalJson<'p> {
    fn from(proposal: &'p Proposal) -> Self {
        let edges = proposal.edges.iter();
        let edges = edges.flat_map(|(consumer, edges)| edges.iter().map(move |edge| EdgeJson { consumer, edge }));
        Self {
            environment: proposal.environment.as_deref(),
            services: &proposal.services,
            edges: edges.collect(),
            files: &proposal.files,
            left: &proposal.left,
            owned: &proposal.owned,
        }
    }
}

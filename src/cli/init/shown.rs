//! `pintle init --output json`.

use pintle_core::init::Proposal;
use pintle_core::pins::ServiceName;
use serde::Serialize;

/// What is proposed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'p> {
    environment: Option<&'p str>,
    services: Vec<&'p str>,
    edges: Vec<ShownEdge<'p>>,
    files: Vec<ShownFile<'p>>,
    left: Vec<ShownLeft<'p>>,
    owned: Vec<ShownOwned<'p>>,
}

#[derive(Debug, Serialize)]
struct ShownEdge<'p> {
    consumer: &'p str,
    provider: &'p str,
    seen: &'p str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownFile<'p> {
    path: &'p str,
    text: &'p str,
    /// It was there before, and stays as it is.
    existed: bool,
}

#[derive(Debug, Serialize)]
struct ShownLeft<'p> {
    what: &'p str,
    why: &'p str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownOwned<'p> {
    manager: &'p str,
    services: Vec<&'p str>,
    way_out: &'p str,
}

/// The proposal for programs.
pub(super) fn report(proposal: &Proposal) -> Report<'_> {
    let edges = proposal.edges.iter().flat_map(|(consumer, edges)| {
        edges.iter().map(|edge| ShownEdge {
            consumer: consumer.as_str(),
            provider: edge.provider.as_str(),
            seen: &edge.seen,
        })
    });
    let owned = proposal.owned.iter().map(|owned| ShownOwned {
        manager: &owned.manager,
        services: owned.services.iter().map(ServiceName::as_str).collect(),
        way_out: &owned.way_out,
    });
    Report {
        environment: proposal.environment.as_deref(),
        services: proposal.services.iter().map(ServiceName::as_str).collect(),
        edges: edges.collect(),
        files: proposal
            .files
            .iter()
            .map(|file| ShownFile { path: &file.path, text: &file.text, existed: file.exists })
            .collect(),
        left: proposal.left.iter().map(|left| ShownLeft { what: &left.what, why: &left.why }).collect(),
        owned: owned.collect(),
    }
}

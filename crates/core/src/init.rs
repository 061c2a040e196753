//! Proposes the first pin files for a repository without any, in three steps: findings in the files; then services,
//! patterns and edges; then the files to write.
//!
//! Pure. Pintle's own reader reads the proposed files back before they are returned.

mod compose;
mod edges;
mod engines;
mod environment;
mod files;
mod helm;
mod kustomize;
mod live;
mod manifest;
mod names;
mod node;
mod owners;
mod patterns;
mod propose;
mod read;
mod resolve;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use edges::ProposedEdge;
pub use files::Proposed;
pub use owners::EngineOwnership;
pub use propose::propose;

use serde::Serialize;

use crate::pins::ServiceName;
use crate::workload::{Workload, WorkloadId};

/// The options of a proposal.
#[derive(Debug, Clone, Copy, Default)]
pub struct InitOptions<'w> {
    /// Folder of the pins in the repository; empty for the repository root.
    pub root: &'w str,
    /// The environment to pin, if the repository has several.
    pub environment: Option<&'w str>,
    /// The namespace of the services, if the user named one.
    pub namespace: Option<&'w str>,
    /// The workloads in the cluster, if one was reached.
    pub live: Option<&'w NamespaceWorkloads>,
}

/// The workloads that run in a namespace.
#[derive(Debug, Clone, Default)]
pub struct NamespaceWorkloads {
    pub namespace: String,
    pub workloads: BTreeMap<WorkloadId, Arc<Workload>>,
}

/// The error for a repository with several environments, of which none was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmbiguousEnvironment {
    /// The requested environment, if the repository does not have it.
    pub requested: Option<String>,
    pub environments: Vec<String>,
}

/// The proposed files, and notes about them.
#[derive(Debug, Clone, Default)]
pub struct InitProposal {
    /// The namespace of most services, if known.
    pub namespace: Option<String>,
    /// The environment whose versions are pinned; `None` if the repository has no environments.
    pub environment: Option<String>,
    /// The files to write, by path.
    pub files: Vec<ProposedFile>,
    /// The patterns, each with the number of services it finds.
    pub patterns: Vec<(Proposed, usize)>,
    /// The services that are pinned.
    pub services: BTreeSet<ServiceName>,
    /// The proposed needs, by consumer.
    pub edges: BTreeMap<ServiceName, Vec<ProposedEdge>>,
    /// All edges, including those of existing files: consumer, provider.
    pub all_edges: BTreeSet<(ServiceName, ServiceName)>,
    /// Names that are not pinned, with the reason.
    pub unpinned: Vec<UnpinnedItem>,
    /// Services whose image fields another field manager owns.
    pub engine_ownership: Vec<EngineOwnership>,
    /// Unreadable files, with the reason.
    pub unreadable_files: Vec<String>,
    /// Objects with images that Pintle does not manage, such as `CronJob report`, with their files.
    pub unsupported: Vec<(String, Arc<str>)>,
    /// Number of files that were read.
    pub read: usize,
    /// Number of files that were left out as templates.
    pub templates: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposedFile {
    /// Path from the root of the repository.
    pub path: String,
    pub text: String,
    /// Whether a file exists at the path. It is not overwritten.
    #[serde(rename = "existed")]
    pub exists: bool,
}

/// A service or a Compose file that is not pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnpinnedItem {
    /// The name of the service as in its files, or the path of the file.
    #[serde(rename = "what")]
    pub item: String,
    #[serde(rename = "why")]
    pub reason: String,
}

impl InitOptions<'_> {
    /// Returns the path relative to the folder of the pins; `None` if it is outside.
    fn inner<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.root.is_empty() { Some(path) } else { path.strip_prefix(self.root)?.strip_prefix('/') }
    }

    /// Returns the path in the repository for a path relative to the folder of the pins.
    fn outer(&self, inner: &str) -> String {
        if self.root.is_empty() { inner.to_owned() } else { format!("{}/{inner}", self.root) }
    }
}

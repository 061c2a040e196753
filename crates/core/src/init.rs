//! A first plan for a repository that knows nothing of Pintle: files -> what was seen -> services, patterns and edges ->
//! the files to write. Pure; what is written is read back by Pintle's own reader before it is proposed.

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

pub use edges::Edge;
pub use files::Proposed;
pub use owners::Owned;
pub use propose::propose;

use serde::Serialize;

use crate::pins::ServiceName;
use crate::workload::{Workload, WorkloadId};

/// What somebody wants to have looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'w> {
    /// The folder of the pins in the repository; empty for the repository itself.
    pub root: &'w str,
    /// The environment, where the repository has several.
    pub environment: Option<&'w str>,
    /// The namespace of the services, where somebody said it.
    pub namespace: Option<&'w str>,
    /// What runs, where a cluster was reached.
    pub live: Option<&'w Live>,
}

/// What runs in a namespace.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The namespace.
    pub namespace: String,
    /// Its workloads.
    pub workloads: BTreeMap<WorkloadId, Arc<Workload>>,
}

/// Several environments, and nothing says which one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The one that was asked for and is none of them.
    pub wanted: Option<String>,
    /// What there is.
    pub environments: Vec<String>,
}

/// What would be written, and what should be known about it.
#[derive(Debug, Clone, Default)]
pub struct Proposal {
    /// The namespace of most services, where something says it.
    pub namespace: Option<String>,
    /// The environment whose versions are pinned; none where there are no environments.
    pub environment: Option<String>,
    /// The files to write, by path.
    pub files: Vec<NewFile>,
    /// The patterns, each with the number of services it finds.
    pub patterns: Vec<(Proposed, usize)>,
    /// The services that are pinned.
    pub services: BTreeSet<ServiceName>,
    /// Who needs whom, as it is proposed.
    pub edges: BTreeMap<ServiceName, Vec<Edge>>,
    /// The edges in all, with those that stood there before: consumer, provider.
    pub linked: BTreeSet<(ServiceName, ServiceName)>,
    /// What is not pinned, and why.
    pub left: Vec<Left>,
    /// Whose image fields are somebody else's.
    pub owned: Vec<Owned>,
    /// Files that could not be read, and why.
    pub skipped: Vec<String>,
    /// What runs images that Pintle does not move, as `CronJob report`, with its file.
    pub unsupported: Vec<(String, Arc<str>)>,
    /// How many files were read.
    pub read: usize,
    /// How many files were passed over because they are templates.
    pub templates: usize,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewFile {
    /// Its path from the root of the repository.
    pub path: String,
    /// What it says.
    pub text: String,
    /// Something is at the path already, and stays.
    #[serde(rename = "existed")]
    pub exists: bool,
}

/// What is not pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// The service, as its files call it.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Wish<'_> {
    /// A path below the folder of the pins; none where it lies elsewhere.
    fn inner<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.root.is_empty() { Some(path) } else { path.strip_prefix(self.root)?.strip_prefix('/') }
    }

    /// The path in the repository of a path below the folder of the pins.
    fn outer(&self, inner: &str) -> String {
        if self.root.is_empty() { inner.to_owned() } else { format!("{}/{inner}", self.root) }
    }
}

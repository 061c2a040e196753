//! What the files of a repository say about versions, workloads and who talks to whom. Plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pins::{ValueKind, WorkloadRef};

/// All that was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Places where a version stands, or could.
    pub(super) spots: Vec<Spot>,
    /// Deployments, StatefulSets and `DaemonSets`, patches of them too.
    pub(super) workloads: Vec<SeenWorkload>,
    /// Names that Services give to pods.
    pub(super) hosts: Vec<Host>,
    /// The texts of ConfigMaps with their files, by the name of the map.
    pub(super) configs: BTreeMap<String, Vec<(Arc<str>, Text)>>,
    /// The GitOps objects that say what is applied.
    pub(super) engines: Vec<Engine>,
    /// What runs images that Pintle does not move: `CronJob report`, with its file.
    pub(super) unsupported: Vec<(String, Arc<str>)>,
    /// Files that cannot be read, and why.
    pub(super) skipped: Vec<String>,
    /// Files that were read.
    pub(super) files: usize,
    /// Files with templates in them, which are no YAML.
    pub(super) templates: usize,
}

/// A place where a version stands; or, without one, where the rest of what belongs to it stands.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) path: Arc<str>,
    /// Key paths to the value, the one to prefer first; none leads to it by chance.
    pub(super) keys: Vec<String>,
    pub(super) value: ValueKind,
    /// The version or the image as it is written; none where this file leaves it open.
    pub(super) text: Option<String>,
    /// The repository of the image as it is written.
    pub(super) repository: Option<String>,
    /// Whether the repository stands where Pintle looks for it.
    pub(super) beside: bool,
    pub(super) layout: Layout,
    /// What names the service for certain: a workload, a release, a key of Compose.
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    /// What Kustomize writes before and after the names of workloads.
    pub(super) affixes: (String, String),
    /// What the same file says of other services.
    pub(super) texts: Vec<Text>,
}

/// How a version is kept; where two layouts pin one service, the first one decides what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layout {
    /// An override in an Argo CD `Application`.
    Application,
    /// `images:` of a kustomization.
    Kustomize,
    /// `values:` of a Flux `HelmRelease`.
    Release,
    /// A file of Helm values.
    Values,
    /// A manifest.
    Manifest,
    /// A Compose file.
    Compose,
}

/// A workload as a file has it.
#[derive(Debug, Clone)]
pub(super) struct SeenWorkload {
    pub(super) path: Arc<str>,
    pub(super) workload: WorkloadRef,
    pub(super) namespace: Option<String>,
    pub(super) labels: Vec<(String, String)>,
    /// The images of its containers, as written.
    pub(super) images: Vec<String>,
    pub(super) texts: Vec<Text>,
    /// The ConfigMaps that it reads.
    pub(super) configs: Vec<String>,
}

/// A name under which pods answer.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) selector: Vec<(String, String)>,
}

/// A text that may name another service.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// Where it was seen, as in `env PAYMENTS_ADDR`.
    pub(super) seen: String,
    /// The name it is kept under, where that may tell something.
    pub(super) key: Option<String>,
    pub(super) content: Content,
}

/// What a [`Text`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A value to look for hosts in.
    Value(String),
    /// A value that stands elsewhere: in a secret.
    Elsewhere,
    /// The name of a service, and nothing else.
    Name(String),
}

/// A GitOps object that applies what lies in a folder, or a file.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    /// The field manager by which it writes.
    pub(super) manager: &'static str,
    /// The folder it applies, or the file it is.
    pub(super) path: String,
    /// The namespace it applies to, for manifests that name none.
    pub(super) namespace: Option<String>,
}

impl Seen {
    /// What applies a file.
    pub(super) fn engine(&self, path: &str) -> Option<&Engine> {
        let inside =
            |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.engines.iter().find(|engine| engine.path.is_empty() || inside(&engine.path))
    }
}

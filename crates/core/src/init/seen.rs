//! Findings in the files of a repository: versions, workloads, and texts that may name other services. Plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pins::{ValueKind, WorkloadRef};

/// All findings in a repository.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Places that have a version, or could have one.
    pub(super) spots: Vec<Spot>,
    /// Deployments, StatefulSets and `DaemonSets`, including patches of them.
    pub(super) workloads: Vec<SeenWorkload>,
    /// Names of Kubernetes Services.
    pub(super) hosts: Vec<Host>,
    /// The entries of ConfigMaps with their files, by the name of the map.
    pub(super) configs: BTreeMap<String, Vec<(Arc<str>, Text)>>,
    /// GitOps objects, with the paths that they apply.
    pub(super) engines: Vec<Engine>,
    /// Objects with images that Pintle does not manage, such as `CronJob report`, with their files.
    pub(super) unsupported: Vec<(String, Arc<str>)>,
    /// Unreadable files, with the reason.
    pub(super) skipped: Vec<String>,
    /// Number of files that were read.
    pub(super) files: usize,
    /// Number of templates, which are not YAML.
    pub(super) templates: usize,
}

/// A place with a version; or, without a version, a place with other facts about its service.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) path: Arc<str>,
    /// Key paths to the value, preferred one first. Paths that fit only by chance are left out, so there may be none.
    pub(super) keys: Vec<String>,
    pub(super) value: ValueKind,
    /// Version or image as written; `None` if this file leaves it open.
    pub(super) text: Option<String>,
    /// Image repository as written.
    pub(super) repository: Option<String>,
    /// Whether the repository is where Pintle looks for it by default.
    pub(super) beside: bool,
    pub(super) layout: Layout,
    /// Name given by an object: a workload, a release, a key of Compose.
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    /// Kustomize's prefix and suffix for the names of workloads.
    pub(super) affixes: (String, String),
    /// Texts of the same file that may name other services.
    pub(super) texts: Vec<Text>,
}

/// The form of a version's place. If two layouts pin one service, the first of them decides what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layout {
    /// An override in an Argo CD `Application`.
    Application,
    /// `images:` of a kustomization.
    Kustomize,
    /// `values:` of a Flux `HelmRelease`.
    Release,
    /// A Helm values file.
    Values,
    Manifest,
    Compose,
}

/// A workload in a file.
#[derive(Debug, Clone)]
pub(super) struct SeenWorkload {
    pub(super) path: Arc<str>,
    pub(super) workload: WorkloadRef,
    pub(super) namespace: Option<String>,
    pub(super) labels: Vec<(String, String)>,
    /// Images of the containers, as written.
    pub(super) images: Vec<String>,
    pub(super) texts: Vec<Text>,
    /// ConfigMaps that the workload reads.
    pub(super) configs: Vec<String>,
}

/// A Kubernetes Service, whose name resolves to pods.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) selector: Vec<(String, String)>,
}

/// A text that may name another service.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// The setting with the text, as in `env PAYMENTS_ADDR`.
    pub(super) seen: String,
    /// The key of the text, if it may be informative.
    pub(super) key: Option<String>,
    pub(super) content: Content,
}

/// The content of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A value that may contain host names.
    Value(String),
    /// A value that is elsewhere, in a secret.
    Elsewhere,
    /// The bare name of a service.
    Name(String),
}

/// A GitOps object that applies a folder, or that is itself the file with the version.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    /// Its field manager.
    pub(super) manager: &'static str,
    /// The folder that it applies, or its own file.
    pub(super) path: String,
    /// The namespace for manifests that name none.
    pub(super) namespace: Option<String>,
}

impl Seen {
    /// Returns the GitOps object that applies a file.
    pub(super) fn engine(&self, path: &str) -> Option<&Engine> {
        let inside =
            |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.engines.iter().find(|engine| engine.path.is_empty() || inside(&engine.path))
    }
}

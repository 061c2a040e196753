//! Findings in the files of a repository: versions, workloads, and texts that may name other services. Plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pins::{ValueKind, WorkloadRef};

/// All findings in a repository.
#[derive(Debug, Default)]
pub(super) struct RepoScan {
    /// Places that have a version, or could have one.
    pub(super) versions: Vec<VersionLocation>,
    /// Deployments, StatefulSets and `DaemonSets`, including patches of them.
    pub(super) workloads: Vec<ScannedWorkload>,
    /// Names of Kubernetes Services.
    pub(super) hosts: Vec<ScannedService>,
    /// The entries of ConfigMaps with their files, by the name of the map.
    pub(super) configs: BTreeMap<String, Vec<(Arc<str>, ServiceReference)>>,
    /// GitOps objects, with the paths that they apply.
    pub(super) engines: Vec<GitOpsSource>,
    /// Objects with images that Pintle does not manage, such as `CronJob report`, with their files.
    pub(super) unsupported: Vec<(String, Arc<str>)>,
    /// Unreadable files, with the reason.
    pub(super) unreadable_files: Vec<String>,
    /// Number of files that were read.
    pub(super) files: usize,
    /// Number of templates, which are not YAML.
    pub(super) templates: usize,
}

/// A place with a version; or, without a version, a place with other facts about its service.
#[derive(Debug, Clone)]
pub(super) struct VersionLocation {
    pub(super) path: Arc<str>,
    /// Key paths to the value, preferred one first. Paths that fit only by chance are left out, so there may be none.
    pub(super) key_paths: Vec<String>,
    pub(super) value: ValueKind,
    /// Version or image as written; `None` if this file leaves it open.
    pub(super) written: Option<String>,
    /// Image repository as written.
    pub(super) repository: Option<String>,
    /// Whether the repository is where Pintle looks for it by default.
    pub(super) has_repository_beside: bool,
    pub(super) layout: ConfigFormat,
    /// Name given by an object: a workload, a release, a key of Compose.
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    /// Kustomize's prefix and suffix for the names of workloads.
    pub(super) affixes: (String, String),
    /// Texts of the same file that may name other services.
    pub(super) references: Vec<ServiceReference>,
}

/// The form of a version's place. If two layouts pin one service, the first of them decides what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConfigFormat {
    /// An override in an Argo CD `Application`.
    ArgoApplication,
    /// `images:` of a kustomization.
    Kustomize,
    /// `values:` of a Flux `HelmRelease`.
    HelmRelease,
    /// A Helm values file.
    HelmValues,
    Manifest,
    Compose,
}

/// A workload in a file.
#[derive(Debug, Clone)]
pub(super) struct ScannedWorkload {
    pub(super) path: Arc<str>,
    pub(super) workload: WorkloadRef,
    pub(super) namespace: Option<String>,
    pub(super) labels: Vec<(String, String)>,
    /// Images of the containers, as written.
    pub(super) images: Vec<String>,
    pub(super) references: Vec<ServiceReference>,
    /// ConfigMaps that the workload reads.
    pub(super) configs: Vec<String>,
}

/// A Kubernetes Service, whose name resolves to pods.
#[derive(Debug, Clone)]
pub(super) struct ScannedService {
    pub(super) name: String,
    pub(super) selector: Vec<(String, String)>,
}

/// A text that may name another service.
#[derive(Debug, Clone)]
pub(super) struct ServiceReference {
    /// The setting with the text, as in `env PAYMENTS_ADDR`.
    pub(super) seen_in: String,
    /// The key of the text, if it may be informative.
    pub(super) key: Option<String>,
    pub(super) content: ReferenceContent,
}

/// The content of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReferenceContent {
    /// A value that may contain host names.
    Value(String),
    /// A value that is elsewhere, in a secret.
    SecretRef,
    /// The bare name of a service.
    Name(String),
}

/// A GitOps object that applies a folder, or that is itself the file with the version.
#[derive(Debug, Clone)]
pub(super) struct GitOpsSource {
    /// Its field manager.
    pub(super) manager: &'static str,
    /// The folder that it applies, or its own file.
    pub(super) path: String,
    /// The namespace for manifests that name none.
    pub(super) namespace: Option<String>,
}

impl RepoScan {
    /// Returns the GitOps object that applies a file.
    pub(super) fn engine_of(&self, path: &str) -> Option<&GitOpsSource> {
        let inside =
            |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.engines.iter().find(|engine| engine.path.is_empty() || inside(&engine.path))
    }
}

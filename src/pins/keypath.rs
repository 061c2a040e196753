//! Key paths with selectors: `images[name=ghcr.io/acme/{service}].newTag`.

/// A parsed key path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPath(pub(super) String);

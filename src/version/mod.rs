//! Versions, their orders, and ranges (skeleton).
#![expect(missing_docs, reason = "skeleton")]
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(Arc<str>);
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionError(pub String);
impl Version {
    pub fn new(text: &str) -> Result<Self, VersionError> {
        Ok(Self(text.into()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    Semver,
    Maven,
    History,
}
#[derive(Debug, Clone)]
pub struct Order;
impl Order {
    pub fn choose(_explicit: Option<Versioning>, _appearance: impl IntoIterator<Item = Version>) -> Self {
        Self
    }
    pub fn compare(&self, a: &Version, b: &Version) -> Option<Ordering> {
        Some(a.cmp(b))
    }
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Range(Arc<str>);
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeError {
    pub message: String,
    pub at: usize,
    pub hint: String,
}
impl FromStr for Range {
    type Err = RangeError;
    fn from_str(s: &str) -> Result<Self, RangeError> {
        Ok(Self(s.into()))
    }
}
impl Range {
    pub fn any() -> Self {
        Self("*".into())
    }
    pub fn contains(&self, _v: &Version, _order: &Order) -> bool {
        true
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

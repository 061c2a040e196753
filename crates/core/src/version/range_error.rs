//! The error of parsing or applying a range.

use super::VersionError;

/// The reason that a text is no range, or does not fit the order of its provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RangeError {
    pub message: String,
    /// The offset of the error, in bytes from the start of the range.
    pub offset: usize,
    /// What to write instead.
    pub hint: Option<String>,
}

impl RangeError {
    pub(super) fn at(offset: usize, error: &VersionError) -> Self {
        Self { message: error.to_string(), offset, hint: error.hint() }
    }
}

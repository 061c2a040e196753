//! What keeps a text from being a range.

use super::VersionError;

/// Why a text is no range, or not one for a provider's order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RangeError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes from the start of the range.
    pub offset: usize,
    /// What to write instead.
    pub hint: Option<String>,
}

impl RangeError {
    pub(super) fn at(offset: usize, error: &VersionError) -> Self {
        Self { message: error.to_string(), offset, hint: error.hint() }
    }
}

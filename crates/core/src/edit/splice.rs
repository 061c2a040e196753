//! Texts in place of others, at places of the same bytes.

use std::ops::Range;

/// One text in place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    /// The bytes that go.
    pub(super) at: Range<usize>,
    /// What comes in their place.
    pub(super) text: String,
}

/// Carries all out at once. The same splice may stand there twice.
///
/// # Errors
/// The place of the second of two that touch the same bytes.
pub(super) fn all(bytes: &[u8], mut splices: Vec<Splice>) -> Result<Vec<u8>, Range<usize>> {
    splices.sort_by_key(|splice| (splice.at.start, splice.at.end));
    splices.dedup();
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut from = 0;
    for Splice { at, text } in splices {
        let Some(kept) = bytes.get(from..at.start) else { return Err(at) };
        out.extend_from_slice(kept);
        out.extend_from_slice(text.as_bytes());
        from = at.end;
    }
    out.extend_from_slice(&bytes[from..]);
    Ok(out)
}

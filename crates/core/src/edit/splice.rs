//! Replacements of byte ranges.

use std::ops::Range;

/// The replacement of one byte range. All places refer to the same unedited bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextSplice {
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

/// Applies all splices at once. Equal splices count as one.
///
/// # Errors
/// Returns the range of the second of two splices that overlap.
pub(super) fn apply_splices(bytes: &[u8], mut splices: Vec<TextSplice>) -> Result<Vec<u8>, Range<usize>> {
    splices.sort_by_key(|splice| (splice.at.start, splice.at.end));
    splices.dedup();
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut from = 0;
    for TextSplice { at, text } in splices {
        let Some(kept) = bytes.get(from..at.start) else { return Err(at) };
        out.extend_from_slice(kept);
        out.extend_from_slice(text.as_bytes());
        from = at.end;
    }
    out.extend_from_slice(&bytes[from..]);
    Ok(out)
}

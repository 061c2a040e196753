//! Sets and adds entries in a service's own file.

use super::file_edit::FileEdit;
use super::map::YamlMap;
use super::refusal::Refusal;
use super::scalar;
use super::splice::TextSplice;
use crate::problem::FilePlace;

/// Sets a key of the root map. An existing scalar keeps its style; a missing key is added at the end.
pub(super) fn set_text(own: &mut FileEdit, key: &str, text: &str) -> Result<(), Refusal> {
    let splice = own.root(|root| -> Result<_, Refusal> {
        let map = root.and_then(|root| YamlMap::of(&own.text, root));
        let entry = map.as_ref().and_then(|map| map.get(key));
        match entry {
            Some(entry) => {
                let at = FilePlace::at(&own.path, entry.value.span());
                let raw = scalar::require_one_line(&own.text, entry.value, &at)?;
                Ok(Some(TextSplice { at: entry.value.span(), text: scalar::styled_like(raw, text, false) }))
            }
            None => Ok(added(own, map.as_ref(), key, &scalar::plain(text))),
        }
    })??;
    apply(own, splice)
}

/// Builds the splice that adds an entry at the end of the root map. `value` is inserted verbatim.
pub(super) fn added(own: &FileEdit, map: Option<&YamlMap<'_>>, key: &str, value: &str) -> Option<TextSplice> {
    let entry = format!("{key}: {value}");
    match map {
        Some(map) if map.is_flow() => map.with(&entry),
        Some(map) => map.with(&format!("{}{entry}{}", " ".repeat(map.indent()), own.line_end)),
        None => {
            let end = own.text.len();
            Some(TextSplice { at: end..end, text: format!("{entry}{}", own.line_end) })
        }
    }
}

/// Applies a splice. `None` means that the file has no place for the change, which is an error.
pub(super) fn apply(own: &mut FileEdit, splice: Option<TextSplice>) -> Result<(), Refusal> {
    match splice {
        Some(splice) => own.splices(vec![splice]),
        None => Err(own.refuse("this file cannot be edited as it is written")),
    }
}

//! Sets version ranges in `dependsOn`.

use std::sync::Arc;

use super::file_edit::FileEdit;
use super::map::YamlMap;
use super::refusal::Refusal;
use super::splice::TextSplice;
use super::{entries, scalar};
use crate::pins::{Need, Service, ServiceName, YamlValue};
use crate::problem::{FilePlace, Problem};
use crate::version::VersionRange;

const DEPENDS_ON_KEY: &str = "dependsOn";

/// Sets needs in the service's own file and in the expected service.
pub(super) fn set_needs(
    own: &mut FileEdit,
    wanted: &mut Service,
    needs: &[(ServiceName, VersionRange)],
) -> Result<(), Refusal> {
    for (provider, range) in needs {
        match wanted.pin.depends_on.get(provider) {
            Some(Need::Range(same)) if same == range => continue,
            Some(Need::Table(_)) => return Err(table_error(wanted, provider)),
            _ => {}
        }
        set_need(own, provider, range)?;
        Arc::make_mut(&mut wanted.pin.depends_on).insert(provider.clone(), Need::Range(range.clone()));
    }
    Ok(())
}

fn table_error(service: &Service, provider: &ServiceName) -> Refusal {
    let message = format!("what `{}` needs of `{provider}` stands in a table, for all versions", service.name);
    let at = service.needs_at.get(provider).map_or_else(|| service.version_at.clone(), |at| at.provider.clone());
    let hint = "add a row to the table, in this commit or the one before";
    Box::new(Problem::error(message, at).for_service(&service.name).hint(hint))
}

/// Sets the range for one provider. The entry must not be a table.
pub(super) fn set_need(own: &mut FileEdit, provider: &ServiceName, range: &VersionRange) -> Result<(), Refusal> {
    let splices = splices(own, provider, range)?;
    own.splices(splices)
}

fn splices(own: &FileEdit, provider: &ServiceName, range: &VersionRange) -> Result<Vec<TextSplice>, Refusal> {
    let new = scalar::quoted(range.as_str());
    let splices = own.root(|root| -> Result<Option<Vec<TextSplice>>, Refusal> {
        let map = root.and_then(|root| YamlMap::of(&own.text, root));
        let Some(needs) = map.as_ref().and_then(|map| map.get(DEPENDS_ON_KEY)) else {
            let added = entries::added(own, map.as_ref(), DEPENDS_ON_KEY, &format!("{{{provider}: {new}}}"));
            return Ok(added.map(|added| vec![added]));
        };
        if needs.value.is_alias() {
            let at = FilePlace::at(&own.path, needs.value.span());
            return Err(Box::new(Problem::error("`dependsOn` is an alias", at).hint("write the needs here")));
        }
        if let Some(items) = needs.value.items() {
            return Ok(as_map(own, needs.value, items, (provider, &new)));
        }
        let Some(needs) = YamlMap::of(&own.text, needs.value) else { return Ok(None) };
        if let Some(entry) = needs.get(provider.as_str()) {
            let at = FilePlace::at(&own.path, entry.value.span());
            let raw = scalar::require_one_line(&own.text, entry.value, &at)?;
            let text = scalar::styled_like(raw, range.as_str(), false);
            return Ok(Some(vec![TextSplice { at: entry.value.span(), text }]));
        }
        let entry = format!("{provider}: {new}");
        let lines = format!("{}{entry}{}", " ".repeat(needs.indent()), own.line_end);
        Ok(needs.with(if needs.is_flow() { &entry } else { &lines }).map(|added| vec![added]))
    })??;
    splices.ok_or_else(|| own.refuse(format!("`{DEPENDS_ON_KEY}` cannot be edited as it is written")))
}

/// Turns a list of names into a map of ranges, with `"*"` for names that had no range. Names and comments stay in
/// place.
fn as_map<'t>(
    own: &FileEdit,
    list: YamlValue<'t>,
    items: impl Iterator<Item = YamlValue<'t>>,
    (provider, range): (&ServiceName, &str),
) -> Option<Vec<TextSplice>> {
    let mut splices = Vec::new();
    let (mut known, mut end_item) = (false, None);
    for item in items {
        let name = item.scalar()?.text;
        let mine = name == provider.as_str();
        known |= mine;
        let end = item.span().end;
        end_item = Some(item);
        splices.push(TextSplice { at: end..end, text: format!(": {}", if mine { range } else { "\"*\"" }) });
        if !list.is_flow() {
            let dash = own.text[..item.span().start].rfind('-')?;
            splices.push(TextSplice { at: dash..dash + 1, text: " ".to_owned() });
        }
    }
    if list.is_flow() {
        let span = list.span();
        splices.push(TextSplice { at: span.start..span.start + 1, text: "{".to_owned() });
        splices.push(TextSplice { at: span.end - 1..span.end, text: "}".to_owned() });
    }
    if !known {
        splices.push(new_entry(own, list, end_item, &format!("{provider}: {range}"))?);
    }
    Some(splices)
}

fn new_entry(own: &FileEdit, list: YamlValue<'_>, end_item: Option<YamlValue<'_>>, entry: &str) -> Option<TextSplice> {
    let text = &own.text;
    let Some(item) = end_item else {
        let brace = list.span().start + 1;
        return Some(TextSplice { at: brace..brace, text: entry.to_owned() });
    };
    let (start, end) = (item.span().start, item.span().end);
    if list.is_flow() {
        return Some(TextSplice { at: end..end, text: format!(", {entry}") });
    }
    let column = start - text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let next = end + text[end..].find('\n')? + 1;
    Some(TextSplice { at: next..next, text: format!("{}{entry}{}", " ".repeat(column), own.line_end) })
}

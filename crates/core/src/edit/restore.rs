//! Restores the version-bound keys of another revision.

use std::borrow::Cow;

use super::entries::apply;
use super::file_edit::FileEdit;
use super::map::YamlMap;
use super::refusal::Refusal;
use super::revision::{RevisionFiles, bytes, own_path};
use super::splice::TextSplice;
use super::{needs as ranges, scalar};
use crate::pins::{DependsOn, MapEntry, Need, ServiceName};
use crate::version::VersionRange;

/// The version-bound scalars except `version`, which is restored in the file that holds it.
const RESTORED_SCALAR_KEYS: [&str; 3] = ["image", "tag", "digest"];
const NEEDS_KEY: &str = "dependsOn";
const RESTORED_BLOCK_KEYS: [&str; 2] = ["verify", "local"];

/// Returns the needs after a restore. Tables describe all versions, so present tables stay.
///
/// A table of the earlier revision is restored if the service has no table for that provider now.
pub(super) fn restored_needs(now: &DependsOn, then: &DependsOn) -> DependsOn {
    let table = |need: &Need| matches!(need, Need::Table(_));
    let kept = now.iter().filter(|(_, need)| table(need));
    let back = then.iter().filter(|(provider, _)| !now.get(*provider).is_some_and(table));
    kept.chain(back).map(|(provider, need)| (provider.clone(), need.clone())).collect()
}

/// Restores the keys in the service's own file.
pub(super) fn restore_keys(own: &mut FileEdit, as_of: &RevisionFiles<'_>, name: &ServiceName) -> Result<(), Refusal> {
    let path = own_path(as_of.root, name);
    let mut then = FileEdit::new(path.as_str().into(), bytes(as_of.files, &path).map(|bytes| &**bytes));
    then.line_ends(own.line_end);
    if own.text == then.text && own.ends() == then.ends() {
        return Ok(());
    }
    let tables = has_tables(own)?;
    let bound = RESTORED_SCALAR_KEYS.into_iter().chain(RESTORED_BLOCK_KEYS).chain((!tables).then_some(NEEDS_KEY));
    let bound: Vec<&str> = bound.collect();
    let (here, there) = (present(own, None)?, present(&then, None)?);
    for key in here.iter().filter(|key| bound.contains(&key.as_str()) && !there.contains(*key)) {
        remove(own, None, key)?;
    }
    if there.last().is_some_and(|last| bound.contains(&last.as_str()) && !here.contains(last)) {
        own.end_like(&then);
    }
    // In the order of the earlier file: an entry is inserted behind its predecessor, which must be there first.
    for key in there.iter().filter(|key| bound.contains(&key.as_str())) {
        put(own, &then, None, key)?;
    }
    if tables { needs_beside_tables(own, &then) } else { Ok(()) }
}

/// Restores needs one by one, beside tables that stay.
fn needs_beside_tables(own: &mut FileEdit, then: &FileEdit) -> Result<(), Refusal> {
    let (here, there) = (present(own, Some(NEEDS_KEY))?, present(then, Some(NEEDS_KEY))?);
    let (tables, names) = (table_names(own)?, list_names(then)?);
    for key in here.iter().filter(|key| !there.contains(key) && !names.contains(key) && !tables.contains(key)) {
        remove(own, Some(NEEDS_KEY), key)?;
    }
    for name in names.iter().filter(|name| !tables.contains(name)).filter_map(|name| ServiceName::new(name).ok()) {
        ranges::set_need(own, &name, &VersionRange::any())?;
    }
    for key in there.iter().filter(|key| !tables.contains(*key)) {
        put(own, then, Some(NEEDS_KEY), key)?;
    }
    Ok(())
}

fn has_tables(own: &FileEdit) -> Result<bool, Refusal> {
    Ok(!table_names(own)?.is_empty())
}

fn table_names(own: &FileEdit) -> Result<Vec<String>, Refusal> {
    with(own, Some(NEEDS_KEY), |map| {
        let table = |name: &&str| map.get(name).is_some_and(|entry| entry.value.entries().is_some());
        map.names().filter(table).map(str::to_owned).collect()
    })
    .map(Option::unwrap_or_default)
}

/// Returns the names in `dependsOn` if it is a list, which gives no ranges.
fn list_names(own: &FileEdit) -> Result<Vec<String>, Refusal> {
    own.root(|root| {
        let items = YamlMap::of(&own.text, root?)?.get(NEEDS_KEY)?.value.items()?;
        Some(items.filter_map(|item| item.scalar().map(|name| name.text.to_owned())).collect())
    })
    .map(Option::unwrap_or_default)
}

/// Returns the keys of the root map, or of the map below the root key `under`.
fn present(own: &FileEdit, under: Option<&str>) -> Result<Vec<String>, Refusal> {
    with(own, under, |map| map.names().map(str::to_owned).collect()).map(Option::unwrap_or_default)
}

fn with<T>(own: &FileEdit, under: Option<&str>, read: impl FnOnce(&YamlMap<'_>) -> T) -> Result<Option<T>, Refusal> {
    own.root(|root| {
        let map = YamlMap::of(&own.text, root?)?;
        match under {
            None => Some(read(&map)),
            Some(key) => Some(read(&YamlMap::of(&own.text, map.get(key)?.value)?)),
        }
    })
}

fn remove(own: &mut FileEdit, under: Option<&str>, key: &str) -> Result<(), Refusal> {
    let splice = with(own, under, |map| map.without(map.get(key)?))?.flatten();
    apply(own, splice)
}

/// Sets an entry as it is in `then`. If both values fit in one line, only the value is replaced, else the whole entry.
fn put(own: &mut FileEdit, then: &FileEdit, under: Option<&str>, key: &str) -> Result<(), Refusal> {
    let splice = with(then, under, |theirs| {
        let wanted = theirs.get(key)?;
        let written = theirs.part(wanted).and_then(|part| theirs.text().get(part))?;
        let found = with(own, under, |mine| {
            let written = &*as_in(mine, theirs, (wanted, written), own.line_end);
            match mine.get(key) {
                Some(entry) => replaced(mine, entry, theirs, (wanted, written)),
                None => mine.with_as(theirs, wanted, written),
            }
        });
        Some(found.map(|splice| match splice {
            Some(splice) => splice,
            // The file is empty or has comments only.
            None if under.is_none() => {
                Some(TextSplice { at: own.text.len()..own.text.len(), text: written.to_owned() })
            }
            None => None,
        }))
    })?;
    let splice = splice.flatten().transpose()?.flatten();
    apply(own, splice)
}

/// Converts an entry between block and flow style, to the style of the map that takes it.
fn as_in<'t>(
    mine: &YamlMap<'_>,
    theirs: &YamlMap<'t>,
    (wanted, written): (MapEntry<'_>, &'t str),
    line_end: &str,
) -> Cow<'t, str> {
    let bare = || theirs.text().get(wanted.key.span().start..wanted.value.end().max(wanted.key.span().end));
    match (mine.is_flow(), bare().map(str::trim_end)) {
        (true, Some(bare)) if !theirs.is_flow() => Cow::Borrowed(bare),
        (false, Some(bare)) if theirs.is_flow() => format!("{}{bare}{line_end}", " ".repeat(mine.indent())).into(),
        _ => Cow::Borrowed(written),
    }
}

fn replaced(
    mine: &YamlMap<'_>,
    entry: MapEntry<'_>,
    theirs: &YamlMap<'_>,
    (wanted, written): (MapEntry<'_>, &str),
) -> Option<TextSplice> {
    let lines = (scalar::one_line_text(mine.text(), entry.value), scalar::one_line_text(theirs.text(), wanted.value));
    if let (Some(_), Some(raw)) = lines {
        return Some(TextSplice { at: entry.value.span(), text: raw.to_owned() });
    }
    Some(TextSplice { at: mine.part(entry)?, text: written.to_owned() })
}

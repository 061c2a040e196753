//! Access to YAML values by key.

use crate::pins::YamlValue;

/// Returns the value at nested keys.
pub(super) fn at<'t>(value: YamlValue<'t>, keys: &[&str]) -> Option<YamlValue<'t>> {
    keys.iter().try_fold(value, |value, key| {
        let entries = value.entries()?;
        entries.iter().find(|entry| entry.name() == Some(key)).map(|entry| entry.value)
    })
}

/// Returns the scalar at nested keys as text; `None` for null.
pub(super) fn text<'t>(value: YamlValue<'t>, keys: &[&str]) -> Option<&'t str> {
    at(value, keys).filter(|found| !found.is_null())?.scalar().map(|scalar| scalar.text)
}

/// As [`text`], owned.
pub(super) fn string(value: YamlValue<'_>, keys: &[&str]) -> Option<String> {
    text(value, keys).map(str::to_owned)
}

/// Returns the items of the list at nested keys.
pub(super) fn items<'t>(value: YamlValue<'t>, keys: &[&str]) -> Vec<YamlValue<'t>> {
    at(value, keys).and_then(YamlValue::items).map(Iterator::collect).unwrap_or_default()
}

/// Returns the keys and values of the map at nested keys.
pub(super) fn pairs<'t>(value: YamlValue<'t>, keys: &[&str]) -> Vec<(&'t str, YamlValue<'t>)> {
    let entries = at(value, keys).and_then(YamlValue::entries).unwrap_or_default();
    entries.iter().filter_map(|entry| Some((entry.name()?, entry.value))).collect()
}

/// Returns the scalar entries of the map at nested keys.
pub(super) fn strings(value: YamlValue<'_>, keys: &[&str]) -> Vec<(String, String)> {
    let pairs = pairs(value, keys);
    pairs.iter().filter_map(|(key, value)| Some(((*key).to_owned(), value.scalar()?.text.to_owned()))).collect()
}

/// Returns all scalars below a value, each with the dotted path to it.
pub(super) fn leaves(value: YamlValue<'_>, path: &str) -> Vec<(String, String)> {
    /// More values than any handwritten file has. Aliases can expand a few bytes into many values, or without end.
    const MAX_VISITED_VALUES: usize = 20_000;
    const MAX_PATH_BYTES: usize = 400;
    let mut leaves = Vec::new();
    let mut open = vec![(path.to_owned(), value)];
    for _ in 0..MAX_VISITED_VALUES {
        let Some((path, value)) = open.pop() else { break };
        if path.len() > MAX_PATH_BYTES {
            continue;
        }
        if let Some(scalar) = value.scalar() {
            leaves.push((path, scalar.text.to_owned()));
            continue;
        }
        // The stack is last in, first out: reversed, it yields the order of the file.
        let items = items(value, &[]).into_iter().map(|item| (path.clone(), item));
        let below: Vec<_> =
            pairs(value, &[]).into_iter().map(|(key, value)| (format!("{path}.{key}"), value)).chain(items).collect();
        open.extend(below.into_iter().rev());
    }
    leaves
}

/// Formats a key as a step of a key path.
pub(super) fn step(key: &str) -> String {
    let plain = |sign: char| sign.is_alphanumeric() || matches!(sign, '-' | '_' | '/' | '$');
    if key.chars().all(plain) { format!(".{key}") } else { format!("[\"{key}\"]") }
}

/// Returns the repository of an image reference, without tag and digest.
pub(super) fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or_default();
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    name[last..].find(':').map_or(name, |colon| &name[..last + colon])
}

/// Returns the last part of a repository.
pub(super) fn basename(repository: &str) -> &str {
    repository.rsplit('/').next().unwrap_or_default()
}

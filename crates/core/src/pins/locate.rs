//! Finds the values that a key path selects in a document.

use std::ops::Range;

use super::keypath::{KeyPath, KeyStep, TextTemplate};
use super::yaml::{MapEntry, YamlValue};

/// A value that the path selects.
#[derive(Debug, Clone)]
pub(super) struct LocatedValue<'t> {
    /// The text that `{service}` captured. None if the path has no `{service}`.
    pub(super) service: Option<&'t str>,
    pub(super) value: YamlValue<'t>,
    /// The map or list that contains the value.
    pub(super) parent: YamlValue<'t>,
    /// The key of the value, if the last step of the path is a key.
    pub(super) name: Option<&'t str>,
    /// The place of the key or list item.
    pub(super) key: Range<usize>,
}

/// The place where a path stops matching.
#[derive(Debug, Clone)]
pub(super) struct PartialKeyPath<'t> {
    /// The number of steps that matched.
    pub(super) depth: usize,
    /// The value that the matching steps selected.
    pub(super) value: YamlValue<'t>,
}

/// A key of the path that occurs twice in its map. YAML parsers differ in which of the two they take.
#[derive(Debug, Clone)]
pub(super) struct DuplicateKey<'t> {
    /// The text that `{service}` has captured so far.
    pub(super) service: Option<&'t str>,
    pub(super) keys: [Range<usize>; 2],
}

/// All results of a path in one document.
#[derive(Debug, Default)]
pub(super) struct KeyPathResult<'t> {
    pub(super) hits: Vec<LocatedValue<'t>>,
    /// The longest partial match among the branches without a result.
    pub(super) farthest_miss: Option<PartialKeyPath<'t>>,
    pub(super) duplicates: Vec<DuplicateKey<'t>>,
}

/// The most places that one step follows. Aliases can turn a few bytes into very many places.
const MAX_FOLLOWED_PLACES: usize = 100_000;

pub(super) fn locate_values<'t>(document: YamlValue<'t>, path: &KeyPath) -> KeyPathResult<'t> {
    let mut located = KeyPathResult::default();
    let mut level =
        vec![LocatedValue { service: None, value: document, parent: document, name: None, key: document.span() }];
    for (depth, step) in path.steps.iter().enumerate() {
        let mut next = Vec::new();
        for hit in level.into_iter().take(MAX_FOLLOWED_PLACES) {
            let before = next.len();
            match step {
                KeyStep::Key(key) => located.descend(&hit, key, &mut next),
                KeyStep::Index(index) => {
                    let item = hit.value.items().and_then(|mut items| items.nth(*index));
                    next.extend(item.map(|item| hit.down(item, hit.service)));
                }
                KeyStep::Select(key, wanted) => next.extend(hit.select(key, wanted)),
            }
            if next.len() == before && located.farthest_miss.as_ref().is_none_or(|miss| miss.depth < depth) {
                located.farthest_miss = Some(PartialKeyPath { depth, value: hit.value });
            }
        }
        level = next;
    }
    located.hits = level;
    located
}

/// Returns the text under a key of a map.
pub(super) fn text_of<'t>(entries: &[MapEntry<'t>], key: &str) -> Option<&'t str> {
    entries.iter().find(|entry| entry.name() == Some(key))?.value.scalar().map(|scalar| scalar.text)
}

impl<'t> KeyPathResult<'t> {
    /// Adds the values under the matching keys of a map. A template that captures can match any number of keys.
    fn descend(&mut self, hit: &LocatedValue<'t>, template: &TextTemplate, next: &mut Vec<LocatedValue<'t>>) {
        let captures = template.captures() && hit.service.is_none();
        let wanted = template.fill(hit.service.unwrap_or_default());
        let mut first: Option<Range<usize>> = None;
        for entry in hit.value.entries().unwrap_or_default() {
            let Some(name) = entry.name() else { continue };
            let service = if captures { template.capture(name) } else { hit.service.filter(|_| wanted == name) };
            if service.is_none() && (captures || wanted != name) {
                continue;
            }
            if let Some(first) = first.as_ref().filter(|_| !captures) {
                self.duplicates.push(DuplicateKey { service, keys: [first.clone(), entry.key.span()] });
                continue;
            }
            first = Some(entry.key.span());
            let key = entry.key.span();
            next.push(LocatedValue { service, value: entry.value, parent: hit.value, name: Some(name), key });
        }
    }
}

impl<'t> LocatedValue<'t> {
    fn down(&self, item: YamlValue<'t>, service: Option<&'t str>) -> Self {
        Self { service, value: item, parent: self.value, name: None, key: item.span() }
    }

    /// Returns the items of a list that have the wanted text under the key.
    fn select(&self, key: &str, wanted: &TextTemplate) -> impl Iterator<Item = Self> {
        self.value.items().into_iter().flatten().filter_map(move |item| {
            let name = wanted.capture(text_of(&item.entries()?, key)?)?;
            let same = !wanted.captures() || self.service.is_none_or(|earlier| earlier == name);
            let service = if wanted.captures() { Some(name) } else { self.service };
            same.then(|| self.down(item, service))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml::{YamlText, parse_yaml};
    use super::*;

    fn find(text: &str, path: &str) -> String {
        let tree = parse_yaml(YamlText { text, base: 0 }).unwrap();
        let path: KeyPath = path.parse().unwrap();
        let show = |hit: LocatedValue<'_>| {
            let value = hit.value.scalar().map_or("?", |scalar| scalar.text);
            format!("{}={value}", hit.service.unwrap_or("-"))
        };
        let found = tree.documents().flat_map(|document| locate_values(document, &path).hits);
        found.map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn selectors_pick_the_items_of_a_list() {
        let kustomization =
            "images:\n- name: acme/web\n  newTag: v1\n- {name: acme/db, newTag: \"2\"}\n- name: other\n";
        assert_eq!(find(kustomization, "images[name=acme/{service}].newTag"), "web=v1 db=2");
        assert_eq!(find(kustomization, "images[name=acme/web].newTag"), "-=v1");
        assert_eq!(find(kustomization, "images[1].newTag"), "-=2");
        assert_eq!(find(kustomization, "images[7].newTag"), "");
    }

    #[test]
    fn keys_capture_names() {
        let compose = "services:\n  web: {image: \"web:1\"}\n  db: {build: .}\n  cache: {image: \"cache:2\"}\n";
        assert_eq!(find(compose, "services.{service}.image"), "web=web:1 cache=cache:2");
        assert_eq!(find("web_tag: 1.10\ndb_tag: 2\nx: 3\n", "{service}_tag"), "web=1.10 db=2");
    }

    #[test]
    fn a_name_captured_twice_must_be_the_same() {
        assert_eq!(find("a: {a: {v: 1}, b: {v: 2}}\nb: {b: {v: 3}}\n", "{service}.{service}.v"), "a=1 b=3");
    }

    #[test]
    fn every_document_is_looked_through() {
        assert_eq!(find("kind: A\n---\nimage: {tag: v1}\n---\nimage: {tag: v2}\n", "image.tag"), "-=v1 -=v2");
    }

    #[test]
    fn merged_maps_are_looked_into() {
        assert_eq!(find("x: &x {image: 'a:1'}\nservices:\n  web: {<<: *x}\n", "services.{service}.image"), "web=a:1");
    }

    #[test]
    fn a_key_of_the_path_that_stands_twice_is_told() {
        let tree = parse_yaml(YamlText { text: "image: {tag: 1, tag: 2}\n", base: 0 }).unwrap();
        let located = locate_values(tree.documents().next().unwrap(), &"image.tag".parse().unwrap());
        assert_eq!(located.duplicates[0].keys, [8..11, 16..19]);
    }

    #[test]
    fn the_miss_that_came_farthest_is_told() {
        let tree = parse_yaml(YamlText { text: "image: {tga: 1}\n", base: 0 }).unwrap();
        let miss =
            locate_values(tree.documents().next().unwrap(), &"image.tag".parse().unwrap()).farthest_miss.unwrap();
        assert_eq!((miss.depth, miss.value.span()), (1, 7..15));
    }
}

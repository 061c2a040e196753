//! Handles to the values of a tree, which follow aliases and resolve merge keys.

use std::collections::HashSet;
use std::ops::Range;

use super::{NodeId, NodeKind, ScalarMeaning, YamlTree, scalar_meaning};

/// The most entries that the merge keys of one map may add.
const MAX_MERGED_ENTRIES: usize = 10_000;

#[derive(Debug, Clone, Copy)]
pub(crate) struct YamlValue<'t> {
    tree: &'t YamlTree<'t>,
    /// The node of the value. Never an alias.
    id: NodeId,
    /// The node where the value is used, which may be an alias.
    reference: NodeId,
}

/// A scalar by its spelling.
#[derive(Debug, Clone, Copy)]
pub(crate) struct YamlScalar<'t> {
    /// The text, with quotes, escapes and folding resolved.
    pub(crate) text: &'t str,
    /// Neither quoted nor a block.
    pub(crate) plain: bool,
    /// Written as a block, after `|` or `>`.
    pub(crate) block: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct MapEntry<'t> {
    pub(crate) key: YamlValue<'t>,
    pub(crate) value: YamlValue<'t>,
}

impl YamlScalar<'_> {
    /// Returns the YAML type of the scalar.
    pub(crate) fn meaning(&self) -> ScalarMeaning {
        if self.plain { scalar_meaning(self.text) } else { ScalarMeaning::Text }
    }
}

impl<'t> YamlValue<'t> {
    pub(super) fn new(tree: &'t YamlTree<'t>, reference: NodeId) -> Self {
        let mut id = reference;
        while let NodeKind::Alias(target) = tree.nodes[id.0].kind {
            id = target;
        }
        Self { tree, id, reference }
    }

    /// Returns the place of the value, in bytes of the file.
    pub(crate) fn span(self) -> Range<usize> {
        self.tree.nodes[self.reference.0].span.clone()
    }

    /// Returns the tag written before the value, if it is outside YAML's core schema.
    pub(crate) fn tag(self) -> Option<&'t str> {
        self.tree.nodes[self.id.0].tag.as_deref()
    }

    pub(crate) fn scalar(self) -> Option<YamlScalar<'t>> {
        match &self.tree.nodes[self.id.0].kind {
            NodeKind::Scalar { text, plain, block } => Some(YamlScalar { text, plain: *plain, block: *block }),
            _ => None,
        }
    }

    /// Returns whether the value is `null` or empty.
    pub(crate) fn is_null(self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.meaning() == ScalarMeaning::Null)
    }

    /// Returns the kind of the value, for messages.
    pub(crate) fn kind(self) -> &'static str {
        match &self.tree.nodes[self.id.0].kind {
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
            _ if self.is_null() => "empty",
            _ => "text",
        }
    }

    /// Returns the items of a list.
    pub(crate) fn items(self) -> Option<impl ExactSizeIterator<Item = Self>> {
        match &self.tree.nodes[self.id.0].kind {
            NodeKind::List(items) => Some(items.iter().map(|&id| Self::new(self.tree, id))),
            _ => None,
        }
    }

    /// Returns the entries of a map. Its own entries come first in their order, duplicates included. Entries from merge
    /// keys follow, unless the map overrides them (<https://yaml.org/type/merge.html>).
    pub(crate) fn entries(self) -> Option<Vec<MapEntry<'t>>> {
        let (mut entries, merges) = self.own_entries()?;
        if !merges.is_empty() {
            merge(&mut entries, merges);
        }
        Some(entries)
    }

    /// Returns whether the value is written as an alias.
    pub(crate) fn is_alias(self) -> bool {
        self.id.0 != self.reference.0
    }

    /// Returns whether this is a list in `[]` or a map in `{}`.
    pub(crate) fn is_flow(self) -> bool {
        self.tree.nodes[self.reference.0].flow
    }

    /// Returns the end of the last written part. The span of a block collection reaches to whatever follows it.
    pub(crate) fn end(self) -> usize {
        let span = self.span();
        if self.is_flow() {
            return span.end;
        }
        let last = match &self.tree.nodes[self.reference.0].kind {
            NodeKind::List(items) => items.last(),
            NodeKind::Map(entries) => entries.last().map(|(_, value)| value),
            NodeKind::Scalar { .. } | NodeKind::Alias(_) => None,
        };
        last.map_or(span.end, |&last| Self::new(self.tree, last).end())
    }

    /// Returns the entries of a map as written: with the merge keys, and without the entries that they add.
    pub(crate) fn written_entries(self) -> Option<Vec<MapEntry<'t>>> {
        let NodeKind::Map(pairs) = &self.tree.nodes[self.id.0].kind else { return None };
        let entry = |&(key, value)| MapEntry { key: Self::new(self.tree, key), value: Self::new(self.tree, value) };
        Some(pairs.iter().map(entry).collect())
    }

    /// Returns a map's own entries, and the maps that it merges, nearest first.
    fn own_entries(self) -> Option<(Vec<MapEntry<'t>>, Vec<Self>)> {
        let NodeKind::Map(pairs) = &self.tree.nodes[self.id.0].kind else { return None };
        let mut entries = Vec::with_capacity(pairs.len());
        let mut merges = Vec::new();
        for &(key, value) in pairs {
            let entry = MapEntry { key: Self::new(self.tree, key), value: Self::new(self.tree, value) };
            if !entry.key.scalar().is_some_and(|key| key.plain && key.text == "<<") {
                entries.push(entry);
            } else if let Some(items) = entry.value.items() {
                merges.extend(items);
            } else {
                merges.push(entry.value);
            }
        }
        Some((entries, merges))
    }
}

/// Merges depth first: the maps that the nearest map merges come before its neighbour.
fn merge<'t>(into: &mut Vec<MapEntry<'t>>, merges: Vec<YamlValue<'t>>) {
    let mut seen: HashSet<_> = into.iter().filter_map(MapEntry::name).collect();
    let mut fuel = MAX_MERGED_ENTRIES;
    let mut stack = merges;
    stack.reverse();
    while let Some(map) = stack.pop().filter(|_| fuel > 0) {
        let Some((entries, merges)) = map.own_entries() else { continue };
        fuel = fuel.saturating_sub(1 + entries.len() + merges.len());
        into.extend(entries.into_iter().filter(|entry| entry.name().is_some_and(|name| seen.insert(name))));
        stack.extend(merges.into_iter().rev());
    }
}

impl<'t> MapEntry<'t> {
    /// Returns the text of the key, if the key is a scalar.
    pub(crate) fn name(&self) -> Option<&'t str> {
        self.key.scalar().map(|key| key.text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{YamlText, parse_yaml};
    use super::*;

    /// Returns the entries of a map's last value, as `key=value@source`.
    fn last(text: &str) -> String {
        let tree = parse_yaml(YamlText { text, base: 0 }).unwrap();
        let root = tree.documents().next().unwrap().entries().unwrap();
        let show = |entry: &MapEntry<'_>| {
            let value = entry.value.scalar().map_or("?", |scalar| scalar.text);
            format!("{}={value}@{}", entry.name().unwrap(), &text[entry.value.span()])
        };
        root.last().unwrap().value.entries().unwrap().iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn spelling_and_place_of_scalars_are_kept() {
        assert_eq!(last("m: {a: 1.10, b: \"1.1\", c: 'x'}"), "a=1.10@1.10 b=1.1@\"1.1\" c=x@'x'");
    }

    #[test]
    fn an_alias_stands_where_it_is_used() {
        assert_eq!(last("v: &v 1.8\nm:\n  a: *v\n"), "a=1.8@*v");
    }

    #[test]
    fn merged_entries_come_after_own_ones_nearest_first() {
        let text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2, <<: *x}\nm: {<<: [*y, *x], c: 3, d: 3}\n";
        assert_eq!(last(text), "c=3@3 d=3@3 b=2@2 a=1@1");
        assert_eq!(last("m: &m {a: 1, <<: *m}"), "a=1@1");
    }

    #[test]
    fn merge_bombs_end() {
        let mut bomb = vec!["a0: &a0 {x: 1}".to_owned()];
        bomb.extend((1..30).map(|level| {
            let many = vec![format!("*a{}", level - 1); 50].join(", ");
            format!("a{level}: &a{level} {{<<: [{many}]}}")
        }));
        assert_eq!(last(&bomb.join("\n")), "x=1@1");
    }
}

//! The entries of a YAML map as written: whole lines in block style, a part of a line in flow style.

use std::ops::Range;

use super::splice::TextSplice;
use crate::pins::{MapEntry, YamlValue};

/// A map and its source text.
pub(super) struct YamlMap<'t> {
    text: &'t str,
    /// Offset of the first line, behind a byte order mark.
    start: usize,
    value: YamlValue<'t>,
    entries: Vec<MapEntry<'t>>,
}

impl<'t> YamlMap<'t> {
    /// Returns `None` if the value is not a map, or is an alias.
    pub(super) fn of(text: &'t str, value: YamlValue<'t>) -> Option<Self> {
        let entries = value.written_entries().filter(|_| !value.is_alias())?;
        let start = text.len() - text.trim_start_matches('\u{feff}').len();
        Some(Self { text, start, value, entries })
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn is_flow(&self) -> bool {
        self.value.is_flow()
    }

    pub(super) fn get(&self, name: &str) -> Option<MapEntry<'t>> {
        self.entries.iter().find(|entry| entry.name() == Some(name)).copied()
    }

    pub(super) fn names(&self) -> impl DoubleEndedIterator<Item = &'t str> {
        self.entries.iter().filter_map(MapEntry::name)
    }

    /// Returns the column of the keys, in block style.
    pub(super) fn indent(&self) -> usize {
        self.entries.first().map_or(0, |entry| self.column(entry.key.span().start))
    }

    /// Returns the range of an entry. In flow style, it reaches from the key to the end of the value.
    ///
    /// In block style, it is the entry's lines and the comments below that are indented deeper than the key. `None` if
    /// the entry shares a line with something else.
    pub(super) fn part(&self, entry: MapEntry<'_>) -> Option<Range<usize>> {
        let key = entry.key.span();
        let end = entry.value.end().max(key.end);
        if self.is_flow() {
            return Some(key.start..end);
        }
        let start = self.line_start(key.start);
        if !self.text[start..key.start].bytes().all(|byte| byte == b' ') {
            return None;
        }
        let (indent, last) = (key.start - start, key.start + self.text[key.start..end].trim_end().len());
        let mut end = self.line_end(last.max(key.end));
        while let Some(line) = self.text.get(end..self.line_end(end)).filter(|line| !line.is_empty()) {
            let inner = line.trim_start_matches(' ');
            if !inner.starts_with('#') || line.len() - inner.len() <= indent {
                break;
            }
            end += line.len();
        }
        Some(start..end)
    }

    /// Builds the splice that removes an entry.
    pub(super) fn without(&self, entry: MapEntry<'_>) -> Option<TextSplice> {
        let part = self.part(entry)?;
        if !self.is_flow() {
            return Some(TextSplice { at: part, text: String::new() });
        }
        let place = self.entries.iter().position(|other| other.key.span() == entry.key.span())?;
        let next = self.entries.get(place + 1).map(|next| next.key.span().start);
        let before = place.checked_sub(1).and_then(|before| self.entries.get(before));
        let at = match (next, before) {
            (Some(next), _) => part.start..next,
            (None, Some(before)) => before.value.end().max(before.key.span().end)..part.end,
            (None, None) => part,
        };
        Some(TextSplice { at, text: String::new() })
    }

    /// Builds the splice that appends an entry. `written` is whole lines in block style, `key: value` in flow style.
    pub(super) fn with(&self, written: &str) -> Option<TextSplice> {
        let Some(last) = self.entries.last() else {
            let brace = self.value.span().start + 1;
            return self.is_flow().then(|| TextSplice { at: brace..brace, text: written.to_owned() });
        };
        let end = self.part(*last)?.end;
        let separator = if self.is_flow() { ", " } else { "" };
        Some(TextSplice { at: end..end, text: format!("{separator}{written}") })
    }

    /// Builds the splice that inserts an entry of `other` at the position it has there: after the same neighbour, at
    /// the same distance. An entry that was removed is thus restored to the byte.
    pub(super) fn with_as(&self, other: &YamlMap<'_>, entry: MapEntry<'_>, written: &str) -> Option<TextSplice> {
        if self.is_flow() {
            return self.with(written);
        }
        let part = other.part(entry)?;
        let place = other.entries.iter().position(|it| it.key.span() == entry.key.span())?;
        let before = other.entries[..place].iter().rev().find_map(|it| Some((self.get(it.name()?)?, *it)));
        let (mine, theirs) = match before {
            Some((mine, theirs)) => (self.part(mine)?.end, other.part(theirs)?.end),
            None => (self.start, other.start),
        };
        let gap = other.text.get(theirs..part.start)?;
        let at = match before {
            _ if self.text[mine..].starts_with(gap) => mine + gap.len(),
            Some(_) => mine,
            None => self.entries.first().and_then(|first| self.part(*first)).map_or(mine, |first| first.start),
        };
        Some(TextSplice { at: at..at, text: written.to_owned() })
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[self.start..at].rfind('\n').map_or(self.start, |newline| self.start + newline + 1)
    }

    /// Returns the start of the next line.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    fn column(&self, at: usize) -> usize {
        at - self.line_start(at)
    }
}

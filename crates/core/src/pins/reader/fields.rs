//! Reads the entries of a map, and refuses unknown and duplicate keys.

use std::collections::HashMap;
use std::ops::Range;

use super::super::suggest::did_you_mean;
use super::super::yaml::{MapEntry, YamlValue};
use super::FileReader;
use crate::printable::show;
use crate::problem::{FilePlace, Problem};

#[derive(Debug)]
pub(in crate::pins) struct KnownKeys {
    /// The name of the map in messages, such as `a service file`.
    pub(in crate::pins) what: &'static str,
    /// The allowed keys. A test compares them with the JSON Schemas.
    pub(in crate::pins) known: &'static [&'static str],
    /// Keys reserved for later versions, each with what to do instead.
    pub(in crate::pins) unsupported: &'static [(&'static str, &'static str)],
}

impl KnownKeys {
    fn in_words(&self) -> String {
        let (is, s) = if self.known.len() == 1 { ("is", "") } else { ("are", "s") };
        format!("the key{s} {is} {}", self.known.join(", "))
    }
}

#[derive(Debug, Clone)]
pub(in crate::pins) struct MapFields<'t>(Vec<NamedField<'t>>);

#[derive(Debug, Clone)]
pub(in crate::pins) struct NamedField<'t> {
    pub(in crate::pins) name: &'t str,
    /// The place of the key.
    pub(in crate::pins) key: Range<usize>,
    /// The key is neither quoted nor a block.
    pub(in crate::pins) plain: bool,
    /// This is an item of the list that stands under the name.
    pub(in crate::pins) is_item: bool,
    pub(in crate::pins) value: YamlValue<'t>,
}

impl<'t> MapFields<'t> {
    pub(in crate::pins) fn get(&self, name: &str) -> Option<&NamedField<'t>> {
        self.0.iter().find(|field| field.name == name)
    }

    pub(in crate::pins) fn iter(&self) -> impl Iterator<Item = &NamedField<'t>> {
        self.0.iter()
    }
}

impl<'t> NamedField<'t> {
    /// Returns the place of the value, or of the key if the value is empty.
    pub(in crate::pins) fn value_span(&self) -> Range<usize> {
        let span = self.value.span();
        if span.is_empty() { self.key.clone() } else { span }
    }

    /// Returns an item of this field's list. It keeps the field's name for messages.
    pub(in crate::pins) fn item(&self, value: YamlValue<'t>) -> Self {
        Self { name: self.name, key: self.value_span(), plain: false, is_item: true, value }
    }

    /// Returns the name for messages.
    pub(in crate::pins) fn in_words(&self) -> String {
        let name = show(self.name);
        if self.is_item { format!("an item of `{name}`") } else { format!("`{name}`") }
    }
}

impl FileReader<'_> {
    /// Reads a field if it exists.
    pub(in crate::pins) fn read_field<'t, T>(
        &mut self,
        fields: &MapFields<'t>,
        name: &str,
        read: impl FnOnce(&mut Self, &NamedField<'t>) -> Option<T>,
    ) -> Option<T> {
        read(self, fields.get(name)?)
    }

    /// Reads a field if it exists, and returns the place of its value too.
    pub(in crate::pins) fn located<'t, T>(
        &mut self,
        fields: &MapFields<'t>,
        name: &str,
        read: impl FnOnce(&mut Self, &NamedField<'t>) -> Option<T>,
    ) -> Option<(T, FilePlace)> {
        let field = fields.get(name)?;
        Some((read(self, field)?, self.place(field.value_span())))
    }

    /// Reads a map whose keys are chosen by the user. Duplicate keys and keys that are no text are errors.
    pub(in crate::pins) fn named<'t>(&mut self, value: YamlValue<'t>, what: &str) -> Option<MapFields<'t>> {
        self.entries(value, what, "")
    }

    /// Reads a map with known keys, without reporting unknown ones.
    pub(in crate::pins) fn map<'t>(&mut self, value: YamlValue<'t>, keys: &KnownKeys) -> Option<MapFields<'t>> {
        self.entries(value, keys.what, &keys.in_words())
    }

    fn entries<'t>(&mut self, value: YamlValue<'t>, what: &str, hint: &str) -> Option<MapFields<'t>> {
        self.refuse_tag(value)?;
        let Some(entries) = value.entries() else {
            // YAML reads `version:1.8.2` as one word.
            let tight = value.scalar().is_some_and(|scalar| scalar.plain && scalar.text.contains(':'));
            let hint = if tight { "write a space after the `:` of a key" } else { hint };
            self.report_error(value.span(), format!("{what} must be a map, this is {}", value.kind()), hint);
            return None;
        };
        let mut fields: Vec<NamedField<'t>> = Vec::with_capacity(entries.len());
        let mut index: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        for MapEntry { key, value } in entries {
            let Some(scalar) = key.scalar().filter(|_| key.tag().is_none()) else {
                self.report_error(key.span(), format!("a key of {what} must be text, this is {}", key.kind()), "");
                continue;
            };
            let field = NamedField { name: scalar.text, key: key.span(), plain: scalar.plain, is_item: false, value };
            if let Some(&first) = index.get(field.name) {
                let first = self.place(fields[first].key.clone());
                let message = format!("`{}` stands twice in {what}", show(field.name));
                let twice = Problem::error(message, self.place(field.key)).also(first, "first here");
                self.report(twice.hint("remove one of them"));
            } else {
                index.insert(field.name, fields.len());
                fields.push(field);
            }
        }
        Some(MapFields(fields))
    }

    /// Reads a map with known keys, and reports unknown ones.
    pub(in crate::pins) fn fields<'t>(&mut self, value: YamlValue<'t>, keys: &KnownKeys) -> Option<MapFields<'t>> {
        let fields = self.map(value, keys)?;
        self.report_unknown_keys(&fields, keys);
        Some(fields)
    }

    /// Reports the fields whose keys are not allowed.
    pub(in crate::pins) fn report_unknown_keys(&mut self, fields: &MapFields<'_>, keys: &KnownKeys) {
        let before = std::iter::once(None).chain(fields.iter().map(Some));
        for (field, before) in fields.iter().zip(before).filter(|(field, _)| !keys.known.contains(&field.name)) {
            if self.is_full() {
                self.uncounted_problems += 1;
            } else {
                self.unknown(field, keys, before);
            }
        }
    }

    fn unknown(&mut self, field: &NamedField<'_>, keys: &KnownKeys, before: Option<&NamedField<'_>>) {
        if let Some((name, instead)) = keys.unsupported.iter().find(|(name, _)| *name == field.name) {
            self.report_error(field.key.clone(), format!("`{name}` is not read by this version of Pintle"), *instead);
            return;
        }
        let hint = match (did_you_mean(field.name, keys.known.iter().copied()), before) {
            (Some(meant), _) => meant,
            (None, Some(before)) if before.value.is_null() => {
                format!("indent it, if it belongs to `{}`", show(before.name))
            }
            (None, _) => keys.in_words(),
        };
        self.report_error(field.key.clone(), format!("`{}` is not a key of {}", show(field.name), keys.what), hint);
    }

    /// Refuses tags. A tag other than YAML's own asks for a conversion of the value, and Pintle supports none.
    pub(super) fn refuse_tag(&mut self, value: YamlValue<'_>) -> Option<()> {
        let Some(tag) = value.tag() else { return Some(()) };
        self.report_error(value.span(), format!("the tag `{}` means nothing here", show(tag)), "remove it");
        None
    }
}

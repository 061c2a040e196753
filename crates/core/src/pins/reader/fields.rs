//! Reads the entries of a map, and refuses unknown and duplicate keys.

use std::collections::HashMap;
use std::ops::Range;

use super::super::suggest::did_you_mean;
use super::super::yaml::{Entry, Value};
use super::Reader;
use crate::printable::show;
use crate::problem::{Place, Problem};

#[derive(Debug)]
pub(in crate::pins) struct Keys {
    /// The name of the map in messages, such as `a service file`.
    pub(in crate::pins) what: &'static str,
    /// The allowed keys. A test compares them with the JSON Schemas.
    pub(in crate::pins) known: &'static [&'static str],
    /// Keys reserved for later versions, each with what to do instead.
    pub(in crate::pins) later: &'static [(&'static str, &'static str)],
}

impl Keys {
    fn in_words(&self) -> String {
        let (is, s) = if self.known.len() == 1 { ("is", "") } else { ("are", "s") };
        format!("the key{s} {is} {}", self.known.join(", "))
    }
}

#[derive(Debug, Clone)]
pub(in crate::pins) struct Fields<'t>(Vec<Field<'t>>);

#[derive(Debug, Clone)]
pub(in crate::pins) struct Field<'t> {
    pub(in crate::pins) name: &'t str,
    /// The place of the key.
    pub(in crate::pins) key: Range<usize>,
    /// The key is neither quoted nor a block.
    pub(in crate::pins) plain: bool,
    /// This is an item of the list that stands under the name.
    pub(in crate::pins) is_item: bool,
    pub(in crate::pins) value: Value<'t>,
}

impl<'t> Fields<'t> {
    pub(in crate::pins) fn get(&self, name: &str) -> Option<&Field<'t>> {
        self.0.iter().find(|field| field.name == name)
    }

    pub(in crate::pins) fn iter(&self) -> impl Iterator<Item = &Field<'t>> {
        self.0.iter()
    }
}

impl<'t> Field<'t> {
    /// Returns the place of the value, or of the key if the value is empty.
    pub(in crate::pins) fn at(&self) -> Range<usize> {
        let span = self.value.span();
        if span.is_empty() { self.key.clone() } else { span }
    }

    /// Returns an item of this field's list. It keeps the field's name for messages.
    pub(in crate::pins) fn item(&self, value: Value<'t>) -> Self {
        Self { name: self.name, key: self.at(), plain: false, is_item: true, value }
    }

    /// Returns the name for messages.
    pub(in crate::pins) fn in_words(&self) -> String {
        let name = show(self.name);
        if self.is_item { format!("an item of `{name}`") } else { format!("`{name}`") }
    }
}

impl Reader<'_> {
    /// Reads a field if it exists.
    pub(in crate::pins) fn take<'t, T>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        read: impl FnOnce(&mut Self, &Field<'t>) -> Option<T>,
    ) -> Option<T> {
        read(self, fields.get(name)?)
    }

    /// Reads a field if it exists, and returns the place of its value too.
    pub(in crate::pins) fn located<'t, T>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        read: impl FnOnce(&mut Self, &Field<'t>) -> Option<T>,
    ) -> Option<(T, Place)> {
        let field = fields.get(name)?;
        Some((read(self, field)?, self.place(field.at())))
    }

    /// Reads a map whose keys are chosen by the user. Duplicate keys and keys that are no text are errors.
    pub(in crate::pins) fn named<'t>(&mut self, value: Value<'t>, what: &str) -> Option<Fields<'t>> {
        self.entries(value, what, "")
    }

    /// Reads a map with known keys, without reporting unknown ones.
    pub(in crate::pins) fn map<'t>(&mut self, value: Value<'t>, keys: &Keys) -> Option<Fields<'t>> {
        self.entries(value, keys.what, &keys.in_words())
    }

    fn entries<'t>(&mut self, value: Value<'t>, what: &str, hint: &str) -> Option<Fields<'t>> {
        self.no_tag(value)?;
        let Some(entries) = value.entries() else {
            // YAML reads `version:1.8.2` as one word.
            let tight = value.scalar().is_some_and(|scalar| scalar.plain && scalar.text.contains(':'));
            let hint = if tight { "write a space after the `:` of a key" } else { hint };
            self.refuse(value.span(), format!("{what} must be a map, this is {}", value.kind()), hint);
            return None;
        };
        let mut fields: Vec<Field<'t>> = Vec::with_capacity(entries.len());
        let mut index: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        for Entry { key, value } in entries {
            let Some(scalar) = key.scalar().filter(|_| key.tag().is_none()) else {
                self.refuse(key.span(), format!("a key of {what} must be text, this is {}", key.kind()), "");
                continue;
            };
            let field = Field { name: scalar.text, key: key.span(), plain: scalar.plain, is_item: false, value };
            if let Some(&first) = index.get(field.name) {
                let first = self.place(fields[first].key.clone());
                let message = format!("`{}` stands twice in {what}", show(field.name));
                let twice = Problem::error(message, self.place(field.key)).also(first, "first here");
                self.tell(twice.hint("remove one of them"));
            } else {
                index.insert(field.name, fields.len());
                fields.push(field);
            }
        }
        Some(Fields(fields))
    }

    /// Reads a map with known keys, and reports unknown ones.
    pub(in crate::pins) fn fields<'t>(&mut self, value: Value<'t>, keys: &Keys) -> Option<Fields<'t>> {
        let fields = self.map(value, keys)?;
        self.no_others(&fields, keys);
        Some(fields)
    }

    /// Reports the fields whose keys are not allowed.
    pub(in crate::pins) fn no_others(&mut self, fields: &Fields<'_>, keys: &Keys) {
        let before = std::iter::once(None).chain(fields.iter().map(Some));
        for (field, before) in fields.iter().zip(before).filter(|(field, _)| !keys.known.contains(&field.name)) {
            if self.is_full() {
                self.untold += 1;
            } else {
                self.unknown(field, keys, before);
            }
        }
    }

    fn unknown(&mut self, field: &Field<'_>, keys: &Keys, before: Option<&Field<'_>>) {
        if let Some((name, instead)) = keys.later.iter().find(|(name, _)| *name == field.name) {
            self.refuse(field.key.clone(), format!("`{name}` is not read by this version of Pintle"), *instead);
            return;
        }
        let hint = match (did_you_mean(field.name, keys.known.iter().copied()), before) {
            (Some(meant), _) => meant,
            (None, Some(before)) if before.value.is_null() => {
                format!("indent it, if it belongs to `{}`", show(before.name))
            }
            (None, _) => keys.in_words(),
        };
        self.refuse(field.key.clone(), format!("`{}` is not a key of {}", show(field.name), keys.what), hint);
    }

    /// Refuses tags. A tag other than YAML's own asks for a conversion of the value, and Pintle supports none.
    pub(super) fn no_tag(&mut self, value: Value<'_>) -> Option<()> {
        let Some(tag) = value.tag() else { return Some(()) };
        self.refuse(value.span(), format!("the tag `{}` means nothing here", show(tag)), "remove it");
        None
    }
}

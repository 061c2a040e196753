//! The entries of a map whose keys are known.

use std::collections::HashMap;
use std::ops::Range;

use super::super::suggest::did_you_mean;
use super::super::yaml::{Entry, Value};
use super::Reader;
use crate::printable::show;
use crate::problem::{Place, Problem};

/// The keys that a map may have.
#[derive(Debug)]
pub(in crate::pins) struct Keys {
    /// What the map is, for messages: `a service file`.
    pub(in crate::pins) what: &'static str,
    /// The keys it may have; the JSON Schemas say the same.
    pub(in crate::pins) known: &'static [&'static str],
    /// Keys that are not read yet, and what to do until they are.
    pub(in crate::pins) later: &'static [(&'static str, &'static str)],
}

impl Keys {
    fn in_words(&self) -> String {
        let (is, s) = if self.known.len() == 1 { ("is", "") } else { ("are", "s") };
        format!("the key{s} {is} {}", self.known.join(", "))
    }
}

/// The entries of a map.
#[derive(Debug, Clone)]
pub(in crate::pins) struct Fields<'t>(Vec<Field<'t>>);

/// An entry of a map, or an item of a list, with the name that messages give it.
#[derive(Debug, Clone)]
pub(in crate::pins) struct Field<'t> {
    /// Its key.
    pub(in crate::pins) name: &'t str,
    /// Where its key stands.
    pub(in crate::pins) key: Range<usize>,
    /// Its key is neither quoted nor a block.
    pub(in crate::pins) plain: bool,
    /// It is an item of the list that stands under the name.
    pub(in crate::pins) is_item: bool,
    /// Its value.
    pub(in crate::pins) value: Value<'t>,
}

impl<'t> Fields<'t> {
    /// The field of that name.
    pub(in crate::pins) fn get(&self, name: &str) -> Option<&Field<'t>> {
        self.0.iter().find(|field| field.name == name)
    }

    /// All of them.
    pub(in crate::pins) fn iter(&self) -> impl Iterator<Item = &Field<'t>> {
        self.0.iter()
    }
}

impl<'t> Field<'t> {
    /// Where the value stands; where it is empty, its key.
    pub(in crate::pins) fn at(&self) -> Range<usize> {
        let span = self.value.span();
        if span.is_empty() { self.key.clone() } else { span }
    }

    /// Another value under this name: an item of the list that it is.
    pub(in crate::pins) fn item(&self, value: Value<'t>) -> Self {
        Self { name: self.name, key: self.at(), plain: false, is_item: true, value }
    }

    /// What messages call it.
    pub(in crate::pins) fn in_words(&self) -> String {
        let name = show(self.name);
        if self.is_item { format!("an item of `{name}`") } else { format!("`{name}`") }
    }
}

impl Reader<'_> {
    /// Reads a field, if it is there.
    pub(in crate::pins) fn take<'t, T>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        read: impl FnOnce(&mut Self, &Field<'t>) -> Option<T>,
    ) -> Option<T> {
        read(self, fields.get(name)?)
    }

    /// The same, with the place of the value.
    pub(in crate::pins) fn located<'t, T>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        read: impl FnOnce(&mut Self, &Field<'t>) -> Option<T>,
    ) -> Option<(T, Place)> {
        let field = fields.get(name)?;
        Some((read(self, field)?, self.place(field.at())))
    }

    /// The entries of a map whose keys are names of the user's: duplicates and keys that are no text are told.
    pub(in crate::pins) fn named<'t>(&mut self, value: Value<'t>, what: &str) -> Option<Fields<'t>> {
        self.entries(value, what, "")
    }

    /// The entries of a map whose keys are known; the others are not told yet.
    pub(in crate::pins) fn map<'t>(&mut self, value: Value<'t>, keys: &Keys) -> Option<Fields<'t>> {
        self.entries(value, keys.what, &keys.in_words())
    }

    fn entries<'t>(&mut self, value: Value<'t>, what: &str, hint: &str) -> Option<Fields<'t>> {
        self.no_tag(value)?;
        let Some(entries) = value.entries() else {
            // `version:1.8.2` is one word to YAML.
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

    /// The entries of a map whose keys are known; the others are told.
    pub(in crate::pins) fn fields<'t>(&mut self, value: Value<'t>, keys: &Keys) -> Option<Fields<'t>> {
        let fields = self.map(value, keys)?;
        self.no_others(&fields, keys);
        Some(fields)
    }

    /// Tells the fields that are not among the keys.
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

    /// Tags other than YAML's own ask a reader to make something of a value; none is made here.
    pub(super) fn no_tag(&mut self, value: Value<'_>) -> Option<()> {
        let Some(tag) = value.tag() else { return Some(()) };
        self.refuse(value.span(), format!("the tag `{}` means nothing here", show(tag)), "remove it");
        None
    }
}

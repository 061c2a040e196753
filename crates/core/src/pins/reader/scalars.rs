//! Reads scalars: texts, choices, names, versions, ranges and durations. Each refusal suggests what to write instead.

use std::ops::Range as Span;
use std::time::Duration;

use super::super::ServiceName;
use super::super::suggest::nearest_candidate;
use super::super::yaml::{ScalarMeaning, YamlScalar};
use super::{FileReader, NamedField};
use crate::printable::show;
use crate::version::{Version, VersionRange};

/// Tags that move, and so name no version. Only exact words match, because `release-main` may be a build.
const MUTABLE_TAGS: [&str; 7] = ["latest", "main", "master", "stable", "edge", "nightly", "dev"];

impl FileReader<'_> {
    /// Reads a scalar by its spelling, whatever its type is to YAML.
    fn scalar<'t>(&mut self, field: &NamedField<'t>) -> Option<YamlScalar<'t>> {
        self.refuse_tag(field.value)?;
        let Some(scalar) = field.value.scalar() else {
            let message = format!("{} must be text, this is {}", field.in_words(), field.value.kind());
            self.report_error(field.value_span(), message, "");
            return None;
        };
        if scalar.meaning() == ScalarMeaning::Null {
            self.report_error(
                field.value_span(),
                format!("`{}` has no value", show(field.name)),
                "write one, or remove the key",
            );
            return None;
        }
        Some(scalar)
    }

    /// Reads text that every YAML parser reads as text: `1.10` must be quoted.
    pub(in crate::pins) fn text<'t>(&mut self, field: &NamedField<'t>) -> Option<&'t str> {
        let scalar = self.scalar(field)?;
        let kind = match scalar.meaning() {
            ScalarMeaning::Text => return Some(scalar.text),
            ScalarMeaning::Boolean => "a boolean",
            _ => "a number",
        };
        self.report_error(
            field.value_span(),
            format!("`{}` is {kind} to YAML, not text", show(scalar.text)),
            format!("quote it: \"{}\"", scalar.text),
        );
        None
    }

    /// Reads text by its spelling, quoted or not, such as an argument of a program.
    pub(in crate::pins) fn raw_text<'t>(&mut self, field: &NamedField<'t>) -> Option<&'t str> {
        self.scalar(field).map(|scalar| scalar.text)
    }

    /// Reads `true` or `false`.
    pub(in crate::pins) fn flag(&mut self, field: &NamedField<'_>) -> Option<bool> {
        self.choice(field, &[("true", true), ("false", false)])
    }

    /// Reads one of a few words.
    pub(in crate::pins) fn choice<T: Clone>(&mut self, field: &NamedField<'_>, choices: &[(&str, T)]) -> Option<T> {
        let word = self.raw_text(field)?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == word) {
            return Some(choice.clone());
        }
        let names = || choices.iter().map(|(name, _)| *name);
        let hint = nearest_candidate(word, names()).map(|name| format!("did you mean `{name}`?")).unwrap_or_default();
        let list = names().collect::<Vec<_>>().join(", ");
        self.report_error(
            field.value_span(),
            format!("`{}` is `{}`, it must be one of {list}", field.name, show(word)),
            hint,
        );
        None
    }

    /// Reads a list that is not empty, with `read` for each item. Returns none if an item is wrong. `what` names the
    /// items in messages.
    pub(in crate::pins) fn read_list<'t, T>(
        &mut self,
        field: &NamedField<'t>,
        what: &str,
        mut read: impl FnMut(&mut Self, &NamedField<'t>) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.refuse_tag(field.value)?;
        let Some(items) = field.value.items().filter(|items| items.len() > 0) else {
            self.no_list(field, what);
            return None;
        };
        let count = items.len();
        let read: Vec<T> = items.filter_map(|item| read(self, &field.item(item))).collect();
        (read.len() == count).then_some(read)
    }

    fn no_list(&mut self, field: &NamedField<'_>, what: &str) {
        let (name, value) = (show(field.name), field.value);
        let is = if value.items().is_some() { "empty" } else { value.kind() };
        let hint = match value.scalar() {
            Some(scalar) if !value.is_null() && !field.is_item => format!("write `{name}: [{}]`", show(scalar.text)),
            _ if value.entries().is_some() => "begin each of them with `- `".to_owned(),
            _ => String::new(),
        };
        self.report_error(field.value_span(), format!("`{name}` must be a list of {what}, this is {is}"), hint);
    }

    /// Reads the name of a service.
    pub(in crate::pins) fn name(&mut self, field: &NamedField<'_>) -> Option<ServiceName> {
        let text = self.text(field)?;
        self.name_from(text, field.value_span())
    }

    /// Reads a map key as the name of a service.
    pub(in crate::pins) fn name_from(&mut self, text: &str, at: Span<usize>) -> Option<ServiceName> {
        ServiceName::new(text).map_err(|error| self.report_error(at, error.to_string(), "")).ok()
    }

    /// Reads a DNS-1123 label that does not name a service.
    pub(in crate::pins) fn label(&mut self, field: &NamedField<'_>) -> Option<String> {
        let text = self.text(field)?;
        if let Some(reason) = crate::service_name::label_fault(text) {
            self.report_error(
                field.value_span(),
                format!("`{}` is not a name for `{}`: {reason}", show(text), field.name),
                "",
            );
            return None;
        }
        Some(text.to_owned())
    }

    /// Reads a version, which must be text to every YAML parser.
    pub(in crate::pins) fn version(&mut self, field: &NamedField<'_>) -> Option<Version> {
        let text = self.text(field)?;
        self.version_from(text, field.value_span())
    }

    /// Parses a version from the text at a place.
    pub(in crate::pins) fn version_from(&mut self, text: &str, at: Span<usize>) -> Option<Version> {
        let refuse = |(message, hint): ValueError| self.report_error(at, message, hint.unwrap_or_default());
        parse_pinned_version(text).map_err(refuse).ok()
    }

    /// Reads a range. A problem points at the wrong part of the range. It need not be quoted, because no number is a
    /// range.
    pub(in crate::pins) fn range(&mut self, field: &NamedField<'_>) -> Option<VersionRange> {
        let text = self.raw_text(field)?;
        let error = match text.parse() {
            Ok(range) => return Some(range),
            Err(error) => error,
        };
        let crate::version::RangeError { message, offset, hint } = error;
        self.report_error(field.inside(text, offset), message, hint.unwrap_or_default());
        None
    }

    /// Reads a duration within inclusive bounds.
    pub(in crate::pins) fn duration(&mut self, field: &NamedField<'_>, bounds: [&str; 2]) -> Option<Duration> {
        let text = self.raw_text(field)?;
        let [least, most] = bounds.map(|bound| parse_duration(bound).unwrap_or_default());
        match parse_duration(text) {
            Ok(duration) if (least..=most).contains(&duration) => return Some(duration),
            Ok(_) => {
                let message = format!("`{}` is {}, it must be {} to {}", field.name, show(text), bounds[0], bounds[1]);
                self.report_error(field.value_span(), message, "");
            }
            Err(reason) => {
                let message = format!("`{}` is not a duration: {reason}", show(text));
                self.report_error(
                    field.value_span(),
                    message,
                    format!("write it as in 90s, 10m or 1h30m, from {} to {}", bounds[0], bounds[1]),
                );
            }
        }
        None
    }
}

/// The message of a problem, and one remedy.
pub(in crate::pins) type ValueError = (String, Option<String>);

/// Parses a version, and refuses tags that move, such as `latest`.
pub(in crate::pins) fn parse_pinned_version(text: &str) -> Result<Version, ValueError> {
    if MUTABLE_TAGS.contains(&text) {
        let hint = "pin what it means now".to_owned();
        return Err((format!("`{text}` names no version: what it means moves"), Some(hint)));
    }
    Version::new(text).map_err(|error| (format!("`{}` is not a version: {error}", show(text)), error.hint()))
}

impl NamedField<'_> {
    /// Returns the place of the character at an offset in a scalar. It is exact if the file holds the text letter for
    /// letter, and otherwise the whole scalar.
    pub(in crate::pins) fn inside(&self, text: &str, offset: usize) -> Span<usize> {
        let span = self.value_span();
        let quotes = span.len().saturating_sub(text.len());
        if !matches!(quotes, 0 | 2) || !text.is_char_boundary(offset) || offset >= text.len() {
            return span;
        }
        let start = span.start + quotes / 2 + offset;
        start..start + text[offset..].chars().next().map_or(1, char::len_utf8)
    }
}

/// Parses a duration such as `1h30m`: whole numbers with the units d, h, m and s, each at most once and in this order.
///
/// # Errors
/// The reason, for a message.
pub(in crate::pins) fn parse_duration(text: &str) -> Result<Duration, String> {
    let mut rest = text;
    let mut units = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)].into_iter();
    let mut seconds = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = rest.split_at(digits);
        if number.is_empty() {
            return Err(format!("there is no number before `{}`", show(unit)));
        }
        let Some(letter) = unit.chars().next() else { return Err(format!("`{}` has no unit", show(rest))) };
        let Some((_, factor)) = units.find(|(name, _)| *name == letter) else {
            return Err(format!("`{}` is not one of the units d, h, m, s, in this order", show(unit)));
        };
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        seconds = part.and_then(|part| seconds.checked_add(part)).ok_or("it is longer than time itself")?;
        rest = &unit[letter.len_utf8()..];
    }
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(Duration::from_secs(seconds)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, seconds) in
            [("0s", 0), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("30d", 2_592_000), ("1d1s", 86_401)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        for (text, reason) in [
            ("", "it is empty"),
            ("5", "`5` has no unit"),
            ("1h5", "`5` has no unit"),
            ("-1s", "there is no number before `-1s`"),
            ("1y", "`y` is not one of the units d, h, m, s, in this order"),
            ("1s1m", "`m` is not one of the units d, h, m, s, in this order"),
            ("m", "there is no number before `m`"),
            ("1.5h", "`.5h` is not one of the units d, h, m, s, in this order"),
            ("1000000000000000000h", "it is longer than time itself"),
            ("99999999999999999999s", "it is longer than time itself"),
        ] {
            assert_eq!(parse_duration(text), Err(reason.to_owned()), "{text}");
        }
    }
}

//! Writes a scalar in the style of the one it replaces.

use std::fmt::Write as _;

use super::refusal::Refusal;
use crate::pins::{ScalarMeaning, YamlValue, scalar_meaning};
use crate::problem::{FilePlace, Problem};

/// Returns the source text of a scalar that fits in one line; `None` for aliases, blocks and values of several lines.
pub(super) fn one_line_text<'t>(text: &'t str, value: YamlValue<'_>) -> Option<&'t str> {
    let raw = text.get(value.span())?;
    let fine = !value.is_alias() && value.scalar().is_some_and(|scalar| !scalar.block) && !raw.contains(['\n', '\r']);
    fine.then_some(raw)
}

/// As [`written`], with the reason why the value cannot be changed in its place.
pub(super) fn require_one_line<'t>(text: &'t str, value: YamlValue<'_>, at: &FilePlace) -> Result<&'t str, Refusal> {
    let refuse = |message: &str, hint: &str| Err(Box::new(Problem::error(message, at.clone()).hint(hint)));
    match one_line_text(text, value) {
        Some(raw) => Ok(raw),
        None if value.is_alias() => {
            let alias = text.get(value.span()).unwrap_or_default();
            refuse(
                &format!("the value is the alias `{alias}`: what it names may stand for other things too"),
                "write the value itself here",
            )
        }
        None if value.scalar().is_none() => refuse("the value is not text", "write the value as one text"),
        None => refuse("the value is written in several lines", "write it in one line"),
    }
}

/// Writes `new` in the style of the scalar `raw`: the same quotes, or none if `raw` has none and `new` needs none.
/// `numbers` allows an unquoted whole number to replace another one.
pub(super) fn styled_like(raw: &str, new: &str, numbers: bool) -> String {
    match raw.as_bytes().first() {
        Some(b'\'') if !new.chars().any(char::is_control) => format!("'{}'", new.replace('\'', "''")),
        Some(b'"' | b'\'') => quoted(new),
        _ if numbers
            && scalar_meaning(raw) == ScalarMeaning::Integer
            && scalar_meaning(new) == ScalarMeaning::Integer =>
        {
            new.to_owned()
        }
        _ => plain(new),
    }
}

/// Writes a text without quotes if every YAML parser reads it as that text, else in double quotes.
pub(super) fn plain(text: &str) -> String {
    let tame = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
    let fine = text.bytes().all(tame)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !text.ends_with(':')
        && scalar_meaning(text) == ScalarMeaning::Text;
    if fine { text.to_owned() } else { quoted(text) }
}

pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // YAML treats these as line ends or as not printable: <https://yaml.org/spec/1.2.2/#51-character-set>.
            '\u{2028}' | '\u{2029}' | '\u{feff}' => _ = write!(quoted, "\\u{:04x}", u32::from(letter)),
            _ if letter.is_control() => _ = write!(quoted, "\\u{:04x}", u32::from(letter)),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stay_and_come_only_where_they_must() {
        for (raw, new, written) in [
            ("1.8.2", "1.8.3", "1.8.3"),
            ("1.8.2", "1.10", "\"1.10\""),
            ("1.8.2", "1e3", "\"1e3\""),
            ("\"1.8.2\"", "1.10", "\"1.10\""),
            ("'1.8.2'", "1.10", "'1.10'"),
            ("v7", "on", "\"on\""),
            ("7", "8", "8"),
            ("7", "010", "\"010\""),
            ("web:1", "web:2@sha256:ab", "web:2@sha256:ab"),
            ("'>=1'", ">=2, <3", "'>=2, <3'"),
            (">", ">=2, <3", "\">=2, <3\""),
        ] {
            assert_eq!(styled_like(raw, new, true), written, "{raw} {new}");
        }
        assert_eq!(styled_like("7", "8", false), "\"8\"");
    }

    #[test]
    fn any_text_can_be_quoted() {
        assert_eq!(quoted("a \"b\" \\ \n\t\u{1b}\u{2028}é"), r#""a \"b\" \\ \n\t\u001b\u2028é""#);
    }
}

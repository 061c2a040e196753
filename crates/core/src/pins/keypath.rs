//! Parses key paths such as `images[name=ghcr.io/acme/{service}].newTag`.

use std::fmt;
use std::str::FromStr;

use super::ServiceName;
use crate::printable::show;

/// A parsed key path. Keys are separated by dots, and written as `["…"]` if they contain other signs. `[0]` selects an
/// item of a list, and `[name=web]` all items that are maps with that entry. `{service}` in a key or selector captures
/// the name of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPath {
    text: String,
    pub(super) steps: Vec<KeyStep>,
}

/// One step of a key path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyStep {
    /// The value of a key of a map.
    Key(TextTemplate),
    /// The item of a list at an index.
    Index(usize),
    /// All items of a list that have the value under the key.
    Select(String, TextTemplate),
}

/// A text with at most one placeholder: `{service}`, or `{version}` in `tag:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextTemplate {
    before: String,
    /// The text after the placeholder. None if there is no placeholder.
    after: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyPathError {
    pub message: String,
    /// The offset of the error, in bytes from the start of the path.
    pub offset: usize,
}

/// The placeholder for the name of a service.
pub(super) const SERVICE_PLACEHOLDER: &str = "{service}";

impl Default for TextTemplate {
    /// Returns the placeholder alone.
    fn default() -> Self {
        Self { before: String::new(), after: Some(String::new()) }
    }
}

impl TextTemplate {
    /// Parses a text with an optional placeholder.
    ///
    /// # Errors
    /// The text holds the placeholder twice, or other braces.
    pub(super) fn new(text: &str, placeholder: &str) -> Result<Self, String> {
        let (before, after) = match text.split_once(placeholder) {
            None => (text, None),
            Some((before, after)) => (before, Some(after)),
        };
        let rest = after.unwrap_or_default();
        if rest.contains(placeholder) {
            return Err(format!("`{placeholder}` stands twice in `{}`", show(text)));
        }
        if [before, rest].iter().any(|part| part.contains(['{', '}'])) {
            return Err(format!("`{}` has braces that are not `{placeholder}`", show(text)));
        }
        Ok(Self { before: before.to_owned(), after: after.map(str::to_owned) })
    }

    /// Returns whether the text has the placeholder.
    pub(super) fn captures(&self) -> bool {
        self.after.is_some()
    }

    /// Matches `text`, and returns what the placeholder captured. Without a placeholder it returns the empty text.
    pub(super) fn capture<'t>(&self, text: &'t str) -> Option<&'t str> {
        let rest = text.strip_prefix(self.before.as_str())?;
        match &self.after {
            None => rest.is_empty().then_some(""),
            Some(after) => rest.strip_suffix(after.as_str()).filter(|name| !name.is_empty()),
        }
    }

    /// Returns the text with `name` in place of the placeholder.
    pub(super) fn fill(&self, name: &str) -> String {
        match &self.after {
            None => self.before.clone(),
            Some(after) => format!("{}{name}{after}", self.before),
        }
    }
}

impl KeyPath {
    /// Returns whether the path has `{service}`.
    pub(super) fn captures(&self) -> bool {
        self.steps.iter().any(|step| match step {
            KeyStep::Key(template) | KeyStep::Select(_, template) => template.captures(),
            KeyStep::Index(_) => false,
        })
    }

    /// Returns the path with `{service}` replaced by a name.
    pub(super) fn for_service(&self, service: &ServiceName) -> Self {
        let fill = |template: &TextTemplate| TextTemplate { before: template.fill(service.as_str()), after: None };
        let steps = self.steps.iter().map(|step| match step {
            KeyStep::Key(key) => KeyStep::Key(fill(key)),
            KeyStep::Index(index) => KeyStep::Index(*index),
            KeyStep::Select(key, value) => KeyStep::Select(key.clone(), fill(value)),
        });
        Self { text: self.text.replace(SERVICE_PLACEHOLDER, service.as_str()), steps: steps.collect() }
    }
}

impl FromStr for KeyPath {
    type Err = KeyPathError;

    fn from_str(text: &str) -> Result<Self, KeyPathError> {
        let mut steps = Vec::new();
        let mut at = 0;
        while at < text.len() || steps.is_empty() {
            let rest = &text[at..];
            let (step, length) = if rest.starts_with('[') {
                bracket(rest)
            } else {
                let dot = usize::from(!steps.is_empty());
                key(&rest[dot..]).map(|(step, length)| (step, dot + length))
            }
            .map_err(|message| KeyPathError { message, offset: at })?;
            steps.push(step);
            at += length;
            if !text[at..].is_empty() && !text[at..].starts_with(['.', '[']) {
                return Err(KeyPathError { message: "a `.` or `[` must follow a `]`".to_owned(), offset: at });
            }
        }
        Ok(Self { text: text.to_owned(), steps })
    }
}

/// Parses a key up to the next dot or bracket, and returns its length too.
fn key(text: &str) -> Result<(KeyStep, usize), String> {
    let length = text.find(['.', '[']).unwrap_or(text.len());
    let key = &text[..length];
    if key.is_empty() {
        return Err("a key is missing here".to_owned());
    }
    if let Some(sign) = key.chars().find(|sign| matches!(sign, ']' | '"' | '=' | '*') || sign.is_whitespace()) {
        return Err(format!("write keys with `{}` in them as [\"…\"]", show(&sign.to_string())));
    }
    Ok((KeyStep::Key(TextTemplate::new(key, SERVICE_PLACEHOLDER)?), length))
}

/// Parses `[0]`, `["a.b/c"]` or `[name=web]`, and returns its length too.
fn bracket(text: &str) -> Result<(KeyStep, usize), String> {
    if let Some(rest) = text.strip_prefix("[\"") {
        let end = rest.find("\"]").ok_or("`[\"` has no `\"]`")?;
        return Ok((KeyStep::Key(TextTemplate::new(&rest[..end], SERVICE_PLACEHOLDER)?), end + 4));
    }
    let end = text.find(']').ok_or("`[` has no `]`")?;
    let inner = &text[1..end];
    let step = match inner.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            KeyStep::Select(key.to_owned(), TextTemplate::new(unquoted(value), SERVICE_PLACEHOLDER)?)
        }
        _ => KeyStep::Index(
            inner.parse().map_err(|_| format!("`[{}]` is neither [0], [\"key\"] nor [name=value]", show(inner)))?,
        ),
    };
    Ok((step, end + 1))
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for KeyStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "{}", show(&key.fill(SERVICE_PLACEHOLDER))),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Select(key, value) => write!(f, "[{}={}]", show(key), show(&value.fill(SERVICE_PLACEHOLDER))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(text: &str) -> String {
        let path: KeyPath = text.parse().unwrap();
        path.steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn paths_are_keys_indices_and_selectors() {
        assert_eq!(steps("image.tag"), "image tag");
        assert_eq!(steps("images[name=ghcr.io/acme/{service}].newTag"), "images [name=ghcr.io/acme/{service}] newTag");
        assert_eq!(steps("services.{service}.image"), "services {service} image");
        assert_eq!(steps(r#"metadata.annotations["a.b/c"]"#), "metadata annotations a.b/c");
        assert_eq!(steps(r#"["a.b"].c[0][1].d[n="x y"]"#), "a.b c [0] [1] d [n=x y]");
        assert_eq!(steps("app-config.x_{service}_tag"), "app-config x_{service}_tag");
    }

    #[test]
    fn mistakes_are_shown_where_they_stand() {
        for (text, offset, message) in [
            ("", 0, "a key is missing here"),
            ("a..b", 1, "a key is missing here"),
            ("a.", 1, "a key is missing here"),
            ("a[0]b", 4, "a `.` or `[` must follow a `]`"),
            ("a[0", 1, "`[` has no `]`"),
            ("a[\"b]", 1, "`[\"` has no `\"]`"),
            ("a[x]", 1, "`[x]` is neither [0], [\"key\"] nor [name=value]"),
            ("a[=x]", 1, "`[=x]` is neither [0], [\"key\"] nor [name=value]"),
            ("a b", 0, "write keys with ` ` in them as [\"…\"]"),
            ("a.{name}", 1, "`{name}` has braces that are not `{service}`"),
            ("{service}{service}", 0, "`{service}` stands twice in `{service}{service}`"),
        ] {
            let error = text.parse::<KeyPath>().unwrap_err();
            assert_eq!((error.offset, error.message.as_str()), (offset, message), "{text}");
        }
    }

    #[test]
    fn a_template_captures_what_it_fills() {
        let template = TextTemplate::new("ghcr.io/acme/{service}", SERVICE_PLACEHOLDER).unwrap();
        assert_eq!(template.capture("ghcr.io/acme/checkout"), Some("checkout"));
        assert_eq!(template.capture("ghcr.io/acme/"), None);
        assert_eq!(template.capture("ghcr.io/other/checkout"), None);
        assert_eq!(template.fill("checkout"), "ghcr.io/acme/checkout");
        assert_eq!(TextTemplate::new("web", SERVICE_PLACEHOLDER).unwrap().capture("web"), Some(""));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"([a{}.\[\]"=0é ]|\{service\}){0,12}"#) {
            let _ = text.parse::<KeyPath>();
        }
    }
}

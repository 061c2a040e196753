//! Reads pins that patterns find in files of other tools. Values are read by their spelling, because Pintle cannot
//! demand quotes in files that it does not own.

use std::borrow::Cow;
use std::ops::Range;

use super::keypath::{KeyStep, SERVICE_PLACEHOLDER};
use super::layout::PatternMatch;
use super::locate::{LocatedValue, PartialKeyPath, locate_values, text_of};
use super::reader::{FileReader, ValueError, parse_pinned_version};
use super::suggest::suggest_instead;
use super::yaml::{MapEntry, ScalarMeaning, YamlTree};
use super::{KeyPath, PinPattern, ServiceName, ValueKind};
use crate::image::Image;
use crate::printable::show;
use crate::problem::{FilePlace, Problem};
use crate::version::Version;

#[derive(Debug, Clone)]
pub(super) struct FoundPin {
    pub(super) service: ServiceName,
    pub(super) value: FoundValue,
    /// The place of the value.
    pub(super) at: FilePlace,
}

#[derive(Debug, Clone)]
pub(super) enum FoundValue {
    /// A version, and the repository if the pattern or the values beside it name one.
    Version(Version, Option<String>),
    /// An image whose tag holds the version.
    Image(Image),
}

/// The result of one pattern in one file.
#[derive(Debug, Clone)]
pub(super) struct PatternSearch {
    /// The index of the pattern in its layout.
    pub(super) pattern: usize,
    pub(super) found: Vec<FoundPin>,
    /// Set if the key selects nothing in the file.
    pub(super) unresolved: Option<UnresolvedKey>,
}

/// The step of a key path that matched nothing.
#[derive(Debug, Clone)]
pub(super) struct UnresolvedKey {
    /// The place that was searched for the step.
    pub(super) at: FilePlace,
    /// The missing step, in words for a message.
    pub(super) missing: String,
    /// A similar name, or the names that do exist.
    pub(super) suggestion: Option<String>,
}

impl PatternSearch {
    /// Returns an empty search result.
    pub(super) fn of(role: &PatternMatch<'_>) -> Self {
        Self { pattern: role.index, found: Vec::new(), unresolved: None }
    }
}

impl UnresolvedKey {
    /// Returns the message for this one file.
    pub(super) fn message(&self, key: &KeyPath) -> String {
        format!("`{key}` leads to nothing in this file: {}", self.missing)
    }
}

impl PatternMatch<'_> {
    /// Returns the one service that the path pins. None if the names of the services stand inside the file.
    pub(super) fn named_service(&self) -> Option<Result<ServiceName, super::NameError>> {
        match (&self.pattern.service, self.captured_service) {
            (Some(service), _) => Some(Ok(service.clone())),
            (None, captured) => captured.map(ServiceName::new),
        }
    }
}

/// Searches all documents of a file for the pins of one pattern. A key that selects nothing is an error if the file
/// belongs to one service. Otherwise the other files of the pattern decide whether it is reported.
pub(super) fn find_pins(reader: &mut FileReader<'_>, role: &PatternMatch<'_>, tree: &YamlTree<'_>) -> PatternSearch {
    let mut search = PatternSearch::of(role);
    let fixed = match role.named_service() {
        Some(Err(error)) => {
            let name = Problem::warning(format!("not pinned: {error}"), reader.whole());
            reader.report(name.hint("rename it, or narrow `files` in pintle.yaml"));
            return search;
        }
        Some(Ok(service)) => Some(service),
        None => None,
    };
    let key = match &fixed {
        Some(service) => Cow::Owned(role.pattern.key.for_service(service)),
        None => Cow::Borrowed(&role.pattern.key),
    };
    let located: Vec<_> = tree.documents().map(|document| locate_values(document, &key)).collect();
    for twice in located.iter().flat_map(|located| &located.duplicates) {
        let Some(service) = name_of(reader, fixed.as_ref(), twice.service, &twice.keys[1]) else { continue };
        let [first, second] = twice.keys.clone().map(|span| reader.place(span));
        let problem = Problem::error(format!("`{key}` stands twice for `{service}`"), second).for_service(&service);
        reader.report(problem.also(first, "first here").hint("remove one of them"));
    }
    let hits = || located.iter().flat_map(|located| &located.hits);
    if hits().next().is_none() {
        let early = located.iter().filter_map(|located| located.farthest_miss.as_ref());
        let missed = missed(reader, &key, early.max_by_key(|miss| miss.depth));
        if let Some(service) = &fixed {
            let hint = missed.suggestion.as_deref().unwrap_or("correct the key, or keep the file out of `files`");
            reader.report(Problem::error(missed.message(&key), missed.at.clone()).for_service(service).hint(hint));
        }
        search.unresolved = Some(missed);
    }
    search.found = hits().filter_map(|hit| found(reader, role.pattern, fixed.as_ref(), hit)).collect();
    search
}

/// Returns the pin that a value holds, or reports why it holds none.
fn found(
    reader: &mut FileReader<'_>,
    pattern: &PinPattern,
    fixed: Option<&ServiceName>,
    hit: &LocatedValue<'_>,
) -> Option<FoundPin> {
    let service = name_of(reader, fixed, hit.service, &hit.key)?;
    let at = if hit.value.span().is_empty() { hit.key.clone() } else { hit.value.span() };
    match value(pattern, &service, hit) {
        Ok(value) => {
            warn_of_numbers(reader, &service, hit);
            Some(FoundPin { service, value, at: reader.place(at) })
        }
        Err((message, way_out)) => {
            reader.report(Problem { hint: way_out, ..Problem::error(message, reader.place(at)).for_service(&service) });
            None
        }
    }
}

/// Returns the service that a path or key names. Other tools have keys that are no service names, so those only warn.
fn name_of(
    reader: &mut FileReader<'_>,
    fixed: Option<&ServiceName>,
    captured: Option<&str>,
    key: &Range<usize>,
) -> Option<ServiceName> {
    if let Some(service) = fixed {
        return Some(service.clone());
    }
    ServiceName::new(captured?)
        .map_err(|error| reader.report_warning(key.clone(), format!("not pinned: {error}"), ""))
        .ok()
}

/// Describes the first step of the path that matched nothing.
fn missed(reader: &FileReader<'_>, key: &KeyPath, miss: Option<&PartialKeyPath<'_>>) -> UnresolvedKey {
    let Some((miss, step)) = miss.and_then(|miss| Some((miss, key.steps.get(miss.depth)?))) else {
        return UnresolvedKey { at: reader.whole(), missing: "it holds nothing".to_owned(), suggestion: None };
    };
    let names: Vec<&str> = match step {
        KeyStep::Key(_) => miss.value.entries().unwrap_or_default().iter().filter_map(MapEntry::name).collect(),
        KeyStep::Index(_) => Vec::new(),
        KeyStep::Select(key, _) => {
            let items = miss.value.items().into_iter().flatten();
            items.filter_map(|item| text_of(&item.entries()?, key)).collect()
        }
    };
    UnresolvedKey {
        at: reader.place(first_line(miss)),
        missing: format!("there is no `{step}` here"),
        suggestion: suggest_instead(&step.to_string(), names),
    }
}

/// Returns the first byte of the value that lacks the step. The whole span may be the whole file.
fn first_line(miss: &PartialKeyPath<'_>) -> Range<usize> {
    let span = miss.value.span();
    span.start..span.end.min(span.start + 1)
}

fn value(pattern: &PinPattern, service: &ServiceName, hit: &LocatedValue<'_>) -> Result<FoundValue, ValueError> {
    if let Some(tag) = hit.value.tag() {
        return Err((format!("the tag `{}` means nothing here", show(tag)), Some("pin a plain value".to_owned())));
    }
    let Some(scalar) = hit.value.scalar() else {
        return Err((format!("the pin of `{service}` must be text, this is {}", hit.value.kind()), None));
    };
    let text = scalar.text;
    match scalar.meaning() {
        ScalarMeaning::Null => return Err((format!("`{service}` has no version here"), None)),
        ScalarMeaning::Boolean => {
            return Err((format!("`{}` is a boolean to YAML", show(text)), Some(format!("quote it: \"{text}\""))));
        }
        ScalarMeaning::Text | ScalarMeaning::Integer | ScalarMeaning::Number => {}
    }
    if text.contains("${") || text.contains("{{") {
        let plain = "pin a plain value; Pintle fills in no variables".to_owned();
        return Err((format!("`{}` is a template, not a value", show(text)), Some(plain)));
    }
    match pattern.value {
        ValueKind::Version => {
            digest_beside(hit)?;
            let repository = pattern.image.as_ref().map(|image| image.replace(SERVICE_PLACEHOLDER, service.as_str()));
            Ok(FoundValue::Version(parse_pinned_version(text)?, repository.or_else(|| repository_beside(hit))))
        }
        ValueKind::Image => match text.parse() {
            Ok(image) => Ok(FoundValue::Image(image)),
            Err(error) => Err((format!("`{}` is not an image: {error}", show(text)), None)),
        },
    }
}

/// Refuses a `digest` beside `newTag`. Kustomize takes the digest if both are set, so the pinned tag would not run.
fn digest_beside(hit: &LocatedValue<'_>) -> Result<(), ValueError> {
    let entries = if hit.name == Some("newTag") { hit.parent.entries() } else { None };
    let digest = entries.as_deref().and_then(|entries| text_of(entries, "digest"));
    if digest.is_some_and(|digest| !digest.is_empty()) {
        let remove = "remove `digest`, or `newTag`".to_owned();
        return Err(("`digest` stands beside this tag, and Kustomize takes the digest".to_owned(), Some(remove)));
    }
    Ok(())
}

/// Returns the repository from the values beside the pin: Kustomize's `newName` or `name`, Helm's `repository` and
/// `registry`.
fn repository_beside(hit: &LocatedValue<'_>) -> Option<String> {
    // Other keys may stand in a map of many pins, which would be searched once for each pin.
    let name = hit.name.filter(|name| matches!(*name, "newTag" | "tag" | "version"))?;
    let entries = hit.parent.entries()?;
    let text = |key: &str| text_of(&entries, key).filter(|text| !text.is_empty());
    if name == "newTag" {
        return text("newName").or_else(|| text("name")).map(str::to_owned);
    }
    let repository = text("repository")?;
    Some(text("registry").map_or_else(|| repository.to_owned(), |registry| format!("{registry}/{repository}")))
}

fn warn_of_numbers(reader: &mut FileReader<'_>, service: &ServiceName, hit: &LocatedValue<'_>) {
    let Some(scalar) = hit.value.scalar().filter(|scalar| scalar.meaning() == ScalarMeaning::Number) else { return };
    let message = format!("`{}` is a number to YAML: other tools may read it as another one", scalar.text);
    let problem = Problem::warning(message, reader.place(hit.value.span())).for_service(service);
    reader.report(problem.hint(format!("quote it: \"{}\"", scalar.text)));
}

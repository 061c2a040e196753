//! Reads pins that patterns find in files of other tools. Values are read by their spelling, because Pintle cannot
//! demand quotes in files that it does not own.

use std::borrow::Cow;
use std::ops::Range;

use super::keypath::{SERVICE, Step};
use super::layout::Role;
use super::locate::{Hit, Miss, locate, text_of};
use super::reader::{Reader, Refusal, pinned_version};
use super::suggest::instead;
use super::yaml::{Entry, Meaning, Tree};
use super::{KeyPath, Pattern, ServiceName, ValueKind};
use crate::image::Image;
use crate::printable::show;
use crate::problem::{Place, Problem};
use crate::version::Version;

#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) service: ServiceName,
    pub(super) value: FoundValue,
    /// The place of the value.
    pub(super) at: Place,
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
pub(super) struct Search {
    /// The index of the pattern in its layout.
    pub(super) pattern: usize,
    pub(super) found: Vec<Found>,
    /// Set if the key selects nothing in the file.
    pub(super) missed: Option<Missed>,
}

/// The step of a key path that matched nothing.
#[derive(Debug, Clone)]
pub(super) struct Missed {
    /// The place that was searched for the step.
    pub(super) at: Place,
    /// The missing step, in words for a message.
    pub(super) what: String,
    /// A similar name, or the names that do exist.
    pub(super) instead: Option<String>,
}

impl Search {
    /// Returns an empty search result.
    pub(super) fn of(role: &Role<'_>) -> Self {
        Self { pattern: role.index, found: Vec::new(), missed: None }
    }
}

impl Missed {
    /// Returns the message for this one file.
    pub(super) fn message(&self, key: &KeyPath) -> String {
        format!("`{key}` leads to nothing in this file: {}", self.what)
    }
}

impl Role<'_> {
    /// Returns the one service that the path pins. None if the names of the services stand inside the file.
    pub(super) fn service(&self) -> Option<Result<ServiceName, super::NameError>> {
        match (&self.pattern.service, self.captured) {
            (Some(service), _) => Some(Ok(service.clone())),
            (None, captured) => captured.map(ServiceName::new),
        }
    }
}

/// Searches all documents of a file for the pins of one pattern. A key that selects nothing is an error if the file
/// belongs to one service. Otherwise the other files of the pattern decide whether it is reported.
pub(super) fn find(reader: &mut Reader<'_>, role: &Role<'_>, tree: &Tree<'_>) -> Search {
    let mut search = Search::of(role);
    let fixed = match role.service() {
        Some(Err(error)) => {
            let name = Problem::warning(format!("not pinned: {error}"), reader.whole());
            reader.tell(name.hint("rename it, or narrow `files` in pintle.yaml"));
            return search;
        }
        Some(Ok(service)) => Some(service),
        None => None,
    };
    let key = match &fixed {
        Some(service) => Cow::Owned(role.pattern.key.of(service)),
        None => Cow::Borrowed(&role.pattern.key),
    };
    let located: Vec<_> = tree.documents().map(|document| locate(document, &key)).collect();
    for twice in located.iter().flat_map(|located| &located.twice) {
        let Some(service) = name_of(reader, fixed.as_ref(), twice.service, &twice.keys[1]) else { continue };
        let [first, second] = twice.keys.clone().map(|span| reader.place(span));
        let problem = Problem::error(format!("`{key}` stands twice for `{service}`"), second).of(&service);
        reader.tell(problem.also(first, "first here").hint("remove one of them"));
    }
    let hits = || located.iter().flat_map(|located| &located.hits);
    if hits().next().is_none() {
        let early = located.iter().filter_map(|located| located.miss.as_ref());
        let missed = missed(reader, &key, early.max_by_key(|miss| miss.depth));
        if let Some(service) = &fixed {
            let hint = missed.instead.as_deref().unwrap_or("correct the key, or keep the file out of `files`");
            reader.tell(Problem::error(missed.message(&key), missed.at.clone()).of(service).hint(hint));
        }
        search.missed = Some(missed);
    }
    search.found = hits().filter_map(|hit| found(reader, role.pattern, fixed.as_ref(), hit)).collect();
    search
}

/// Returns the pin that a value holds, or reports why it holds none.
fn found(reader: &mut Reader<'_>, pattern: &Pattern, fixed: Option<&ServiceName>, hit: &Hit<'_>) -> Option<Found> {
    let service = name_of(reader, fixed, hit.service, &hit.key)?;
    let at = if hit.value.span().is_empty() { hit.key.clone() } else { hit.value.span() };
    match value(pattern, &service, hit) {
        Ok(value) => {
            warn_of_numbers(reader, &service, hit);
            Some(Found { service, value, at: reader.place(at) })
        }
        Err((message, way_out)) => {
            reader.tell(Problem { hint: way_out, ..Problem::error(message, reader.place(at)).of(&service) });
            None
        }
    }
}

/// Returns the service that a path or key names. Other tools have keys that are no service names, so those only warn.
fn name_of(
    reader: &mut Reader<'_>,
    fixed: Option<&ServiceName>,
    captured: Option<&str>,
    key: &Range<usize>,
) -> Option<ServiceName> {
    if let Some(service) = fixed {
        return Some(service.clone());
    }
    ServiceName::new(captured?).map_err(|error| reader.warn(key.clone(), format!("not pinned: {error}"), "")).ok()
}

/// Describes the first step of the path that matched nothing.
fn missed(reader: &Reader<'_>, key: &KeyPath, miss: Option<&Miss<'_>>) -> Missed {
    let Some((miss, step)) = miss.and_then(|miss| Some((miss, key.steps.get(miss.depth)?))) else {
        return Missed { at: reader.whole(), what: "it holds nothing".to_owned(), instead: None };
    };
    let names: Vec<&str> = match step {
        Step::Key(_) => miss.value.entries().unwrap_or_default().iter().filter_map(Entry::name).collect(),
        Step::Index(_) => Vec::new(),
        Step::Select(key, _) => {
            let items = miss.value.items().into_iter().flatten();
            items.filter_map(|item| text_of(&item.entries()?, key)).collect()
        }
    };
    Missed {
        at: reader.place(first_line(miss)),
        what: format!("there is no `{step}` here"),
        instead: instead(&step.to_string(), names),
    }
}

/// Returns the first byte of the value that lacks the step. The whole span may be the whole file.
fn first_line(miss: &Miss<'_>) -> Range<usize> {
    let span = miss.value.span();
    span.start..span.end.min(span.start + 1)
}

fn value(pattern: &Pattern, service: &ServiceName, hit: &Hit<'_>) -> Result<FoundValue, Refusal> {
    if let Some(tag) = hit.value.tag() {
        return Err((format!("the tag `{}` means nothing here", show(tag)), Some("pin a plain value".to_owned())));
    }
    let Some(scalar) = hit.value.scalar() else {
        return Err((format!("the pin of `{service}` must be text, this is {}", hit.value.kind()), None));
    };
    let text = scalar.text;
    match scalar.meaning() {
        Meaning::Null => return Err((format!("`{service}` has no version here"), None)),
        Meaning::Boolean => {
            return Err((format!("`{}` is a boolean to YAML", show(text)), Some(format!("quote it: \"{text}\""))));
        }
        Meaning::Text | Meaning::Integer | Meaning::Number => {}
    }
    if text.contains("${") || text.contains("{{") {
        let plain = "pin a plain value; Pintle fills in no variables".to_owned();
        return Err((format!("`{}` is a template, not a value", show(text)), Some(plain)));
    }
    match pattern.value {
        ValueKind::Version => {
            digest_beside(hit)?;
            let repository = pattern.image.as_ref().map(|image| image.replace(SERVICE, service.as_str()));
            Ok(FoundValue::Version(pinned_version(text)?, repository.or_else(|| repository_beside(hit))))
        }
        ValueKind::Image => match text.parse() {
            Ok(image) => Ok(FoundValue::Image(image)),
            Err(error) => Err((format!("`{}` is not an image: {error}", show(text)), None)),
        },
    }
}

/// Refuses a `digest` beside `newTag`. Kustomize takes the digest if both are set, so the pinned tag would not run.
fn digest_beside(hit: &Hit<'_>) -> Result<(), Refusal> {
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
fn repository_beside(hit: &Hit<'_>) -> Option<String> {
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

fn warn_of_numbers(reader: &mut Reader<'_>, service: &ServiceName, hit: &Hit<'_>) {
    let Some(scalar) = hit.value.scalar().filter(|scalar| scalar.meaning() == Meaning::Number) else { return };
    let message = format!("`{}` is a number to YAML: other tools may read it as another one", scalar.text);
    let problem = Problem::warning(message, reader.place(hit.value.span())).of(service);
    reader.tell(problem.hint(format!("quote it: \"{}\"", scalar.text)));
}

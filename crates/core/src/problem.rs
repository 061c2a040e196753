//! What is wrong with the pins, in a form that says where: rendered like rustc's messages by the command line.

mod render;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

pub use render::{line_col, located, render};

pub use crate::printable::{display_safe, show};
use crate::remedy::Remedy;
use crate::service_name::ServiceName;

/// How bad a [`Problem`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The service, or the whole file, cannot be used as it is: it is held.
    Error,
    /// It can be used, but somebody should know.
    Warning,
}

/// One thing wrong with one place of the pin repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether it holds what it concerns.
    pub severity: Severity,
    /// The service it holds; none where it concerns the whole repository.
    pub service: Option<ServiceName>,
    /// What is wrong, naming the object, without a full stop.
    pub message: String,
    /// Where.
    pub place: Place,
    /// Other places that belong to it ("first pinned here").
    pub also: Vec<(Place, String)>,
    /// One way out, where it lies in the files.
    pub hint: Option<String>,
    /// One way out, where it is a command.
    pub remedy: Option<Remedy>,
}

/// A place in a file of the pin repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path from the root of the repository.
    pub path: Arc<str>,
    /// The bytes concerned; none where the file as a whole is meant.
    pub span: Option<Range<usize>>,
}

impl Place {
    /// The file as a whole.
    pub fn file(path: &Arc<str>) -> Self {
        Self { path: Arc::clone(path), span: None }
    }

    /// The bytes `span` of the file.
    pub fn at(path: &Arc<str>, span: Range<usize>) -> Self {
        Self { path: Arc::clone(path), span: Some(span) }
    }
}

impl Problem {
    /// An error at `place`.
    pub fn error(message: impl Into<String>, place: Place) -> Self {
        Self {
            severity: Severity::Error,
            service: None,
            message: message.into(),
            place,
            also: Vec::new(),
            hint: None,
            remedy: None,
        }
    }

    /// A warning at `place`.
    pub fn warning(message: impl Into<String>, place: Place) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message, place) }
    }

    /// Says how to get out of it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says which command gets out of it.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    /// Names the service that it holds.
    #[must_use]
    pub fn of(mut self, service: &ServiceName) -> Self {
        self.service = Some(service.clone());
        self
    }

    /// Points at a second place.
    #[must_use]
    pub fn also(mut self, place: Place, label: impl Into<String>) -> Self {
        self.also.push((place, label.into()));
        self
    }
}

/// What is wrong between two places is told once: at the first, which names the other. They are sorted.
pub fn once(problems: &mut Vec<Problem>) {
    let mut told: HashMap<String, Vec<Place>> = HashMap::new();
    problems.retain(|problem| {
        let is_told = told.get(&problem.message).is_some_and(|places| places.contains(&problem.place));
        if !is_told && !problem.also.is_empty() {
            let places = problem.also.iter().map(|(place, _)| place.clone());
            told.entry(problem.message.clone()).or_default().extend(places);
        }
        !is_told
    });
}

/// By path and place, those of a file as a whole first.
pub fn sort(problems: &mut [Problem]) {
    let start = |problem: &Problem| problem.place.span.as_ref().map(|span| span.start);
    problems.sort_by(|one, two| (&one.place.path, start(one)).cmp(&(&two.place.path, start(two))));
}

//! Problems of the pin repository, each with its place. The command line renders them like rustc's messages.

mod render;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

pub use render::{line_col, one_line_message, render_problems};

pub use crate::printable::{display_safe, show};
use crate::remedy::Remedy;
use crate::service_name::ServiceName;

/// The severity of a [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The service or the whole file cannot be used, and is held.
    Error,
    /// The service or file can be used, but a user should know.
    Warning,
}

/// A problem at one place of the pin repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Decides whether the service is held.
    pub severity: Severity,
    /// The service concerned. None if the problem concerns the whole repository.
    pub service: Option<ServiceName>,
    /// The message, which names the object and has no full stop.
    pub message: String,
    pub place: FilePlace,
    /// Related places, each with a label such as "first pinned here".
    pub also: Vec<(FilePlace, String)>,
    /// A remedy in the files.
    pub hint: Option<String>,
    /// A remedy that is a command.
    pub remedy: Option<Remedy>,
}

/// A place in a file of the pin repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlace {
    /// The path from the root of the repository.
    pub path: Arc<str>,
    /// The bytes concerned. None for the file as a whole.
    pub span: Option<Range<usize>>,
}

impl FilePlace {
    /// Returns the place of a file as a whole.
    pub fn whole_file(path: &Arc<str>) -> Self {
        Self { path: Arc::clone(path), span: None }
    }

    /// Returns the place of the bytes `span` of a file.
    pub fn at(path: &Arc<str>, span: Range<usize>) -> Self {
        Self { path: Arc::clone(path), span: Some(span) }
    }
}

impl Problem {
    /// Builds an error at a place.
    pub fn error(message: impl Into<String>, place: FilePlace) -> Self {
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

    /// Builds a warning at a place.
    pub fn warning(message: impl Into<String>, place: FilePlace) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message, place) }
    }

    /// Sets the remedy in the files.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the remedy that is a command.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    /// Sets the service concerned.
    #[must_use]
    pub fn for_service(mut self, service: &ServiceName) -> Self {
        self.service = Some(service.clone());
        self
    }

    /// Adds a related place.
    #[must_use]
    pub fn also(mut self, place: FilePlace, label: impl Into<String>) -> Self {
        self.also.push((place, label.into()));
        self
    }
}

/// Removes the second report of a problem between two places: the first one names both. The problems must be sorted.
pub fn drop_mirrored(problems: &mut Vec<Problem>) {
    let mut told: HashMap<String, Vec<FilePlace>> = HashMap::new();
    problems.retain(|problem| {
        let is_told = told.get(&problem.message).is_some_and(|places| places.contains(&problem.place));
        if !is_told && !problem.also.is_empty() {
            let places = problem.also.iter().map(|(place, _)| place.clone());
            told.entry(problem.message.clone()).or_default().extend(places);
        }
        !is_told
    });
}

/// Sorts problems by path and place. Those of a file as a whole come first.
pub fn sort_problems(problems: &mut [Problem]) {
    let start = |problem: &Problem| problem.place.span.as_ref().map(|span| span.start);
    problems.sort_by(|one, two| (&one.place.path, start(one)).cmp(&(&two.place.path, start(two))));
}

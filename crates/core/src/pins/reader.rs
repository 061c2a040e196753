//! Reads typed values out of a file that is Pintle's own: strict, and going on after a problem so that all are told.

mod fields;
mod scalars;

use std::ops::Range;
use std::sync::Arc;

pub(super) use fields::{Field, Fields, Keys};
pub(super) use scalars::{Refusal, pinned_version};

use super::ServiceName;
use super::yaml::{Tree, Value, decode, parse};
use crate::problem::{Place, Problem, Severity};

/// More problems of one file are not told.
const TOLD: usize = 100;

/// Collects the problems of one file.
pub(super) struct Reader<'r> {
    path: &'r Arc<str>,
    /// The service that the problems hold.
    service: Option<&'r ServiceName>,
    problems: Vec<Problem>,
    untold: usize,
}

impl<'r> Reader<'r> {
    pub(super) fn new(path: &'r Arc<str>, service: Option<&'r ServiceName>) -> Self {
        Self { path, service, problems: Vec::new(), untold: 0 }
    }

    /// The place of some bytes of the file.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place::at(self.path, span)
    }

    /// The place of the file as a whole.
    pub(super) fn whole(&self) -> Place {
        Place::file(self.path)
    }

    /// Tells an error and one way out of it.
    pub(super) fn refuse(&mut self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.tell(Problem { hint: some(hint.into()), ..Problem::error(message, self.place(span)) });
    }

    /// Tells a warning and one way out of it.
    pub(super) fn warn(&mut self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.tell(Problem { hint: some(hint.into()), ..Problem::warning(message, self.place(span)) });
    }

    /// Tells a problem; it holds the service of this reader where it names none.
    pub(super) fn tell(&mut self, mut problem: Problem) {
        problem.service = problem.service.or_else(|| self.service.cloned());
        if self.is_full() {
            self.untold += 1;
        } else {
            self.problems.push(problem);
        }
    }

    /// Whether more problems are counted only: what costs time to say need not be put into words.
    fn is_full(&self) -> bool {
        self.problems.len() >= TOLD
    }

    /// Whether something told so far is an error.
    pub(super) fn failed(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All that was told.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        if self.untold > 0 {
            let rest = Problem::warning(format!("{} more problems in this file", self.untold), Place::file(self.path));
            self.problems.push(rest);
        }
        self.problems
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Decodes and parses a file. The problem says what stands at the path, or where its syntax breaks.
pub(crate) fn parse_file<T>(
    path: &Arc<str>,
    bytes: &[u8],
    read: impl FnOnce(&Tree<'_>) -> T,
) -> Result<T, Box<Problem>> {
    let fault = |fault: super::yaml::Fault| {
        let unquoted = fault.span.as_ref().is_some_and(|span| has_bare_range(bytes, span.start));
        let hint = if unquoted { "quote a range, as in \">=1.4, <2\"".to_owned() } else { fault.hint };
        let place = fault.span.map_or_else(|| Place::file(path), |span| Place::at(path, span));
        Box::new(Problem {
            hint: some(hint),
            ..Problem::error(format!("this cannot be read: {}", fault.message), place)
        })
    };
    let tree = decode(bytes).and_then(parse).map_err(fault)?;
    Ok(read(&tree))
}

/// Whether a value in the line of this place begins as a range does, and as no text of YAML may.
fn has_bare_range(bytes: &[u8], at: usize) -> bool {
    let (before, after) = bytes.split_at(at.min(bytes.len()));
    let line = before.rsplit(|byte| *byte == b'\n').next().into_iter().chain(after.split(|byte| *byte == b'\n').next());
    let line: Vec<u8> = line.flatten().copied().collect();
    String::from_utf8_lossy(&line).split(": ").skip(1).any(|value| value.trim_start().starts_with(['>', '<']))
}

/// The one document of a file that must hold a map; `least` is what to write into an empty one.
pub(super) fn single_document<'t>(reader: &mut Reader<'_>, tree: &'t Tree<'t>, least: &str) -> Option<Value<'t>> {
    let mut documents = tree.documents();
    let first = documents.next().filter(|value| !value.is_null());
    match (first, documents.next()) {
        (Some(value), None) => return Some(value),
        (None, None) => {
            let empty = Problem::error("this file is empty", reader.whole());
            reader.tell(empty.hint(format!("write {least} into it, or remove it")));
        }
        (_, Some(second)) => {
            let count = tree.documents().len();
            let message = format!("this file holds {count} YAML documents, it must hold one");
            reader.refuse(second.span(), message, "keep one document, without `---`");
        }
    }
    None
}

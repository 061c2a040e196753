//! Reads typed values from Pintle's own files. It is strict, and continues after a problem to report all of them.

mod fields;
mod scalars;

use std::ops::Range;
use std::sync::Arc;

pub(super) use fields::{KnownKeys, MapFields, NamedField};
pub(super) use scalars::{ValueError, parse_pinned_version};

use super::ServiceName;
use super::yaml::{YamlTree, YamlValue, decode_utf8, parse_yaml};
use crate::problem::{FilePlace, Problem, Severity};

/// The most problems reported for one file.
const MAX_PROBLEMS_PER_FILE: usize = 100;

pub(super) struct FileReader<'r> {
    path: &'r Arc<str>,
    /// The service that problems of this file concern, and hold.
    service: Option<&'r ServiceName>,
    problems: Vec<Problem>,
    uncounted_problems: usize,
}

impl<'r> FileReader<'r> {
    pub(super) fn new(path: &'r Arc<str>, service: Option<&'r ServiceName>) -> Self {
        Self { path, service, problems: Vec::new(), uncounted_problems: 0 }
    }

    pub(super) fn place(&self, span: Range<usize>) -> FilePlace {
        FilePlace::at(self.path, span)
    }

    pub(super) fn whole(&self) -> FilePlace {
        FilePlace::whole_file(self.path)
    }

    /// Reports an error, with one remedy.
    pub(super) fn report_error(&mut self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.report(Problem { hint: some(hint.into()), ..Problem::error(message, self.place(span)) });
    }

    /// Reports a warning, with one remedy.
    pub(super) fn report_warning(&mut self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.report(Problem { hint: some(hint.into()), ..Problem::warning(message, self.place(span)) });
    }

    /// Reports a problem. It concerns the service of this reader unless it names another one.
    pub(super) fn report(&mut self, mut problem: Problem) {
        problem.service = problem.service.or_else(|| self.service.cloned());
        if self.is_full() {
            self.uncounted_problems += 1;
        } else {
            self.problems.push(problem);
        }
    }

    /// Returns whether further problems are only counted. Costly messages need not be built then.
    fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS_PER_FILE
    }

    /// Returns whether an error was reported.
    pub(super) fn failed(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Returns all reported problems.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        if self.uncounted_problems > 0 {
            let rest = Problem::warning(
                format!("{} more problems in this file", self.uncounted_problems),
                FilePlace::whole_file(self.path),
            );
            self.problems.push(rest);
        }
        self.problems
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Decodes and parses a file. The problem names what the file is, or the place of its syntax error.
pub(crate) fn parse_file<T>(
    path: &Arc<str>,
    bytes: &[u8],
    read: impl FnOnce(&YamlTree<'_>) -> T,
) -> Result<T, Box<Problem>> {
    let fault = |fault: super::yaml::YamlFault| {
        let unquoted = fault.span.as_ref().is_some_and(|span| has_bare_range(bytes, span.start));
        let hint = if unquoted { "quote a range, as in \">=1.4, <2\"".to_owned() } else { fault.hint };
        let place = fault.span.map_or_else(|| FilePlace::whole_file(path), |span| FilePlace::at(path, span));
        Box::new(Problem {
            hint: some(hint),
            ..Problem::error(format!("this cannot be read: {}", fault.message), place)
        })
    };
    let tree = decode_utf8(bytes).and_then(parse_yaml).map_err(fault)?;
    Ok(read(&tree))
}

/// Returns whether a value in this line begins with `>` or `<`, as a range without quotes does. YAML takes `>` for a
/// block.
fn has_bare_range(bytes: &[u8], at: usize) -> bool {
    let (before, after) = bytes.split_at(at.min(bytes.len()));
    let line = before.rsplit(|byte| *byte == b'\n').next().into_iter().chain(after.split(|byte| *byte == b'\n').next());
    let line: Vec<u8> = line.flatten().copied().collect();
    String::from_utf8_lossy(&line).split(": ").skip(1).any(|value| value.trim_start().starts_with(['>', '<']))
}

/// Returns the only document of a file. `least` names the keys to write into an empty file.
pub(super) fn single_document<'t>(
    reader: &mut FileReader<'_>,
    tree: &'t YamlTree<'t>,
    least: &str,
) -> Option<YamlValue<'t>> {
    let mut documents = tree.documents();
    let first = documents.next().filter(|value| !value.is_null());
    match (first, documents.next()) {
        (Some(value), None) => return Some(value),
        (None, None) => {
            let empty = Problem::error("this file is empty", reader.whole());
            reader.report(empty.hint(format!("write {least} into it, or remove it")));
        }
        (_, Some(second)) => {
            let count = tree.documents().len();
            let message = format!("this file holds {count} YAML documents, it must hold one");
            reader.report_error(second.span(), message, "keep one document, without `---`");
        }
    }
    None
}

//! The own file of a service, under edit: as text in which every line ends.

use std::sync::Arc;

use super::refusal::Refusal;
use super::splice::{self, Splice};
use crate::pins::{Tree, Value, parse_file};
use crate::problem::{Place, Problem};

const MARK: &str = "\u{feff}";

/// The file.
#[derive(Debug, Clone)]
pub(super) struct FileEdit {
    pub(super) path: Arc<str>,
    /// What stands there. Its last line ends like the others, whether or not it does in the file.
    pub(super) text: String,
    /// How its lines end.
    pub(super) line_end: &'static str,
    ends: bool,
    before: Option<Vec<u8>>,
}

impl FileEdit {
    /// The file as it is; none is an empty one.
    pub(super) fn new(path: Arc<str>, bytes: Option<&[u8]>) -> Self {
        let mut text = bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        let line_end = if text.split_once('\n').is_some_and(|(line, _)| line.ends_with('\r')) { "\r\n" } else { "\n" };
        let ends = text.is_empty() || text.ends_with('\n');
        if !ends {
            text.push_str(line_end);
        }
        Self { path, text, line_end, ends, before: bytes.map(<[u8]>::to_vec) }
    }

    /// Lets its lines end otherwise.
    pub(super) fn line_ends(&mut self, line_end: &'static str) {
        if self.line_end != line_end {
            self.text = self.text.replace("\r\n", "\n").replace('\n', line_end);
            self.line_end = line_end;
        }
    }

    /// Whether its last line ends in the file too.
    pub(super) fn ends(&self) -> bool {
        self.ends
    }

    /// Reads its one document; none where it holds nothing but comments.
    pub(super) fn root<T>(&self, read: impl FnOnce(Option<Value<'_>>) -> T) -> Result<T, Refusal> {
        self.tree(|tree| read(tree.documents().next().filter(|root| !root.is_null())))
    }

    fn tree<T>(&self, read: impl FnOnce(&Tree<'_>) -> T) -> Result<T, Refusal> {
        parse_file(&self.path, self.text.as_bytes(), read)
    }

    /// Puts texts in place of others.
    pub(super) fn splices(&mut self, splices: Vec<Splice>) -> Result<(), Refusal> {
        let bytes = splice::all(self.text.as_bytes(), splices).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        self.text = text.ok_or_else(|| self.refuse("this file cannot be edited where it would have to be"))?;
        Ok(())
    }

    /// Where the last line of the other file does not end, and what stands there is about to come back, this one does not
    /// end either: its last line end is what stood before it.
    pub(super) fn end_like(&mut self, other: &Self) {
        if self.ends && !other.ends {
            self.ends = false;
            self.text.push_str(self.line_end);
        }
    }

    pub(super) fn refuse(&self, message: impl Into<String>) -> Refusal {
        let problem = Problem::error(message, Place::file(&self.path));
        Box::new(problem.hint("write its keys one to a line, each from the first column on; or edit it by hand"))
    }

    /// Whether it differs from what it was.
    pub(super) fn is_changed(&self) -> bool {
        self.content().as_deref() != self.before.as_deref()
    }

    /// Its path, and its bytes; none where nothing is left of it.
    pub(super) fn finish(self) -> (Arc<str>, Option<Vec<u8>>) {
        let content = self.content();
        (self.path, content)
    }

    fn content(&self) -> Option<Vec<u8>> {
        let text = if self.ends { &self.text } else { self.text.strip_suffix(self.line_end).unwrap_or(&self.text) };
        let empty = text.trim_start_matches(MARK).trim().is_empty();
        (!empty).then(|| text.as_bytes().to_vec())
    }
}

//! A service's own file as editable text. Every line of the text has a line end.

use std::sync::Arc;

use super::refusal::Refusal;
use super::splice::{self, TextSplice};
use crate::pins::{YamlTree, YamlValue, parse_file};
use crate::problem::{FilePlace, Problem};

const MARK: &str = "\u{feff}";

#[derive(Debug, Clone)]
pub(super) struct FileEdit {
    pub(super) path: Arc<str>,
    /// The text with a line end after the last line, even if the file has none there.
    pub(super) text: String,
    pub(super) line_end: &'static str,
    ends: bool,
    before: Option<Vec<u8>>,
}

impl FileEdit {
    /// Creates the edit of a file; `None` stands for a file that does not exist.
    pub(super) fn new(path: Arc<str>, bytes: Option<&[u8]>) -> Self {
        let mut text = bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        let line_end = if text.split_once('\n').is_some_and(|(line, _)| line.ends_with('\r')) { "\r\n" } else { "\n" };
        let ends = text.is_empty() || text.ends_with('\n');
        if !ends {
            text.push_str(line_end);
        }
        Self { path, text, line_end, ends, before: bytes.map(<[u8]>::to_vec) }
    }

    /// Converts all line ends to `line_end`.
    pub(super) fn line_ends(&mut self, line_end: &'static str) {
        if self.line_end != line_end {
            self.text = self.text.replace("\r\n", "\n").replace('\n', line_end);
            self.line_end = line_end;
        }
    }

    /// Returns whether the file itself has a final newline.
    pub(super) fn ends(&self) -> bool {
        self.ends
    }

    /// Passes the root of the only document to `read`, or `None` if the file is empty or has comments only.
    pub(super) fn root<T>(&self, read: impl FnOnce(Option<YamlValue<'_>>) -> T) -> Result<T, Refusal> {
        self.tree(|tree| read(tree.documents().next().filter(|root| !root.is_null())))
    }

    fn tree<T>(&self, read: impl FnOnce(&YamlTree<'_>) -> T) -> Result<T, Refusal> {
        parse_file(&self.path, self.text.as_bytes(), read)
    }

    /// Replaces parts of the text.
    pub(super) fn splices(&mut self, splices: Vec<TextSplice>) -> Result<(), Refusal> {
        let bytes = splice::apply_splices(self.text.as_bytes(), splices).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        self.text = text.ok_or_else(|| self.refuse("this file cannot be edited where it would have to be"))?;
        Ok(())
    }

    /// Drops the final newline if `other` has none. Must be called before the last entry of `other` is restored.
    ///
    /// The final newline of this file may be the end of the line before a removed last entry. It stays as that line's
    /// end: another line end is added, which the output leaves out.
    pub(super) fn end_like(&mut self, other: &Self) {
        if self.ends && !other.ends {
            self.ends = false;
            self.text.push_str(self.line_end);
        }
    }

    pub(super) fn refuse(&self, message: impl Into<String>) -> Refusal {
        let problem = Problem::error(message, FilePlace::whole_file(&self.path));
        Box::new(problem.hint("write its keys one to a line, each from the first column on; or edit it by hand"))
    }

    pub(super) fn is_changed(&self) -> bool {
        self.content().as_deref() != self.before.as_deref()
    }

    /// Returns the path and the new bytes; `None` if only blank text is left, so that the file is to be deleted.
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

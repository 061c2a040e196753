//! Refused edits.

use crate::git::{FileContent, RepoFile};
use crate::problem::{Problem, one_line_message};

/// The problem that prevents an edit, with its place and a hint or a remedy.
pub type Refusal = Box<Problem>;

/// Formats the refusal as one line with its place: `services/x.yaml:3:5: …`.
pub fn in_words(refusal: &Problem, files: &[RepoFile]) -> String {
    let file = files.iter().find(|file| file.path == refusal.place.path).map(|file| &file.content);
    one_line_message(refusal, if let Some(FileContent::Bytes(bytes)) = file { bytes } else { &[] })
}

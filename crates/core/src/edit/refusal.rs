//! Refused edits.

use crate::git::{Content, File};
use crate::problem::{Problem, located};

/// The problem that prevents an edit, with its place and a hint or a remedy.
pub type Refusal = Box<Problem>;

/// Formats the refusal as one line with its place: `services/x.yaml:3:5: …`.
pub fn in_words(refusal: &Problem, files: &[File]) -> String {
    let file = files.iter().find(|file| file.path == refusal.place.path).map(|file| &file.content);
    located(refusal, if let Some(Content::Bytes(bytes)) = file { bytes } else { &[] })
}

//! Why nothing is edited.

use crate::git::{Content, File};
use crate::problem::{Problem, located};

/// Why nothing is edited: what stands in the way, where, and one way out.
pub type Refusal = Box<Problem>;

/// In one line, with the place: `services/x.yaml:3:5: …`.
pub fn in_words(refusal: &Problem, files: &[File]) -> String {
    let file = files.iter().find(|file| file.path == refusal.place.path).map(|file| &file.content);
    located(refusal, if let Some(Content::Bytes(bytes)) = file { bytes } else { &[] })
}

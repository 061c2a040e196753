//! The message of a commit: a subject, a body, trailers by which programs know it again.

use std::fmt::Write as _;

use gix::bstr::ByteSlice as _;
use pintle_core::git::{CommitId, FileChange, content_id};

use super::super::error::unread_commit;
use super::super::object_id::GixId as _;
use super::super::{Source, SourceError};

/// The trailer that tells one change from all others, on whatever commit it lands.
const ID: &str = "Pintle-Id";

/// What a commit says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub subject: String,
    /// Paragraphs.
    pub body: String,
    /// Name and value; the id of the change, by default its [`change_id`], goes to `Pintle-Id`.
    pub trailers: Vec<(&'static str, String)>,
}

impl Message {
    /// With the id of the change, where it has none of its own.
    #[must_use]
    pub fn of_change(mut self, id: &str) -> Self {
        if self.id().is_none() {
            self.trailers.push((ID, id.to_owned()));
        }
        self
    }

    /// What the change is known by, where the message says so.
    pub fn id(&self) -> Option<&str> {
        self.trailers.iter().find(|(name, _)| *name == ID).map(|(_, id)| id.as_str())
    }

    /// As git keeps it.
    pub fn to_text(&self) -> String {
        let mut text = one_line(&self.subject) + "\n";
        if !self.body.trim().is_empty() {
            let _ = writeln!(text, "\n{}", self.body.trim());
        }
        if !self.trailers.is_empty() {
            text.push('\n');
        }
        text + &self.trailers_as_text()
    }

    /// The lines that programs read.
    pub(super) fn trailers_as_text(&self) -> String {
        self.trailers.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "{name}: {}", one_line(value));
            text
        })
    }

    /// Whether a message carries the id of a change.
    fn is_of(text: &str, id: &str) -> bool {
        text.lines().any(|line| line.strip_prefix(ID).and_then(|rest| rest.strip_prefix(": ")) == Some(id))
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// So many commits are looked through for a change.
const LOOKED_THROUGH: usize = 10_000;

impl Source {
    /// The commit that carries the id of a change, among those that `to` has and `from` has not.
    ///
    /// # Errors
    /// A commit cannot be read.
    pub fn find_change(&self, id: &str, from: CommitId, to: CommitId) -> Result<Option<CommitId>, SourceError> {
        let repo = self.repo();
        let fail = |error| unread_commit(to, &self.location, &error);
        let walk = repo.rev_walk([to.object()]).with_hidden([from.object()]).all().map_err(fail)?;
        for found in walk.take(LOOKED_THROUGH) {
            let commit = found.and_then(|found| repo.find_commit(found.id)).map_err(fail)?;
            let message = commit.message_raw().map_err(fail)?;
            if Message::is_of(&message.to_str_lossy(), id) {
                return Ok(Some(CommitId::of(commit.id)));
            }
        }
        Ok(None)
    }
}

/// What a change is known by: the same for the same files on the same tip, so that it is known again where the answer of
/// a push was lost.
pub fn change_id(tip: CommitId, files: &[FileChange]) -> String {
    let mut text = tip.to_hex();
    for FileChange { path, content } in files {
        let blob = content.as_ref().map(|content| content_id(content).to_hex()).unwrap_or_default();
        let _ = write!(text, "\n{path}\0{blob}");
    }
    content_id(text.as_bytes()).to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_subject_paragraphs_and_trailers() {
        let message = Message {
            subject: "Pin\na 1".to_owned(),
            body: "Why.\n".to_owned(),
            trailers: vec![("Pintle-Services", "a".to_owned())],
        };
        let text = message.of_change("ab12").to_text();
        assert_eq!(text, "Pin a 1\n\nWhy.\n\nPintle-Services: a\nPintle-Id: ab12\n");
        assert!(
            Message::is_of(&text, "ab12")
                && !Message::is_of(&text, "ab1")
                && !Message::is_of("x Pintle-Id: ab12", "ab12")
        );
    }
}

//! Commit messages: subject, body, and trailers for programs.

use std::fmt::Write as _;

use gix::bstr::ByteSlice as _;
use pintle_core::git::{CommitId, FileChange, blob_id};

use super::super::error::commit_error;
use super::super::object_id::GixId as _;
use super::super::{Source, SourceError};

/// The trailer that identifies a change, whatever commit it lands on.
const CHANGE_ID_TRAILER: &str = "Pintle-Id";

/// A commit message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitMessage {
    pub subject: String,
    pub body: String,
    /// Names and values. `Pintle-Id` holds the id of the change, by default its [`change_id`].
    pub trailers: Vec<(&'static str, String)>,
}

impl CommitMessage {
    /// Adds the id of the change, unless the message has one.
    #[must_use]
    pub fn with_change_id(mut self, id: &str) -> Self {
        if self.change_id().is_none() {
            self.trailers.push((CHANGE_ID_TRAILER, id.to_owned()));
        }
        self
    }

    /// Returns the id of the change, if the message has one.
    pub fn change_id(&self) -> Option<&str> {
        self.trailers.iter().find(|(name, _)| *name == CHANGE_ID_TRAILER).map(|(_, id)| id.as_str())
    }

    /// Returns the message in git's format.
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

    /// Returns the trailers, one a line.
    pub(super) fn trailers_as_text(&self) -> String {
        self.trailers.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "{name}: {}", one_line(value));
            text
        })
    }

    /// Returns whether a message carries the id of this change.
    fn is_of(text: &str, id: &str) -> bool {
        text.lines()
            .any(|line| line.strip_prefix(CHANGE_ID_TRAILER).and_then(|rest| rest.strip_prefix(": ")) == Some(id))
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The maximum number of commits searched for a change.
const MAX_SEARCHED_COMMITS: usize = 10_000;

impl Source {
    /// Finds the commit with the id of a change among the commits reachable from `to` and not from `from`.
    ///
    /// # Errors
    /// A commit cannot be read.
    pub fn find_commit_of_change(
        &self,
        id: &str,
        from: CommitId,
        to: CommitId,
    ) -> Result<Option<CommitId>, SourceError> {
        let repo = self.repo();
        let fail = |error| commit_error(to, &self.location, &error);
        let walk = repo.rev_walk([to.to_gix()]).with_hidden([from.to_gix()]).all().map_err(fail)?;
        for found in walk.take(MAX_SEARCHED_COMMITS) {
            let commit = found.and_then(|found| repo.find_commit(found.id)).map_err(fail)?;
            let message = commit.message_raw().map_err(fail)?;
            if CommitMessage::is_of(&message.to_str_lossy(), id) {
                return Ok(Some(CommitId::from_gix(commit.id)));
            }
        }
        Ok(None)
    }
}

/// Returns the id of a change: a hash of the tip and the new files. It identifies the change on the remote if the
/// answer to a push was lost.
pub fn change_id(tip: CommitId, files: &[FileChange]) -> String {
    let mut text = tip.to_hex();
    for FileChange { path, content } in files {
        let blob = content.as_ref().map(|content| blob_id(content).to_hex()).unwrap_or_default();
        let _ = write!(text, "\n{path}\0{blob}");
    }
    blob_id(text.as_bytes()).to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_subject_paragraphs_and_trailers() {
        let message = CommitMessage {
            subject: "Pin\na 1".to_owned(),
            body: "Why.\n".to_owned(),
            trailers: vec![("Pintle-Services", "a".to_owned())],
        };
        let text = message.with_change_id("ab12").to_text();
        assert_eq!(text, "Pin a 1\n\nWhy.\n\nPintle-Services: a\nPintle-Id: ab12\n");
        assert!(
            CommitMessage::is_of(&text, "ab12")
                && !CommitMessage::is_of(&text, "ab1")
                && !CommitMessage::is_of("x Pintle-Id: ab12", "ab12")
        );
    }
}

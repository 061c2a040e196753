//! Reverts: what a commit undoes according to its message, and what it undoes according to its files.

use std::sync::Arc;

use pintle_core::change::{UndoClaim, UndoKind, undo_claim};
use pintle_core::git::{CommitId, FileChange};
use pintle_core::rollback::undoes_exactly;

use super::{FileScope, Source, SourceError};

impl Source {
    /// Returns what a commit undoes according to its message. A merge without such a statement inherits it from the
    /// only commit it merges.
    ///
    /// It returns none if a message cannot be read, as may happen in a shallow clone.
    pub fn takes_back(&self, commit: CommitId) -> Option<UndoClaim> {
        let said = |commit| undo_claim(&self.commit_message(commit).ok()?);
        let parent = |of: CommitId, which: &str| Some(self.resolve(&format!("{of}{which}")).ok()?.id);
        let merged = || {
            let (merged, onto) = (parent(commit, "^2")?, parent(commit, "^1")?);
            let is_alone = self.is_ancestor(parent(merged, "^1")?, onto).unwrap_or(false);
            said(merged).filter(|_| is_alone)
        };
        UndoClaim::of_merge(said(commit), merged)
    }

    /// Returns whether the message of a commit, or of the commit that it merges, declares a rollback.
    pub fn is_rollback(&self, commit: CommitId) -> bool {
        self.takes_back(commit).is_some_and(|undo| undo.kind == UndoKind::Rollback)
    }

    /// Returns whether edits revert a commit exactly: each file it changed gets its previous content, and no other file
    /// changes.
    ///
    /// # Errors
    /// The commit or its parent cannot be read.
    pub fn undoes_exactly(&self, edits: &[FileChange], commit: CommitId) -> Result<bool, SourceError> {
        let before = self.resolve(&format!("{commit}~1"))?.id;
        let changed = self.changed_files(before, commit, FileScope::All)?;
        let paths = changed.changed.files.iter().map(|file| &file.path).chain(&changed.removed);
        let mut paths: Vec<Arc<str>> = paths.cloned().collect();
        paths.sort();
        if !edits.iter().map(|file| &file.path).eq(&paths) {
            return Ok(false);
        }
        Ok(undoes_exactly(edits, &paths, &self.files(before, FileScope::Paths(&paths))?.files))
    }
}

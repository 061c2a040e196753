//! What a commit takes back: by its message, and by its files.

use std::sync::Arc;

use pintle_core::change::{Act, Undo, undo};
use pintle_core::git::{CommitId, FileChange};
use pintle_core::rollback::undoes_exactly;

use super::{Scope, Source, SourceError};

impl Source {
    /// Returns what a commit says that it takes back; of a merge that says nothing of that, what the only commit that it
    /// merges says. None where messages cannot be read, which a shallow clone may not have.
    pub fn takes_back(&self, commit: CommitId) -> Option<Undo> {
        let said = |commit| undo(&self.message(commit).ok()?);
        let parent = |of: CommitId, which: &str| Some(self.resolve(&format!("{of}{which}")).ok()?.id);
        let merged = || {
            let (merged, onto) = (parent(commit, "^2")?, parent(commit, "^1")?);
            let is_alone = self.is_ancestor(parent(merged, "^1")?, onto).unwrap_or(false);
            said(merged).filter(|_| is_alone)
        };
        Undo::of_merge(said(commit), merged)
    }

    /// Whether a commit, or the merge that brought it to the branch, says that it is a rollback.
    pub fn is_rollback(&self, commit: CommitId) -> bool {
        self.takes_back(commit).is_some_and(|undo| undo.act == Act::Rollback)
    }

    /// Whether edits undo a commit exactly: every file that it changed becomes what it was before, and no other changes.
    ///
    /// # Errors
    /// The commit or its parent cannot be read.
    pub fn undoes_exactly(&self, edits: &[FileChange], commit: CommitId) -> Result<bool, SourceError> {
        let before = self.resolve(&format!("{commit}~1"))?.id;
        let changed = self.changed(before, commit, Scope::All)?;
        let paths = changed.now.files.iter().map(|file| &file.path).chain(&changed.gone);
        let mut paths: Vec<Arc<str>> = paths.cloned().collect();
        paths.sort();
        if !edits.iter().map(|file| &file.path).eq(&paths) {
            return Ok(false);
        }
        Ok(undoes_exactly(edits, &paths, &self.files(before, Scope::Paths(&paths))?.files))
    }
}

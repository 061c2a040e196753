//! Reads the pins of a commit or of the working tree.

use pintle_core::git::CommitId;
use pintle_core::pins::{Contents, Files, Known, Settings, read_from};

use super::error::Result;
use super::{Scope, Source, SourceError};

impl Source {
    /// Reads the pins below `root` at a commit, or in the working tree if no commit is given. Without a `pintle.yaml`,
    /// the settings `without` apply.
    pub fn contents(&self, root: &str, commit: Option<CommitId>, without: Option<&Settings>) -> Result<Contents> {
        let from = Files::<SourceError> {
            file: &|path| match commit {
                Some(commit) => self.file(commit, path),
                None => self.worktree_file(path),
            },
            wanted: &|layout| match commit {
                Some(commit) => self.files(commit, Scope::Pins(layout)),
                None => self.worktree_files(Scope::Pins(layout)),
            },
            names: &|folder| self.names_below(root, commit, folder),
        };
        read_from(root, &from, without, None)
    }

    /// Reads the pins at a commit incrementally: only the files that changed since the commit `before`, whose content
    /// is `known`.
    pub fn contents_after(
        &self,
        root: &str,
        commit: CommitId,
        (before, known): (CommitId, &Known),
    ) -> Result<Contents> {
        let from = Files::<SourceError> {
            file: &|path| self.file(commit, path),
            wanted: &|layout| {
                if *layout == known.layout
                    && let Some(listing) = known.listing_after(self.changed(before, commit, Scope::Pins(layout))?)
                {
                    return Ok(listing);
                }
                self.files(commit, Scope::Pins(layout))
            },
            names: &|folder| self.names_below(root, Some(commit), folder),
        };
        read_from(root, &from, None, Some(known))
    }

    /// Returns the names in a folder below `root`. They only feed hints, so an unreadable folder yields none.
    fn names_below(&self, root: &str, commit: Option<CommitId>, folder: &str) -> Vec<String> {
        let path = [root, folder].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/");
        let names = match commit {
            Some(commit) => self.names(commit, &path),
            None => self.worktree_names(&path),
        };
        names.unwrap_or_default()
    }
}

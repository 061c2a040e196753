//! Reads the pins of a commit or of the working tree.

use pintle_core::git::CommitId;
use pintle_core::pins::{FileSource, FragmentCache, RevisionContents, Settings, load_revision};

use super::error::SourceResult;
use super::{FileScope, Source, SourceError};

impl Source {
    /// Reads the pins below `root` at a commit, or in the working tree if no commit is given. Without a `pintle.yaml`,
    /// the settings `without` apply.
    pub fn contents(
        &self,
        root: &str,
        commit: Option<CommitId>,
        without: Option<&Settings>,
    ) -> SourceResult<RevisionContents> {
        let from = FileSource::<SourceError> {
            file: &|path| match commit {
                Some(commit) => self.file(commit, path),
                None => self.worktree_file(path),
            },
            listing: &|layout| match commit {
                Some(commit) => self.files(commit, FileScope::Pins(layout)),
                None => self.worktree_files(FileScope::Pins(layout)),
            },
            names: &|folder| self.names_below(root, commit, folder),
        };
        load_revision(root, &from, without, None)
    }

    /// Reads the pins at a commit incrementally: only the files that changed since the commit `before`, whose content
    /// is `known`.
    pub fn contents_after(
        &self,
        root: &str,
        commit: CommitId,
        (before, known): (CommitId, &FragmentCache),
    ) -> SourceResult<RevisionContents> {
        let from = FileSource::<SourceError> {
            file: &|path| self.file(commit, path),
            listing: &|layout| {
                if *layout == known.layout
                    && let Some(listing) =
                        known.listing_after(self.changed_files(before, commit, FileScope::Pins(layout))?)
                {
                    return Ok(listing);
                }
                self.files(commit, FileScope::Pins(layout))
            },
            names: &|folder| self.names_below(root, Some(commit), folder),
        };
        load_revision(root, &from, None, Some(known))
    }

    /// Returns the names in a folder below `root`. They only feed hints, so an unreadable folder yields none.
    fn names_below(&self, root: &str, commit: Option<CommitId>, folder: &str) -> Vec<String> {
        let path = [root, folder].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/");
        let names = match commit {
            Some(commit) => self.names_in_folder(commit, &path),
            None => self.worktree_names(&path),
        };
        names.unwrap_or_default()
    }
}

//! Whether edits have taken a commit back exactly: all that it changed, in whatever file, and nothing else. Only then a
//! message says `This reverts commit …`.

use std::sync::Arc;

use pintle_core::edit::Edited;
use pintle_core::git::{CommitId, Content, FileChange};

use crate::cli::exit::Failure;
use crate::cli::load::Loaded;
use crate::source::Scope;

/// Whether every file that the commit changed has become what it was before, and no other file has changed.
pub(super) fn takes_back(loaded: &Loaded, commit: CommitId, Edited { files, .. }: &Edited) -> Result<bool, Failure> {
    let before = loaded.source.resolve(&format!("{commit}~1"))?.id;
    let taken = loaded.source.changed(before, commit, Scope::All)?;
    let paths = taken.now.files.iter().map(|file| &file.path).chain(&taken.gone);
    let mut paths: Vec<Arc<str>> = paths.cloned().collect();
    paths.sort();
    if !files.iter().map(|file| &file.path).eq(&paths) {
        return Ok(false);
    }
    let was = loaded.source.files(before, Scope::Paths(&paths))?.files;
    let is_as_before = |file: &FileChange| {
        let was = was.binary_search_by(|was| was.path.cmp(&file.path)).ok().map(|at| &was[at].content);
        match (was, &file.content) {
            (Some(Content::Bytes(was)), Some(now)) => was == now,
            (None, None) => true,
            _ => false,
        }
    };
    Ok(files.iter().all(is_as_before))
}

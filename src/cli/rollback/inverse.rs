//! Whether edits take a commit back exactly: all that it changed, in whatever file, and nothing else. Only then a message
//! says `This reverts commit …`.

use std::sync::Arc;

use crate::cli::exit::Failure;
use crate::cli::load::Loaded;
use crate::config::Config;
use crate::edit::{Edit, Edited, edit};
use crate::pins::ServiceName;
use crate::source::{CommitId, Content, FileChange, Scope};

/// Whether the edits make every file that the commit changed what it was before, and change no other file.
pub(super) fn takes_back(
    config: &Config,
    loaded: &Loaded,
    commit: CommitId,
    edits: &[(ServiceName, Edit)],
) -> Result<bool, Failure> {
    let before = loaded.source.resolve(&format!("{commit}~1"))?.id;
    let taken = loaded.source.changed(before, commit, Scope::All)?;
    let paths = taken.now.files.iter().map(|file| &file.path).chain(&taken.gone);
    let mut paths: Vec<Arc<str>> = paths.cloned().collect();
    paths.sort();
    let Ok(Edited { files, .. }) = edit(&loaded.at.said(&config.root), edits) else { return Ok(false) };
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

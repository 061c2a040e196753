//! The commit itself: the tip's tree with other files, nobody refers to it yet.

use std::path::Path;

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, Repository, Tree};

use super::super::FileChange;
use super::Identity;
use super::error::{LandError, Result};

/// Writes the objects of a commit on `tip`.
pub(super) fn commit(
    repo: &Repository,
    (tip, files): (Oid, &[FileChange]),
    message: &str,
    who: &Identity,
) -> Result<Oid> {
    let write = || {
        let parent = repo.find_commit(tip)?;
        let old = parent.tree()?;
        let mut update = TreeUpdateBuilder::new();
        for FileChange { path, content } in files {
            match content {
                Some(content) => update.upsert(&**path, repo.blob(content)?, mode(&old, path)),
                None => update.remove(&**path),
            };
        }
        let tree = repo.find_tree(update.create_updated(repo, &old)?)?;
        repo.commit(None, &who.author()?, &who.committer()?, message, &tree, &[&parent])
    };
    write().map_err(|error| LandError::git("write the commit", &error))
}

/// A file keeps its mode.
fn mode(tree: &Tree<'_>, path: &str) -> FileMode {
    let executable = i32::from(FileMode::BlobExecutable);
    match tree.get_path(Path::new(path)) {
        Ok(entry) if entry.filemode() == executable => FileMode::BlobExecutable,
        _ => FileMode::Blob,
    }
}

/// The first line of a commit's message.
pub(super) fn subject(repo: &Repository, commit: Oid) -> String {
    let commit = repo.find_commit(commit);
    let subject = commit.as_ref().ok().and_then(|commit| String::from_utf8(commit.message_bytes().to_vec()).ok());
    subject.and_then(|message| message.lines().next().map(str::to_owned)).unwrap_or_default()
}

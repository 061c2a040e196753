//! Writes the commit object: the tip's tree with changed files. No ref points to it yet.

use std::collections::HashMap;
use std::path::Path;

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, ObjectType, Oid, Repository, Tree};
use pintle_core::git::FileChange;

use super::CommitIdentity;
use super::error::{LandError, LandResult};

pub(super) fn write_commit(
    repo: &Repository,
    (tip, files): (Oid, &[FileChange]),
    message: &str,
    who: &CommitIdentity,
) -> LandResult<Oid> {
    let write = || {
        let parent = repo.find_commit(tip)?;
        let old = parent.tree()?;
        let objects = repo.odb()?;
        let (mut update, mut folders) = (TreeUpdateBuilder::new(), FolderCache::new());
        for FileChange { path, content } in files {
            match content {
                Some(content) => {
                    // Restored content mostly exists already. Unlike `Repository::blob`, this writes no file then.
                    let blob = objects.write(ObjectType::Blob, content)?;
                    update.upsert(&**path, blob, mode(repo, &old, &mut folders, Path::new(&**path)))
                }
                None => update.remove(&**path),
            };
        }
        let tree = repo.find_tree(update.create_updated(repo, &old)?)?;
        repo.commit(None, &who.author()?, &who.committer()?, message, &tree, &[&parent])
    };
    write().map_err(|error| LandError::from_git("write the commit", &error))
}

/// Cache of folders, because libgit2 does not cache large trees.
type FolderCache<'p, 'r> = HashMap<&'p Path, Option<Tree<'r>>>;

/// Returns the file's mode on the tip.
fn mode<'p, 'r>(repo: &'r Repository, root: &Tree<'r>, folders: &mut FolderCache<'p, 'r>, path: &'p Path) -> FileMode {
    let mut is_executable = || {
        let folder = path.parent()?;
        let read = || root.get_path(folder).ok()?.to_object(repo).ok()?.into_tree().ok();
        let is_root = folder.as_os_str().is_empty();
        let folder = folders.entry(folder).or_insert_with(|| if is_root { Some(root.clone()) } else { read() });
        let entry = folder.as_ref()?.get_name(path.file_name()?.to_str()?)?;
        Some(entry.filemode() == i32::from(FileMode::BlobExecutable))
    };
    if is_executable() == Some(true) { FileMode::BlobExecutable } else { FileMode::Blob }
}

/// Returns the first line of a commit's message.
pub(super) fn commit_subject(repo: &Repository, commit: Oid) -> String {
    let commit = repo.find_commit(commit);
    let subject = commit.as_ref().ok().and_then(|commit| String::from_utf8(commit.message_bytes().to_vec()).ok());
    subject.and_then(|message| message.lines().next().map(str::to_owned)).unwrap_or_default()
}

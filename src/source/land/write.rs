//! The commit itself: the tip's tree with other files, nobody refers to it yet.

use std::collections::HashMap;
use std::path::Path;

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, ObjectType, Oid, Repository, Tree};
use pintle_core::git::FileChange;

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
        let objects = repo.odb()?;
        let (mut update, mut folders) = (TreeUpdateBuilder::new(), Folders::new());
        for FileChange { path, content } in files {
            match content {
                Some(content) => {
                    // What goes back mostly is there already: unlike `Repository::blob`, this writes no file then.
                    let blob = objects.write(ObjectType::Blob, content)?;
                    update.upsert(&**path, blob, mode(repo, &old, &mut folders, Path::new(&**path)))
                }
                None => update.remove(&**path),
            };
        }
        let tree = repo.find_tree(update.create_updated(repo, &old)?)?;
        repo.commit(None, &who.author()?, &who.committer()?, message, &tree, &[&parent])
    };
    write().map_err(|error| LandError::git("write the commit", &error))
}

/// Folders that were read, each once: libgit2 keeps none that is large.
type Folders<'p, 'r> = HashMap<&'p Path, Option<Tree<'r>>>;

/// A file keeps its mode.
fn mode<'p, 'r>(repo: &'r Repository, root: &Tree<'r>, folders: &mut Folders<'p, 'r>, path: &'p Path) -> FileMode {
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

/// The first line of a commit's message.
pub(super) fn subject(repo: &Repository, commit: Oid) -> String {
    let commit = repo.find_commit(commit);
    let subject = commit.as_ref().ok().and_then(|commit| String::from_utf8(commit.message_bytes().to_vec()).ok());
    subject.and_then(|message| message.lines().next().map(str::to_owned)).unwrap_or_default()
}

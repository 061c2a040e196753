//! Reads the files of a commit and the changes between two. Folders outside the scope are not opened.

use std::cmp::Ordering;
use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::ByteSlice as _;
use gix::objs::tree::{EntryKind, EntryRef};
use gix::objs::{FindExt as _, TreeRefIter};
use pintle_core::git::{BlobId, CommitId, FileContent, FileListing, MAX_FILE_BYTES, RepoFile, TreeChanges};
use pintle_core::pins::Layout;
use pintle_core::problem::{FilePlace, Problem, display_safe};
use serde::{Deserialize, Serialize};

use super::Source;
use super::error::{SourceResult, commit_error, object_error};
use super::object_id::GixId as _;

/// The maximum number of tree entries. A maliciously nested tree can name more files than exist; real pin repositories
/// stay far below this.
const MAX_TREE_ENTRIES: usize = 5_000_000;

/// The files to read.
#[derive(Debug, Clone, Copy)]
pub enum FileScope<'a> {
    /// The files that may hold pins. Folders without any are not opened.
    Pins(&'a Layout),
    /// The files of one folder and all folders below it.
    Folder(&'a str),
    /// Exactly these files; the paths must be sorted.
    Paths(&'a [Arc<str>]),
    /// All YAML files, except in hidden folders and in folders of package managers.
    Yaml,
    All,
}

/// A tree entry other than a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TreeEntry {
    pub blob: BlobId,
    pub kind: TreeEntryKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum TreeEntryKind {
    File,
    Symlink,
    Submodule,
}

impl Source {
    /// Returns the files of a commit in a scope, sorted by path.
    pub fn files(&self, commit: CommitId, scope: FileScope<'_>) -> SourceResult<FileListing> {
        Ok(self.changes(None, commit, scope)?.changed)
    }

    /// Returns the files in a scope that differ between two commits.
    pub fn changed_files(&self, from: CommitId, to: CommitId, scope: FileScope<'_>) -> SourceResult<TreeChanges> {
        self.changes(Some(from), to, scope)
    }

    /// Returns one file of a commit; none if the path is missing or a folder.
    pub fn file(&self, commit: CommitId, path: &str) -> SourceResult<Option<RepoFile>> {
        let repo = self.repo();
        let fail = |error| object_error(format!("{path} at {}", commit.short()), &self.location, &error);
        let tree = tree_of(&repo, commit).and_then(|tree| repo.find_tree(tree)).map_err(fail)?;
        let entry = tree.lookup_entry(path.split('/')).map_err(fail)?;
        let leaf = entry.and_then(|entry| {
            Some(TreeEntry { blob: BlobId::from_gix(entry.object_id()), kind: leaf_kind(entry.mode().kind())? })
        });
        leaf.map(|leaf| read(&repo, path, leaf).map_err(fail)).transpose()
    }

    /// Returns the names in a folder of a commit, without those that are not UTF-8. A missing folder has none.
    pub fn names_in_folder(&self, commit: CommitId, folder: &str) -> SourceResult<Vec<String>> {
        let repo = self.repo();
        let names = || {
            let root = tree_of(&repo, commit)?;
            let tree = if folder.is_empty() {
                Some(root)
            } else {
                let entry = repo.find_tree(root)?.lookup_entry(folder.split('/'))?;
                entry.filter(|entry| entry.mode().is_tree()).map(|entry| entry.object_id())
            };
            let mut buffer = Vec::new();
            let names = entries(&repo, tree, &mut buffer)?.into_iter().map(|entry| entry.filename.to_str());
            Ok(names.filter_map(|name| name.ok().map(str::to_owned)).collect())
        };
        names().map_err(|error| object_error(format!("{folder} at {}", commit.short()), &self.location, &error))
    }

    /// Returns the paths of a commit in a scope with their object ids, without reading the contents.
    pub(super) fn tree_entries(
        &self,
        commit: CommitId,
        scope: FileScope<'_>,
    ) -> SourceResult<Vec<(String, TreeEntry)>> {
        let repo = self.repo();
        let fail = |error| commit_error(commit, &self.location, &error);
        let tree = tree_of(&repo, commit).map_err(fail)?;
        let mut leaves = Vec::new();
        let visit = |path: &[u8], leaf: Option<TreeEntry>| {
            let path = path.to_str().ok().filter(|path| scope.includes(path));
            leaves.extend(path.zip(leaf).map(|(path, leaf)| (path.to_owned(), leaf)));
        };
        visit_differences(&repo, None, Some(tree), scope, visit).map_err(fail)?;
        Ok(leaves)
    }

    fn changes(&self, from: Option<CommitId>, to: CommitId, scope: FileScope<'_>) -> SourceResult<TreeChanges> {
        let repo = self.repo();
        let fail = |error| commit_error(to, &self.location, &error);
        let old = from.map(|from| tree_of(&repo, from)).transpose().map_err(fail)?;
        let new = tree_of(&repo, to).map_err(fail)?;
        let mut changes = TreeChanges::default();
        let mut failed = Ok(());
        let visit = |path: &[u8], leaf: Option<TreeEntry>| match (path.to_str(), leaf) {
            _ if failed.is_err() => {}
            (Err(_), Some(_)) => changes.changed.problems.push(not_utf8(path)),
            (Ok(path), Some(leaf)) if scope.includes(path) => match read(&repo, path, leaf) {
                Ok(file) => changes.changed.files.push(file),
                Err(error) => failed = Err(object_error(format!("{path} at {}", to.short()), &self.location, &error)),
            },
            (Ok(path), None) if scope.includes(path) => changes.removed.push(path.into()),
            (Ok(_), _) | (Err(_), None) => {}
        };
        visit_differences(&repo, old, Some(new), scope, visit).map_err(fail)?;
        failed?;
        changes.changed.files.sort_by(|a, b| a.path.cmp(&b.path));
        changes.removed.sort();
        Ok(changes)
    }
}

/// Builds the warning about a path that is not UTF-8, which no pattern can match.
pub(super) fn not_utf8(path: &[u8]) -> Problem {
    let shown: Arc<str> = display_safe(&path.to_str_lossy(), 200).into();
    Problem::warning("the path is not UTF-8, so the file is left out", FilePlace::whole_file(&shown)).hint("rename it")
}

/// Returns the root tree of a commit.
pub(super) fn tree_of(repo: &gix::Repository, commit: CommitId) -> gix::Result<ObjectId> {
    let mut buffer = Vec::new();
    repo.objects.find_commit_iter(&commit.to_gix(), &mut buffer)?.tree_id()
}

/// Reads one file. An object above the memory limit counts as too large, like one above [`FILE_LIMIT`].
pub(super) fn read(repo: &gix::Repository, path: &str, leaf: TreeEntry) -> gix::Result<RepoFile> {
    let content = match leaf.kind {
        TreeEntryKind::Symlink => FileContent::Symlink,
        TreeEntryKind::Submodule => FileContent::Submodule,
        TreeEntryKind::File => {
            let mut buffer = Vec::new();
            match repo.objects.find_blob(&leaf.blob.to_gix(), &mut buffer).map(|blob| blob.data.len() as u64) {
                Ok(size) if size > MAX_FILE_BYTES => FileContent::TooLarge(size),
                Ok(_) => FileContent::Bytes(buffer.into()),
                Err(error) if error.is_resource_exhausted() => {
                    FileContent::TooLarge(repo.find_header(leaf.blob.to_gix())?.size())
                }
                Err(error) => return Err(error),
            }
        }
    };
    Ok(RepoFile { path: path.into(), blob: leaf.blob, content })
}

/// Calls `visit` for each path that differs between two root trees, with its new entry.
///
/// Only the root and the folders of the scope are opened, and of these only the ones whose ids differ.
pub(super) fn visit_differences(
    repo: &gix::Repository,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    scope: FileScope<'_>,
    mut visit: impl FnMut(&[u8], Option<TreeEntry>),
) -> gix::Result<()> {
    let mut pending = vec![(Vec::new(), old, new)];
    let (mut old_buffer, mut new_buffer) = (Vec::new(), Vec::new());
    let mut left = MAX_TREE_ENTRIES;
    while let Some((folder, old, new)) = pending.pop() {
        if old == new {
            continue;
        }
        let mut old = entries(repo, old, &mut old_buffer)?.into_iter().peekable();
        let mut new = entries(repo, new, &mut new_buffer)?.into_iter().peekable();
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some(old), Some(new)) => old.cmp(new),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            let before = if order.is_le() { old.next() } else { None };
            let after = if order.is_ge() { new.next() } else { None };
            let Some(name) = after.or(before).map(|entry| entry.filename) else { break };
            if same(before, after) {
                continue;
            }
            left = left.checked_sub(1).ok_or_else(|| {
                gix::Error::from_error(std::io::Error::other(format!("more than {MAX_TREE_ENTRIES} files and folders")))
            })?;
            let path = join(&folder, name);
            let (old_tree, new_tree) = (subtree(before), subtree(after));
            if (old_tree.is_some() || new_tree.is_some()) && path.to_str().is_ok_and(|path| scope.may_contain(path)) {
                pending.push((path.clone(), old_tree, new_tree));
            }
            let leaf = after.and_then(leaf);
            if leaf.is_some() || before.and_then(self::leaf).is_some() {
                visit(&path, leaf);
            }
        }
    }
    Ok(())
}

/// Returns the entries of a folder; none if there is no folder.
fn entries<'a>(
    repo: &gix::Repository,
    tree: Option<ObjectId>,
    buffer: &'a mut Vec<u8>,
) -> gix::Result<Vec<EntryRef<'a>>> {
    let Some(tree) = tree else { return Ok(Vec::new()) };
    let iter: TreeRefIter<'a> = repo.objects.find_tree_iter(&tree, buffer)?;
    iter.collect()
}

fn same(before: Option<EntryRef<'_>>, after: Option<EntryRef<'_>>) -> bool {
    before.zip(after).is_some_and(|(before, after)| {
        before.oid == after.oid && leaf_kind(before.mode.kind()) == leaf_kind(after.mode.kind())
    })
}

fn subtree(entry: Option<EntryRef<'_>>) -> Option<ObjectId> {
    entry.filter(|entry| entry.mode.is_tree()).map(|entry| entry.oid.to_owned())
}

fn leaf(entry: EntryRef<'_>) -> Option<TreeEntry> {
    leaf_kind(entry.mode.kind()).map(|kind| TreeEntry { blob: BlobId::from_gix(entry.oid.to_owned()), kind })
}

fn leaf_kind(kind: EntryKind) -> Option<TreeEntryKind> {
    match kind {
        EntryKind::Tree => None,
        EntryKind::Blob | EntryKind::BlobExecutable => Some(TreeEntryKind::File),
        EntryKind::Link => Some(TreeEntryKind::Symlink),
        EntryKind::Commit => Some(TreeEntryKind::Submodule),
    }
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(folder.len() + 1 + name.len());
    path.extend_from_slice(folder);
    if !folder.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

impl FileScope<'_> {
    pub(super) fn includes(self, path: &str) -> bool {
        match self {
            Self::Pins(layout) => layout.may_hold_pins(path),
            Self::Folder(folder) => within(path, folder),
            Self::Paths(paths) => paths.binary_search_by(|it| (**it).cmp(path)).is_ok(),
            Self::Yaml => is_yaml(path),
            Self::All => true,
        }
    }

    /// Returns whether a file of the scope may lie below this folder.
    pub(super) fn may_contain(self, path: &str) -> bool {
        match self {
            Self::Pins(layout) => layout.may_hold_pins_below(path),
            Self::Folder(folder) => within(path, folder) || within(folder, path),
            Self::Paths(paths) => {
                let inside = format!("{path}/");
                let first = paths.get(paths.partition_point(|it| **it < *inside));
                first.is_some_and(|it| it.starts_with(&inside))
            }
            Self::Yaml => path.split('/').all(|part| !part.starts_with('.') && part != "node_modules"),
            Self::All => true,
        }
    }
}

/// Returns whether a file is YAML by its name. Kustomize also reads `Kustomization`, without an extension.
fn is_yaml(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    matches!(file.rsplit_once('.'), Some((_, "yaml" | "yml"))) || file == "Kustomization"
}

fn within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || outer.is_empty())
}

#[cfg(test)]
mod tests {
    use super::FileScope;

    #[test]
    fn only_folders_that_matter_are_opened() {
        let scope = FileScope::Folder("charts/pins");
        for yes in ["charts", "charts/pins", "charts/pins/a"] {
            assert!(scope.may_contain(yes), "{yes}");
        }
        for no in ["chart", "charts/pinsel", "docs"] {
            assert!(!scope.may_contain(no), "{no}");
        }
        assert!(scope.includes("charts/pins/a") && !scope.includes("charts/pinsel/a") && !scope.includes("charts"));
        let paths = ["a-b", "a.yaml", "a/b/c.yaml", "b"].map(Into::into);
        let scope = FileScope::Paths(&paths);
        assert!(["a", "a/b"].map(|it| scope.may_contain(it)) == [true, true]);
        assert!(["a-b", "b", "a/c", ""].map(|it| scope.may_contain(it)) == [false; 4]);
        assert!(scope.includes("a/b/c.yaml") && !scope.includes("a/b") && !scope.includes("c"));
        assert!(FileScope::All.may_contain("anything") && FileScope::Folder("").includes("anything"));
    }
}

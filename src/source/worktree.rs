//! The working tree, for `pintle check` and for uncommitted changes. Untracked files count, and symbolic links are not
//! followed.
#![expect(clippy::disallowed_methods, reason = "this room reads the disk")]

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::sync::Arc;

use gix::bstr::ByteSlice as _;
use gix::path::os_str_into_bstr;
use pintle_core::git::{BlobId, FileContent, FileListing, MAX_FILE_BYTES, RepoFile, blob_id};
use pintle_core::problem::{FilePlace, Problem};

use super::error::SourceResult;
use super::tree::{FileScope, TreeEntryKind, not_utf8};
use super::{Source, SourceError};

impl Source {
    /// Returns the files of the working tree in a scope, sorted by path.
    pub fn worktree_files(&self, scope: FileScope<'_>) -> SourceResult<FileListing> {
        let root = self.root()?;
        let mut listing = FileListing::default();
        let mut pending = vec![String::new()];
        while let Some(folder) = pending.pop() {
            let path = root.join(&folder);
            let entries = match std::fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(error) => return Err(SourceError::File { attempt: "read the folder", path, error }),
            };
            for entry in entries {
                let entry = entry.map_err(|error| SourceError::File { attempt: "read", path: path.clone(), error })?;
                let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                    let name = entry.file_name();
                    listing.problems.extend(os_str_into_bstr(&name).ok().map(|name| not_utf8(name)));
                    continue;
                };
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                let kind = entry.file_type().map(|kind| (kind.is_dir(), scope.includes(&path)));
                match kind {
                    _ if name.eq_ignore_ascii_case(".git") => {}
                    Ok((true, _)) if !scope.may_contain(&path) => {}
                    // Files of a nested repository do not belong to this one.
                    Ok((true, _)) if entry.path().join(".git").exists() => {}
                    Ok((true, _)) => pending.push(path),
                    Ok((false, false)) => {}
                    Ok((false, true)) | Err(_) => add(&mut listing, root, &path),
                }
            }
        }
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(listing)
    }

    /// Returns one file of the working tree; none if the path is missing or a folder.
    pub fn worktree_file(&self, path: &str) -> SourceResult<Option<RepoFile>> {
        let root = self.root()?;
        if root.join(path).symlink_metadata().map_or(true, |found| found.is_dir()) {
            return Ok(None);
        }
        let read = read(root, path);
        read.map(Some).map_err(|error| SourceError::File { attempt: "read", path: root.join(path), error })
    }

    /// Returns the names in a folder of the working tree, without those that are not UTF-8.
    pub fn worktree_names(&self, folder: &str) -> SourceResult<Vec<String>> {
        let path = self.root()?.join(folder);
        let fail = |error| SourceError::File { attempt: "read the folder", path: path.clone(), error };
        let entries = std::fs::read_dir(&path).map_err(fail)?;
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    /// Returns the paths in a scope where the working tree differs from HEAD: changed, new or deleted.
    pub fn dirty_paths(&self, scope: FileScope<'_>) -> SourceResult<Vec<Arc<str>>> {
        let here = self.worktree_files(scope)?.files;
        let committed = match self.tip(None) {
            Ok(head) => self.tree_entries(head.id, scope)?,
            Err(SourceError::Empty { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut committed: BTreeMap<_, _> = committed.into_iter().collect();
        let mut dirty = Vec::new();
        for file in here {
            let leaf = committed.remove(file.path.as_ref());
            if !leaf.is_some_and(|leaf| is_checkout_of(&file, leaf.blob)) {
                dirty.push(file.path);
            }
        }
        let gone = committed.into_iter().filter(|(_, leaf)| leaf.kind != TreeEntryKind::Submodule);
        dirty.extend(gone.map(|(path, _)| Arc::from(path)));
        dirty.sort();
        Ok(dirty)
    }

    fn root(&self) -> SourceResult<&Path> {
        self.worktree().ok_or_else(|| SourceError::NoWorktree { location: self.location.to_string() })
    }
}

fn add(listing: &mut FileListing, root: &Path, path: &str) {
    match read(root, path) {
        Ok(file) => listing.files.push(file),
        // A socket, or a file deleted since the folder was read.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {}
        Err(error) => {
            let problem = Problem::error(format!("cannot read the file: {error}"), FilePlace::whole_file(&path.into()));
            listing.problems.push(problem.hint("look at its permissions"));
        }
    }
}

fn read(root: &Path, path: &str) -> std::io::Result<RepoFile> {
    let file = root.join(path);
    let metadata = file.symlink_metadata()?;
    let (blob, content) = if metadata.is_symlink() {
        let target = std::fs::read_link(&file)?;
        (blob_id(target.as_os_str().as_encoded_bytes()), FileContent::Symlink)
    } else if !metadata.is_file() {
        return Err(ErrorKind::Unsupported.into());
    } else if metadata.len() > MAX_FILE_BYTES {
        // Ids must be equal only for equal contents, so this one is unique to the path and size.
        (blob_id(format!("{path}\0{}", metadata.len()).as_bytes()), FileContent::TooLarge(metadata.len()))
    } else {
        // One spare byte lets the second read detect the end.
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
        std::fs::File::open(&file)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
        (blob_id(&bytes), FileContent::Bytes(bytes.into()))
    };
    Ok(RepoFile { path: path.into(), blob, content })
}

/// Returns whether a file equals the committed one, also if git converted LF to CRLF at checkout.
fn is_checkout_of(file: &RepoFile, committed: BlobId) -> bool {
    let FileContent::Bytes(bytes) = &file.content else { return file.blob == committed };
    file.blob == committed || bytes.contains_str("\r\n") && blob_id(&bytes.replace("\r\n", "\n")) == committed
}

//! Opens repositories with isolated configuration.

use std::path::{Path, PathBuf};

use gix::sec::Trust;

use super::SourceError;
use super::error::{SourceResult, gix_error_text};

/// The memory limit for one object, in bytes. It exceeds [`super::FILE_LIMIT`] because trees may be larger than files.
const MAX_OBJECT_BYTES: usize = 64 << 20;

/// The memory limit for one object of a received pack, in bytes.
const MAX_RECEIVED_OBJECT_BYTES: usize = 2 << 30;

/// Returns the root of the repository around a folder: its working tree, or the repository itself if it is bare.
pub fn find_root(start: &Path) -> SourceResult<PathBuf> {
    let none = |_| SourceError::NoRepository { path: start.to_owned() };
    let start = std::path::absolute(start).map_err(|_| SourceError::NoRepository { path: start.to_owned() })?;
    let (found, _) = gix::discover::upwards(&start).map_err(none)?;
    let (git_dir, worktree) = found.into_repository_and_work_tree_directories();
    Ok(worktree.unwrap_or(git_dir))
}

/// Opens a repository with only its own configuration. No program it configures is ever run.
pub(super) fn open_isolated(path: &Path) -> SourceResult<gix::ThreadSafeRepository> {
    open_with(path, MAX_OBJECT_BYTES)
}

/// Opens a repository for receiving.
pub(super) fn open_to_receive(path: &Path) -> SourceResult<gix::Repository> {
    open_with(path, MAX_RECEIVED_OBJECT_BYTES).map(|shared| shared.to_thread_local())
}

fn open_with(path: &Path, limit: usize) -> SourceResult<gix::ThreadSafeRepository> {
    let limit = format!("gitoxide.objects.allocLimit={limit}");
    let options = gix::open::Options::isolated()
        // Volumes in containers belong to other users. Git's ownership check only guards programs in the configuration,
        // which never run here.
        .with(Trust::Full)
        .config_overrides([limit.as_str(), "gitoxide.objects.noReplace=true"]);
    options.open(path).map_err(|error| {
        let why = gix_error_text(&error);
        if why.contains("sha256") {
            SourceError::ObjectFormat { path: path.to_owned() }
        } else {
            SourceError::Open { path: path.to_owned(), why }
        }
    })
}

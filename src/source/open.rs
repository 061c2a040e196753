//! Opens the folder of a repository, with nothing of what it or others configure.

use std::path::{Path, PathBuf};

use gix::sec::Trust;

use super::SourceError;
use super::error::{Result, say};

/// One object may need this much memory. It is more than [`super::FILE_LIMIT`], so that folders may be larger.
const OBJECT_LIMIT: usize = 64 << 20;

/// What one object of a pack may need in memory while it is received.
const RECEIVE_LIMIT: usize = 2 << 30;

/// The repository around a folder: its working tree, or itself where it is bare.
pub fn find_root(start: &Path) -> Result<PathBuf> {
    let none = |_| SourceError::NoRepository { path: start.to_owned() };
    let start = std::path::absolute(start).map_err(|_| SourceError::NoRepository { path: start.to_owned() })?;
    let (found, _) = gix::discover::upwards(&start).map_err(none)?;
    let (git_dir, worktree) = found.into_repository_and_work_tree_directories();
    Ok(worktree.unwrap_or(git_dir))
}

/// Opens a folder with nothing but its own configuration, of which nothing is ever run.
pub(super) fn open(path: &Path) -> Result<gix::ThreadSafeRepository> {
    open_with(path, OBJECT_LIMIT)
}

/// The same, for what receives.
pub(super) fn open_to_receive(path: &Path) -> Result<gix::Repository> {
    open_with(path, RECEIVE_LIMIT).map(|shared| shared.to_thread_local())
}

fn open_with(path: &Path, limit: usize) -> Result<gix::ThreadSafeRepository> {
    let limit = format!("gitoxide.objects.allocLimit={limit}");
    let options = gix::open::Options::isolated()
        // A volume in a container belongs to somebody else; ownership only guards what the configuration could run.
        .with(Trust::Full)
        .config_overrides([limit.as_str(), "gitoxide.objects.noReplace=true"]);
    options.open(path).map_err(|error| {
        let why = say(&error);
        if why.contains("sha256") {
            SourceError::ObjectFormat { path: path.to_owned() }
        } else {
            SourceError::Open { path: path.to_owned(), why }
        }
    })
}

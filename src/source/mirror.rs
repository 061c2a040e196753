//! The bare mirror of a remote in the cache. It can be deleted at any time and is never trusted.
//!
//! One process at a time changes it; all may read it. An unreadable mirror is fetched again into a second folder, and
//! the old one stays readable until that is complete.
#![expect(clippy::disallowed_methods, reason = "this room keeps the cache, and notes when the remote was reached")]

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gix::ThreadSafeRepository;
use jiff::Timestamp;

use super::error::{SourceResult, gix_error_text};
use super::open::open_to_receive;
use super::remote::{FetchFailure, RemoteFetcher};
use super::{Access, RemoteUrl, RepositoryLocation, SourceError, open as opened};

/// The maximum number of packs. Every fetch adds one, and each slows down all reads.
const MAX_PACKS_BEFORE_GC: usize = 50;

/// The file in the mirror that records the last successful contact.
pub(super) const LAST_REACHED_FILE: &str = "pintle-reached";

/// Opens the mirror of a remote. A missing or unreadable mirror becomes an empty one.
pub(super) fn open(location: &RepositoryLocation, access: &Access) -> SourceResult<ThreadSafeRepository> {
    let path = folder(location, access);
    // Only writing needs the lock; another process may be fetching for minutes.
    opened::open_isolated(&path).or_else(|_| {
        let _lock = lock(&path, access.answer_within)?;
        opened::open_isolated(&path).or_else(|_| init(&path))
    })
}

pub(super) struct RemoteMirror<'a> {
    pub(super) url: &'a RemoteUrl,
    pub(super) access: &'a Access,
    pub(super) path: PathBuf,
}

impl RemoteMirror<'_> {
    /// Fetches into the mirror, and compacts it.
    pub(super) fn update(&self, branch: Option<&str>) -> SourceResult<(), FetchFailure> {
        self.sync(&self.path, branch)?;
        if packs(&self.path) > MAX_PACKS_BEFORE_GC && !collect_garbage(&self.path) {
            return self.renew(branch);
        }
        Ok(())
    }

    /// Fetches everything into a new folder, which then replaces the mirror.
    pub(super) fn renew(&self, branch: Option<&str>) -> SourceResult<(), FetchFailure> {
        let (new, old) = (self.path.with_extension("new"), self.path.with_extension("old"));
        let local = |error: SourceError| FetchFailure::Damaged(error.to_string());
        init(&new).map_err(local)?;
        self.sync(&new, branch)?;
        let swap = discard(&old)
            .and_then(|()| if self.path.exists() { std::fs::rename(&self.path, &old) } else { Ok(()) })
            .and_then(|()| std::fs::rename(&new, &self.path))
            .and_then(|()| discard(&old));
        swap.map_err(|error| FetchFailure::Damaged(format!("cannot replace {}: {error}", self.path.display())))
    }

    /// Lists the remote's branch, and fetches it if it moved.
    fn sync(&self, path: &Path, branch: Option<&str>) -> SourceResult<(), FetchFailure> {
        let damaged = |error: gix::Error| FetchFailure::Damaged(gix_error_text(&error));
        let local = |error: std::io::Error| FetchFailure::Damaged(format!("cannot write {}: {error}", path.display()));
        let repo = open_to_receive(path).map_err(|error| FetchFailure::Damaged(error.to_string()))?;
        let remote = RemoteFetcher { repo: &repo, url: self.url, access: self.access };
        let answer = remote.find_branch(branch)?;
        let full = format!("refs/heads/{}", answer.branch);
        let here = repo.try_find_reference(full.as_str()).map_err(damaged)?;
        if here.and_then(|here| here.try_id().map(gix::Id::detach)) != Some(answer.tip) {
            sweep(path);
            remote.receive(&answer.branch)?;
        }
        // A mirror that lost its objects may still have its refs.
        let tip =
            repo.find_reference(full.as_str()).and_then(|mut tip| tip.peel_to_commit()?.tree()).map_err(damaged)?;
        tracing::debug!(tree = %tip.id, branch = %answer.branch, "the mirror is up to date");
        if branch.is_none() {
            replace(&path.join("HEAD"), &format!("ref: {full}\n")).map_err(local)?;
        }
        replace(&path.join(LAST_REACHED_FILE), &Timestamp::now().to_string()).map_err(local)
    }
}

/// Returns the mirror's folder in the cache.
pub(super) fn folder(location: &RepositoryLocation, access: &Access) -> PathBuf {
    access.cache.join("mirror").join(location.cache_folder_name() + ".git")
}

/// Creates an empty repository and discards whatever the folder held.
pub(super) fn init(path: &Path) -> SourceResult<ThreadSafeRepository> {
    let fail = |error| SourceError::File { attempt: "replace", path: path.to_owned(), error };
    discard(path).map_err(fail)?;
    std::fs::create_dir_all(path).map_err(fail)?;
    let options = gix::open::Options::isolated();
    ThreadSafeRepository::init_opts(path, gix::create::Kind::Bare, gix::create::Options::default(), options)
        .map_err(|error| SourceError::Open { path: path.to_owned(), why: gix_error_text(&error) })?;
    opened::open_isolated(path)
}

fn discard(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => std::fs::remove_file(path),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Replaces a file atomically.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("pintle-new");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, path)
}

/// Locks the mirror against other processes while the returned file is open. The system releases the lock of a killed
/// process.
pub(super) fn lock(mirror: &Path, patience: Duration) -> SourceResult<File> {
    let path = mirror.with_extension("lock");
    let fail = |error| SourceError::File { attempt: "lock", path: path.clone(), error };
    std::fs::create_dir_all(mirror.parent().unwrap_or(mirror)).map_err(fail)?;
    let file = File::options().create(true).write(true).truncate(false).open(&path).map_err(fail)?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => return Err(SourceError::Locked { path }),
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
    }
}

/// Removes the leftovers of a process killed during a fetch: stale ref locks and partial or unreferenced packs. Call it
/// only under the mirror's lock.
fn sweep(mirror: &Path) {
    let mut folders = vec![mirror.join("refs"), mirror.join("objects/pack")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let ends = |end: &str| path.extension().is_some_and(|it| it == end);
            if path.is_dir() {
                folders.push(path);
            } else if ends("lock") || ends("keep") || name.to_string_lossy().starts_with(".tmp") {
                // If it cannot be removed, the fetch reports an error.
                let _ = std::fs::remove_file(path);
            }
        }
    }
    let _ = std::fs::remove_file(mirror.join("packed-refs.lock"));
}

fn packs(path: &Path) -> usize {
    let entries = std::fs::read_dir(path.join("objects/pack")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "pack")).count()
}

/// Runs `git gc` without user or system configuration. Returns false if git is missing or fails.
fn collect_garbage(path: &Path) -> bool {
    let status = Command::new("git")
        .arg("--git-dir")
        .arg(path)
        .args(["gc", "--quiet"])
        .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

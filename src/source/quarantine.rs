//! A separate repository inside a clone for received objects, as git quarantines pushes until they are complete. A
//! killed process leaves no lock in the clone, and git removes the leftovers.
#![expect(clippy::disallowed_methods, reason = "this room writes into clones")]

use std::fs::File;
use std::io::{Error, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use pintle_core::git::CommitId;

use super::error::SourceResult;
use super::{SourceError, mirror, open};

/// A repository that shares the clone's objects and has the same shallow boundary.
pub(super) struct Quarantine {
    path: PathBuf,
    objects: PathBuf,
    /// The file of the clone's shallow boundary.
    shallow: PathBuf,
    /// Its content at the start.
    shallow_before: Option<Vec<u8>>,
}

impl Quarantine {
    /// Creates a quarantine. `tip` is advertised to the remote as present.
    pub(super) fn create(clone: &gix::Repository, tip: CommitId) -> SourceResult<Self> {
        let common = std::path::absolute(clone.common_dir()).map_err(failed("look for", clone.common_dir()))?;
        let objects = common.join("objects");
        // `git prune` removes folders with this prefix.
        let path = objects.join(format!("tmp_objdir-pintle-{}", std::process::id()));
        let shallow = common.join("shallow");
        let before = content(&shallow)?;
        mirror::init(&path)?;
        let new = Self { path, objects, shallow, shallow_before: before };
        new.write("objects/info/alternates", format!("{}\n", new.objects.display()).as_bytes())?;
        new.write("refs/heads/here", format!("{tip}\n").as_bytes())?;
        new.shallow_before.as_ref().map_or(Ok(()), |before| new.write("shallow", before))?;
        Ok(new)
    }

    pub(super) fn open(&self) -> SourceResult<gix::Repository> {
        open::open_to_receive(&self.path)
    }

    /// Moves the received packs into the clone and updates its shallow boundary.
    pub(super) fn migrate(self) -> SourceResult<()> {
        let (from, to) = (self.path.join("objects/pack"), self.objects.join("pack"));
        let entries = std::fs::read_dir(&from).map_err(failed("read the folder", &from))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        // A pack becomes visible through its index, so the index is moved last.
        files.sort_by_key(|file| file.extension().is_some_and(|end| end == "idx"));
        for file in files {
            let target = to.join(file.file_name().unwrap_or_default());
            std::fs::rename(&file, &target).map_err(failed("move to its place", &file))?;
        }
        let now = content(&self.path.join("shallow"))?;
        if now == self.shallow_before { Ok(()) } else { self.write_shallow_file(now.as_deref()) }
    }

    /// Updates the shallow boundary under git's own lock, if nobody else has changed it.
    fn write_shallow_file(&self, now: Option<&[u8]>) -> SourceResult<()> {
        let lock = self.shallow.with_extension("lock");
        let file = File::options().write(true).create_new(true).open(&lock).map_err(failed("lock", &lock))?;
        let change = || {
            if content(&self.shallow)? != self.shallow_before {
                return Err(failed("change", &self.shallow)(Error::other("somebody else has changed it meanwhile")));
            }
            let changed = match now {
                // Renaming the lock file publishes it.
                Some(now) => (&file).write_all(now).and_then(|()| std::fs::rename(&lock, &self.shallow)),
                None => std::fs::remove_file(&self.shallow).and_then(|()| std::fs::remove_file(&lock)),
            };
            changed.map_err(failed("change", &self.shallow))
        };
        change().inspect_err(|_| drop(std::fs::remove_file(&lock)))
    }

    fn write(&self, file: &str, content: &[u8]) -> SourceResult<()> {
        let path = self.path.join(file);
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, content)).map_err(failed("write", &path))
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Returns a file's content; none if it does not exist.
fn content(path: &Path) -> SourceResult<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(Error) -> SourceError {
    move |error| SourceError::File { attempt, path: path.to_owned(), error }
}

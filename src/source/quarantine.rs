//! What a clone receives beside its branches arrives in a repository of its own within the clone, as git keeps pushes apart
//! until they are whole. So whoever is killed meanwhile leaves no lock in the clone, and what is left is tidied up by git.
#![expect(clippy::disallowed_methods, reason = "this room writes into clones")]

use std::fs::File;
use std::io::{Error, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use pintle_core::git::CommitId;

use super::error::Result;
use super::{SourceError, mirror, open};

/// A repository that has all that a clone has, and begins where that does.
pub(super) struct Quarantine {
    path: PathBuf,
    /// The folder of the clone's objects.
    objects: PathBuf,
    /// The file that says where the clone begins.
    shallow: PathBuf,
    /// What it said.
    before: Option<Vec<u8>>,
}

impl Quarantine {
    /// `tip` is what the other end may count on.
    pub(super) fn of(clone: &gix::Repository, tip: CommitId) -> Result<Self> {
        let common = std::path::absolute(clone.common_dir()).map_err(failed("look for", clone.common_dir()))?;
        let objects = common.join("objects");
        // By such a name `git prune` knows what nobody needs any more.
        let path = objects.join(format!("tmp_objdir-pintle-{}", std::process::id()));
        let shallow = common.join("shallow");
        let before = content(&shallow)?;
        mirror::init(&path)?;
        let new = Self { path, objects, shallow, before };
        new.write("objects/info/alternates", format!("{}\n", new.objects.display()).as_bytes())?;
        new.write("refs/heads/here", format!("{tip}\n").as_bytes())?;
        new.before.as_ref().map_or(Ok(()), |before| new.write("shallow", before))?;
        Ok(new)
    }

    pub(super) fn open(&self) -> Result<gix::Repository> {
        open::open_to_receive(&self.path)
    }

    /// The clone has what has arrived, and begins where this does by now.
    pub(super) fn take_over(self) -> Result<()> {
        let (from, to) = (self.path.join("objects/pack"), self.objects.join("pack"));
        let entries = std::fs::read_dir(&from).map_err(failed("read the folder", &from))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        // A pack is seen by its index, which therefore comes last.
        files.sort_by_key(|file| file.extension().is_some_and(|end| end == "idx"));
        for file in files {
            let target = to.join(file.file_name().unwrap_or_default());
            std::fs::rename(&file, &target).map_err(failed("move to its place", &file))?;
        }
        let now = content(&self.path.join("shallow"))?;
        if now == self.before { Ok(()) } else { self.begin_at(now.as_deref()) }
    }

    /// Under the lock that git takes, and only where nobody else has changed it.
    fn begin_at(&self, now: Option<&[u8]>) -> Result<()> {
        let lock = self.shallow.with_extension("lock");
        let file = File::options().write(true).create_new(true).open(&lock).map_err(failed("lock", &lock))?;
        let change = || {
            if content(&self.shallow)? != self.before {
                return Err(failed("change", &self.shallow)(Error::other("somebody else has changed it meanwhile")));
            }
            let changed = match now {
                // The lock becomes the file itself.
                Some(now) => (&file).write_all(now).and_then(|()| std::fs::rename(&lock, &self.shallow)),
                None => std::fs::remove_file(&self.shallow).and_then(|()| std::fs::remove_file(&lock)),
            };
            changed.map_err(failed("change", &self.shallow))
        };
        change().inspect_err(|_| drop(std::fs::remove_file(&lock)))
    }

    fn write(&self, file: &str, content: &[u8]) -> Result<()> {
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

/// None where there is no such file.
fn content(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(Error) -> SourceError {
    move |error| SourceError::File { attempt, path: path.to_owned(), error }
}

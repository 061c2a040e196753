//! An open repository: where it is, and handles for whoever reads or receives.

use std::path::{Path, PathBuf};

use gix::odb::pack::cache::lru::MemoryCappedHashmap;

use super::error::Result;
use super::open::open_to_receive;
use super::{Access, Location};

/// Without a cache of unpacked objects 10,000 files take 122 ms, with it 16 ms.
const PACK_CACHE: usize = 16 << 20;

/// Whether the folders below a folder are meant too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// They are.
    Too,
    /// They are not.
    Not,
}

/// An open repository. Its methods block: call them where blocking is fine.
#[derive(Debug, Clone)]
pub struct Source {
    pub(super) location: Location,
    pub(super) access: Access,
    /// Opened anew by each fetch, because a long-lived one dies after some 32 of them.
    pub(super) shared: gix::ThreadSafeRepository,
}

impl Source {
    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The working tree; none for a bare repository and for a remote.
    pub fn worktree(&self) -> Option<&Path> {
        match self.location {
            Location::Path(_) => self.shared.work_dir(),
            Location::Url(_) => None,
        }
    }

    /// The folders in which something changes when a branch of a repository of this disk moves; none for a remote, whose
    /// mirror moves when it is fetched.
    pub fn folders_of_refs(&self) -> Vec<(PathBuf, Below)> {
        let Location::Path(_) = self.location else { return Vec::new() };
        let repo = self.shared.to_thread_local();
        let (git, common) = (repo.git_dir().to_owned(), repo.common_dir().to_owned());
        // HEAD and packed-refs stand in the folders themselves; below them are the objects, which nobody need hear of.
        let mut folders = vec![(common.join("refs"), Below::Too), (common.join("reftable"), Below::Too)];
        folders.extend((git != common).then_some((git, Below::Not)));
        folders.push((common, Below::Not));
        folders.retain(|(folder, _)| folder.is_dir());
        folders
    }

    /// A handle of this thread.
    pub(super) fn repo(&self) -> gix::Repository {
        let mut repo = self.shared.to_thread_local();
        repo.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(PACK_CACHE)));
        repo
    }

    /// A handle for what receives.
    pub(super) fn receiving(&self) -> Result<gix::Repository> {
        open_to_receive(self.shared.to_thread_local().path())
    }
}

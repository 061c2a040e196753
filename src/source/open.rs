//! Opens the repository: a path where it is, read only; a URL as its mirror in the cache.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use gix::sec::Trust;

use super::error::{Result, say};
use super::{Location, SourceError, mirror};

/// Without a cache of unpacked objects 10,000 files take 122 ms, with it 16 ms.
const PACK_CACHE: usize = 16 << 20;

/// One object may need this much memory. It is more than [`super::FILE_LIMIT`], so that folders may be larger.
const OBJECT_LIMIT: usize = 64 << 20;

/// What one object of a pack may need in memory while it is received.
const RECEIVE_LIMIT: usize = 2 << 30;

/// How the repository is reached, and where what was fetched is kept.
#[derive(Debug, Clone)]
pub struct Access {
    /// The cache folder: mirrors of remotes, and the indexes of their history. All of it can be deleted.
    pub cache: PathBuf,
    /// What an https server is told that asks who is there.
    pub credentials: Credentials,
    /// The program that connects to ssh remotes, and its options.
    pub ssh: Vec<String>,
    /// Certificates (PEM) of https servers that are trusted beside those of the system.
    pub certificates: Vec<u8>,
    /// How long a remote may take to say where its branches are.
    pub answer_within: Duration,
    /// How long it may take to send what is new.
    pub send_within: Duration,
}

/// What an https server is told that asks who is there.
#[derive(Clone)]
pub enum Credentials {
    /// Nothing.
    None,
    /// What `git credential` knows, which asks the user's credential helper and never the user.
    Helper,
    /// Name and password, or any name and a token. Told to the server of the URL and to no other.
    Known(String, String),
}

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

impl Access {
    /// No credentials, the system's ssh, and the usual patience.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            credentials: Credentials::None,
            ssh: vec!["ssh".to_owned()],
            certificates: Vec::new(),
            answer_within: Duration::from_secs(30),
            send_within: Duration::from_secs(600),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Helper => "Helper",
            Self::Known(..) => "Known(…)",
        })
    }
}

impl Source {
    /// Opens the repository. It asks no remote; see [`Source::fetch`].
    pub fn open(location: &Location, access: &Access) -> Result<Self> {
        let shared = match location {
            Location::Path(path) => open(path)?,
            Location::Url(_) => mirror::open(location, access)?,
        };
        Ok(Self { location: location.clone(), access: access.clone(), shared })
    }

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

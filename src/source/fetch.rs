//! Opens repositories, and fetches remotes into their mirrors.
#![expect(clippy::disallowed_methods, reason = "this room reads when the remote was reached")]

use jiff::Timestamp;
use pintle_core::git::Commit;

use super::error::SourceResult;
use super::mirror::{self, RemoteMirror};
use super::remote::FetchFailure;
use super::resolve::full_branch_name;
use super::{Access, Reach, RemoteUrl, RepositoryLocation, Source, SourceError, open};

impl Source {
    /// Opens the repository without contacting a remote; see [`Source::fetch`].
    pub fn open(location: &RepositoryLocation, access: &Access) -> SourceResult<Self> {
        let shared = match location {
            RepositoryLocation::Path(path) => open::open_isolated(path)?,
            RepositoryLocation::Url(_) => mirror::open(location, access)?,
        };
        Ok(Self { location: location.clone(), access: access.clone(), shared })
    }

    /// Updates a branch from its remote and returns the tip. Without a name, the default branch is used.
    ///
    /// The remote's refs are listed first; objects are fetched only if the branch moved. A local path is reopened
    /// instead. After an error, the last fetched state stays readable.
    pub fn fetch(&mut self, branch: Option<&str>) -> SourceResult<Commit> {
        if let Some(branch) = branch {
            full_branch_name(branch)?;
        }
        match self.location.clone() {
            RepositoryLocation::Path(path) => self.shared = open::open_isolated(&path)?,
            RepositoryLocation::Url(url) => self.fetch_url(&url, branch)?,
        }
        self.tip(branch)
    }

    /// Replaces an unreadable mirror with a fresh fetch. The old mirror stays until the new one is complete.
    pub fn fetch_anew(&mut self, branch: Option<&str>) -> SourceResult<Commit> {
        if let RepositoryLocation::Url(url) = self.location.clone() {
            self.locked(&url, |mirror| mirror.renew(branch))?;
        }
        self.tip(branch)
    }

    fn fetch_url(&mut self, url: &RemoteUrl, branch: Option<&str>) -> SourceResult<()> {
        self.locked(url, |mirror| match mirror.update(branch) {
            Err(FetchFailure::Damaged(why)) => {
                tracing::debug!(%why, mirror = %mirror.path.display(), "the mirror is damaged and is fetched anew");
                mirror.renew(branch)
            }
            outcome => outcome,
        })
    }

    fn locked(
        &mut self,
        url: &RemoteUrl,
        work: impl FnOnce(&RemoteMirror<'_>) -> SourceResult<(), FetchFailure>,
    ) -> SourceResult<()> {
        let mirror = RemoteMirror { url, access: &self.access, path: mirror::folder(&self.location, &self.access) };
        let lock = mirror::lock(&mirror.path, self.access.answer_within)?;
        let outcome = work(&mirror);
        // Reopened in any case, so that objects fetched by another process become visible too.
        let shared = open::open_isolated(&mirror.path);
        drop(lock);
        self.shared = shared?;
        outcome.map_err(|failure| self.explain(failure))
    }

    /// Returns the last successful contact with the remote; none for a local path and for a remote never reached.
    pub fn reached(&self) -> Option<Timestamp> {
        let RepositoryLocation::Url(_) = self.location else { return None };
        let text =
            std::fs::read_to_string(mirror::folder(&self.location, &self.access).join(mirror::LAST_REACHED_FILE))
                .ok()?;
        text.trim().parse().ok()
    }

    fn explain(&self, failure: FetchFailure) -> SourceError {
        let (kind, why) = match failure {
            FetchFailure::Empty => return SourceError::Empty { location: self.location.to_string() },
            FetchFailure::NoBranch(name, names) => return self.no_branch_error(&name, &names),
            FetchFailure::Unreachable(kind, why) => (kind, why),
            FetchFailure::Damaged(why) => (Reach::Passing, why),
        };
        SourceError::Unreachable { location: self.location.to_string(), why, last_reached: self.reached(), kind }
    }
}

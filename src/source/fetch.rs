//! Opens repositories, and fetches remotes into their mirrors.
#![expect(clippy::disallowed_methods, reason = "this room reads when the remote was reached")]

use jiff::Timestamp;
use pintle_core::git::Commit;

use super::error::Result;
use super::mirror::{self, Mirror};
use super::remote::Failure;
use super::resolve::full_branch_name;
use super::{Access, Location, Reach, Source, SourceError, Url, open};

impl Source {
    /// Opens the repository without contacting a remote; see [`Source::fetch`].
    pub fn open(location: &Location, access: &Access) -> Result<Self> {
        let shared = match location {
            Location::Path(path) => open::open(path)?,
            Location::Url(_) => mirror::open(location, access)?,
        };
        Ok(Self { location: location.clone(), access: access.clone(), shared })
    }

    /// Updates a branch from its remote and returns the tip. Without a name, the default branch is used.
    ///
    /// The remote's refs are listed first; objects are fetched only if the branch moved. A local path is reopened
    /// instead. After an error, the last fetched state stays readable.
    pub fn fetch(&mut self, branch: Option<&str>) -> Result<Commit> {
        if let Some(branch) = branch {
            full_branch_name(branch)?;
        }
        match self.location.clone() {
            Location::Path(path) => self.shared = open::open(&path)?,
            Location::Url(url) => self.fetch_url(&url, branch)?,
        }
        self.tip(branch)
    }

    /// Replaces an unreadable mirror with a fresh fetch. The old mirror stays until the new one is complete.
    pub fn fetch_anew(&mut self, branch: Option<&str>) -> Result<Commit> {
        if let Location::Url(url) = self.location.clone() {
            self.locked(&url, |mirror| mirror.renew(branch))?;
        }
        self.tip(branch)
    }

    fn fetch_url(&mut self, url: &Url, branch: Option<&str>) -> Result<()> {
        self.locked(url, |mirror| match mirror.update(branch) {
            Err(Failure::Damaged(why)) => {
                tracing::debug!(%why, mirror = %mirror.path.display(), "the mirror is damaged and is fetched anew");
                mirror.renew(branch)
            }
            outcome => outcome,
        })
    }

    fn locked(&mut self, url: &Url, work: impl FnOnce(&Mirror<'_>) -> Result<(), Failure>) -> Result<()> {
        let mirror = Mirror { url, access: &self.access, path: mirror::folder(&self.location, &self.access) };
        let lock = mirror::lock(&mirror.path, self.access.answer_within)?;
        let outcome = work(&mirror);
        // Reopened in any case, so that objects fetched by another process become visible too.
        let shared = open::open(&mirror.path);
        drop(lock);
        self.shared = shared?;
        outcome.map_err(|failure| self.explain(failure))
    }

    /// Returns the last successful contact with the remote; none for a local path and for a remote never reached.
    pub fn reached(&self) -> Option<Timestamp> {
        let Location::Url(_) = self.location else { return None };
        let text = std::fs::read_to_string(mirror::folder(&self.location, &self.access).join(mirror::REACHED)).ok()?;
        text.trim().parse().ok()
    }

    fn explain(&self, failure: Failure) -> SourceError {
        let (kind, why) = match failure {
            Failure::Empty => return SourceError::Empty { location: self.location.to_string() },
            Failure::NoBranch(name, names) => return self.no_branch(&name, &names),
            Failure::Reach(kind, why) => (kind, why),
            Failure::Damaged(why) => (Reach::Passing, why),
        };
        SourceError::Unreachable { location: self.location.to_string(), why, since: self.reached(), kind }
    }
}

//! A repository is opened where it is, a remote as its mirror, which a fetch brings up to date.
#![expect(clippy::disallowed_methods, reason = "this room reads when the remote was reached")]

use jiff::Timestamp;
use pintle_core::git::Commit;

use super::error::Result;
use super::mirror::{self, Mirror};
use super::remote::Failure;
use super::resolve::full_branch_name;
use super::{Access, Location, Reach, Source, SourceError, Url, open};

impl Source {
    /// Opens the repository. It asks no remote; see [`Source::fetch`].
    pub fn open(location: &Location, access: &Access) -> Result<Self> {
        let shared = match location {
            Location::Path(path) => open::open(path)?,
            Location::Url(_) => mirror::open(location, access)?,
        };
        Ok(Self { location: location.clone(), access: access.clone(), shared })
    }

    /// Brings a remote's branch up to date (its default branch where none is named) and returns its tip: asks the remote
    /// where the branch is, and fetches only when it moved. A path is looked at anew.
    ///
    /// After an error the last state can still be read.
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

    /// Throws the mirror of a remote away and fetches it anew: for when what is in it cannot be read. The old one stays
    /// until the new one has arrived.
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
        // Opened again in any case, so that what another process has fetched is seen too.
        let shared = open::open(&mirror.path);
        drop(lock);
        self.shared = shared?;
        outcome.map_err(|failure| self.explain(failure))
    }

    /// When the remote last answered; none for a path, and for a remote that never did.
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

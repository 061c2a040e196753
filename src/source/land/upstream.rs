//! Where a branch is pushed to: of a clone what its configuration says, of a remote the remote itself.

use std::path::Path;

use git2::{Direction, Oid, Repository};

use super::super::{Location, Url};
use super::error::{LandError, Result};
use super::full;

/// A branch of a remote.
pub(super) struct Upstream {
    /// `origin/main`, or the URL.
    pub(super) name: String,
    /// `origin`, or the URL.
    pub(super) remote: String,
    pub(super) url: Url,
    /// Its full name there.
    pub(super) branch: String,
    /// The branch of a clone that says where it was when it was last asked.
    tracking: Option<String>,
}

impl Upstream {
    /// The upstream of a branch; none where it has none.
    pub(super) fn of(location: &Location, repo: &Repository, branch: &str) -> Result<Option<Self>> {
        let local = full(branch);
        let folder = match location {
            Location::Url(url) => {
                let name = format!("{branch} of {location}");
                let remote = location.to_string();
                return Ok(Some(Self { name, remote, url: url.clone(), branch: local, tracking: None }));
            }
            Location::Path(path) => path,
        };
        let Some((remote, merge)) = Self::settings(repo, branch) else { return Ok(None) };
        let found =
            repo.find_remote(&remote).map_err(|error| LandError::git("read the remote of the branch", &error))?;
        let pushed = found.pushurl().ok().flatten().map(str::to_owned);
        let url = pushed.or_else(|| found.url().ok().map(str::to_owned)).unwrap_or_default();
        let url = read(folder, &url)?;
        let name = format!("{remote}/{}", plain(&merge));
        let tracking = text(repo.branch_upstream_name(&local));
        Ok(Some(Self { name, remote, url, branch: merge, tracking }))
    }

    /// What a clone says that a branch follows: a remote, and the full name of a branch there.
    pub(super) fn settings(repo: &Repository, branch: &str) -> Option<(String, String)> {
        let setting = |key: &str| repo.config().ok()?.get_string(&format!("branch.{branch}.{key}")).ok();
        let remote = text(repo.branch_upstream_remote(&full(branch))).or_else(|| setting("remote"));
        // `.` is a branch of the clone itself.
        remote.filter(|remote| remote != ".").zip(setting("merge"))
    }

    /// Another branch of the same remote.
    pub(super) fn beside(&self, repo: &Repository, branch: &str) -> Self {
        let (remote, url, full) = (self.remote.clone(), self.url.clone(), full(branch));
        if self.tracking.is_none() {
            return Self { name: format!("{branch} of {remote}"), remote, url, branch: full, tracking: None };
        }
        let tracking = tracking(repo, &remote, &full);
        Self { name: format!("{remote}/{branch}"), remote, url, branch: full, tracking }
    }

    /// Its plain name there.
    pub(super) fn plain(&self) -> &str {
        plain(&self.branch)
    }

    /// Where it was when it was last asked.
    pub(super) fn tracked(&self, repo: &Repository) -> Option<Oid> {
        repo.refname_to_id(self.tracking.as_deref()?).ok()
    }

    /// Notes where it is now, and by what that is known.
    pub(super) fn track(&self, repo: &Repository, commit: Oid, by: &str) {
        if let Some(tracking) = &self.tracking
            && let Err(error) = repo.reference(tracking, commit, true, by)
        {
            tracing::info!("{tracking} is not moved: {error}");
        }
    }
}

/// The plain name of a branch.
pub(super) fn plain(full: &str) -> &str {
    full.strip_prefix("refs/heads/").unwrap_or(full)
}

/// What the configuration of a clone says of where a remote is.
pub(super) fn read(folder: &Path, url: &str) -> Result<Url> {
    Ok(match Location::parse(url)? {
        Location::Url(url) => url,
        Location::Path(path) => Url::of_path(&absolute(folder, &path)),
    })
}

/// Where a clone notes where a branch of a remote is.
fn tracking(repo: &Repository, remote: &str, branch: &str) -> Option<String> {
    let remote = repo.find_remote(remote).ok()?;
    let mut specs = remote.refspecs();
    let spec = specs.find(|spec| spec.direction() == Direction::Fetch && spec.src_matches(branch))?;
    text(spec.transform(branch))
}

fn text(found: Result<git2::Buf, git2::Error>) -> Option<String> {
    found.ok()?.as_str().ok().map(str::to_owned)
}

/// Git reads a relative path from the working tree.
fn absolute(folder: &Path, path: &Path) -> std::path::PathBuf {
    std::path::absolute(folder.join(path)).unwrap_or_else(|_| path.to_owned())
}

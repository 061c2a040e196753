//! The upstream of a branch: for a clone from its configuration, for a remote the remote itself.

use std::path::Path;

use git2::{Direction, Oid, Repository};

use super::super::{RemoteUrl, RepositoryLocation};
use super::error::{LandError, LandResult};
use super::full;

pub(super) struct UpstreamBranch {
    /// `origin/main`, or the URL.
    pub(super) name: String,
    /// `origin`, or the URL.
    pub(super) remote: String,
    pub(super) url: RemoteUrl,
    /// The full name.
    pub(super) branch: String,
    /// The clone's remote-tracking branch.
    tracking: Option<String>,
}

impl UpstreamBranch {
    /// Returns the upstream of a branch; none if it has none.
    pub(super) fn of(location: &RepositoryLocation, repo: &Repository, branch: &str) -> LandResult<Option<Self>> {
        let local = full(branch);
        let folder = match location {
            RepositoryLocation::Url(url) => {
                let name = format!("{branch} of {location}");
                let remote = location.to_string();
                return Ok(Some(Self { name, remote, url: url.clone(), branch: local, tracking: None }));
            }
            RepositoryLocation::Path(path) => path,
        };
        let Some((remote, merge)) = Self::configured(repo, branch) else { return Ok(None) };
        let found =
            repo.find_remote(&remote).map_err(|error| LandError::from_git("read the remote of the branch", &error))?;
        let pushed = found.pushurl().ok().flatten().map(str::to_owned);
        let url = pushed.or_else(|| found.url().ok().map(str::to_owned)).unwrap_or_default();
        let url = configured_url(folder, &url)?;
        let name = format!("{remote}/{}", short_branch_name(&merge));
        let tracking = text(repo.branch_upstream_name(&local));
        Ok(Some(Self { name, remote, url, branch: merge, tracking }))
    }

    /// Returns the configured upstream of a branch: the remote, and the full name of the branch there.
    pub(super) fn configured(repo: &Repository, branch: &str) -> Option<(String, String)> {
        let setting = |key: &str| repo.config().ok()?.get_string(&format!("branch.{branch}.{key}")).ok();
        let remote = text(repo.branch_upstream_remote(&full(branch))).or_else(|| setting("remote"));
        // `.` means another branch of the same clone.
        remote.filter(|remote| remote != ".").zip(setting("merge"))
    }

    /// Returns another branch of the same remote.
    pub(super) fn with_branch(&self, repo: &Repository, branch: &str) -> Self {
        let (remote, url, full) = (self.remote.clone(), self.url.clone(), full(branch));
        if self.tracking.is_none() {
            return Self { name: format!("{branch} of {remote}"), remote, url, branch: full, tracking: None };
        }
        let tracking = tracking(repo, &remote, &full);
        Self { name: format!("{remote}/{branch}"), remote, url, branch: full, tracking }
    }

    /// Returns the plain name.
    pub(super) fn plain(&self) -> &str {
        short_branch_name(&self.branch)
    }

    /// Returns the tip at the last fetch.
    pub(super) fn tracked(&self, repo: &Repository) -> Option<Oid> {
        repo.refname_to_id(self.tracking.as_deref()?).ok()
    }

    /// Moves the remote-tracking branch, with a reflog message.
    pub(super) fn track(&self, repo: &Repository, commit: Oid, by: &str) {
        if let Some(tracking) = &self.tracking
            && let Err(error) = repo.reference(tracking, commit, true, by)
        {
            tracing::info!("{tracking} is not moved: {error}");
        }
    }
}

/// Returns the plain name of a branch.
pub(super) fn short_branch_name(full: &str) -> &str {
    full.strip_prefix("refs/heads/").unwrap_or(full)
}

/// Parses a remote's URL from the configuration of a clone.
pub(super) fn configured_url(folder: &Path, url: &str) -> LandResult<RemoteUrl> {
    Ok(match RepositoryLocation::parse(url)? {
        RepositoryLocation::Url(url) => url,
        RepositoryLocation::Path(path) => RemoteUrl::of_path(&absolute(folder, &path)),
    })
}

/// Returns the remote-tracking branch of a branch.
fn tracking(repo: &Repository, remote: &str, branch: &str) -> Option<String> {
    let remote = repo.find_remote(remote).ok()?;
    let mut specs = remote.refspecs();
    let spec = specs.find(|spec| spec.direction() == Direction::Fetch && spec.src_matches(branch))?;
    text(spec.transform(branch))
}

fn text(found: LandResult<git2::Buf, git2::Error>) -> Option<String> {
    found.ok()?.as_str().ok().map(str::to_owned)
}

/// Resolves a relative path against the working tree, as git does.
fn absolute(folder: &Path, path: &Path) -> std::path::PathBuf {
    std::path::absolute(folder.join(path)).unwrap_or_else(|_| path.to_owned())
}

//! Unshallows a clone, as `git fetch --unshallow` does, except that no ref moves. Only the shallow boundary changes.

use git2::Repository;
use pintle_core::git::CommitId;

use super::super::object_id::GixId as _;
use super::super::quarantine::Quarantine;
use super::super::remote::RemoteFetcher;
use super::super::{RemoteUrl, RepositoryLocation, Source};
use super::catch_up::fetch_error;
use super::error::{LandError, LandResult};
use super::upstream::{self, UpstreamBranch};

/// The remote from which a clone can receive its missing history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneOrigin {
    /// The display name of the remote.
    pub name: String,
    url: RemoteUrl,
    /// The plain name of the upstream branch; none stands for the remote's HEAD.
    branch: Option<String>,
}

impl Source {
    /// Returns the remote of a branch, else the clone's default remote; none if it has none. Without a name, the branch
    /// of HEAD is used.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub fn origin(&self, branch: Option<&str>) -> LandResult<Option<CloneOrigin>> {
        let RepositoryLocation::Path(folder) = &self.location else { return Ok(None) };
        let repo =
            Repository::open(self.repo().path()).map_err(|error| LandError::from_git("open the repository", &error))?;
        let branch = branch.map_or_else(|| self.default_branch(), |branch| Ok(branch.to_owned()))?;
        let followed = UpstreamBranch::configured(&repo, &branch);
        let (name, branch) = match followed {
            Some((remote, merge)) => (Some(remote), Some(upstream::short_branch_name(&merge).to_owned())),
            None => (only_remote(&repo), None),
        };
        let Some(name) = name else { return Ok(None) };
        let remote = repo.find_remote(&name).map_err(|error| LandError::from_git("read the remote", &error))?;
        let url = upstream::configured_url(folder, remote.url().unwrap_or_default())?;
        Ok(Some(CloneOrigin { name, url, branch }))
    }

    /// Returns the shallow boundary on the line of a tip; none if the history is complete.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn begins_late(&self, tip: CommitId) -> LandResult<Option<CommitId>> {
        let cut = self.repo().shallow_commits().ok().flatten();
        let Some(cut) = cut else { return Ok(None) };
        Ok(self.nearest_ancestor(tip, |id| cut.contains(&id.to_gix()))?)
    }

    /// Receives the complete history of the branch. It becomes visible when the repository is opened again.
    ///
    /// # Errors
    /// The remote cannot be reached; nothing has changed.
    pub fn deepen(&self, CloneOrigin { name: _, url, branch }: &CloneOrigin) -> LandResult<()> {
        let quarantine = Quarantine::create(&self.repo(), self.tip(None)?.id)?;
        let remote = RemoteFetcher { repo: &quarantine.open()?, url, access: &self.access };
        let unread = |failure| fetch_error(url, failure);
        let there = remote.find_branch(branch.as_deref()).map_err(unread)?;
        remote.fetch_unshallow(&there.branch).map_err(unread)?;
        Ok(quarantine.migrate()?)
    }
}

/// Returns the remote for a branch without an upstream, by git's rule: `origin`, else the only remote.
fn only_remote(repo: &Repository) -> Option<String> {
    let remotes = repo.remotes().ok()?;
    let names: Vec<&str> = remotes.iter().filter_map(|name| name.ok().flatten()).collect();
    let found = names.iter().find(|name| **name == "origin").or(if let [only] = &*names { Some(only) } else { None });
    found.map(|name| (*name).to_owned())
}

//! A shallow clone receives the history that it was cloned without, as `git fetch --unshallow` does, save that no reference
//! moves: the clone begins earlier, and nothing else of it changes.

use git2::Repository;
use pintle_core::git::CommitId;

use super::super::object_id::GixId as _;
use super::super::quarantine::Quarantine;
use super::super::remote::Remote;
use super::super::{Location, Source, Url};
use super::catch_up::unread;
use super::error::{LandError, Result};
use super::upstream::{self, Upstream};

/// Where the history of a clone can be received from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The remote, as people call it.
    pub name: String,
    url: Url,
    /// The branch that the clone follows, by its plain name there; none for the one that the remote calls its own.
    branch: Option<String>,
}

impl Source {
    /// The remote of a branch (of HEAD's, where none is named), else the one that a clone has; none where it has none.
    ///
    /// # Errors
    /// Its URL cannot be used.
    pub fn origin(&self, branch: Option<&str>) -> Result<Option<Origin>> {
        let Location::Path(folder) = &self.location else { return Ok(None) };
        let repo =
            Repository::open(self.repo().path()).map_err(|error| LandError::git("open the repository", &error))?;
        let branch = branch.map_or_else(|| self.default_branch(), |branch| Ok(branch.to_owned()))?;
        let followed = Upstream::settings(&repo, &branch);
        let (name, branch) = match followed {
            Some((remote, merge)) => (Some(remote), Some(upstream::plain(&merge).to_owned())),
            None => (only_remote(&repo), None),
        };
        let Some(name) = name else { return Ok(None) };
        let remote = repo.find_remote(&name).map_err(|error| LandError::git("read the remote", &error))?;
        let url = upstream::read(folder, remote.url().unwrap_or_default())?;
        Ok(Some(Origin { name, url, branch }))
    }

    /// The commit before which a shallow clone knows nothing, on the line of a tip; none where all of it is here.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn begins_late(&self, tip: CommitId) -> Result<Option<CommitId>> {
        let cut = self.repo().shallow_commits().ok().flatten();
        let Some(cut) = cut else { return Ok(None) };
        Ok(self.back_to(tip, |id| cut.contains(&id.object()))?)
    }

    /// Receives all that leads to the branch. It is seen by who opens the repository anew.
    ///
    /// # Errors
    /// The remote cannot be reached. Nothing has changed then.
    pub fn deepen(&self, Origin { name: _, url, branch }: &Origin) -> Result<()> {
        let quarantine = Quarantine::of(&self.repo(), self.tip(None)?.id)?;
        let remote = Remote { repo: &quarantine.open()?, url, access: &self.access };
        let unread = |failure| unread(url, failure);
        let there = remote.ask(branch.as_deref()).map_err(unread)?;
        remote.receive_all(&there.branch).map_err(unread)?;
        Ok(quarantine.take_over()?)
    }
}

/// Which remote is meant where a branch follows none: as for git, `origin`, or the one that there is.
fn only_remote(repo: &Repository) -> Option<String> {
    let remotes = repo.remotes().ok()?;
    let names: Vec<&str> = remotes.iter().filter_map(|name| name.ok().flatten()).collect();
    let found = names.iter().find(|name| **name == "origin").or(if let [only] = &*names { Some(only) } else { None });
    found.map(|name| (*name).to_owned())
}

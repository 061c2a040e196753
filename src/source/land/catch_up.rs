//! Fast-forwards a clone to its upstream, as `git pull --ff-only` does, if it has no commits of its own.

use pintle_core::git::CommitId;

use super::super::object_id::GixId as _;
use super::super::remote::{FetchFailure, RemoteFetcher};
use super::super::{Reach, RemoteUrl, SourceError};
use super::error::{LandError, LandResult};
use super::upstream::UpstreamBranch;
use super::{Landing, clone, oid};

impl Landing<'_> {
    /// Fetches the upstream and fast-forwards branch, index and working tree.
    ///
    /// # Errors
    /// The branch has commits of its own, or uncommitted changes would be lost.
    pub fn catch_up(&self, tip: CommitId) -> LandResult<()> {
        // 1. Fetch the upstream.
        let upstream = self.upstream.as_ref();
        let upstream = upstream.ok_or_else(|| LandError::NoUpstream { branch: self.branch.clone() })?;
        let there = oid(self.fetch_upstream(upstream)?);
        upstream.track(&self.repo, there, "fetch (pintle)");
        // 2. Check that this is a fast-forward and that no uncommitted change is in the way.
        self.refuse_if_moved(tip)?;
        let tip = oid(tip);
        let goes_on = self.repo.graph_descendant_of(there, tip);
        if !goes_on.map_err(|error| LandError::from_git("compare the branch with its upstream", &error))? {
            return Err(LandError::Diverged { branch: self.branch.clone(), remote: upstream.name.clone() });
        }
        let files = clone::differing_files(&self.repo, [tip, there])?;
        if self.checked_out {
            clone::refuse_if_dirty(&self.repo, &files)?;
        } else {
            self.refuse_if_in_other_worktree()?;
        }
        // 3. Move branch, index and working tree.
        let who = self.source.identity()?;
        self.advance_clone([tip, there], &files, (&who, "pull (pintle): Fast-forward"))
    }

    /// Returns the upstream's tip, after fetching its objects.
    pub(super) fn fetch_upstream(&self, upstream: &UpstreamBranch) -> LandResult<CommitId> {
        let source = self.source;
        let remote = RemoteFetcher { repo: &source.receiving()?, url: &upstream.url, access: &source.access };
        let unread = |failure| fetch_error(&upstream.url, failure);
        let there = CommitId::from_gix(remote.find_branch(Some(upstream.plain())).map_err(unread)?.tip);
        if !source.has_commit(there) {
            remote.fetch_objects(upstream.plain()).map_err(unread)?;
        }
        Ok(there)
    }
}

/// Builds the error for a failed fetch into a clone.
pub(super) fn fetch_error(url: &RemoteUrl, failure: FetchFailure) -> SourceError {
    let (kind, why) = match failure {
        FetchFailure::Unreachable(kind, why) => (kind, why),
        FetchFailure::Damaged(why) => (Reach::Passing, why),
        FetchFailure::NoBranch(..) | FetchFailure::Empty => (Reach::NotFound, "the branch is gone".to_owned()),
    };
    SourceError::Unreachable { location: url.to_string(), why, last_reached: None, kind }
}

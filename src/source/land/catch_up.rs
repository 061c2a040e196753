//! Fast-forwards a clone to its upstream, as `git pull --ff-only` does, if it has no commits of its own.

use pintle_core::git::CommitId;

use super::super::object_id::GixId as _;
use super::super::remote::{Failure, Remote};
use super::super::{Reach, SourceError, Url};
use super::error::{LandError, Result};
use super::upstream::Upstream;
use super::{Landing, clone, oid};

impl Landing<'_> {
    /// Fetches the upstream and fast-forwards branch, index and working tree.
    ///
    /// # Errors
    /// The branch has commits of its own, or uncommitted changes would be lost.
    pub fn catch_up(&self, tip: CommitId) -> Result<()> {
        // 1. Fetch the upstream.
        let upstream = self.upstream.as_ref();
        let upstream = upstream.ok_or_else(|| LandError::NoUpstream { branch: self.branch.clone() })?;
        let there = oid(self.fetched(upstream)?);
        upstream.track(&self.repo, there, "fetch (pintle)");
        // 2. Check that this is a fast-forward and that no uncommitted change is in the way.
        self.still_at(tip)?;
        let tip = oid(tip);
        let goes_on = self.repo.graph_descendant_of(there, tip);
        if !goes_on.map_err(|error| LandError::git("compare the branch with its upstream", &error))? {
            return Err(LandError::Parted { branch: self.branch.clone(), remote: upstream.name.clone() });
        }
        let files = clone::differing(&self.repo, [tip, there])?;
        if self.checked_out {
            clone::clean(&self.repo, &files)?;
        } else {
            self.shown_nowhere()?;
        }
        // 3. Move branch, index and working tree.
        let who = self.source.identity()?;
        self.follow([tip, there], &files, (&who, "pull (pintle): Fast-forward"))
    }

    /// Returns the upstream's tip, after fetching its objects.
    pub(super) fn fetched(&self, upstream: &Upstream) -> Result<CommitId> {
        let source = self.source;
        let remote = Remote { repo: &source.receiving()?, url: &upstream.url, access: &source.access };
        let unread = |failure| unread(&upstream.url, failure);
        let there = CommitId::of(remote.ask(Some(upstream.plain())).map_err(unread)?.tip);
        if !source.knows(there) {
            remote.receive_objects(upstream.plain()).map_err(unread)?;
        }
        Ok(there)
    }
}

/// Builds the error for a failed fetch into a clone.
pub(super) fn unread(url: &Url, failure: Failure) -> SourceError {
    let (kind, why) = match failure {
        Failure::Reach(kind, why) => (kind, why),
        Failure::Damaged(why) => (Reach::Passing, why),
        Failure::NoBranch(..) | Failure::Empty => (Reach::NotFound, "the branch is gone".to_owned()),
    };
    SourceError::Unreachable { location: url.to_string(), why, since: None, kind }
}

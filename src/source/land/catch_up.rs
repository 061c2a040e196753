//! A clone whose remote has moved on follows it, as `git pull --ff-only` does: where it has nothing of its own.

use pintle_core::git::CommitId;

use super::super::object_id::GixId as _;
use super::super::remote::{Failure, Remote};
use super::super::{Reach, SourceError, Url};
use super::error::{LandError, Result};
use super::upstream::Upstream;
use super::{Landing, clone, oid};

impl Landing<'_> {
    /// Fetches the upstream, and brings branch, index and working tree to where it is.
    ///
    /// # Errors
    /// The branch has commits of its own, or somebody has something under work that would be lost.
    pub fn catch_up(&self, tip: CommitId) -> Result<()> {
        // 1. What others have pushed.
        let upstream = self.upstream.as_ref();
        let upstream = upstream.ok_or_else(|| LandError::NoUpstream { branch: self.branch.clone() })?;
        let there = oid(self.fetched(upstream)?);
        upstream.track(&self.repo, there, "fetch (pintle)");
        // 2. It goes on from what is here, and nobody minds.
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
        // 3. All of it follows.
        let who = self.source.identity()?;
        self.follow([tip, there], &files, (&who, "pull (pintle): Fast-forward"))
    }

    /// Where the upstream is, with all that leads there.
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

/// What keeps a clone from receiving.
pub(super) fn unread(url: &Url, failure: Failure) -> SourceError {
    let (kind, why) = match failure {
        Failure::Reach(kind, why) => (kind, why),
        Failure::Damaged(why) => (Reach::Passing, why),
        Failure::NoBranch(..) | Failure::Empty => (Reach::NotFound, "the branch is gone".to_owned()),
    };
    SourceError::Unreachable { location: url.to_string(), why, since: None, kind }
}

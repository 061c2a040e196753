//! Writes one commit on the evaluated tip and lands it on the branch.
//!
//! Nothing is ever forced. A remote accepts the commit only if its branch is still at the evaluated tip. A clone's
//! branch, index and files move only if nobody else has changed them. The push comes first, so a refused push leaves
//! the clone as it was.

mod catch_up;
mod clone;
mod deepen;
mod destination;
mod error;
mod forge;
mod identity;
mod message;
mod propose;
mod push;
mod race;
mod transport;
mod upstream;
mod write;

use std::sync::Arc;

pub use deepen::CloneOrigin;
pub use destination::{Destination, Outcome, Overtaken, branch_name};
pub use error::LandError;
use error::LandResult;
use git2::{Oid, Repository};
pub use identity::CommitIdentity;
pub use message::{CommitMessage, change_id};
use pintle_core::git::{CommitId, FileChange};
pub use propose::{Beside, PushedProposal};
pub use race::{SentChanges, race};
use upstream::UpstreamBranch;

use super::{RepositoryLocation, Source, SourceError};

/// A branch on which a commit can land.
pub struct Landing<'s> {
    source: &'s Source,
    repo: Repository,
    /// The plain name.
    branch: String,
    upstream: Option<UpstreamBranch>,
    /// Whether the working tree has this branch checked out.
    checked_out: bool,
}

/// A commit that has landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandedCommit {
    pub commit: CommitId,
    /// The plain name.
    pub branch: String,
    /// The remote branch that also has the commit.
    pub pushed_to: Option<String>,
    /// Why the clone could not follow, if only the remote has the commit.
    pub clone_not_updated_reason: Option<String>,
}

impl Source {
    /// Determines where a commit on a branch would land. Without a name, the branch of HEAD is used.
    ///
    /// # Errors
    /// There is no such branch, HEAD is detached, or the branch's remote cannot be used.
    pub fn landing(&self, branch: Option<&str>) -> LandResult<Landing<'_>> {
        let branch = branch.map_or_else(|| self.default_branch(), |branch| Ok(branch.to_owned()))?;
        if branch == "HEAD" {
            return Err(LandError::Detached { location: self.location.to_string() });
        }
        let path = self.repo().path().to_owned();
        let path = self.worktree().map_or(path, ToOwned::to_owned);
        let repo = Repository::open(&path).map_err(|error| LandError::from_git("open the repository", &error))?;
        let upstream = UpstreamBranch::of(&self.location, &repo, &branch)?;
        let head =
            repo.find_reference("HEAD").ok().and_then(|head| head.symbolic_target().ok().flatten().map(str::to_owned));
        let checked_out = self.worktree().is_some() && head == Some(full(&branch));
        Ok(Landing { source: self, repo, branch, upstream, checked_out })
    }
}

impl Landing<'_> {
    /// Returns the plain name of the branch.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// Returns the display name of the upstream branch; none if the branch has no upstream.
    pub fn upstream(&self) -> Option<&str> {
        self.upstream.as_ref().map(|upstream| upstream.name.as_str())
    }

    /// Returns whether a commit can stay here without a push.
    pub fn is_clone(&self) -> bool {
        matches!(self.source.location, RepositoryLocation::Path(_))
    }

    /// Counts the commits that the upstream lacked at the last fetch. A push includes them.
    pub fn unpushed_commits(&self) -> usize {
        let tracked = self.upstream.as_ref().and_then(|upstream| upstream.tracked(&self.repo));
        let tip = self.repo.refname_to_id(&full(&self.branch)).ok();
        let ahead = tip.zip(tracked).and_then(|(tip, tracked)| self.repo.graph_ahead_behind(tip, tracked).ok());
        ahead.map_or(0, |(ahead, _)| ahead)
    }

    /// Checks that a commit can land. It fails if these files have uncommitted changes, another Git operation is in
    /// progress, or the branch to push has diverged from its upstream.
    ///
    /// # Errors
    /// The obstacle.
    pub fn refuse_if_blocked(&self, files: &[FileChange], push: bool) -> LandResult<()> {
        if self.checked_out {
            clone::refuse_if_dirty(&self.repo, &paths(files))?;
        } else {
            self.refuse_if_in_other_worktree()?;
        }
        if push { self.refuse_if_diverged() } else { Ok(()) }
    }

    fn refuse_if_in_other_worktree(&self) -> LandResult<()> {
        let folder = clone::other_worktree_on(&self.repo, &full(&self.branch));
        folder.map_or(Ok(()), |folder| Err(LandError::CheckedOutElsewhere { branch: self.branch.clone(), folder }))
    }

    /// Checks that the branch descends from the upstream's tip at the last fetch.
    ///
    /// # Errors
    /// The two have diverged.
    pub fn refuse_if_diverged(&self) -> LandResult<()> {
        let tracked = self.upstream.as_ref().and_then(|upstream| Some((upstream, upstream.tracked(&self.repo)?)));
        let Some((upstream, tracked)) = tracked else { return Ok(()) };
        let fail = |error| LandError::from_git("compare the branch with its upstream", &error);
        let tip = self.repo.refname_to_id(&full(&self.branch)).map_err(fail)?;
        if tip == tracked || self.repo.graph_descendant_of(tip, tracked).map_err(fail)? {
            return Ok(());
        }
        Err(LandError::Diverged { branch: self.branch.clone(), remote: upstream.name.clone() })
    }

    /// Writes the commit on `tip` and lands it: first at the upstream if it is pushed, then in the clone.
    ///
    /// # Errors
    /// Neither the clone nor the remote has changed, except after [`LandError::PushUnconfirmed`].
    pub fn land(&self, tip: CommitId, files: &[FileChange], message: &str, push: bool) -> LandResult<LandedCommit> {
        // 1. Uncommitted work of the user stays untouched.
        self.refuse_if_blocked(files, push)?;
        self.refuse_if_moved(tip)?;
        // 2. The commit object, not yet referenced.
        let who = self.source.identity()?;
        let commit = write::write_commit(&self.repo, (oid(tip), files), message, &who)?;
        let commit = self.source.sign_commit(commit, &who)?;
        // 3. The remote, if its branch is still at the evaluated tip.
        let pushed_to = match self.upstream.as_ref().filter(|_| push) {
            Some(upstream) => {
                let expected = push::expected_remote_tip(self.source, &self.repo, upstream, oid(tip));
                push::push_commit(self.source, &self.repo, upstream, (expected, commit))?;
                Some(upstream.name.clone())
            }
            None if push => return Err(LandError::NoUpstream { branch: self.branch.clone() }),
            None => None,
        };
        // 4. The clone, on the same condition.
        let followed = if self.is_clone() {
            let why = format!("commit (pintle): {}", write::commit_subject(&self.repo, commit));
            self.advance_clone([oid(tip), commit], &paths(files), (&who, &why))
        } else {
            Ok(())
        };
        let behind = match followed {
            Err(error) if pushed_to.is_none() => return Err(error),
            followed => followed.err().map(|error| error.to_string()),
        };
        Ok(LandedCommit {
            commit: id(commit),
            branch: self.branch.clone(),
            pushed_to,
            clone_not_updated_reason: behind,
        })
    }

    /// Checks that the clone's branch is still at the evaluated tip.
    fn refuse_if_moved(&self, tip: CommitId) -> LandResult<()> {
        if !self.is_clone() {
            return Ok(());
        }
        let now = self
            .repo
            .refname_to_id(&full(&self.branch))
            .map_err(|error| LandError::from_git("read the branch", &error))?;
        if now == oid(tip) { Ok(()) } else { Err(LandError::Moved { branch: self.branch.clone(), now: id(now) }) }
    }

    /// Moves the branch from one commit to another, together with index and working tree.
    fn advance_clone(
        &self,
        [tip, commit]: [Oid; 2],
        files: &[Arc<str>],
        (who, why): (&CommitIdentity, &str),
    ) -> LandResult<()> {
        let fail = |error| LandError::from_git("move the branch", &error);
        let full = full(&self.branch);
        let mut moving = self.repo.transaction().map_err(fail)?;
        moving.lock_ref(&full).map_err(fail)?;
        // Checked again under the lock, where nobody else can move it.
        self.refuse_if_moved(id(tip))?;
        if self.checked_out {
            clone::check_out_files(&self.repo, commit, files)?;
        }
        let committer = who.committer().map_err(fail)?;
        moving.set_target(&full, commit, Some(&committer), why).map_err(fail)?;
        moving.commit().map_err(fail)
    }
}

fn paths(files: &[FileChange]) -> Vec<Arc<str>> {
    files.iter().map(|file| Arc::clone(&file.path)).collect()
}

fn full(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

fn oid(id: CommitId) -> Oid {
    // Cannot fail: 20 bytes are a SHA-1 id.
    Oid::from_bytes(id.as_bytes()).unwrap_or(Oid::ZERO_SHA1)
}

fn id(oid: Oid) -> CommitId {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&oid.as_bytes()[..20]);
    CommitId::from(bytes)
}

impl From<SourceError> for LandError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

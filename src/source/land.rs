//! One commit on the tip that was evaluated, and the way of that commit into the branch.
//!
//! Nothing is ever forced. A remote takes the commit only where its branch is what was evaluated; a clone's branch, index
//! and files follow only where nobody else has changed them. The commit is pushed before the clone follows, so that a
//! push that is refused leaves the clone as it was.

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

pub use deepen::Origin;
pub use destination::{Destination, Outcome, Overtaken, branch_name};
pub use error::LandError;
use error::Result;
use git2::{Oid, Repository};
pub use identity::Identity;
pub use message::{Message, change_id};
use pintle_core::git::{CommitId, FileChange};
pub use propose::{Beside, Proposed};
pub use race::{SentChanges, race};
use upstream::Upstream;

use super::{Location, Source, SourceError};

/// A branch that a commit can land on.
pub struct Landing<'s> {
    source: &'s Source,
    repo: Repository,
    /// Its plain name.
    branch: String,
    upstream: Option<Upstream>,
    /// It is what the working tree shows.
    checked_out: bool,
}

/// Where a commit has landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// The commit.
    pub commit: CommitId,
    /// The branch, by its plain name.
    pub branch: String,
    /// The remote that has it too.
    pub pushed_to: Option<String>,
    /// Set where the remote has it, and the clone could not follow: why.
    pub behind: Option<String>,
}

impl Source {
    /// Looks where a commit on a branch would land; on the branch of HEAD, where none is named.
    ///
    /// # Errors
    /// There is no such branch: HEAD is detached, or the remote of the branch cannot be used.
    pub fn landing(&self, branch: Option<&str>) -> Result<Landing<'_>> {
        let branch = branch.map_or_else(|| self.default_branch(), |branch| Ok(branch.to_owned()))?;
        if branch == "HEAD" {
            return Err(LandError::Detached { location: self.location.to_string() });
        }
        let path = self.repo().path().to_owned();
        let path = self.worktree().map_or(path, ToOwned::to_owned);
        let repo = Repository::open(&path).map_err(|error| LandError::git("open the repository", &error))?;
        let upstream = Upstream::of(&self.location, &repo, &branch)?;
        let head =
            repo.find_reference("HEAD").ok().and_then(|head| head.symbolic_target().ok().flatten().map(str::to_owned));
        let checked_out = self.worktree().is_some() && head == Some(full(&branch));
        Ok(Landing { source: self, repo, branch, upstream, checked_out })
    }
}

impl Landing<'_> {
    /// The plain name of the branch.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// The branch that it is pushed to, as people call it; none where there is none.
    pub fn upstream(&self) -> Option<&str> {
        self.upstream.as_ref().map(|upstream| upstream.name.as_str())
    }

    /// Whether a commit can stay here, without a push.
    pub fn is_clone(&self) -> bool {
        matches!(self.source.location, Location::Path(_))
    }

    /// How many commits of the branch the upstream did not have when it was last asked: a push takes them along.
    pub fn unpushed(&self) -> usize {
        let tracked = self.upstream.as_ref().and_then(|upstream| upstream.tracked(&self.repo));
        let tip = self.repo.refname_to_id(&full(&self.branch)).ok();
        let ahead = tip.zip(tracked).and_then(|(tip, tracked)| self.repo.graph_ahead_behind(tip, tracked).ok());
        ahead.map_or(0, |(ahead, _)| ahead)
    }

    /// Refuses where the working tree or the index has other changes to these files, where something else is at work on
    /// the branch, or where what is to be pushed does not go on from what the remote has.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn check(&self, files: &[FileChange], push: bool) -> Result<()> {
        if self.checked_out {
            clone::clean(&self.repo, &paths(files))?;
        } else {
            self.shown_nowhere()?;
        }
        if push { self.goes_on() } else { Ok(()) }
    }

    fn shown_nowhere(&self) -> Result<()> {
        let folder = clone::elsewhere(&self.repo, &full(&self.branch));
        folder.map_or(Ok(()), |folder| Err(LandError::Elsewhere { branch: self.branch.clone(), folder }))
    }

    /// Refuses where the branch does not go on from what the remote had when it was last asked.
    ///
    /// # Errors
    /// The two have parted.
    pub fn goes_on(&self) -> Result<()> {
        let tracked = self.upstream.as_ref().and_then(|upstream| Some((upstream, upstream.tracked(&self.repo)?)));
        let Some((upstream, tracked)) = tracked else { return Ok(()) };
        let fail = |error| LandError::git("compare the branch with its upstream", &error);
        let tip = self.repo.refname_to_id(&full(&self.branch)).map_err(fail)?;
        if tip == tracked || self.repo.graph_descendant_of(tip, tracked).map_err(fail)? {
            return Ok(());
        }
        Err(LandError::Parted { branch: self.branch.clone(), remote: upstream.name.clone() })
    }

    /// Writes the commit on `tip` and lands it: at the upstream first, where it is to be pushed, then here.
    ///
    /// # Errors
    /// Nothing has changed then, here or at the remote, but for [`LandError::Unsure`].
    pub fn land(&self, tip: CommitId, files: &[FileChange], message: &str, push: bool) -> Result<Landed> {
        // 1. What the user has under work stays.
        self.check(files, push)?;
        self.still_at(tip)?;
        // 2. A commit that nobody refers to.
        let who = self.source.identity()?;
        let commit = write::commit(&self.repo, (oid(tip), files), message, &who)?;
        let commit = self.source.signed(commit, &who)?;
        // 3. The remote, if its branch is what was evaluated.
        let pushed_to = match self.upstream.as_ref().filter(|_| push) {
            Some(upstream) => {
                let expected = push::expected(self.source, &self.repo, upstream, oid(tip));
                push::push(self.source, &self.repo, upstream, (expected, commit))?;
                Some(upstream.name.clone())
            }
            None if push => return Err(LandError::NoUpstream { branch: self.branch.clone() }),
            None => None,
        };
        // 4. The clone, if its branch still is.
        let followed = if self.is_clone() {
            let why = format!("commit (pintle): {}", write::subject(&self.repo, commit));
            self.follow([oid(tip), commit], &paths(files), (&who, &why))
        } else {
            Ok(())
        };
        let behind = match followed {
            Err(error) if pushed_to.is_none() => return Err(error),
            followed => followed.err().map(|error| error.to_string()),
        };
        Ok(Landed { commit: id(commit), branch: self.branch.clone(), pushed_to, behind })
    }

    /// The branch of a clone is where it was evaluated.
    fn still_at(&self, tip: CommitId) -> Result<()> {
        if !self.is_clone() {
            return Ok(());
        }
        let now =
            self.repo.refname_to_id(&full(&self.branch)).map_err(|error| LandError::git("read the branch", &error))?;
        if now == oid(tip) { Ok(()) } else { Err(LandError::Moved { branch: self.branch.clone(), now: id(now) }) }
    }

    /// The branch goes on from one commit to another, and index and working tree with it.
    fn follow(&self, [tip, commit]: [Oid; 2], files: &[Arc<str>], (who, why): (&Identity, &str)) -> Result<()> {
        let fail = |error| LandError::git("move the branch", &error);
        let full = full(&self.branch);
        let mut moving = self.repo.transaction().map_err(fail)?;
        moving.lock_ref(&full).map_err(fail)?;
        // Locked, nobody moves it any more.
        self.still_at(id(tip))?;
        if self.checked_out {
            clone::bring(&self.repo, commit, files)?;
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
    // 20 bytes are an id of SHA-1.
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

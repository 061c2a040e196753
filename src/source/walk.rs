//! Walks the first-parent line of a branch and finds the pin files that each commit changed, on all cores.

use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::ByteSlice as _;
use gix::objs::FindExt as _;
use pintle_core::git::{Commit, CommitId};
use pintle_core::pins::{Fragment, Layout};

use super::Source;
use super::error::{SourceResult, commit_error};
use super::object_id::GixId as _;
use super::resolve::read_commit;
use super::tree::{FileScope, TreeEntry, read, visit_differences};

/// The maximum number of threads. More of them only compete for memory bandwidth.
const MAX_WALK_THREADS: usize = 8;

/// The size of the object cache, in bytes: enough for the trees of two commits.
const WALK_OBJECT_CACHE_BYTES: usize = 4 << 20;

/// The commits of a first-parent line that are not indexed yet, oldest first.
pub(super) struct FirstParentLine {
    /// The indexed commit where the walk ended, and its root tree, against which the oldest new commit is diffed.
    pub met: Option<(CommitId, ObjectId)>,
    pub commits: Vec<(CommitId, ObjectId)>,
}

/// A commit that changed pin files.
pub(super) struct CommitStep {
    pub commit: Arc<Commit>,
    pub changes: Vec<FileAfterCommit>,
}

/// A file that a commit changed, and its new content; none if it was deleted.
pub(super) struct FileAfterCommit {
    pub path: Arc<str>,
    pub now: Option<(TreeEntry, Arc<Fragment>)>,
}

impl Source {
    /// Walks along first parents from `tip` to an indexed commit, or to the root.
    pub(super) fn walk_to_known(
        &self,
        tip: CommitId,
        is_known: impl Fn(CommitId) -> bool,
    ) -> SourceResult<FirstParentLine> {
        let repo = self.repo();
        let cut = repo.shallow_commits().ok().flatten();
        let mut line = FirstParentLine { met: None, commits: Vec::new() };
        let mut buffer = Vec::new();
        let mut next = Some(tip);
        while let Some(id) = next {
            let fail = |error| commit_error(id, &self.location, &error);
            let mut commit = repo.objects.find_commit_iter(&id.to_gix(), &mut buffer).map_err(fail)?;
            let tree = commit.tree_id().map_err(fail)?;
            if is_known(id) {
                line.met = Some((id, tree));
                break;
            }
            line.commits.push((id, tree));
            let last = cut.as_ref().is_some_and(|cut| cut.contains(&id.to_gix()));
            next = commit.parent_ids().next().filter(|_| !last).map(CommitId::from_gix);
        }
        line.commits.reverse();
        Ok(line)
    }

    /// Returns the nearest commit on the first-parent line that satisfies the condition, starting with `commit` itself.
    pub fn nearest_ancestor(
        &self,
        commit: CommitId,
        wanted: impl Fn(CommitId) -> bool,
    ) -> SourceResult<Option<CommitId>> {
        let repo = self.repo();
        let fail = |error| commit_error(commit, &self.location, &error);
        for step in repo.rev_walk([commit.to_gix()]).first_parent_only().all().map_err(fail)? {
            let id = CommitId::from_gix(step.map_err(fail)?.id);
            if wanted(id) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Returns the changes of each commit, oldest first. `before` is the root tree before the first one.
    pub(super) fn steps_in_parallel(
        &self,
        before: Option<ObjectId>,
        commits: &[(CommitId, ObjectId)],
        layout: &Layout,
    ) -> SourceResult<Vec<CommitStep>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_WALK_THREADS);
        let share = commits.len().div_ceil(threads).max(64);
        std::thread::scope(|scope| {
            let shares = commits.chunks(share).enumerate().map(|(index, share_of_one)| {
                let before = if index == 0 { before } else { Some(commits[index * share - 1].1) };
                scope.spawn(move || self.steps_of_one(before, share_of_one, layout))
            });
            let running: Vec<_> = shares.collect();
            let mut steps = Vec::new();
            for thread in running {
                steps.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(steps)
        })
    }

    /// Diffs a range of commits from the newest to the oldest. Git packs an older tree as a delta against the newer
    /// one, which is then cached.
    fn steps_of_one(
        &self,
        before: Option<ObjectId>,
        commits: &[(CommitId, ObjectId)],
        layout: &Layout,
    ) -> SourceResult<Vec<CommitStep>> {
        let mut repo = self.repo();
        // The old tree of one step is the new tree of the next.
        repo.object_cache_size(WALK_OBJECT_CACHE_BYTES);
        let mut steps = Vec::new();
        for (index, &(id, tree)) in commits.iter().enumerate().rev() {
            let fail = |error| commit_error(id, &self.location, &error);
            let before = index.checked_sub(1).map_or(before, |older| Some(commits[older].1));
            let mut leaves: Vec<(Arc<str>, Option<TreeEntry>)> = Vec::new();
            visit_differences(&repo, before, Some(tree), FileScope::Pins(layout), |path, leaf| {
                leaves.extend(
                    path.to_str().ok().filter(|path| layout.may_hold_pins(path)).map(|path| (path.into(), leaf)),
                );
            })
            .map_err(fail)?;
            if leaves.is_empty() {
                continue;
            }
            let changes = leaves.into_iter().map(|(path, leaf)| FileAfterCommit::read(&repo, path, leaf, layout));
            let changes = changes.collect::<gix::Result<_>>().map_err(fail)?;
            let data = repo.find_commit(id.to_gix()).map_err(fail)?;
            steps.push(CommitStep { commit: Arc::new(read_commit(id, &data.data)), changes });
        }
        steps.reverse();
        Ok(steps)
    }
}

impl FileAfterCommit {
    fn read(repo: &gix::Repository, path: Arc<str>, leaf: Option<TreeEntry>, layout: &Layout) -> gix::Result<Self> {
        let Some(leaf) = leaf else { return Ok(Self { path, now: None }) };
        let fragment = Fragment::read(&read(repo, &path, leaf)?, layout);
        Ok(Self { path, now: Some((leaf, Arc::new(fragment))) })
    }
}

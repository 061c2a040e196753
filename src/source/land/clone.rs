//! The index and working tree of a clone. They follow the branch only in files without local changes.

use std::path::Path;
use std::sync::Arc;

use git2::build::CheckoutBuilder;
use git2::{AttrCheckFlags, ErrorCode, FileMode, Oid, Repository, RepositoryState, Status, StatusOptions, Statuses};

use super::error::{LandError, LandResult};

/// Checks that index and working tree match HEAD in these files, and that no other Git operation is in progress.
pub(super) fn refuse_if_dirty(repo: &Repository, files: &[Arc<str>]) -> LandResult<()> {
    if let Some(what) = at_work(repo.state()) {
        return Err(LandError::OperationInProgress { what });
    }
    let mut options = StatusOptions::new();
    options.disable_pathspec_match(true);
    // A new file must not exist yet, ignored or not.
    options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(true).recurse_ignored_dirs(true);
    for path in files {
        options.pathspec(&**path);
    }
    let fail = |error| LandError::from_git("compare the working tree", &error);
    // One query for all files, as each query reads the whole index. Without any path it would cover all files.
    let found = if files.is_empty() { None } else { Some(repo.statuses(Some(&mut options)).map_err(fail)?) };
    let changed = found.iter().flat_map(Statuses::iter).filter(|entry| entry.status() != Status::CURRENT);
    let dirty: Vec<Arc<str>> = changed.map(|entry| String::from_utf8_lossy(entry.path_bytes()).into()).collect();
    if dirty.is_empty() { Ok(()) } else { Err(LandError::Dirty { files: dirty }) }
}

/// Writes the commit's version of these files to index and working tree. HEAD must still be at the parent.
pub(super) fn check_out_files(repo: &Repository, commit: Oid, files: &[Arc<str>]) -> LandResult<()> {
    let bring = || {
        let tree = repo.find_commit(commit)?.tree()?;
        let mut checkout = CheckoutBuilder::new();
        checkout.safe().recreate_missing(false).disable_pathspec_match(true);
        for path in files {
            checkout.path(&**path);
        }
        repo.checkout_tree(tree.as_object(), Some(&mut checkout))
    };
    bring().map_err(|error| match error.code() {
        ErrorCode::Conflict => LandError::Dirty { files: files.to_vec() },
        _ => LandError::from_git("bring the working tree along", &error),
    })
}

/// Returns the files that differ between two commits. It fails for files that only git itself can check out.
pub(super) fn differing_files(repo: &Repository, [from, to]: [Oid; 2]) -> LandResult<Vec<Arc<str>>> {
    let fail = |error| LandError::from_git("compare the branch with its upstream", &error);
    let tree = |commit| repo.find_commit(commit)?.tree();
    let [from, to] = [tree(from).map_err(fail)?, tree(to).map_err(fail)?];
    let diff = repo.diff_tree_to_tree(Some(&from), Some(&to), None).map_err(fail)?;
    let mut files = Vec::new();
    for delta in diff.deltas() {
        let path = delta.new_file().path().or(delta.old_file().path()).unwrap_or(Path::new(""));
        let file = path.to_str().filter(|_| {
            // Filters (LFS, encrypted secrets) need programs that only git runs.
            let filter = repo.get_attr(path, "filter", AttrCheckFlags::FILE_THEN_INDEX);
            filter.is_ok_and(|filter| filter.is_none()) && delta.new_file().mode() != FileMode::Commit
        });
        files.push(file.ok_or_else(|| LandError::UnsupportedFile { file: path.display().to_string() })?.into());
    }
    Ok(files)
}

/// Returns another working tree that has this branch checked out. Moving the branch would make that tree look modified.
pub(super) fn other_worktree_on(repo: &Repository, full: &str) -> Option<String> {
    let shows = |other: &Repository| {
        let head = other.find_reference("HEAD").ok()?.symbolic_target().ok().flatten().map(str::to_owned)?;
        (head == full).then(|| other.workdir().map(|folder| folder.display().to_string()))?
    };
    let main = || shows(&Repository::open(repo.commondir()).ok().filter(|main| !main.is_bare())?);
    let names = repo.worktrees().ok();
    let linked = names.iter().flatten().filter_map(|name| {
        let linked = repo.find_worktree(name.ok().flatten()?).ok()?;
        shows(&Repository::open_from_worktree(&linked).ok()?)
    });
    linked.into_iter().next().or_else(main)
}

fn at_work(state: RepositoryState) -> Option<&'static str> {
    Some(match state {
        RepositoryState::Clean => return None,
        RepositoryState::Merge => "a merge",
        RepositoryState::Revert | RepositoryState::RevertSequence => "a revert",
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => "a cherry-pick",
        RepositoryState::Bisect => "a bisection",
        RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => "a rebase",
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => "applying mails",
    })
}

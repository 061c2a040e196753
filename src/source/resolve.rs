//! Resolves branch names by git's rules and revisions as users type them, and relates commits to each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use gix::bstr::{BStr, ByteSlice as _};
use jiff::Timestamp;
use pintle_core::git::{Commit, CommitId};
use pintle_core::problem::display_safe;

use super::error::{SourceResult, commit_error, gix_error_text, object_error};
use super::object_id::GixId as _;
use super::{Source, SourceError};

/// The relation of a commit to the tip of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TipRelation {
    Same,
    /// The tip descends from the commit.
    Ahead {
        /// The number of commits between them on the first-parent line.
        commits: usize,
    },
    /// The branch was rewritten: the tip does not descend from the commit.
    Rewritten {
        /// The best common ancestor; none without a common history.
        merge_base: Option<CommitId>,
    },
    /// The repository lacks the commit: it was rewritten long ago, or belongs to another repository.
    Unknown,
}

/// gix's message for an ancestor before the root.
const GIX_OUT_OF_RANGE_MESSAGE: &str = "is out of range";

/// Translates gix's message into the user's terms where its text is known.
fn why(said: &str) -> String {
    if said.contains(GIX_OUT_OF_RANGE_MESSAGE) {
        "its history is not that long".to_owned()
    } else if said.contains("could not be found") {
        "no branch, tag or commit has this name".to_owned()
    } else {
        said.to_owned()
    }
}

/// Appended for shallow clones, which CI systems create by default.
const SHALLOW_CLONE_HINT: &str =
    ", or it lies outside this shallow clone: git fetch --unshallow, or clone all of it in CI";

/// The maximum length of a revision name, in characters. Longer ones are shortened in messages.
const MAX_REVISION_NAME_BYTES: usize = 200;

impl Source {
    /// Returns the plain name of HEAD's branch; `HEAD` if it is detached.
    pub fn default_branch(&self) -> SourceResult<String> {
        let repo = self.repo();
        let head = repo.head_name().map_err(|error| object_error("HEAD", &self.location, &error))?;
        Ok(head.map_or_else(|| "HEAD".to_owned(), |name| name.shorten().to_string()))
    }

    /// Returns the tip of a branch by its plain name; without a name, of HEAD.
    pub fn tip(&self, branch: Option<&str>) -> SourceResult<Commit> {
        let Some(name) = branch.filter(|name| *name != "HEAD") else { return self.head() };
        let repo = self.repo();
        let full = full_branch_name(name)?;
        let found =
            repo.try_find_reference(full.as_str()).map_err(|error| object_error(&full, &self.location, &error))?;
        let Some(mut reference) = found else {
            return Err(match self.head() {
                Err(empty @ SourceError::Empty { .. }) if self.branches().is_empty() => empty,
                _ => self.no_branch_error(name, &self.branches()),
            });
        };
        let commit = reference.peel_to_commit().map_err(|error| object_error(&full, &self.location, &error))?;
        self.commit(CommitId::from_gix(commit.id))
    }

    /// Resolves a revision as git does: a branch, a tag, an id or its prefix, `HEAD~1`, and so on.
    pub fn resolve(&self, revision: &str) -> SourceResult<Commit> {
        let none = |why: String, near, deeper| SourceError::Revision {
            rev: display_safe(revision, MAX_REVISION_NAME_BYTES),
            location: self.location.to_string(),
            why,
            similar: near,
            may_be_before_shallow: deeper,
        };
        let revision = revision.trim();
        if revision.is_empty() || revision.starts_with('-') || revision.chars().any(char::is_control) {
            return Err(none("this is not a revision".to_owned(), Vec::new(), false));
        }
        let repo = self.repo();
        let name = revision.split(['^', '~', '@', ':']).next().unwrap_or_default();
        let exists = |folder: &str| {
            let full = format!("refs/{folder}/{name}");
            repo.try_find_reference(full.as_str()).is_ok_and(|found| found.is_some())
        };
        if exists("heads") && exists("tags") {
            return Err(SourceError::Ambiguous { name: name.to_owned() });
        }
        let found = repo.rev_parse_single(revision).and_then(|id| id.object()?.peel_to_commit());
        match found {
            Ok(commit) => self.commit(CommitId::from_gix(commit.id)),
            Err(_) if self.head().is_err_and(|error| matches!(error, SourceError::Empty { .. })) => self.head(),
            Err(_) if revision.contains("..") => {
                Err(none("this is a range, and one commit is meant".to_owned(), Vec::new(), false))
            }
            Err(error) => {
                let deeper = self.is_shallow();
                let cut = if deeper { SHALLOW_CLONE_HINT } else { "" };
                Err(none(why(&gix_error_text(&error)) + cut, similar_names(name, &self.branches()), deeper))
            }
        }
    }

    /// Returns the metadata of a commit.
    pub fn commit(&self, id: CommitId) -> SourceResult<Commit> {
        let repo = self.repo();
        let commit = repo.find_commit(id.to_gix()).map_err(|error| commit_error(id, &self.location, &error))?;
        Ok(read_commit(id, &commit.data))
    }

    /// Returns the whole message of a commit, with invalid UTF-8 replaced.
    pub fn commit_message(&self, id: CommitId) -> SourceResult<String> {
        let repo = self.repo();
        let fail = |error| commit_error(id, &self.location, &error);
        let commit = repo.find_commit(id.to_gix()).map_err(fail)?;
        let message = commit.message_raw().map_err(fail)?;
        Ok(message.to_str_lossy().into_owned())
    }

    /// Returns whether `ancestor` is `descendant` or one of its ancestors.
    pub fn is_ancestor(&self, ancestor: CommitId, descendant: CommitId) -> SourceResult<bool> {
        Ok(ancestor == descendant || self.merge_base(ancestor, descendant)? == Some(ancestor))
    }

    /// Returns which of these commits are `tip` or its ancestors. One walk serves all and ends when all are found.
    pub fn ancestors_among(&self, tip: CommitId, commits: &BTreeSet<CommitId>) -> SourceResult<BTreeSet<CommitId>> {
        let repo = self.repo();
        let mut left: BTreeSet<CommitId> = commits.iter().copied().filter(|id| self.has_commit(*id)).collect();
        let mut found = BTreeSet::new();
        if left.is_empty() || !self.has_commit(tip) {
            return Ok(found);
        }
        let fail = |error| commit_error(tip, &self.location, &error);
        for step in repo.rev_walk([tip.to_gix()]).all().map_err(fail)? {
            let id = CommitId::from_gix(step.map_err(fail)?.id);
            found.extend(left.take(&id));
            if left.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// Returns whether the repository has a commit.
    pub fn has_commit(&self, id: CommitId) -> bool {
        self.repo().has_object(id.to_gix())
    }

    /// Returns the relation of `old` to `tip`. It distinguishes a branch that advanced from one that was rewritten.
    pub fn relation_to_tip(&self, old: CommitId, tip: CommitId) -> SourceResult<TipRelation> {
        if old == tip {
            return Ok(TipRelation::Same);
        }
        if !self.has_commit(old) {
            return Ok(TipRelation::Unknown);
        }
        let merge_base = self.merge_base(old, tip)?;
        if merge_base != Some(old) {
            return Ok(TipRelation::Rewritten { merge_base });
        }
        let repo = self.repo();
        let fail = |error| commit_error(tip, &self.location, &error);
        let walk = repo.rev_walk([tip.to_gix()]).with_hidden([old.to_gix()]).first_parent_only().all();
        let commits = walk.map_err(fail)?.take_while(std::result::Result::is_ok).count();
        Ok(TipRelation::Ahead { commits })
    }

    /// Returns the names of all branches: local ones first, then remote-tracking ones as `origin/main`.
    pub fn branches(&self) -> Vec<String> {
        let repo = self.repo();
        let Ok(references) = repo.references() else { return Vec::new() };
        let local = references.local_branches().into_iter().flatten();
        let remote = references.remote_branches().into_iter().flatten();
        local.chain(remote).filter_map(|found| Some(found.ok()?.name().shorten().to_string())).collect()
    }

    /// Returns whether the repository is a shallow clone.
    pub fn is_shallow(&self) -> bool {
        self.repo().is_shallow().unwrap_or(false)
    }

    fn head(&self) -> SourceResult<Commit> {
        let repo = self.repo();
        let fail = |error| object_error("HEAD", &self.location, &error);
        let mut head = repo.head().map_err(fail)?;
        if head.is_unborn() {
            return Err(SourceError::Empty { location: self.location.to_string() });
        }
        let commit = head.peel_to_commit().map_err(fail)?;
        self.commit(CommitId::from_gix(commit.id))
    }

    fn merge_base(&self, one: CommitId, two: CommitId) -> SourceResult<Option<CommitId>> {
        let mut repo = self.repo();
        repo.object_cache_size_if_unset(4 << 20);
        let base = repo.merge_base(one.to_gix(), two.to_gix());
        Ok(base.map_err(|error| commit_error(two, &self.location, &error))?.map(|id| CommitId::from_gix(id.detach())))
    }

    /// Builds the error for a missing branch, with similar names from `branches`.
    pub(super) fn no_branch_error(&self, name: &str, branches: &[String]) -> SourceError {
        let near = similar_names(name, branches);
        SourceError::NoBranch {
            name: display_safe(name, MAX_REVISION_NAME_BYTES),
            location: self.location.to_string(),
            similar: near,
        }
    }
}

/// Returns `refs/heads/<name>`, checked by the rules of `git check-ref-format --branch`.
pub(super) fn full_branch_name(name: &str) -> SourceResult<String> {
    let wrong = |why: String| SourceError::BranchName { name: display_safe(name, MAX_REVISION_NAME_BYTES), why };
    if name.starts_with('-') {
        return Err(wrong("it begins with a dash".to_owned()));
    }
    if name.starts_with("refs/") {
        return Err(wrong("it is a full ref, not the name alone".to_owned()));
    }
    let full = format!("refs/heads/{name}");
    gix::validate::reference::name(full.as_bytes().as_bstr()).map_err(|error| wrong(error.to_string()))?;
    Ok(full)
}

/// Parses a commit's metadata. Unreadable fields stay empty, because only the graph matters.
pub(super) fn read_commit(id: CommitId, data: &[u8]) -> Commit {
    let fields = || gix::objs::CommitRefIter::from_bytes(data, gix::hash::Kind::Sha1);
    let author = fields().author().map(|author| {
        let (name, mail) = (author.name.trim().to_str_lossy(), author.email.trim().to_str_lossy());
        format!("{name} <{mail}>")
    });
    let seconds = fields().committer().ok().and_then(|committer| committer.time().ok()).map_or(0, |time| time.seconds);
    let message = fields().message().unwrap_or_else(|_| BStr::new(""));
    let subject = message.trim_start().lines().next().unwrap_or_default().to_str_lossy();
    Commit {
        id,
        author: cut(&author.unwrap_or_default()),
        time: Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH),
        subject: cut(&subject),
    }
}

/// Limits a text to 1,000 characters; a subject line can have a megabyte.
fn cut(text: &str) -> Arc<str> {
    text.char_indices().nth(1000).map_or(text, |(end, _)| &text[..end]).into()
}

/// Returns up to three similar names, the closest first.
pub(super) fn similar_names(name: &str, names: &[String]) -> Vec<String> {
    let mut near: Vec<(usize, &String)> = names
        .iter()
        .take(10_000)
        .map(|known| (distance(name, known.strip_prefix("origin/").unwrap_or(known)), known))
        .filter(|(distance, _)| *distance <= name.len().div_ceil(3))
        .collect();
    near.sort();
    near.truncate(3);
    near.into_iter().map(|(_, name)| display_safe(name, MAX_REVISION_NAME_BYTES)).collect()
}

/// Returns the edit distance: the number of inserted, removed or replaced characters.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(MAX_REVISION_NAME_BYTES).collect(), b.chars().take(MAX_REVISION_NAME_BYTES).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let best = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, full_branch_name, similar_names};

    #[test]
    fn branch_names_follow_git() {
        for good in ["main", "release/1.8", "a@b", "HEADS"] {
            assert_eq!(full_branch_name(good).unwrap(), format!("refs/heads/{good}"));
        }
        for bad in ["", "-x", "a..b", "@{u}", "HEAD~1", "refs/heads/../x", "a\u{1b}b", "a.lock", "a b", "a/", "x^"] {
            let error = full_branch_name(bad).unwrap_err();
            assert!(!error.to_string().contains('\u{1b}'), "{error}");
        }
    }

    #[test]
    fn near_names_are_offered() {
        assert_eq!((distance("main", "main"), distance("mian", "main"), distance("", "abc")), (0, 2, 3));
        let names = ["main", "master", "release", "origin/release"].map(str::to_owned);
        assert_eq!(similar_names("mai", &names), ["main"]);
        assert_eq!(similar_names("relaese", &names), ["origin/release", "release"]);
        assert!(similar_names("zzz", &names).is_empty());
    }
}

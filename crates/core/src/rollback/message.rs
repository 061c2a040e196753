//! The commit message of a rollback.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::{Member, Revert};
use crate::change::{REAPPLY_SUBJECT_PREFIX, REVERT_SUBJECT_PREFIX};
use crate::git::{Commit, CommitId, FileChange, FileContent, RepoFile, blob_id};
use crate::history::{History, PinRecord};
use crate::image::Image;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackMessage {
    pub subject: String,
    /// Paragraphs.
    pub body: Vec<String>,
    /// Trailers in order, as key and value.
    pub trailers: Vec<(&'static str, String)>,
}

/// The one commit whose pin moves a rollback reverts completely, without any other moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevertedCommit(pub Arc<Commit>);

/// Longest subject, in bytes. Forges, and `git log --oneline` in narrow terminals, cut longer ones.
const MAX_SUBJECT_BYTES: usize = 72;

/// Most commits that trailers list one by one. Of more, only the oldest and the newest are named, as a range.
const MAX_LISTED_COMMITS: usize = 20;

impl RollbackMessage {
    /// Builds the message of a rollback. `inverse` is the commit that it reverts exactly, with all other lines of the
    /// files.
    pub fn for_revert(
        revert: &Revert,
        history: &History,
        instance: &str,
        reason: Option<&str>,
        inverse: Option<&RevertedCommit>,
    ) -> Self {
        let moves: Vec<String> = revert.members.iter().map(move_text).collect();
        let lines = revert.members.iter().zip(&moves).map(|(member, moved)| format!("{moved}: {}", member.why));
        let mut body: Vec<String> = reason.map(str::to_owned).into_iter().collect();
        body.push(lines.collect::<Vec<_>>().join("\n"));
        body.extend(inverse.map(|RevertedCommit(commit)| inverse_of(commit.id)));
        let names: Vec<&str> = revert.members.iter().map(|member| member.service.as_str()).collect();
        let mut trailers: Vec<_> =
            reverted_commits(revert, history).into_iter().map(|it| ("Pintle-Reverts", it)).collect();
        trailers.push(("Pintle-Services", names.join(", ")));
        trailers.push(("Pintle-Id", id(revert, history, instance)));
        Self { subject: subject(&moves), body, trailers }
    }

    /// Adds the statement that the rollback reverts the commit exactly.
    #[must_use]
    pub fn of_inverse(mut self, commit: CommitId) -> Self {
        let says = inverse_of(commit);
        if !self.body.contains(&says) {
            self.body.push(says);
        }
        self
    }

    /// Turns the message into that of an undone rollback.
    #[must_use]
    pub fn of_reapply(self) -> Self {
        Self { subject: self.subject.replacen(REVERT_SUBJECT_PREFIX, REAPPLY_SUBJECT_PREFIX, 1), ..self }
    }
}

impl fmt::Display for RollbackMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.subject)?;
        self.body.iter().try_for_each(|paragraph| writeln!(f, "{paragraph}\n"))?;
        self.trailers.iter().try_for_each(|(key, value)| writeln!(f, "{key}: {value}"))
    }
}

/// Returns the one commit whose moves a rollback reverts completely, if there is one. A rollback with holds has none:
/// its holds go beyond the commit.
pub fn exactly_reverted_commit(revert: &Revert, history: &History) -> Option<RevertedCommit> {
    if !revert.holds.is_empty() {
        return None;
    }
    let place = |member: &Member| match history.records(&member.service) {
        [.., before, last] if before.position == member.target.position => Some(last.position),
        _ => None,
    };
    let places: BTreeSet<Option<u32>> = revert.members.iter().map(place).collect();
    let place = places.first().copied().flatten().filter(|_| places.len() == 1)?;
    let is_there = |records: &[PinRecord]| records.binary_search_by_key(&place, |record| record.position).is_ok();
    let moved = history.services().filter(|(_, records)| is_there(records)).count();
    let commit = history.moves().get(usize::try_from(place).ok()?)?;
    (moved == revert.members.len()).then(|| RevertedCommit(Arc::clone(commit)))
}

/// Returns the sentence that `git revert` writes and forges recognize.
fn inverse_of(commit: CommitId) -> String {
    format!("This reverts commit {commit}.")
}

/// Returns whether edits revert a commit exactly. `changed` are the paths that the commit changed, sorted; `before` are
/// these files before the commit, by path.
pub fn undoes_exactly(edits: &[FileChange], changed: &[Arc<str>], before: &[RepoFile]) -> bool {
    let is_as_before = |file: &FileChange| {
        let was = before.binary_search_by(|was| was.path.cmp(&file.path)).ok().map(|at| &before[at].content);
        match (was, &file.content) {
            (Some(FileContent::Bytes(was)), Some(now)) => was == now,
            (None, None) => true,
            _ => false,
        }
    };
    edits.iter().map(|file| &file.path).eq(changed) && edits.iter().all(is_as_before)
}

/// Formats a move: `payments 2.1.0 -> 2.0.3`.
fn move_text(member: &Member) -> String {
    let Member { service, from, to, .. } = member;
    let [from, to] = if from.version == to.version {
        Image::distinguish(&from.image, &to.image)
    } else {
        [&from.version, &to.version].map(ToString::to_string)
    };
    format!("{service} {from} -> {to}")
}

/// Formats the subject, with as many moves as fit.
fn subject(moves: &[String]) -> String {
    let mut subject = REVERT_SUBJECT_PREFIX.to_owned();
    for (number, moved) in moves.iter().enumerate() {
        let more = format!(" and {} more", moves.len() - number);
        let is_last = number + 1 == moves.len();
        let room = MAX_SUBJECT_BYTES.saturating_sub(if is_last { 0 } else { more.len() });
        if number > 0 && subject.len() + 2 + moved.len() > room {
            return subject + &more;
        }
        subject.push_str(if number > 0 { ", " } else { "" });
        subject.push_str(moved);
    }
    subject
}

/// Returns the ids of the commits whose moves are reverted, newest first; or one range, if there are too many.
fn reverted_commits(revert: &Revert, history: &History) -> Vec<String> {
    let since = |member: &Member| {
        let records = history.records(&member.service);
        let at = records.partition_point(|record| record.position <= member.target.position);
        records[at..].iter().map(|record| (record.position, record.commit.id)).collect::<Vec<_>>()
    };
    let commits: BTreeMap<u32, CommitId> = revert.members.iter().flat_map(since).collect();
    match (commits.first_key_value(), commits.last_key_value()) {
        (Some((_, oldest)), Some((_, newest))) if commits.len() > MAX_LISTED_COMMITS => {
            vec![format!("{oldest}^..{newest}")]
        }
        _ => commits.values().rev().map(ToString::to_string).collect(),
    }
}

/// Returns an id of the rollback that is the same whenever and wherever it is computed. It covers the moves and the
/// last commit of each member, so that a second rollback of the same versions gets another id.
fn id(revert: &Revert, history: &History, instance: &str) -> String {
    let last = |member: &Member| history.records(&member.service).last().map(|record| record.commit.id.to_hex());
    let line = |member: &Member| format!("{} {} {}", member.service, last(member).unwrap_or_default(), member.to.image);
    let mut lines: Vec<String> = revert.members.iter().map(line).collect();
    lines.sort();
    blob_id(format!("{instance}\n{}", lines.join("\n")).as_bytes()).to_hex()[..16].to_owned()
}

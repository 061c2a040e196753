//! The message of the commit that takes services back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::{Member, Revert};
use crate::change::{REAPPLY, REVERT};
use crate::git::{Commit, CommitId, Content, File, FileChange, content_id};
use crate::history::{History, Record};
use crate::image::Image;

/// The message of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub subject: String,
    /// What is said, in paragraphs.
    pub body: Vec<String>,
    /// The trailers, in their order.
    pub trailers: Vec<(&'static str, String)>,
}

/// The one commit whose moves of pins a revert takes back, all of them and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inverse(pub Arc<Commit>);

/// Subjects are cut by forges and by `git log --oneline` in narrow terminals.
const SUBJECT: usize = 72;

/// Of more commits only the oldest and the newest are named.
const NAMED: usize = 20;

impl Message {
    /// The message for a revert in an instance. `inverse` is the commit that it takes back exactly, other lines of its
    /// files included.
    pub fn of(
        revert: &Revert,
        history: &History,
        instance: &str,
        reason: Option<&str>,
        inverse: Option<&Inverse>,
    ) -> Self {
        let moves: Vec<String> = revert.members.iter().map(moved).collect();
        let lines = revert.members.iter().zip(&moves).map(|(member, moved)| format!("{moved}: {}", member.why));
        let mut body: Vec<String> = reason.map(str::to_owned).into_iter().collect();
        body.push(lines.collect::<Vec<_>>().join("\n"));
        body.extend(inverse.map(|Inverse(commit)| inverse_of(commit.id)));
        let names: Vec<&str> = revert.members.iter().map(|member| member.service.as_str()).collect();
        let mut trailers: Vec<_> = undone(revert, history).into_iter().map(|it| ("Pintle-Reverts", it)).collect();
        trailers.push(("Pintle-Services", names.join(", ")));
        trailers.push(("Pintle-Id", id(revert, history, instance)));
        Self { subject: subject(&moves), body, trailers }
    }

    /// Returns the message that says that the commit is taken back exactly.
    #[must_use]
    pub fn of_inverse(mut self, commit: CommitId) -> Self {
        let says = inverse_of(commit);
        if !self.body.contains(&says) {
            self.body.push(says);
        }
        self
    }

    /// Returns the message of a rollback that is undone.
    #[must_use]
    pub fn of_reapply(self) -> Self {
        Self { subject: self.subject.replacen(REVERT, REAPPLY, 1), ..self }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.subject)?;
        self.body.iter().try_for_each(|paragraph| writeln!(f, "{paragraph}\n"))?;
        self.trailers.iter().try_for_each(|(key, value)| writeln!(f, "{key}: {value}"))
    }
}

/// The commit whose moves a revert takes back, where it is one, and it takes back all of them. A revert that holds what it
/// moves does more than that.
pub fn inverse(revert: &Revert, history: &History) -> Option<Inverse> {
    if !revert.holds.is_empty() {
        return None;
    }
    let place = |member: &Member| match history.records(&member.service) {
        [.., before, last] if before.position == member.target.position => Some(last.position),
        _ => None,
    };
    let places: BTreeSet<Option<u32>> = revert.members.iter().map(place).collect();
    let place = places.first().copied().flatten().filter(|_| places.len() == 1)?;
    let is_there = |records: &[Record]| records.binary_search_by_key(&place, |record| record.position).is_ok();
    let moved = history.services().filter(|(_, records)| is_there(records)).count();
    let commit = history.moves().get(usize::try_from(place).ok()?)?;
    (moved == revert.members.len()).then(|| Inverse(Arc::clone(commit)))
}

/// What `git revert` says, and forges read.
fn inverse_of(commit: CommitId) -> String {
    format!("This reverts commit {commit}.")
}

/// Whether edits undo a commit exactly: `changed` are the paths of the files that the commit changed, sorted, and `before`
/// is what stood in them before it, by path.
pub fn undoes_exactly(edits: &[FileChange], changed: &[Arc<str>], before: &[File]) -> bool {
    let is_as_before = |file: &FileChange| {
        let was = before.binary_search_by(|was| was.path.cmp(&file.path)).ok().map(|at| &before[at].content);
        match (was, &file.content) {
            (Some(Content::Bytes(was)), Some(now)) => was == now,
            (None, None) => true,
            _ => false,
        }
    };
    edits.iter().map(|file| &file.path).eq(changed) && edits.iter().all(is_as_before)
}

/// `payments 2.1.0 -> 2.0.3`.
fn moved(member: &Member) -> String {
    let Member { service, from, to, .. } = member;
    let [from, to] = if from.version == to.version {
        Image::apart(&from.image, &to.image)
    } else {
        [&from.version, &to.version].map(ToString::to_string)
    };
    format!("{service} {from} -> {to}")
}

/// As many moves as there is room for.
fn subject(moves: &[String]) -> String {
    let mut subject = REVERT.to_owned();
    for (number, moved) in moves.iter().enumerate() {
        let more = format!(" and {} more", moves.len() - number);
        let is_last = number + 1 == moves.len();
        let room = SUBJECT.saturating_sub(if is_last { 0 } else { more.len() });
        if number > 0 && subject.len() + 2 + moved.len() > room {
            return subject + &more;
        }
        subject.push_str(if number > 0 { ", " } else { "" });
        subject.push_str(moved);
    }
    subject
}

/// The commits whose moves are undone, newest first.
fn undone(revert: &Revert, history: &History) -> Vec<String> {
    let since = |member: &Member| {
        let records = history.records(&member.service);
        let at = records.partition_point(|record| record.position <= member.target.position);
        records[at..].iter().map(|record| (record.position, record.commit.id)).collect::<Vec<_>>()
    };
    let commits: BTreeMap<u32, CommitId> = revert.members.iter().flat_map(since).collect();
    match (commits.first_key_value(), commits.last_key_value()) {
        (Some((_, oldest)), Some((_, newest))) if commits.len() > NAMED => vec![format!("{oldest}^..{newest}")],
        _ => commits.values().rev().map(ToString::to_string).collect(),
    }
}

/// Names what is taken back, and from which commits' moves: the same wherever and whenever it is worked out, and another
/// one when the same versions are pinned and taken back again.
fn id(revert: &Revert, history: &History, instance: &str) -> String {
    let last = |member: &Member| history.records(&member.service).last().map(|record| record.commit.id.to_hex());
    let line = |member: &Member| format!("{} {} {}", member.service, last(member).unwrap_or_default(), member.to.image);
    let mut lines: Vec<String> = revert.members.iter().map(line).collect();
    lines.sort();
    content_id(format!("{instance}\n{}", lines.join("\n")).as_bytes()).to_hex()[..16].to_owned()
}

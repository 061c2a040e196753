//! Reads from a commit message which commits it reverts. Understands Pintle's own messages and those of git and forges.
//!
//! | by | subject | body |
//! |---|---|---|
//! | Pintle | `Revert pins: …`, `Reapply pins: …` | `Pintle-Reverts: SHA`, or `OLDEST^..NEWEST` |
//! | git revert | `Revert "…"`; since 2.43 `Reapply "…"` for the revert of a revert | `This reverts commit SHA.`; of a merge `…SHA, reversing` |
//! | GitHub's button | `Revert "…"`, with ` (#124)` appended by a squash; merged from the branch `revert-123-…` | `Reverts owner/repo#123` |
//! | Gitea, Forgejo, by the title of the pull request | `Merge pull request '…' (#124) from …` | |
//! | GitLab's button | `Revert "…"`; merged from the branch `revert-SHA` | `This reverts merge request !123` or `commit SHA` |
//! | Gerrit | `Revert "…"`, then `Revert^2 "…"` and so on | `This reverts commit SHA.` |
//!
//! Sources: git's `sequencer.c`, Gitea's `services/pull/merge.go`, Gerrit's `CommitUtil.java`, GitLab's
//! `app/models/merge_request.rb` and `commit.rb`. GitHub documents its button by example only.

use std::fmt;

/// Prefix of the subjects of rollbacks.
pub const REVERT_SUBJECT_PREFIX: &str = "Revert pins: ";

/// Prefix of the subjects of undone rollbacks.
pub const REAPPLY_SUBJECT_PREFIX: &str = "Reapply pins: ";

/// Longest part of a message that is read, in bytes.
const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// Most commits that are taken from one message.
const MAX_REFERENCED_COMMITS: usize = 20;

/// Most nested reverts that are read from one title. People write no more than a handful.
const MAX_NESTED_REVERTS: usize = 100;

/// The revert that a commit message states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoClaim {
    pub kind: UndoKind,
    /// References to the reverted commits, of the most reliable form in the message.
    pub references: Vec<UndoReference>,
}

impl UndoClaim {
    /// Returns the revert that a merge makes. If the merge commit names no commits, those of the merged commits are
    /// used: forges repeat only the title.
    pub fn of_merge(own: Option<Self>, merged: impl FnOnce() -> Option<Self>) -> Option<Self> {
        match own {
            None => merged(),
            Some(own) if own.references.is_empty() => merged().filter(|merged| merged.kind == own.kind).or(Some(own)),
            own => own,
        }
    }
}

/// The direction of a revert, and its author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoKind {
    /// A rollback by Pintle.
    Rollback,
    /// A revert by hand or by a forge.
    Revert,
    /// The revert of a rollback or of a revert.
    Reapply,
}

/// A reference from a message to the commits it reverts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoReference {
    /// The id of a commit, or a prefix of it.
    Commit(String),
    /// The ids of the oldest and the newest commit of a range.
    Commits(String, String),
    /// The number of a pull request.
    PullRequest(u32),
    /// The number of a merge request.
    MergeRequest(u32),
    /// The subject of a commit.
    Title(String),
}

/// Reads the revert that a commit message states; `None` if it states none.
pub fn undo_claim(message: &str) -> Option<UndoClaim> {
    let end = (0..=MAX_MESSAGE_BYTES.min(message.len())).rev().find(|end| message.is_char_boundary(*end));
    let text = &message[..end.unwrap_or_default()];
    let (subject, body) = text.trim_start().split_once('\n').unwrap_or((text.trim_start(), ""));
    let merged = subject.starts_with("Merge ");
    let title = if merged { title_of_merge(subject, body) } else { subject };
    let (depth, direct) = nested_reverts(title.trim_end());
    let trailers: Vec<UndoReference> = body.lines().filter_map(trailer).take(MAX_REFERENCED_COMMITS).collect();
    let is_ours = !trailers.is_empty() || title.starts_with(REVERT_SUBJECT_PREFIX);
    let names = [
        trailers,
        body.lines().filter_map(commit).take(MAX_REFERENCED_COMMITS).collect(),
        body.lines().find_map(request).into_iter().collect(),
        branch(subject).filter(|_| merged).into_iter().collect(),
        direct.map(UndoReference::Title).into_iter().collect(),
    ];
    let of: Vec<UndoReference> = names.into_iter().find(|names| !names.is_empty()).unwrap_or_default();
    let act = match depth {
        0 if of.is_empty() => return None,
        _ if depth % 2 == 0 && depth > 0 => UndoKind::Reapply,
        _ if is_ours => UndoKind::Rollback,
        _ => UndoKind::Revert,
    };
    Some(UndoClaim { kind: act, references: of })
}

/// Returns the title of a merged request: Gitea puts it into the subject, other forges put it into the body.
fn title_of_merge<'m>(subject: &'m str, body: &'m str) -> &'m str {
    let quoted = subject.strip_prefix("Merge pull request '").and_then(|rest| rest.rsplit_once("' ("));
    quoted.map_or_else(|| body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default(), |(title, _)| title)
}

/// Returns how many times a title reverts, and the title of the commit it reverts directly.
fn nested_reverts(title: &str) -> (u32, Option<String>) {
    let (mut depth, mut rest, mut direct) = (0_u32, title, None);
    for _ in 0..MAX_NESTED_REVERTS {
        let Some((times, inner)) = outer_revert(rest) else { break };
        direct = direct.or_else(|| match times {
            0 | 1 => Some(inner.to_owned()),
            2 => Some(format!("Revert \"{inner}\"")),
            more => Some(format!("Revert^{} \"{inner}\"", more - 1)),
        });
        (depth, rest) = (depth.saturating_add(times), inner);
    }
    let ours = if rest.starts_with(REVERT_SUBJECT_PREFIX) {
        1
    } else {
        2 * u32::from(rest.starts_with(REAPPLY_SUBJECT_PREFIX))
    };
    (depth.saturating_add(ours), direct)
}

/// Peels one layer: `Revert "…"`, `Reapply "…"` or `Revert^3 "…"`, with or without a pull request's number. Returns how
/// many times it reverts, and the inner title.
fn outer_revert(title: &str) -> Option<(u32, &str)> {
    let (times, rest) = if let Some(rest) = title.strip_prefix("Revert^") {
        let (times, rest) = rest.split_once(' ')?;
        (times.parse().ok()?, rest)
    } else if let Some(rest) = title.strip_prefix("Revert ") {
        (1, rest)
    } else {
        (2, title.strip_prefix("Reapply ")?)
    };
    let quoted = rest.strip_prefix('"')?;
    let bare = without_pull_request_number(quoted);
    Some((times, bare.strip_suffix('"').unwrap_or(bare)))
}

/// Removes the ` (#124)` that a squash appends to a title.
pub fn without_pull_request_number(title: &str) -> &str {
    let number = title.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (#"));
    number.filter(|(_, digits)| is_number(digits)).map_or(title, |(title, _)| title)
}

fn trailer(line: &str) -> Option<UndoReference> {
    let value = line.strip_prefix("Pintle-Reverts:")?.trim();
    if let Some((oldest, newest)) = value.split_once("^..") {
        return Some(UndoReference::Commits(id(oldest)?, id(newest)?));
    }
    id(value).map(UndoReference::Commit)
}

fn commit(line: &str) -> Option<UndoReference> {
    let rest = line.strip_prefix("This reverts commit ")?;
    let end = rest.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(rest.len());
    id(&rest[..end]).map(UndoReference::Commit)
}

fn request(line: &str) -> Option<UndoReference> {
    if let Some(number) = line.strip_prefix("This reverts merge request !") {
        let digits = number.trim_end().trim_end_matches('.');
        return digits.parse().ok().filter(|_| is_number(digits)).map(UndoReference::MergeRequest);
    }
    let (repository, number) = line.strip_prefix("Reverts ")?.trim_end().split_once('#')?;
    let is_repository = repository.is_empty() || repository.split('/').filter(|part| !part.is_empty()).count() == 2;
    number.parse().ok().filter(|_| is_repository && is_number(number)).map(UndoReference::PullRequest)
}

/// Reads the name of a merged branch: `… from acme/revert-123-release`, `… branch 'revert-1a2b3c4d' into 'main'`.
fn branch(subject: &str) -> Option<UndoReference> {
    let (_, rest) = subject.split_once("/revert-").or_else(|| subject.split_once("'revert-"))?;
    let name = rest.split([' ', '\'']).next().unwrap_or_default();
    match name.split_once('-') {
        Some((number, _)) if is_number(number) => number.parse().ok().map(UndoReference::PullRequest),
        Some(_) => None,
        None => id(name).map(UndoReference::Commit),
    }
}

/// Returns the id of a commit, in full or abbreviated as by git.
fn id(text: &str) -> Option<String> {
    let is_id = (7..=40).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_id.then(|| text.to_ascii_lowercase())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit())
}

impl UndoKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Revert => "revert",
            Self::Reapply => "reapply",
        }
    }
}

impl fmt::Display for UndoReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(id) => f.write_str(id),
            Self::Commits(oldest, newest) => write!(f, "{oldest}^..{newest}"),
            Self::PullRequest(number) => write!(f, "#{number}"),
            Self::MergeRequest(number) => write!(f, "!{number}"),
            Self::Title(title) => write!(f, "\"{title}\""),
        }
    }
}

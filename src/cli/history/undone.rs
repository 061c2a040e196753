//! What commits say that they take back, joined with the commits that they mean.

use std::collections::HashMap;
use std::sync::Arc;

use pintle_core::change::{UndoClaim, UndoKind, UndoReference};
use pintle_core::git::{Commit, CommitId};
use pintle_core::problem::display_safe;
use serde::Serialize;

use crate::cli::load::LoadedRevision;
use crate::cli::plan::text::described;

/// So many commits are named in a line.
const MAX_NAMED_COMMITS: usize = 3;

/// Longer names are cut.
const MAX_COMMIT_NAME_CHARS: usize = 80;

/// What a commit takes back.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UndoneCommits {
    act: &'static str,
    of: Vec<UndoneCommit>,
}

/// One commit that is taken back.
#[derive(Debug, Clone, Serialize)]
struct UndoneCommit {
    /// As the message names it.
    named: String,
    /// The commit; none where there is none here that it could be.
    commit: Option<Arc<Commit>>,
}

/// Looks into the messages of commits, each once.
pub(super) struct MessageReader<'l> {
    loaded: &'l LoadedRevision,
    known: HashMap<CommitId, Option<UndoneCommits>>,
}

impl<'l> MessageReader<'l> {
    pub(super) fn of(loaded: &'l LoadedRevision) -> Self {
        Self { loaded, known: HashMap::new() }
    }

    /// What a commit takes back.
    pub(super) fn undone(&mut self, commit: &Commit) -> Option<UndoneCommits> {
        let loaded = self.loaded;
        let read = || {
            let UndoClaim { kind: act, references: of } = loaded.source.takes_back(commit.id)?;
            let meant =
                |named: UndoReference| UndoneCommit { commit: meant(loaded, commit, &named), named: named.to_string() };
            Some(UndoneCommits { act: act.as_str(), of: of.into_iter().map(meant).collect() })
        };
        self.known.entry(commit.id).or_insert_with(read).clone()
    }
}

/// The commit that is meant: one that moved pins before this one, or, by its id, any.
fn meant(loaded: &LoadedRevision, by: &Commit, named: &UndoReference) -> Option<Arc<Commit>> {
    named.commit_in(&loaded.history, by.id).or_else(|| match named {
        UndoReference::Commit(id) => {
            let elsewhere = loaded.source.resolve(id).ok().filter(|it| it.id.to_hex().starts_with(id.as_str()));
            elsewhere.map(Arc::new)
        }
        _ => None,
    })
}

impl UndoneCommits {
    /// `rollback of 8bf18480 (Release 47) and b3b3431b (…)`.
    pub(super) fn in_words(&self) -> String {
        let named = |it: &UndoneCommit| {
            it.commit.as_ref().map_or_else(|| display_safe(&it.named, MAX_COMMIT_NAME_CHARS), |it| described(it))
        };
        let mut words: Vec<String> = self.of.iter().take(MAX_NAMED_COMMITS).map(named).collect();
        let more = self.of.len().saturating_sub(MAX_NAMED_COMMITS);
        words.extend((more > 0).then(|| format!("{more} more")));
        let last = words.pop().unwrap_or_default();
        let all = if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) };
        match self.act {
            _ if all.is_empty() => self.act.to_owned(),
            act if act == UndoKind::Reapply.as_str() => format!("{act}: takes back {all}"),
            act => format!("{act} of {all}"),
        }
    }
}

//! What commits say that they take back, joined with the commits that they mean.

use std::collections::HashMap;
use std::sync::Arc;

use pintle_core::change::{Act, Named, Undo};
use pintle_core::git::{Commit, CommitId};
use pintle_core::problem::display_safe;
use serde::Serialize;

use crate::cli::load::Loaded;
use crate::cli::plan::text::described;

/// So many commits are named in a line.
const LISTED: usize = 3;

/// Longer names are cut.
const NAME: usize = 80;

/// What a commit takes back.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Undone {
    act: &'static str,
    of: Vec<Meant>,
}

/// One commit that is taken back.
#[derive(Debug, Clone, Serialize)]
struct Meant {
    /// As the message names it.
    named: String,
    /// The commit; none where there is none here that it could be.
    commit: Option<Arc<Commit>>,
}

/// Looks into the messages of commits, each once.
pub(super) struct Messages<'l> {
    loaded: &'l Loaded,
    known: HashMap<CommitId, Option<Undone>>,
}

impl<'l> Messages<'l> {
    pub(super) fn of(loaded: &'l Loaded) -> Self {
        Self { loaded, known: HashMap::new() }
    }

    /// What a commit takes back.
    pub(super) fn undone(&mut self, commit: &Commit) -> Option<Undone> {
        let loaded = self.loaded;
        let read = || {
            let Undo { act, of } = loaded.source.takes_back(commit.id)?;
            let meant = |named: Named| Meant { commit: meant(loaded, commit, &named), named: named.to_string() };
            Some(Undone { act: act.as_str(), of: of.into_iter().map(meant).collect() })
        };
        self.known.entry(commit.id).or_insert_with(read).clone()
    }
}

/// The commit that is meant: one that moved pins before this one, or, by its id, any.
fn meant(loaded: &Loaded, by: &Commit, named: &Named) -> Option<Arc<Commit>> {
    named.commit_in(&loaded.history, by.id).or_else(|| match named {
        Named::Commit(id) => {
            let elsewhere = loaded.source.resolve(id).ok().filter(|it| it.id.to_hex().starts_with(id.as_str()));
            elsewhere.map(Arc::new)
        }
        _ => None,
    })
}

impl Undone {
    /// `rollback of 8bf18480 (Release 47) and b3b3431b (…)`.
    pub(super) fn in_words(&self) -> String {
        let named = |it: &Meant| it.commit.as_ref().map_or_else(|| display_safe(&it.named, NAME), |it| described(it));
        let mut words: Vec<String> = self.of.iter().take(LISTED).map(named).collect();
        let more = self.of.len().saturating_sub(LISTED);
        words.extend((more > 0).then(|| format!("{more} more")));
        let last = words.pop().unwrap_or_default();
        let all = if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) };
        match self.act {
            _ if all.is_empty() => self.act.to_owned(),
            act if act == Act::Reapply.as_str() => format!("{act}: takes back {all}"),
            act => format!("{act} of {all}"),
        }
    }
}

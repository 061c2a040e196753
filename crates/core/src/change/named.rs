//! Finds the commit that a revert's message refers to.

use std::sync::Arc;

use super::undo::{UndoReference, without_pull_request_number};
use crate::git::{Commit, CommitId};
use crate::history::History;

impl UndoReference {
    /// Returns the newest commit that moved pins before `by` and fits the reference in the message of `by`.
    pub fn commit_in(&self, history: &History, by: CommitId) -> Option<Arc<Commit>> {
        let before =
            history.position_of(by).and_then(|place| history.moves().get(..place as usize)).unwrap_or_default();
        let newest = |is_it: &dyn Fn(&Commit) -> bool| before.iter().rev().find(|commit| is_it(commit)).cloned();
        match self {
            Self::Commit(id) => newest(&|commit| commit.id.to_hex().starts_with(id.as_str())),
            Self::PullRequest(number) => {
                let (squashed, merged) = (format!(" (#{number})"), format!("Merge pull request #{number} "));
                newest(&|commit| commit.subject.ends_with(&squashed) || commit.subject.starts_with(&merged))
            }
            Self::Title(title) => {
                newest(&|commit| *commit.subject == **title || without_pull_request_number(&commit.subject) == title)
            }
            Self::Commits(..) | Self::MergeRequest(_) => None,
        }
    }
}

//! Refuses to write over what an unknown, a newer or a rewritten history has written (design, I2 and I10).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use pintle_core::desired::DesiredState;
use pintle_core::git::CommitId;

use crate::cluster::Observation;
use crate::source::{Source, SourceError, TipRelation};

/// Why the history guard lets nothing be written.
#[derive(Debug)]
pub enum HistoryRefusal {
    /// The tip is older than the commit that the cluster was written at.
    Older { written: CommitId, tip: CommitId },
    /// The branch was rewritten: the tip does not go on from the commit that the cluster was written at.
    Rewritten { written: CommitId, tip: CommitId },
    /// The repository does not hold the commit that the cluster was written at.
    Unknown { written: CommitId, tip: CommitId, repository: String },
    /// The accepted rewrite is not `OLD..NEW`.
    NotARange(String),
    /// The accepted rewrite ends at another commit than the tip.
    OtherTip { accepted: String, tip: CommitId },
    /// No workload was written at the commit that the accepted rewrite begins with.
    NotWritten(String),
    /// The repository cannot be read.
    Source(SourceError),
}

impl From<SourceError> for HistoryRefusal {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// Returns the commits of a rewritten history that `accepted`, an `OLD..NEW`, abandons: OLD, and those that led to it.
///
/// # Errors
/// A commit in `written` that neither leads to the tip nor is abandoned.
pub fn check_history(
    source: &Source,
    tip: CommitId,
    written: &BTreeSet<CommitId>,
    accepted: Option<&str>,
) -> Result<BTreeSet<CommitId>, HistoryRefusal> {
    let accepted = accepted.map(|range| accepted_commit(range, tip, written)).transpose()?;
    let (mut abandoned, mut newest) = (BTreeSet::new(), None);
    let behind = source.ancestors_among(tip, written)?;
    for &old in written.difference(&behind) {
        if accepted == Some(old) || accepted.map_or(Ok(false), |accepted| leads_to(source, old, accepted))? {
            abandoned.insert(old);
        } else if newest.map_or(Ok(true), |newest| leads_to(source, newest, old))? {
            newest = Some(old);
        }
    }
    let Some(old) = newest else { return Ok(abandoned) };
    refusal_of(source.relation_to_tip(old, tip)?, old, tip, source).map_or(Ok(abandoned), Err)
}

/// Returns the commits that the workloads of the pins were written at.
pub fn written_commits(desired: &DesiredState, observed: &Observation) -> BTreeSet<CommitId> {
    let instance = &desired.pins.settings.instance;
    let pinned = desired.pins.services.values().flat_map(|service| desired.workloads(service));
    let states = pinned.filter_map(|id| observed.workloads.get(&id)?.state.as_ref());
    states.filter(|state| state.instance == *instance).map(|state| state.commit).collect()
}

fn leads_to(source: &Source, old: CommitId, new: CommitId) -> Result<bool, SourceError> {
    Ok(source.has_commit(old) && source.has_commit(new) && source.is_ancestor(old, new)?)
}

fn refusal_of(relation: TipRelation, written: CommitId, tip: CommitId, source: &Source) -> Option<HistoryRefusal> {
    match relation {
        TipRelation::Same | TipRelation::Ahead { .. } => None,
        TipRelation::Rewritten { merge_base: Some(base) } if base == tip => {
            Some(HistoryRefusal::Older { written, tip })
        }
        TipRelation::Rewritten { .. } => Some(HistoryRefusal::Rewritten { written, tip }),
        TipRelation::Unknown => {
            Some(HistoryRefusal::Unknown { written, tip, repository: source.location().to_string() })
        }
    }
}

/// Returns the OLD of an `OLD..NEW` whose NEW is the tip.
fn accepted_commit(range: &str, tip: CommitId, written: &BTreeSet<CommitId>) -> Result<CommitId, HistoryRefusal> {
    let commits = range.split_once("..").filter(|(old, new)| is_hex(old) && is_hex(new));
    let (old, new) = commits.ok_or_else(|| HistoryRefusal::NotARange(range.to_owned()))?;
    if !tip.to_hex().starts_with(new) {
        return Err(HistoryRefusal::OtherTip { accepted: new.to_owned(), tip });
    }
    let found = written.iter().find(|id| id.to_hex().starts_with(old)).copied();
    found.ok_or_else(|| HistoryRefusal::NotWritten(old.to_owned()))
}

fn is_hex(text: &str) -> bool {
    (7..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The abandoned commits, or why nothing may be written.
type GuardAnswer = Result<BTreeSet<CommitId>, Arc<HistoryRefusal>>;

/// The history guard of a loop: it reads Git again only when the tip or the written commits have changed.
pub struct HistoryGuard {
    source: Arc<Mutex<Source>>,
    accepted: Option<String>,
    last: Option<LastCheck>,
}

/// The last check, and its answer.
struct LastCheck {
    tip: CommitId,
    written: BTreeSet<CommitId>,
    answer: GuardAnswer,
}

impl HistoryGuard {
    /// Builds a guard that reads the newest `source`; `accepted` is an `OLD..NEW`.
    pub fn new(source: Arc<Mutex<Source>>, accepted: Option<String>) -> Self {
        Self { source, accepted, last: None }
    }

    /// Returns the abandoned commits, or why nothing may be written.
    ///
    /// # Errors
    /// As [`check_history`].
    pub fn check(&mut self, desired: &DesiredState, observed: &Observation) -> GuardAnswer {
        let (tip, written) = (desired.commit, written_commits(desired, observed));
        if let Some(last) = self.last.as_ref().filter(|last| last.tip == tip && last.written == written) {
            return last.answer.clone();
        }
        let answer = self.check_anew(tip, &written);
        self.last = Some(LastCheck { tip, written, answer: answer.clone() });
        answer
    }

    fn check_anew(&self, tip: CommitId, written: &BTreeSet<CommitId>) -> GuardAnswer {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let check = |written: &BTreeSet<CommitId>| check_history(&source, tip, written, self.accepted.as_deref());
        // Whatever led to the last tip leads to every later one: only the walk back to that tip is new.
        let last = self.last.as_ref().filter(|last| last.answer.as_ref().is_ok_and(BTreeSet::is_empty));
        let new = last.map(|last| written.difference(&last.written).copied().chain([last.tip]).collect());
        if new.is_some_and(|new| check(&new).is_ok_and(|abandoned| abandoned.is_empty())) {
            return Ok(BTreeSet::new());
        }
        check(written).map_err(Arc::new)
    }
}

//! What is done next with the processes of one service. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::folder::Life;
use super::picture::{Facts, Health, is_rolling};
use super::record::{Record, Run};

/// How long a process may take to end before it is killed.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Start a process of what shall run.
    Start,
    /// Ask a run to end.
    Stop(u32),
    /// End a run that was asked in vain.
    Kill(u32),
    /// Take in that a run has ended.
    Reap(u32),
}

/// What is to be done now, and when to ask again where nothing happens meanwhile.
pub(super) fn decide(facts: &Facts, now: Timestamp) -> (Vec<Act>, Option<Timestamp>) {
    let Some(record) = &facts.record else { return (Vec::new(), None) };
    let mut acts = Vec::new();
    let mut later = None;
    for run in &record.runs {
        match facts.lives.get(&run.number) {
            Some(Life::Ended(_)) => acts.push(Act::Reap(run.number)),
            Some(Life::Runs(_)) => {
                let over = run.stopping.and_then(|since| since.checked_add(GRACE).ok());
                match over {
                    Some(over) if over <= now => acts.push(Act::Kill(run.number)),
                    Some(over) => later = Some(sooner(later, over)),
                    None if leaves(record, facts, run) => acts.push(Act::Stop(run.number)),
                    None => {}
                }
            }
            Some(Life::Coming) | None => {}
        }
    }
    if acts.is_empty() && facts.kept && record.current().is_none() && (is_rolling(record) || record.runs.is_empty()) {
        match record.due() {
            Some(due) if due > now => later = Some(sooner(later, due)),
            _ => acts.push(Act::Start),
        }
    }
    (acts, later)
}

/// Whether a run makes place: for `recreate` at once, for `rolling` when its successor is well, or it is not well itself.
fn leaves(record: &Record, facts: &Facts, run: &Run) -> bool {
    if record.down {
        return true;
    }
    if !facts.kept {
        return false;
    }
    let is_well = |run: &Run| facts.health.get(&run.number) == Some(&Health::Well);
    // One that has not been asked yet is neither.
    let is_unwell = matches!(facts.health.get(&run.number), Some(Health::Unwell(_)));
    match record.current() {
        Some(current) if current.number == run.number => false,
        _ if !is_rolling(record) => true,
        Some(current) => is_well(current) || is_unwell,
        None => is_unwell,
    }
}

fn sooner(one: Option<Timestamp>, other: Timestamp) -> Timestamp {
    one.map_or(other, |one| one.min(other))
}

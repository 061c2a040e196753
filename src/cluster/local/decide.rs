//! Decides the next actions on the processes of one service. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::folder::Life;
use super::picture::{Facts, Health, is_rolling};
use super::record::{Record, Run};

/// How long a process may take to exit before it is killed.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Start a process of the current spec.
    Start,
    /// Send SIGTERM to a run.
    Stop(u32),
    /// Kill a run that has not exited in time.
    Kill(u32),
    /// Record that a run has ended.
    Reap(u32),
}

/// Returns the actions due now, and when to decide again if nothing happens until then.
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

/// Returns whether a run should stop: under `recreate` at once, under `rolling` when its successor is healthy or it is
/// unhealthy itself.
fn leaves(record: &Record, facts: &Facts, run: &Run) -> bool {
    if record.down {
        return true;
    }
    if !facts.kept {
        return false;
    }
    let is_well = |run: &Run| facts.health.get(&run.number) == Some(&Health::Well);
    // A run without an answer yet counts as neither.
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

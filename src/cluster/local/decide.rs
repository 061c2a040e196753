//! Decides the next actions on the processes of one service. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::folder::RunState;
use super::picture::{ProcessHealth, ServiceFacts, is_rolling};
use super::record::{ProcessRun, ServiceRecord};

/// How long a process may take to exit before it is killed.
pub(super) const STOP_GRACE_PERIOD: Duration = Duration::from_secs(10);

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProcessAction {
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
pub(super) fn next_actions(facts: &ServiceFacts, now: Timestamp) -> (Vec<ProcessAction>, Option<Timestamp>) {
    let Some(record) = &facts.record else { return (Vec::new(), None) };
    let mut acts = Vec::new();
    let mut later = None;
    for run in &record.runs {
        match facts.run_states.get(&run.number) {
            Some(RunState::Ended(_)) => acts.push(ProcessAction::Reap(run.number)),
            Some(RunState::Running(_)) => {
                let over = run.stopping.and_then(|since| since.checked_add(STOP_GRACE_PERIOD).ok());
                match over {
                    Some(over) if over <= now => acts.push(ProcessAction::Kill(run.number)),
                    Some(over) => later = Some(sooner(later, over)),
                    None if should_stop(record, facts, run) => acts.push(ProcessAction::Stop(run.number)),
                    None => {}
                }
            }
            Some(RunState::Starting) | None => {}
        }
    }
    if acts.is_empty()
        && facts.is_supervised
        && record.current_run().is_none()
        && (is_rolling(record) || record.runs.is_empty())
    {
        match record.restart_time() {
            Some(due) if due > now => later = Some(sooner(later, due)),
            _ => acts.push(ProcessAction::Start),
        }
    }
    (acts, later)
}

/// Returns whether a run should stop: under `recreate` at once, under `rolling` when its successor is healthy or it is
/// unhealthy itself.
fn should_stop(record: &ServiceRecord, facts: &ServiceFacts, run: &ProcessRun) -> bool {
    if record.down {
        return true;
    }
    if !facts.is_supervised {
        return false;
    }
    let is_well = |run: &ProcessRun| facts.health.get(&run.number) == Some(&ProcessHealth::Healthy);
    // A run without an answer yet counts as neither.
    let is_unwell = matches!(facts.health.get(&run.number), Some(ProcessHealth::Unhealthy(_)));
    match record.current_run() {
        Some(current) if current.number == run.number => false,
        _ if !is_rolling(record) => true,
        Some(current) => is_well(current) || is_unwell,
        None => is_unwell,
    }
}

fn sooner(one: Option<Timestamp>, other: Timestamp) -> Timestamp {
    one.map_or(other, |one| one.min(other))
}

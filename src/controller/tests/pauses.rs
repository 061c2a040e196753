//! Paused services, and pauses that an undo drops.

use pintle_core::workload::PauseAnnotation;

use super::super::pauses::PauseLog;
use super::drift::{at, look_at, moved, repinned, undone};
use super::*;

pub(super) fn pause(from: i64, until: i64) -> PauseAnnotation {
    let reason = Some("we look at its memory".to_owned());
    PauseAnnotation { schema: PauseAnnotation::SCHEMA, until: at(until), reason, by: "ada".to_owned(), at: at(from) }
}

fn with(pause: Option<PauseAnnotation>, workload: Workload) -> Workload {
    Workload { pause, ..workload }
}

/// Payments runs what is pinned, and is paused at 2,000 for an hour.
fn paused() -> Workload {
    with(Some(pause(2_000, 5_600)), written(settled("acme/payments:2"), "2", true))
}

#[test]
fn what_is_paused_is_not_written_neither_its_drift_nor_a_new_pin_nor_what_is_remembered() {
    let desired = repinned("");
    let says = |workload, now| said(&desired, &look_at(&desired, workload, now));
    assert_snapshot!(says(paused(), 2_001), @"
    runs 2, Still
    payments: paused by ada until 01:33 UTC: we look at its memory. End it: pintle resume payments
    ");
    let drifted = || with(Some(pause(2_000, 5_600)), moved("deployer", "acme/payments:3", 2_000));
    assert_snapshot!(says(drifted(), 5_599), @"
    runs acme/payments:3 (never pinned), Still, drifted
    payments is Held: paused by ada until 01:33 UTC: we look at its memory. End it: pintle resume payments
    ");
    assert_snapshot!(says(drifted(), 5_600), @"
    runs acme/payments:3 (never pinned), Still, drifted
    payments: acme/payments:3 (never pinned) -> 2 (drift)
    ");
    assert_eq!(look_at(&desired, drifted(), 5_599).wake(), Some(at(5_600)));
    let old = || with(Some(pause(2_000, 5_600)), written(settled("acme/payments:1"), "1", true));
    assert_snapshot!(says(old(), 2_001), @"
    runs 1, Still
    payments is Held: paused by ada until 01:33 UTC: we look at its memory. End it: pintle resume payments
    ");
    let unrecorded = with(Some(pause(2_000, 5_600)), written(settled("acme/payments:2"), "2", false));
    assert_snapshot!(says(unrecorded, 2_001), @"
    runs 2, Still
    payments: paused by ada until 01:33 UTC: we look at its memory. End it: pintle resume payments
    ");
    let mut named = repinned("");
    named.options.selected = Some(named.graph.ids().collect());
    assert_snapshot!(said(&named, &look_at(&named, drifted(), 2_001)), @"
    runs acme/payments:3 (never pinned), Still, drifted
    payments is Held: paused by ada until 01:33 UTC: we look at its memory. End it: pintle resume payments
    ");
}

/// What a process that saw payments as `before` makes of it as it is `now`, at 2,020: what is said, and whether the pause
/// is written back.
fn seen_before(before: Workload, now: Workload) -> String {
    let (desired, mut pauses) = (repinned(""), PauseLog::default());
    pauses.record_and_restore(&mut look_at(&desired, before, 2_010), at(2_010));
    let mut look = look_at(&desired, now, 2_020);
    pauses.record_and_restore(&mut look, at(2_020));
    let back: Vec<String> = pauses.dropped().iter().map(|(id, _, _)| id.workload.to_string()).collect();
    format!("{}\nwritten back: {back:?}", said(&desired, &look))
}

#[test]
fn a_pause_that_an_undo_drops_is_held_on_to_and_written_back() {
    let undone = |pause| with(pause, undone("acme/payments:1", 2_015, Some("1")));
    assert_snapshot!(seen_before(paused(), undone(None)), @r#"
    runs 1, Still, drifted
    payments is Held: paused by ada until 01:33 UTC: we look at its memory. End it: pintle resume payments
    written back: ["deployment/payments"]
    "#);
    // It puts back an older one.
    assert_snapshot!(seen_before(paused(), undone(Some(pause(10, 100)))), @r#"
    runs 1, Still, drifted
    payments is Held: paused by ada until 01:33 UTC: we look at its memory. End it: pintle resume payments
    written back: ["deployment/payments"]
    "#);
}

#[test]
fn a_pause_that_somebody_ends_or_renews_is_as_they_say() {
    // Ended, whatever was undone before.
    let undone = |pause| with(pause, undone("acme/payments:1", 2_005, Some("1")));
    assert_snapshot!(seen_before(undone(Some(pause(2_000, 5_600))), undone(None)), @"
    runs 1, Still, drifted
    payments is Held: payments pinned 2, runs 1: by hand (kubectl-rollout) 00:33 UTC, corrected at 00:43 UTC. Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    written back: []
    ");
    let ended = written(settled("acme/payments:2"), "2", true);
    assert_snapshot!(seen_before(paused(), ended), @"
    runs 2, Still
    written back: []
    ");
    let moved = moved("kubectl-set", "acme/payments:1", 2_015);
    assert_snapshot!(seen_before(paused(), moved), @"
    runs 1, Still, drifted
    payments is Held: payments pinned 2, runs 1: by hand (kubectl-set) 00:33 UTC, corrected at 00:43 UTC. Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    written back: []
    ");
    let renewed = with(Some(pause(2_012, 2_100)), self::undone("acme/payments:1", 2_015, Some("1")));
    assert_snapshot!(seen_before(paused(), renewed), @"
    runs 1, Still, drifted
    payments is Held: paused by ada until 00:35 UTC: we look at its memory. End it: pintle resume payments
    written back: []
    ");
}

#[test]
fn a_workload_made_anew_has_no_pause() {
    let anew = Workload { uid: "2".to_owned(), ..undone("acme/payments:1", 2_015, None) };
    assert_snapshot!(seen_before(paused(), anew), @"
    runs 1, Still, drifted
    payments is Held: payments pinned 2, runs 1: by hand (kubectl-rollout) 00:33 UTC, corrected at 00:43 UTC. Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    written back: []
    ");
}

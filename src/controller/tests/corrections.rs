//! Hands that take back what was corrected.

use super::super::corrections::Corrections;
use super::drift::{at, look_at, moved, repinned};
use super::*;

/// Somebody's move of 3,000 was corrected at 3,005; payments was moved `again` since. What is said of it at this time.
fn corrected_once(again: Workload, now: i64) -> String {
    let desired = repinned("drift: {handGrace: 0s}\n");
    let mut corrections = correcting(&desired);
    corrections.accepted(&id("payments"));
    see(&desired, &mut corrections, again, now)
}

/// The correction at 3,005 is sent, and not answered.
fn correcting(desired: &Desired) -> Corrections {
    let mut corrections = Corrections::default();
    let look = look_at(desired, moved("kubectl-edit", "acme/payments:3", 3_000), 3_005);
    let ids: Vec<_> = desired.graph.ids().collect();
    corrections.begin(&look, &ids, at(3_005));
    corrections
}

fn see(desired: &Desired, corrections: &mut Corrections, payments: Workload, now: i64) -> String {
    let mut look = look_at(desired, payments, now);
    corrections.see(&mut look, at(now));
    let wake = look.wake().map(|wake| format!("\nuntil {}", wake.as_second())).unwrap_or_default();
    said(desired, &look) + &wake
}

#[test]
fn who_takes_back_what_was_corrected_within_ten_minutes_is_not_fought_for_ten_minutes() {
    let again = |time| moved("kubectl-edit", "acme/payments:3", time);
    // In the second of the correction, at the end of the ten minutes, and after them.
    assert_snapshot!(corrected_once(again(3_005), 3_006), @"
    runs acme/payments:3 (never pinned), Still, drifted
    payments is Held: contended: kubectl-edit has taken the image of deployment/payments back twice in ten minutes; stop what does that, or pin what it wants. Corrected once more at 01:00 UTC, or now: pintle apply payments
    until 3605
    ");
    assert_snapshot!(corrected_once(again(3_605), 4_204), @"
    runs acme/payments:3 (never pinned), Still, drifted
    payments is Held: contended: kubectl-edit has taken the image of deployment/payments back twice in ten minutes; stop what does that, or pin what it wants. Corrected once more at 01:10 UTC, or now: pintle apply payments
    until 4205
    ");
    assert_snapshot!(corrected_once(again(3_606), 3_607), @"
    runs acme/payments:3 (never pinned), Still, drifted
    payments: acme/payments:3 (never pinned) -> 2 (drift)
    ");
    // Ten minutes after the last move it is corrected once more.
    assert_snapshot!(corrected_once(again(3_500), 4_100), @"
    runs acme/payments:3 (never pinned), Still, drifted
    payments: acme/payments:3 (never pinned) -> 2 (drift)
    ");
}

#[test]
fn what_is_the_target_again_or_has_another_pin_is_not_contended() {
    assert_snapshot!(corrected_once(written(settled("acme/payments:2"), "2", true), 3_100), @"runs 2, Still");
    let state = written(settled("acme/payments:3"), "1", true).state;
    let another_pin = Workload { state, ..moved("kubectl-edit", "acme/payments:3", 3_050) };
    assert_snapshot!(corrected_once(another_pin, 3_100), @"
    runs acme/payments:3 (never pinned), Still
    payments: acme/payments:3 (never pinned) -> 2 (sidegrade)
    ");
}

#[test]
fn a_correction_that_was_not_accepted_is_none() {
    let desired = repinned("drift: {handGrace: 0s}\n");
    let mut corrections = correcting(&desired);
    assert_snapshot!(see(&desired, &mut corrections, moved("kubectl-edit", "acme/payments:3", 3_000), 3_006), @"
    runs acme/payments:3 (never pinned), Still, drifted
    payments: acme/payments:3 (never pinned) -> 2 (drift)
    ");
}

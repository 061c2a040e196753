//! What somebody has moved by hand: what counts as that, and what is done about it, when.

use super::*;

/// When payments 2 was pinned; payments 1 before that.
const PINNED: i64 = 1_000;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// Payments was pinned at 1, and is at 2 since [`PINNED`]. `rest` is added to its file.
pub(super) fn repinned(rest: &str) -> Desired {
    let mut desired = desired(rest);
    let mut history = History::default();
    for (version, time) in [("1", 0), ("2", PINNED)] {
        let text = format!("version: \"{version}\"\nimage: acme/payments\n");
        let commit = Arc::new(Commit { id: CommitId::from([version.as_bytes()[0]; 20]), time: at(time), ..commit() });
        for (name, service) in pins::parse_revision("", &[file("services/payments.yaml", text)]).pins.services {
            history.record_pin(&name, &commit, Some(service.pin));
        }
    }
    Arc::make_mut(&mut desired.state).history = Arc::new(history);
    desired
}

/// Pintle wrote 2, then somebody an image, at this time.
pub(super) fn moved(by: &str, image: &str, time: i64) -> Workload {
    let hand = FieldManager { time: Some(at(time)), applied: false, ..manager(by) };
    Workload { image_managers: vec![hand], ..written(settled(image), "2", true) }
}

/// The same by an undo, which puts back what stood on the older replica set.
pub(super) fn undone(image: &str, time: i64, state: Option<&str>) -> Workload {
    let state = state.and_then(|version| written(settled(image), version, true).state);
    Workload { state, ..moved("kubectl-rollout", image, time) }
}

pub(super) fn look_at(desired: &Desired, payments: Workload, now: i64) -> LiveState {
    let mut observed = Observation::default();
    observed.workloads.insert(id("checkout"), Arc::new(settled("acme/checkout:5")));
    observed.workloads.insert(id("payments"), Arc::new(payments));
    assess(desired, &observed, at(now))
}

fn says_at(desired: &Desired, payments: Workload, now: i64) -> String {
    said(desired, &look_at(desired, payments, now))
}

#[test]
fn a_persons_move_to_what_was_pinned_before_stands_for_the_grace_and_is_corrected_then() {
    let desired = repinned("");
    let says = |now| says_at(&desired, moved("kubectl-set", "acme/payments:1", 11_220), now);
    assert_snapshot!(says(11_819), @"
    runs 1, Still, drifted
    payments is Held: payments pinned 2, runs 1: by hand (kubectl-set) 03:07 UTC, corrected at 03:17 UTC. Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    ");
    assert_snapshot!(says(11_820), @"
    runs 1, Still, drifted
    payments: 1 -> 2 (drift)
    ");
    let wake = |now| look_at(&desired, moved("kubectl-set", "acme/payments:1", 11_220), now).wake();
    assert_eq!((wake(11_819), wake(11_820)), (Some(at(11_820)), None));
    let none = repinned("drift: {handGrace: 0s}\n");
    assert_snapshot!(says_at(&none, moved("kubectl-set", "acme/payments:1", 11_220), 11_219), @"
    runs 1, Still, drifted
    payments: 1 -> 2 (drift)
    ");
    let days = repinned("drift: {handGrace: 2d}\n");
    assert_snapshot!(says_at(&days, moved("kubectl-set", "acme/payments:1", 11_220), 100_000), @"
    runs 1, Still, drifted
    payments is Held: payments pinned 2, runs 1: by hand (kubectl-set) 1970-01-01 03:07 UTC, corrected at 1970-01-03 03:07 UTC. Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    ");
}

#[test]
fn a_move_to_what_was_never_pinned_and_one_of_a_program_are_corrected_at_once() {
    let desired = repinned("");
    assert_snapshot!(says_at(&desired, moved("kubectl-edit", "acme/payments:3", 11_220), 11_221), @"
    runs acme/payments:3 (never pinned), Still, drifted
    payments: acme/payments:3 (never pinned) -> 2 (drift)
    ");
    assert_snapshot!(says_at(&desired, moved("deployer", "acme/payments:1", 11_220), 11_221), @"
    runs 1, Still, drifted
    payments: 1 -> 2 (drift)
    ");
}

#[test]
fn an_undo_is_told_from_a_pin_that_has_moved_by_its_time() {
    let desired = repinned("");
    let says = |time, state| says_at(&desired, undone("acme/payments:1", time, state), 1_010);
    // The state is that of the older replica set: of the version before, or from before Pintle.
    assert_snapshot!(says(PINNED, Some("1")), @"
    runs 1, Still, drifted
    payments is Held: payments pinned 2, runs 1: by hand (kubectl-rollout) 00:16 UTC, corrected at 00:26 UTC. Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    ");
    assert_snapshot!(says(PINNED, None), @"
    runs 1, Still, drifted
    payments is Held: payments pinned 2, runs 1: by hand (kubectl-rollout) 00:16 UTC, corrected at 00:26 UTC. Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    ");
    // It was undone, and then the pin was moved.
    assert_snapshot!(says(PINNED - 1, Some("1")), @"
    runs 1, Still
    payments: 1 -> 2 (upgrade)
    ");
    assert_snapshot!(says(PINNED - 1, None), @"
    runs 1, Still
    payments: 1 -> 2 (upgrade)
    ");
    // Any other move leaves the state: it says that the pin has moved since.
    let state = written(settled("acme/payments:1"), "1", true).state;
    let set = Workload { state, ..moved("kubectl-set", "acme/payments:1", PINNED + 5) };
    assert_snapshot!(says_at(&desired, set, 1_010), @"
    runs 1, Still
    payments: 1 -> 2 (upgrade)
    ");
    // Nor is it drift where Pintle has never written.
    let never = Workload { is_managed: false, ..undone("acme/payments:1", PINNED, None) };
    assert_snapshot!(says_at(&desired, never, 1_010), @"
    runs 1, Still
    payments: 1 -> 2 (upgrade)
    ");
}

#[test]
fn one_of_several_workloads_that_is_moved_is_drift() {
    let desired = repinned("workloads: [deployment/payments, deployment/worker]\n");
    let mut observed = Observation::default();
    observed.workloads.insert(id("checkout"), Arc::new(settled("acme/checkout:5")));
    observed.workloads.insert(id("payments"), Arc::new(moved("kubectl-set", "acme/payments:1", 1_005)));
    observed.workloads.insert(id("worker"), Arc::new(written(settled("acme/payments:2"), "2", true)));
    assert_snapshot!(said(&desired, &assess(&desired, &observed, at(1_010))), @"
    runs 1 and 2, Still, drifted
    payments is Held: payments pinned 2, runs 1: by hand (kubectl-set) 00:16 UTC, corrected at 00:26 UTC. Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    ");
}

#[test]
fn the_policy_says_whether_drift_is_corrected_at_once_told_or_left_to_the_schedule() {
    let moved = || moved("deployer", "acme/payments:1", 11_220);
    assert_snapshot!(says_at(&repinned("drift: {policy: report}\n"), moved(), 11_221), @"
    runs 1, Still, drifted
    payments is Held: payments pinned 2, runs 1: by deployer 03:07 UTC; `drift: {policy: report}` reports it and leaves it. Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    ");
    let mut scheduled = repinned("drift: {policy: schedule}\n");
    assert_snapshot!(says_at(&scheduled, moved(), 11_221), @"
    runs 1, Still, drifted
    payments is Held: payments pinned 2, runs 1: by deployer 03:07 UTC; corrected at the next time of the schedule (`drift: {policy: schedule}`). Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    ");
    scheduled.options.scheduled = scheduled.graph.ids().collect();
    assert_snapshot!(says_at(&scheduled, moved(), 11_221), @"
    runs 1, Still, drifted
    payments: 1 -> 2 (drift)
    ");
}

#[test]
fn who_names_services_ends_grace_and_policy_for_them_and_leaves_the_others() {
    let moved = || moved("kubectl-set", "acme/payments:1", 11_220);
    let says = |rest: &str, only: &str| {
        let mut desired = repinned(rest);
        let ids = desired.graph.ids();
        desired.options.selected = Some(ids.filter(|&id| desired.graph.name(id).as_str() == only).collect());
        says_at(&desired, moved(), 11_221)
    };
    insta::allow_duplicates! {
        for rest in ["", "drift: {policy: report}\n", "drift: {policy: schedule}\n"] {
            assert_snapshot!(says(rest, "payments"), @"
            runs 1, Still, drifted
            payments: 1 -> 2 (drift)
            ");
            assert_snapshot!(says(rest, "checkout"), @"
            runs 1, Still, drifted
            payments is Held: not asked for
            ");
        }
    }
}

#[test]
fn what_is_held_anyway_is_not_said_to_be_corrected_soon() {
    let desired = repinned("hold: {above: \"1\"}\n");
    assert_snapshot!(says_at(&desired, moved("kubectl-set", "acme/payments:1", 11_220), 11_221), @"
    runs 1, Still, drifted
    payments is Held: 2 is on hold (above 1); release it: pintle release payments
    ");
}

#[test]
fn grace_and_policy_are_ended_for_what_was_moved_before_somebody_asked_for_that() {
    let says = |ended: i64, rest: &str| {
        let pause = Some(pintle_core::workload::PauseAnnotation::ending_grace("ada".to_owned(), at(ended)));
        let moved = Workload { pause, ..moved("kubectl-set", "acme/payments:1", 11_220) };
        says_at(&repinned(rest), moved, 11_230)
    };
    insta::allow_duplicates! {
        for rest in ["", "drift: {policy: report}\n", "drift: {policy: schedule}\n"] {
            assert_snapshot!(says(11_220, rest), @"
            runs 1, Still, drifted
            payments: 1 -> 2 (drift)
            ");
        }
    }
    assert_snapshot!(says(11_219, ""), @"
    runs 1, Still, drifted
    payments is Held: payments pinned 2, runs 1: by hand (kubectl-set) 03:07 UTC, corrected at 03:17 UTC. Keep it: pintle rollback payments --adopt, or for a while: pintle pause payments --for 2h. End it: pintle apply payments
    ");
}

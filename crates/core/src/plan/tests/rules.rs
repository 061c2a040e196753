//! Each rule, in the smallest system that shows it.

use std::time::Duration;

use insta::assert_snapshot;

use super::system;
use crate::evidence::Evidence;
use crate::history::History;
use crate::plan::{PlanInput, next};

/// payments 2 is wanted by checkout 2 alone, payments 1 by checkout 1 alone or by both.
fn pair(live_and_targets: [&str; 2]) -> String {
    let [checkout, payments] = live_and_targets;
    format!("checkout: {checkout}; 1 needs payments *; 2 needs payments >=2\npayments: {payments}")
}

#[test]
fn an_upgrade_goes_provider_first_and_its_revert_consumer_first() {
    assert_snapshot!(system(&pair(["1 -> 2", "1 -> 2"])).plans(), @"
    payments
    checkout
    ");
    assert_snapshot!(system(&pair(["2 -> 1", "2 -> 1"])).plans(), @"
    checkout
    payments
    ");
}

#[test]
fn a_provider_waits_until_the_last_pod_that_rejects_it_is_gone() {
    assert_snapshot!(system(&pair(["2+1 -> 1 moving", "2 -> 1"])).says(), @"
    checkout: under way
    payments: waits for checkout to leave 2
    ");
    assert_snapshot!(system(&pair(["2+1 -> 1 failed", "2 -> 1"])).says(), @"
    checkout: failed: CrashLoopBackOff
    payments: waits for checkout to leave 2
    ");
    assert_snapshot!(system(&pair(["1 -> 1 failed", "2 -> 1"])).says(), @"
    checkout: failed: CrashLoopBackOff
    payments: start
    ");
}

#[test]
fn a_consumer_waits_for_a_provider_that_is_written_and_not_yet_verified() {
    assert_snapshot!(system(&pair(["1 -> 2", "2 -> 2 moving"])).says(), @"
    checkout: waits for payments to be verified
    payments: under way
    ");
    assert_snapshot!(system(&pair(["1 -> 2", "1+2 -> 2 moving"])).says(), @"
    checkout: waits for payments to leave 1
    payments: under way
    ");
    assert_snapshot!(system(&pair(["1 -> 2", "2 -> 2 failed"])).says(), @"
    checkout: waits for payments, which has failed: CrashLoopBackOff
    payments: failed: CrashLoopBackOff
    ");
    assert_snapshot!(system(&pair(["1 -> 2", "2 -> 2"])).says(), @"checkout: start");
}

#[test]
fn a_deploy_is_an_update_from_absence() {
    assert_snapshot!(system(&pair(["- -> 2", "- -> 2"])).plans(), @"
    payments
    checkout
    ");
    assert_snapshot!(system(&pair(["- -> 2", "- -> 2"])).says(), @"
    checkout: waits for payments
    payments: start
    ");
}

#[test]
fn targets_that_do_not_fit_hold_the_consumer_or_where_it_does_not_move_the_provider() {
    assert_snapshot!(system(&pair(["1 -> 2", "1 -> 1"])).says(), @"checkout: held: checkout does not fit payments");
    assert_snapshot!(system(&pair(["2 -> 2", "2 -> 1"])).says(), @"payments: held: checkout does not fit payments");
    assert_snapshot!(system(&pair(["1 -> 2", "1 -> 2 held"])).says(), @"
    checkout: held: checkout does not fit payments
    payments: held: a hold
    ");
}

#[test]
fn holding_one_change_holds_those_that_need_it_and_no_other() {
    let text = "
        a: 1 -> 2; 2 needs b >=2
        b: 1 -> 2; 2 needs c >=2
        c: 1 -> 2 held
        d: 1 -> 2; 2 needs c *";
    assert_snapshot!(system(text).says(), @"
    a: held: a does not fit b
    b: held: b does not fit c
    c: held: a hold
    d: start
    ");
}

#[test]
fn what_is_broken_restricts_nothing() {
    // The pair that runs is bad already: repairing either end is not held up by the other.
    assert_snapshot!(system(&pair(["2 -> 1", "1 -> 1"])).says(), @"checkout: start");
    // A provider that is down on a superseded version does not block its own way back.
    let text = "
        checkout: 1 -> 1; 1 needs payments =1
        payments: 2 -> 1 down";
    assert_snapshot!(system(text).says(), @"payments: start");
}

#[test]
fn a_consumer_whose_readiness_needs_a_broken_provider_goes_back_with_it() {
    // Both were upgraded, payments 2 is down, checkout 2 never gets ready; both are reverted.
    let text = "
        checkout: 1+2 -> 1 moving; 1 needs payments =1; 2 needs payments =2
        payments: 2 -> 1 down";
    assert_snapshot!(system(text).says(), @"
    checkout: start
    payments: start
    ");
}

#[test]
fn a_free_pair_goes_provider_first_up_and_consumer_first_down() {
    let free = |checkout: &str, payments: &str| {
        system(&format!("checkout: {checkout}; 1 needs payments *; 2 needs payments *\npayments: {payments}"))
    };
    assert_snapshot!(free("1 -> 2", "1 -> 2").plans(), @"
    payments
    checkout
    ");
    assert_snapshot!(free("2 -> 1", "2 -> 1").plans(), @"
    checkout
    payments
    ");
    assert_snapshot!(free("1 -> 2", "1+2 -> 2 moving").says(), @"
    checkout: lets payments go first
    payments: under way
    ");
    assert_snapshot!(free("2 -> 1", "1+2 -> 2 failed").says(), @"
    checkout: start
    payments: failed: CrashLoopBackOff
    ");
}

#[test]
fn a_chain_of_free_pairs_goes_one_by_one() {
    let text = "
        a: 1 -> 2; 1 needs b *; 2 needs b *
        b: 1 -> 2; 1 needs c *; 2 needs c *
        c: 1 -> 2";
    assert_snapshot!(system(text).plans(), @"
    c
    b
    a
    ");
}

#[test]
fn preferences_in_a_circle_are_set_aside() {
    let text = "
        a: 1 -> 2; 1 needs b *; 2 needs b *
        b: 1 -> 2; 1 needs a *; 2 needs a *";
    assert_snapshot!(system(text).plans(), @"a b");
}

const CIRCLE: &str = "
    a: 1 -> 2; 1 needs b =1; 2 needs b =2
    b: 1 -> 2
    z: 1 -> 2; 2 needs a =2";

#[test]
fn a_circle_of_waits_is_refused_in_words_and_what_needs_it_waits() {
    assert_snapshot!(system(CIRCLE).says(), @"
    a: refused: a waits for b to leave 1; b waits for a to leave 1
    b: refused: b waits for a to leave 1; a waits for b to leave 1
    z: waits for a to leave 1
    ");
}

#[test]
fn a_lockstep_group_breaks_a_circle_and_one_held_member_holds_all() {
    assert_snapshot!(system(&format!("{CIRCLE}\nlockstep: a b")).plans(), @"
    a b
    z
    ");
    assert_snapshot!(system(&format!("{CIRCLE}\nlockstep: a b z\nq: 1 -> 2")).says(), @"
    a: start with group 0
    b: start with group 0
    q: start
    z: start with group 0
    ");
    assert_snapshot!(system(&format!("{CIRCLE}\nh: 1 -> 2 held\nlockstep: a b h")).says(), @"
    a: held with h
    b: held with h
    h: held: a hold
    z: waits for a to leave 1
    ");
}

#[test]
fn a_lockstep_group_is_not_used_where_an_order_exists() {
    assert_snapshot!(system(&format!("{}\nlockstep: checkout payments", pair(["1 -> 2", "1 -> 2"]))).plans(), @"
    payments
    checkout
    ");
}

#[test]
fn something_that_hangs_elsewhere_hides_no_circle() {
    assert_snapshot!(system(&format!("{CIRCLE}\nq: 1+2 -> 2 moving")).says(), @"
    a: refused: a waits for b to leave 1; b waits for a to leave 1
    b: refused: b waits for a to leave 1; a waits for b to leave 1
    q: under way
    z: waits for a to leave 1
    ");
}

#[test]
fn a_failed_step_stops_what_needs_it_and_nothing_else() {
    let text = "
        a: 1 -> 2; 2 needs b >=2
        b: 1+2 -> 2 failed
        c: 1 -> 2; 2 needs d >=2
        d: 1 -> 2";
    assert_snapshot!(system(text).says(), @"
    a: waits for b to leave 1
    b: failed: CrashLoopBackOff
    c: waits for d to leave 1
    d: start
    ");
    assert_snapshot!(system(text).plans(), @"
    d
    c
    a: waits for b to leave 1
    b: failed: CrashLoopBackOff
    ");
}

#[test]
fn the_estimate_lets_what_is_verified_first_release_what_waits_for_it() {
    let text = "
        a: 1 -> 2 took=5; 2 needs b >=2
        b: 1 -> 2 took=10
        c: 1 -> 2 took=20; 2 needs d >=2
        d: 1 -> 2 took=40";
    let estimate = system(text).plan().estimate;
    assert_snapshot!(format!("{estimate:?}"), @"Estimate { in_parallel: 60s, one_at_a_time: 75s, assumed_durations: 0, services: 4, replaced_pods: 8, peak_extra_pods: 2 }");
}

#[test]
fn a_service_of_which_half_the_workloads_are_written_is_started_again() {
    let mut half = system("a: 1+2 -> 2 moving");
    half.live[0].spec = half.live[0].running.clone();
    assert_snapshot!(half.says(), @"a: start");
}

// The model checker has found these.

#[test]
fn a_hold_on_a_provider_that_is_under_way_does_not_let_its_consumers_start() {
    let text = |flag: &str| format!("a: 1 -> 2; 2 needs b *\nb: 2 -> 2 held {flag}");
    assert_snapshot!(system(&text("moving")).says(), @"
    a: waits for b to be verified
    b: held: a hold
    ");
    assert_snapshot!(system(&text("failed")).says(), @"
    a: waits for b, which has failed: CrashLoopBackOff
    b: held: a hold
    ");
}

#[test]
fn a_provider_that_the_target_no_longer_needs_is_not_waited_for() {
    let text = "
        a: 1 -> 2; 1 needs b *
        b: 2 -> 2 failed";
    assert_snapshot!(system(text).says(), @"
    a: start
    b: failed: CrashLoopBackOff
    ");
}

#[test]
fn preferences_in_a_circle_are_set_aside_while_something_else_hangs() {
    let text = "
        a: 2 -> 1; 1 needs b *
        b: 2 -> 1; 1 needs a *, c *
        c: 2+1 -> 1 moving";
    assert_snapshot!(system(text).says(), @"
    a: start
    b: start
    c: under way
    ");
}

#[test]
fn preferences_in_a_circle_are_set_aside_there_and_nowhere_else() {
    let text = "
        a: 1 -> 2; 2 needs b *
        b: 1 -> 2; 2 needs a *
        z: 1 -> 2; 2 needs a *";
    assert_snapshot!(system(text).plans(), @"
    a b
    z
    ");
}

#[test]
fn half_a_lockstep_group_goes_on_although_what_has_started_hangs_or_fails_alone() {
    let half = |flag: &str| format!("a: 1+2 -> 2 {flag}; 1 needs b =1; 2 needs b =2\nb: 1 -> 2");
    assert_snapshot!(system(&half("moving")).says(), @"
    a: under way
    b: waits for a to leave 1
    ");
    assert_snapshot!(system(&format!("{}\nlockstep: a b", half("moving"))).says(), @"
    a: under way
    b: start
    ");
    assert_snapshot!(system(&format!("{}\nlockstep: a b", half("failed"))).says(), @"
    a: failed: CrashLoopBackOff
    b: start
    ");
}

#[test]
fn the_other_workloads_of_a_service_that_is_half_written_add_nothing() {
    // Pair and target were broken at first, so both started at once; the pass died after one workload of `b`.
    let mut half = system("a: 1+3 -> 1 down; 1 needs b =1; 3 needs b >=2\nb: -+1 -> 1 moving");
    half.live[1].spec = half.live[1].running.clone();
    assert_snapshot!(half.says(), @"
    a: waits for b
    b: start
    ");
}

#[test]
fn a_return_to_a_version_of_which_pods_still_run_is_a_start_like_any_other() {
    // By the time of the write those pods may be gone.
    let text = "
        a: 2 -> 1 moving; 1 needs b =1; 2 needs b =2
        b: 1+2 -> 1 moving";
    assert_snapshot!(system(text).says(), @"
    a: refused: a waits for b to leave 2; b waits for a to leave 2
    b: refused: b waits for a to leave 2; a waits for b to leave 2
    ");
}

#[test]
fn a_provider_does_not_wait_for_a_consumer_that_is_held_half_written_and_leaves_nothing() {
    let mut half = system("a: 1+2 -> 2 held moving; 1 needs b *; 2 needs b *\nb: 2 -> 1");
    assert_snapshot!(half.says(), @"
    a: held: a hold
    b: lets a go first
    ");
    half.live[0].spec = half.live[0].running.clone();
    assert_snapshot!(half.says(), @"
    a: held: a hold
    b: start
    ");
}

#[test]
fn where_evidence_is_asked_for_a_target_that_was_never_seen_with_its_neighbours_is_held() {
    let history = History::default();
    let says = |text: &str, returns: bool| {
        let mut system = system(text);
        system.live[0].is_drift = returns;
        let evidence = Some(Evidence::new(&history, Duration::ZERO));
        let steps = next(PlanInput { evidence, ..system.at() }).steps;
        let told = steps.iter().map(|(id, step)| format!("{}: {}", system.graph.name(*id), system.step(step)));
        told.collect::<Vec<_>>().join("\n")
    };
    let release = "checkout: 1 -> 2; 2 needs payments *\npayments: 1 -> 1";
    assert_eq!(says(release, false), "checkout: held: checkout 2 with payments 1 was never seen");
    assert_eq!(says(release, true), "checkout: start", "it ran so before somebody moved it");
    let provider = "checkout: 1 -> 1; 1 needs payments *\npayments: 1 -> 2";
    assert_eq!(says(provider, false), "payments: held: checkout 1 with payments 2 was never seen");
    assert_eq!(says(&release.replace("1 -> 2", "- -> 2"), false), "checkout: start", "nothing ran before");
    assert_eq!(says(&release.replace('*', ">=1"), false), "checkout: start", "a range speaks");
}

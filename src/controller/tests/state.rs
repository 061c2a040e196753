//! What passes remember: arrivals that are not recorded, writes without an answer, refusals.

use std::sync::Arc;

use jiff::Timestamp;

use super::{desired, id, settled, written};
use crate::cli::describe::Describe;
use crate::cluster::{ClusterError, Observation, WorkloadWrite};
use crate::controller::{ControllerState, LiveState, ServiceStatus, assess};

#[test]
fn while_many_are_under_way_arrivals_are_recorded_after_a_while_with_the_time_of_each() {
    let desired = desired("");
    let mut memory = ControllerState::default();
    let mut records = |arrived: &[usize], busy: bool, seconds: i64| {
        let seen = |at: usize| ServiceStatus { to_record: arrived.contains(&at), ..ServiceStatus::default() };
        let now = Timestamp::from_second(seconds).unwrap();
        let services = vec![seen(0).into(), seen(1).into()];
        let look = LiveState { at: now, live: Vec::new(), services, unseen: Vec::new() };
        let arrivals = memory.arrivals(&desired, &look, busy, now);
        arrivals.iter().map(|(id, at)| (id.index(), at.as_second())).collect::<Vec<_>>()
    };
    assert_eq!(records(&[0], true, 0), []);
    assert_eq!(records(&[0, 1], true, 100), []);
    assert_eq!(records(&[0, 1], true, 300), []);
    assert_eq!(records(&[0, 1], true, 301), [(0, 0)]);
    assert_eq!(records(&[0, 1], false, 302), [(0, 0), (1, 100)], "not recorded yet: sent again");
    assert_eq!(records(&[], false, 303), []);
    assert_eq!(records(&[1], false, 304), [(1, 304)]);
}

/// What the next look shows after a write of payments to 2 has failed.
fn after(error: ClusterError) -> impl FnMut(i64) -> (String, bool) {
    let desired = desired("");
    let mut observed = Observation::default();
    observed.workloads.insert(id("checkout"), Arc::new(settled("acme/checkout:5")));
    observed.workloads.insert(id("payments"), Arc::new(settled("acme/payments:1")));
    let payments = desired.graph.ids().find(|&id| desired.graph.name(id).to_string() == "payments").unwrap();
    let workload = written(settled("acme/payments:1"), "2", false);
    let image = ("app".to_owned(), false, "acme/payments:2".parse().unwrap());
    let (state, seen) = (workload.state.unwrap(), Arc::new(settled("acme/payments:1")));
    let write = WorkloadWrite { id: id("payments"), expected: seen, images: vec![image], state };
    let mut memory = ControllerState::default();
    drop(memory.record_write_error(payments, &write, error));
    move |seconds| {
        let now = Timestamp::from_second(seconds).unwrap();
        let mut look = assess(&desired, &observed, now);
        Arc::make_mut(&mut look.services[payments.index()]).to_record = true;
        memory.correct(&mut look);
        memory.add_unacknowledged(&mut look, now);
        let running = &look.live[payments.index()].running;
        (Describe::new(&desired, now).all(payments, running), look.services[payments.index()].to_record)
    }
}

#[test]
fn a_write_without_an_answer_counts_as_live_for_as_long_as_it_may_still_be_carried_out() {
    let mut look = after(ClusterError::Unreachable("no answer".to_owned()));
    assert_eq!(look(1000).0, "acme/payments:1 (never pinned) and 2");
    assert_eq!(look(1120).0, "acme/payments:1 (never pinned) and 2");
    assert_eq!(look(1121).0, "acme/payments:1 (never pinned)");
    assert_eq!(look(1122).0, "acme/payments:1 (never pinned)");
}

#[test]
fn what_was_refused_is_not_recorded_at_once_again() {
    assert!(after(ClusterError::Unreachable("no answer".to_owned()))(0).1);
    assert!(!after(ClusterError::Forbidden("no right".to_owned()))(0).1);
}

//! What is told of a service from pass to pass.

use super::super::event_diff::{EventDiff, PassContext};
use super::super::{PassOutcome, Requeue};
use super::drift::{at, moved, repinned};
use super::pauses::pause;
use super::*;
use crate::cli::describe::EventJson;

/// Who is told: all passes see the same pins.
struct Told {
    desired: Desired,
    teller: EventDiff,
    text: String,
}

impl Told {
    fn of(rest: &str) -> Self {
        Self { desired: repinned(rest), teller: EventDiff::default(), text: String::new() }
    }

    /// A pass that sees payments so, and writes what it may.
    fn pass(&mut self, payments: Workload, pods: &[Arc<Pod>], now: i64) -> &mut Self {
        let mut observed = Observation::default();
        observed.workloads.insert(id("checkout"), Arc::new(settled("acme/checkout:5")));
        observed.workloads.insert(id("payments"), Arc::new(payments));
        observed.pods.insert(id("payments"), pods.to_vec());
        let look = assess(&self.desired, &observed, at(now));
        let wanted = targets(&self.desired, &look);
        let next = next(plan_input(&self.desired, &look, &wanted));
        let started = next.starts().collect();
        let pass = PassOutcome { live_state: look, wanted, next, started, wrote: true, requeue: Requeue::Await };
        let _ = writeln!(self.text, "{now}");
        for event in self.teller.events(PassContext { desired: &self.desired, pass: &pass, now: at(now) }) {
            let describe = Some(Describe::new(&self.desired, at(now)));
            let _ = writeln!(self.text, "  {}", serde_json::to_string(&EventJson { event: &event, describe }).unwrap());
        }
        self
    }

    /// Payments is corrected from this image in three passes: it starts, the old pods end, all is well.
    fn corrected(&mut self, from: &str, by_hand: Workload, now: i64) -> &mut Self {
        self.pass(by_hand, &[], now);
        let mut ending = Pod::clone(&pod(from, None));
        ending.terminating = true;
        self.pass(rolling(), &[Arc::new(ending), pod("acme/payments:2", None)], now + 1);
        self.pass(rolling(), &[pod("acme/payments:2", None)], now + 2);
        self.pass(written(settled("acme/payments:2"), "2", true), &[], now + 3)
    }
}

/// The correction is on its way.
fn rolling() -> Workload {
    written(in_mid_rollout(settled("acme/payments:2")), "2", false)
}

fn by_hand() -> Workload {
    moved("kubectl-set", "acme/payments:1", 3_000)
}

#[test]
fn what_is_corrected_at_once_is_told_from_the_start_to_the_end() {
    assert_snapshot!(Told::of("drift: {handGrace: 0s}\n").corrected("acme/payments:1", by_hand(), 3_001).text, @r#"
    3001
      {"event":"targetFound","service":"payments","from":"1","to":"2"}
      {"event":"newStarting","service":"payments","version":"2"}
    3002
      {"event":"oldStopping","service":"payments","version":"1"}
    3003
      {"event":"oldGone","service":"payments","version":"1"}
    3004
      {"event":"verified","service":"payments","version":"2","took":3.0}
    "#);
}

#[test]
fn what_is_corrected_after_the_grace_is_told_as_what_is_corrected_at_once() {
    let mut told = Told::of("drift: {handGrace: 10s}\n");
    told.pass(by_hand(), &[], 3_001);
    let held = told.text.len();
    told.corrected("acme/payments:1", by_hand(), 3_010);
    let mut at_once = Told::of("drift: {handGrace: 0s}\n");
    assert_eq!(told.text[held..], at_once.corrected("acme/payments:1", by_hand(), 3_010).text);
}

#[test]
fn what_a_hand_puts_there_in_the_middle_of_a_correction_is_told_too() {
    let mut told = Told::of("drift: {handGrace: 0s}\n");
    told.pass(by_hand(), &[], 3_001).pass(rolling(), &[pod("acme/payments:2", None)], 3_002);
    told.corrected("acme/payments:3", moved("kubectl-set", "acme/payments:3", 3_003), 3_004);
    assert_snapshot!(told.text, @r#"
    3001
      {"event":"targetFound","service":"payments","from":"1","to":"2"}
      {"event":"newStarting","service":"payments","version":"2"}
    3002
      {"event":"oldStopping","service":"payments","version":"1"}
      {"event":"oldGone","service":"payments","version":"1"}
    3004
      {"event":"targetFound","service":"payments","from":"acme/payments:3 (never pinned)","to":"2"}
      {"event":"newStarting","service":"payments","version":"2"}
    3005
      {"event":"oldStopping","service":"payments","version":"acme/payments:3 (never pinned)"}
    3006
      {"event":"oldGone","service":"payments","version":"acme/payments:3 (never pinned)"}
    3007
      {"event":"verified","service":"payments","version":"2","took":3.0}
    "#);
}

#[test]
fn what_is_paused_in_the_middle_of_a_rollout_goes_on_without_being_told_anew() {
    let both = [pod("acme/payments:1", None), pod("acme/payments:2", None)];
    let mut told = Told::of("drift: {handGrace: 0s}\n");
    told.pass(by_hand(), &[], 3_001).pass(Workload { pause: Some(pause(3_000, 3_004)), ..rolling() }, &both, 3_002);
    told.pass(rolling(), &both, 3_005).pass(rolling(), &both[1..], 3_006);
    assert_snapshot!(told.text, @r#"
    3001
      {"event":"targetFound","service":"payments","from":"1","to":"2"}
      {"event":"newStarting","service":"payments","version":"2"}
    3002
      {"event":"held","service":"payments","why":"paused by ada until 00:50 UTC: we look at its memory. End it: pintle resume payments","reasons":[{"by":"ada","code":"paused","reason":"we look at its memory","until":"1970-01-01T00:50:04Z"}]}
    3005
    3006
      {"event":"oldStopping","service":"payments","version":"1"}
      {"event":"oldGone","service":"payments","version":"1"}
    "#);
}

#[test]
fn what_is_settled_and_has_no_pod_that_is_ready_is_told_to_be_down_once_and_then_to_be_back() {
    let well = || written(settled("acme/payments:2"), "2", true);
    let with = |ready: i32| {
        let mut workload = well();
        (workload.status.ready, workload.status.available) = (Some(ready), Some(ready));
        workload
    };
    let crashed = [pod("acme/payments:2", Some("CrashLoopBackOff"))];
    let mut told = Told::of("");
    told.pass(well(), &[], 3_001).pass(with(1), &crashed, 3_002).pass(with(0), &crashed, 3_003);
    told.pass(with(0), &crashed, 3_004).pass(with(1), &[], 3_005).pass(
        Workload { replicas: Some(0), ..with(0) },
        &[],
        3_006,
    );
    assert_snapshot!(told.text, @r#"
    3001
    3002
    3003
      {"event":"down","service":"payments","version":"2","why":"pod payments-1, container app: CrashLoopBackOff: not found","reasons":[{"code":"podFailed","pod":{"isProcess":false,"issue":{"container":"app","message":"not found","reason":"CrashLoopBackOff","restarts":0},"name":"payments-1"}}]}
    3004
    3005
      {"event":"back","service":"payments","version":"2"}
    3006
    "#);
}

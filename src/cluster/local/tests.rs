//! The decisions on the processes of one service, one line per case.

use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::git::CommitId;
use pintle_core::pins::{LocalSpec, WorkloadKind, WorkloadRef};
use pintle_core::verify::{self, ChangeTiming};
use pintle_core::version::Version;
use pintle_core::workload::{StateAnnotation, WorkloadId};

use super::decide::next_actions;
use super::folder::RunState;
use super::picture::{ProcessHealth, ServiceFacts, is_rolling, service_view};
use super::record::{ExitCause, ProcessExit, ProcessId, ProcessRun, ProcessSpec, RECORD_SCHEMA, ServiceRecord};

const NOW: i64 = 1_790_000_000;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(NOW * 1000 + milliseconds).unwrap()
}

fn spec(version: &str, rolling: bool) -> ProcessSpec {
    let local = LocalSpec::Process { run: vec!["./web".to_owned()], port: Some(80), health: None, rolling };
    let image = format!("web:{version}").parse().unwrap();
    ProcessSpec { image, version: Version::new(version).unwrap(), local: Arc::new(local) }
}

/// A service whose spec is version 2, without processes.
fn service(rolling: bool) -> ServiceFacts {
    let state = StateAnnotation {
        schema: StateAnnotation::SCHEMA,
        instance: "test".to_owned(),
        commit: CommitId::from([2; 20]),
        version: Version::new("2").unwrap(),
        proven: Vec::new(),
        image_rewrite: None,
    };
    let record = ServiceRecord {
        schema: RECORD_SCHEMA,
        made: at(0),
        revision: 2,
        generation: 2,
        spec: spec("2", rolling),
        down: false,
        kept_by: None,
        written: at(0),
        state,
        runs: Vec::new(),
        next: 1,
        crashes: 0,
        exit: None,
    };
    ServiceFacts { record: Some(record), is_supervised: true, ..ServiceFacts::default() }
}

impl ServiceFacts {
    /// Adds a process of a version.
    fn runs(mut self, version: &str, health: ProcessHealth) -> Self {
        let record = self.record.as_mut().unwrap();
        let (number, rolling) = (record.next, is_rolling(record));
        record.next += 1;
        let commit = CommitId::from([1; 20]);
        record.runs.push(ProcessRun { number, spec: spec(version, rolling), commit, begun: at(0), stopping: None });
        self.run_states.insert(number, RunState::Running(ProcessId { pid: 100, start: String::new() }));
        self.health.insert(number, health);
        self
    }

    fn run(&mut self) -> &mut ProcessRun {
        self.record.as_mut().unwrap().runs.last_mut().unwrap()
    }

    /// Requests the last process to stop.
    fn stopping(mut self, since: Timestamp) -> Self {
        self.run().stopping = Some(since);
        self
    }

    /// Ends the last process.
    fn ended(mut self, how: ExitCause) -> Self {
        let number = self.run().number;
        self.run_states.insert(number, RunState::Ended(ProcessExit { at: at(0), how, said: "bye".to_owned() }));
        self
    }

    /// Sets the number of consecutive crashes.
    fn crashed(mut self, times: u32) -> Self {
        let run = ProcessRun {
            number: 0,
            spec: spec("2", false),
            commit: CommitId::from([2; 20]),
            begun: at(0),
            stopping: None,
        };
        let exit = ProcessExit { at: at(0), how: ExitCause::Code(1), said: "bye".to_owned() };
        let record = self.record.as_mut().unwrap();
        (0..times).for_each(|_| record.record_crash(&run, exit.clone()));
        self
    }

    fn left(mut self) -> Self {
        self.is_supervised = false;
        self
    }

    /// Returns the actions due now, and the time until the next decision.
    fn acts(&self, now: Timestamp) -> String {
        let (acts, later) = next_actions(self, now);
        let acts: Vec<String> = acts.iter().map(|act| format!("{act:?}")).collect();
        let later = later.map(|later| format!("in {} ms", later.duration_since(now).as_millis()));
        acts.into_iter().chain(later).collect::<Vec<_>>().join(", ")
    }
}

fn unwell() -> ProcessHealth {
    ProcessHealth::Unhealthy("status 503".to_owned())
}

#[test]
fn where_nothing_is_shared_the_old_one_ends_first() {
    let old = || service(false).runs("1", ProcessHealth::Healthy);
    assert_eq!(old().acts(at(0)), "Stop(1)");
    assert_eq!(old().stopping(at(0)).acts(at(0)), "in 10000 ms");
    assert_eq!(old().stopping(at(0)).acts(at(10_000)), "Kill(1)");
    assert_eq!(old().stopping(at(0)).ended(ExitCause::Code(0)).acts(at(0)), "Reap(1)");
    assert_eq!(service(false).acts(at(0)), "Start");
    assert_eq!(service(false).runs("2", ProcessHealth::Unknown).acts(at(0)), "");
}

#[test]
fn where_the_port_is_shared_the_old_one_stays_until_the_new_one_is_well() {
    let old = |health| service(true).runs("1", health);
    assert_eq!(old(ProcessHealth::Healthy).acts(at(0)), "Start");
    assert_eq!(old(ProcessHealth::Healthy).runs("2", ProcessHealth::Unknown).acts(at(0)), "");
    assert_eq!(old(ProcessHealth::Healthy).runs("2", unwell()).acts(at(0)), "");
    assert_eq!(old(ProcessHealth::Unknown).runs("2", unwell()).acts(at(0)), "");
    assert_eq!(old(ProcessHealth::Healthy).runs("2", ProcessHealth::Healthy).acts(at(0)), "Stop(1)");
    assert_eq!(old(unwell()).runs("2", ProcessHealth::Unknown).acts(at(0)), "Stop(1)");
    // A superseded version that never became healthy stops at once.
    assert_eq!(old(ProcessHealth::Healthy).runs("3", unwell()).acts(at(0)), "Stop(2)");
    // Returning to a version that still runs needs no start.
    assert_eq!(service(true).runs("2", ProcessHealth::Healthy).runs("3", unwell()).acts(at(0)), "Stop(2)");
}

#[test]
fn what_crashes_starts_again_later_each_time_and_at_once_where_it_lived_long() {
    let waits: Vec<String> = [1, 2, 3, 4, 11, 99].map(|times| service(false).crashed(times).acts(at(0))).into();
    assert_eq!(waits.join("; "), "in 250 ms; in 500 ms; in 1000 ms; in 2000 ms; in 256000 ms; in 300000 ms");
    assert_eq!(service(false).crashed(3).acts(at(1000)), "Start");
    let mut long = service(false).crashed(9);
    let run = service(false).runs("2", ProcessHealth::Healthy).run().clone();
    long.record
        .as_mut()
        .unwrap()
        .record_crash(&run, ProcessExit { at: at(60_000), how: ExitCause::Signal(9), said: String::new() });
    assert_eq!(long.acts(at(60_000)), "in 250 ms");
}

#[test]
fn what_nobody_keeps_is_left_as_it_is_and_what_was_stopped_ends() {
    assert_eq!(service(false).left().acts(at(0)), "");
    assert_eq!(
        service(true).runs("1", ProcessHealth::Healthy).runs("2", ProcessHealth::Healthy).left().acts(at(0)),
        ""
    );
    let mut down = service(false).runs("2", ProcessHealth::Healthy).left();
    down.record.as_mut().unwrap().down = true;
    assert_eq!(down.acts(at(0)), "Stop(1)");
}

#[test]
fn where_nobody_keeps_it_what_runs_is_what_was_meant() {
    let mut facts =
        service(true).runs("1", ProcessHealth::Healthy).runs("2", unwell()).ended(ExitCause::Code(1)).left();
    let record = facts.record.as_mut().unwrap();
    record.fall_back_to_running(|run| run.number == 1);
    assert_eq!((record.spec.version.as_str(), record.state.version.as_str()), ("1", "1"));
    assert_eq!(record.state.commit, CommitId::from([1; 20]));
}

/// Returns the verdict of `verify` at a time after the write, in milliseconds.
fn judged(facts: &ServiceFacts, milliseconds: i64) -> String {
    let workload = WorkloadRef { kind: WorkloadKind::Process, name: "web".to_owned() };
    let id = WorkloadId { namespace: String::new(), workload };
    let shown = service_view("web", None, facts, at(milliseconds)).unwrap();
    if let Some(why) = shown.idle {
        return format!("idle: {why}");
    }
    let change = ChangeTiming { written_at: Some(at(0)), timeout: None, now: at(milliseconds) };
    let health = verify::workload_health(&id, Some(&shown.workload), Some(&shown.pods), &change);
    let settled = if health.settled { "settled" } else { "moving" };
    format!("{:?}, {settled}: {:?}: {}", health.status, health.verdict, health.reason)
}

#[test]
fn verify_judges_processes_as_it_judges_pods() {
    let running = |health| service(false).runs("2", health);
    let left = |how| running(ProcessHealth::Healthy).ended(how).left();
    let cases = [
        ("well", running(ProcessHealth::Healthy)),
        ("not asked yet", running(ProcessHealth::Unknown)),
        ("unwell", running(unwell())),
        ("the old one ends", service(false).runs("1", ProcessHealth::Healthy).stopping(at(0))),
        ("old and new", service(true).runs("1", ProcessHealth::Healthy).runs("2", unwell())),
        ("crashed once", service(false).crashed(1)),
        ("crashed again and again", service(false).crashed(4)),
        ("killed, and nobody keeps it", left(ExitCause::Signal(9))),
        ("failed, and nobody keeps it", left(ExitCause::Code(1))),
        ("done, and nobody keeps it", left(ExitCause::Code(0))),
        ("never started, and nobody keeps it", left(ExitCause::NotStarted("./web: not found".to_owned()))),
        ("unseen, and nobody keeps it", left(ExitCause::Unknown)),
    ];
    let judged: Vec<String> = cases.iter().map(|(name, facts)| format!("{name}: {}", judged(facts, 1000))).collect();
    insta::assert_snapshot!(judged.join("\n"), @r#"
    well: Healthy, settled: Pass: 1 pod, available
    not asked yet: Progressing, moving: Wait(None): 0 of 1 pod available
    unwell: Progressing, moving: Wait(None): 0 of 1 pod available: process web-1: Unhealthy: status 503
    the old one ends: Progressing, moving: Wait(None): 0 of 1 pod run the new template
    old and new: Progressing, moving: Wait(None): 1 pod of an older template still there: process web-2: Unhealthy: status 503
    crashed once: Progressing, moving: Wait(None): 0 of 1 pod run the new template: process web-1: Error: exit code 1; last line of its log: "bye"
    crashed again and again: Degraded, moving: Fail: process web-1: CrashLoopBackOff after 3 restarts: exit code 1; last line of its log: "bye"
    killed, and nobody keeps it: idle: it failed before it was verified: it was ended by signal 9 (SIGKILL)
    failed, and nobody keeps it: idle: it failed before it was verified: it has ended with exit code 1; last line of its log: "bye"
    done, and nobody keeps it: idle: it failed before it was verified: it has ended with exit code 0
    never started, and nobody keeps it: idle: it failed before it was verified: it could not be started: ./web: not found
    unseen, and nobody keeps it: idle: it failed before it was verified: it has ended, and nobody saw how
    "#);
}

#[test]
fn what_does_not_become_well_in_two_minutes_has_failed() {
    let late = service(false).runs("2", unwell());
    assert!(judged(&late, 119_000).contains("Wait"), "{}", judged(&late, 119_000));
    assert!(judged(&late, 130_000).contains("Fail"), "{}", judged(&late, 130_000));
}

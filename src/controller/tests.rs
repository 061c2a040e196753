//! What is seen, wanted and said of one service, in each state that a workload can be in.

use std::fmt::Write as _;
use std::sync::Arc;

use insta::assert_snapshot;
use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::git::{Commit, CommitId, FileContent, RepoFile, blob_id};
use pintle_core::history::History;
use pintle_core::pins::{self, WorkloadKind, WorkloadRef};
use pintle_core::plan::{PlanStep, RolloutProgress, next};
use pintle_core::version::Version;
use pintle_core::workload::{
    Condition, Container, FieldManager, Pod, PodIssue, ProvenVersion, ReportedStatus, RolloutStrategy, StateAnnotation,
    Workload, WorkloadId,
};

use super::{Desired, LiveState, assess, plan_input, simulate_plan, targets};
use crate::cli::describe::{Describe, PlanReport};
use crate::cluster::Observation;

mod corrections;
mod drift;
mod event_diff;
mod image_rewrites;
mod pauses;
mod settled_cache;
mod state;

const COMMIT: [u8; 20] = [7; 20];

fn file(path: &str, text: String) -> RepoFile {
    let blob = blob_id(text.as_bytes());
    RepoFile { path: path.into(), blob, content: FileContent::Bytes(text.into_bytes().into()) }
}

fn commit() -> Commit {
    Commit { id: CommitId::from(COMMIT), author: "Ada".into(), time: Timestamp::UNIX_EPOCH, subject: "".into() }
}

/// `payments` is pinned at 2, `checkout` needs it; `rest` is added to the file of payments.
fn desired(rest: &str) -> Desired {
    let files = [
        file("services/payments.yaml", format!("version: \"2\"\nimage: acme/payments\n{rest}")),
        file(
            "services/checkout.yaml",
            "version: \"5\"\nimage: acme/checkout\ndependsOn: {payments: \">=2\"}\n".to_owned(),
        ),
    ];
    let reading = pins::parse_revision("", &files);
    assert!(reading.unusable.is_none(), "{:?}", reading.problems);
    Desired::from(DesiredState::new(
        CommitId::from(COMMIT),
        reading.pins,
        Arc::new(History::default()),
        "shop".to_owned(),
    ))
}

/// A Deployment of two pods that are all well, written by nobody.
fn settled(image: &str) -> Workload {
    let condition = |kind: &str, reason: &str| Condition {
        kind: kind.to_owned(),
        status: "True".to_owned(),
        reason: reason.to_owned(),
        message: String::new(),
        updated: None,
    };
    let status = ReportedStatus {
        observed_generation: Some(3),
        replicas: Some(2),
        updated: Some(2),
        ready: Some(2),
        available: Some(2),
        terminating: Some(0),
        conditions: vec![
            condition("Progressing", "NewReplicaSetAvailable"),
            condition("Available", "MinimumReplicasAvailable"),
        ],
        ..ReportedStatus::default()
    };
    Workload {
        uid: "1".to_owned(),
        resource_version: "10".to_owned(),
        generation: 3,
        deleting: false,
        containers: vec![container(image)],
        state: None,
        pause: None,
        is_managed: false,
        image_managers: Vec::new(),
        replicas: Some(2),
        strategy: RolloutStrategy::Rolling { surge: 1 },
        paused: false,
        status,
    }
}

/// The history of a branch whose only commit pinned this.
fn pinned(files: &[RepoFile]) -> History {
    let commit = Arc::new(commit());
    let mut history = History::default();
    for (name, service) in pins::parse_revision("", files).pins.services {
        history.record_pin(&name, &commit, Some(service.pin));
    }
    history
}

fn container(image: &str) -> Container {
    Container { name: "app".to_owned(), image: image.parse().ok(), written_image: image.to_owned(), init: false }
}

/// Written by Pintle at this version, and verified or not.
fn written(mut workload: Workload, version: &str, verified: bool) -> Workload {
    let (version, commit) = (Version::new(version).unwrap(), CommitId::from(COMMIT));
    let proof = ProvenVersion { version: version.clone(), commit, at: Timestamp::UNIX_EPOCH, took_ms: 1 };
    let state = StateAnnotation {
        schema: StateAnnotation::SCHEMA,
        instance: "default".to_owned(),
        commit,
        version,
        proven: Vec::new(),
        image_rewrite: None,
    };
    workload.state = Some(if verified { state.with_proof(proof) } else { state });
    workload.is_managed = true;
    workload.image_managers = vec![manager("pintle")];
    workload
}

fn manager(name: &str) -> FieldManager {
    FieldManager {
        name: name.to_owned(),
        time: Some(Timestamp::UNIX_EPOCH),
        applied: true,
        containers: vec!["app".to_owned()],
    }
}

/// One of its pods is still to be replaced by one of the new template.
fn in_mid_rollout(mut workload: Workload) -> Workload {
    workload.status.updated = Some(1);
    workload
}

/// A pod of the image, ready or not; `reason` is what keeps it from being ready.
fn pod(image: &str, reason: Option<&str>) -> Arc<Pod> {
    let trouble = |reason: &str| PodIssue {
        container: Some("app".to_owned()),
        reason: reason.to_owned(),
        message: "not found".to_owned(),
        restarts: 0,
    };
    Arc::new(Pod {
        name: "payments-1".to_owned(),
        containers: vec![container(image)],
        phase: "Running".to_owned(),
        ready: reason.is_none(),
        unready_since: None,
        terminating: false,
        created: None,
        template: None,
        issues: reason.map(trouble).into_iter().collect(),
    })
}

fn id(name: &str) -> WorkloadId {
    let workload = WorkloadRef { kind: WorkloadKind::Deployment, name: name.to_owned() };
    WorkloadId { namespace: "shop".to_owned(), workload }
}

/// What is seen of payments, and what the plan makes of both services; checkout is well at 5.
fn says(rest: &str, payments: Option<Workload>, pods: Option<Vec<Arc<Pod>>>) -> String {
    let desired = desired(rest);
    let mut observed = Observation::default();
    observed.workloads.insert(id("checkout"), Arc::new(settled("acme/checkout:5")));
    observed.workloads.extend(payments.map(|workload| (id("payments"), Arc::new(workload))));
    observed.pods.extend(pods.map(|pods| (id("payments"), pods)));
    seen(&desired, &observed)
}

fn seen(desired: &Desired, observed: &Observation) -> String {
    said(desired, &assess(desired, observed, Timestamp::from_second(60).unwrap()))
}

fn said(desired: &Desired, look: &LiveState) -> String {
    let words = Describe::new(desired, look.at);
    let payments = desired.graph.ids().find(|&id| words.name(id) == "payments").unwrap();
    let (live, it) = (&look.live[payments.index()], &look.services[payments.index()]);
    if look.unseen.contains(&payments) {
        return "its pods have to be looked at".to_owned();
    }
    let motion = match &live.progress {
        RolloutProgress::Failed(reason) => format!("Failed({:?})", reason.to_string()),
        motion => format!("{motion:?}"),
    };
    let mut text = format!("runs {}, {}", words.all(payments, &live.running), motion);
    text += if it.to_record { ", to be recorded" } else { "" };
    text += if it.drifted { ", drifted" } else { "" };
    let wanted = targets(desired, look);
    let report = PlanReport::of(desired, look, &simulate_plan(desired, look, &wanted), Vec::new());
    for change in report.stages.iter().flatten() {
        let _ = write!(text, "\n{}: {} -> {} ({})", change.service, change.from, change.to, change.kind);
    }
    for paused in &report.paused {
        let _ = write!(text, "\n{}: {}", paused.service, paused.why.whole);
    }
    for rest in &report.rest {
        let _ = write!(text, "\n{} is {:?}: {}", rest.service, rest.standing, rest.why.whole);
    }
    text
}

#[test]
fn what_was_never_written_is_taken_as_it_is() {
    assert_snapshot!(says("", Some(settled("acme/payments:2")), None), @"runs 2, Still");
    assert_snapshot!(says("", Some(settled("acme/payments:1")), None), @"
    runs acme/payments:1 (never pinned), Still
    payments: acme/payments:1 (never pinned) -> 2 (sidegrade)
    ");
}

#[test]
fn images_are_named_where_the_version_alone_does_not_tell_them_apart() {
    let files = |image: &str| [file("services/payments.yaml", format!("version: \"2\"\nimage: {image}\n"))];
    let before = pins::parse_revision("", &files("old/payments")).pins;
    let (name, service) = before.services.first_key_value().unwrap();
    let mut history = History::default();
    history.record_pin(name, &Arc::new(commit()), Some(service.pin.clone()));
    let pins = pins::parse_revision("", &files("new/payments")).pins;
    history.record_pin(name, &Arc::new(commit()), Some(pins.services[name].pin.clone()));
    let moved = Desired::from(DesiredState::new(CommitId::from(COMMIT), pins, Arc::new(history), "shop".to_owned()));
    let mut observed = Observation::default();
    observed.workloads.insert(id("payments"), Arc::new(settled("old/payments:2")));
    assert_snapshot!(seen(&moved, &observed), @"
    runs old/payments:2, Still
    payments: old/payments:2 -> new/payments:2 (image)
    ");
}

#[test]
fn what_was_written_is_under_way_until_it_is_recorded_as_verified() {
    let new = || settled("acme/payments:2");
    assert_snapshot!(says("", Some(written(in_mid_rollout(new()), "2", false)), None), @"its pods have to be looked at");
    let both = || Some(vec![pod("acme/payments:1", None), pod("acme/payments:2", None)]);
    assert_snapshot!(says("", Some(written(in_mid_rollout(new()), "2", false)), both()), @"runs acme/payments:1 (never pinned) and 2, UnderWay");
    assert_snapshot!(says("", Some(written(new(), "2", false)), None), @"runs 2, Still, to be recorded");
    assert_snapshot!(says("", Some(written(new(), "2", true)), None), @"runs 2, Still");
}

#[test]
fn a_broken_pod_of_what_was_written_fails_and_of_what_was_verified_does_not() {
    let broken = || Some(vec![pod("acme/payments:2", Some("ImagePullBackOff"))]);
    let new = || in_mid_rollout(settled("acme/payments:2"));
    assert_snapshot!(says("", Some(written(new(), "2", false)), broken()), @r#"
    runs 2, Failed("pod payments-1, container app: ImagePullBackOff: not found")
    payments is Failed: pod payments-1, container app: ImagePullBackOff: not found
    "#);
    assert_snapshot!(says("", Some(written(new(), "2", true)), broken()), @"runs 2, Still");
}

#[test]
fn what_somebody_else_wrote_since_is_drift() {
    let mut by_hand = written(settled("acme/payments:1"), "2", true);
    by_hand.image_managers.insert(0, manager("kubectl-set"));
    assert_snapshot!(says("", Some(by_hand), None), @"
    runs acme/payments:1 (never pinned), Still, drifted
    payments: acme/payments:1 (never pinned) -> 2 (drift)
    ");
}

#[test]
fn what_cannot_be_written_is_held_with_the_way_out() {
    assert_snapshot!(says("", None, None), @"
    runs nothing, Still
    payments is Held: deployment/payments in namespace shop does not exist; Pintle creates no workload: apply its manifest first
    ");
    assert_snapshot!(says("", Some(settled("acme/other:1")), None), @"
    runs nothing, Still
    payments is Held: deployment/payments in namespace shop has no container that runs acme/payments; it has app (acme/other:1): name them with `containers:`
    ");
    let mut foreign = written(settled("acme/payments:1"), "1", true);
    if let Some(state) = &mut foreign.state {
        state.instance = "prod-us".to_owned();
    }
    assert_snapshot!(says("", Some(foreign), None), @"
    runs acme/payments:1 (never pinned), Still
    payments is Held: deployment/payments in namespace shop belongs to the instance prod-us: pin it there, or remove its annotation pintle.dev/state
    ");
    assert_snapshot!(says("external: true\n", Some(settled("acme/payments:1")), None), @"
    runs acme/payments:1 (never pinned), Still
    payments is Held: deployed elsewhere (`external: true`)
    ");
    assert_snapshot!(says("hold: {above: \"1\", reason: it loses orders, by: Ada}\n", Some(settled("acme/payments:1")), None), @"
    runs acme/payments:1 (never pinned), Still
    payments is Held: 2 is on hold by Ada (above 1): it loses orders; release it: pintle release payments
    ");
    assert_snapshot!(says("rollbackFloor: \"3\"\n", Some(settled("acme/payments:1")), None), @"
    runs acme/payments:1 (never pinned), Still
    payments is Held: 2 is older than its `rollbackFloor` 3: its data has moved on; pin 3 or newer
    ");
}

#[test]
fn what_cannot_be_looked_at_may_run_anything_and_is_not_written() {
    let mut observed = Observation::default();
    observed.workloads.insert(id("checkout"), Arc::new(settled("acme/checkout:4")));
    let why = crate::cluster::ClusterError::Forbidden("deployments is forbidden".to_owned());
    observed.unobservable.insert(id("payments"), why);
    assert_snapshot!(seen(&desired(""), &observed), @"
    runs 2 and unknown, Still
    checkout is Waiting: waits until payments unknown is gone: checkout 5 needs payments >=2
    payments is Held: it cannot be looked at: deployments is forbidden
    ");
}

#[test]
fn a_service_whose_file_cannot_be_read_is_taken_to_run_what_it_pinned_last() {
    let files = |checkout: &str| {
        let payments = "version: \"2\"\nimage: acme/payments\n".to_owned();
        [file("services/payments.yaml", payments), file("services/checkout.yaml", checkout.to_owned())]
    };
    let history = pinned(&files("version: \"5\"\nimage: acme/checkout\ndependsOn: {payments: \"<2\"}\n"));
    let pins = pins::parse_revision("", &files("verison: \"6\"\n")).pins;
    let broken = Desired::from(DesiredState::new(CommitId::from(COMMIT), pins, Arc::new(history), "shop".to_owned()));
    let mut observed = Observation::default();
    observed.workloads.insert(id("payments"), Arc::new(settled("acme/payments:1")));
    assert_snapshot!(seen(&broken, &observed), @"
    runs acme/payments:1 (never pinned), Still
    checkout is Held: services/checkout.yaml:1:1: `verison` is not a key of a service file
    payments is Held: checkout 5 needs payments <2, and payments 2 is what shall run; pin versions that fit, or widen the range if it is wrong
    ");
}

#[test]
fn a_provider_whose_pods_are_never_ready_is_repaired_though_its_consumer_rejects_what_comes() {
    // checkout 5 cannot get ready beside payments 1, and checkout 4 runs until it is: nobody would ever move.
    let mut desired = desired("");
    let payments = "version: \"1\"\nimage: acme/payments\n".to_owned();
    let checkout = "version: \"4\"\nimage: acme/checkout\ndependsOn: {payments: \"<2\"}\n".to_owned();
    let before = [file("services/payments.yaml", payments), file("services/checkout.yaml", checkout)];
    let pins = desired.pins.clone();
    desired = Desired::from(DesiredState::new(desired.commit, pins, Arc::new(pinned(&before)), "shop".to_owned()));
    let says = |seconds: i64| {
        let mut observed = Observation::default();
        let mut down = settled("acme/payments:1");
        (down.status.ready, down.status.available) = (None, None);
        observed.workloads.insert(id("payments"), Arc::new(down));
        let mut silent = Pod::clone(&pod("acme/payments:1", None));
        (silent.ready, silent.unready_since) = (false, Timestamp::from_second(60 - seconds).ok());
        observed.pods.insert(id("payments"), vec![Arc::new(silent)]);
        observed.workloads.insert(id("checkout"), Arc::new(in_mid_rollout(settled("acme/checkout:5"))));
        observed.pods.insert(id("checkout"), vec![pod("acme/checkout:4", None), pod("acme/checkout:5", None)]);
        let look = assess(&desired, &observed, Timestamp::from_second(60).unwrap());
        let wanted = targets(&desired, &look);
        let words = Describe::new(&desired, look.at);
        let payments = desired.graph.ids().find(|&id| words.name(id) == "payments").unwrap();
        match next(plan_input(&desired, &look, &wanted)).step_of(payments) {
            Some(PlanStep::Start(_)) => "starts".to_owned(),
            Some(step) => words.step(payments, step),
            None => "is there".to_owned(),
        }
    };
    assert_snapshot!(says(599), @"waits until checkout 4 is gone: it needs payments <2");
    assert_snapshot!(says(601), @"starts");
}

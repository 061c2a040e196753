//! From pins as text to planned rollouts, by the planner that `pintle plan` asks.

use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::git::{Commit, CommitId, FileContent, RepoFile, blob_id};
use pintle_core::graph::ServiceId;
use pintle_core::history::History;
use pintle_core::pins::{self, Pins};
use pintle_core::plan::{EdgeWait, Plan, PlanInput, WaitReason};
use pintle_core::running::{Label, Running};
use pintle_core::version::{Version, VersionRange};

/// Service, version and needs, one line each. Consumers stand above their providers.
pub(crate) const RELEASE_46: &str = "
    checkout 1.7.9  payments: '>=2.0, <3'
    payments 2.0.3  ledger: '>=5, <7'
    ledger   5.1.0
";

/// The new checkout uses a new API of payments, and the new payments uses one of ledger.
pub(crate) const RELEASE_47: &str = "
    checkout 1.8.2  payments: '>=2.1, <3'
    payments 2.1.0  ledger: ^6
    ledger   6.0.0
";

/// One service on its way from one version to another.
pub(crate) struct Move {
    pub(crate) service: String,
    pub(crate) from: String,
    pub(crate) to: String,
    /// The stage in which it starts, from 0.
    pub(crate) stage: usize,
    /// The service it waits for, and the reason.
    pub(crate) wait: Option<(String, String)>,
}

/// Plans the way from one set of pins to another: one move per line, in the order of the lines.
pub(crate) fn plan(from: &str, to: &str) -> Vec<Move> {
    let (before, after) = (read(from), read(to));
    let commit = |n: u8| {
        Arc::new(Commit { id: [n; 20].into(), author: "".into(), time: Timestamp::UNIX_EPOCH, subject: "".into() })
    };
    let mut history = History::default();
    for (pins, commit) in [(&before, commit(1)), (&after, commit(2))] {
        for (name, service) in &pins.services {
            history.record_pin(name, &commit, Some(service.pin.clone()));
        }
    }
    let desired = DesiredState::new(CommitId::from([2; 20]), after, Arc::new(history), String::new());
    let live = desired.live_settled_at(&before);
    let wanted: Vec<_> = desired.graph.ids().map(|id| desired.target(id)).collect();
    let situation = PlanInput { graph: &desired.graph, wanted: &wanted, live: &live, lockstep: &[], evidence: None };
    let plan = Plan::simulate(situation, &vec![None; wanted.len()]);
    let stages = plan.stages.iter().enumerate();
    let changes = stages.flat_map(|(stage, it)| it.changes.iter().map(move |change| (stage, change)));
    let mut moves: Vec<Move> = changes
        .map(|(stage, change)| Move {
            service: desired.graph.name(change.service).to_string(),
            from: text(change.from.first()),
            to: text(wanted[change.service.index()].target()),
            stage,
            wait: change
                .awaited
                .first()
                .map(|wait| (desired.graph.name(wait.on).to_string(), reason(&desired, change.service, wait))),
        })
        .collect();
    moves.sort_by_key(|it| to.find(&it.service));
    moves
}

/// Reads pins as a repository would have them: one file per service.
fn read(text: &str) -> Pins {
    let file = |path: String, text: String| RepoFile {
        blob: blob_id(text.as_bytes()),
        path: path.into(),
        content: FileContent::Bytes(text.into_bytes().into()),
    };
    let settings = file("pintle.yaml".to_owned(), "apiVersion: pintle.dev/v1alpha1\n".to_owned());
    let services = text.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(' ')?;
        let (version, needs) = rest.trim().split_once("  ").unwrap_or((rest.trim(), ""));
        let text = format!("version: \"{version}\"\nimage: ghcr.io/acme/{name}\ndependsOn: {{{needs}}}\n");
        Some(file(format!("services/{name}.yaml"), text))
    });
    let files: Vec<RepoFile> = [settings].into_iter().chain(services).collect();
    pins::parse_revision("", &files).pins
}

/// Why a service waits, as short as a picture needs it.
fn reason(desired: &DesiredState, waiter: ServiceId, wait: &EdgeWait) -> String {
    let graph = &desired.graph;
    let edge = graph.edge(wait.edge);
    let (consumer, provider) = (graph.name(edge.consumer), graph.name(edge.provider));
    let target = desired.service(waiter).map(|service| &service.pin.version);
    let needy = match &wait.reason {
        WaitReason::Incompatible(blocker) if edge.provider == waiter => version(blocker),
        _ => target,
    };
    let range = needy.and_then(|version| graph.required_range(wait.edge, version));
    format!(
        "{consumer} {} needs {provider} {}",
        needy.map_or("", Version::as_str),
        range.map_or("", VersionRange::as_str)
    )
}

fn version(running: &Running) -> Option<&Version> {
    match running.label() {
        Label::Version(version) => Some(version),
        Label::Absent | Label::Unknown => None,
    }
}

fn text(running: Option<&Running>) -> String {
    running.and_then(version).map(ToString::to_string).unwrap_or_default()
}

//! How one service stands.

use jiff::Timestamp;
use pintle_core::graph::Id;
use pintle_core::plan::Step;
use pintle_core::verify::Word;
use serde::Serialize;

use crate::cluster::{ClusterError, Observation};
use crate::controller::{Desired, Pass, Words};

/// How one service stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusRow {
    pub(super) service: String,
    /// Where it runs; none where its file has errors.
    pub(super) namespace: Option<String>,
    /// What is pinned: the version, or the image where the version alone does not tell it from what runs; none where its
    /// file has errors.
    pub(super) pinned: Option<String>,
    pub(super) runs: String,
    pub(super) health: Word,
    /// When what runs was verified.
    pub(super) since: Option<Timestamp>,
    pub(super) in_sync: bool,
    /// Why not, and what it waits for; also where it is in sync, until when it is paused.
    pub(super) why: Option<String>,
    /// It cannot be written: a namespace that does not exist is in the way of all that it shall hold.
    #[serde(skip)]
    pub(super) is_obstructed: bool,
}

impl StatusRow {
    /// Describes a service; `when` it would start.
    pub(super) fn new(desired: &Desired, id: Id, (pass, observed): (&Pass, &Observation), when: &str) -> Self {
        let row = row(desired, id, pass, when);
        if !lacks_namespace(desired, id, observed) {
            return row;
        }
        Self { runs: "nothing".to_owned(), health: Word::Missing, ..row }
    }
}

/// Whether the namespace of a service does not exist: then nothing of it does.
fn lacks_namespace(desired: &Desired, id: Id, observed: &Observation) -> bool {
    let workloads = desired.service(id).map(|service| desired.workloads(service)).unwrap_or_default();
    let mut unknown = workloads.iter().filter_map(|id| observed.unknown.get(id));
    unknown.any(|why| matches!(why, ClusterError::NoNamespace(_)))
}

fn row(desired: &Desired, id: Id, pass: &Pass, when: &str) -> StatusRow {
    let words = Words::new(desired);
    let (seen, running) = (&pass.look.services[id.index()], pass.look.live[id.index()].running.as_slice());
    let worst = seen.workloads.iter().map(|it| &it.health).max_by_key(|health| health.word.severity());
    let health = worst.map_or(Word::Unknown, |health| health.word);
    let step = pass.next.of(id);
    let reason = worst.filter(|health| health.word != Word::Healthy).map(|health| health.message.clone());
    let why = match step {
        Some(Step::UnderWay) => Some(format!("under way: {}", reason.clone().unwrap_or_default())),
        Some(Step::Start(_)) => {
            let missing = worst.filter(|health| health.word == Word::Missing);
            let why = missing.map(|health| format!("{}; ", health.message)).unwrap_or_default();
            Some(why + "starts " + when)
        }
        Some(step) => Some(words.step(id, step)),
        None => seen.pause.as_ref().and(seen.stay.as_ref()).map(|stay| stay.why.clone()).or_else(|| reason.clone()),
    };
    let states = || seen.workloads.iter().filter_map(|it| it.workload.as_deref()?.state.as_ref());
    StatusRow {
        service: words.name(id).to_owned(),
        namespace: words.namespace(id),
        pinned: desired.service(id).map(|_| words.beside(id, running)),
        runs: words.all(id, running),
        health,
        since: states()
            .filter_map(|state| state.proven.first())
            .filter(|_| step.is_none())
            .map(|proven| proven.at)
            .max(),
        in_sync: step.is_none(),
        why,
        is_obstructed: seen.obstacle.is_some(),
    }
}

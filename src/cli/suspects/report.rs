//! What `pintle suspects` says: sentences of the alarms and suspects, and the commands that take changes back.

use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::change::PinMove;
use pintle_core::git::Commit;
use pintle_core::graph::ServiceId;
use pintle_core::image::Image;
use pintle_core::pins::{Pin, ServiceName};
use pintle_core::running::Running;
use pintle_core::suspects::{ChangeCause, LastChange, PeerHealth, Suspect, UndoAction};
use serde::Serialize;

use crate::cli::describe::{Describe, Sentence};
use crate::controller::{Alarm, ClusterEvidence, Suspicion};

/// The alarms, and who may have caused them; also `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SuspectsReport {
    /// The cluster that was asked; null where health is not known.
    pub(super) cluster: Option<String>,
    pub(super) since: Option<Timestamp>,
    /// How many services were looked at.
    pub(super) services: usize,
    pub(super) alarms: Vec<AlarmReport>,
    pub(super) suspects: Vec<SuspectReport>,
}

/// A service that alarms.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlarmReport {
    pub(super) service: ServiceName,
    pub(super) runs: String,
    /// It runs nothing.
    #[serde(skip)]
    pub(super) is_absent: bool,
    pub(super) why: Sentence,
}

/// A suspect, the likeliest first.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SuspectReport {
    pub(super) service: ServiceName,
    /// What was pinned, or was to run, before.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) changed: Timestamp,
    /// The commit that moved the pin; null where somebody moved what runs by hand.
    pub(super) commit: Option<Arc<Commit>>,
    pub(super) distance: usize,
    pub(super) why: Vec<String>,
    /// What takes it back; null where there is nothing to go back to.
    pub(super) command: Option<String>,
}

impl SuspectsReport {
    pub(super) fn new(seen: &ClusterEvidence, suspicion: &Suspicion, since: Option<Timestamp>) -> Self {
        let suspect = |it: &Suspect| Some(SuspectReport::new(seen, it, suspicion.changes.get(&it.service)?));
        Self {
            cluster: seen.server.clone().filter(|_| seen.observed.is_some()),
            since,
            services: seen.desired.graph.len(),
            suspects: suspicion.suspects.iter().filter_map(suspect).collect(),
            alarms: suspicion.alarms.iter().map(|(&id, alarm)| AlarmReport::new(seen, id, alarm)).collect(),
        }
    }
}

impl AlarmReport {
    fn new(seen: &ClusterEvidence, id: ServiceId, alarm: &Alarm) -> Self {
        let running = &seen.look.live[id.index()].running;
        let describe = Describe::new(&seen.desired, seen.look.at);
        let why = describe.both(|it| match alarm {
            Alarm::Unwell(health) => format!("is {:?}: {}", health.status, it.health(&health.reason)),
            Alarm::Named => "is named by you".to_owned(),
        });
        Self {
            service: seen.desired.graph.name(id).clone(),
            runs: describe.all(id, running),
            is_absent: running.iter().all(|one| *one == Running::Absent),
            why,
        }
    }
}

impl SuspectReport {
    fn new(seen: &ClusterEvidence, suspect: &Suspect, change: &LastChange) -> Self {
        let service = seen.desired.graph.name(suspect.service);
        let ([from, to], commit) = match &change.cause {
            ChangeCause::Hand => (moved_by_hand(seen, suspect.service), None),
            ChangeCause::Commit { moved, .. } => (ends(moved), Some(Arc::clone(&moved.commit))),
        };
        let command = |undo: UndoAction| match undo {
            UndoAction::WritePin => "apply",
            UndoAction::Reapply => "reapply",
            UndoAction::Rollback => "rollback",
        };
        Self {
            service: service.clone(),
            from,
            to,
            changed: suspect.changed_at,
            commit,
            distance: suspect.distance(),
            why: reasons(seen, suspect, &change.cause),
            command: change.undo.map(|undo| format!("pintle {} {service}", command(undo))),
        }
    }
}

/// What is pinned, and what runs instead.
fn moved_by_hand(seen: &ClusterEvidence, id: ServiceId) -> [String; 2] {
    let pinned = seen.desired.service(id).map(|service| service.pin.version.to_string()).unwrap_or_default();
    [pinned, Describe::new(&seen.desired, seen.look.at).all(id, &seen.look.live[id.index()].running)]
}

/// What was pinned before and after a move: the versions, or the images where the version is the same.
fn ends(moved: &PinMove) -> [String; 2] {
    let version = |pin: Option<&Arc<Pin>>| pin.map_or_else(|| "nothing".to_owned(), |pin| pin.version.to_string());
    match (&moved.from, &moved.to) {
        (Some(from), Some(to)) if from.version == to.version => Image::distinguish(&from.image, &to.image),
        (from, to) => [version(from.as_ref()), version(to.as_ref())],
    }
}

/// Why the service is suspected.
fn reasons(seen: &ClusterEvidence, suspect: &Suspect, cause: &ChangeCause) -> Vec<String> {
    let graph = &seen.desired.graph;
    let way = |way: &Vec<ServiceId>| {
        let names: Vec<&str> = way.iter().map(|id| graph.name(*id).as_str()).collect();
        match &names[..] {
            [] | [_] => "it alarms itself".to_owned(),
            [alarm, _] => format!("{alarm} alarms and needs it"),
            [alarm, through @ .., _] => format!("{alarm} alarms and needs it through {}", through.join(", ")),
        }
    };
    let mut why: Vec<String> = suspect.paths.iter().map(way).collect();
    why.extend(suspect.peers.map(|peers| match peers {
        PeerHealth::Well => "those of its pods that have not changed yet are well".to_owned(),
        PeerHealth::Unwell => "those of its pods that have not changed yet are not well either".to_owned(),
    }));
    if let (Some(_), ChangeCause::Commit { is_verified, .. }) = (&seen.server, cause) {
        let verified = "it was verified, so its own pods were well";
        why.push(if *is_verified { verified } else { "it was not verified there since" }.to_owned());
    }
    why
}

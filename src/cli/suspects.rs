//! `pintle suspects`: what may be the cause of an alarm, the likeliest first, and what to type.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

mod text;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use pintle_core::change::{ChangeKind, Move, line};
use pintle_core::git::Commit;
use pintle_core::graph::{EdgeId, Id, Label, order_of};
use pintle_core::image::Image;
use pintle_core::pins::{Pin, ServiceName};
use pintle_core::plan::Motion;
use pintle_core::running::Running;
use pintle_core::suspects::{self, Peers, Suspect, suspects};
use pintle_core::verify::Word;
use pintle_core::version::Order;
use pintle_core::workload::{Container, Pod};
use serde::Serialize;

use super::describe::{Describe, Sentence};
use super::exit::{Exit, Failure, help};
use super::load::{Loaded, load};
use super::output::{Output, Printing};
use super::seen::Seen;
use super::words::{TIMES, known, moment};
use crate::cli::config::Config;

/// Show what may be the cause of an alarm, the likeliest first
///
/// Suspects are the services that changed since all was well and that alarm, or that one that alarms depends on, directly
/// or through others. They are ranked by the time since the change and by the distance, each with its reasons and with
/// what takes it back. A service alarms where its pods are not well, or where you name it: because of its metrics, say.
/// It was well when it was verified last in the cluster at hand; --since says otherwise. Without a cluster and without a
/// name all that changed is told, the newest first.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle suspects\npintle suspects --since 2h\npintle suspects checkout --output json",
    &[Exit::Ok, Exit::Error, Exit::Unhealthy, Exit::Usage],
))]
pub(super) struct Suspects {
    /// Services that alarm, by what else you know
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Only what changed since then (2h, 2h ago, or 2026-11-20T10:00 in UTC)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    #[command(flatten)]
    printing: Printing,
}

/// What is told: the alarms, and who may have caused them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    /// The cluster that was asked; null where health is not known.
    cluster: Option<String>,
    since: Option<Timestamp>,
    /// How many services were looked at.
    services: usize,
    alarms: Vec<Alarm>,
    suspects: Vec<Shown>,
}

/// A service that alarms.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Alarm {
    service: ServiceName,
    runs: String,
    /// It runs nothing.
    #[serde(skip)]
    is_absent: bool,
    why: Sentence,
}

/// A suspect, the likeliest first.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    service: ServiceName,
    /// What was pinned, or was to run, before.
    from: String,
    to: String,
    changed: Timestamp,
    /// The commit that moved the pin; null where somebody moved what runs by hand.
    commit: Option<Arc<Commit>>,
    distance: usize,
    why: Vec<String>,
    /// What takes it back; null where there is nothing to go back to.
    command: Option<String>,
}

/// The last change of a service.
struct Change {
    at: Timestamp,
    from: String,
    to: String,
    commit: Option<Arc<Commit>>,
    /// What it runs since; none where somebody moved it by hand.
    image: Option<Image>,
    /// It was verified since.
    verified: bool,
    command: Option<String>,
}

impl Suspects {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let now = Timestamp::now();
        let loaded = load(config, None)?;
        loaded.warn(output);
        loaded.at.usable()?;
        let tip = loaded.at.commit.clone().ok_or_else(|| Failure::error("a revision is needed"))?;
        let since = self.since.as_deref().map(|typed| since(typed, now)).transpose()?;
        let services = &loaded.at.reading.pins.services;
        let named = self.services.iter().map(|typed| known(typed, services.keys()));
        let named = named.collect::<Result<BTreeSet<_>, _>>()?;
        let pins = loaded.at.pins(config);
        let seen = Seen::now(config, &tip, (&pins, &loaded), "health is not known", output);
        let told = told(&loaded, &seen, &named, since, now);
        output.result(self.printing.output, &told, |output| text::print(&told, now, output))?;
        Ok(if told.alarms.is_empty() { Exit::Ok } else { Exit::Unhealthy })
    }
}

fn since(typed: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let wrong = || Failure::usage(format!("--since {typed:?} is no time")).hint(format!("write {TIMES}"));
    moment(typed, now).ok_or_else(wrong)
}

fn told(loaded: &Loaded, seen: &Seen, named: &BTreeSet<ServiceName>, since: Option<Timestamp>, now: Timestamp) -> Told {
    let (desired, describe) = (&*seen.desired, Describe::new(&seen.desired, now));
    let graph = &desired.graph;
    let is_seen = seen.observed.is_some();
    let said = |id: Id| {
        let named = named.contains(graph.name(id)).then(|| describe.both(|_| "is named by you".to_owned()));
        Some((id, unwell(seen, describe, id).filter(|_| is_seen).or(named)?))
    };
    let alarms: BTreeMap<Id, Sentence> = graph.ids().filter_map(said).collect();
    let changes: BTreeMap<Id, Change> = graph.ids().filter_map(|id| Some((id, change(loaded, seen, id)?))).collect();
    let proven = |id: Id| Some((id, seen.proven.get(graph.name(id))?.iter().map(|it| it.at).max()?));
    let alarming: BTreeSet<Id> = alarms.keys().copied().collect();
    let ranked = suspects(suspects::Known {
        graph,
        needed: &needed(seen),
        changed: &changes.iter().map(|(&id, change)| (id, change.at)).collect(),
        peers: &changes
            .iter()
            .filter_map(|(&id, change)| Some((id, peers(seen, id, change.image.as_ref()?)?)))
            .collect(),
        alarms: (is_seen || !alarming.is_empty()).then_some(&alarming),
        verified: &graph.ids().filter_map(proven).collect(),
        soak: desired.pins.settings.soak,
        since,
        now,
    });
    let shown = |it: &Suspect| Some(shown(seen, it, changes.get(&it.service)?));
    let alarm = |(id, why): (Id, Sentence)| {
        let running = &seen.look.live[id.index()].running;
        let is_absent = running.iter().all(|one| *one == Running::Absent);
        Alarm { service: graph.name(id).clone(), runs: describe.all(id, running), is_absent, why }
    };
    Told {
        cluster: seen.server.clone().filter(|_| is_seen),
        since,
        services: graph.len(),
        suspects: ranked.iter().filter_map(shown).collect(),
        alarms: alarms.into_iter().map(alarm).collect(),
    }
}

/// How a service is unwell; none where it is well, or on its way as it was asked to be.
fn unwell(seen: &Seen, describe: Describe<'_>, id: Id) -> Option<Sentence> {
    let is_still = seen.look.live[id.index()].motion == Motion::Still;
    let alarms = |word: Word| match word {
        Word::Degraded | Word::Missing => true,
        Word::Progressing => is_still,
        Word::Healthy | Word::Suspended | Word::Unknown => false,
    };
    let mut workloads = seen.look.services[id.index()].workloads.iter().filter(|it| !it.ending);
    let worst = workloads.find(|it| alarms(it.health.word))?;
    Some(describe.both(|it| format!("is {:?}: {}", worst.health.word, it.health(&worst.health.reason))))
}

/// How those pods of a service are that do not run this image yet, where there are any and they agree.
fn peers(seen: &Seen, id: Id, image: &Image) -> Option<Peers> {
    let observed = seen.observed.as_ref()?;
    let mut ready = BTreeSet::new();
    for one in &seen.look.services[id.index()].workloads {
        let (Some(workload), Some(pods)) = (&one.workload, observed.pods.get(&one.id)) else { continue };
        let runs = |it: &Container| it.image.as_ref().is_some_and(|there| workload.sent(there) == *image);
        let of_service = |it: &&Container| one.containers.contains(&it.name);
        let has_changed = |pod: &Pod| pod.containers.iter().filter(of_service).any(runs);
        let staying = pods.iter().filter(|pod| pod.runs() && !pod.terminating);
        ready.extend(staying.filter(|pod| !has_changed(pod)).map(|pod| pod.ready));
    }
    match (ready.contains(&true), ready.contains(&false)) {
        (true, false) => Some(Peers::Well),
        (false, true) => Some(Peers::Unwell),
        (true, true) | (false, false) => None,
    }
}

/// The edges by which what runs, or what is pinned, needs another service.
fn needed(seen: &Seen) -> BTreeSet<EdgeId> {
    let graph = &seen.desired.graph;
    let is_needed = |edge: &EdgeId| {
        let consumer = graph.edge(*edge).consumer;
        let runs = seen.look.live[consumer.index()].running.iter().map(Running::label);
        let pinned = seen.desired.service(consumer).map(|service| Label::Version(&service.pin.version));
        runs.chain(pinned).any(|label| matches!(label, Label::Version(x) if graph.need(*edge, x).is_some()))
    };
    graph.edges().filter(is_needed).collect()
}

/// The last change of a service: of what runs, by hand, or of its pin. A pin counts from when it was written on.
fn change(loaded: &Loaded, seen: &Seen, id: Id) -> Option<Change> {
    let (service, of) = (seen.desired.service(id)?, &seen.look.services[id.index()]);
    let (name, describe) = (&service.name, Describe::new(&seen.desired, seen.look.at));
    if let Some(hand) = of.hand.as_ref().filter(|_| of.drifted) {
        let to = describe.all(id, &seen.look.live[id.index()].running);
        let (from, command) = (service.pin.version.to_string(), Some(format!("pintle apply {name}")));
        return Some(Change { at: hand.at?, from, to, commit: None, image: None, verified: false, command });
    }
    let order = order_of(service, &loaded.history);
    let moves = line(loaded.history.records(name), &order);
    let running = &seen.look.live[id.index()].running;
    // A version may be pinned in one image after another: it is the image that runs.
    let runs = |pin: &Arc<Pin>| {
        running
            .iter()
            .any(|it| matches!(it, Running::Image(image, _) if *image == pin.image || same(image, &pin.image)))
    };
    // What is pinned and does not run yet has caused nothing.
    let mut newest_first = moves.iter().rev().filter(|it| it.kind.is_some() && !is_respelled(it, &order));
    let last = newest_first.clone().next()?;
    let it = newest_first.find(|it| it.to.as_ref().is_some_and(runs)).unwrap_or(last);
    let proof = seen.proof(&loaded.source, (name, &order), it);
    let written = of.workloads.iter().filter_map(|it| it.written).max();
    let began = proof.map(|it| it.at - SignedDuration::try_from(it.took()).unwrap_or_default()).or(written);
    let command = match it.kind {
        _ if it.commit != last.commit || it.to.is_none() => Some("apply"),
        Some(ChangeKind::Deploy) => None,
        _ if loaded.is_rollback(it.commit.id) => Some("reapply"),
        _ => Some("rollback"),
    };
    let [from, to] = ends(it);
    Some(Change {
        at: began.map_or(it.commit.time, |began| began.max(it.commit.time)),
        from,
        to,
        commit: Some(Arc::clone(&it.commit)),
        image: it.to.as_ref().map(|pin| pin.image.clone()),
        verified: proof.is_some(),
        command: command.map(|command| format!("pintle {command} {name}")),
    })
}

/// What was pinned before and after a move: the versions, or the images where the version is the same.
fn ends(it: &Move) -> [String; 2] {
    let version = |pin: Option<&Arc<Pin>>| pin.map_or_else(|| "nothing".to_owned(), |pin| pin.version.to_string());
    match (&it.from, &it.to) {
        (Some(from), Some(to)) if from.version == to.version => Image::apart(&from.image, &to.image),
        (from, to) => [version(from.as_ref()), version(to.as_ref())],
    }
}

/// The same content under another spelling of the same version: what runs has not changed by that.
fn is_respelled(it: &Move, order: &Order) -> bool {
    let ends = it.from.as_ref().zip(it.to.as_ref());
    ends.is_some_and(|(from, to)| {
        same(&from.image, &to.image) && order.compare(&from.version, &to.version) == Some(Ordering::Equal)
    })
}

/// Digests say that both are the same content.
fn same(one: &Image, other: &Image) -> bool {
    one.digest().is_some() && one.digest() == other.digest()
}

fn shown(seen: &Seen, suspect: &Suspect, change: &Change) -> Shown {
    let graph = &seen.desired.graph;
    let service = graph.name(suspect.service);
    let way = |way: &Vec<Id>| {
        let names: Vec<&str> = way.iter().map(|id| graph.name(*id).as_str()).collect();
        match &names[..] {
            [] | [_] => "it alarms itself".to_owned(),
            [alarm, _] => format!("{alarm} alarms and needs it"),
            [alarm, through @ .., _] => format!("{alarm} alarms and needs it through {}", through.join(", ")),
        }
    };
    let mut why: Vec<String> = suspect.ways.iter().map(way).collect();
    why.extend(suspect.peers.map(|peers| match peers {
        Peers::Well => "those of its pods that have not changed yet are well".to_owned(),
        Peers::Unwell => "those of its pods that have not changed yet are not well either".to_owned(),
    }));
    if seen.server.is_some() && change.commit.is_some() {
        let verified = change.verified;
        let said =
            if verified { "it was verified, so its own pods were well" } else { "it was not verified there since" };
        why.push(said.to_owned());
    }
    Shown {
        service: service.clone(),
        from: change.from.clone(),
        to: change.to.clone(),
        changed: suspect.changed,
        commit: change.commit.clone(),
        distance: suspect.distance(),
        why,
        command: change.command.clone(),
    }
}

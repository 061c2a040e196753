//! A plan as people and programs read it: numbers become names, reasons become sentences. Text and JSON are two
//! printings of the same value.

use std::collections::BTreeSet;
use std::time::Duration;

use pintle_core::change::{ChangeKind, End};
use pintle_core::graph::Id;
use pintle_core::plan::{Change, Estimate, Plan, Running, Step, Wait, Why};
use pintle_core::verify::Verdict;
use pintle_core::workload::WorkloadId;
use serde::Serialize;

use super::desired::Desired;
use super::drift::{Stay, StayBy};
use super::look::Look;
use super::unseen;
use super::words::Words;
use crate::cluster::Observation;

/// A plan in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Where all services of the revision run; none where in several, or where it is not known.
    pub namespace: Option<String>,
    /// What is under way already.
    pub under_way: Vec<UnderWayReport>,
    /// Rounds of changes. There is no barrier between them.
    pub stages: Vec<Vec<ChangeReport>>,
    /// What is not reached.
    pub rest: Vec<RestReport>,
    /// The circles of waits for which there is no safe order.
    pub circles: Vec<CircleReport>,
    /// Services that are pinned no more: they keep running, and nobody looks after them.
    pub released: Vec<String>,
    /// Services that run what is pinned, and that nobody writes for a while.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<PausedReport>,
    /// Pairs of versions on the way that no range speaks of and that were never seen together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
    /// What it takes; none where there is nothing to do.
    pub estimate: Option<EstimateReport>,
}

/// One service is on its way to its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnderWayReport {
    /// The service.
    pub service: String,
    /// Where it runs; none where it is not known.
    pub namespace: Option<String>,
    /// What shall run.
    pub to: String,
    /// How far it has come.
    pub why: String,
    /// What to type, where only a human can move it.
    pub command: Option<String>,
}

/// One service gets its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeReport {
    /// The service.
    pub service: String,
    /// Where it runs; none where it is not known.
    pub namespace: Option<String>,
    /// What runs.
    pub from: String,
    /// What shall run: the version, or the image where the version alone does not tell it from what runs.
    pub to: String,
    /// Upgrade, downgrade, return, …; `drift` where the pin did not move.
    pub kind: &'static str,
    /// What it waits for, and why.
    pub waits: Vec<String>,
    /// It starts together with its lockstep group, and is unsafe for a moment.
    pub lockstep: bool,
}

/// One service that is not reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestReport {
    /// The service.
    pub service: String,
    /// Where it runs; none where it is not known.
    pub namespace: Option<String>,
    /// Held, refused, failed, or waiting.
    pub standing: Standing,
    /// What runs.
    pub runs: String,
    /// What is pinned: the version, or the image where the version alone does not tell it from what runs; none where the
    /// pin cannot be read.
    pub pinned: Option<String>,
    /// Why, and the way out.
    pub why: String,
    /// Somebody chose so: by a hold or `external`, by asking for others, by the policy for drift or with a hand of their own.
    pub by_choice: bool,
}

/// One service that nobody writes for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PausedReport {
    /// The service.
    pub service: String,
    /// By whom, until when, why, and the way out.
    pub why: String,
}

/// A circle of waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CircleReport {
    /// The services.
    pub services: Vec<String>,
    /// What each waits for, and why.
    pub waits: Vec<String>,
    /// What breaks it.
    pub way_out: String,
}

/// How a service stands that is not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It has failed.
    Failed,
    /// No order exists.
    Refused,
    /// It is not written.
    Held,
    /// It waits for one of these.
    Waiting,
}

/// What a plan takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EstimateReport {
    /// T(n), in seconds.
    pub seconds: f64,
    /// The same changes one after the other, in seconds.
    pub one_by_one_seconds: f64,
    /// Changes whose time is not known, and 30 s assumed.
    pub assumed: usize,
    /// Services touched.
    pub services: usize,
    /// Pods replaced.
    pub pods_replaced: u64,
    /// The most pods above the usual number at any one time.
    pub extra_pods: u64,
}

impl Report {
    /// Puts a plan into words.
    pub fn of(desired: &Desired, look: &Look, plan: &Plan, released: Vec<String>) -> Self {
        let words = Words::new(desired);
        let change = |change: &Change| change_report(desired, look, change);
        let services = desired.pins.services.values();
        let namespaces: BTreeSet<&str> = services.map(|service| desired.namespace_of(service)).collect();
        let only = namespaces.first().filter(|name| namespaces.len() == 1 && !name.is_empty());
        Self {
            namespace: only.map(ToString::to_string),
            under_way: plan.under_way.iter().map(|&id| under_way_report(desired, look, id)).collect(),
            stages: plan.stages.iter().map(|stage| stage.changes.iter().map(change).collect()).collect(),
            rest: plan.rest.iter().filter_map(|(id, step)| rest_report(desired, look, *id, step)).collect(),
            circles: circles(words, plan),
            released,
            paused: paused(desired, look, plan),
            unseen: unseen::on_the_way(desired, look, plan).iter().map(ToString::to_string).collect(),
            estimate: (!plan.stages.is_empty()).then(|| estimate_report(plan.estimate)),
        }
    }

    /// Nothing is to be done, and nothing is in the way of anything.
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.stages.is_empty() && self.rest.is_empty()
    }

    /// How many changes there are.
    pub fn changes(&self) -> usize {
        self.stages.iter().map(Vec::len).sum()
    }
}

fn under_way_report(desired: &Desired, look: &Look, id: Id) -> UnderWayReport {
    let words = Words::new(desired);
    let verdicts = || look.services[id.index()].workloads.iter().map(|it| &it.health);
    let command = verdicts().find_map(|health| match &health.verdict {
        Verdict::Wait { what_to_type, .. } => Some((health, Some(what_to_type.clone()?))),
        _ => None,
    });
    let moving = || verdicts().find(|health| !health.settled).map(|health| (health, None));
    let (why, command) =
        command.or_else(moving).map_or_else(Default::default, |(it, type_)| (it.message.clone(), type_));
    let service = words.name(id).to_owned();
    UnderWayReport { service, namespace: words.namespace(id), to: words.version(id), why, command }
}

fn change_report(desired: &Desired, look: &Look, change: &Change) -> ChangeReport {
    let words = Words::new(desired);
    let id = change.service;
    let drifted = look.services[id.index()].drifted;
    ChangeReport {
        service: words.name(id).to_owned(),
        namespace: words.namespace(id),
        from: words.all(id, &change.from),
        to: words.beside(id, &change.from),
        kind: if drifted { "drift" } else { kind(desired, id, &change.from).map_or("update", ChangeKind::as_str) },
        waits: change.waits.iter().map(|wait| words.wait(id, wait)).collect(),
        lockstep: change.lockstep.is_some(),
    }
}

/// What leads from what runs to what is pinned; of several that run, from the one that was there first.
fn kind(desired: &Desired, id: Id, from: &[Running]) -> Option<ChangeKind> {
    let pin = &desired.service(id)?.pin;
    let from = from.iter().find_map(|running| match running {
        Running::Image(image, version) if *image != pin.image => Some(End { version: version.as_ref(), image }),
        _ => None,
    });
    let records = desired.history.records(desired.graph.name(id));
    let before = records.split_last().map_or(&[][..], |(_, before)| before);
    let returns = before.iter().filter_map(|record| record.pin.as_deref()).any(|old| old.version == pin.version);
    ChangeKind::of(from, Some(End::from(pin)), desired.graph.order(id), returns)
}

fn rest_report(desired: &Desired, look: &Look, id: Id, step: &Step) -> Option<RestReport> {
    let words = Words::new(desired);
    let standing = match step {
        Step::Failed(_) => Standing::Failed,
        Step::Refused(_) => Standing::Refused,
        Step::Held(_) => Standing::Held,
        Step::Waits(_) => Standing::Waiting,
        Step::Start(_) | Step::UnderWay => return None,
    };
    let why = match step {
        Step::Held(why) => words.held(why),
        Step::Refused(circle) => {
            let others: Vec<&str> =
                circle.iter().map(|(id, _)| words.name(*id)).filter(|name| *name != words.name(id)).collect();
            format!("there is no safe order for it and {}", others.join(", "))
        }
        Step::Failed(said) => said.clone(),
        _ => words.step(id, step),
    };
    let service = desired.service(id);
    let stay = look.services[id.index()].stay.as_ref();
    let held = |service| pintle_core::pins::held_by_choice(service, desired.graph.order(id));
    let said = |service| stay.map_or_else(|| held(service), Stay::by_choice);
    let running = &look.live[id.index()].running;
    Some(RestReport {
        service: words.name(id).to_owned(),
        namespace: words.namespace(id),
        standing,
        runs: words.all(id, running),
        pinned: service.map(|_| words.beside(id, running)),
        why,
        by_choice: matches!(step, Step::Held(Why::Said(_))) && service.is_some_and(said),
    })
}

fn paused(desired: &Desired, look: &Look, plan: &Plan) -> Vec<PausedReport> {
    let is_rest = |id: Id| plan.rest.iter().any(|(other, _)| *other == id);
    let report = |id: Id| {
        let stay = look.services[id.index()].stay.as_ref().filter(|stay| stay.by == StayBy::Paused && !is_rest(id))?;
        Some(PausedReport { service: Words::new(desired).name(id).to_owned(), why: stay.why.clone() })
    };
    desired.graph.ids().filter_map(report).collect()
}

/// Each circle once, told from its first service on.
fn circles(words: Words<'_>, plan: &Plan) -> Vec<CircleReport> {
    let first = plan.rest.iter().filter_map(|(id, step)| match step {
        Step::Refused(circle) if circle.iter().all(|(other, _)| id <= other) => Some(circle),
        _ => None,
    });
    let report = |circle: &Vec<(Id, Wait)>| CircleReport {
        services: circle.iter().map(|(id, _)| words.name(*id).to_owned()).collect(),
        waits: words.links(circle),
        way_out: words.way_out(circle),
    };
    first.map(report).collect()
}

fn estimate_report(estimate: Estimate) -> EstimateReport {
    let Estimate { together, one_by_one, assumed, services, replaced, surge } = estimate;
    EstimateReport {
        seconds: seconds(together),
        one_by_one_seconds: seconds(one_by_one),
        assumed,
        services,
        pods_replaced: replaced,
        extra_pods: surge,
    }
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10.0).round() / 10.0
}

/// Workloads that this instance wrote once and that no pin names any more.
pub fn released(desired: &Desired, observed: &Observation) -> Vec<String> {
    let instance = &desired.pins.settings.instance;
    let ours =
        observed.workloads.iter().filter(|(_, it)| it.state.as_ref().is_some_and(|state| state.instance == *instance));
    pinned_no_more(desired, ours.map(|(id, _)| id))
}

/// Of workloads that were pinned, those that no pin names any more.
pub fn pinned_no_more<'w>(desired: &Desired, before: impl IntoIterator<Item = &'w WorkloadId>) -> Vec<String> {
    let pinned = desired.all_workloads();
    // A service whose file cannot be read is pinned all the same; its workload mostly has its name.
    let broken = |id: &WorkloadId| desired.pins.broken.keys().any(|name| name.as_str() == id.workload.name);
    let gone = before.into_iter().filter(|id| !pinned.contains(id) && !broken(id));
    gone.map(|id| if id.namespace.is_empty() { id.workload.to_string() } else { id.to_string() }).collect()
}

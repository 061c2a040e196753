//! A plan as people and programs read it: numbers become names, reasons become sentences. Text and JSON are two
//! printings of the same value.

use std::collections::BTreeSet;
use std::time::Duration;

use pintle_core::change::{ChangeEnd, ChangeKind};
use pintle_core::graph::ServiceId;
use pintle_core::plan::{EdgeWait, Estimate, HoldReason, Plan, PlanStep, PlannedChange, SuppressedBy};
use pintle_core::running::Running;
use pintle_core::verify::{Verdict, WorkloadRemedy};
use serde::Serialize;
use serde_json::Value;

use super::health::remedy_command;
use super::parts::health_parts;
use super::{Describe, Sentence};
use crate::controller::{Desired, LiveState, unseen_pairs};

/// A plan in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanReport {
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
pub(crate) struct UnderWayReport {
    /// The service.
    pub service: String,
    /// Where it runs; none where it is not known.
    pub namespace: Option<String>,
    /// What shall run.
    pub to: String,
    /// How far it has come.
    pub why: Sentence,
    /// The same as a code with its parts.
    pub reason: Value,
    /// What to type, where only a human can move it.
    pub command: Option<String>,
}

/// One service gets its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeReport {
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
    pub waits: Vec<Sentence>,
    /// The same as codes with their parts.
    pub wait_reasons: Vec<Value>,
    /// It starts together with its lockstep group, and is unsafe for a moment.
    pub lockstep: bool,
}

/// One service that is not reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RestReport {
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
    pub why: Sentence,
    /// The same as a code with its parts.
    pub reason: Value,
    /// Somebody chose so: by a hold or `external`, by asking for others, by the policy for drift or with a hand of their own.
    pub by_choice: bool,
}

/// One service that nobody writes for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PausedReport {
    /// The service.
    pub service: String,
    /// By whom, until when, why, and the way out.
    pub why: Sentence,
    /// The same as a code with its parts.
    pub reason: Value,
}

/// A circle of waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CircleReport {
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
pub(crate) enum Standing {
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
pub(crate) struct EstimateReport {
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

impl PlanReport {
    /// Puts a plan into words.
    pub(crate) fn of(desired: &Desired, look: &LiveState, plan: &Plan, released: Vec<String>) -> Self {
        let describe = Describe::new(desired, look.at);
        let change = |change: &PlannedChange| change_report(describe, look, change);
        let services = desired.pins.services.values();
        let namespaces: BTreeSet<&str> = services.map(|service| desired.namespace_of(service)).collect();
        let only = namespaces.first().filter(|name| namespaces.len() == 1 && !name.is_empty());
        Self {
            namespace: only.map(ToString::to_string),
            under_way: plan.under_way.iter().map(|&id| under_way_report(describe, look, id)).collect(),
            stages: plan.stages.iter().map(|stage| stage.changes.iter().map(change).collect()).collect(),
            rest: plan.unreached.iter().filter_map(|(id, step)| rest_report(describe, look, *id, step)).collect(),
            circles: circles(describe, plan),
            released,
            paused: paused(describe, look, plan),
            unseen: unseen_pairs(desired, look, plan).iter().map(ToString::to_string).collect(),
            estimate: (!plan.stages.is_empty()).then(|| estimate_report(plan.estimate)),
        }
    }

    /// Nothing is to be done, and nothing is in the way of anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.stages.is_empty() && self.rest.is_empty()
    }

    /// How many changes there are.
    pub(crate) fn changes(&self) -> usize {
        self.stages.iter().map(Vec::len).sum()
    }
}

fn under_way_report(describe: Describe<'_>, look: &LiveState, id: ServiceId) -> UnderWayReport {
    let healths = || look.services[id.index()].workloads.iter().map(|it| &it.health);
    let remedied = healths().find_map(|health| match &health.verdict {
        Verdict::Wait(Some(remedy)) => Some((health, Some(remedy))),
        _ => None,
    });
    let moving = || healths().find(|health| !health.settled).map(|health| (health, None::<&WorkloadRemedy>));
    let (health, remedy) = remedied.or_else(moving).map_or((None, None), |(health, remedy)| (Some(health), remedy));
    let reason = health.map(|health| &health.reason);
    UnderWayReport {
        service: describe.name(id).to_owned(),
        namespace: describe.namespace(id),
        to: describe.version(id),
        why: describe.both(|it| reason.map(|reason| it.health(reason)).unwrap_or_default()),
        reason: reason.map_or(Value::Null, health_parts),
        command: remedy.map(remedy_command),
    }
}

fn change_report(describe: Describe<'_>, look: &LiveState, change: &PlannedChange) -> ChangeReport {
    let id = change.service;
    let drifted = look.services[id.index()].drifted;
    let kind = || kind(describe.desired, id, &change.from).map_or("update", ChangeKind::as_str);
    ChangeReport {
        service: describe.name(id).to_owned(),
        namespace: describe.namespace(id),
        from: describe.all(id, &change.from),
        to: describe.beside(id, &change.from),
        kind: if drifted { "drift" } else { kind() },
        waits: change.awaited.iter().map(|wait| describe.both(|it| it.wait(id, wait))).collect(),
        wait_reasons: change.awaited.iter().map(|wait| describe.wait_parts(wait)).collect(),
        lockstep: change.lockstep.is_some(),
    }
}

/// What leads from what runs to what is pinned; of several that run, from the one that was there first.
fn kind(desired: &Desired, id: ServiceId, from: &[Running]) -> Option<ChangeKind> {
    let pin = &desired.service(id)?.pin;
    let from = from.iter().find_map(|running| match running {
        Running::Image(image, version) if *image != pin.image => Some(ChangeEnd { version: version.as_ref(), image }),
        _ => None,
    });
    let records = desired.history.records(desired.graph.name(id));
    let before = records.split_last().map_or(&[][..], |(_, before)| before);
    let returns = before.iter().filter_map(|record| record.pin.as_deref()).any(|old| old.version == pin.version);
    ChangeKind::between(from, Some(ChangeEnd::from(pin)), desired.graph.version_order(id), returns)
}

fn rest_report(describe: Describe<'_>, look: &LiveState, id: ServiceId, step: &PlanStep) -> Option<RestReport> {
    let standing = match step {
        PlanStep::Failed(_) => Standing::Failed,
        PlanStep::Refused(_) => Standing::Refused,
        PlanStep::Held(_) => Standing::Held,
        PlanStep::Waits(_) => Standing::Waiting,
        PlanStep::Start(_) | PlanStep::UnderWay => return None,
    };
    let running = &look.live[id.index()].running;
    Some(RestReport {
        service: describe.name(id).to_owned(),
        namespace: describe.namespace(id),
        standing,
        runs: describe.all(id, running),
        pinned: describe.desired.service(id).map(|_| describe.beside(id, running)),
        why: describe.both(|it| why(it, id, step)),
        reason: describe.step_parts(step),
        by_choice: matches!(step, PlanStep::Held(reason) if reason.is_by_choice()),
    })
}

/// Why a service is not reached; that it is not is said by its standing.
fn why(describe: Describe<'_>, id: ServiceId, step: &PlanStep) -> String {
    match step {
        PlanStep::Held(reason) => describe.held(id, reason),
        PlanStep::Refused(circle) => {
            let others = circle.iter().filter(|(other, _)| *other != id).map(|(other, _)| describe.name(*other));
            format!("there is no safe order for it and {}", others.collect::<Vec<_>>().join(", "))
        }
        PlanStep::Failed(reason) => describe.health(reason),
        _ => describe.step(id, step),
    }
}

fn paused(describe: Describe<'_>, look: &LiveState, plan: &Plan) -> Vec<PausedReport> {
    let is_rest = |id: ServiceId| plan.unreached.iter().any(|(other, _)| *other == id);
    let report = |id: ServiceId| {
        let stay = look.services[id.index()].suppression.as_ref().filter(|_| !is_rest(id))?;
        matches!(stay.by, SuppressedBy::Pause(_)).then(|| PausedReport {
            service: describe.name(id).to_owned(),
            why: describe.both(|it| it.suppressed(id, stay)),
            reason: describe.hold_parts(&HoldReason::Suppressed(stay.clone())),
        })
    };
    describe.desired.graph.ids().filter_map(report).collect()
}

/// Each circle once, told from its first service on.
fn circles(describe: Describe<'_>, plan: &Plan) -> Vec<CircleReport> {
    let first = plan.unreached.iter().filter_map(|(id, step)| match step {
        PlanStep::Refused(circle) if circle.iter().all(|(other, _)| id <= other) => Some(circle),
        _ => None,
    });
    let report = |circle: &Vec<(ServiceId, EdgeWait)>| CircleReport {
        services: circle.iter().map(|(id, _)| describe.name(*id).to_owned()).collect(),
        waits: describe.links(circle),
        way_out: describe.way_out(circle),
    };
    first.map(report).collect()
}

fn estimate_report(estimate: Estimate) -> EstimateReport {
    let Estimate {
        in_parallel: together,
        one_at_a_time: one_by_one,
        assumed_durations: assumed,
        services,
        replaced_pods: replaced,
        peak_extra_pods: surge,
    } = estimate;
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

//! Small systems written as text, and what `next` and the plan say of them as text.

mod brute;
mod model;
mod properties;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{
    EdgeWait, HoldReason, LiveService, Next, Plan, PlanInput, PlanStep, RolloutProgress, ServiceTarget, WaitReason,
    next,
};
use crate::graph::{Graph, ServiceId, ServiceNode};
use crate::image::Image;
use crate::pins::{DependsOn, Need, ServiceName, Withheld};
use crate::running::Running;
use crate::verify::HealthReason;
use crate::version::{Version, VersionOrder};

/// A system: owns what a [`PlanInput`] borrows.
pub(super) struct System {
    pub(super) graph: Graph,
    pub(super) wanted: Vec<ServiceTarget>,
    pub(super) live: Vec<LiveService>,
    pub(super) lockstep: Vec<Vec<ServiceId>>,
    took: Vec<Option<Duration>>,
}

/// Reads a system: a line a service.
///
/// `name: LIVE -> TARGET [FLAG…]; VERSION needs PROVIDER RANGE[, PROVIDER RANGE…]; …`, where LIVE is versions joined by
/// `+`, the last one what the specification says, and `-` stands for absence. Flags: `moving` (under way), `failed`,
/// `down` (failed, no pod ready), `held`, `took=SECONDS`. A line `lockstep: a b` makes a group.
pub(super) fn system(text: &str) -> System {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let services: BTreeMap<&str, &str> =
        lines().filter(|line| !line.starts_with("lockstep")).map(|line| line.split_once(": ").unwrap()).collect();
    let graph = Graph::new(services.iter().map(|(name, line)| node(name, line)).collect());
    let group = |line: &str| line[9..].split_whitespace().map(|name| graph.id(&service(name)).unwrap()).collect();
    let lockstep = lines().filter(|line| line.starts_with("lockstep")).map(group).collect();
    let heads = || services.values().map(|line| line.split(';').next().unwrap());
    let seconds = |head: &str| head.split_once("took=").map(|(_, n)| Duration::from_secs(n.trim().parse().unwrap()));
    System {
        wanted: heads().zip(services.keys()).map(|(head, name)| wanted(name, head)).collect(),
        live: heads().zip(services.keys()).map(|(head, name)| live(name, head)).collect(),
        took: heads().map(seconds).collect(),
        graph,
        lockstep,
    }
}

fn service(name: &str) -> ServiceName {
    ServiceName::try_from(name.to_owned()).unwrap()
}

pub(super) fn version(text: &str) -> Version {
    Version::new(text).unwrap()
}

pub(super) fn running(name: &str, version_text: &str) -> Running {
    match version_text.trim() {
        "-" => Running::Absent,
        text => Running::Image(Image::from_parts(name, text, None).unwrap(), Some(version(text))),
    }
}

fn node(name: &str, line: &str) -> ServiceNode {
    let needs = |clause: &str| {
        let (of, needs) = clause.trim().split_once(" needs ").unwrap();
        let need = |need: &str| {
            let (provider, range) = need.trim().split_once(' ').unwrap();
            (service(provider), Need::Range(range.parse().unwrap()))
        };
        (version(of.trim()), Arc::new(needs.split(", ").map(need).collect::<DependsOn>()))
    };
    let versions: Vec<_> = line.split(';').skip(1).map(needs).collect();
    let order = VersionOrder::choose(None, ["1", "2", "3", "4"].map(version));
    ServiceNode { name: service(name), order, current_needs: Arc::default(), versions }
}

/// Why somebody holds a service.
pub(super) fn on_hold() -> HoldReason {
    HoldReason::Withheld(Withheld::External)
}

/// Why a service has failed.
pub(super) fn crash() -> HealthReason {
    HealthReason::Idle { message: "CrashLoopBackOff".to_owned() }
}

fn wanted(name: &str, head: &str) -> ServiceTarget {
    let target = head.split_once("->").unwrap().1.split_whitespace().next().unwrap();
    if head.contains("held") {
        ServiceTarget::Held(Some(running(name, target)), on_hold())
    } else {
        ServiceTarget::Run(running(name, target))
    }
}

fn live(name: &str, head: &str) -> LiveService {
    let (versions, flags) = head.split_once("->").unwrap();
    let all: Vec<Running> = versions.split('+').map(|version| running(name, version)).collect();
    let down = flags.contains("down");
    let motion = match flags {
        _ if flags.contains("moving") => RolloutProgress::UnderWay,
        _ if down || flags.contains("failed") => RolloutProgress::Failed(crash()),
        _ => RolloutProgress::Still,
    };
    LiveService {
        spec: vec![all.last().unwrap().clone()],
        running: all,
        progress: motion,
        ready: !down,
        replaced_pods: 2,
        surge_pods: 1,
        is_drift: false,
    }
}

impl System {
    pub(super) fn at(&self) -> PlanInput<'_> {
        PlanInput {
            graph: &self.graph,
            wanted: &self.wanted,
            live: &self.live,
            lockstep: &self.lockstep,
            evidence: None,
        }
    }

    pub(super) fn next(&self) -> Next {
        next(self.at())
    }

    pub(super) fn plan(&self) -> Plan {
        Plan::simulate(self.at(), &self.took)
    }

    /// What `next` says, a line a service.
    pub(super) fn says(&self) -> String {
        let steps = self.next().steps;
        let lines = steps.iter().map(|(id, step)| format!("{}: {}", self.graph.name(*id), self.step(step)));
        lines.map(|line| line + "\n").collect()
    }

    /// The stages of the plan, a line each, and what is not reached.
    pub(super) fn plans(&self) -> String {
        let plan = self.plan();
        let names =
            |ids: Vec<ServiceId>| ids.iter().map(|&id| self.graph.name(id).as_str()).collect::<Vec<_>>().join(" ");
        let stages = plan.stages.iter().map(|stage| names(stage.changes.iter().map(|change| change.service).collect()));
        let rest = plan.unreached.iter().map(|(id, step)| format!("{}: {}", self.graph.name(*id), self.step(step)));
        stages.chain(rest).map(|line| line + "\n").collect()
    }

    fn step(&self, step: &PlanStep) -> String {
        match step {
            PlanStep::Start(None) => "start".to_owned(),
            PlanStep::Start(Some(group)) => format!("start with group {group}"),
            PlanStep::UnderWay => "under way".to_owned(),
            PlanStep::Failed(words) => format!("failed: {words}"),
            PlanStep::Waits(waits) => waits
                .iter()
                .map(|wait| self.wait(wait))
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
                .join(", "),
            PlanStep::Held(HoldReason::Withheld(_)) => "held: a hold".to_owned(),
            PlanStep::Held(HoldReason::Misfit(edge)) => {
                let edge = self.graph.edge(*edge);
                format!("held: {} does not fit {}", self.graph.name(edge.consumer), self.graph.name(edge.provider))
            }
            PlanStep::Held(HoldReason::Unseen(pair)) => format!("held: {pair} was never seen"),
            PlanStep::Held(HoldReason::Lockstep(id)) => format!("held with {}", self.graph.name(*id)),
            PlanStep::Held(other) => panic!("{other:?} is of no such system"),
            PlanStep::Refused(circle) => {
                let links = circle.iter().map(|(id, wait)| format!("{} {}", self.graph.name(*id), self.wait(wait)));
                format!("refused: {}", links.collect::<Vec<_>>().join("; "))
            }
        }
    }

    fn wait(&self, wait: &EdgeWait) -> String {
        let on = self.graph.name(wait.on);
        match &wait.reason {
            WaitReason::Incompatible(Running::Absent) => format!("waits for {on}"),
            WaitReason::Incompatible(Running::Unreadable(text)) => format!("waits for {on} to leave {text}"),
            WaitReason::Incompatible(Running::Image(_, version)) => {
                format!("waits for {on} to leave {}", version.as_ref().unwrap())
            }
            WaitReason::Unverified => format!("waits for {on} to be verified"),
            WaitReason::Failed(words) => format!("waits for {on}, which has failed: {words}"),
            WaitReason::Preference => format!("lets {on} go first"),
        }
    }
}

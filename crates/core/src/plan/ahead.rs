//! The plan and its estimate: [`next`](super::next) run ahead, every start assumed to succeed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use super::engine::WaitTracker;
use super::next::settled_step;
use super::state::PlanState;
use super::{EdgeWait, PastDuration, PlanInput, PlanStep};
use crate::graph::ServiceId;
use crate::running::Running;

/// How long a change is assumed to take where no earlier one is known.
const ASSUMED_CHANGE_DURATION: Duration = Duration::from_secs(30);

/// What will be done, in which order, and what will not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is under way already.
    pub under_way: Vec<ServiceId>,
    /// Rounds of starts. There is no barrier between them: a change starts when what it waits for has passed.
    pub stages: Vec<Stage>,
    /// What is not reached: held, refused, failed, or waiting for one of these.
    pub unreached: Vec<(ServiceId, PlanStep)>,
    /// What it takes.
    pub estimate: Estimate,
}

/// Changes that can be under way together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stage {
    /// The changes, by the names of their services.
    pub changes: Vec<PlannedChange>,
}

/// One service gets its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChange {
    /// The service.
    pub service: ServiceId,
    /// What ran before.
    pub from: Vec<Running>,
    /// What it waits for before it starts.
    pub awaited: Vec<EdgeWait>,
    /// The lockstep group that it starts with, where no safe order exists.
    pub lockstep: Option<usize>,
}

/// What a plan takes: T(n) and C(n).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    /// T(n): the time until everything is verified, each change started as soon as it is safe.
    pub in_parallel: Duration,
    /// The same changes, one after the other.
    pub one_at_a_time: Duration,
    /// Changes whose time is not known: 30 s each are assumed.
    pub assumed_durations: usize,
    /// Services touched.
    pub services: usize,
    /// Pods replaced.
    pub replaced_pods: u64,
    /// The most pods that exist above the usual number at any one time.
    pub peak_extra_pods: u64,
}

impl Plan {
    /// Runs ahead. `took`: how long the last changes of each service took.
    pub fn simulate(at: PlanInput<'_>, took: &[PastDuration]) -> Self {
        let engine = WaitTracker::new(PlanState::set(at));
        let (together, surge) = parallel_time_and_surge(engine.clone(), at, took);
        let simulation = simulate(engine, at);
        let estimate = Estimate {
            in_parallel: together,
            peak_extra_pods: surge,
            ..Estimate::without_times(at, took, &simulation.stages)
        };
        let Simulation { under_way, stages, unreached } = simulation;
        Self { under_way, stages, unreached, estimate }
    }

    /// Nothing is to be done, and nothing is in the way of anything.
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.stages.is_empty() && self.unreached.is_empty()
    }

    /// All changes, in the order of the stages.
    pub fn changes(&self) -> impl Iterator<Item = &PlannedChange> {
        self.stages.iter().flat_map(|stage| &stage.changes)
    }
}

/// What running ahead comes to.
pub(super) struct Simulation {
    under_way: Vec<ServiceId>,
    stages: Vec<Stage>,
    pub(super) unreached: Vec<(ServiceId, PlanStep)>,
}

/// Starts all that may start and lets all of it finish, again and again.
pub(super) fn simulate(mut engine: WaitTracker<'_>, at: PlanInput<'_>) -> Simulation {
    let under_way: Vec<ServiceId> = at.graph.ids().filter(|&id| engine.state.is_under_way(id)).collect();
    let mut waited = WaitLog::default();
    let mut stages = Vec::new();
    let mut moving = under_way.clone();
    let mut ask: BTreeSet<ServiceId> = at.graph.ids().collect();
    loop {
        let starts = waited.sort(engine.steps(ask));
        let changes = starts.iter().map(|&(service, lockstep)| PlannedChange {
            service,
            from: at.live[service.index()].running.clone(),
            awaited: waited.take_waits(service),
            lockstep,
        });
        let stage = Stage { changes: changes.collect() };
        let ids: Vec<ServiceId> = starts.iter().map(|&(id, _)| id).collect();
        moving.extend(&ids);
        if moving.is_empty() {
            break;
        }
        ask = engine.start_and_finish(&ids, &std::mem::take(&mut moving));
        stages.extend((!stage.changes.is_empty()).then_some(stage));
    }
    Simulation { under_way, stages, unreached: unreached(&engine, at) }
}

/// What each service has been seen to wait for.
#[derive(Default)]
struct WaitLog(BTreeMap<ServiceId, Vec<EdgeWait>>);

impl WaitLog {
    /// Remembers the waits among the steps and returns the starts.
    fn sort(&mut self, steps: BTreeMap<ServiceId, PlanStep>) -> Vec<(ServiceId, Option<usize>)> {
        let mut starts = Vec::new();
        for (id, step) in steps {
            match step {
                PlanStep::Start(lockstep) => starts.push((id, lockstep)),
                PlanStep::Waits(waits) => {
                    let known = self.0.entry(id).or_default();
                    known.extend(waits.into_iter().filter(|wait| !known.contains(wait)).collect::<Vec<_>>());
                }
                _ => {}
            }
        }
        starts
    }

    fn take_waits(&mut self, id: ServiceId) -> Vec<EdgeWait> {
        self.0.remove(&id).unwrap_or_default()
    }
}

fn unreached(engine: &WaitTracker<'_>, at: PlanInput<'_>) -> Vec<(ServiceId, PlanStep)> {
    let mut rest: Vec<(ServiceId, PlanStep)> = engine.steps(at.graph.ids()).into_iter().collect();
    rest.extend(at.graph.ids().filter_map(|id| Some((id, settled_step(&engine.state, id)?))));
    rest.sort_by_key(|&(id, _)| id);
    rest
}

impl Estimate {
    /// All but what needs a clock.
    fn without_times(at: PlanInput<'_>, took: &[PastDuration], stages: &[Stage]) -> Self {
        let changes = || stages.iter().flat_map(|stage| &stage.changes).map(|change| change.service);
        Self {
            one_at_a_time: changes().map(|id| assumed_duration(took, id)).sum(),
            assumed_durations: changes().filter(|id| took.get(id.index()).copied().flatten().is_none()).count(),
            services: changes().count(),
            replaced_pods: changes().map(|id| u64::from(at.live[id.index()].replaced_pods)).sum(),
            ..Self::default()
        }
    }
}

fn assumed_duration(took: &[PastDuration], id: ServiceId) -> Duration {
    took.get(id.index()).copied().flatten().unwrap_or(ASSUMED_CHANGE_DURATION)
}

/// The time until nothing moves any more, and the most pods above the usual number on the way: whatever is verified
/// first releases what waits for it.
fn parallel_time_and_surge(mut engine: WaitTracker<'_>, at: PlanInput<'_>, took: &[PastDuration]) -> (Duration, u64) {
    let duration = |id: ServiceId| assumed_duration(took, id);
    let surge_of = |id: &ServiceId| u64::from(at.live[id.index()].surge_pods);
    let mut finishes: BinaryHeap<Reverse<(Duration, ServiceId)>> = BinaryHeap::new();
    let under_way: Vec<ServiceId> = at.graph.ids().filter(|&id| engine.state.is_under_way(id)).collect();
    finishes.extend(under_way.iter().map(|&id| Reverse((duration(id), id))));
    let mut surge: u64 = under_way.iter().map(surge_of).sum();
    let (mut now, mut peak) = (Duration::ZERO, surge);
    let mut ask: BTreeSet<ServiceId> = at.graph.ids().collect();
    loop {
        let steps = engine.steps(ask);
        let starts: Vec<ServiceId> =
            steps.into_iter().filter_map(|(id, step)| matches!(step, PlanStep::Start(_)).then_some(id)).collect();
        ask = engine.start(&starts);
        surge += starts.iter().map(surge_of).sum::<u64>();
        peak = peak.max(surge);
        finishes.extend(starts.iter().map(|&id| Reverse((now + duration(id), id))));
        let Some(&Reverse((then, _))) = finishes.peek() else { return (now, peak) };
        now = then;
        let mut done = Vec::new();
        while let Some(&Reverse((time, id))) = finishes.peek().filter(|Reverse((time, _))| *time == now) {
            debug_assert_eq!(time, now, "the heap gives the earliest first");
            done.push(id);
            finishes.pop();
        }
        surge -= done.iter().map(surge_of).sum::<u64>();
        ask.extend(engine.finish(&done));
    }
}

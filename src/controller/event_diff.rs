//! What happened between two passes, as events. It is for readers only: nothing decides by it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::graph::ServiceId;
use pintle_core::pins::ServiceName;
use pintle_core::plan::PlanStep;
use pintle_core::running::Running;
use pintle_core::verify::Verdict;

use super::PassOutcome;
use super::desired::Desired;
use super::status::ServiceStatus;
use crate::controller::event::Event;

/// Compares each pass with the ones before it.
#[derive(Debug, Default)]
pub(super) struct EventDiff {
    known: BTreeMap<ServiceId, Known>,
    /// Who was said to be down.
    down: BTreeSet<ServiceId>,
    /// Who started in this pass, by what they waited for.
    released: BTreeMap<ServiceId, Vec<ServiceName>>,
}

/// What was told of a service.
#[derive(Debug, Default)]
struct Known {
    /// What it runs instead of its target has been looked at.
    found: bool,
    /// What it ran when its target was found, and has not been seen to leave.
    old: BTreeSet<Running>,
    /// When it was written by this run.
    started: Option<Timestamp>,
    stopping: bool,
    /// Whom it waits for.
    on: BTreeSet<ServiceId>,
    /// Whom it was said to wait for.
    waited: BTreeSet<ServiceId>,
    /// The last standing that was told: failed, held, refused, needs somebody.
    last: Option<Event>,
}

/// What is told about.
#[derive(Debug, Clone, Copy)]
pub(super) struct PassContext<'a> {
    /// What is wanted.
    pub desired: &'a Desired,
    /// What was seen and done.
    pub pass: &'a PassOutcome,
    /// When.
    pub now: Timestamp,
}

impl EventDiff {
    /// What the pass shows that was not told yet.
    pub(super) fn events(&mut self, scene: PassContext<'_>) -> Vec<Event> {
        let PassContext { pass, .. } = scene;
        let mut events = Vec::new();
        let moving: BTreeSet<ServiceId> = pass.next.steps.iter().map(|&(id, _)| id).collect();
        if pass.live_state.unseen.is_empty() {
            let arrived: Vec<ServiceId> = self.known.keys().copied().filter(|id| !moving.contains(id)).collect();
            for id in arrived {
                self.arrived(scene, id, &mut events);
            }
            self.settled(scene, &moving, &mut events);
        }
        for (id, step) in &pass.next.steps {
            self.step(scene, *id, step, &mut events);
        }
        for (id, released) in std::mem::take(&mut self.released) {
            events.push(Event::DependenciesUpdated { service: scene.desired.graph.name(id).clone(), released });
        }
        events.sort_by_key(rank);
        events
    }

    fn step(&mut self, scene: PassContext<'_>, id: ServiceId, step: &PlanStep, events: &mut Vec<Event>) {
        let PassContext { desired, pass, now } = scene;
        let name = || desired.graph.name(id).clone();
        let known = self.known.entry(id).or_default();
        known.find(scene, id, step, events);
        let standing = match step {
            PlanStep::Start(_) if pass.started.contains(&id) => {
                known.started = Some(now);
                for on in std::mem::take(&mut known.on) {
                    self.released.entry(on).or_default().push(name());
                }
                Some(Event::NewStarting { service: name(), version: desired.version(id).cloned() })
            }
            PlanStep::Waits(waits) => {
                known.on = waits.iter().map(|wait| wait.on).collect();
                // Why it waits for the same neighbour changes as that goes its way; that is no news.
                let is_news = known.on.iter().any(|on| !known.waited.contains(on));
                known.waited.extend(&known.on);
                is_news.then(|| Event::Waits { service: name(), waits: waits.clone() })
            }
            PlanStep::UnderWay => needs_you(&pass.live_state.services[id.index()], &name()),
            PlanStep::Failed(reason) => Some(Event::Failed {
                service: name(),
                version: desired.version(id).cloned(),
                reason: reason.clone(),
                not_started: waiting_on(desired, pass, id),
            }),
            PlanStep::Held(reason) => Some(Event::Held { service: name(), reason: reason.clone() }),
            PlanStep::Refused(circle) if circle.iter().all(|&(other, _)| id <= other) => {
                Some(Event::Refused { service: name(), circle: circle.clone() })
            }
            // The first of the circle tells it for all.
            PlanStep::Start(_) | PlanStep::Refused(_) => None,
        };
        if standing.is_some() && known.last != standing {
            known.last.clone_from(&standing);
            events.extend(standing);
        }
        known.leave(scene, id, events);
    }

    /// Who runs what is pinned, and is down or back without anybody having moved it. What moves is told by its steps.
    fn settled(&mut self, scene: PassContext<'_>, moving: &BTreeSet<ServiceId>, events: &mut Vec<Event>) {
        let PassContext { desired, pass, .. } = scene;
        self.down.retain(|id| !moving.contains(id));
        for (id, live) in desired.graph.ids().zip(&pass.live_state.live).filter(|(id, _)| !moving.contains(id)) {
            let is_down = live.replaced_pods > 0 && !live.ready;
            if is_down == self.down.contains(&id) {
                continue;
            }
            let (service, version) = (desired.graph.name(id).clone(), desired.version(id).cloned());
            if is_down {
                self.down.insert(id);
                let workloads = pass.live_state.services[id.index()].workloads.iter();
                let reasons = workloads.map(|it| it.health.reason.clone()).collect();
                events.push(Event::Down { service, version, reasons });
            } else {
                self.down.remove(&id);
                events.push(Event::Recovered { service, version });
            }
        }
    }

    fn arrived(&mut self, scene: PassContext<'_>, id: ServiceId, events: &mut Vec<Event>) {
        let PassContext { desired, now, .. } = scene;
        let Some(mut known) = self.known.remove(&id) else { return };
        if matches!(known.last, Some(Event::Held { .. } | Event::Refused { .. })) && known.started.is_none() {
            return;
        }
        known.leave(scene, id, events);
        let took =
            known.started.map(|started| now.duration_since(started)).and_then(|took| Duration::try_from(took).ok());
        let service = desired.graph.name(id).clone();
        events.push(Event::Verified { service, version: desired.version(id).cloned(), took });
    }
}

impl Known {
    /// What is to leave, each time that it is to: what was held may run something else than before when it goes on, and what
    /// is written anew does. Of what runs already, and is not well yet or any more, nothing is found.
    fn find(&mut self, scene: PassContext<'_>, id: ServiceId, step: &PlanStep, events: &mut Vec<Event>) {
        let PassContext { desired, pass, .. } = scene;
        let is_held = matches!(step, PlanStep::Held(_));
        if is_held || std::mem::replace(&mut self.found, true) && !pass.started.contains(&id) {
            return;
        }
        let live = &pass.live_state.live[id.index()];
        let target = pass.wanted[id.index()].target();
        let leaving = live.running.iter().filter(|running| Some(*running) != target);
        let new: Vec<Running> = leaving.filter(|running| !self.old.contains(running)).cloned().collect();
        if !new.is_empty() {
            self.old.extend(new);
            (self.stopping, self.last) = (false, None);
            let from = live.running.clone();
            events.push(Event::TargetFound { service: desired.graph.name(id).clone(), from });
        }
    }

    /// Old versions that are ending, or gone.
    fn leave(&mut self, scene: PassContext<'_>, id: ServiceId, events: &mut Vec<Event>) {
        let PassContext { desired, pass, .. } = scene;
        let live = &pass.live_state.live[id.index()];
        let service = || desired.graph.name(id).clone();
        let gone: Vec<Running> = self.old.iter().filter(|old| !live.running.contains(old)).cloned().collect();
        let old_runs = self.old.iter().any(|old| *old != Running::Absent);
        let ending = pass.live_state.services[id.index()].workloads.iter().any(|it| it.ending);
        if !self.stopping && old_runs && (ending || !gone.is_empty()) {
            self.stopping = true;
            events.push(Event::OldStopping { service: service(), old: self.old.iter().cloned().collect() });
        }
        for old in gone {
            self.old.remove(&old);
            if old != Running::Absent {
                events.push(Event::OldGone { service: service(), old });
            }
        }
    }
}

/// The order in which events of one moment are told: what has ended, what begins, what is in the way.
fn rank(event: &Event) -> u8 {
    match event {
        Event::Unreachable { .. }
        | Event::Reachable
        | Event::HeldAll { .. }
        | Event::AllReleased
        | Event::RevisionChanged { .. }
        | Event::GitUnreachable { .. }
        | Event::GitReachable
        | Event::LeadershipAcquired
        | Event::StandingBy { .. }
        | Event::Stopping => 0,
        Event::OldStopping { .. } | Event::OldGone { .. } => 1,
        Event::Verified { .. } | Event::Recovered { .. } => 2,
        Event::TargetFound { .. } | Event::DependenciesUpdated { .. } => 3,
        Event::NewStarting { .. } => 4,
        Event::Waits { .. } => 5,
        Event::Failed { .. }
        | Event::Down { .. }
        | Event::NeedsAction { .. }
        | Event::Held { .. }
        | Event::Refused { .. } => 6,
        Event::InSync { .. } => 7,
    }
}

fn waiting_on(desired: &Desired, pass: &PassOutcome, id: ServiceId) -> Vec<ServiceName> {
    let waits_on = |step: &PlanStep| matches!(step, PlanStep::Waits(waits) if waits.iter().any(|wait| wait.on == id));
    let waiting = pass.next.steps.iter().filter(|(_, step)| waits_on(step));
    waiting.map(|&(other, _)| desired.graph.name(other).clone()).collect()
}

fn needs_you(seen: &ServiceStatus, service: &ServiceName) -> Option<Event> {
    seen.workloads.iter().find_map(|it| match &it.health.verdict {
        Verdict::Wait(Some(remedy)) => {
            let (reason, remedy) = (it.health.reason.clone(), remedy.clone());
            Some(Event::NeedsAction { service: service.clone(), reason, remedy })
        }
        _ => None,
    })
}

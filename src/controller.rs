//! The story: one pass from what is pinned and what runs to the writes of the next safe steps.
//!
//! No pass remembers the one before: everything is worked out anew from Git and the cluster. [`ControllerState`] holds only what
//! the cluster cannot tell: answers to writes that were refused or lost.

mod assess;
mod branch_follower;
mod cluster_evidence;
mod corrections;
mod desired;
mod drift;
pub mod event;
mod event_diff;
mod history_guard;
mod image_rewrites;
mod interrupt;
mod local_services;
mod manual_change;
mod pause;
mod pauses;
mod pin_moves;
mod pinned;
mod released;
mod rollout;
mod rollout_result;
mod run;
mod schedule;
mod settled_cache;
mod snapshot;
mod state;
mod status;
mod suspicion;
mod targets;
#[cfg(test)]
mod tests;
mod throttle;
mod unseen;
mod write;
mod writer;

pub use branch_follower::{
    BranchFollower, BranchFollowerArgs, BranchProblem, FollowerOutputs, PollTrigger, RepositoryEvent,
};
pub use cluster_evidence::{ClusterEvidence, proven_versions};
pub use desired::{Desired, RunOptions};
pub use history_guard::{HistoryGuard, HistoryRefusal, check_history, written_commits};
pub use interrupt::Interrupt;
use jiff::Timestamp;
pub use local_services::local_services;
pub use pause::{PauseError, end_graces, pausable_services, pause_service};
pub use pinned::assess_pins;
use pintle_core::desired::DesiredState;
use pintle_core::graph::ServiceId;
use pintle_core::pins::UnseenPolicy;
use pintle_core::plan::{self, Next, PastDuration, Plan, PlanInput, PlanStep, ServiceTarget};
pub use released::{pinned_no_more, released};
pub use rollout::{RolloutArgs, RolloutOutcome, run_until_settled};
pub use rollout_result::{RolloutResult, commit_to_revert, drop_unselected};
pub use run::{BranchState, ControllerArgs, ControllerStatus, PassReport, run_controller};
pub use schedule::CronSchedule;
pub use settled_cache::assess;
pub use snapshot::{Snapshot, take_snapshot};
pub use state::ControllerState;
pub use status::{LiveState, ServiceStatus, WorkloadStatus};
pub use suspicion::{Alarm, Suspicion, SuspicionInput};
pub use targets::targets;
pub use unseen::unseen_pairs_of_plan as unseen_pairs;
pub use writer::{other_writer, wait_for_writer};

use self::interrupt::WriteCoupling;
use crate::cluster::{Cluster, ClusterError, Observation, WorkloadWrite};

/// Writes that are on their way at once. More gains nothing: the API server is the bottleneck.
const MAX_CONCURRENT_WRITES: usize = 16;

/// What a pass may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// It writes nothing.
    Observe,
    /// It records what has arrived, and starts nothing.
    Record,
    /// It starts what is next.
    Write,
}

/// What a pass saw and did.
#[derive(Debug)]
pub struct PassOutcome {
    /// What was seen.
    pub live_state: LiveState,
    /// What was wanted.
    pub wanted: Vec<ServiceTarget>,
    /// What was to be done.
    pub next: Next,
    /// The services that were written.
    pub started: Vec<ServiceId>,
    /// Something was written, were it only what is remembered.
    pub wrote: bool,
    /// When the next pass is due.
    pub requeue: Requeue,
}

/// When the next pass is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requeue {
    /// When the cluster changes.
    Await,
    /// Soon: something was only half seen, or has changed meanwhile, and the change is on its way here.
    OnChange,
    /// Now: this pass was given an answer that the next one needs.
    Now,
}

/// One pass; `may` is asked what it may do, once it is known how everything stands.
pub async fn run_pass<C: Cluster>(
    cluster: &C,
    desired: &Desired,
    state: &mut ControllerState,
    now: Timestamp,
    mode: impl FnOnce(&Observation) -> Mode,
) -> Result<PassOutcome, ClusterError> {
    // 1. IO: what is.
    let mut observed = cluster.observe().await?;
    state.rewrites.add_to(&mut observed);
    // 2. What that means for each service, and what is wanted of it.
    let (look, wanted) = assess_and_target(desired, state, &observed, now);
    let mode = mode(&observed);
    // 3. The next safe steps.
    let next = if look.unseen.is_empty() { plan::next(plan_input(desired, &look, &wanted)) } else { Next::default() };
    let half_seen = if look.unseen.is_empty() { Requeue::Await } else { Requeue::OnChange };
    if mode == Mode::Observe {
        return Ok(PassOutcome {
            live_state: look,
            wanted,
            next,
            started: Vec::new(),
            wrote: false,
            requeue: half_seen,
        });
    }
    let starts: Vec<ServiceId> = next.starts().filter(|_| mode == Mode::Write).collect();
    // 4. IO: whoever owns the images of a workload never written before is asked first.
    let requeue = state.ask(cluster, write::first_writes(desired, &look, &starts)).await?;
    if requeue > Requeue::Await {
        return Ok(PassOutcome { live_state: look, wanted, next, started: Vec::new(), wrote: false, requeue });
    }
    // 5. IO: write them, and record what is verified.
    let requeue = state.pause_again(cluster).await?;
    if requeue > Requeue::Await {
        return Ok(PassOutcome { live_state: look, wanted, next, started: Vec::new(), wrote: true, requeue });
    }
    let under_way = next.steps.iter().filter(|(_, step)| matches!(step, PlanStep::UnderWay)).count();
    // The last of many would wait for the controllers, which look at each that is recorded.
    let recordable = look.services.iter().filter(|seen| seen.to_record).count();
    let busy = under_way > 0 && under_way + recordable > MAX_CONCURRENT_WRITES;
    let arrivals = state.arrivals(desired, &look, mode == Mode::Write && busy, now);
    let mut writes = state.starts(desired, &look, &starts, now);
    writes.extend(state.records(desired, &look, arrivals));
    writes.extend(commit_adoptions(desired, &look, &starts));
    let wrote = !writes.is_empty();
    let coupling = |id: ServiceId| match next.step_of(id) {
        Some(PlanStep::Start(Some(_))) => WriteCoupling::Group,
        _ if desired.graph.neighbours(id).next().is_some() => WriteCoupling::Neighbours,
        _ => WriteCoupling::None,
    };
    let (requeue, unsent) = state.send(cluster, writes, coupling).await?;
    let started = starts.into_iter().filter(|id| !unsent.contains(id)).collect();
    Ok(PassOutcome { live_state: look, wanted, next, started, wrote, requeue: requeue.max(half_seen) })
}

/// Takes in what is paused, and nothing else: what whoever stands by has to know.
async fn note_pauses<C: Cluster>(
    cluster: &C,
    desired: &Desired,
    state: &mut ControllerState,
    now: Timestamp,
) -> Result<(), ClusterError> {
    let observed = cluster.observe().await?;
    state.pauses.record_and_restore(&mut state.recall.assess(desired, &observed, now), now);
    Ok(())
}

/// What a pass would do, run ahead to the end.
pub fn simulate_plan(desired: &DesiredState, look: &LiveState, wanted: &[ServiceTarget]) -> Plan {
    let took: Vec<PastDuration> = look.services.iter().map(|seen| assess::took(seen)).collect();
    Plan::simulate(plan_input(desired, look, wanted), &took)
}

fn plan_input<'a>(desired: &'a DesiredState, look: &'a LiveState, wanted: &'a [ServiceTarget]) -> PlanInput<'a> {
    let evidence = (desired.pins.settings.unseen == UnseenPolicy::Refuse).then(|| desired.evidence());
    PlanInput { graph: &desired.graph, wanted, live: &look.live, lockstep: &desired.lockstep, evidence }
}

fn assess_and_target(
    desired: &Desired,
    state: &mut ControllerState,
    observed: &Observation,
    now: Timestamp,
) -> (LiveState, Vec<ServiceTarget>) {
    let mut look = state.recall.assess(desired, observed, now);
    state.correct(&mut look);
    state.add_unacknowledged(&mut look, now);
    state.pin_moves.see(desired, &mut look);
    state.pauses.record_and_restore(&mut look, now);
    state.corrections.see(&mut look, now);
    let wanted = targets(desired, &look);
    (look, wanted)
}

/// The writes by which what does not start lets go of a history that was rewritten.
fn commit_adoptions(desired: &Desired, look: &LiveState, starts: &[ServiceId]) -> Vec<(ServiceId, WorkloadWrite)> {
    let seen = |id: ServiceId| &look.services[id.index()];
    let stays = desired.graph.ids().filter(|id| !seen(*id).to_record && !starts.contains(id));
    write::named(stays, |id| write::commit_adoption_writes(desired, seen(id)))
}

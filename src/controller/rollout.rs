//! Pass after pass, until there is nothing more to do: what `apply` does.
#![expect(clippy::disallowed_methods, reason = "the loop is where the time is read; passes are given it")]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use pintle_core::graph::ServiceId;
use pintle_core::plan::{self, PlanStep, ServiceTarget};
use pintle_core::verify::Verdict;
use tokio::sync::watch;

use super::event_diff::{EventDiff, PassContext};
use super::throttle::PassThrottle;
use super::{
    ControllerState, Desired, Interrupt, LiveState, Mode, PassOutcome, Requeue, WorkloadStatus, plan_input, run_pass,
    write,
};
use crate::cluster::{Cluster, ClusterError, Leadership};
use crate::controller::event::Event;

/// How often it is looked at least: deadlines pass without anything changing.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// How long a run that was stopped waits for a whole picture of how everything stands.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// How long a run goes on.
#[derive(Debug)]
pub struct RolloutArgs {
    /// Becomes true when nothing more shall start.
    pub stop: watch::Receiver<bool>,
    /// Who may write: while another process does, this one follows what that does.
    pub lead: watch::Receiver<Leadership>,
    /// Ends the run when nothing has happened for so long.
    pub patience: Duration,
    /// What is known already: whoever planned has asked for owners.
    pub state: ControllerState,
}

/// How a run ended.
#[derive(Debug)]
pub struct RolloutOutcome {
    /// The last pass: how everything stands.
    pub last: PassOutcome,
    /// Somebody stopped it.
    pub stopped: bool,
    /// Nothing happened for too long.
    pub out_of_patience: bool,
    /// How many services were seen to arrive.
    pub verified: usize,
    /// Another process wrote, and this one looked on.
    pub looked_on: bool,
}

impl RolloutOutcome {
    /// The outcome of doing nothing.
    pub fn still(desired: &Desired, look: LiveState, wanted: Vec<ServiceTarget>) -> Self {
        let next = plan::next(plan_input(desired, &look, &wanted));
        let last =
            PassOutcome { live_state: look, wanted, next, started: Vec::new(), wrote: false, requeue: Requeue::Await };
        Self { last, stopped: false, out_of_patience: false, verified: 0, looked_on: false }
    }
}

/// Carries the pins of one revision out to the end. `tell` is given each pass and what it showed that is new.
///
/// # Errors
/// What the cluster says, once it has not answered for as long as patience lasts.
pub async fn run_until_settled<C: Cluster>(
    cluster: &C,
    desired: &Desired,
    mut args: RolloutArgs,
    mut tell: impl FnMut(Option<&PassOutcome>, &[Event]),
) -> Result<RolloutOutcome, ClusterError> {
    let mut teller = EventDiff::default();
    let (mut last_news, mut silent, mut verified) = (Timestamp::now(), false, 0);
    let (mut throttle, mut stopped_at) = (PassThrottle::default(), None);
    loop {
        let now = Timestamp::now();
        let stopped = *args.stop.borrow();
        stopped_at = stopped_at.or(stopped.then_some(now));
        let waited = Duration::try_from(now.duration_since(last_news)).unwrap_or_default();
        let out_of_patience = waited > args.patience;
        let began = Instant::now();
        let leads = *args.lead.borrow_and_update() == Leadership::Ours;
        let stop = args.stop.clone();
        args.state.interrupt = Interrupt::when(move || *stop.borrow() && !stopped);
        let mode = if !leads {
            Mode::Observe
        } else if stopped {
            Mode::Record
        } else {
            Mode::Write
        };
        match run_pass(cluster, desired, &mut args.state, now, |_| mode).await {
            Ok(last) => {
                let rest =
                    if last.wrote { Duration::ZERO } else { throttle.delay_after(began.elapsed(), Instant::now()) };
                let mut events: Vec<Event> = silent.then_some(Event::Reachable).into_iter().collect();
                events.extend(teller.events(PassContext { desired, pass: &last, now }));
                silent = false;
                verified += events.iter().filter(|event| matches!(event, Event::Verified { .. })).count();
                if !events.is_empty() {
                    last_news = now;
                }
                tell(Some(&last), &events);
                if stops(&last, stopped_at, now) || out_of_patience || is_done(desired, &last) {
                    return Ok(RolloutOutcome { last, stopped, out_of_patience, verified, looked_on: !leads });
                }
                if last.requeue != Requeue::Now {
                    wait(cluster, &mut args, stopped, rest).await;
                }
            }
            Err(ClusterError::LeaseNotHeld) => wait(cluster, &mut args, stopped, Duration::ZERO).await,
            Err(ClusterError::Unreachable(why)) if !stopped && !out_of_patience => {
                if !silent {
                    tell(None, &[Event::Unreachable { why }]);
                }
                silent = true;
                wait(cluster, &mut args, stopped, Duration::ZERO).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Somebody has stopped the run, and it is known how everything stands.
fn stops(pass: &PassOutcome, stopped_at: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(stopped_at) = stopped_at else { return false };
    let waited = Duration::try_from(now.duration_since(stopped_at)).unwrap_or_default();
    pass.live_state.unseen.is_empty() || waited > LAST_LOOK
}

/// Until the cluster changes, `rest` at least, the right to write does, somebody stops the run that was not `stopped`
/// before, or a moment has passed.
async fn wait<C: Cluster>(cluster: &C, args: &mut RolloutArgs, stopped: bool, rest: Duration) {
    let RolloutArgs { stop, lead, .. } = args;
    let stopped = async {
        if stopped || stop.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let led = async {
        if lead.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let changed = async {
        tokio::time::sleep(rest).await;
        if cluster.wait_for_change(TICK).await.is_err() {
            tokio::time::sleep(TICK).await;
        }
    };
    tokio::select! {
        () = changed => {}
        () = stopped => {}
        () = led => {}
    }
}

/// Nothing starts, nothing is still to be seen, and whatever is under way has ended, or waits for somebody.
fn is_done(desired: &Desired, pass: &PassOutcome) -> bool {
    let waits_for_somebody = |it: &WorkloadStatus| matches!(it.health.verdict, Verdict::Wait(Some(_)));
    let is_over = |(id, step): &(ServiceId, PlanStep)| match step {
        PlanStep::Start(_) => false,
        PlanStep::UnderWay => pass.live_state.services[id.index()].workloads.iter().any(waits_for_somebody),
        PlanStep::Failed(_) | PlanStep::Waits(_) | PlanStep::Held(_) | PlanStep::Refused(_) => true,
    };
    let recorded = pass
        .live_state
        .services
        .iter()
        .all(|seen| !seen.to_record && write::commit_adoption_writes(desired, seen).is_empty());
    let answered = pass.live_state.services.iter().all(|seen| !seen.unanswered);
    pass.requeue == Requeue::Await && answered && recorded && pass.next.steps.iter().all(is_over)
}

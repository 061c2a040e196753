//! Pass after pass, for ever: what `run` does. It follows whatever is pinned, and corrects whatever drifts.
#![expect(clippy::disallowed_methods, reason = "the loop is where the time is read; passes are given it")]

mod delay;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::git::CommitId;
use pintle_core::graph::ServiceId;
use pintle_core::pins::ServiceName;
use tokio::sync::watch;

use self::delay::{LONGEST_DELAY, PassDelay, wait_for_pass};
use super::event_diff::{EventDiff, PassContext};
use super::rollout::TICK;
use super::throttle::PassThrottle;
use super::{ControllerState, Desired, Interrupt, Mode, PassOutcome, Requeue, RunOptions, note_pauses, run_pass};
use crate::cluster::{Cluster, ClusterError, Leadership, Observation};
use crate::controller::event::Event;

/// How long a service that the cluster refused to write is left alone at first.
const REFUSED: Duration = Duration::from_secs(60);

/// How long nothing is sent after a write that was not answered; it doubles from one to the next, up to 8 s. An API server
/// that has too much to do asks for a second (429 with `Retry-After: 1`, always by API Priority and Fairness).
const LOST: Duration = Duration::from_secs(1);

/// What is to be kept.
#[derive(Debug, Clone, Default)]
pub enum BranchState {
    /// It is not known yet.
    #[default]
    Unknown,
    /// What the repository says cannot be used, or it says nothing any more: what runs is held (design, I10).
    Held(String),
    /// These pins.
    Pins(Arc<Desired>),
}

/// What tells the loop what to do.
pub struct ControllerArgs<S, G> {
    /// What is to be kept; the newest counts.
    pub branch: watch::Receiver<BranchState>,
    /// Becomes true when nothing more shall be written.
    pub stop: watch::Receiver<bool>,
    /// Who may write.
    pub lead: watch::Receiver<Leadership>,
    /// Changes when it is time for a full look, and for the drift that waits for that.
    pub times: watch::Receiver<u64>,
    /// Tells the cluster what is looked at from now on.
    pub scope: S,
    /// Whether what was observed may be written over by these pins, and which commits of a history that was rewritten that
    /// lets go; else why not (design, I2 and I10).
    pub guard: G,
}

/// What is told of a pass.
pub struct PassReport<'a> {
    /// What is to be kept; none while that is not known.
    pub desired: Option<&'a Desired>,
    /// The pass; none where there was none.
    pub status: ControllerStatus<'a>,
    /// What the cluster refused to this process, which nobody else can see.
    pub refused: BTreeMap<ServiceName, String>,
    /// What is new.
    pub events: &'a [Event],
}

/// How everything stands.
#[derive(Debug, Clone, Copy)]
pub enum ControllerStatus<'a> {
    /// As the pass shows.
    Seen(&'a PassOutcome),
    /// Everything is held, for this reason.
    Held(&'a str),
    /// Nothing is known of it yet.
    Begins,
    /// Another process does it.
    StandsBy,
}

/// What the loop remembers; all of it may be lost at any time.
#[derive(Default)]
struct ControllerLoop {
    branch: BranchState,
    state: ControllerState,
    teller: EventDiff,
    throttle: PassThrottle,
    /// Why everything is held.
    held: Option<String>,
    /// The cluster did not answer.
    silent: bool,
    in_sync: bool,
    leads: bool,
    /// Since when it is time for the drift that waits for the schedule.
    time: Option<Instant>,
    /// How often in a row a write was not answered, and how often one was refused because the workload had changed.
    lost: u32,
    stale: u32,
    /// When what was refused was tried again, and how long the next time waits.
    forgiven: Option<Instant>,
    patience: Duration,
}

/// Keeps what is pinned, until it is stopped. `tell` is given each pass, and what it showed that is new.
pub async fn run_controller<C, S, G>(cluster: &C, mut args: ControllerArgs<S, G>, mut tell: impl FnMut(PassReport<'_>))
where
    C: Cluster,
    S: Fn(&DesiredState),
    G: FnMut(&DesiredState, &Observation) -> Result<BTreeSet<CommitId>, String>,
{
    let mut controller = ControllerLoop::default();
    while !*args.stop.borrow() {
        if args.branch.has_changed().unwrap_or(false) {
            controller.take_branch_state(args.branch.borrow_and_update().clone(), &args.scope, &mut tell);
        }
        if args.times.has_changed().unwrap_or(false) {
            args.times.mark_unchanged();
            controller.time = Some(Instant::now());
            cluster.resync();
        }
        // A clone has seen what its original has: it tells of what comes after.
        let (stop, branch) = (args.stop.clone(), args.branch.clone());
        controller.state.interrupt = Interrupt::when(move || *stop.borrow() || branch.has_changed().unwrap_or(true));
        let leads = *args.lead.borrow_and_update() == Leadership::Ours;
        let delay = if leads {
            controller.lead(&mut tell);
            controller.round(cluster, &mut args.guard, &mut tell).await
        } else {
            controller.stand_by(cluster, &mut tell).await
        };
        if delay.most > Duration::ZERO {
            wait_for_pass(cluster, &mut args, &delay, leads).await;
        }
    }
}

impl ControllerLoop {
    /// Takes up another goal.
    fn take_branch_state(
        &mut self,
        branch: BranchState,
        scope: impl Fn(&DesiredState),
        tell: &mut impl FnMut(PassReport<'_>),
    ) {
        self.state.reset_for_revision();
        self.in_sync = false;
        if let BranchState::Pins(desired) = &branch {
            scope(desired);
            self.state.pin_moves.note_revision(&desired.state, Timestamp::now());
            self.teller = EventDiff::default();
            let subject = desired.history.tip().map(|tip| tip.subject.to_string()).unwrap_or_default();
            let events = [Event::RevisionChanged { subject }];
            let status = if self.leads { ControllerStatus::Begins } else { ControllerStatus::StandsBy };
            tell(PassReport { desired: Some(desired), status, refused: BTreeMap::new(), events: &events });
        }
        self.branch = branch;
    }

    /// Tells that this process is the one writer now, before anything that it does.
    fn lead(&mut self, tell: &mut impl FnMut(PassReport<'_>)) {
        if !std::mem::replace(&mut self.leads, true) {
            let desired = if let BranchState::Pins(desired) = &self.branch { Some(&**desired) } else { None };
            tell(PassReport {
                desired,
                status: ControllerStatus::Begins,
                refused: BTreeMap::new(),
                events: &[Event::LeadershipAcquired],
            });
        }
    }

    /// One pass, where there is something to keep.
    async fn round<C: Cluster>(
        &mut self,
        cluster: &C,
        guard: &mut impl FnMut(&DesiredState, &Observation) -> Result<BTreeSet<CommitId>, String>,
        tell: &mut impl FnMut(PassReport<'_>),
    ) -> PassDelay {
        let desired = match self.branch.clone() {
            BranchState::Unknown => return PassDelay::LONG,
            BranchState::Held(why) => {
                self.hold(None, &why, tell);
                return PassDelay::LONG;
            }
            BranchState::Pins(desired) => desired,
        };
        let (now, began) = (Timestamp::now(), Instant::now());
        self.forgive(began);
        let mut guarded = Ok(BTreeSet::new());
        let mode = |observed: &Observation| {
            guarded = guard(&desired, observed);
            if guarded.as_ref() == Ok(&desired.options.abandoned_commits) { Mode::Write } else { Mode::Observe }
        };
        match run_pass(cluster, &desired, &mut self.state, now, mode).await {
            Ok(pass) => {
                match guarded {
                    Err(why) => {
                        self.hold(Some(&desired), &why, tell);
                        return PassDelay::LONG;
                    }
                    Ok(abandoned_commits) if abandoned_commits != desired.options.abandoned_commits => {
                        let options = RunOptions { abandoned_commits, ..desired.options.clone() };
                        self.branch = BranchState::Pins(Arc::new(desired.with_options(options)));
                        return PassDelay::NONE;
                    }
                    Ok(_) => {}
                }
                if let Some(scheduled) = self.scheduled(&desired, &pass) {
                    let options = RunOptions { scheduled, ..desired.options.clone() };
                    self.branch = BranchState::Pins(Arc::new(desired.with_options(options)));
                    return PassDelay::NONE;
                }
                self.seen(&desired, &pass, now, tell);
                self.note_stale(cluster, &pass);
                let least = if pass.wrote {
                    Duration::ZERO
                } else {
                    self.throttle.delay_after(began.elapsed(), Instant::now())
                };
                self.delay(&pass, least).until(pass.live_state.wake(), now)
            }
            Err(ClusterError::LeaseNotHeld) => PassDelay::SHORT,
            Err(error) => {
                if !std::mem::replace(&mut self.silent, true) {
                    let why = match error {
                        ClusterError::Unreachable(why) => why,
                        error => error.to_string(),
                    };
                    let events = [Event::Unreachable { why: why.clone() }];
                    let status = ControllerStatus::Held(&why);
                    tell(PassReport { desired: Some(&desired), status, refused: BTreeMap::new(), events: &events });
                }
                if !self.state.has_unacknowledged_writes() {
                    return PassDelay::SHORT;
                }
                // Whoever cannot keep up is not asked again at once.
                let least = LOST * (1 << self.lost.min(3));
                self.lost += 1;
                PassDelay { least, most: least.max(TICK) }
            }
        }
    }

    /// Whose drift is corrected although it waits for the schedule, where that is others than before: what has drifted when
    /// it is time, until it is back.
    fn scheduled(&mut self, desired: &Desired, pass: &PassOutcome) -> Option<BTreeSet<ServiceId>> {
        let has_drifted = |id: &ServiceId| pass.live_state.services[id.index()].drifted;
        let scheduled: BTreeSet<ServiceId> = if pass.live_state.unseen.is_empty() && self.time.take().is_some() {
            desired.graph.ids().filter(has_drifted).collect()
        } else {
            desired.options.scheduled.iter().copied().filter(has_drifted).collect()
        };
        (scheduled != desired.options.scheduled).then_some(scheduled)
    }

    /// A workload that has changed and is not seen to: its watch lags, or has lost something.
    fn note_stale(&mut self, cluster: &impl Cluster, pass: &PassOutcome) {
        self.lost = 0;
        let is_stale = pass.requeue == Requeue::OnChange && pass.live_state.unseen.is_empty();
        self.stale = if is_stale { self.stale + 1 } else { 0 };
        if self.stale > 1 {
            cluster.resync();
            self.stale = 0;
        }
    }

    /// What was refused is tried again, later each time.
    fn forgive(&mut self, now: Instant) {
        if self.state.refusals().next().is_none() {
            self.patience = REFUSED;
            self.forgiven = Some(now);
        } else if self.forgiven.is_none_or(|at| now.duration_since(at) > self.patience) {
            self.state.reset_for_revision();
            self.patience = LONGEST_DELAY.min(self.patience * 2);
            self.forgiven = Some(now);
        }
    }

    fn seen(&mut self, desired: &Desired, pass: &PassOutcome, now: Timestamp, tell: &mut impl FnMut(PassReport<'_>)) {
        let mut events: Vec<Event> = Vec::new();
        events.extend(std::mem::take(&mut self.silent).then_some(Event::Reachable));
        events.extend(self.held.take().map(|_| Event::AllReleased));
        events.extend(self.teller.events(PassContext { desired, pass, now }));
        let in_sync = pass.next.steps.is_empty() && pass.live_state.unseen.is_empty();
        if in_sync && !std::mem::replace(&mut self.in_sync, in_sync) {
            events.push(Event::InSync { services: desired.graph.len() });
        }
        self.in_sync = in_sync;
        let refused =
            self.state.refusals().map(|(id, why)| (desired.graph.name(id).clone(), why.to_string())).collect();
        tell(PassReport { desired: Some(desired), status: ControllerStatus::Seen(pass), refused, events: &events });
    }

    fn delay(&self, pass: &PassOutcome, least: Duration) -> PassDelay {
        let to_record = || pass.live_state.services.iter().any(|seen| seen.to_record || seen.unanswered);
        let moves = pass.next.is_moving() || to_record() || self.state.has_unacknowledged_writes();
        match pass.requeue {
            Requeue::Now => PassDelay::NONE,
            Requeue::Await if !moves && self.state.refusals().next().is_none() => {
                PassDelay { least, most: LONGEST_DELAY }
            }
            Requeue::Await if !moves => PassDelay { least, most: REFUSED },
            Requeue::Await | Requeue::OnChange => PassDelay { least, most: TICK.max(least) },
        }
    }

    fn hold(&mut self, desired: Option<&Desired>, why: &str, tell: &mut impl FnMut(PassReport<'_>)) {
        if self.held.as_deref() == Some(why) {
            return;
        }
        self.held = Some(why.to_owned());
        let events = [Event::HeldAll { why: why.to_owned() }];
        tell(PassReport { desired, status: ControllerStatus::Held(why), refused: BTreeMap::new(), events: &events });
    }

    /// Writes nothing, and sees what an undo may drop before this process is the one writer.
    async fn stand_by<C: Cluster>(&mut self, cluster: &C, tell: &mut impl FnMut(PassReport<'_>)) -> PassDelay {
        if std::mem::take(&mut self.leads) {
            (self.teller, self.in_sync, self.held) = (EventDiff::default(), false, None);
            tell(PassReport {
                desired: None,
                status: ControllerStatus::StandsBy,
                refused: BTreeMap::new(),
                events: &[],
            });
        }
        let BranchState::Pins(desired) = &self.branch else { return PassDelay::LONG };
        let began = Instant::now();
        // What cannot be seen is seen later.
        if note_pauses(cluster, desired, &mut self.state, Timestamp::now()).await.is_err() {
            return PassDelay::SHORT;
        }
        PassDelay { least: self.throttle.delay_after(began.elapsed(), Instant::now()), ..PassDelay::LONG }
    }
}

//! Pass after pass, for ever: what `run` does. It follows whatever is pinned, and corrects whatever drifts.
#![expect(clippy::disallowed_methods, reason = "the loop is where the time is read; passes are given it")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::git::CommitId;
use pintle_core::graph::Id;
use pintle_core::pins::ServiceName;
use tokio::sync::watch;

use super::rollout::TICK;
use super::tell::{Scene, Teller};
use super::throttle::PassThrottle;
use super::{ControllerState, Desired, Interrupt, Mode, Pass, Requeue, RunOptions, note_pauses, pass};
use crate::cluster::{Cluster, ClusterError, Leadership, Observation};
use crate::controller::event::Event;

/// Nothing needs a look for longer; it costs a millisecond.
const LONGEST: Duration = Duration::from_secs(600);

/// How long a service that the cluster refused to write is left alone at first.
const REFUSED: Duration = Duration::from_secs(60);

/// How long nothing is sent after a write that was not answered; it doubles from one to the next, up to 8 s. An API server
/// that has too much to do asks for a second (429 with `Retry-After: 1`, always by API Priority and Fairness).
const LOST: Duration = Duration::from_secs(1);

/// What is to be kept.
#[derive(Debug, Clone, Default)]
pub enum Goal {
    /// It is not known yet.
    #[default]
    Unknown,
    /// What the repository says cannot be used, or it says nothing any more: what runs is held (design, I10).
    Held(String),
    /// These pins.
    Pins(Arc<Desired>),
}

/// What tells the loop what to do.
pub struct Keep<S, G> {
    /// What is to be kept; the newest counts.
    pub goals: watch::Receiver<Goal>,
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
pub struct News<'a> {
    /// What is to be kept; none while that is not known.
    pub desired: Option<&'a Desired>,
    /// The pass; none where there was none.
    pub kept: Kept<'a>,
    /// What the cluster refused to this process, which nobody else can see.
    pub refused: BTreeMap<ServiceName, String>,
    /// What is new.
    pub events: &'a [Event],
}

/// How everything stands.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'a> {
    /// As the pass shows.
    Seen(&'a Pass),
    /// Everything is held, for this reason.
    Held(&'a str),
    /// Nothing is known of it yet.
    Begins,
    /// Another process does it.
    StandsBy,
}

/// What the loop remembers; all of it may be lost at any time.
#[derive(Default)]
struct State {
    goal: Goal,
    memory: ControllerState,
    teller: Teller,
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

/// How long the next pass may wait where nothing changes.
struct Rest {
    least: Duration,
    most: Duration,
}

impl Rest {
    const NONE: Self = Self { least: Duration::ZERO, most: Duration::ZERO };
    const LONG: Self = Self { least: Duration::ZERO, most: LONGEST };
    const SHORT: Self = Self { least: Duration::ZERO, most: TICK };

    /// No longer than to this moment.
    fn until(self, wake: Option<Timestamp>, now: Timestamp) -> Self {
        let left = wake.map(|wake| Duration::try_from(wake.duration_since(now)).unwrap_or_default());
        Self { most: left.map_or(self.most, |left| self.most.min(left)).max(self.least), ..self }
    }
}

/// Keeps what is pinned, until it is stopped. `tell` is given each pass, and what it showed that is new.
pub async fn keep<C, S, G>(cluster: &C, mut with: Keep<S, G>, mut tell: impl FnMut(News<'_>))
where
    C: Cluster,
    S: Fn(&DesiredState),
    G: FnMut(&DesiredState, &Observation) -> Result<BTreeSet<CommitId>, String>,
{
    let mut state = State::default();
    while !*with.stop.borrow() {
        if with.goals.has_changed().unwrap_or(false) {
            state.turn(with.goals.borrow_and_update().clone(), &with.scope, &mut tell);
        }
        if with.times.has_changed().unwrap_or(false) {
            with.times.mark_unchanged();
            state.time = Some(Instant::now());
            cluster.look_anew();
        }
        // A clone has seen what its original has: it tells of what comes after.
        let (stop, goals) = (with.stop.clone(), with.goals.clone());
        state.memory.interrupt = Interrupt::when(move || *stop.borrow() || goals.has_changed().unwrap_or(true));
        let leads = *with.lead.borrow_and_update() == Leadership::Ours;
        let rest = if leads {
            state.lead(&mut tell);
            state.round(cluster, &mut with.guard, &mut tell).await
        } else {
            state.stand_by(cluster, &mut tell).await
        };
        if rest.most > Duration::ZERO {
            wait(cluster, &mut with, &rest, leads).await;
        }
    }
}

impl State {
    /// Takes up another goal.
    fn turn(&mut self, goal: Goal, scope: impl Fn(&DesiredState), tell: &mut impl FnMut(News<'_>)) {
        self.memory.reset_for_revision();
        self.in_sync = false;
        if let Goal::Pins(desired) = &goal {
            scope(desired);
            self.memory.pin_moves.turn(&desired.state, Timestamp::now());
            self.teller = Teller::default();
            let subject = desired.history.tip().map(|tip| tip.subject.to_string()).unwrap_or_default();
            let events = [Event::Revision { subject }];
            let kept = if self.leads { Kept::Begins } else { Kept::StandsBy };
            tell(News { desired: Some(desired), kept, refused: BTreeMap::new(), events: &events });
        }
        self.goal = goal;
    }

    /// Tells that this process is the one writer now, before anything that it does.
    fn lead(&mut self, tell: &mut impl FnMut(News<'_>)) {
        if !std::mem::replace(&mut self.leads, true) {
            let desired = if let Goal::Pins(desired) = &self.goal { Some(&**desired) } else { None };
            tell(News { desired, kept: Kept::Begins, refused: BTreeMap::new(), events: &[Event::Leads] });
        }
    }

    /// One pass, where there is something to keep.
    async fn round<C: Cluster>(
        &mut self,
        cluster: &C,
        guard: &mut impl FnMut(&DesiredState, &Observation) -> Result<BTreeSet<CommitId>, String>,
        tell: &mut impl FnMut(News<'_>),
    ) -> Rest {
        let desired = match self.goal.clone() {
            Goal::Unknown => return Rest::LONG,
            Goal::Held(why) => {
                self.hold(None, &why, tell);
                return Rest::LONG;
            }
            Goal::Pins(desired) => desired,
        };
        let (now, began) = (Timestamp::now(), Instant::now());
        self.forgive(began);
        let mut guarded = Ok(BTreeSet::new());
        let mode = |observed: &Observation| {
            guarded = guard(&desired, observed);
            if guarded.as_ref() == Ok(&desired.options.abandoned_commits) { Mode::Write } else { Mode::Observe }
        };
        match pass(cluster, &desired, &mut self.memory, now, mode).await {
            Ok(pass) => {
                match guarded {
                    Err(why) => {
                        self.hold(Some(&desired), &why, tell);
                        return Rest::LONG;
                    }
                    Ok(abandoned_commits) if abandoned_commits != desired.options.abandoned_commits => {
                        let options = RunOptions { abandoned_commits, ..desired.options.clone() };
                        self.goal = Goal::Pins(Arc::new(desired.with_options(options)));
                        return Rest::NONE;
                    }
                    Ok(_) => {}
                }
                if let Some(scheduled) = self.scheduled(&desired, &pass) {
                    let options = RunOptions { scheduled, ..desired.options.clone() };
                    self.goal = Goal::Pins(Arc::new(desired.with_options(options)));
                    return Rest::NONE;
                }
                self.seen(&desired, &pass, now, tell);
                self.note_stale(cluster, &pass);
                let least = if pass.wrote {
                    Duration::ZERO
                } else {
                    self.throttle.delay_after(began.elapsed(), Instant::now())
                };
                self.rest(&pass, least).until(pass.look.wake(), now)
            }
            Err(ClusterError::NotLeading) => Rest::SHORT,
            Err(error) => {
                if !std::mem::replace(&mut self.silent, true) {
                    let why = match error {
                        ClusterError::Unreachable(why) => why,
                        error => error.to_string(),
                    };
                    let events = [Event::Unreachable { why: why.clone() }];
                    let kept = Kept::Held(&why);
                    tell(News { desired: Some(&desired), kept, refused: BTreeMap::new(), events: &events });
                }
                if !self.memory.has_unacknowledged_writes() {
                    return Rest::SHORT;
                }
                // Whoever cannot keep up is not asked again at once.
                let least = LOST * (1 << self.lost.min(3));
                self.lost += 1;
                Rest { least, most: least.max(TICK) }
            }
        }
    }

    /// Whose drift is corrected although it waits for the schedule, where that is others than before: what has drifted when
    /// it is time, until it is back.
    fn scheduled(&mut self, desired: &Desired, pass: &Pass) -> Option<BTreeSet<Id>> {
        let has_drifted = |id: &Id| pass.look.services[id.index()].drifted;
        let scheduled: BTreeSet<Id> = if pass.look.unseen.is_empty() && self.time.take().is_some() {
            desired.graph.ids().filter(has_drifted).collect()
        } else {
            desired.options.scheduled.iter().copied().filter(has_drifted).collect()
        };
        (scheduled != desired.options.scheduled).then_some(scheduled)
    }

    /// A workload that has changed and is not seen to: its watch lags, or has lost something.
    fn note_stale(&mut self, cluster: &impl Cluster, pass: &Pass) {
        self.lost = 0;
        let is_stale = pass.requeue == Requeue::OnChange && pass.look.unseen.is_empty();
        self.stale = if is_stale { self.stale + 1 } else { 0 };
        if self.stale > 1 {
            cluster.look_anew();
            self.stale = 0;
        }
    }

    /// What was refused is tried again, later each time.
    fn forgive(&mut self, now: Instant) {
        if self.memory.refusals().next().is_none() {
            self.patience = REFUSED;
            self.forgiven = Some(now);
        } else if self.forgiven.is_none_or(|at| now.duration_since(at) > self.patience) {
            self.memory.reset_for_revision();
            self.patience = LONGEST.min(self.patience * 2);
            self.forgiven = Some(now);
        }
    }

    fn seen(&mut self, desired: &Desired, pass: &Pass, now: Timestamp, tell: &mut impl FnMut(News<'_>)) {
        let mut events: Vec<Event> = Vec::new();
        events.extend(std::mem::take(&mut self.silent).then_some(Event::Reachable));
        events.extend(self.held.take().map(|_| Event::HeldNoMore));
        events.extend(self.teller.tell(Scene { desired, pass, now }));
        let in_sync = pass.next.steps.is_empty() && pass.look.unseen.is_empty();
        if in_sync && !std::mem::replace(&mut self.in_sync, in_sync) {
            events.push(Event::InSync { services: desired.graph.len() });
        }
        self.in_sync = in_sync;
        let refused =
            self.memory.refusals().map(|(id, why)| (desired.graph.name(id).clone(), why.to_string())).collect();
        tell(News { desired: Some(desired), kept: Kept::Seen(pass), refused, events: &events });
    }

    fn rest(&self, pass: &Pass, least: Duration) -> Rest {
        let to_record = || pass.look.services.iter().any(|seen| seen.to_record || seen.unanswered);
        let moves = pass.next.in_motion() || to_record() || self.memory.has_unacknowledged_writes();
        match pass.requeue {
            Requeue::Now => Rest::NONE,
            Requeue::Await if !moves && self.memory.refusals().next().is_none() => Rest { least, most: LONGEST },
            Requeue::Await if !moves => Rest { least, most: REFUSED },
            Requeue::Await | Requeue::OnChange => Rest { least, most: TICK.max(least) },
        }
    }

    fn hold(&mut self, desired: Option<&Desired>, why: &str, tell: &mut impl FnMut(News<'_>)) {
        if self.held.as_deref() == Some(why) {
            return;
        }
        self.held = Some(why.to_owned());
        let events = [Event::HeldAll { why: why.to_owned() }];
        tell(News { desired, kept: Kept::Held(why), refused: BTreeMap::new(), events: &events });
    }

    /// Writes nothing, and sees what an undo may drop before this process is the one writer.
    async fn stand_by<C: Cluster>(&mut self, cluster: &C, tell: &mut impl FnMut(News<'_>)) -> Rest {
        if std::mem::take(&mut self.leads) {
            (self.teller, self.in_sync, self.held) = (Teller::default(), false, None);
            tell(News { desired: None, kept: Kept::StandsBy, refused: BTreeMap::new(), events: &[] });
        }
        let Goal::Pins(desired) = &self.goal else { return Rest::LONG };
        let began = Instant::now();
        // What cannot be seen is seen later.
        if note_pauses(cluster, desired, &mut self.memory, Timestamp::now()).await.is_err() {
            return Rest::SHORT;
        }
        Rest { least: self.throttle.delay_after(began.elapsed(), Instant::now()), ..Rest::LONG }
    }
}

/// Until something changes that the loop looks at, or the rest is over.
async fn wait<C: Cluster, S, G>(cluster: &C, with: &mut Keep<S, G>, rest: &Rest, leads: bool) {
    let Keep { goals, stop, lead, times, .. } = with;
    let changed = async {
        tokio::time::sleep(rest.least).await;
        // Whoever stands by only has to know what is paused.
        let changed =
            if leads { cluster.changed(rest.most).await } else { cluster.changed_but_for_pods(rest.most).await };
        if changed.is_err() {
            tokio::time::sleep(TICK).await;
        }
    };
    tokio::select! {
        () = changed => {}
        Ok(()) = goals.changed() => goals.mark_changed(),
        _ = stop.wait_for(|stop| *stop) => {}
        Ok(()) = lead.changed() => {}
        Ok(()) = times.changed() => times.mark_changed(),
    }
}

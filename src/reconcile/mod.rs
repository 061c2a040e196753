//! The story: one pass from what is pinned and what runs to the writes of the next safe steps.
//!
//! No pass remembers the one before: everything is worked out anew from Git and the cluster. [`Memory`] holds only what
//! the cluster cannot tell: answers to writes that were refused or lost.

mod contended;
mod desired;
mod drift;
mod follow;
mod hand;
mod keep;
mod look;
mod pauses;
mod pinned;
mod report;
mod rest;
mod rewritten;
mod tell;
#[cfg(test)]
mod tests;
mod want;
mod words;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use crate::cluster::{Cluster, ClusterError, Observation, WorkloadId, Write};
use crate::graph::Id;
use crate::plan::{self, Next, Plan, Running, Situation, Step, Took, Wanted};

use self::contended::Corrections;
use self::pauses::Pauses;
use self::rewritten::Rewrites;

pub use desired::Desired;
pub use drift::{Stay, StayBy};
pub use follow::{Outcome, Run, follow};
pub use hand::Hand;
pub use keep::{Goal, Keep, Kept, News, keep};
pub use look::{FIELD_MANAGER, Look, Seen, SeenWorkload, look};
pub use pinned::look_at_pins;
pub use report::{
    ChangeReport, CircleReport, EstimateReport, PausedReport, Report, RestReport, Standing, UnderWayReport,
    pinned_no_more, released,
};
pub use want::{held, want};
pub use words::{Words, clock};

/// Writes that are on their way at once. More gains nothing: the API server is the bottleneck.
const CONCURRENCY: usize = 16;

/// How long a record waits at most while many services are under way.
const UNRECORDED: SignedDuration = SignedDuration::from_secs(300);

/// What earlier passes learned that no observation shows.
#[derive(Debug, Default)]
pub struct Memory {
    /// Services that the cluster refused to write, and why, for as long as this process lives.
    refused: BTreeMap<Id, ClusterError>,
    /// Writes that were sent and not answered: they count as live until it is seen what became of them.
    in_doubt: BTreeMap<WorkloadId, Doubt>,
    /// Workloads that were asked for their owner.
    asked: BTreeSet<WorkloadId>,
    /// When this process wrote a workload.
    began: BTreeMap<WorkloadId, Timestamp>,
    /// When services whose arrival is not recorded yet were seen to have arrived.
    arrived: BTreeMap<Id, Timestamp>,
    /// The pauses that this process has seen.
    pauses: Pauses,
    /// The moves by hand that this process has corrected.
    corrections: Corrections,
    /// The images that the server has rewritten.
    rewrites: Rewrites,
    /// Asked between the writes of a pass.
    pub enough: Enough,
}

/// A write that was sent and not answered.
#[derive(Debug)]
struct Doubt {
    /// Of the workload, before it.
    resource_version: String,
    running: Running,
    /// When the workload was first seen as it was before.
    since: Option<Timestamp>,
}

/// A server carries out no request so long after it was sent: it allows a minute.
const DOUBTFUL: SignedDuration = SignedDuration::from_secs(120);

/// Whether a pass shall send no more than it must: another revision waits, or somebody has stopped it.
#[derive(Default)]
pub struct Enough(Option<Box<dyn Fn() -> bool + Send + Sync>>);

impl Enough {
    /// When this says so.
    pub fn when(says: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(says)))
    }

    fn is_now(&self) -> bool {
        self.0.as_ref().is_some_and(|says| says())
    }
}

impl std::fmt::Debug for Enough {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Enough").field(&self.is_now()).finish()
    }
}

/// What a pass may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum May {
    /// Nothing but look.
    Look,
    /// Record what has arrived, and start nothing.
    Record,
    /// Start what is next.
    Start,
}

/// What a pass saw and did.
#[derive(Debug)]
pub struct Pass {
    /// What was seen.
    pub look: Look,
    /// What was wanted.
    pub wanted: Vec<Wanted>,
    /// What was to be done.
    pub next: Next,
    /// The services that were written.
    pub started: Vec<Id>,
    /// Something was written, were it only what is remembered.
    pub wrote: bool,
    /// What the next pass will know that this one did not.
    pub pending: Pending,
}

/// What the next pass will know that this one did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pending {
    /// Nothing, unless the cluster changes.
    Nothing,
    /// How something looks that was only half seen, or has changed meanwhile.
    Sight,
    /// An answer that this pass was given: it can begin at once.
    Answer,
}

/// One pass; `may` is asked what it may do, once it is known how everything stands.
pub async fn pass<C: Cluster>(
    cluster: &C,
    desired: &Desired,
    memory: &mut Memory,
    now: Timestamp,
    may: impl FnOnce(&Observation) -> May,
) -> Result<Pass, ClusterError> {
    // 1. IO: what is.
    let mut observed = cluster.observe().await?;
    memory.rewrites.add_to(&mut observed);
    // 2. What that means for each service, and what is wanted of it.
    let (look, wanted) = judge(desired, memory, &observed, now);
    let may = may(&observed);
    // 3. The next safe steps.
    let next = if look.unseen.is_empty() { plan::next(situation(desired, &look, &wanted)) } else { Next::default() };
    let half_seen = if look.unseen.is_empty() { Pending::Nothing } else { Pending::Sight };
    if may == May::Look {
        return Ok(Pass { look, wanted, next, started: Vec::new(), wrote: false, pending: half_seen });
    }
    let starts: Vec<Id> = next.starts().filter(|_| may == May::Start).collect();
    // 4. IO: whoever owns the images of a workload never written before is asked first.
    let pending = memory.ask(cluster, first_writes(desired, &look, &starts)).await?;
    if pending > Pending::Nothing {
        return Ok(Pass { look, wanted, next, started: Vec::new(), wrote: false, pending });
    }
    // 5. IO: write them, and record what is verified.
    let pending = memory.pause_again(cluster).await?;
    if pending > Pending::Nothing {
        return Ok(Pass { look, wanted, next, started: Vec::new(), wrote: true, pending });
    }
    let under_way = next.steps.iter().filter(|(_, step)| matches!(step, Step::UnderWay)).count();
    // The last of many would wait for the controllers, which look at each that is recorded.
    let recordable = look.services.iter().filter(|seen| seen.to_record).count();
    let busy = under_way > 0 && under_way + recordable > CONCURRENCY;
    let arrivals = memory.arrivals(desired, &look, may == May::Start && busy, now);
    let mut writes = memory.starts(desired, &look, &starts, now);
    writes.extend(memory.records(desired, &look, arrivals));
    writes.extend(rebases(desired, &look, &starts));
    let wrote = !writes.is_empty();
    let whole = next.steps.iter().filter(|(_, step)| matches!(step, Step::Start(Some(_)))).map(|&(id, _)| id).collect();
    let (pending, unsent) = memory.send(cluster, writes, &whole).await?;
    let started = starts.into_iter().filter(|id| !unsent.contains(id)).collect();
    Ok(Pass { look, wanted, next, started, wrote, pending: pending.max(half_seen) })
}

/// What a pass would do, run ahead to the end.
pub fn plan(desired: &Desired, look: &Look, wanted: &[Wanted]) -> Plan {
    let took: Vec<Took> = look.services.iter().map(look::took).collect();
    Plan::of(situation(desired, look, wanted), &took)
}

fn situation<'a>(desired: &'a Desired, look: &'a Look, wanted: &'a [Wanted]) -> Situation<'a> {
    Situation { graph: &desired.graph, wanted, live: &look.live, lockstep: &desired.lockstep }
}

fn judge(desired: &Desired, memory: &mut Memory, observed: &Observation, now: Timestamp) -> (Look, Vec<Wanted>) {
    let mut look = look(desired, observed, now);
    memory.correct(&mut look);
    memory.doubt(&mut look, now);
    memory.pauses.see(desired, &mut look, now);
    memory.corrections.see(desired, &mut look, now);
    let wanted = want(desired, &look);
    (look, wanted)
}

/// The writes to workloads that Pintle has never written.
fn first_writes(desired: &Desired, look: &Look, starts: &[Id]) -> Vec<(Id, Write)> {
    named(starts.iter().copied(), |id| {
        let seen = &look.services[id.index()];
        write::start(desired, id, seen).into_iter().filter(|write| seen.is_new(&write.id)).collect()
    })
}

/// The writes by which what does not start lets go of a history that was rewritten.
fn rebases(desired: &Desired, look: &Look, starts: &[Id]) -> Vec<(Id, Write)> {
    let seen = |id: Id| &look.services[id.index()];
    let stays = desired.graph.ids().filter(|id| !seen(*id).to_record && !starts.contains(id));
    named(stays, |id| write::rebase(desired, seen(id)))
}

fn named(ids: impl Iterator<Item = Id>, writes: impl Fn(Id) -> Vec<Write>) -> Vec<(Id, Write)> {
    ids.flat_map(|id| writes(id).into_iter().map(move |write| (id, write))).collect()
}

impl Memory {
    /// Forgets what was learned of services by their numbers, which another revision gives anew, and what was refused: it
    /// may have been mended.
    pub fn turn(&mut self) {
        self.refused.clear();
        self.arrived.clear();
    }

    /// Whether something was sent and not answered: what became of it shows by and by.
    pub fn is_in_doubt(&self) -> bool {
        !self.in_doubt.is_empty()
    }

    /// What this process was refused, by service: nobody else knows it.
    pub fn refusals(&self) -> impl Iterator<Item = (Id, &ClusterError)> {
        self.refused.iter().map(|(&id, error)| (id, error))
    }

    /// Asks for the owners of all that would be written for the first time. Asked when somebody plans, so that nobody
    /// learns it at a release.
    pub async fn survey<C: Cluster>(
        &mut self,
        cluster: &C,
        desired: &Desired,
        look: &Look,
    ) -> Result<(), ClusterError> {
        let wanted = want(desired, look);
        let differs = |id: &Id| match &wanted[id.index()] {
            Wanted::Target(target) => look.live[id.index()].spec != [target.clone()],
            Wanted::Held(..) => false,
        };
        let changing: Vec<Id> = desired.graph.ids().filter(differs).collect();
        self.ask(cluster, first_writes(desired, look, &changing)).await.map(drop)
    }

    /// Forgets what may not be written, which is nothing to whoever only looks; the first refusal, where there was any.
    pub fn forget_forbidden(&mut self) -> Option<ClusterError> {
        let is_forbidden = |error: &ClusterError| matches!(error, ClusterError::Forbidden(_));
        let first = self.refused.values().find(|error| is_forbidden(error)).cloned();
        self.refused.retain(|_, error| !is_forbidden(error));
        first
    }

    /// Asks whether somebody else owns what is to be written for the first time.
    async fn ask<C: Cluster>(&mut self, cluster: &C, writes: Vec<(Id, Write)>) -> Result<Pending, ClusterError> {
        let new = writes.into_iter().filter(|(_, write)| !self.asked.contains(&write.id));
        let asked = new.map(|(id, write)| async move { (id, cluster.would_conflict(&write).await, write) });
        let mut answers = futures::stream::iter(asked.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY);
        let mut pending = Pending::Nothing;
        while let Some((id, answer, write)) = answers.next().await {
            match answer {
                Ok(()) => drop(self.asked.insert(write.id)),
                // A question without an answer leaves nothing in doubt.
                Err(error @ ClusterError::Unreachable(_)) => return Err(error),
                Err(error) => pending = pending.max(self.learn(id, &write, error)?),
            }
        }
        Ok(pending)
    }

    /// The services whose arrival is recorded in this pass, and when they arrived; while `busy`, what has waited for long
    /// only: each record has the controllers look at the workload once more, and what it says is not lost without it.
    fn arrivals(&mut self, desired: &Desired, look: &Look, busy: bool, now: Timestamp) -> Vec<(Id, Timestamp)> {
        let to_record = |id: &Id| look.services[id.index()].to_record;
        self.arrived.retain(|id, _| to_record(id));
        let known = self.arrived.len();
        for id in desired.graph.ids().filter(to_record) {
            self.arrived.entry(id).or_insert(now);
        }
        // Many records take seconds: that they have arrived is told before.
        if self.arrived.len() > known.max(CONCURRENCY) {
            return Vec::new();
        }
        let is_due = |at: &Timestamp| !busy || now.duration_since(*at) > UNRECORDED;
        self.arrived.iter().filter(|(_, at)| is_due(at)).map(|(&id, &at)| (id, at)).collect()
    }

    /// Writes back the pauses that an undo has dropped.
    async fn pause_again<C: Cluster>(&self, cluster: &C) -> Result<Pending, ClusterError> {
        let mut pending = Pending::Nothing;
        for (id, workload, pause) in self.pauses.dropped() {
            match cluster.pause(id, workload, Some(pause)).await {
                Ok(()) => pending = Pending::Answer,
                Err(ClusterError::Stale(_) | ClusterError::Missing(_)) => pending = pending.max(Pending::Sight),
                Err(error @ ClusterError::Unreachable(_)) => return Err(error),
                // This process goes by it all the same.
                Err(error) => tracing::warn!("the pause of {id} is not written back: {error}"),
            }
        }
        Ok(pending)
    }

    /// The writes of what starts.
    fn starts(&mut self, desired: &Desired, look: &Look, starts: &[Id], now: Timestamp) -> Vec<(Id, Write)> {
        self.corrections.begin(look, starts, now);
        let writes = named(starts.iter().copied(), |id| write::start(desired, id, &look.services[id.index()]));
        self.began.extend(writes.iter().map(|(_, write)| (write.id.clone(), now)));
        writes
    }

    /// The writes that record what has arrived.
    fn records(&self, desired: &Desired, look: &Look, arrivals: Vec<(Id, Timestamp)>) -> Vec<(Id, Write)> {
        let of = |(id, at): (Id, Timestamp)| {
            let writes = write::record(desired, id, &look.services[id.index()], at, &self.began);
            writes.into_iter().map(move |write| (id, write))
        };
        arrivals.into_iter().flat_map(of).collect()
    }

    /// Sends writes and waits for all answers: a pass ends when its writes are answered. Once it is [`Memory::enough`],
    /// nothing more is sent but of services that start as a `whole`; which were not sent is returned.
    async fn send<C: Cluster>(
        &mut self,
        cluster: &C,
        writes: Vec<(Id, Write)>,
        whole: &BTreeSet<Id>,
    ) -> Result<(Pending, BTreeSet<Id>), ClusterError> {
        let enough = std::mem::take(&mut self.enough);
        let goes = |id: &Id| whole.contains(id) || !enough.is_now();
        let sent = writes.into_iter().map(|(id, write)| async move {
            let answer = if goes(&id) { Some(cluster.apply(&write).await) } else { None };
            (id, answer, write)
        });
        let mut answers = futures::stream::iter(sent.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY);
        let (mut pending, mut lost, mut unsent) = (Pending::Nothing, None, BTreeSet::new());
        while let Some((id, answer, write)) = answers.next().await {
            let learned = match answer {
                None => {
                    unsent.insert(id);
                    Ok(Pending::Nothing)
                }
                Some(Ok(written)) => {
                    self.corrections.accepted(&write.id);
                    self.rewrites.answered(&write, &written);
                    Ok(Pending::Nothing)
                }
                Some(Err(error)) => self.learn(id, &write, error),
            };
            match learned {
                Ok(learned) => pending = pending.max(learned),
                Err(error) => lost = Some(error),
            }
        }
        drop(answers);
        self.enough = enough;
        lost.map_or(Ok((pending, unsent)), Err)
    }

    /// Takes in why a write did not succeed. One bad service stops no other; only silence is an error.
    fn learn(&mut self, id: Id, write: &Write, error: ClusterError) -> Result<Pending, ClusterError> {
        match error {
            ClusterError::Unreachable(_) => {
                let image = write.images.first().map(|(_, _, image)| image.clone());
                let running = image.map(|image| Running::Image(image, Some(write.state.version.clone())));
                let resource_version = write.resource_version.clone();
                let doubt = running.map(|running| Doubt { resource_version, running, since: None });
                self.in_doubt.extend(doubt.map(|doubt| (write.id.clone(), doubt)));
                Err(error)
            }
            // Nothing was sent, nor is anything while the lease is not held.
            ClusterError::NotLeading => Err(error),
            // It is judged by what it has become.
            ClusterError::Stale(_) | ClusterError::Missing(_) => Ok(Pending::Sight),
            error => {
                self.refused.insert(id, error);
                Ok(Pending::Answer)
            }
        }
    }

    /// Adds to what was seen what was refused, which cannot be seen.
    pub fn correct(&self, look: &mut Look) {
        for (&id, error) in &self.refused {
            let seen = &mut look.services[id.index()];
            seen.obstacle.get_or_insert_with(|| error.to_string());
            // It would be refused again, at once.
            seen.to_record = false;
        }
    }

    /// Adds to what is live what may be by now.
    fn doubt(&mut self, look: &mut Look, now: Timestamp) {
        let unchanged = |it: &SeenWorkload, version: &str| {
            it.workload.as_ref().is_some_and(|workload| workload.resource_version == version)
        };
        for (seen, live) in look.services.iter().zip(&mut look.live) {
            for it in &seen.workloads {
                let Some(doubt) = self.in_doubt.get_mut(&it.id) else { continue };
                let waited = now.duration_since(*doubt.since.get_or_insert(now));
                if !unchanged(it, &doubt.resource_version) || waited > DOUBTFUL {
                    self.in_doubt.remove(&it.id);
                } else if !live.running.contains(&doubt.running) {
                    live.running.push(doubt.running.clone());
                }
            }
        }
    }
}

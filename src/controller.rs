//! The story: one pass from what is pinned and what runs to the writes of the next safe steps.
//!
//! No pass remembers the one before: everything is worked out anew from Git and the cluster. [`Memory`] holds only what
//! the cluster cannot tell: answers to writes that were refused or lost.

mod contended;
mod desired;
mod drift;
mod enough;
pub mod event;
mod follow;
mod hand;
mod heard;
mod keep;
mod look;
mod memory;
mod pauses;
mod pinned;
mod recall;
mod report;
mod rest;
mod rewritten;
mod suspicion;
mod tell;
#[cfg(test)]
mod tests;
mod unseen;
mod want;
mod words;
mod write;

pub use desired::Desired;
pub use drift::{Stay, StayBy};
pub use enough::Enough;
pub use follow::{Outcome, Run, follow};
pub use hand::Hand;
use jiff::Timestamp;
pub use keep::{Goal, Keep, Kept, News, keep};
pub use look::{Look, Seen, SeenWorkload, look};
pub use memory::Memory;
pub use pinned::look_at_pins;
use pintle_core::graph::Id;
use pintle_core::pins::Unseen;
use pintle_core::plan::{self, Next, Plan, Situation, Step, Took, Wanted};
pub use report::{
    ChangeReport, CircleReport, EstimateReport, PausedReport, Report, RestReport, Standing, UnderWayReport,
    pinned_no_more, released,
};
pub use suspicion::{Alarm, Suspicion, SuspicionInput};
pub use want::want;
pub use words::{Words, clock};

use self::enough::Tie;
use crate::cluster::{Cluster, ClusterError, Observation, Write};

/// Writes that are on their way at once. More gains nothing: the API server is the bottleneck.
const CONCURRENCY: usize = 16;

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
    let tie = |id: Id| match next.of(id) {
        Some(Step::Start(Some(_))) => Tie::Group,
        _ if desired.graph.around(id).next().is_some() => Tie::Neighbours,
        _ => Tie::None,
    };
    let (pending, unsent) = memory.send(cluster, writes, tie).await?;
    let started = starts.into_iter().filter(|id| !unsent.contains(id)).collect();
    Ok(Pass { look, wanted, next, started, wrote, pending: pending.max(half_seen) })
}

/// Takes in what is paused, and nothing else: what whoever stands by has to know.
async fn note_pauses<C: Cluster>(
    cluster: &C,
    desired: &Desired,
    memory: &mut Memory,
    now: Timestamp,
) -> Result<(), ClusterError> {
    let observed = cluster.observe().await?;
    memory.pauses.see(desired, &mut memory.recall.look(desired, &observed, now), now);
    Ok(())
}

/// What a pass would do, run ahead to the end.
pub fn plan(desired: &Desired, look: &Look, wanted: &[Wanted]) -> Plan {
    let took: Vec<Took> = look.services.iter().map(|seen| look::took(seen)).collect();
    Plan::of(situation(desired, look, wanted), &took)
}

fn situation<'a>(desired: &'a Desired, look: &'a Look, wanted: &'a [Wanted]) -> Situation<'a> {
    let evidence = (desired.pins.settings.unseen == Unseen::Refuse).then(|| desired.evidence());
    Situation { graph: &desired.graph, wanted, live: &look.live, lockstep: &desired.lockstep, evidence }
}

fn judge(desired: &Desired, memory: &mut Memory, observed: &Observation, now: Timestamp) -> (Look, Vec<Wanted>) {
    let mut look = memory.recall.look(desired, observed, now);
    memory.correct(&mut look);
    memory.doubt(&mut look, now);
    memory.heard.see(desired, &mut look);
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

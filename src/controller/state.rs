//! What earlier passes learned that no observation shows; all of it may be lost at any time.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use pintle_core::desired::DesiredState;
use pintle_core::graph::ServiceId;
use pintle_core::plan::{Obstacle, ServiceTarget};
use pintle_core::running::Running;
use pintle_core::workload::{Workload, WorkloadId};

use super::corrections::Corrections;
use super::desired::Desired;
use super::image_rewrites::Rewrites;
use super::interrupt::{Interrupt, WriteCoupling};
use super::pauses::PauseLog;
use super::pin_moves::PinMoveLog;
use super::settled_cache::SettledCache;
use super::status::{LiveState, WorkloadStatus};
use super::targets::targets;
use super::write::{self, first_writes, named};
use super::{MAX_CONCURRENT_WRITES, Requeue};
use crate::cluster::{Cluster, ClusterError, WorkloadWrite};

/// How long a record waits at most while many services are under way.
const UNRECORDED: SignedDuration = SignedDuration::from_secs(300);

/// What earlier passes learned that no observation shows.
#[derive(Debug, Default)]
pub struct ControllerState {
    /// Services that the cluster refused to write, and why, until it is tried again.
    refused: BTreeMap<ServiceId, ClusterError>,
    /// Writes that were sent and not answered: they count as live until it is seen what became of them.
    unacknowledged: BTreeMap<WorkloadId, UnacknowledgedWrite>,
    /// Workloads that were asked for their owner.
    asked: BTreeSet<WorkloadId>,
    /// When this process wrote a workload.
    began: BTreeMap<WorkloadId, Timestamp>,
    /// When services whose arrival is not recorded yet were seen to have arrived.
    arrived: BTreeMap<ServiceId, Timestamp>,
    /// How the services looked that rest.
    pub(super) recall: SettledCache,
    /// The pauses that this process has seen.
    pub(super) pauses: PauseLog,
    /// The moves by hand that this process has corrected.
    pub(super) corrections: Corrections,
    /// The pins that have moved since this process began.
    pub(super) pin_moves: PinMoveLog,
    /// The images that the server has rewritten.
    pub(super) rewrites: Rewrites,
    /// Asked between the writes of a pass.
    pub interrupt: Interrupt,
}

/// A write that was sent and not answered.
#[derive(Debug)]
struct UnacknowledgedWrite {
    /// The workload before it.
    before: Arc<Workload>,
    running: Running,
    /// When the workload was first seen as it was before.
    since: Option<Timestamp>,
}

/// A server carries out no request so long after it was sent: it allows a minute.
const DOUBTFUL: SignedDuration = SignedDuration::from_secs(120);

impl ControllerState {
    /// Forgets what was learned of services by their numbers, which another revision gives anew, and what was refused: it
    /// may have been mended.
    pub fn reset_for_revision(&mut self) {
        self.refused.clear();
        self.arrived.clear();
    }

    /// Whether something was sent and not answered: what became of it shows by and by.
    pub fn has_unacknowledged_writes(&self) -> bool {
        !self.unacknowledged.is_empty()
    }

    /// What this process was refused, by service: nobody else knows it.
    pub fn refusals(&self) -> impl Iterator<Item = (ServiceId, &ClusterError)> {
        self.refused.iter().map(|(&id, error)| (id, error))
    }

    /// Asks for the owners of all that would be written for the first time. Asked when somebody plans, so that nobody
    /// learns it at a release.
    pub async fn survey<C: Cluster>(
        &mut self,
        cluster: &C,
        desired: &Desired,
        look: &LiveState,
    ) -> Result<(), ClusterError> {
        let wanted = targets(desired, look);
        let differs = |id: &ServiceId| match &wanted[id.index()] {
            ServiceTarget::Run(target) => look.live[id.index()].spec != [target.clone()],
            ServiceTarget::Held(..) => false,
        };
        let changing: Vec<ServiceId> = desired.graph.ids().filter(differs).collect();
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
    pub(super) async fn ask<C: Cluster>(
        &mut self,
        cluster: &C,
        writes: Vec<(ServiceId, WorkloadWrite)>,
    ) -> Result<Requeue, ClusterError> {
        let new = writes.into_iter().filter(|(_, write)| !self.asked.contains(&write.id));
        let asked = new.map(|(id, write)| async move { (id, cluster.check_field_ownership(&write).await, write) });
        let mut answers = futures::stream::iter(asked.collect::<Vec<_>>()).buffer_unordered(MAX_CONCURRENT_WRITES);
        let mut requeue = Requeue::Await;
        while let Some((id, answer, write)) = answers.next().await {
            match answer {
                // What was decided before is decided anew: the answer may have taken seconds.
                Ok(()) => {
                    self.asked.insert(write.id);
                    requeue = requeue.max(Requeue::Now);
                }
                // A question without an answer leaves nothing in doubt.
                Err(error @ ClusterError::Unreachable(_)) => return Err(error),
                Err(error) => requeue = requeue.max(self.record_write_error(id, &write, error)?),
            }
        }
        Ok(requeue)
    }

    /// The services whose arrival is recorded in this pass, and when they arrived; while `busy`, what has waited for long
    /// only: each record has the controllers look at the workload once more, and what it says is not lost without it.
    pub(super) fn arrivals(
        &mut self,
        desired: &DesiredState,
        look: &LiveState,
        busy: bool,
        now: Timestamp,
    ) -> Vec<(ServiceId, Timestamp)> {
        let to_record = |id: &ServiceId| look.services[id.index()].to_record;
        self.arrived.retain(|id, _| to_record(id));
        let known = self.arrived.len();
        for id in desired.graph.ids().filter(to_record) {
            self.arrived.entry(id).or_insert(now);
        }
        // Many records take seconds: that they have arrived is told before.
        if self.arrived.len() > known.max(MAX_CONCURRENT_WRITES) {
            return Vec::new();
        }
        let is_due = |at: &Timestamp| !busy || now.duration_since(*at) > UNRECORDED;
        self.arrived.iter().filter(|(_, at)| is_due(at)).map(|(&id, &at)| (id, at)).collect()
    }

    /// Writes back the pauses that an undo has dropped.
    pub(super) async fn pause_again<C: Cluster>(&self, cluster: &C) -> Result<Requeue, ClusterError> {
        let mut requeue = Requeue::Await;
        for (id, workload, pause) in self.pauses.dropped() {
            match cluster.set_pause(id, workload, Some(pause)).await {
                Ok(()) => requeue = Requeue::Now,
                Err(ClusterError::Conflict(_) | ClusterError::NotFound(_)) => requeue = requeue.max(Requeue::OnChange),
                Err(error @ ClusterError::Unreachable(_)) => return Err(error),
                // This process goes by it all the same.
                Err(error) => tracing::warn!("the pause of {id} is not written back: {error}"),
            }
        }
        Ok(requeue)
    }

    /// The writes of what starts.
    pub(super) fn starts(
        &mut self,
        desired: &DesiredState,
        look: &LiveState,
        starts: &[ServiceId],
        now: Timestamp,
    ) -> Vec<(ServiceId, WorkloadWrite)> {
        self.corrections.begin(look, starts, now);
        let writes = named(starts.iter().copied(), |id| write::start_writes(desired, id, &look.services[id.index()]));
        self.began.extend(writes.iter().map(|(_, write)| (write.id.clone(), now)));
        writes
    }

    /// The writes that record what has arrived.
    pub(super) fn records(
        &self,
        desired: &Desired,
        look: &LiveState,
        arrivals: Vec<(ServiceId, Timestamp)>,
    ) -> Vec<(ServiceId, WorkloadWrite)> {
        let of = |(id, at): (ServiceId, Timestamp)| {
            let writes = write::record_writes(desired, id, &look.services[id.index()], at, &self.began);
            writes.into_iter().map(move |write| (id, write))
        };
        arrivals.into_iter().flat_map(of).collect()
    }

    /// Sends writes and waits for all answers: a pass ends when its writes are answered. Once it is [`ControllerState::interrupt`] for
    /// what a service is tied to, nothing more of it is sent; which were not sent is returned, and judged anew.
    pub(super) async fn send<C: Cluster>(
        &mut self,
        cluster: &C,
        writes: Vec<(ServiceId, WorkloadWrite)>,
        coupling: impl Fn(ServiceId) -> WriteCoupling,
    ) -> Result<(Requeue, BTreeSet<ServiceId>), ClusterError> {
        let interrupt = std::mem::take(&mut self.interrupt);
        // Who gives no answer is sent no more than is on its way already.
        let is_lost = Cell::new(false);
        let goes = |id: ServiceId| {
            let coupling = coupling(id);
            coupling == WriteCoupling::Group || !is_lost.get() && !interrupt.stops(coupling)
        };
        let sent = writes.into_iter().map(|(id, write)| async move {
            let answer = if goes(id) { Some(cluster.write_workload(&write).await) } else { None };
            (id, answer, write)
        });
        let mut answers = futures::stream::iter(sent.collect::<Vec<_>>()).buffer_unordered(MAX_CONCURRENT_WRITES);
        let (mut requeue, mut lost, mut unsent) = (Requeue::Await, None, BTreeSet::new());
        while let Some((id, answer, write)) = answers.next().await {
            let learned = match answer {
                None => {
                    unsent.insert(id);
                    Ok(Requeue::Now)
                }
                Some(Ok(written)) => {
                    self.corrections.accepted(&write.id);
                    self.rewrites.answered(&write, &written);
                    Ok(Requeue::Await)
                }
                Some(Err(error)) => self.record_write_error(id, &write, error),
            };
            match learned {
                Ok(learned) => requeue = requeue.max(learned),
                Err(error) => {
                    is_lost.set(true);
                    lost = Some(error);
                }
            }
        }
        drop(answers);
        self.interrupt = interrupt;
        lost.map_or(Ok((requeue, unsent)), Err)
    }

    /// Takes in why a write did not succeed. One bad service stops no other; only silence is an error.
    pub(super) fn record_write_error(
        &mut self,
        id: ServiceId,
        write: &WorkloadWrite,
        error: ClusterError,
    ) -> Result<Requeue, ClusterError> {
        match error {
            ClusterError::Unreachable(_) => {
                let image = write.images.first().map(|(_, _, image)| image.clone());
                let running = image.map(|image| Running::Image(image, Some(write.state.version.clone())));
                let before = Arc::clone(&write.expected);
                let unanswered = running.map(|running| UnacknowledgedWrite { before, running, since: None });
                self.unacknowledged.extend(unanswered.map(|unanswered| (write.id.clone(), unanswered)));
                Err(error)
            }
            // Nothing was sent, nor is anything while the lease is not held.
            ClusterError::LeaseNotHeld => Err(error),
            // It is judged by what it has become.
            ClusterError::Conflict(_) | ClusterError::NotFound(_) => Ok(Requeue::OnChange),
            error => {
                self.refused.insert(id, error);
                Ok(Requeue::Now)
            }
        }
    }

    /// Adds to what was seen what was refused, which cannot be seen.
    pub fn correct(&self, look: &mut LiveState) {
        for (&id, error) in &self.refused {
            let seen = Arc::make_mut(&mut look.services[id.index()]);
            seen.obstacle.get_or_insert_with(|| Obstacle::Refused(error.to_string()));
            // It would be refused again, at once.
            seen.to_record = false;
        }
    }

    /// Adds to what is live what may be by now.
    pub(super) fn add_unacknowledged(&mut self, look: &mut LiveState, now: Timestamp) {
        let unchanged = |it: &WorkloadStatus, before: &Workload| {
            it.workload.as_ref().is_some_and(|workload| workload.equals_ignoring_status(before))
        };
        for (seen, live) in look.services.iter().zip(&mut look.live) {
            for it in &seen.workloads {
                let Some(unanswered) = self.unacknowledged.get_mut(&it.id) else { continue };
                let waited = now.duration_since(*unanswered.since.get_or_insert(now));
                if !unchanged(it, &unanswered.before) || waited > DOUBTFUL {
                    self.unacknowledged.remove(&it.id);
                } else if !live.running.contains(&unanswered.running) {
                    live.running.push(unanswered.running.clone());
                }
            }
        }
    }
}

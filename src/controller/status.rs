//! What is known of the cluster as one revision sees it: services, their workloads, and what is in the way.

use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::graph::ServiceId;
use pintle_core::plan::{LiveService, ManualChange, Obstacle, RolloutProgress, Suppression};
use pintle_core::running::Running;
use pintle_core::verify::WorkloadHealth;
use pintle_core::workload::{PauseAnnotation, Workload, WorkloadId};

/// The cluster as one revision sees it; entries stand by the numbers of the graph.
#[derive(Debug, Clone)]
pub struct LiveState {
    /// When it was judged.
    pub at: Timestamp,
    /// What `next` needs to know of each service.
    pub live: Vec<LiveService>,
    /// What else is known of each service.
    pub services: Vec<Arc<ServiceStatus>>,
    /// Services that are unsettled and whose pods are not known yet. Nothing is decided before they are.
    pub unseen: Vec<ServiceId>,
}

impl LiveState {
    /// Adds how the next service looks; without its live set where its pods have not been looked at.
    pub(super) fn push(&mut self, id: ServiceId, live: Option<LiveService>, seen: Arc<ServiceStatus>) {
        self.unseen.extend(live.is_none().then_some(id));
        self.live.push(live.unwrap_or_else(absent));
        self.services.push(seen);
    }

    /// When something that is left as it is will be no longer, by the passing of time alone.
    pub fn wake(&self) -> Option<Timestamp> {
        self.services.iter().filter_map(|seen| seen.suppression.as_ref()?.until).min()
    }
}

/// One service as observed.
#[derive(Debug, Clone, Default)]
pub struct ServiceStatus {
    /// Its workloads.
    pub workloads: Vec<WorkloadStatus>,
    /// Why it cannot be written; none where it can.
    pub obstacle: Option<Obstacle>,
    /// The API server does not answer when asked for it: it may at any moment.
    pub unanswered: bool,
    /// What was written is verified, and that is not recorded yet.
    pub to_record: bool,
    /// It runs something else than was written, although the pin did not move.
    pub drifted: bool,
    /// Until when nobody writes it, where that is not over.
    pub pause: Option<PauseAnnotation>,
    /// Until when moves by hand are corrected at once, because somebody has asked for that.
    pub ended: Option<Timestamp>,
    /// Who has moved it, where it drifted.
    pub manual_change: Option<ManualChange>,
    /// Why it is left as it is although it could be written.
    pub suppression: Option<Suppression>,
}

/// One workload as observed.
#[derive(Debug, Clone)]
pub struct WorkloadStatus {
    /// Which.
    pub id: WorkloadId,
    /// How it is.
    pub health: WorkloadHealth,
    /// The object; none where it does not exist.
    pub workload: Option<Arc<Workload>>,
    /// The names of the service's containers in it.
    pub containers: Vec<String>,
    /// Who has moved it away from the pin since Pintle wrote that.
    pub manual_change: Option<ManualChange>,
    /// When Pintle wrote it last, by the API server's clock.
    pub written: Option<Timestamp>,
    /// Some of its pods are ending.
    pub ending: bool,
    /// Nothing runs of it until it is written.
    pub idle: bool,
}

impl ServiceStatus {
    /// Somebody has asked for it since it was moved by hand.
    pub fn is_called_back(&self) -> bool {
        self.manual_change.as_ref().is_some_and(|hand| hand.at.is_some() && hand.at <= self.ended)
    }

    /// A workload that Pintle has never written.
    pub fn is_new(&self, id: &WorkloadId) -> bool {
        let found = self.workloads.iter().find(|it| it.id == *id).and_then(|it| it.workload.as_deref());
        found.is_some_and(|workload| workload.state.is_none())
    }
}

/// Nothing runs, as far as is known.
pub(super) fn absent() -> LiveService {
    let running = vec![Running::Absent];
    LiveService {
        spec: running.clone(),
        running,
        progress: RolloutProgress::Still,
        ready: false,
        replaced_pods: 0,
        surge_pods: 0,
        is_drift: false,
    }
}

//! What happens, as one enum: the log, the live view and the history are its readers. Nothing decides by events.

use std::time::Duration;

use pintle_core::graph::ServiceId;
use pintle_core::pins::ServiceName;
use pintle_core::plan::{EdgeWait, HoldReason};
use pintle_core::running::Running;
use pintle_core::verify::{HealthReason, WorkloadRemedy};
use pintle_core::version::Version;

/// Something that happened to a service, or to the whole run. Versions are the pinned ones; none where the pin was never
/// readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What shall run differs from what runs.
    TargetFound {
        /// The service.
        service: ServiceName,
        /// What runs instead.
        from: Vec<Running>,
    },
    /// It starts when something else has passed.
    Waits {
        /// The service.
        service: ServiceName,
        /// For what, and why.
        waits: Vec<EdgeWait>,
    },
    /// The write was accepted: the new version starts.
    NewStarting {
        /// The service.
        service: ServiceName,
        /// The version.
        version: Option<Version>,
    },
    /// Pods of the old version are ending.
    OldStopping {
        /// The service.
        service: ServiceName,
        /// What ends.
        old: Vec<Running>,
    },
    /// The last pod of the old version is gone.
    OldGone {
        /// The service.
        service: ServiceName,
        /// What has ended.
        old: Running,
    },
    /// All its workloads are settled and healthy.
    Verified {
        /// The service.
        service: ServiceName,
        /// The version.
        version: Option<Version>,
        /// Since the write; none where it was written by somebody else.
        took: Option<Duration>,
    },
    /// It ran what is pinned, and none of its pods is ready any more.
    Down {
        /// The service.
        service: ServiceName,
        /// The version.
        version: Option<Version>,
        /// Why, of each workload.
        reasons: Vec<HealthReason>,
    },
    /// It was down, and a pod of it is ready again.
    Recovered {
        /// The service.
        service: ServiceName,
        /// The version.
        version: Option<Version>,
    },
    /// Others waited for it and need not any more.
    DependenciesUpdated {
        /// The service.
        service: ServiceName,
        /// Who waited for it.
        released: Vec<ServiceName>,
    },
    /// It has failed, for certain.
    Failed {
        /// The service.
        service: ServiceName,
        /// The version.
        version: Option<Version>,
        /// Why.
        reason: HealthReason,
        /// What was not started because of it.
        not_started: Vec<ServiceName>,
    },
    /// Only a human can move it.
    NeedsAction {
        /// The service.
        service: ServiceName,
        /// What it waits for.
        reason: HealthReason,
        /// What gets it going.
        remedy: WorkloadRemedy,
    },
    /// It is not written.
    Held {
        /// The service.
        service: ServiceName,
        /// Why.
        reason: HoldReason,
    },
    /// No order exists.
    Refused {
        /// The service.
        service: ServiceName,
        /// The circle of waits.
        circle: Vec<(ServiceId, EdgeWait)>,
    },
    /// The cluster does not answer. Everything is held until it does.
    Unreachable {
        /// What it said.
        why: String,
    },
    /// The cluster answers again.
    Reachable,
    /// Nothing is written at all.
    HeldAll {
        /// Why, and the way out.
        why: String,
    },
    /// What held everything has passed.
    AllReleased,
    /// Everything runs what is pinned.
    InSync {
        /// How many services that are.
        services: usize,
    },
    /// Another revision is kept from now on.
    RevisionChanged {
        /// The first line of its message.
        subject: String,
    },
    /// The repository does not answer. What was pinned last is kept.
    GitUnreachable {
        /// What it said.
        why: String,
    },
    /// The repository answers again.
    GitReachable,
    /// This process is the one writer from now on.
    LeadershipAcquired,
    /// Another process is the one writer.
    StandingBy {
        /// Its name, where it is known, or why nothing is.
        why: String,
    },
    /// It was told to end.
    Stopping,
}

impl Event {
    /// Returns the service that it happened to; none where it happened to the whole run.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::TargetFound { service, .. }
            | Self::Waits { service, .. }
            | Self::NewStarting { service, .. }
            | Self::OldStopping { service, .. }
            | Self::OldGone { service, .. }
            | Self::Verified { service, .. }
            | Self::Down { service, .. }
            | Self::Recovered { service, .. }
            | Self::DependenciesUpdated { service, .. }
            | Self::Failed { service, .. }
            | Self::NeedsAction { service, .. }
            | Self::Held { service, .. }
            | Self::Refused { service, .. } => Some(service),
            Self::Unreachable { .. }
            | Self::Reachable
            | Self::HeldAll { .. }
            | Self::AllReleased
            | Self::InSync { .. }
            | Self::RevisionChanged { .. }
            | Self::GitUnreachable { .. }
            | Self::GitReachable
            | Self::LeadershipAcquired
            | Self::StandingBy { .. }
            | Self::Stopping => None,
        }
    }
}

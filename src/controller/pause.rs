//! Sets and ends pauses on workloads, each write fenced by what was seen.
#![expect(clippy::disallowed_methods, reason = "whether a pause holds is judged when it is replaced")]

use std::time::Duration;

use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::graph::ServiceId;
use pintle_core::workload::{PauseAnnotation, WorkloadId};

use super::{Desired, take_snapshot};
use crate::cluster::{Cluster, ClusterError};

/// How often a write is tried while the workload changes meanwhile.
const STALE_TRIES: usize = 10;

/// How long a stale write waits for the workload's change to be seen.
const STALE_WAIT: Duration = Duration::from_secs(1);

/// Why the pause of a service was not changed.
#[derive(Debug)]
pub enum PauseError {
    /// The file of the service has errors.
    Broken,
    /// The service is deployed elsewhere, and never written.
    External,
    /// The cluster refused it, or did not answer.
    Cluster(ClusterError),
}

/// The services that can be paused.
pub fn pausable_services(desired: &DesiredState) -> Vec<ServiceId> {
    desired.graph.ids().filter(|&id| desired.service(id).is_some_and(|it| !it.external)).collect()
}

/// Pauses a service, or ends its pause. Returns whether it was paused before.
///
/// # Errors
/// Nothing more of the service was changed; what its first workloads got stays.
pub async fn pause_service(
    cluster: &impl Cluster,
    desired: &DesiredState,
    id: ServiceId,
    pause: Option<&PauseAnnotation>,
) -> Result<bool, PauseError> {
    let service = desired.service(id).ok_or(PauseError::Broken)?;
    if service.external {
        return Err(PauseError::External);
    }
    let mut was_paused = false;
    for workload in desired.workloads(service) {
        let before = pause_workload(cluster, &workload, pause).await.map_err(PauseError::Cluster)?;
        was_paused |= before.is_some_and(|before| before.is_active(Timestamp::now()));
    }
    Ok(was_paused)
}

/// Pauses a workload, or ends its pause; tries again if the workload has changed meanwhile. Returns the earlier pause.
async fn pause_workload(
    cluster: &impl Cluster,
    id: &WorkloadId,
    pause: Option<&PauseAnnotation>,
) -> Result<Option<PauseAnnotation>, ClusterError> {
    let mut stale = ClusterError::Conflict(id.clone());
    for _ in 0..STALE_TRIES {
        let observed = cluster.observe().await?;
        if let Some(why) = observed.unobservable.get(id) {
            return Err(why.clone());
        }
        let seen = observed.workloads.get(id).ok_or_else(|| ClusterError::NotFound(id.clone()))?;
        if pause.is_none() && seen.pause.is_none() {
            return Ok(None);
        }
        match cluster.set_pause(id, seen, pause).await {
            Err(error @ ClusterError::Conflict(_)) => stale = error,
            answered => return answered.map(|()| seen.pause.clone()),
        }
        cluster.wait_for_workload_change(STALE_WAIT).await?;
    }
    Err(stale)
}

/// Ends the grace of manual changes to the selected services, so that another writer corrects them at once.
///
/// # Errors
/// The cluster refuses it, or does not answer.
pub async fn end_graces(cluster: &impl Cluster, desired: &Desired, user: &str) -> Result<(), ClusterError> {
    for id in desired.options.selected.iter().flatten().copied() {
        let snapshot = take_snapshot(cluster, desired).await?;
        let seen = &snapshot.look.services[id.index()];
        for it in seen.workloads.iter().filter(|_| seen.pause.is_none()) {
            let moved = it.manual_change.as_ref().map(|hand| hand.at.unwrap_or_default().max(Timestamp::now()));
            let Some(at) = moved else { continue };
            pause_workload(cluster, &it.id, Some(&PauseAnnotation::ending_grace(user.to_owned(), at))).await?;
        }
    }
    Ok(())
}

//! One picture of the cluster in which the pods of all unsettled services are known.
#![expect(clippy::disallowed_methods, reason = "a snapshot is judged when it is taken")]

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Desired, LiveState, assess};
use crate::cluster::{Cluster, ClusterError, Observation};

/// How long a snapshot waits for pods that are not known yet.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(20);

/// One picture of the cluster, and what it means.
pub struct Snapshot {
    /// As observed.
    pub observed: Observation,
    /// What it means for each service.
    pub look: LiveState,
}

/// Takes a snapshot; after 20 s one in which some pods are still unknown.
///
/// # Errors
/// The cluster does not answer.
pub async fn take_snapshot(cluster: &impl Cluster, desired: &Desired) -> Result<Snapshot, ClusterError> {
    let begun = Instant::now();
    loop {
        let observed = cluster.observe().await?;
        let look = assess(desired, &observed, Timestamp::now());
        if look.unseen.is_empty() || begun.elapsed() > SNAPSHOT_TIMEOUT {
            return Ok(Snapshot { observed, look });
        }
        cluster.wait_for_change(SNAPSHOT_TIMEOUT).await?;
    }
}

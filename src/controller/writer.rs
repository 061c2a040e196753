//! Who the one writer of an instance is.
#![expect(clippy::disallowed_methods, reason = "a sign of life is waited for")]

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::cluster::{Cluster, ClusterError, LeaderElection, Leadership, LeaseHolder, LeaseName};

/// How long a command waits for a writer to give a sign of life.
const WRITER_TIMEOUT: Duration = Duration::from_secs(60);

/// How often the lease is read meanwhile.
const LEASE_POLL: Duration = Duration::from_secs(1);

/// Waits until the election is decided. Returns the writer where it is another process.
///
/// # Errors
/// Why the lease cannot be had or read.
pub async fn other_writer(lead: &mut LeaderElection) -> Result<Option<String>, String> {
    let known = lead.leadership.wait_for(|state| *state != Leadership::Unknown(None)).await;
    match known.map(|state| state.clone()) {
        Ok(Leadership::Theirs(holder)) => Ok(Some(holder)),
        Ok(Leadership::Unknown(Some(why))) => Err(why),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Waits for a writer that gives a sign of life; none where nobody does within a minute. `on_absent` is called first
/// where nobody seems to be at work.
///
/// # Errors
/// The lease cannot be read.
pub async fn wait_for_writer(
    cluster: &impl Cluster,
    lease: &LeaseName,
    on_absent: impl FnOnce(),
) -> Result<Option<String>, ClusterError> {
    let begun = Instant::now();
    let mut first = cluster.lease_holder(lease).await?;
    if first.as_ref().is_none_or(|leader| leader.silent_since(Timestamp::now()).is_some()) {
        on_absent();
    }
    while begun.elapsed() < WRITER_TIMEOUT {
        match (cluster.lease_holder(lease).await?, &first) {
            // A process of this host is seen to live.
            (Some(LeaseHolder { holder, renewed: None, .. }), _) => return Ok(Some(holder)),
            (Some(now), Some(before)) if now.holder != before.holder || now.renewed != before.renewed => {
                return Ok(Some(now.holder));
            }
            (now, None) => first = now,
            (_, Some(_)) => {}
        }
        tokio::time::sleep(LEASE_POLL).await;
    }
    Ok(None)
}

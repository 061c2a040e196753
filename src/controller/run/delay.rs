//! How long the loop waits from one pass to the next.

use std::time::Duration;

use jiff::Timestamp;

use super::ControllerArgs;
use crate::cluster::Cluster;
use crate::controller::rollout::TICK;

/// The longest delay between two passes; a pass without changes costs a millisecond.
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(600);

/// How long the next pass may wait where nothing changes.
pub(super) struct PassDelay {
    pub(super) least: Duration,
    pub(super) most: Duration,
}

impl PassDelay {
    pub(super) const NONE: Self = Self { least: Duration::ZERO, most: Duration::ZERO };
    pub(super) const LONG: Self = Self { least: Duration::ZERO, most: LONGEST_DELAY };
    pub(super) const SHORT: Self = Self { least: Duration::ZERO, most: TICK };

    /// No longer than to this moment.
    pub(super) fn until(self, wake: Option<Timestamp>, now: Timestamp) -> Self {
        let left = wake.map(|wake| Duration::try_from(wake.duration_since(now)).unwrap_or_default());
        Self { most: left.map_or(self.most, |left| self.most.min(left)).max(self.least), ..self }
    }
}

/// Until something changes that the loop looks at, or the delay is over.
pub(super) async fn wait_for_pass<C: Cluster, S, G>(
    cluster: &C,
    args: &mut ControllerArgs<S, G>,
    delay: &PassDelay,
    leads: bool,
) {
    let ControllerArgs { branch, stop, lead, times, .. } = args;
    let changed = async {
        tokio::time::sleep(delay.least).await;
        // Whoever stands by only has to know what is paused.
        let changed = if leads {
            cluster.wait_for_change(delay.most).await
        } else {
            cluster.wait_for_workload_change(delay.most).await
        };
        if changed.is_err() {
            tokio::time::sleep(TICK).await;
        }
    };
    tokio::select! {
        () = changed => {}
        Ok(()) = branch.changed() => branch.mark_changed(),
        _ = stop.wait_for(|stop| *stop) => {}
        Ok(()) = lead.changed() => {}
        Ok(()) = times.changed() => times.mark_changed(),
    }
}

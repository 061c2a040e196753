//! Leader election: the holder of an instance's lease, and the time in which a write may still start.
//!
//! The times are those of client-go's leader election. Leases of others are judged by when they were *seen* to change,
//! never by the times in them, because the clocks of hosts differ.
#![expect(clippy::disallowed_methods, reason = "a lease is about time: both clocks are read here, once")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pintle_core::git::CommitId;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long others wait after the last renewal.
pub const LEASE_DURATION: Duration = Duration::from_secs(15);
/// How long after sending a renewal a write may still start.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// The maximum time others wait, whatever duration a lease states.
const MAX_LEASE_DURATION: Duration = Duration::from_secs(60);
/// The interval between renewals, and between checks of another holder's lease.
pub const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// The age of the last renewal from which status output reports the holder as silent.
const SILENT_HOLDER_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// A lease, by namespace and instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseName {
    /// The default namespace of the instance's services.
    pub namespace: String,
    /// The instance named in the pins.
    pub instance: String,
}

/// The current leader, from this process's view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leadership {
    /// Not known yet, or no longer, with the reason if there is one.
    Unknown(Option<String>),
    /// This process.
    Ours,
    /// Another process, by name.
    Theirs(String),
}

/// The holder of a lease, as published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseHolder {
    pub holder: String,
    /// The last renewal, by the holder's clock.
    pub renewed: Option<Timestamp>,
    /// The holder's status; none if it is not a `pintle run`.
    #[serde(rename = "says")]
    pub status: Option<HolderStatus>,
}

impl LeaseHolder {
    /// Returns the last renewal if it is too old for a working holder.
    pub fn silent_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.renewed.filter(|renewed| now.duration_since(*renewed) > SILENT_HOLDER_AFTER)
    }
}

/// The status that a `pintle run` publishes on its lease, for `pintle status`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HolderStatus {
    /// The revision it follows; none if it has none yet.
    pub revision: Option<CommitId>,
    /// The last answer of the repository.
    #[serde(rename = "asked")]
    pub repository_answered_at: Option<Timestamp>,
    /// Why the repository has not answered since.
    #[serde(default, rename = "silent")]
    pub repository_error: Option<String>,
    /// Why all services are held.
    pub held: Option<String>,
    /// Services held by a refused write, with the reason. Only the writing process knows them.
    #[serde(default)]
    pub refused: BTreeMap<String, String>,
}

/// Participation in an election. Dropping it without [`LeaderElection::release`] makes others wait for [`LEASE_DURATION`].
#[derive(Debug)]
pub struct LeaderElection {
    pub leadership: watch::Receiver<Leadership>,
    /// The status to publish at the next renewal.
    pub status: watch::Sender<Option<HolderStatus>>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

/// The counterpart of a [`Lead`], for the task that takes part.
pub(super) struct Candidate {
    pub(super) leadership: watch::Sender<Leadership>,
    pub(super) status: watch::Receiver<Option<HolderStatus>>,
    pub(super) stop: watch::Receiver<bool>,
}

impl LeaderElection {
    /// Creates a participation with a fixed outcome, decided by other means than an election.
    pub(super) fn decided(leadership: Leadership) -> Self {
        let (stop, status) = (watch::Sender::new(false), watch::Sender::new(None));
        Self { leadership: watch::Sender::new(leadership).subscribe(), status, stop, task: None }
    }

    /// Starts a participation run by `task`.
    pub(super) fn spawn(task: impl FnOnce(Candidate) -> JoinHandle<()>) -> Self {
        let (tell, status, stop) =
            (watch::Sender::new(Leadership::Unknown(None)), watch::Sender::new(None), watch::Sender::new(false));
        let leadership = tell.subscribe();
        let task = Some(task(Candidate { leadership: tell, status: status.subscribe(), stop: stop.subscribe() }));
        Self { leadership, status, stop, task }
    }

    /// Releases the lease, so that the next holder need not wait. No write may be in flight.
    pub async fn release(mut self) {
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            let _ = tokio::time::timeout(RENEW_DEADLINE, task).await;
        }
    }
}

impl Drop for LeaderElection {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// A point in time on two clocks. The boot clock is never set and includes sleep; the wall clock advances while a whole
/// virtual machine is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClockReading {
    pub(super) since_boot: Duration,
    pub(super) wall: Timestamp,
}

impl ClockReading {
    pub(super) fn now() -> Self {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let clock = rustix::time::ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let clock = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(clock);
        let since_boot = Duration::try_from(time).unwrap_or_default();
        Self { since_boot, wall: Timestamp::now() }
    }

    /// Returns the time since an earlier moment, by the clock that shows more.
    pub(super) fn elapsed_since(self, earlier: Self) -> Duration {
        let wall = Duration::try_from(self.wall.duration_since(earlier.wall)).unwrap_or_default();
        self.since_boot.saturating_sub(earlier.since_boot).max(wall)
    }
}

/// Lets writes start only while the lease is certainly held.
#[derive(Debug, Default)]
pub(super) struct Fence {
    /// The time at which the last successful renewal was sent.
    last_renewal: Mutex<Option<ClockReading>>,
}

impl Fence {
    pub(super) fn record_renewal(&self, sent: ClockReading) {
        *self.last_renewal.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
    }

    pub(super) fn close(&self) {
        *self.last_renewal.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns the time limit of a write that starts now; none if none may start.
    pub(super) fn remaining(&self, now: ClockReading) -> Option<Duration> {
        let renewed = (*self.last_renewal.lock().unwrap_or_else(PoisonError::into_inner))?;
        RENEW_DEADLINE.checked_sub(now.elapsed_since(renewed)).filter(|left| !left.is_zero())
    }
}

/// A lease as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeaseRecord {
    /// None if the lease was released.
    pub(super) holder: Option<String>,
    /// The duration stated by the holder.
    pub(super) duration: Duration,
    /// The resource version, which changes with every renewal.
    pub(super) version: String,
}

/// The action on a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaseAction {
    /// Nobody holds it, or its holder failed to renew it.
    Take,
    /// This process holds it.
    Renew,
    /// Another process holds it.
    Wait,
}

/// Remembers when another holder's lease was seen to change.
#[derive(Debug, Default)]
pub(super) struct LeaseObserver {
    seen: Option<(String, ClockReading)>,
}

impl LeaseObserver {
    pub(super) fn next_action(&mut self, read: Option<&LeaseRecord>, me: &str, now: ClockReading) -> LeaseAction {
        let Some(LeaseRecord { holder: Some(holder), duration: lasts, version }) = read else {
            return LeaseAction::Take;
        };
        if holder == me {
            return LeaseAction::Renew;
        }
        match &self.seen {
            // The stated duration is clamped: at most a minute, and never so short that its holder may still write.
            Some((seen, at)) if seen == version => {
                let lasts = (*lasts).clamp(LEASE_DURATION, MAX_LEASE_DURATION);
                if now.elapsed_since(*at) > lasts { LeaseAction::Take } else { LeaseAction::Wait }
            }
            _ => {
                self.seen = Some((version.clone(), now));
                LeaseAction::Wait
            }
        }
    }
}

/// Returns the name of this process in elections: its command, host, pid, and a random number.
pub(super) fn candidate_identity(what: &str) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host: String = host.chars().filter(|it| it.is_ascii_alphanumeric() || "-._".contains(*it)).take(60).collect();
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), host.len());
    format!("pintle {what} on {host}, pid {} ({:04x})", std::process::id(), random & 0xffff)
}

/// The fence shared by all candidates of one process.
pub(super) type SharedFence = Arc<Fence>;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(up: u64, wall: i64) -> ClockReading {
        ClockReading {
            since_boot: Duration::from_secs(up),
            wall: Timestamp::from_second(1_790_000_000 + wall).unwrap(),
        }
    }

    fn read(holder: Option<&str>, lasts: u64, version: &str) -> LeaseRecord {
        LeaseRecord {
            holder: holder.map(str::to_owned),
            duration: Duration::from_secs(lasts),
            version: version.to_owned(),
        }
    }

    #[test]
    fn a_lease_of_nobody_is_taken_and_one_of_ours_renewed() {
        let mut watcher = LeaseObserver::default();
        assert_eq!(watcher.next_action(None, "me", at(0, 0)), LeaseAction::Take);
        assert_eq!(watcher.next_action(Some(&read(None, 15, "1")), "me", at(0, 0)), LeaseAction::Take);
        assert_eq!(watcher.next_action(Some(&read(Some("me"), 15, "1")), "me", at(0, 0)), LeaseAction::Renew);
    }

    #[test]
    fn the_lease_of_another_is_taken_when_it_was_not_seen_to_change_for_as_long_as_it_lasts() {
        let mut watcher = LeaseObserver::default();
        let mut judge =
            |version: &str, up| watcher.next_action(Some(&read(Some("other"), 15, version)), "me", at(up, 0));
        assert_eq!(judge("1", 0), LeaseAction::Wait);
        assert_eq!(judge("1", 15), LeaseAction::Wait);
        assert_eq!(judge("2", 16), LeaseAction::Wait);
        assert_eq!(judge("2", 31), LeaseAction::Wait);
        assert_eq!(judge("2", 32), LeaseAction::Take);
    }

    #[test]
    fn nobody_makes_others_wait_for_ever_or_has_them_take_it_while_its_holder_may_still_write() {
        for (lasts, least) in [(0, 15), (1, 15), (100_000, 60)] {
            let mut watcher = LeaseObserver::default();
            let lease = read(Some("other"), lasts, "1");
            assert_eq!(watcher.next_action(Some(&lease), "me", at(0, 0)), LeaseAction::Wait);
            assert_eq!(watcher.next_action(Some(&lease), "me", at(least, 0)), LeaseAction::Wait);
            assert_eq!(watcher.next_action(Some(&lease), "me", at(least + 1, 0)), LeaseAction::Take);
        }
    }

    #[test]
    fn no_write_starts_ten_seconds_after_the_last_renewal_by_whichever_clock_says_so_first() {
        let fence = Fence::default();
        assert_eq!(fence.remaining(at(0, 0)), None);
        fence.record_renewal(at(0, 0));
        assert_eq!(fence.remaining(at(4, 4)), Some(Duration::from_secs(6)));
        // The host slept, or its clock was set back.
        assert_eq!(fence.remaining(at(10, 4)), None);
        assert_eq!(fence.remaining(at(4, 10)), None);
        assert_eq!(fence.remaining(at(4, -3600)), Some(Duration::from_secs(6)));
        fence.close();
        assert_eq!(fence.remaining(at(1, 1)), None);
    }
}

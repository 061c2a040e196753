//! One writer: who holds the lease of an instance, and how long a write may still start.
//!
//! The times are those of client-go's leader election. Others' leases are judged by when they were *seen* to change, never
//! by the times that stand in them: clocks of hosts differ.
#![expect(clippy::disallowed_methods, reason = "a lease is about time: both clocks are read here, once")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pintle_core::git::CommitId;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// So long others wait after the last sign of life.
pub const DURATION: Duration = Duration::from_secs(15);
/// So long after a renewal was sent no write starts any more.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// So long they wait at most, whatever a lease says.
const LONGEST: Duration = Duration::from_secs(60);
/// From one renewal, or one look at somebody else's lease, to the next.
pub const RETRY: Duration = Duration::from_secs(2);
/// Who has given no sign of life for so long is not at work, for people who ask.
const SILENCE: SignedDuration = SignedDuration::from_secs(30);

/// A lease, by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseName {
    /// Where the instance's services run that name no namespace.
    pub namespace: String,
    /// The instance that the pins name.
    pub instance: String,
}

/// Who may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leadership {
    /// It is not known yet, or no more; with the reason, where there is one.
    Unknown(Option<String>),
    /// This process.
    Ours,
    /// Another one: its name.
    Theirs(String),
}

/// The holder of a lease, as everybody can read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leader {
    /// Its name.
    pub holder: String,
    /// When it last gave a sign of life, by its own clock.
    pub renewed: Option<Timestamp>,
    /// What it says of itself; none where it is no `pintle run`.
    pub says: Option<Says>,
}

impl Leader {
    /// Since when it has given no sign of life, where that is long ago for one that is at work.
    pub fn silent_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.renewed.filter(|renewed| now.duration_since(*renewed) > SILENCE)
    }
}

/// What a `pintle run` says of itself on the lease, for `pintle status`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Says {
    /// The revision that it keeps; none where it has none yet.
    pub revision: Option<CommitId>,
    /// When the repository last answered.
    pub asked: Option<Timestamp>,
    /// Why it has not answered since, where it has not.
    #[serde(default)]
    pub silent: Option<String>,
    /// Why everything is held, where it is.
    pub held: Option<String>,
    /// Why services are held that only this process has tried to write.
    #[serde(default)]
    pub refused: BTreeMap<String, String>,
}

/// The part in an election; whoever drops it without [`Lead::release`] lets others wait for [`DURATION`].
#[derive(Debug)]
pub struct Lead {
    /// Who may write now.
    pub state: watch::Receiver<Leadership>,
    /// What the lease says of its holder from its next renewal on.
    pub says: watch::Sender<Option<Says>>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

/// The other side of a [`Lead`].
pub(super) struct Candidate {
    pub(super) tell: watch::Sender<Leadership>,
    pub(super) says: watch::Receiver<Option<Says>>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Lead {
    /// Leads or not for as long as the process lives: that was settled in another way.
    pub(super) fn settled(leadership: Leadership) -> Self {
        let (stop, says) = (watch::Sender::new(false), watch::Sender::new(None));
        Self { state: watch::Sender::new(leadership).subscribe(), says, stop, task: None }
    }

    /// Takes part by what `task` does.
    pub(super) fn by(task: impl FnOnce(Candidate) -> JoinHandle<()>) -> Self {
        let (tell, says, stop) =
            (watch::Sender::new(Leadership::Unknown(None)), watch::Sender::new(None), watch::Sender::new(false));
        let state = tell.subscribe();
        let task = Some(task(Candidate { tell, says: says.subscribe(), stop: stop.subscribe() }));
        Self { state, says, stop, task }
    }

    /// Lets go of the lease, so that the next one need not wait. Nothing may be under way any more.
    pub async fn release(mut self) {
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            let _ = tokio::time::timeout(DEADLINE, task).await;
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// A point in time by two clocks: one that nobody sets and that goes on while the host sleeps, and the wall clock, which
/// goes on where a whole virtual machine stood still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) up: Duration,
    pub(super) wall: Timestamp,
}

impl Moment {
    pub(super) fn now() -> Self {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let clock = rustix::time::ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let clock = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(clock);
        let up = Duration::try_from(time).unwrap_or_default();
        Self { up, wall: Timestamp::now() }
    }

    /// How long ago another moment was: what the clock says that says more.
    pub(super) fn since(self, earlier: Self) -> Duration {
        let wall = Duration::try_from(self.wall.duration_since(earlier.wall)).unwrap_or_default();
        self.up.saturating_sub(earlier.up).max(wall)
    }
}

/// Lets writes start only while the lease is surely held.
#[derive(Debug, Default)]
pub(super) struct Fence {
    /// When the last renewal was sent that succeeded.
    renewed: Mutex<Option<Moment>>,
}

impl Fence {
    pub(super) fn open(&self, sent: Moment) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
    }

    pub(super) fn close(&self) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How long a write that starts now may take; none where none may start.
    pub(super) fn remaining(&self, now: Moment) -> Option<Duration> {
        let renewed = (*self.renewed.lock().unwrap_or_else(PoisonError::into_inner))?;
        DEADLINE.checked_sub(now.since(renewed)).filter(|left| !left.is_zero())
    }
}

/// A lease as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    /// None where it was let go.
    pub(super) holder: Option<String>,
    /// How long its holder asks others to wait.
    pub(super) lasts: Duration,
    /// Changes with every sign of life.
    pub(super) version: String,
}

/// What to do about a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// Nobody has it, or its holder gave no sign of life for too long.
    Take,
    /// It is ours.
    Renew,
    /// Another one has it.
    Wait,
}

/// Remembers when somebody else's lease was seen to change.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    seen: Option<(String, Moment)>,
}

impl Watcher {
    pub(super) fn judge(&mut self, read: Option<&Read>, me: &str, now: Moment) -> Move {
        let Some(Read { holder: Some(holder), lasts, version }) = read else { return Move::Take };
        if holder == me {
            return Move::Renew;
        }
        match &self.seen {
            // Nobody makes others wait for longer than a minute, nor has them take it while its holder may still write.
            Some((seen, at)) if seen == version => {
                let lasts = (*lasts).clamp(DURATION, LONGEST);
                if now.since(*at) > lasts { Move::Take } else { Move::Wait }
            }
            _ => {
                self.seen = Some((version.clone(), now));
                Move::Wait
            }
        }
    }
}

/// The name under which this process takes part: what it does, where, and a number that no other process has.
pub(super) fn name_of_this(what: &str) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host: String = host.chars().filter(|it| it.is_ascii_alphanumeric() || "-._".contains(*it)).take(60).collect();
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), host.len());
    format!("pintle {what} on {host}, pid {} ({:04x})", std::process::id(), random & 0xffff)
}

/// The same of all candidates of one process.
pub(super) type SharedFence = Arc<Fence>;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(up: u64, wall: i64) -> Moment {
        Moment { up: Duration::from_secs(up), wall: Timestamp::from_second(1_790_000_000 + wall).unwrap() }
    }

    fn read(holder: Option<&str>, lasts: u64, version: &str) -> Read {
        Read { holder: holder.map(str::to_owned), lasts: Duration::from_secs(lasts), version: version.to_owned() }
    }

    #[test]
    fn a_lease_of_nobody_is_taken_and_one_of_ours_renewed() {
        let mut watcher = Watcher::default();
        assert_eq!(watcher.judge(None, "me", at(0, 0)), Move::Take);
        assert_eq!(watcher.judge(Some(&read(None, 15, "1")), "me", at(0, 0)), Move::Take);
        assert_eq!(watcher.judge(Some(&read(Some("me"), 15, "1")), "me", at(0, 0)), Move::Renew);
    }

    #[test]
    fn the_lease_of_another_is_taken_when_it_was_not_seen_to_change_for_as_long_as_it_lasts() {
        let mut watcher = Watcher::default();
        let mut judge = |version: &str, up| watcher.judge(Some(&read(Some("other"), 15, version)), "me", at(up, 0));
        assert_eq!(judge("1", 0), Move::Wait);
        assert_eq!(judge("1", 15), Move::Wait);
        assert_eq!(judge("2", 16), Move::Wait);
        assert_eq!(judge("2", 31), Move::Wait);
        assert_eq!(judge("2", 32), Move::Take);
    }

    #[test]
    fn nobody_makes_others_wait_for_ever_or_has_them_take_it_while_its_holder_may_still_write() {
        for (lasts, least) in [(0, 15), (1, 15), (100_000, 60)] {
            let mut watcher = Watcher::default();
            let lease = read(Some("other"), lasts, "1");
            assert_eq!(watcher.judge(Some(&lease), "me", at(0, 0)), Move::Wait);
            assert_eq!(watcher.judge(Some(&lease), "me", at(least, 0)), Move::Wait);
            assert_eq!(watcher.judge(Some(&lease), "me", at(least + 1, 0)), Move::Take);
        }
    }

    #[test]
    fn no_write_starts_ten_seconds_after_the_last_renewal_by_whichever_clock_says_so_first() {
        let fence = Fence::default();
        assert_eq!(fence.remaining(at(0, 0)), None);
        fence.open(at(0, 0));
        assert_eq!(fence.remaining(at(4, 4)), Some(Duration::from_secs(6)));
        // The host slept, or was set back.
        assert_eq!(fence.remaining(at(10, 4)), None);
        assert_eq!(fence.remaining(at(4, 10)), None);
        assert_eq!(fence.remaining(at(4, -3600)), Some(Duration::from_secs(6)));
        fence.close();
        assert_eq!(fence.remaining(at(1, 1)), None);
    }
}

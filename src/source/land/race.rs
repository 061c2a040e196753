//! The retry loop: a change is decided again whenever another push came first.
#![expect(clippy::disallowed_methods, reason = "it waits between attempts, for a time that the clock makes odd")]

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::git::CommitId;

use super::super::{Source, SourceError};
use super::error::LandError;

/// The number of attempts.
const ATTEMPTS: u32 = 5;

/// The changes sent so far by id, each with the tip it was first made on.
#[derive(Debug, Default)]
pub struct SentChanges(BTreeMap<String, CommitId>);

impl SentChanges {
    /// Records a sent change.
    pub fn record(&mut self, id: String, tip: CommitId) {
        self.0.entry(id).or_insert(tip);
    }

    /// Returns the commit of a sent change whose acknowledgement was lost, or of the same change by somebody else.
    ///
    /// # Errors
    /// A commit cannot be read.
    pub fn arrived(&self, source: &Source, tip: CommitId) -> Result<Option<CommitId>, SourceError> {
        for (id, from) in &self.0 {
            if let Some(commit) = source.find_commit_of_change(id, *from, tip)? {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }
}

/// Repeats the attempt until a commit lands. An attempt returns none if another push came first.
///
/// # Errors
/// The error of an attempt, or that another push came first every time.
pub fn race<T, E: From<LandError>>(mut attempt: impl FnMut() -> Result<Option<T>, E>) -> Result<T, E> {
    for number in 1..=ATTEMPTS {
        match attempt()? {
            Some(landed) => return Ok(landed),
            None => std::thread::sleep(pause(number)),
        }
    }
    Err(LandError::Overtaken { times: ATTEMPTS }.into())
}

/// Returns the wait before the next attempt: 50 ms to a second, with jitter from the clock, so that two racers do not
/// meet again.
fn pause(attempt: u32) -> Duration {
    let odd = u64::from(Timestamp::now().subsec_nanosecond().unsigned_abs()) / 1000;
    Duration::from_millis(50 + odd % (u64::from(attempt) * 200))
}

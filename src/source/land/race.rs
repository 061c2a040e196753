//! The race for the branch: a commit is decided again whenever somebody else has pushed first.
#![expect(clippy::disallowed_methods, reason = "it waits between attempts, for a time that the clock makes odd")]

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::git::CommitId;

use super::super::{Source, SourceError};
use super::error::LandError;

/// How often somebody else may be faster.
const ATTEMPTS: u32 = 5;

/// The changes that were sent, by their ids, with the tip that each was first made on.
#[derive(Debug, Default)]
pub struct SentChanges(BTreeMap<String, CommitId>);

impl SentChanges {
    /// Remembers a change that is sent.
    pub fn record(&mut self, id: String, tip: CommitId) {
        self.0.entry(id).or_insert(tip);
    }

    /// Returns the commit of a change that was sent and whose answer was lost; or of the very same change by somebody else.
    ///
    /// # Errors
    /// A commit cannot be read.
    pub fn arrived(&self, source: &Source, tip: CommitId) -> Result<Option<CommitId>, SourceError> {
        for (id, from) in &self.0 {
            if let Some(commit) = source.find_change(id, *from, tip)? {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }
}

/// Runs attempts until one lands; an attempt returns none where somebody else was faster.
///
/// # Errors
/// That of an attempt, or that somebody else was faster each time.
pub fn race<T, E: From<LandError>>(mut attempt: impl FnMut() -> Result<Option<T>, E>) -> Result<T, E> {
    for number in 1..=ATTEMPTS {
        match attempt()? {
            Some(landed) => return Ok(landed),
            None => std::thread::sleep(pause(number)),
        }
    }
    Err(LandError::Overtaken { times: ATTEMPTS }.into())
}

/// Returns how long to wait: 50 ms to a second, odd by the clock, so that two who have met do not meet again.
fn pause(attempt: u32) -> Duration {
    let odd = u64::from(Timestamp::now().subsec_nanosecond().unsigned_abs()) / 1000;
    Duration::from_millis(50 + odd % (u64::from(attempt) * 200))
}

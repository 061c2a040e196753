//! When two versions were pinned together. It is worked out from what moved: commits that moved nothing cost nothing.

use std::sync::Arc;

use super::History;
use crate::git::Commit;
use crate::pins::ServiceName;
use crate::version::Version;

/// An interval of history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// The commit with which it began.
    pub from: Arc<Commit>,
    /// The commit with which it ended; none where it goes on.
    pub until: Option<Arc<Commit>>,
}

impl History {
    /// The intervals in which two services were pinned at these versions together, oldest first.
    pub fn together(&self, pair: [(&ServiceName, &Version); 2]) -> Vec<Interval> {
        let [one, other] = pair.map(|(service, version)| self.stood(service, version));
        let (mut one, mut other) = (one.into_iter().peekable(), other.into_iter().peekable());
        let mut intervals = Vec::new();
        while let (Some(&(from, until)), Some(&(begin, end))) = (one.peek(), other.peek()) {
            let (from, last) = (from.max(begin), until.min(end));
            if from < last {
                intervals.extend(self.interval(from, last));
            }
            if until < end {
                one.next()
            } else {
                other.next()
            };
        }
        intervals
    }

    /// The places from which and until which a service was pinned at a version; changes of its needs do not interrupt.
    fn stood(&self, service: &ServiceName, version: &Version) -> Vec<(u32, u32)> {
        let records = self.records(service);
        let ends = records.iter().skip(1).map(|record| record.position).chain([u32::MAX]);
        let mut stood: Vec<(u32, u32)> = Vec::new();
        for (record, end) in records.iter().zip(ends) {
            if record.pin.as_ref().is_none_or(|pin| pin.version != *version) {
                continue;
            }
            match stood.last_mut() {
                Some(last) if last.1 == record.position => last.1 = end,
                _ => stood.push((record.position, end)),
            }
        }
        stood
    }

    fn interval(&self, from: u32, until: u32) -> Option<Interval> {
        let commit = |place: u32| self.moves().get(usize::try_from(place).ok()?).cloned();
        Some(Interval { from: commit(from)?, until: commit(until) })
    }
}

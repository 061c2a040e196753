//! Finds when two versions were pinned together. The cost depends only on the commits that moved one of the two pins.

use std::sync::Arc;

use super::History;
use crate::git::Commit;
use crate::pins::ServiceName;
use crate::version::Version;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// The first commit of the interval.
    pub from: Arc<Commit>,
    /// The commit that ended the interval. None if it lasts to the tip.
    pub until: Option<Arc<Commit>>,
}

impl History {
    /// Returns the intervals in which two services were pinned at these versions together, oldest first.
    pub fn intervals_together(&self, pair: [(&ServiceName, &Version); 2]) -> Vec<Interval> {
        let [one, other] = pair.map(|(service, version)| self.pinned_intervals(service, version));
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

    /// Returns the positions between which a service was pinned at a version. A change of its needs does not end an
    /// interval.
    fn pinned_intervals(&self, service: &ServiceName, version: &Version) -> Vec<(u32, u32)> {
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

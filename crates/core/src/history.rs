//! The pins of each service through history, and queries on them.
//!
//! "History" always means the first-parent line of the branch.

mod stored;
mod together;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use stored::StoredHistory;
pub use together::Interval;

use crate::git::{Commit, CommitId};
use crate::image::Image;
use crate::pins::{DependsOn, Pin, Pins, ServiceName};
use crate::version::{Version, VersionOrder, Versioning};

/// The pins of every service along the first parents of one branch, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    tip: Option<Arc<Commit>>,
    pin_commits: Vec<Arc<Commit>>,
    positions: HashMap<CommitId, u32>,
    /// Shared with the previous history, since a commit moves few services.
    services: BTreeMap<ServiceName, Arc<ServiceHistory>>,
}

/// A commit that changed a service's pin, including its needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRecord {
    pub commit: Arc<Commit>,
    /// The index of the commit in [`History::moves`]. Records of different services are compared by it.
    pub position: u32,
    /// The pin from this commit on. None if the service was removed or could not be read.
    pub pin: Option<Arc<Pin>>,
}

/// The records of one service, with indices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ServiceHistory {
    records: Vec<PinRecord>,
    /// The newest record that pins the image.
    by_image: HashMap<Image, usize>,
    /// The first and the newest record that pin the version.
    by_version: HashMap<Version, (usize, usize)>,
    /// The versions in order of first appearance.
    appearance: Vec<Version>,
}

impl History {
    /// Appends a service's pin at a commit, unless it equals the previous one. Commits must come oldest first.
    pub fn record_pin(&mut self, service: &ServiceName, commit: &Arc<Commit>, pin: Option<Pin>) {
        let line = self.services.get(service);
        let last = line.and_then(|line| line.records.last()).and_then(|record| record.pin.as_deref());
        if last == pin.as_ref() {
            return;
        }
        let needs = last.map(|last| &last.depends_on);
        let pin = pin.map(|mut pin| {
            // Most commits change only the version, so the needs are shared.
            pin.depends_on = needs.filter(|needs| **needs == pin.depends_on).map_or(pin.depends_on, Arc::clone);
            Arc::new(pin)
        });
        let position = self.position_for(commit);
        let record = PinRecord { commit: Arc::clone(commit), position, pin };
        Arc::make_mut(self.services.entry(service.clone()).or_default()).push(record);
    }

    /// Sets the newest commit that the history covers.
    pub fn set_tip(&mut self, tip: Arc<Commit>) {
        self.tip = Some(tip);
    }

    /// Returns the history up to the commit at a position.
    #[must_use]
    pub fn truncated_at(&self, position: u32) -> Self {
        let moves: Vec<Arc<Commit>> =
            self.pin_commits.iter().zip(0..=position).map(|(commit, _)| Arc::clone(commit)).collect();
        let line = |line: &Arc<ServiceHistory>| {
            let kept = line.records.partition_point(|record| record.position <= position);
            let whole = kept == line.records.len();
            if whole { Arc::clone(line) } else { Arc::new(ServiceHistory::from_records(line.records[..kept].to_vec())) }
        };
        let services = self.services.iter().map(|(name, it)| (name.clone(), line(it)));
        let services = services.filter(|(_, line)| !line.records.is_empty()).collect();
        let positions = moves.iter().zip(0..).map(|(commit, position)| (commit.id, position)).collect();
        Self { tip: moves.last().cloned(), pin_commits: moves, positions, services }
    }

    /// Returns the newest commit that the history covers. None for an empty history.
    pub fn tip(&self) -> Option<&Arc<Commit>> {
        self.tip.as_ref()
    }

    /// Returns the commits that moved a pin, oldest first. [`PinRecord::position`] is an index into them.
    pub fn moves(&self) -> &[Arc<Commit>] {
        &self.pin_commits
    }

    /// Returns the index of a commit in [`History::moves`]. None if it moved no pin.
    pub fn position_of(&self, commit: CommitId) -> Option<u32> {
        self.positions.get(&commit).copied()
    }

    /// Returns all services that were ever pinned, sorted by name, with their records, oldest first.
    pub fn services(&self) -> impl Iterator<Item = (&ServiceName, &[PinRecord])> {
        self.services.iter().map(|(name, line)| (name, line.records.as_slice()))
    }

    /// Returns the records of a service, oldest first.
    pub fn records(&self, service: &ServiceName) -> &[PinRecord] {
        self.services.get(service).map_or(&[], |line| &line.records)
    }

    /// Returns the pin at the tip.
    pub fn current_pin(&self, service: &ServiceName) -> Option<&Arc<Pin>> {
        self.records(service).last()?.pin.as_ref()
    }

    /// Returns the last readable pin, which may be older than the tip.
    pub fn last_pin(&self, service: &ServiceName) -> Option<&Arc<Pin>> {
        self.records(service).iter().rev().find_map(|record| record.pin.as_ref())
    }

    /// Returns the pin in force at a position.
    pub fn pinned_at(&self, service: &ServiceName, position: u32) -> Option<&Arc<Pin>> {
        let records = self.records(service);
        let after = records.partition_point(|record| record.position <= position);
        records[..after].last()?.pin.as_ref()
    }

    /// Returns the version that most recently used an image.
    pub fn version_of_image(&self, service: &ServiceName, image: &Image) -> Option<&Version> {
        let line = self.services.get(service)?;
        line.pin(*line.by_image.get(image)?).map(|pin| &pin.version)
    }

    /// Returns the newest record of a version, which has its latest needs and image.
    pub fn newest_record(&self, service: &ServiceName, version: &Version) -> Option<&PinRecord> {
        let line = self.services.get(service)?;
        line.records.get(line.by_version.get(version)?.1)
    }

    /// Returns the needs of a version, from its newest record.
    pub fn needs_of(&self, service: &ServiceName, version: &Version) -> Option<Arc<DependsOn>> {
        let pin = self.newest_record(service, version)?.pin.as_ref()?;
        Some(Arc::clone(&pin.depends_on))
    }

    /// Returns the first commit that pinned a version.
    pub fn first_commit(&self, service: &ServiceName, version: &Version) -> Option<&Arc<Commit>> {
        let line = self.services.get(service)?;
        line.records.get(line.by_version.get(version)?.0).map(|record| &record.commit)
    }

    /// Returns the order of a service's versions. Without an explicit one, the versions in the history decide.
    pub fn version_order(&self, service: &ServiceName, explicit: Option<Versioning>) -> VersionOrder {
        let line = self.services.get(service);
        VersionOrder::choose(explicit, line.into_iter().flat_map(|line| line.appearance.iter().cloned()))
    }

    /// Returns the history in which the renamed services of `pins` inherit the records of their earlier names.
    pub fn with_renames(self: &Arc<Self>, pins: &Pins) -> Arc<Self> {
        let names = pins.services.values().filter_map(|it| Some((it.formerly.clone()?, it.name.clone())));
        let names: BTreeMap<_, _> = names.collect();
        if names.is_empty() { Arc::clone(self) } else { Arc::new(Self::clone(self).join_renamed(&names)) }
    }

    /// Returns the history in which renamed services inherit the records of their earlier names. `to` maps each earlier
    /// name to the later one, over several steps if a service was renamed more than once.
    #[must_use]
    pub fn join_renamed(mut self, to: &BTreeMap<ServiceName, ServiceName>) -> Self {
        let mut joined: BTreeMap<&ServiceName, Vec<PinRecord>> = BTreeMap::new();
        for (old, new) in to {
            let (mut last, mut until) = (new, self.first_position(new));
            let mut records = records_before(self.records(old), until);
            // Each step leads to another name. A walk of as many steps as there are names is a cycle.
            for _ in 0..to.len() {
                joined.entry(last).or_default().append(&mut records.clone());
                let Some(next) = to.get(last) else { break };
                (last, until) = (next, until.min(self.first_position(next)));
                records.retain(|record| record.position < until);
            }
        }
        let joined: Vec<_> = joined.into_iter().map(|(name, records)| (name.clone(), records)).collect();
        for (name, mut records) in joined {
            records.extend_from_slice(self.records(&name));
            records.sort_by_key(|record| record.position);
            // The commit that renames a service usually leaves its pin unchanged.
            records.dedup_by(|next, record| next.pin == record.pin);
            self.services.insert(name, Arc::new(ServiceHistory::from_records(records)));
        }
        self
    }

    /// Returns the position of a service's first record, or the greatest position if it has none.
    fn first_position(&self, service: &ServiceName) -> u32 {
        self.records(service).first().map_or(u32::MAX, |record| record.position)
    }

    fn position_for(&mut self, commit: &Arc<Commit>) -> u32 {
        if self.pin_commits.last().is_none_or(|last| last.id != commit.id) {
            let next = u32::try_from(self.pin_commits.len()).unwrap_or(u32::MAX);
            self.pin_commits.push(Arc::clone(commit));
            self.positions.insert(commit.id, next);
        }
        self.positions.get(&commit.id).copied().unwrap_or(u32::MAX)
    }

    /// Restores a history from the results of [`History::moves`] and [`History::services`].
    fn restore(
        pin_commits: Vec<Arc<Commit>>,
        services: impl IntoIterator<Item = (ServiceName, Vec<PinRecord>)>,
    ) -> Self {
        let positions = pin_commits.iter().zip(0..).map(|(commit, position)| (commit.id, position)).collect();
        let services =
            services.into_iter().map(|(name, records)| (name, Arc::new(ServiceHistory::from_records(records))));
        Self { tip: None, pin_commits, positions, services: services.collect() }
    }
}

impl ServiceHistory {
    fn from_records(records: Vec<PinRecord>) -> Self {
        let mut line = Self::default();
        for record in records {
            line.push(record);
        }
        line
    }

    fn push(&mut self, record: PinRecord) {
        if let Some(pin) = &record.pin {
            let index = self.records.len();
            self.by_image.insert(pin.image.clone(), index);
            match self.by_version.entry(pin.version.clone()) {
                Entry::Occupied(mut known) => known.get_mut().1 = index,
                Entry::Vacant(new) => {
                    self.appearance.push(new.key().clone());
                    new.insert((index, index));
                }
            }
        }
        self.records.push(record);
    }

    fn pin(&self, index: usize) -> Option<&Pin> {
        self.records.get(index)?.pin.as_deref()
    }
}

/// Returns the records of an earlier name before a position. Its removal is part of the rename, and left out.
fn records_before(records: &[PinRecord], until: u32) -> Vec<PinRecord> {
    records.iter().filter(|record| record.position < until && record.pin.is_some()).cloned().collect()
}

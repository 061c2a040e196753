//! Each service's pins through history: what the index on disk holds, and the questions the other stages ask of it.
//!
//! History means the first-parent line of the branch, everywhere.

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
use crate::version::{Order, Version, Versioning};

/// The pins of every service along the first parents of one branch, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    tip: Option<Arc<Commit>>,
    moves: Vec<Arc<Commit>>,
    positions: HashMap<CommitId, u32>,
    /// Shared with the history before: a commit moves few of them.
    services: BTreeMap<ServiceName, Arc<Line>>,
}

/// A commit that moved a service's pin, or what the pin needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The commit.
    pub commit: Arc<Commit>,
    /// Its place among [`History::moves`]: what compares the records of different services.
    pub position: u32,
    /// The pin from here on; none where the service was removed, or could not be read.
    pub pin: Option<Arc<Pin>>,
}

/// The records of one service, and where to look in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Line {
    records: Vec<Record>,
    /// The newest record that pins it.
    by_image: HashMap<Image, usize>,
    /// The first and the newest record that pin it.
    by_version: HashMap<Version, (usize, usize)>,
    /// The versions in the order of their first appearance.
    appearance: Vec<Version>,
}

impl History {
    /// Appends what a commit said of a service, unless it said nothing new. Commits are given oldest first.
    pub fn push(&mut self, service: &ServiceName, commit: &Arc<Commit>, pin: Option<Pin>) {
        let line = self.services.get(service);
        let last = line.and_then(|line| line.records.last()).and_then(|record| record.pin.as_deref());
        if last == pin.as_ref() {
            return;
        }
        let needs = last.map(|last| &last.depends_on);
        let pin = pin.map(|mut pin| {
            // Most moves change the version alone.
            pin.depends_on = needs.filter(|needs| **needs == pin.depends_on).map_or(pin.depends_on, Arc::clone);
            Arc::new(pin)
        });
        let position = self.position_for(commit);
        let record = Record { commit: Arc::clone(commit), position, pin };
        Arc::make_mut(self.services.entry(service.clone()).or_default()).push(record);
    }

    /// Says how far the history goes: to this commit.
    pub fn reach(&mut self, tip: Arc<Commit>) {
        self.tip = Some(tip);
    }

    /// The history as it was when the commit at this position had been made.
    #[must_use]
    pub fn until(&self, position: u32) -> Self {
        let moves: Vec<Arc<Commit>> =
            self.moves.iter().zip(0..=position).map(|(commit, _)| Arc::clone(commit)).collect();
        let line = |line: &Arc<Line>| {
            let kept = line.records.partition_point(|record| record.position <= position);
            let whole = kept == line.records.len();
            if whole { Arc::clone(line) } else { Arc::new(Line::of(line.records[..kept].to_vec())) }
        };
        let services = self.services.iter().map(|(name, it)| (name.clone(), line(it)));
        let services = services.filter(|(_, line)| !line.records.is_empty()).collect();
        let positions = moves.iter().zip(0..).map(|(commit, position)| (commit.id, position)).collect();
        Self { tip: moves.last().cloned(), moves, positions, services }
    }

    /// The newest commit it covers; none for an empty history.
    pub fn tip(&self) -> Option<&Arc<Commit>> {
        self.tip.as_ref()
    }

    /// The commits that moved a pin, oldest first; [`Record::position`] is an index into them.
    pub fn moves(&self) -> &[Arc<Commit>] {
        &self.moves
    }

    /// The place of a commit among [`History::moves`]; none where it moved nothing.
    pub fn position(&self, commit: CommitId) -> Option<u32> {
        self.positions.get(&commit).copied()
    }

    /// All services that were ever pinned, by name, with their records, oldest first.
    pub fn services(&self) -> impl Iterator<Item = (&ServiceName, &[Record])> {
        self.services.iter().map(|(name, line)| (name, line.records.as_slice()))
    }

    /// The records of a service, oldest first.
    pub fn records(&self, service: &ServiceName) -> &[Record] {
        self.services.get(service).map_or(&[], |line| &line.records)
    }

    /// What is pinned at the tip.
    pub fn current(&self, service: &ServiceName) -> Option<&Arc<Pin>> {
        self.records(service).last()?.pin.as_ref()
    }

    /// Returns the last pin that could be read, which may not be the current one.
    pub fn last_pin(&self, service: &ServiceName) -> Option<&Arc<Pin>> {
        self.records(service).iter().rev().find_map(|record| record.pin.as_ref())
    }

    /// What was pinned when the commit at this position had been made.
    pub fn pinned_at(&self, service: &ServiceName, position: u32) -> Option<&Arc<Pin>> {
        let records = self.records(service);
        let after = records.partition_point(|record| record.position <= position);
        records[..after].last()?.pin.as_ref()
    }

    /// The version that an image was the image of, most recently.
    pub fn version_of_image(&self, service: &ServiceName, image: &Image) -> Option<&Version> {
        let line = self.services.get(service)?;
        line.pin(*line.by_image.get(image)?).map(|pin| &pin.version)
    }

    /// The newest record that pins a version: what the version is now known to need, and to run as.
    pub fn newest(&self, service: &ServiceName, version: &Version) -> Option<&Record> {
        let line = self.services.get(service)?;
        line.records.get(line.by_version.get(version)?.1)
    }

    /// What a version needs, as its newest record said.
    pub fn needs(&self, service: &ServiceName, version: &Version) -> Option<Arc<DependsOn>> {
        let pin = self.newest(service, version)?.pin.as_ref()?;
        Some(Arc::clone(&pin.depends_on))
    }

    /// The commit that pinned a version for the first time.
    pub fn first(&self, service: &ServiceName, version: &Version) -> Option<&Arc<Commit>> {
        let line = self.services.get(service)?;
        line.records.get(line.by_version.get(version)?.0).map(|record| &record.commit)
    }

    /// How the versions of a service are ordered; where its history decides, by first appearance.
    pub fn order(&self, service: &ServiceName, explicit: Option<Versioning>) -> Order {
        let line = self.services.get(service);
        Order::choose(explicit, line.into_iter().flat_map(|line| line.appearance.iter().cloned()))
    }

    /// Returns the history in which the renamed services of `pins` go on with the records of their earlier names.
    pub fn with_renames(self: &Arc<Self>, pins: &Pins) -> Arc<Self> {
        let names = pins.services.values().filter_map(|it| Some((it.formerly.clone()?, it.name.clone())));
        let names: BTreeMap<_, _> = names.collect();
        if names.is_empty() { Arc::clone(self) } else { Arc::new(Self::clone(self).renamed(&names)) }
    }

    /// The history in which renamed services go on with the records of their earlier names; `to` leads from each earlier
    /// name to the later one, over several steps where a service was renamed more than once.
    #[must_use]
    pub fn renamed(mut self, to: &BTreeMap<ServiceName, ServiceName>) -> Self {
        let mut joined: BTreeMap<&ServiceName, Vec<Record>> = BTreeMap::new();
        for (old, new) in to {
            let (mut last, mut until) = (new, self.begin(new));
            let mut records = earlier(self.records(old), until);
            // Each step goes to another name; as many as there are names is a circle.
            for _ in 0..to.len() {
                joined.entry(last).or_default().append(&mut records.clone());
                let Some(next) = to.get(last) else { break };
                (last, until) = (next, until.min(self.begin(next)));
                records.retain(|record| record.position < until);
            }
        }
        let joined: Vec<_> = joined.into_iter().map(|(name, records)| (name.clone(), records)).collect();
        for (name, mut records) in joined {
            records.extend_from_slice(self.records(&name));
            records.sort_by_key(|record| record.position);
            // The commit of the renaming itself mostly moves nothing.
            records.dedup_by(|next, record| next.pin == record.pin);
            self.services.insert(name, Arc::new(Line::of(records)));
        }
        self
    }

    /// Where a service appears; the end of time where it never does.
    fn begin(&self, service: &ServiceName) -> u32 {
        self.records(service).first().map_or(u32::MAX, |record| record.position)
    }

    fn position_for(&mut self, commit: &Arc<Commit>) -> u32 {
        if self.moves.last().is_none_or(|last| last.id != commit.id) {
            let next = u32::try_from(self.moves.len()).unwrap_or(u32::MAX);
            self.moves.push(Arc::clone(commit));
            self.positions.insert(commit.id, next);
        }
        self.positions.get(&commit.id).copied().unwrap_or(u32::MAX)
    }

    /// Puts a history together again from what [`History::moves`] and [`History::services`] gave.
    fn restore(moves: Vec<Arc<Commit>>, services: impl IntoIterator<Item = (ServiceName, Vec<Record>)>) -> Self {
        let positions = moves.iter().zip(0..).map(|(commit, position)| (commit.id, position)).collect();
        let services = services.into_iter().map(|(name, records)| (name, Arc::new(Line::of(records))));
        Self { tip: None, moves, positions, services: services.collect() }
    }
}

impl Line {
    fn of(records: Vec<Record>) -> Self {
        let mut line = Self::default();
        for record in records {
            line.push(record);
        }
        line
    }

    fn push(&mut self, record: Record) {
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

/// The pins of an earlier name; that it was removed is what renaming means.
fn earlier(records: &[Record], until: u32) -> Vec<Record> {
    records.iter().filter(|record| record.position < until && record.pin.is_some()).cloned().collect()
}

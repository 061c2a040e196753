//! One service of the local runtime, as read from its files.
#![expect(clippy::disallowed_methods, reason = "the local runtime reads the clock")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use pintle_core::pins::{Local, WorkloadKind, WorkloadRef};
use pintle_core::workload::WorkloadId;

use super::Served;
use super::folder::{Folder, Life};
use super::picture::{Facts, Health, Shown};
use super::record::{Process, Run};

pub(super) struct Service {
    pub(super) id: WorkloadId,
    pub(super) served: Option<Served>,
    pub(super) facts: Facts,
    /// Why the record is unreadable.
    pub(super) damaged: Option<String>,
    pub(super) asked: BTreeMap<u32, Asked>,
    /// The last poll of its commands.
    pub(super) commands: Option<Asked>,
    pub(super) shown: Option<Shown>,
}

/// A probe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) at: Instant,
    /// Whether the answer is pending.
    pub(super) waits: bool,
    /// The number of consecutive failures.
    pub(super) doubts: u32,
}

impl Asked {
    /// Starts a probe now.
    pub(super) fn now(doubts: u32) -> Self {
        Self { at: Instant::now(), waits: true, doubts }
    }
}

/// Returns the workload id of a service that no pin names.
pub(super) fn process_id(name: &str) -> WorkloadId {
    let workload = WorkloadRef { kind: WorkloadKind::Process, name: name.to_owned() };
    WorkloadId { namespace: String::new(), workload }
}

impl Service {
    pub(super) fn new(id: WorkloadId, served: Option<Served>) -> Self {
        let (facts, asked) = (Facts::default(), BTreeMap::new());
        Self { id, served, facts, damaged: None, asked, commands: None, shown: None }
    }

    pub(super) fn read(&mut self, folder: &Folder, name: &str) {
        self.facts.pause = folder.pause(name);
        match folder.record(name) {
            Ok(record) => (self.facts.record, self.damaged) = (record, None),
            Err(why) => (self.facts.record, self.damaged) = (None, Some(why)),
        }
        self.live(folder, name);
        let Facts { record: Some(record), lives, kept, .. } = &mut self.facts else { return };
        *kept = !record.down && record.kept_by.as_ref().is_some_and(Process::lives);
        if !*kept {
            record.fall_back(|run| !matches!(lives.get(&run.number), Some(Life::Ended(_)) | None));
        }
    }

    /// Updates the state of its processes.
    pub(super) fn live(&mut self, folder: &Folder, name: &str) {
        let runs = self.facts.record.iter().flat_map(|record| &record.runs);
        // An ended process stays ended.
        let life = |run: &Run| match self.facts.lives.get(&run.number) {
            Some(life @ Life::Ended(_)) => life.clone(),
            _ => folder.life(name, run.number),
        };
        self.facts.lives = runs.map(|run| (run.number, life(run))).collect();
        self.facts.health.retain(|number, _| matches!(self.facts.lives.get(number), Some(Life::Runs(_))));
        self.asked.retain(|number, _| self.facts.lives.contains_key(number));
    }

    /// Returns how the service is run: as it was started, else as it is pinned.
    pub(super) fn local(&self) -> Option<&Arc<Local>> {
        let started = self.facts.record.as_ref().map(|record| &record.spec.local);
        started.or_else(|| self.served.as_ref()?.local.as_ref())
    }

    pub(super) fn is_process(&self) -> bool {
        self.local().is_some_and(|local| matches!(**local, Local::Process { .. }))
    }

    /// Returns whether every probe has answered once.
    pub(super) fn is_known(&self) -> bool {
        if self.damaged.is_some() {
            return true;
        }
        let Some(local) = self.local() else { return true };
        if matches!(**local, Local::Commands { .. }) {
            return self.facts.elsewhere.is_some();
        }
        let runs = self.facts.record.iter().flat_map(|record| &record.runs).filter(|run| run.stopping.is_none());
        let mut running = runs.filter(|run| matches!(self.facts.lives.get(&run.number), Some(Life::Runs(_))));
        running.all(|run| self.facts.health.get(&run.number).is_some_and(|health| *health != Health::Unknown))
    }
}

//! One service of the local runtime, as read from its files.
#![expect(clippy::disallowed_methods, reason = "the local runtime reads the clock")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use pintle_core::pins::{LocalSpec, WorkloadKind, WorkloadRef};
use pintle_core::workload::WorkloadId;

use super::LocalServiceSpec;
use super::folder::{RunState, StateFolder};
use super::picture::{ProcessHealth, ServiceFacts, ServiceView};
use super::record::{ProcessId, ProcessRun};

pub(super) struct LocalService {
    pub(super) id: WorkloadId,
    pub(super) spec: Option<LocalServiceSpec>,
    pub(super) facts: ServiceFacts,
    /// Why the record is unreadable.
    pub(super) record_error: Option<String>,
    pub(super) probes: BTreeMap<u32, ProbeState>,
    /// The last poll of its commands.
    pub(super) query: Option<ProbeState>,
    pub(super) view: Option<ServiceView>,
}

/// A probe.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProbeState {
    pub(super) at: Instant,
    /// Whether the answer is pending.
    pub(super) is_pending: bool,
    /// The number of consecutive failures.
    pub(super) failures: u32,
}

impl ProbeState {
    /// Starts a probe now.
    pub(super) fn started_now(failures: u32) -> Self {
        Self { at: Instant::now(), is_pending: true, failures }
    }
}

/// Returns the workload id of a service that no pin names.
pub(super) fn unpinned_workload_id(name: &str) -> WorkloadId {
    let workload = WorkloadRef { kind: WorkloadKind::Process, name: name.to_owned() };
    WorkloadId { namespace: String::new(), workload }
}

impl LocalService {
    pub(super) fn new(id: WorkloadId, spec: Option<LocalServiceSpec>) -> Self {
        let (facts, probes) = (ServiceFacts::default(), BTreeMap::new());
        Self { id, spec, facts, record_error: None, probes, query: None, view: None }
    }

    pub(super) fn read(&mut self, folder: &StateFolder, name: &str) {
        self.facts.pause = folder.pause(name);
        match folder.record(name) {
            Ok(record) => (self.facts.record, self.record_error) = (record, None),
            Err(why) => (self.facts.record, self.record_error) = (None, Some(why)),
        }
        self.update_run_states(folder, name);
        let ServiceFacts { record: Some(record), run_states: lives, is_supervised: kept, .. } = &mut self.facts else {
            return;
        };
        *kept = !record.down && record.kept_by.as_ref().is_some_and(ProcessId::is_alive);
        if !*kept {
            record.fall_back_to_running(|run| !matches!(lives.get(&run.number), Some(RunState::Ended(_)) | None));
        }
    }

    /// Updates the state of its processes.
    pub(super) fn update_run_states(&mut self, folder: &StateFolder, name: &str) {
        let runs = self.facts.record.iter().flat_map(|record| &record.runs);
        // An ended process stays ended.
        let life = |run: &ProcessRun| match self.facts.run_states.get(&run.number) {
            Some(life @ RunState::Ended(_)) => life.clone(),
            _ => folder.life(name, run.number),
        };
        self.facts.run_states = runs.map(|run| (run.number, life(run))).collect();
        self.facts.health.retain(|number, _| matches!(self.facts.run_states.get(number), Some(RunState::Running(_))));
        self.probes.retain(|number, _| self.facts.run_states.contains_key(number));
    }

    /// Returns how the service is run: as it was started, else as it is pinned.
    pub(super) fn local(&self) -> Option<&Arc<LocalSpec>> {
        let started = self.facts.record.as_ref().map(|record| &record.spec.local);
        started.or_else(|| self.spec.as_ref()?.local.as_ref())
    }

    pub(super) fn is_process(&self) -> bool {
        self.local().is_some_and(|local| matches!(**local, LocalSpec::Process { .. }))
    }

    /// Returns whether every probe has answered once.
    pub(super) fn is_fully_probed(&self) -> bool {
        if self.record_error.is_some() {
            return true;
        }
        let Some(local) = self.local() else { return true };
        if matches!(**local, LocalSpec::Commands { .. }) {
            return self.facts.external.is_some();
        }
        let runs = self.facts.record.iter().flat_map(|record| &record.runs).filter(|run| run.stopping.is_none());
        let mut running =
            runs.filter(|run| matches!(self.facts.run_states.get(&run.number), Some(RunState::Running(_))));
        running.all(|run| self.facts.health.get(&run.number).is_some_and(|health| *health != ProcessHealth::Unknown))
    }
}

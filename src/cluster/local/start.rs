//! Starts processes for writes, and records their exits. IO.
#![expect(clippy::disallowed_methods, reason = "the local runtime starts processes")]

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::git::CommitId;
use pintle_core::pins::LocalSpec;
use pintle_core::workload::StateAnnotation;
use tokio::process::Command;

use super::command::ServiceCommand;
use super::engine::LocalEngine;
use super::folder::RunState;
use super::record::{ExitCause, ProcessExit, ProcessRun, ProcessSpec, RECORD_SCHEMA, ServiceRecord};
use super::service::LocalService;
use crate::cluster::{ClusterError, WorkloadWrite, WriteReceipt};

/// The placeholder for the version in `run`.
const RUN_VERSION_PLACEHOLDER: &str = "{version}";

impl LocalEngine {
    /// Applies a write: a new spec, or only a new state.
    pub(super) fn write(self: &Arc<Self>, write: &WorkloadWrite) -> Result<WriteReceipt, ClusterError> {
        let name = &write.id.workload.name;
        let refused = |message: String| ClusterError::Rejected { id: write.id.clone(), message };
        if self.lock.is_none() {
            return Err(refused("nothing may be changed here".to_owned()));
        }
        self.watch_state_folder();
        let mut services = self.services();
        let service = services.get_mut(name).ok_or_else(|| ClusterError::NotFound(write.id.clone()))?;
        if let Some(why) = &service.record_error {
            return Err(refused(why.clone()));
        }
        let before = service.facts.record.clone();
        let (uid, version) = before
            .as_ref()
            .map_or_else(Default::default, |record| (record.made.to_string(), record.revision.to_string()));
        if uid != write.expected.uid {
            return Err(ClusterError::NotFound(write.id.clone()));
        }
        if version != write.expected.resource_version {
            return Err(ClusterError::Conflict(write.id.clone()));
        }
        let record = self.written(service, write).map_err(refused)?;
        let started = before.as_ref().map(|record| record.generation) != Some(record.generation);
        self.folder.write(name, &record).map_err(refused)?;
        let images = write.images.iter().map(|(name, _, image)| (name.clone(), image.clone())).collect();
        let written =
            WriteReceipt { resource_version: record.revision.to_string(), generation: record.generation, images };
        service.facts.record = Some(record);
        if started {
            service.facts.is_supervised = true;
            self.run_start_command(name, service);
        }
        drop(services);
        self.publish_views();
        self.wake.notify_one();
        Ok(written)
    }

    /// Returns the record after a write.
    fn written(&self, service: &LocalService, write: &WorkloadWrite) -> Result<ServiceRecord, String> {
        let now = Timestamp::now();
        let image = write.images.first().map(|(_, _, image)| image);
        // A write without an image starts nothing, even if nothing runs.
        let same = |record: &ServiceRecord| {
            let Some(image) = image else { return true };
            let runs = || service.facts.external.as_ref().is_some_and(|it| it.runs.as_ref() == Some(image));
            record.spec.image == *image && (service.facts.is_supervised || runs())
        };
        if let Some(record) = service.facts.record.as_ref().filter(|record| same(record)) {
            return Ok(ServiceRecord { revision: record.revision + 1, state: write.state.clone(), ..record.clone() });
        }
        let image = image.ok_or("there is nothing to run")?.clone();
        let local = service.spec.as_ref().and_then(|served| served.local.clone());
        let local = local.ok_or("nothing says how it is run: add `local:` to its file")?;
        let before = service.facts.record.as_ref();
        Ok(ServiceRecord {
            schema: RECORD_SCHEMA,
            made: before.map_or(now, |record| record.made),
            revision: before.map_or(0, |record| record.revision) + 1,
            generation: before.map_or(0, |record| record.generation) + 1,
            spec: ProcessSpec { image, version: write.state.version.clone(), local },
            down: false,
            kept_by: self.own_process.clone(),
            written: now,
            state: unproven(write.state.clone()),
            runs: before.map(|record| record.runs.clone()).unwrap_or_default(),
            next: before.map_or(1, |record| record.next),
            crashes: 0,
            exit: None,
        })
    }

    /// Starts a process of the current spec. The run is recorded first: a crash in between leaves a run without a
    /// process, never a process without a run.
    pub(super) fn start_process(&self, name: &str, service: &mut LocalService) {
        let Some(record) = &mut service.facts.record else { return };
        let number = record.next;
        let (spec, commit) = (record.spec.clone(), record.state.commit);
        let run = ProcessRun { number, spec: spec.clone(), commit, begun: Timestamp::now(), stopping: None };
        record.next += 1;
        record.runs.push(run.clone());
        let started = self.folder.write(name, record).and_then(|()| self.spawn(name, number, &spec, commit));
        let life = match started {
            Ok(()) => RunState::Starting,
            Err(why) => {
                let exit = ProcessExit { at: Timestamp::now(), how: ExitCause::NotStarted(why), said: String::new() };
                RunState::Ended(exit)
            }
        };
        service.facts.run_states.insert(number, life);
    }

    fn spawn(&self, name: &str, number: u32, spec: &ProcessSpec, commit: CommitId) -> Result<(), String> {
        let LocalSpec::Process { run, .. } = &*spec.local else { return Ok(()) };
        let file = self.folder.new_run(name, number)?;
        let ServiceCommand { working_folder: home, environment, .. } = self.task(name, spec, commit);
        let mut shim = Command::new(&self.shim);
        shim.arg("shim").arg(self.folder.log(name)).arg("--");
        shim.args(run.iter().map(|word| word.replace(RUN_VERSION_PLACEHOLDER, spec.version.as_str())));
        shim.current_dir(home).envs(environment).stdin(file).stdout(Stdio::null()).stderr(Stdio::null());
        shim.spawn().map(drop).map_err(|error| format!("{}: {error}", self.shim.display()))
    }

    /// Returns the working directory and environment of the service's programs.
    pub(super) fn task(&self, name: &str, spec: &ProcessSpec, commit: CommitId) -> ServiceCommand {
        let mut environment = vec![
            ("PINTLE_SERVICE", name.to_owned()),
            ("PINTLE_VERSION", spec.version.to_string()),
            ("PINTLE_IMAGE", spec.image.to_string()),
            ("PINTLE_COMMIT", commit.to_hex()),
        ];
        if let LocalSpec::Process { port: Some(port), .. } = &*spec.local {
            environment.push(("PORT", port.to_string()));
        }
        ServiceCommand {
            arguments: Vec::new(),
            working_folder: self.working_folder.clone(),
            environment,
            timeout: Duration::ZERO,
        }
    }

    /// Changes the record of a run.
    pub(super) fn change(
        &self,
        name: &str,
        service: &mut LocalService,
        number: u32,
        change: impl FnOnce(&mut ProcessRun),
    ) {
        let Some(record) = &mut service.facts.record else { return };
        if let Some(run) = record.runs.iter_mut().find(|run| run.number == number) {
            change(run);
        }
        self.remember(name, record);
    }

    /// Records that a run has ended.
    pub(super) fn reap(&self, name: &str, service: &mut LocalService, number: u32) {
        let Some(record) = &mut service.facts.record else { return };
        let Some(at) = record.runs.iter().position(|run| run.number == number) else { return };
        let run = record.runs.remove(at);
        if let Some(RunState::Ended(exit)) = service.facts.run_states.remove(&number)
            && run.stopping.is_none()
            && run.spec.image == record.spec.image
        {
            tracing::info!("{name}: process {number} has ended: {exit}");
            record.record_crash(&run, exit);
        }
        self.remember(name, record);
        self.folder.forget(name, number);
    }

    /// Writes the record. A failure is tolerable, because the run files allow recovering it.
    fn remember(&self, name: &str, record: &ServiceRecord) {
        if let Err(error) = self.folder.write(name, record) {
            tracing::warn!("what has become of {name} is not remembered: {error}");
        }
    }
}

/// Removes the proof of the version: it applied to a process that is gone.
fn unproven(mut state: StateAnnotation) -> StateAnnotation {
    state.proven.retain(|proven| proven.version != state.version || proven.commit != state.commit);
    state
}

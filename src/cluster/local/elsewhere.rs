//! Services managed by other tools. Four commands start them, stop them, and report their version and health. IO.

use std::sync::Arc;
use std::time::Duration;

use pintle_core::image::Image;
use pintle_core::pins::LocalSpec;

use super::command::{ServiceCommand, run_command};
use super::engine::LocalEngine;
use super::picture::{ExternalService, ProcessHealth};
use super::record::ProcessSpec;
use super::service::{LocalService, ProbeState};

/// The time limit of `start` and `stop`, which may fetch an image.
const START_STOP_COMMAND_TIMEOUT: Duration = Duration::from_secs(600);

/// The time limit of `version` and `health`.
const QUERY_COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// The polling interval during a change.
const QUERY_INTERVAL_WHILE_CHANGING: Duration = Duration::from_millis(200);

/// The polling interval of a settled service.
const QUERY_INTERVAL_WHILE_SETTLED: Duration = Duration::from_secs(5);

impl LocalEngine {
    /// Runs the `start` command of the current spec.
    pub(super) fn run_start_command(self: &Arc<Self>, name: &str, service: &mut LocalService) {
        let Some(record) = &service.facts.record else { return };
        let LocalSpec::Commands { start, .. } = &*record.spec.local else { return };
        let generation = record.generation;
        let words = start.clone();
        let task = ServiceCommand {
            arguments: words,
            timeout: START_STOP_COMMAND_TIMEOUT,
            ..self.task(name, &record.spec, record.state.commit)
        };
        let unknown = || ExternalService { runs: None, health: ProcessHealth::Unknown, starting: false, failed: None };
        let elsewhere = service.facts.external.get_or_insert_with(unknown);
        (elsewhere.starting, elsewhere.failed, elsewhere.health) = (true, None, ProcessHealth::Unknown);
        let (engine, name) = (Arc::clone(self), name.to_owned());
        tokio::spawn(async move {
            let ended = run_command(&task).await;
            if let Some(service) = engine.services().get_mut(&name)
                // A newer write runs its own `start`.
                && service.facts.record.as_ref().is_some_and(|record| record.generation == generation)
                && let Some(elsewhere) = &mut service.facts.external
            {
                elsewhere.starting = false;
                elsewhere.failed = ended.err().map(|why| format!("`start`: {why}"));
                service.query = None;
            }
            engine.wake.notify_one();
        });
    }

    /// Runs `version` and `health` if they are due. Returns the time until the next poll.
    pub(super) fn run_query_commands(self: &Arc<Self>, name: &str, service: &mut LocalService) -> Duration {
        let Some(local) = service.local().map(Arc::clone) else { return QUERY_INTERVAL_WHILE_SETTLED };
        let LocalSpec::Commands { version, health, .. } = &*local else { return QUERY_INTERVAL_WHILE_SETTLED };
        let still =
            service.facts.external.as_ref().is_some_and(|it| it.health == ProcessHealth::Healthy && !it.starting);
        let every = if still { QUERY_INTERVAL_WHILE_SETTLED } else { QUERY_INTERVAL_WHILE_CHANGING };
        if let Some(ProbeState { at, is_pending: waits, .. }) = service.query
            && (waits || at.elapsed() < every)
        {
            return every.saturating_sub(at.elapsed()).max(Duration::from_millis(1));
        }
        service.query = Some(ProbeState::started_now(0));
        let Some(task) = self.query_command(name, service) else { return QUERY_INTERVAL_WHILE_SETTLED };
        let ask = |words: &[String]| ServiceCommand { arguments: words.to_vec(), ..task.clone() };
        let (version, health) = (ask(version), health.as_deref().map(ask));
        let (engine, name) = (Arc::clone(self), name.to_owned());
        tokio::spawn(async move {
            let runs = run_command(&version).await;
            let health = match (&runs, health) {
                (Err(why), _) => ProcessHealth::Unhealthy(format!("`version`: {why}")),
                (Ok(_), Some(health)) => run_command(&health).await.map_or_else(
                    |why| ProcessHealth::Unhealthy(format!("`health`: {why}")),
                    |_| ProcessHealth::Healthy,
                ),
                (Ok(_), None) => ProcessHealth::Healthy,
            };
            engine.record_query_answers(&name, &runs.unwrap_or_default(), health);
        });
        every
    }

    fn query_command(&self, name: &str, service: &LocalService) -> Option<ServiceCommand> {
        let record = service.facts.record.as_ref().map(|record| (record.spec.clone(), record.state.commit));
        let pinned = || {
            let served = service.spec.as_ref()?;
            let (image, version, local) = (served.image.clone(), served.version.clone(), served.local.clone()?);
            Some((ProcessSpec { image, version, local }, pintle_core::git::CommitId::from([0; 20])))
        };
        let (spec, commit) = record.or_else(pinned)?;
        Some(ServiceCommand { timeout: QUERY_COMMAND_TIMEOUT, ..self.task(name, &spec, commit) })
    }

    fn record_query_answers(&self, name: &str, version: &str, health: ProcessHealth) {
        if let Some(service) = self.services().get_mut(name) {
            let runs = (!version.is_empty()).then(|| service.image_of(version)).flatten();
            let (starting, failed) =
                service.facts.external.take().map_or((false, None), |before| (before.starting, before.failed));
            service.facts.external = Some(ExternalService { runs, health, starting, failed });
            if let Some(asked) = &mut service.query {
                asked.is_pending = false;
            }
        }
        self.wake.notify_one();
    }
}

impl LocalService {
    /// Returns the image reference of a version.
    fn image_of(&self, version: &str) -> Option<Image> {
        let served = self.spec.iter().flat_map(|served| {
            std::iter::once((&served.version, &served.image))
                .chain(served.past_pins.iter().map(|(version, image)| (version, image)))
        });
        let record = self.facts.record.iter().map(|record| (&record.spec.version, &record.spec.image));
        let known = record.chain(served).find(|(known, _)| known.as_str() == version).map(|(_, image)| image.clone());
        known.or_else(|| {
            let repository = self.spec.as_ref().map(|served| served.image.repository())?;
            Image::from_parts(repository, version, None).ok()
        })
    }
}

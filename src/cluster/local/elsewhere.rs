//! Services managed by other tools. Four commands start them, stop them, and report their version and health. IO.

use std::sync::Arc;
use std::time::Duration;

use pintle_core::image::Image;
use pintle_core::pins::Local;

use super::command::{Task, run};
use super::engine::Engine;
use super::picture::{Elsewhere, Health};
use super::record::Spec;
use super::service::{Asked, Service};

/// The time limit of `start` and `stop`, which may fetch an image.
const WITHIN: Duration = Duration::from_secs(600);

/// The time limit of `version` and `health`.
const ANSWER: Duration = Duration::from_secs(10);

/// The polling interval during a change.
const ASK_MOVING: Duration = Duration::from_millis(200);

/// The polling interval of a settled service.
const ASK_STILL: Duration = Duration::from_secs(5);

impl Engine {
    /// Runs the `start` command of the current spec.
    pub(super) fn start_elsewhere(self: &Arc<Self>, name: &str, service: &mut Service) {
        let Some(record) = &service.facts.record else { return };
        let Local::Commands { start, .. } = &*record.spec.local else { return };
        let generation = record.generation;
        let words = start.clone();
        let task = Task { words, within: WITHIN, ..self.task(name, &record.spec, record.state.commit) };
        let unknown = || Elsewhere { runs: None, health: Health::Unknown, starting: false, failed: None };
        let elsewhere = service.facts.elsewhere.get_or_insert_with(unknown);
        (elsewhere.starting, elsewhere.failed, elsewhere.health) = (true, None, Health::Unknown);
        let (engine, name) = (Arc::clone(self), name.to_owned());
        tokio::spawn(async move {
            let ended = run(&task).await;
            if let Some(service) = engine.services().get_mut(&name)
                // A newer write runs its own `start`.
                && service.facts.record.as_ref().is_some_and(|record| record.generation == generation)
                && let Some(elsewhere) = &mut service.facts.elsewhere
            {
                elsewhere.starting = false;
                elsewhere.failed = ended.err().map(|why| format!("`start`: {why}"));
                service.commands = None;
            }
            engine.wake.notify_one();
        });
    }

    /// Runs `version` and `health` if they are due. Returns the time until the next poll.
    pub(super) fn ask_commands(self: &Arc<Self>, name: &str, service: &mut Service) -> Duration {
        let Some(local) = service.local().map(Arc::clone) else { return ASK_STILL };
        let Local::Commands { version, health, .. } = &*local else { return ASK_STILL };
        let still = service.facts.elsewhere.as_ref().is_some_and(|it| it.health == Health::Well && !it.starting);
        let every = if still { ASK_STILL } else { ASK_MOVING };
        if let Some(Asked { at, waits, .. }) = service.commands
            && (waits || at.elapsed() < every)
        {
            return every.saturating_sub(at.elapsed()).max(Duration::from_millis(1));
        }
        service.commands = Some(Asked::now(0));
        let Some(task) = self.question(name, service) else { return ASK_STILL };
        let ask = |words: &[String]| Task { words: words.to_vec(), ..task.clone() };
        let (version, health) = (ask(version), health.as_deref().map(ask));
        let (engine, name) = (Arc::clone(self), name.to_owned());
        tokio::spawn(async move {
            let runs = run(&version).await;
            let health = match (&runs, health) {
                (Err(why), _) => Health::Unwell(format!("`version`: {why}")),
                (Ok(_), Some(health)) => {
                    run(&health).await.map_or_else(|why| Health::Unwell(format!("`health`: {why}")), |_| Health::Well)
                }
                (Ok(_), None) => Health::Well,
            };
            engine.heard(&name, &runs.unwrap_or_default(), health);
        });
        every
    }

    fn question(&self, name: &str, service: &Service) -> Option<Task> {
        let record = service.facts.record.as_ref().map(|record| (record.spec.clone(), record.state.commit));
        let pinned = || {
            let served = service.served.as_ref()?;
            let (image, version, local) = (served.image.clone(), served.version.clone(), served.local.clone()?);
            Some((Spec { image, version, local }, pintle_core::git::CommitId::from([0; 20])))
        };
        let (spec, commit) = record.or_else(pinned)?;
        Some(Task { within: ANSWER, ..self.task(name, &spec, commit) })
    }

    fn heard(&self, name: &str, version: &str, health: Health) {
        if let Some(service) = self.services().get_mut(name) {
            let runs = (!version.is_empty()).then(|| service.image_of(version)).flatten();
            let (starting, failed) =
                service.facts.elsewhere.take().map_or((false, None), |before| (before.starting, before.failed));
            service.facts.elsewhere = Some(Elsewhere { runs, health, starting, failed });
            if let Some(asked) = &mut service.commands {
                asked.waits = false;
            }
        }
        self.wake.notify_one();
    }
}

impl Service {
    /// Returns the image reference of a version.
    fn image_of(&self, version: &str) -> Option<Image> {
        let served = self.served.iter().flat_map(|served| {
            std::iter::once((&served.version, &served.image))
                .chain(served.past.iter().map(|(version, image)| (version, image)))
        });
        let record = self.facts.record.iter().map(|record| (&record.spec.version, &record.spec.image));
        let known = record.chain(served).find(|(known, _)| known.as_str() == version).map(|(_, image)| image.clone());
        known.or_else(|| {
            let repository = self.served.as_ref().map(|served| served.image.repository())?;
            Image::render(repository, version, None).ok()
        })
    }
}

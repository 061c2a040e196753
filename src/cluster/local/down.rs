//! Stops services. IO.
#![expect(clippy::disallowed_methods, reason = "the local runtime waits")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pintle_core::pins::LocalSpec;

use super::command::{ServiceCommand, run_command};
use super::decide::STOP_GRACE_PERIOD;
use super::engine::LocalEngine;
use super::folder::RunState;
use super::service::LocalService;

/// The time limit for processes to end, longer than any kill takes.
const STOP_TIMEOUT: Duration = STOP_GRACE_PERIOD.saturating_add(Duration::from_secs(5));

/// The time limit of `stop`.
const STOP_COMMAND_TIMEOUT: Duration = Duration::from_secs(120);

impl LocalEngine {
    /// Waits until no service is between two states.
    pub(super) async fn finish(&self) {
        if self.lock.is_some() {
            self.wait(|service| !service.is_half_done()).await;
        }
    }

    /// Stops all services: these in this order, all others together with the first.
    pub(super) async fn down(self: &Arc<Self>, order: &[Vec<String>]) -> Vec<(String, Result<(), String>)> {
        self.watch_state_folder();
        let ordered: BTreeSet<&String> = order.iter().flatten().collect();
        let others: Vec<String> = self.services().keys().filter(|name| !ordered.contains(name)).cloned().collect();
        let mut done = Vec::new();
        for names in std::iter::once(&others).chain(order) {
            let mut stops = Vec::new();
            for name in names {
                if let Some(service) = self.services().get_mut(name)
                    && let Some(stop) = self.begin_to_stop(name, service)
                {
                    stops.push((name.clone(), stop));
                }
            }
            self.wake.notify_one();
            let stop = |(name, stop): (String, Result<Option<ServiceCommand>, String>)| async move {
                let stopped = match stop {
                    Ok(Some(task)) => run_command(&task).await.map(drop).map_err(|why| format!("`stop`: {why}")),
                    Ok(None) => Ok(()),
                    Err(why) => Err(why),
                };
                (name, stopped)
            };
            let stopped = futures::future::join_all(stops.into_iter().map(stop)).await;
            self.wait(LocalService::has_ended).await;
            for (name, stopped) in stopped {
                let ended = self.services().get(&name).is_none_or(LocalService::has_ended);
                done.push((name, if ended { stopped } else { stopped.and(Err("it does not end".to_owned())) }));
            }
        }
        done
    }

    /// Marks a service as stopped. Returns its `stop` command if it has one; none if it does not run.
    fn begin_to_stop(&self, name: &str, service: &mut LocalService) -> Option<Result<Option<ServiceCommand>, String>> {
        if let Some(why) = &service.record_error {
            return Some(Err(why.clone()));
        }
        let lives = service.facts.run_states.values().any(|life| !matches!(life, RunState::Ended(_)));
        let record = service.facts.record.as_mut()?;
        let stop = match &*record.spec.local {
            LocalSpec::Commands { stop, .. } if !record.down => Some(stop.clone()),
            LocalSpec::Commands { .. } | LocalSpec::Process { .. } => None,
        };
        if !lives && stop.is_none() {
            return None;
        }
        record.down = true;
        record.kept_by = None;
        service.facts.is_supervised = false;
        let record = &*record;
        let task = |words| ServiceCommand {
            arguments: words,
            timeout: STOP_COMMAND_TIMEOUT,
            ..self.task(name, &record.spec, record.state.commit)
        };
        Some(self.folder.write(name, record).map(|()| stop.map(task)))
    }

    async fn wait(&self, done: impl Fn(&LocalService) -> bool) {
        let begun = Instant::now();
        while begun.elapsed() < STOP_TIMEOUT && !self.services().values().all(&done) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl LocalService {
    /// Returns whether no run is left that should end.
    fn has_ended(&self) -> bool {
        let down = self.facts.record.as_ref().is_some_and(|record| record.down);
        !down || self.facts.record.as_ref().is_none_or(|record| record.runs.is_empty())
    }

    /// Returns whether a process is about to end, or the first of its spec is about to start.
    fn is_half_done(&self) -> bool {
        let Some(record) = &self.facts.record else { return false };
        let starts = self.facts.is_supervised && record.crashes == 0 && record.current_run().is_none();
        let is_process = matches!(*record.spec.local, LocalSpec::Process { .. });
        let coming = self.facts.run_states.values().any(|life| matches!(life, RunState::Starting));
        let stopping = record.runs.iter().any(|run| run.stopping.is_some());
        is_process && (starts || coming || stopping) || self.facts.external.as_ref().is_some_and(|it| it.starting)
    }
}

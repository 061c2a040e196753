//! When a branch is polled: at intervals, when somebody asks for it, and when its refs change on this disk.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::source::{Below, Source};

/// Has a branch polled at once, whatever the interval says.
#[derive(Debug, Clone)]
pub struct PollTrigger(Sender<()>);

impl PollTrigger {
    /// Returns a trigger, and where it is received.
    pub(super) fn new() -> (Self, Receiver<()>) {
        let (trigger, polls) = channel();
        (Self(trigger), polls)
    }

    /// Polls now.
    pub fn poll_now(&self) {
        // At the end nobody receives it.
        let _ = self.0.send(());
    }
}

/// Watches the refs of a repository on this disk; none where nothing can be watched, and the interval alone counts.
pub(super) fn watch_refs(source: &Source, trigger: PollTrigger) -> Option<RecommendedWatcher> {
    let folders = source.folders_of_refs();
    let hear = move |event: notify::Result<notify::Event>| {
        // Reading is an event too, and each poll reads.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            trigger.poll_now();
        }
    };
    let mut watcher = notify::recommended_watcher(hear).ok()?;
    for (folder, below) in &folders {
        let mode = if *below == Below::Too { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        if let Err(error) = watcher.watch(folder, mode) {
            tracing::info!("{} is not watched: {error}", folder.display());
        }
    }
    (!folders.is_empty()).then_some(watcher)
}

/// Waits for a trigger or the end of the interval; false where no trigger is left.
pub(super) fn wait_for_poll(polls: &Receiver<()>, interval: Duration) -> bool {
    match polls.recv_timeout(interval) {
        Ok(()) => {
            while polls.try_recv().is_ok() {}
            true
        }
        Err(RecvTimeoutError::Timeout) => true,
        Err(RecvTimeoutError::Disconnected) => false,
    }
}

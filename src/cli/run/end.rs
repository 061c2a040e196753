//! Ctrl-C and SIGTERM, from the first moment of a run to its last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::cli::exit::CommandError;

/// What tells a run to end.
pub(super) struct ShutdownSignal {
    told: watch::Receiver<bool>,
    at_work: Arc<AtomicBool>,
}

/// Something is under way that is to be brought to an end, until this is dropped.
pub(super) struct GracefulShutdown<'e>(&'e ShutdownSignal);

impl ShutdownSignal {
    /// Listens in a thread of its own: much of what a run does before its first pass blocks. The process ends at once
    /// while nothing is under way, and when it is told twice.
    pub(super) fn listen() -> Result<Self, CommandError> {
        let failed = |error: std::io::Error| CommandError::error(format!("no signals: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
        let (mut terminate, mut interrupt) = {
            let _inside = runtime.enter();
            (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?)
        };
        let (tell, told) = watch::channel(false);
        let at_work = Arc::new(AtomicBool::new(false));
        let is_at_work = Arc::clone(&at_work);
        let listen = async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                let twice = tell.send_replace(true);
                if twice || !is_at_work.load(Ordering::SeqCst) {
                    // Whoever asks twice does not want to wait, and whoever asks early need not.
                    std::process::exit(if twice { 143 } else { 0 });
                }
            }
        };
        let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(listen));
        thread.map(|_| Self { told, at_work }).map_err(failed)
    }

    /// Becomes true when it is told to end.
    pub(super) fn told(&self) -> watch::Receiver<bool> {
        self.told.clone()
    }

    /// From here on it is brought to an end in order.
    pub(super) fn at_work(&self) -> GracefulShutdown<'_> {
        self.at_work.store(true, Ordering::SeqCst);
        GracefulShutdown(self)
    }
}

impl Drop for GracefulShutdown<'_> {
    fn drop(&mut self) {
        self.0.at_work.store(false, Ordering::SeqCst);
    }
}

//! Says on stderr what takes long: nothing for two seconds, then a line that a terminal sees grow older.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What is done in less is not worth a word.
const QUIET_PERIOD: Duration = Duration::from_secs(2);

/// Something that may take long; it is over when this is dropped.
#[derive(Debug)]
pub(super) struct ProgressNote {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ProgressNote {
    /// It starts now.
    pub(super) fn of(what: impl Into<String>) -> Self {
        let what = what.into();
        let (over, wait) = channel::<()>();
        let tell = move || {
            if wait.recv_timeout(QUIET_PERIOD) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let mut err = stderr();
            if !err.is_terminal() {
                let _ = writeln!(err, "{what} …");
                return;
            }
            let mut seconds = QUIET_PERIOD.as_secs();
            loop {
                let _ = write!(err, "\r\x1b[2K{what} … {seconds} s");
                let _ = err.flush();
                if wait.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
                seconds += 1;
            }
            let _ = write!(err, "\r\x1b[2K");
            let _ = err.flush();
        };
        // Without a thread nothing is told, and the work goes on.
        Self { over: Some(over), thread: std::thread::Builder::new().spawn(tell).ok() }
    }
}

impl Drop for ProgressNote {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

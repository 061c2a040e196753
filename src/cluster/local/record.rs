//! The stored record of a service, and the rules on it. Pure.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::git::CommitId;
use pintle_core::image::Image;
use pintle_core::pins::LocalSpec;
use pintle_core::version::Version;
use pintle_core::workload::StateAnnotation;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

/// The version of the record's format.
pub(super) const RECORD_SCHEMA: u32 = 1;

/// The number of consecutive early exits that make a crash loop.
const CRASH_LOOP_THRESHOLD: u32 = 4;

/// The lifetime from which an exit is not early and starts a new count.
const CRASH_STREAK_RESET_AFTER: Duration = Duration::from_secs(10);

/// The back-off after the first crash; it doubles with each further one.
const INITIAL_RESTART_BACKOFF: Duration = Duration::from_millis(250);

/// The longest back-off, as in Kubernetes.
const MAX_RESTART_BACKOFF: Duration = Duration::from_secs(300);

/// The stored record of one service, always written as a whole by the holder of the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ServiceRecord {
    /// The format version, [`SCHEMA`].
    pub(super) schema: u32,
    /// The first start of the service in this folder. It serves as the uid.
    pub(super) made: Timestamp,
    /// Counts the writes of Pintle. It serves as the resource version.
    pub(super) revision: u64,
    /// Counts the changes of `spec`.
    pub(super) generation: i64,
    /// The spec started last.
    pub(super) spec: ProcessSpec,
    /// Whether `pintle down` stopped the service since.
    pub(super) down: bool,
    /// The process that restarts the service, as long as it lives.
    pub(super) kept_by: Option<ProcessId>,
    pub(super) written: Timestamp,
    pub(super) state: StateAnnotation,
    /// The processes not known to have ended, oldest first.
    pub(super) runs: Vec<ProcessRun>,
    pub(super) next: u32,
    /// The number of consecutive early exits of `spec`.
    pub(super) crashes: u32,
    /// The last exit of a process of `spec`.
    pub(super) exit: Option<ProcessExit>,
}

/// The spec of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessSpec {
    pub(super) image: Image,
    pub(super) version: Version,
    /// The `local:` section pinned with the version.
    pub(super) local: Arc<LocalSpec>,
}

/// A process that was started, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessRun {
    /// The number; its file is `run-NUMBER`.
    pub(super) number: u32,
    pub(super) spec: ProcessSpec,
    /// The commit of its pin.
    pub(super) commit: CommitId,
    pub(super) begun: Timestamp,
    /// The time of the request to stop.
    pub(super) stopping: Option<Timestamp>,
}

/// A line of a run's file, written by its shim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum RunFileLine {
    Started(ProcessId),
    /// The process ended, or never started.
    Ended(ProcessExit),
}

/// The identity of a process. A pid alone is not enough, because pids are reused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessId {
    pub(super) pid: i32,
    /// The start time in the system's format.
    pub(super) start: String,
}

/// The exit of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessExit {
    pub(super) at: Timestamp,
    pub(super) how: ExitCause,
    /// The last line of its log.
    pub(super) said: String,
}

/// The cause of an exit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ExitCause {
    Code(i32),
    Signal(i32),
    /// The process could not be started; the system's error.
    NotStarted(String),
    /// The exit was not observed.
    Unknown,
}

impl ServiceRecord {
    /// Records an unrequested exit of a process of `spec`.
    pub(super) fn record_crash(&mut self, run: &ProcessRun, exit: ProcessExit) {
        let lived = Duration::try_from(exit.at.duration_since(run.begun)).unwrap_or_default();
        self.crashes = if lived < CRASH_STREAK_RESET_AFTER { self.crashes.saturating_add(1) } else { 1 };
        self.exit = Some(exit);
    }

    /// Returns the time from which the next process of `spec` may start.
    pub(super) fn restart_time(&self) -> Option<Timestamp> {
        let exit = self.exit.as_ref()?;
        let wait = INITIAL_RESTART_BACKOFF
            .saturating_mul(1 << self.crashes.saturating_sub(1).min(16))
            .min(MAX_RESTART_BACKOFF);
        exit.at.checked_add(wait).ok()
    }

    /// Returns whether a restart would probably end the same way.
    pub(super) fn is_crash_looping(&self) -> bool {
        let never = self.exit.as_ref().is_some_and(|exit| exit.how.is_start_failure());
        never || self.crashes >= CRASH_LOOP_THRESHOLD
    }

    /// Makes the newest live run the current spec, if no process restarts the service. A newer version that has ended
    /// is no longer awaited.
    pub(super) fn fall_back_to_running(&mut self, lives: impl Fn(&ProcessRun) -> bool) {
        if self.current_run().is_some_and(&lives) {
            return;
        }
        let Some(run) = self.runs.iter().rev().find(|run| run.stopping.is_none() && lives(run)) else { return };
        self.state.version = run.spec.version.clone();
        self.state.commit = run.commit;
        self.spec = run.spec.clone();
        (self.crashes, self.exit) = (0, None);
    }

    /// Returns the run of `spec` that is not stopping.
    pub(super) fn current_run(&self) -> Option<&ProcessRun> {
        self.runs.iter().rev().find(|run| run.stopping.is_none() && run.spec.image == self.spec.image)
    }
}

impl ExitCause {
    /// Returns whether the program did not start. Shells report a missing program by 127 and one that is not executable
    /// by 126.
    pub(super) fn is_start_failure(&self) -> bool {
        matches!(self, Self::NotStarted(_) | Self::Code(126 | 127))
    }
}

impl fmt::Display for ProcessExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            ExitCause::Code(code) => write!(f, "exit code {code}")?,
            ExitCause::Signal(signal) => write!(f, "ended by signal {signal}{}", named(*signal))?,
            ExitCause::NotStarted(why) => write!(f, "{why}")?,
            ExitCause::Unknown => write!(f, "it has ended, and nobody saw how")?,
        }
        // After a success or a signal, the last line of the log is unrelated.
        let says_why = matches!(self.how, ExitCause::Code(code) if code != 0) && !self.said.is_empty();
        if says_why { write!(f, "; last line of its log: \"{}\"", self.said) } else { Ok(()) }
    }
}

/// Returns the name of a signal that commonly ends programs.
fn named(signal: i32) -> String {
    let names = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
    ];
    let name = names.iter().find(|(known, _)| known.as_raw() == signal);
    name.map_or_else(String::new, |(_, name)| format!(" ({name})"))
}

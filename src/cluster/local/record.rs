//! What the state folder holds of a service: plain data, and what it means. Pure.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_core::git::CommitId;
use pintle_core::image::Image;
use pintle_core::pins::Local;
use pintle_core::version::Version;
use pintle_core::workload::State;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

/// What this version reads and writes.
pub(super) const SCHEMA: u32 = 1;

/// Exits in a row, each soon after its start, that make a crash loop.
const CRASHES: u32 = 4;

/// A process that ran so long did not crash in a row with the one before.
const SOON: Duration = Duration::from_secs(10);

/// The wait before a second start; it doubles with each further one.
const BACK_OFF: Duration = Duration::from_millis(250);

/// The longest wait before a start: Kubernetes' too.
const LONGEST: Duration = Duration::from_secs(300);

/// All that is remembered of one service: written whole, by whoever holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// [`SCHEMA`].
    pub(super) schema: u32,
    /// When the service was first started here.
    pub(super) made: Timestamp,
    /// Counts the writes of Pintle.
    pub(super) revision: u64,
    /// Counts the changes of `spec`.
    pub(super) generation: i64,
    /// What was started last.
    pub(super) spec: Spec,
    /// It was stopped by `pintle down` since.
    pub(super) down: bool,
    /// Who starts it again when it ends, as long as that process lives.
    pub(super) kept_by: Option<Process>,
    /// When `spec` was written.
    pub(super) written: Timestamp,
    /// What Pintle remembers.
    pub(super) state: State,
    /// The processes that are not known to have ended, oldest first.
    pub(super) runs: Vec<Run>,
    /// The number of the next run.
    pub(super) next: u32,
    /// How often in a row processes of `spec` ended soon after their start.
    pub(super) crashes: u32,
    /// How the last process of `spec` ended.
    pub(super) exit: Option<Exit>,
}

/// What shall run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) image: Image,
    pub(super) version: Version,
    /// As it was pinned with the version.
    pub(super) local: Arc<Local>,
}

/// A process that was started, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// Its file is `run-NUMBER`.
    pub(super) number: u32,
    pub(super) spec: Spec,
    /// Whose pin it was.
    pub(super) commit: CommitId,
    pub(super) begun: Timestamp,
    /// When it was asked to end.
    pub(super) stopping: Option<Timestamp>,
}

/// A line of a run's file, written by its shim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Line {
    /// It has started.
    Started(Process),
    /// It has ended, or never started.
    Ended(Exit),
}

/// A process that no other is taken for: pids are used again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    pub(super) pid: i32,
    /// When it started, as the system tells it.
    pub(super) start: String,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Exit {
    pub(super) at: Timestamp,
    pub(super) how: How,
    /// The last line that it wrote to its log.
    pub(super) said: String,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum How {
    /// By itself.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// It could not be started; the system's words.
    NotStarted(String),
    /// Nobody saw it.
    Unknown,
}

impl Record {
    /// Takes in that a process of `spec` has ended without being asked to.
    pub(super) fn crashed(&mut self, run: &Run, exit: Exit) {
        let lived = Duration::try_from(exit.at.duration_since(run.begun)).unwrap_or_default();
        self.crashes = if lived < SOON { self.crashes.saturating_add(1) } else { 1 };
        self.exit = Some(exit);
    }

    /// When the next process of `spec` may start.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let exit = self.exit.as_ref()?;
        let wait = BACK_OFF.saturating_mul(1 << self.crashes.saturating_sub(1).min(16)).min(LONGEST);
        exit.at.checked_add(wait).ok()
    }

    /// Starting it again would end the same way, as far as one can tell.
    pub(super) fn is_hopeless(&self) -> bool {
        let never = self.exit.as_ref().is_some_and(|exit| exit.how.is_no_start());
        never || self.crashes >= CRASHES
    }

    /// Where nobody keeps it, it is what runs: a newer version that has ended is not what anybody waits for.
    pub(super) fn fall_back(&mut self, lives: impl Fn(&Run) -> bool) {
        if self.current().is_some_and(&lives) {
            return;
        }
        let Some(run) = self.runs.iter().rev().find(|run| run.stopping.is_none() && lives(run)) else { return };
        self.state.version = run.spec.version.clone();
        self.state.commit = run.commit;
        self.spec = run.spec.clone();
        (self.crashes, self.exit) = (0, None);
    }

    /// The run of `spec`, if there is one that shall stay.
    pub(super) fn current(&self) -> Option<&Run> {
        self.runs.iter().rev().find(|run| run.stopping.is_none() && run.spec.image == self.spec.image)
    }
}

impl How {
    /// What shells say of a program that is missing (127) or not executable (126) counts too.
    pub(super) fn is_no_start(&self) -> bool {
        matches!(self, Self::NotStarted(_) | Self::Code(126 | 127))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            How::Code(code) => write!(f, "exit code {code}")?,
            How::Signal(signal) => write!(f, "ended by signal {signal}{}", named(*signal))?,
            How::NotStarted(why) => write!(f, "{why}")?,
            How::Unknown => write!(f, "it has ended, and nobody saw how")?,
        }
        // Who ended well, or was ended, wrote last of something else.
        let says_why = matches!(self.how, How::Code(code) if code != 0) && !self.said.is_empty();
        if says_why { write!(f, "; last line of its log: \"{}\"", self.said) } else { Ok(()) }
    }
}

/// The name of a signal, where it is one by which programs end.
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

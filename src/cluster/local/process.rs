//! Processes of this host: identity, liveness and signals. IO.
//!
//! A pid alone is no identity, because it is reused. The start time completes it, and both are compared before a signal
//! is sent.
#![expect(clippy::disallowed_methods, reason = "the local runtime looks at processes")]

use rustix::process::{Pid, Signal, getpid, kill_process_group};

use super::record::ProcessId;

impl ProcessId {
    /// Identifies a running process.
    pub(super) fn find(pid: i32) -> Option<Self> {
        Some(Self { pid, start: start(pid)? })
    }

    /// Identifies this process.
    pub(super) fn current() -> Option<Self> {
        Self::find(getpid().as_raw_pid())
    }

    /// Returns whether this process still runs, as opposed to another one with the same pid.
    pub(super) fn is_alive(&self) -> bool {
        start(self.pid).is_some_and(|start| start == self.start)
    }

    /// Sends SIGTERM to the process and its children.
    pub(super) fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends SIGKILL to the process and its children.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_alive())
            && let Err(error) = kill_process_group(pid, signal)
        {
            tracing::info!("no signal to process {}: {error}", self.pid);
        }
    }
}

/// Returns the start time of a process: the boot id and the clock ticks since that boot. An ended process has none,
/// even before its parent has reaped it.
#[cfg(target_os = "linux")]
fn start(pid: i32) -> Option<String> {
    use std::sync::OnceLock;
    static BOOT: OnceLock<String> = OnceLock::new();
    let boot = BOOT.get_or_init(|| {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
    });
    let stat = ProcStat::of(pid)?;
    (!stat.ended).then(|| format!("{boot}/{}", stat.start))
}

/// Returns the start time of a process from `ps`, which every Unix has.
#[cfg(not(target_os = "linux"))]
fn start(pid: i32) -> Option<String> {
    let ps = std::process::Command::new("ps").args(["-o", "state=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&ps.stdout).trim().to_owned();
    let (state, start) = text.split_once(' ')?;
    (!state.starts_with('Z')).then(|| start.trim().to_owned())
}

/// The fields read from `/proc/PID/stat` (proc(5)).
#[cfg(target_os = "linux")]
pub(super) struct ProcStat {
    ended: bool,
    pub(super) session: i32,
    start: u64,
}

#[cfg(target_os = "linux")]
impl ProcStat {
    pub(super) fn of(pid: i32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in brackets, which may itself contain blanks and brackets.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        // The rest begins with the third field: state is the 3rd, session the 6th, starttime the 22nd.
        let ended = matches!(*fields.first()?, "Z" | "X" | "x");
        Some(Self { ended, session: fields.get(3)?.parse().ok()?, start: fields.get(19)?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_that_started_at_another_time_has_only_its_pid() {
        let this = ProcessId::current().unwrap();
        assert!(this.is_alive());
        let earlier = ProcessId { start: format!("{}0", this.start), ..this };
        assert!(!earlier.is_alive());
    }

    #[test]
    fn a_process_that_has_ended_does_not_live_even_before_its_parent_has_noticed() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = ProcessId::find(i32::try_from(child.id()).unwrap()).unwrap();
        assert!(process.is_alive());
        child.kill().unwrap();
        while process.is_alive() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(!process.is_alive());
    }
}

//! Processes of this host: who they are, whether they live, and signals. IO.
//!
//! A pid alone names nobody: it may be another's by now. With it goes the time when the process started, and no signal
//! is sent before both were found to agree.
#![expect(clippy::disallowed_methods, reason = "the local runtime looks at processes")]

use rustix::process::{Pid, Signal, getpid, kill_process_group};

use super::record::Process;

impl Process {
    /// A process that runs now.
    pub(super) fn of(pid: i32) -> Option<Self> {
        Some(Self { pid, start: start(pid)? })
    }

    /// This one.
    pub(super) fn this() -> Option<Self> {
        Self::of(getpid().as_raw_pid())
    }

    /// Whether it still runs: it, and no other that has its pid now.
    pub(super) fn lives(&self) -> bool {
        start(self.pid).is_some_and(|start| start == self.start)
    }

    /// Asks it and what it has started to end, as `kill` does.
    pub(super) fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it and what it has started, as `kill -9` does.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.lives())
            && let Err(error) = kill_process_group(pid, signal)
        {
            tracing::info!("no signal to process {}: {error}", self.pid);
        }
    }
}

/// When a process started: since which boot, and how many ticks after it. None where it has ended, its parent may not
/// have noticed yet.
#[cfg(target_os = "linux")]
fn start(pid: i32) -> Option<String> {
    use std::sync::OnceLock;
    static BOOT: OnceLock<String> = OnceLock::new();
    let boot = BOOT.get_or_init(|| {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
    });
    let stat = Stat::of(pid)?;
    (!stat.ended).then(|| format!("{boot}/{}", stat.start))
}

/// The same by `ps`, which every Unix has.
#[cfg(not(target_os = "linux"))]
fn start(pid: i32) -> Option<String> {
    let ps = std::process::Command::new("ps").args(["-o", "state=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&ps.stdout).trim().to_owned();
    let (state, start) = text.split_once(' ')?;
    (!state.starts_with('Z')).then(|| start.trim().to_owned())
}

/// What `/proc/PID/stat` says (proc(5)).
#[cfg(target_os = "linux")]
pub(super) struct Stat {
    ended: bool,
    pub(super) session: i32,
    start: u64,
}

#[cfg(target_os = "linux")]
impl Stat {
    pub(super) fn of(pid: i32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in brackets, which may hold both blanks and brackets.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        // From the third field on: state is the 3rd, session the 6th, starttime the 22nd.
        let ended = matches!(*fields.first()?, "Z" | "X" | "x");
        Some(Self { ended, session: fields.get(3)?.parse().ok()?, start: fields.get(19)?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_that_started_at_another_time_has_only_its_pid() {
        let this = Process::this().unwrap();
        assert!(this.lives());
        let earlier = Process { start: format!("{}0", this.start), ..this };
        assert!(!earlier.lives());
    }

    #[test]
    fn a_process_that_has_ended_does_not_live_even_before_its_parent_has_noticed() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::of(i32::try_from(child.id()).unwrap()).unwrap();
        assert!(process.lives());
        child.kill().unwrap();
        while process.lives() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(!process.lives());
    }
}

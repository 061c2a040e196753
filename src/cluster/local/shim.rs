//! The shim of one process: starts it in a new session, bounds its log, and records its exit. IO.
//!
//! It outlives the command that started it, as containerd's shims do, and restarts nothing. If the shim is killed, its
//! process keeps running; only the exit code and the bound of the log are lost.
#![expect(clippy::disallowed_methods, reason = "the shim starts a process")]

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, setsid, waitid};

use super::log;
use super::record::{ExitCause, ProcessExit, ProcessId, RunFileLine};

/// The interval at which the log's size is checked.
const LOOK: Duration = Duration::from_secs(1);

/// Runs one process to its end. Stdin is the run's file; its lock proves to others that the shim is alive.
///
/// # Errors
/// The run's file cannot be written.
pub fn run_shim(log: &Path, run: &[String]) -> io::Result<()> {
    // Fails only for a process group leader, which a shim started by a shell is.
    let _ = setsid();
    let mut file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let before = log::length(log);
    let ended = match start(log, run) {
        Ok((mut child, process)) => {
            let noted = note(&mut file, &RunFileLine::Started(process.clone()));
            if noted.is_err() {
                process.kill();
            }
            let exit = wait(&mut child, log, before);
            noted?;
            exit
        }
        Err(error) => ProcessExit { at: Timestamp::now(), how: ExitCause::NotStarted(error), said: String::new() },
    };
    note(&mut file, &RunFileLine::Ended(ended))
}

fn start(log: &Path, run: &[String]) -> Result<(Child, ProcessId), String> {
    let (program, arguments) = run.split_first().ok_or("no program is named")?;
    let open = || OpenOptions::new().create(true).append(true).open(log);
    let logs = open().and_then(|out| Ok((out.try_clone()?, out)));
    let (out, err) = logs.map_err(|error| format!("{}: {error}", log.display()))?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(out).stderr(err).process_group(0);
    let child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let pid = i32::try_from(child.id()).map_err(|_| "it has no pid")?;
    // A process that has already ended has no start time.
    Ok((child, ProcessId::find(pid).unwrap_or(ProcessId { pid, start: String::new() })))
}

/// Waits for the process to end, and kills its remaining children. `before` is the size of the log at the start.
fn wait(child: &mut Child, log: &Path, before: u64) -> ProcessExit {
    let bounded = log.to_owned();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(LOOK);
            log::rotate_if_long(&bounded);
        }
    });
    // Until the process is reaped, its pid cannot be reused and still identifies its group.
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        while waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            .is_err_and(|error| error == rustix::io::Errno::INTR)
        {}
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let how = match child.wait() {
        Ok(status) => {
            status.code().map(ExitCause::Code).or(status.signal().map(ExitCause::Signal)).unwrap_or(ExitCause::Unknown)
        }
        Err(_) => ExitCause::Unknown,
    };
    ProcessExit { at: Timestamp::now(), how, said: log::last_line(log, before) }
}

/// Appends a line in a single write, so that readers see all of it or nothing.
fn note(file: &mut File, line: &RunFileLine) -> io::Result<()> {
    file.write_all(format!("{}\n", serde_json::json!(line)).as_bytes())
}

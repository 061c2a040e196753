//! Runs a command of a service to completion: `start`, `stop`, `version`, or health. IO.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use pintle_core::problem::display_safe;
use tokio::process::Command;
use tokio::time::timeout;

use super::record::ProcessId;

/// A command to run.
#[derive(Debug, Clone)]
pub(super) struct ServiceCommand {
    pub(super) arguments: Vec<String>,
    /// The working directory.
    pub(super) working_folder: PathBuf,
    /// Additional environment variables.
    pub(super) environment: Vec<(&'static str, String)>,
    /// The time limit, after which it is killed.
    pub(super) timeout: Duration,
}

/// Returns the command's output if it exits with code 0, else the reason.
pub(super) async fn run_command(task: &ServiceCommand) -> Result<String, String> {
    let Some((program, arguments)) = task.arguments.split_first() else { return Err("no program is named".to_owned()) };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&task.working_folder)
        .envs(task.environment.iter().map(|(name, value)| (name, value)));
    // A separate process group: Ctrl-C reaches Pintle alone, and the command's children are killed with it.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    let child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let process = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(ProcessId::find);
    let Ok(output) = timeout(task.timeout, child.wait_with_output()).await else {
        if let Some(process) = process {
            process.kill();
        }
        return Err(format!("{program} does not end within {} s", task.timeout.as_secs()));
    };
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said =
        String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr }).into_owned();
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).map(|line| display_safe(line.trim(), 300));
    let last = last.map(|last| format!(": {last}")).unwrap_or_default();
    Err(match output.status.code() {
        Some(code) => format!("exit code {code}{last}"),
        None => format!("it was ended by a signal{last}"),
    })
}

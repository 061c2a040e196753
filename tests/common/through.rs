//! Commands that are run under conditions: on a small disk, without some right, with a limit.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The same command, started by another program, which runs what follows its own arguments.
pub(crate) fn through(before: &[&str], command: &Command) -> Command {
    let mut all = Command::new(before[0]);
    all.args(&before[1..]).arg(command.get_program()).args(command.get_args());
    all.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        all.current_dir(folder);
    }
    all
}

/// With no more rights over files than their modes give, root too.
pub(crate) fn by_modes(command: &Command) -> Command {
    let keep = "--bounding-set=-dac_override,-dac_read_search";
    if is_root() { through(&["setpriv", keep], command) } else { through(&["env"], command) }
}

/// With a disk of 4 MiB of its own in place of a folder; none where this host lets nobody mount anything.
pub(crate) fn on_a_small_disk(folder: &Path, command: &Command) -> Option<Command> {
    let mount = "mount -t tmpfs -o size=4m tmpfs \"$0\" && exec \"$@\"";
    let mut before = UNSHARE.to_vec();
    before.extend(if is_root() { &[][..] } else { &["--user", "--map-root-user"] });
    let (sh, place) = (["sh", "-c", mount], folder.to_str().unwrap());
    before.extend(sh);
    before.push(place);
    let tried = through(&before, &Command::new("true")).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success()).then(|| through(&before, command))
}

const UNSHARE: [&str; 2] = ["unshare", "--mount"];

/// Lets nobody write to the disk of a process any more, or lets them again.
pub(crate) fn remount(pid: u32, folder: &Path, mode: &str) {
    let pid = pid.to_string();
    let mut enter = Command::new("nsenter");
    enter.args(["--target", &pid, "--mount"]);
    if !is_root() {
        enter.args(["--user", "--preserve-credentials"]);
    }
    enter.args(["mount", "-o", &format!("remount,{mode}")]).arg(folder).stderr(Stdio::null());
    // A file that is open for writing just then keeps the disk from becoming read-only.
    let remounted = (0..3000).any(|_| {
        let done = enter.status().unwrap().success();
        if !done {
            std::thread::sleep(Duration::from_millis(100));
        }
        done
    });
    assert!(remounted, "{enter:?}");
}

/// The most files that a process may have open.
pub(crate) fn limit_files(pid: u32, most: usize) {
    let status = Command::new("prlimit").args(["--pid", &pid.to_string(), &format!("--nofile={most}:")]).status();
    assert!(status.unwrap().success());
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

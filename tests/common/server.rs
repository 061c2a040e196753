//! One server process: it cannot outlive the test run, and its log stands beside it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::Instant;

use super::limit::EMERGENCY;

/// The folder of the programs of `kubernetes` or `gitea`; the script that builds them knows it.
pub(crate) fn programs(of: &str) -> Result<PathBuf, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/build");
    let output = Command::new("sh").arg(&script).args(["--where", of]).output().map_err(|e| e.to_string())?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
    if folder.is_dir() {
        return Ok(folder);
    }
    Err("the test servers are not built: `make servers` builds them, once, in about 8 minutes".to_owned())
}

pub(crate) struct Server {
    program: PathBuf,
    folder: PathBuf,
    args: Vec<String>,
    child: Child,
}

impl Server {
    pub(crate) fn start(program: &Path, folder: &Path, args: &str) -> Self {
        let args: Vec<_> = args.split_whitespace().map(str::to_owned).collect();
        let child = run(program, folder, &args);
        Self { program: program.to_owned(), folder: folder.to_owned(), args, child }
    }

    pub(crate) fn name(&self) -> std::borrow::Cow<'_, str> {
        self.program.file_name().unwrap().to_string_lossy()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Refuses to wait any longer for what has ended, or has had its time.
    pub(crate) fn may_still_come(&mut self, what: &str, deadline: Instant) -> Result<(), String> {
        let why = match self.exited() {
            Some(status) => format!("{} ended with {status} before it {what}", self.name()),
            None if Instant::now() > deadline => format!("no {} that {what} after {EMERGENCY:?}", self.name()),
            None => return Ok(()),
        };
        Err(format!("{why}; its log ends:\n{}", self.log()))
    }

    /// Sends a signal by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh").args(["-c", &format!("kill -s {name} {}", self.pid())]).status().unwrap();
        assert!(status.success(), "cannot send {name} to {}", self.name());
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = run(&self.program, &self.folder, &self.args);
    }

    /// The last lines of the log.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(log_file(&self.program, &self.folder)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn log_file(program: &Path, folder: &Path) -> PathBuf {
    folder.join(program.file_name().unwrap()).with_extension("log")
}

fn run(program: &Path, folder: &Path, args: &[String]) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(log_file(program, folder)).unwrap();
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    die_with_us(&mut command);
    spawn(command).unwrap_or_else(|e| panic!("cannot run {}: {e}", program.display()))
}

/// Spawns from one thread that lives as long as this process.
///
/// A death signal is bound to the *thread* that spawned, and the test harness ends a thread with each test: the shared
/// servers would die with the test that happened to start them.
fn spawn(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                answer.send(command.spawn()).unwrap();
            }
        });
        orders
    });
    let (answer, child) = mpsc::channel();
    SPAWNER.send((command, answer)).unwrap();
    child.recv().unwrap()
}

/// Has the kernel kill the child when this process ends, also by `kill -9`.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "there is no safe way to ask for a death signal between fork and exec")]
fn die_with_us(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let us = libc::pid_t::try_from(std::process::id()).unwrap();
    let ask = move || {
        // SAFETY: both are plain system calls without pointers, allowed after a fork.
        let (asked, parent) = unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), libc::getppid()) };
        if asked == -1 {
            return Err(io::Error::last_os_error());
        }
        // Where we ended before the child asked, nothing would kill it.
        if parent == us { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: the closure allocates nothing and takes no lock.
    unsafe { command.pre_exec(ask) };
}

#[cfg(not(target_os = "linux"))]
fn die_with_us(_: &mut Command) {}

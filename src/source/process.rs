//! A remote behind a local program: ssh, or git for `file://`. The program is killed after a time limit.
#![expect(clippy::disallowed_methods, reason = "this room starts programs")]

use std::io::Read as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::url::UrlScheme;
use super::{Access, RemoteUrl};

/// A running program connected to the remote. Dropping it kills the program.
pub(super) struct TransportProcess {
    child: Arc<Mutex<Child>>,
    timed_out: Arc<AtomicBool>,
    errors: Option<JoinHandle<String>>,
    /// Dropping it cancels the timeout.
    _waiting: Sender<()>,
}

/// The Git service requested from the remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GitService {
    /// `git-upload-pack`: sends objects to a fetch.
    UploadPack,
    /// `git-receive-pack`: receives objects of a push.
    ReceivePack,
}

/// Starts the program for a URL.
pub(super) fn spawn_transport(
    url: &RemoteUrl,
    access: &Access,
    within: Duration,
    side: GitService,
) -> std::io::Result<(TransportProcess, ChildStdout, ChildStdin)> {
    let mut command = match url.scheme {
        UrlScheme::Ssh => ssh(url, access, side),
        UrlScheme::File | UrlScheme::Http | UrlScheme::Https => file(url, side),
    };
    command.env("GIT_TERMINAL_PROMPT", "0");
    // Protocol version 2 does not cover pushes.
    if side == GitService::UploadPack {
        command.env("GIT_PROTOCOL", "version=2");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let pipes = child.stdout.take().zip(child.stdin.take()).zip(child.stderr.take());
    let Some(((stdout, stdin), mut stderr)) = pipes else { return Err(std::io::ErrorKind::BrokenPipe.into()) };
    let errors = std::thread::spawn(move || {
        let mut first = Vec::new();
        let _ = (&mut stderr).take(8192).read_to_end(&mut first);
        // The rest is drained so that the program does not block on a full pipe.
        let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        String::from_utf8_lossy(&first).into_owned()
    });
    let child = Arc::new(Mutex::new(child));
    let late = Arc::new(AtomicBool::new(false));
    let (dog, whistle) = (Arc::clone(&child), Arc::clone(&late));
    let waiting = run_after(within, move || {
        whistle.store(true, Ordering::Relaxed);
        end(&dog);
    });
    Ok((TransportProcess { child, timed_out: late, errors: Some(errors), _waiting: waiting }, stdout, stdin))
}

/// Runs an action after a delay, unless the returned sender is dropped first.
pub(super) fn run_after(time: Duration, act: impl FnOnce() + Send + 'static) -> Sender<()> {
    let (waiting, watched) = channel();
    std::thread::spawn(move || {
        if watched.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
            act();
        }
    });
    waiting
}

impl TransportProcess {
    /// Kills the program. Returns whether it exceeded the time limit, and its standard error.
    pub(super) fn finish(mut self) -> (bool, String) {
        // A program whose remote has hung up exits by itself; its last error message is worth a short wait.
        let patience = Duration::from_millis(500);
        for _ in 0..50 {
            if lock(&self.child).try_wait().is_ok_and(|status| status.is_some()) {
                break;
            }
            std::thread::sleep(patience / 50);
        }
        end(&self.child);
        let errors = self.errors.take().and_then(|errors| errors.join().ok());
        (self.timed_out.load(Ordering::Relaxed), errors.unwrap_or_default())
    }
}

impl Drop for TransportProcess {
    fn drop(&mut self) {
        end(&self.child);
    }
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end(child: &Mutex<Child>) {
    let mut child = lock(child);
    let _ = child.kill();
    let _ = child.wait();
}

/// Builds `ssh -o … [-p port] [user@]host "git-upload-pack '<path>'"`. The user's ssh configuration applies.
fn ssh(url: &RemoteUrl, access: &Access, side: GitService) -> Command {
    let (program, options) = access.ssh.split_first().map_or(("ssh", &[][..]), |(first, rest)| (first.as_str(), rest));
    let mut command = Command::new(program);
    command.args(options);
    // BatchMode never prompts, so ssh refuses an unknown host key.
    for option in ["BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=15", "SendEnv=GIT_PROTOCOL"] {
        command.args(["-o", option]);
    }
    if let Some(port) = url.port {
        command.args(["-p", &port.to_string()]);
    }
    // ssh takes an IPv6 address without brackets.
    command.arg("--").arg(url.authority.replace(['[', ']'], ""));
    // The parser excludes quotes from the path. The remote shell expands a leading `~`.
    let (home, path) = match url.path.strip_prefix('~') {
        Some(rest) => {
            rest.split_once('/').map_or((url.path.as_str(), ""), |(user, path)| (&url.path[..=user.len()], path))
        }
        None => ("", url.path.as_str()),
    };
    let slash = if home.is_empty() { "" } else { "/" };
    let service = match side {
        GitService::UploadPack => "git-upload-pack",
        GitService::ReceivePack => "git-receive-pack",
    };
    command.arg(format!("{service} {home}{slash}'{path}'"));
    command
}

fn file(url: &RemoteUrl, side: GitService) -> Command {
    let mut command = Command::new("git");
    match side {
        GitService::UploadPack => command.arg("upload-pack"),
        GitService::ReceivePack => command.arg("receive-pack"),
    };
    command.arg("--").arg(&url.path);
    command
}

/// Returns the program for a URL, for messages.
pub(super) fn program<'a>(url: &RemoteUrl, access: &'a Access) -> &'a str {
    if url.scheme == UrlScheme::Ssh { access.ssh.first().map_or("ssh", String::as_str) } else { "git" }
}

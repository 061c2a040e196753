//! Services as processes of this host: a repository of the local runtime, and what its processes do, as the system shows
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pintle_core::git::CommitId;
use tempfile::TempDir;

use super::git::{TestRepo, hermetic};
use super::limit::EMERGENCY;
use super::promise::Promise;
use super::recorder::{Event, Recording, What};
use super::running::Running;
use super::shop::Printed;

/// A repository of which the first commit pins services; none runs yet. What runs ends with the value.
pub(crate) struct Host {
    pub repo: TestRepo,
    home: TempDir,
    ports: BTreeMap<String, u16>,
}

/// `examples/shop`, built once.
pub(crate) fn shop() -> &'static PathBuf {
    static SHOP: OnceLock<PathBuf> = OnceLock::new();
    SHOP.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        // What cargo tells tests of their package would have others built anew.
        std::env::vars_os().map(|(name, _)| name).filter(|name| is_of_package(name)).for_each(|name| {
            build.env_remove(name);
        });
        assert!(build.args(["build", "--quiet", "--example", "shop"]).status().unwrap().success());
        PathBuf::from(env!("CARGO_BIN_EXE_pintle")).with_file_name("examples").join("shop")
    })
}

fn is_of_package(variable: &OsStr) -> bool {
    let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "LD_LIBRARY_PATH"];
    of_package.iter().any(|start| variable.to_string_lossy().starts_with(start))
}

impl Host {
    /// Services are given as `payments 2.0.3`, with flags of the shop as `payments 2.0.3 stubborn`.
    pub(crate) fn new(services: &[&str]) -> Self {
        let repo = TestRepo::new();
        let mut host = Self { repo, home: tempfile::tempdir().unwrap(), ports: BTreeMap::new() };
        host.settings("");
        for service in services {
            let (name, version) = service.split_once(' ').unwrap();
            host.pin(name, version, "");
        }
        host.commit("Pin all");
        host
    }

    /// The same, and all run.
    pub(crate) async fn open(services: &[&str]) -> Self {
        let host = Self::new(services);
        host.apply().await;
        host
    }

    /// Writes `pintle.yaml`: these lines, and that processes are run.
    pub(crate) fn settings(&self, lines: &str) -> &Self {
        let text = format!("apiVersion: pintle.dev/v1alpha1\ninstance: test\nruntime: local\n{lines}");
        self.repo.write("pintle.yaml", text);
        self
    }

    /// The port of a service.
    pub(crate) fn port(&mut self, name: &str) -> u16 {
        *self.ports.entry(name.to_owned()).or_insert_with(free_port)
    }

    /// Writes the file of a service. `version` may be followed by flags of the shop, as in `linger=500`; `missing` names a program that is not
    /// there instead. `rest` are further lines.
    pub(crate) fn pin(&mut self, name: &str, version: &str, rest: &str) -> &mut Self {
        let mut words = version.split(' ');
        let version = words.next().unwrap();
        let flags: Vec<&str> = words.collect();
        let port = self.port(name);
        let program = if flags.contains(&"missing") { "./missing" } else { shop().to_str().unwrap() };
        let rolling = flags.contains(&"share");
        let flags = flags.iter().filter(|flag| **flag != "missing").flat_map(|flag| {
            let (flag, value) = flag.split_once('=').unwrap_or((flag, ""));
            [", --", flag, if value.is_empty() { "" } else { ", " }, value]
        });
        let flags = flags.collect::<String>();
        let run = format!("[{program}, {name}, --version, \"{{version}}\", --port, \"{port}\"{flags}]");
        let local = format!("local: {{run: {run}, port: {port}, health: {{http: /healthz}}, rolling: {rolling}}}");
        self.repo.write(&format!("services/{name}.yaml"), format!("version: \"{version}\"\n{local}\n{rest}"));
        self
    }

    /// Has a service be well only once the test writes the file `well`.
    pub(crate) fn well_by_hand(&self, name: &str) -> &Self {
        let file = format!("services/{name}.yaml");
        let text = std::fs::read_to_string(self.repo.path().join(&file)).unwrap();
        self.repo.write(&file, text.replace("{http: /healthz}", "{command: [test, -f, well]}"));
        self
    }

    pub(crate) fn commit(&self, message: &str) -> CommitId {
        self.repo.commit(message)
    }

    /// The state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.path().join(".local/state/pintle/test")
    }

    /// `pintle`, to be run in the repository.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut pintle = Command::new(env!("CARGO_BIN_EXE_pintle"));
        hermetic(&mut pintle).env("HOME", self.home.path());
        pintle.current_dir(self.repo.path()).args(args).stdin(Stdio::null());
        pintle
    }

    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running::start(self.command(args))
    }

    pub(crate) async fn pintle(&self, args: &[&str]) -> Printed {
        self.start(args).end().await
    }

    pub(crate) fn start_apply(&self) -> Running {
        self.start(&["apply", "--yes"])
    }

    /// Applies, which must end in sync.
    pub(crate) async fn apply(&self) -> Printed {
        self.apply_ends(0).await
    }

    pub(crate) async fn apply_ends(&self, code: i32) -> Printed {
        self.pintle(&["apply", "--yes"]).await.ended(code)
    }

    /// The version that answers on a service's port; `-` where none does.
    pub(crate) fn version(&self, name: &str) -> String {
        get(self.ports[name], "/version").unwrap_or_else(|_| "-".to_owned())
    }

    /// All of these, as one line.
    pub(crate) fn versions(&self, names: &[&str]) -> String {
        names.iter().map(|name| self.version(name)).collect::<Vec<_>>().join(" ")
    }

    /// The processes that run of a service, with their versions.
    pub(crate) fn processes(&self, name: &str) -> Vec<(i32, String)> {
        processes(&self.ports).into_iter().filter(|it| it.name == name).map(|it| (it.pid, it.version)).collect()
    }

    /// The pid of the only one.
    #[track_caller]
    pub(crate) fn pid(&self, name: &str) -> i32 {
        let processes = self.processes(name);
        assert_eq!(processes.len(), 1, "{name}: {processes:?}");
        processes[0].0
    }

    /// Waits until so many processes of a service run.
    pub(crate) async fn wait_for(&self, name: &str, count: usize) {
        let deadline = Instant::now() + EMERGENCY;
        while self.processes(name).len() != count {
            assert!(Instant::now() < deadline, "{name}: {:?}", self.processes(name));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Begins to watch which processes run.
    pub(crate) fn watch(&self) -> Watch {
        let over = Arc::new(AtomicBool::new(false));
        let (until, ports) = (Arc::clone(&over), self.ports.clone());
        let thread = std::thread::spawn(move || watch(&ports, &until));
        Watch { over, thread }
    }

    /// Ends a watch, in which no two versions may have run at once that the pins forbid.
    pub(crate) fn kept(&self, watch: Watch) -> Recording {
        let recording = watch.end();
        let broken = Promise::of(&self.repo).broken_in(&recording);
        assert!(broken.is_empty(), "{broken:#?}");
        recording
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // What a test leaves behind, however it ended.
        for name in self.ports.keys() {
            for (pid, _) in self.processes(name) {
                signal("KILL", pid);
            }
        }
        // And what is no shop.
        let _ = self.command(&["down"]).output();
    }
}

/// A watch under way.
pub(crate) struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Recording>,
}

impl Watch {
    pub(crate) fn end(self) -> Recording {
        self.over.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

/// Looks again and again which processes run, as a recording of pods would show it.
fn watch(ports: &BTreeMap<String, u16>, over: &AtomicBool) -> Recording {
    let mut recording = Recording::default();
    let mut there: BTreeSet<Process> = BTreeSet::new();
    while !over.load(Ordering::SeqCst) {
        let now: BTreeSet<Process> = processes(ports).into_iter().collect();
        let event = |what| {
            move |it: &Process| Event {
                what,
                pod: it.pid.to_string(),
                app: it.name.clone(),
                images: BTreeSet::from([image(&it.name, &it.version)]),
                phase: "Running".to_owned(),
                ready: false,
                terminating: false,
            }
        };
        recording.events.extend(there.difference(&now).map(event(What::Gone)));
        recording.events.extend(now.difference(&there).map(event(What::Created)));
        there = now;
        std::thread::sleep(Duration::from_millis(3));
    }
    recording
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Process {
    pid: i32,
    name: String,
    version: String,
}

/// The shop's processes on these ports.
fn processes(ports: &BTreeMap<String, u16>) -> Vec<Process> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|it| it.file_name().to_str()?.parse().ok());
    let process = |pid: i32| {
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        let words: Vec<&str> = line.split('\0').collect();
        let [program, name, "--version", version, "--port", port, ..] = words[..] else { return None };
        let ours = program == shop().to_str()? && ports.get(name)?.to_string() == port;
        ours.then(|| Process { pid, name: name.to_owned(), version: version.to_owned() })
    };
    pids.filter_map(process).collect()
}

/// What stands for a version where its file names no image.
pub(crate) fn image(name: &str, version: &str) -> String {
    format!("{name}:{version}")
}

/// The body of an answer of 2xx.
pub(crate) fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(EMERGENCY))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::InvalidData)?;
    if head.starts_with("HTTP/1.1 2") { Ok(body.to_owned()) } else { Err(std::io::Error::other(head.to_owned())) }
}

/// Sends a signal to a process.
pub(crate) fn signal(signal: &str, pid: i32) {
    let _ = Command::new("kill").args(["-s", signal, &pid.to_string()]).stderr(Stdio::null()).status().unwrap();
}

/// A port that nobody uses, and that no other test gets: below those that connections are made from.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let first = u16::try_from(std::process::id() % 100).unwrap() * 100;
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::SeqCst)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

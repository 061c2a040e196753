//! The state folder: one folder for each service, and the lock. IO.
//!
//! ```text
//! lock                         the holder: the process that may change the folder
//! services/checkout/record     the spec and the stored state
//! services/checkout/pause      the pause, and when it ends
//! services/checkout/run-7      a process: its pid and its exit; locked by its shim
//! services/checkout/log        the output of its processes; log.1 is the previous log
//! ```
#![expect(clippy::disallowed_methods, reason = "the local runtime keeps its state in files")]

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pintle_core::problem::display_safe;
use pintle_core::workload::PauseAnnotation;
use serde::{Deserialize, Serialize};

use super::record::{ExitCause, ProcessExit, ProcessId, RECORD_SCHEMA, RunFileLine, ServiceRecord};

/// The maximum size of a file; a longer one was not written by Pintle.
const MAX_STATE_FILE_BYTES: u64 = 1 << 20;

/// The state folder of one instance.
#[derive(Debug, Clone)]
pub(super) struct StateFolder {
    root: PathBuf,
}

/// The holder of the lock, written into the lock file for other processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LockHolder {
    pub(super) process: ProcessId,
    /// The command line.
    command: String,
    since: Timestamp,
}

/// The right to change the folder. It ends with the value or with the process, even if that is killed.
#[derive(Debug)]
pub(super) struct StateFolderLock {
    _file: File,
}

/// The state of a process according to its run file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RunState {
    /// Being started.
    Starting,
    Running(ProcessId),
    Ended(ProcessExit),
}

impl StateFolder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    /// Returns the services ever started here.
    pub(super) fn services(&self) -> Result<Vec<String>, String> {
        let folder = self.root.join("services");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(named(&folder, &error)),
        };
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let names = names.collect::<io::Result<Vec<_>>>().map_err(|error| named(&folder, &error))?;
        Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }

    /// Returns the record of a service; none if it was never started here.
    pub(super) fn record(&self, service: &str) -> Result<Option<ServiceRecord>, String> {
        let path = self.of(service).join("record");
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(named(&path, &error)),
        };
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| damaged(&path, &error))?;
        match value["schema"].as_u64() {
            Some(schema) if schema == u64::from(RECORD_SCHEMA) => {}
            Some(schema) => {
                return Err(format!(
                    "{} is of version {schema}, this Pintle reads version {RECORD_SCHEMA}: use the Pintle that wrote it",
                    path.display()
                ));
            }
            None => return Err(damaged(&path, &"it names no version")),
        }
        serde_json::from_value(value).map(Some).map_err(|error| damaged(&path, &error))
    }

    /// Writes the record of a service atomically.
    pub(super) fn write(&self, service: &str, record: &ServiceRecord) -> Result<(), String> {
        let folder = self.of(service);
        let (path, new) = (folder.join("record"), folder.join("record.new"));
        make(&folder)?;
        let written =
            std::fs::write(&new, serde_json::json!(record).to_string()).and_then(|()| std::fs::rename(&new, &path));
        written.map_err(|error| named(&path, &error))
    }

    /// Returns the pause of a service.
    pub(super) fn pause(&self, service: &str) -> Option<PauseAnnotation> {
        let text = read(&self.of(service).join("pause")).ok()?;
        PauseAnnotation::read(&String::from_utf8_lossy(&text))
    }

    /// Writes or removes the pause of a service. It has a file of its own that needs no lock, so a pause is possible at
    /// any time.
    pub(super) fn write_pause(&self, service: &str, pause: Option<&PauseAnnotation>) -> Result<(), String> {
        let folder = self.of(service);
        let (path, new) = (folder.join("pause"), folder.join("pause.new"));
        let written = match pause {
            Some(pause) => {
                make(&folder)?;
                std::fs::write(&new, pause.write()).and_then(|()| std::fs::rename(&new, &path))
            }
            None => std::fs::remove_file(&path),
        };
        match written {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(&path, &error)),
            _ => Ok(()),
        }
    }

    /// Creates and locks the file of a run. Its shim inherits the lock.
    pub(super) fn new_run(&self, service: &str, number: u32) -> Result<File, String> {
        let path = self.run(service, number);
        let open = || {
            // A file may be left over if the record was deleted.
            let file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
            file.try_lock().map_err(|_| io::Error::other("a process that is not remembered still runs"))?;
            file.set_len(0)?;
            Ok(file)
        };
        open().map_err(|error| named(&path, &error))
    }

    /// Returns the state of a run.
    pub(super) fn life(&self, service: &str, number: u32) -> RunState {
        let mut started = None;
        let text = read(&self.run(service, number)).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            match serde_json::from_str(line) {
                Ok(RunFileLine::Started(process)) => started = Some(process),
                Ok(RunFileLine::Ended(exit)) => return RunState::Ended(exit),
                // An incomplete line.
                Err(_) => {}
            }
        }
        match started {
            Some(process) if process.is_alive() => RunState::Running(process),
            // Its shim is about to record the exit.
            Some(process) if self.is_kept(service, number) => RunState::Running(process),
            None if self.is_kept(service, number) => RunState::Starting,
            _ => RunState::Ended(ProcessExit { at: Timestamp::now(), how: ExitCause::Unknown, said: String::new() }),
        }
    }

    /// Returns whether the shim of a run is alive.
    fn is_kept(&self, service: &str, number: u32) -> bool {
        let Ok(file) = File::open(self.run(service, number)) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// Deletes the file of an ended run.
    pub(super) fn forget(&self, service: &str, number: u32) {
        if let Err(error) = std::fs::remove_file(self.run(service, number)) {
            tracing::info!("run {number} of {service} is not forgotten: {error}");
        }
    }

    /// Returns the log of a service.
    pub(super) fn log(&self, service: &str) -> PathBuf {
        self.of(service).join("log")
    }

    /// Locks the folder for changes. If it is already locked, the error names the holder.
    pub(super) fn lock(&self, command: &str) -> Result<StateFolderLock, LockError> {
        make(&self.root).map_err(LockError::Unusable)?;
        let path = self.root.join("lock");
        let unusable = |error: &io::Error| LockError::Unusable(named(&path, error));
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(|error| unusable(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::HeldBy(self.holder())),
            Err(TryLockError::Error(error)) => return Err(unusable(&error)),
        }
        let process =
            ProcessId::current().ok_or_else(|| LockError::Unusable("this process cannot be found".to_owned()))?;
        let holder = LockHolder { process, command: command.to_owned(), since: Timestamp::now() };
        let written = file.set_len(0).and_then(|()| file.write_all(serde_json::json!(holder).to_string().as_bytes()));
        written.map_err(|error| unusable(&error))?;
        Ok(StateFolderLock { _file: file })
    }

    /// Returns the current holder of the lock.
    pub(super) fn holder(&self) -> Option<LockHolder> {
        let bytes = read(&self.root.join("lock")).ok()?;
        let holder: LockHolder = serde_json::from_slice(&bytes).ok()?;
        holder.process.is_alive().then_some(holder)
    }

    fn of(&self, service: &str) -> PathBuf {
        self.root.join("services").join(service)
    }

    fn run(&self, service: &str, number: u32) -> PathBuf {
        self.of(service).join(format!("run-{number}"))
    }
}

impl std::fmt::Display for LockHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { process, command, since } = self;
        write!(f, "`{}` (pid {}, since {since:.0})", display_safe(command, 60), process.pid)
    }
}

/// Why the folder could not be locked.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process holds it; none if its identity is unknown.
    HeldBy(Option<LockHolder>),
    /// The folder is not writable, with the reason.
    Unusable(String),
}

/// Creates a folder for this user alone, because logs may be confidential.
fn make(folder: &Path) -> Result<(), String> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| named(folder, &error))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_STATE_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn named(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{} is damaged ({error}): end what runs of the service, then delete the file", path.display())
}

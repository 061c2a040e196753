//! What a process uses, as Linux counts it.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Processor time is counted in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Of all threads, ended ones too.
    pub cpu: Duration,
    pub resident_mib: f64,
    /// The most that was resident at once.
    pub peak_mib: f64,
    /// Open file descriptors.
    pub files: usize,
    pub threads: usize,
}

impl Usage {
    /// Of a process that runs.
    pub(crate) fn of(pid: u32) -> Self {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let (stat, status) = (read("stat"), read("status"));
        // The name of the program, in brackets, may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u32 = fields[11..13].iter().map(|field| field.parse::<u32>().unwrap()).sum();
        let number = |key: &str| -> f64 {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.trim_end_matches("kB").trim().parse().unwrap()
        };
        Self {
            cpu: TICK * ticks,
            resident_mib: number("VmRSS:") / 1024.0,
            peak_mib: number("VmHWM:") / 1024.0,
            files: std::fs::read_dir(folder.join("fd")).unwrap().count(),
            threads: std::fs::read_dir(folder.join("task")).unwrap().count(),
        }
    }
}

/// The files below a folder, and their bytes.
pub(crate) fn disk(folder: &Path) -> (usize, u64) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.fold((0, 0), |(files, bytes), entry| {
        // What is gone by now is not there.
        let Ok(meta) = entry.metadata() else { return (files, bytes) };
        let (more, of) = if meta.is_dir() { disk(&entry.path()) } else { (1, meta.len()) };
        (files + more, bytes + of)
    })
}

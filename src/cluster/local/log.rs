//! Logs of services: bounded, and read from the end. IO.
//!
//! A process writes its log directly, so nothing is lost if its shim dies. The shim copies the log's end to `log.1` and
//! truncates the log, as logrotate's `copytruncate` does.
#![expect(clippy::disallowed_methods, reason = "the local runtime keeps logs")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use pintle_core::problem::display_safe;

/// The maximum size of the log, and of the previous log.
const MAX_LOG_BYTES: u64 = 4 << 20;

/// The number of bytes read from the end to find a line.
const LAST_LINE_READ_BYTES: u64 = 16 << 10;

/// Truncates the log if it is too long.
pub(super) fn rotate_if_long(log: &Path) {
    let bounded = || -> io::Result<()> {
        let file = OpenOptions::new().append(true).open(log)?;
        if file.metadata()?.len() <= MAX_LOG_BYTES
            || file.try_lock().is_err()
            || file.metadata()?.len() <= MAX_LOG_BYTES
        {
            return Ok(());
        }
        std::fs::write(rotated_path(log), tail(log, MAX_LOG_BYTES)?)?;
        file.set_len(0)
    };
    if let Err(error) = bounded() {
        tracing::info!("{} is not bounded: {error}", log.display());
    }
}

/// Returns the path of the previous log.
pub(super) fn rotated_path(log: &Path) -> PathBuf {
    log.with_extension("1")
}

/// Returns the size of the log in bytes; 0 if there is none.
pub(super) fn length(log: &Path) -> u64 {
    std::fs::metadata(log).map_or(0, |metadata| metadata.len())
}

/// Returns the last non-blank line after the offset `since`, shortened; empty if there is none.
pub(super) fn last_line(log: &Path, since: u64) -> String {
    let length = length(log);
    // A log shorter than the offset was truncated meanwhile.
    let added = length.checked_sub(since).unwrap_or(length);
    let end = tail(log, added.min(LAST_LINE_READ_BYTES)).unwrap_or_default();
    let text = String::from_utf8_lossy(&end);
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .map(|line| display_safe(line.trim(), 300))
        .unwrap_or_default()
}

/// Returns the last bytes of a file.
pub(super) fn tail(log: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A log, followed from its last lines.
#[derive(Debug)]
pub struct LogFollower {
    log: PathBuf,
    at: u64,
}

impl LogFollower {
    /// Returns the last lines of a log and its predecessor, and the position to continue from. A missing log has none.
    pub fn open(log: &Path, lines: usize) -> io::Result<(Vec<u8>, Self)> {
        let read = |path: &Path| match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        };
        let now = read(log)?;
        let at = u64::try_from(now.len()).unwrap_or(u64::MAX);
        let mut all = read(&rotated_path(log))?;
        all.extend(now);
        let mut ends = all.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
        // The last line may be incomplete, without a newline.
        let skipped = lines + usize::from(all.last() == Some(&b'\n'));
        let start = if lines == 0 { all.len() } else { ends.nth(skipped - 1).map_or(0, |at| at + 1) };
        Ok((all.split_off(start), Self { log: log.to_owned(), at }))
    }

    /// Returns what was added since the last call.
    pub fn read_new(&mut self) -> io::Result<Vec<u8>> {
        let mut file = match File::open(&self.log) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        if file.metadata()?.len() < self.at {
            // The log was truncated.
            self.at = 0;
        }
        file.seek(SeekFrom::Start(self.at))?;
        let mut added = Vec::new();
        file.take(MAX_LOG_BYTES).read_to_end(&mut added)?;
        self.at += u64::try_from(added.len()).unwrap_or(0);
        Ok(added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_from_its_last_lines_on_across_the_one_before_and_after_it_was_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert_eq!(text(LogFollower::open(&log, 2).unwrap().0), "");
        std::fs::write(rotated_path(&log), "1\n2\n").unwrap();
        std::fs::write(&log, "3\n4").unwrap();
        let last = |lines| text(LogFollower::open(&log, lines).unwrap().0);
        assert_eq!([last(0), last(1), last(2), last(3), last(9)], ["", "4", "3\n4", "2\n3\n4", "1\n2\n3\n4"]);
        std::fs::write(&log, "3\n4\n").unwrap();
        assert_eq!([last(1), last(3)], ["4\n", "2\n3\n4\n"]);
        let mut follow = LogFollower::open(&log, 0).unwrap().1;
        assert_eq!(text(follow.read_new().unwrap()), "");
        std::fs::write(&log, "3\n4\n5\n").unwrap();
        assert_eq!(text(follow.read_new().unwrap()), "5\n");
        std::fs::write(&log, "6\n").unwrap();
        assert_eq!(text(follow.read_new().unwrap()), "6\n");
    }

    #[test]
    fn the_last_line_is_of_what_was_added_since() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert_eq!((length(&log), last_line(&log, 0)), (0, String::new()));
        std::fs::write(&log, "the one before\n").unwrap();
        let since = length(&log);
        assert_eq!(last_line(&log, since), "");
        std::fs::write(&log, "the one before\nfirst\nsecond\n\n").unwrap();
        assert_eq!(last_line(&log, since), "second");
        std::fs::write(&log, "emptied\n").unwrap();
        assert_eq!(last_line(&log, since), "emptied");
    }

    #[test]
    fn a_log_that_is_too_long_is_kept_as_the_one_before_and_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "short\n").unwrap();
        rotate_if_long(&log);
        assert_eq!(last_line(&log, 0), "short");
        let huge = "x".repeat(usize::try_from(MAX_LOG_BYTES).unwrap()) + "\nlast\n";
        std::fs::write(&log, &huge).unwrap();
        rotate_if_long(&log);
        assert_eq!((std::fs::metadata(&log).unwrap().len(), last_line(&rotated_path(&log), 0)), (0, "last".to_owned()));
    }
}

//! The real binary, run in a hermetic environment: no home, no configuration of the user's, nothing of the terminal.

use std::ffi::OsStr;
use std::fmt;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::git::{TestRepo, hermetic};

/// `pintle` in a repository, with a home of its own.
pub(crate) struct Pintle<'r> {
    repo: &'r TestRepo,
    home: TempDir,
    environment: Vec<(&'static str, &'static str)>,
}

/// What a run of `pintle` left: it prints as a user would see it, with what differs from run to run replaced.
pub(crate) struct Said {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl<'r> Pintle<'r> {
    pub(crate) fn in_repo(repo: &'r TestRepo) -> Self {
        Self { repo, home: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    pub(crate) fn repo(&self) -> &TestRepo {
        self.repo
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// The command, to be changed and run.
    pub(crate) fn command(&self, args: &[impl AsRef<OsStr>]) -> Command {
        let mut pintle = Command::new(env!("CARGO_BIN_EXE_pintle"));
        hermetic(&mut pintle).env("HOME", self.home.path()).envs(self.environment.iter().copied());
        pintle.current_dir(self.repo.path()).args(args).stdin(Stdio::null());
        pintle
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, args: &[impl AsRef<OsStr>]) -> Said {
        self.said(self.command(args).output().unwrap())
    }

    /// The same, in words separated by spaces.
    pub(crate) fn says(&self, words: &str) -> Said {
        self.run(&words.split_whitespace().collect::<Vec<_>>())
    }

    /// What it prints as JSON.
    pub(crate) fn json(&self, words: &str) -> Value {
        let said = self.says(&format!("{words} --output json"));
        serde_json::from_str(&said.out).unwrap_or_else(|why| panic!("{why}: {said}"))
    }

    pub(crate) fn said(&self, output: Output) -> Said {
        let text = |bytes: Vec<u8>| self.normal(&String::from_utf8(bytes).unwrap());
        Said { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }

    /// The text without paths of this run, times of today and times it took.
    fn normal(&self, text: &str) -> String {
        let text = text.replace(self.repo.path().canonicalize().unwrap().to_str().unwrap(), "REPO");
        let text = text.replace(&self.repo.location(), "REPO").replace(self.home.path().to_str().unwrap(), "HOME");
        let text: String = text.lines().map(|line| without_milliseconds(line) + "\n").collect();
        if text.contains(" so far") { without_today(&text) } else { text }
    }
}

/// `(38 ms)` differs from run to run.
fn without_milliseconds(line: &str) -> String {
    match line.rsplit_once('(') {
        Some((before, after)) if after.ends_with(" ms)") => format!("{before}(… ms)"),
        _ => line.to_owned(),
    }
}

/// `14m so far` differs from day to day, and with it the width of its column.
fn without_today(table: &str) -> String {
    let head: Vec<char> = table.lines().next().unwrap_or_default().chars().collect();
    let place = |name: &str| {
        let name: Vec<char> = name.chars().collect();
        head.windows(name.len()).position(|part| part == name).unwrap()
    };
    let (from, to) = (place("STOOD"), place("SUBJECT"));
    let fixed = |line: &str| {
        let letters: Vec<char> = line.chars().collect();
        if letters.len() <= to || letters[to - 1] != ' ' {
            return line.to_owned() + "\n";
        }
        let text = |part: &[char]| part.iter().collect::<String>();
        let stood = text(&letters[from..to]);
        let stood = if stood.contains(" so far") { "… so far" } else { stood.trim_end() };
        format!("{}{stood:<10}{}\n", text(&letters[..from]), text(&letters[to..]))
    };
    table.lines().map(fixed).collect()
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.out)?;
        if !self.err.is_empty() {
            write!(f, "--- stderr\n{}", self.err)?;
        }
        match self.code {
            Some(0) => Ok(()),
            Some(code) => writeln!(f, "--- exit {code}"),
            None => f.write_str("--- killed\n"),
        }
    }
}

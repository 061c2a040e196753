//! A repository of many services and commits, made in seconds, and the binary run in it as a user would.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a bench writes files and starts programs")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use crate::git::{TestRepo, git, hermetic, text};
use tempfile::TempDir;

use crate::chance::Chance;

/// 2026-01-01T00:00:00Z, and so many seconds between two commits.
const START: usize = 1_767_225_600;
const STEP: usize = 600;

pub(crate) struct Repository {
    repo: TestRepo,
    home: TempDir,
}

impl Repository {
    /// Each commit but the last moves one pin; the last moves all of them.
    pub(crate) fn new(services: usize, commits: usize) -> Self {
        let (repo, home) = (TestRepo::new(), tempfile::tempdir().unwrap());
        let importing = git(repo.path()).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn();
        let mut importing = importing.unwrap();
        let stream = stream(services, commits);
        importing.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
        assert!(importing.wait().unwrap().success());
        repo.git(&["repack", "-a", "-d", "-q"]);
        repo.git(&["reset", "--quiet", "--hard"]);
        Self { repo, home }
    }

    /// The commit that moved all, where it is again afterwards.
    pub(crate) fn reset(&self, to: &str) {
        self.git(&["reset", "--quiet", "--hard", to]);
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.repo.git(args)
    }

    /// What it prints, without any cluster.
    pub(crate) fn pintle(&self, words: &str) -> String {
        let mut pintle = Command::new(env!("CARGO_BIN_EXE_pintle"));
        hermetic(&mut pintle).env("HOME", self.home.path()).current_dir(self.repo.path());
        let output: Output = pintle.args(words.split_whitespace()).stdin(Stdio::null()).output().unwrap();
        text(output)
    }
}

fn stream(services: usize, commits: usize) -> String {
    let mut chance = Chance(7);
    let mut versions = vec![0_usize; services];
    let all = |versions: &[usize]| (0..services).map(|it| file(it, versions[it])).collect::<Vec<_>>();
    let settings = ("pintle.yaml".to_owned(), "apiVersion: pintle.dev/v1alpha1\n".to_owned());
    let mut text = String::new();
    commit(&mut text, 0, all(&versions).into_iter().chain([settings]));
    for number in 1..commits - 1 {
        let service = chance.below(services);
        versions[service] += 1;
        commit(&mut text, number, [file(service, versions[service])]);
    }
    for version in &mut versions {
        *version += 1;
    }
    commit(&mut text, commits - 1, all(&versions));
    text
}

fn commit(text: &mut String, number: usize, files: impl IntoIterator<Item = (String, String)>) {
    let (time, subject) = (START + STEP * number, format!("Release {number}"));
    let who = format!("Ada <ada@example.com> {time} +0000");
    write!(text, "commit refs/heads/main\ncommitter {who}\ndata {}\n{subject}\n", subject.len()).unwrap();
    for (path, content) in files {
        write!(text, "M 100644 inline {path}\ndata {}\n{content}\n", content.len()).unwrap();
    }
}

/// Each needs the two before it.
fn file(service: usize, version: usize) -> (String, String) {
    let mut text = format!("version: \"1.{version}.0\"\nimage: ghcr.io/acme/s{service:04}\n");
    text.push_str(if service > 0 { "dependsOn:\n" } else { "" });
    for on in service.saturating_sub(2)..service {
        writeln!(text, "  s{on:04}: \">=1.0, <2\"").unwrap();
    }
    (format!("services/s{service:04}.yaml"), text)
}

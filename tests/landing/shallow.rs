//! Clones as continuous integration makes them: what is missing is received, or it is said why not.

mod received;
mod refused;
mod transports;

use std::fmt::Display;
use std::process::Command;

use pintle::source::{Access, RepositoryLocation, Source};
use tempfile::TempDir;

use crate::common::git::{git, text};
use crate::common::outline::outline;
use crate::common::pintle::Pintle;
use crate::common::pushed::PinsClone;

/// A clone as continuous integration makes it: of the newest commits alone.
struct Shallow<'s> {
    shop: &'s PinsClone,
    folder: TempDir,
}

impl<'s> Shallow<'s> {
    fn of(shop: &'s PinsClone, depth: u32) -> Self {
        let url = format!("file://{}", shop.bare().display());
        let folder = tempfile::tempdir().unwrap();
        let cut = format!("--depth={depth}");
        text(git(folder.path()).args(["clone", "--quiet", &cut, &url, "."]).output().unwrap());
        Self { shop, folder }
    }

    fn git(&self, args: &[&str]) -> String {
        text(git(self.folder.path()).args(args).output().unwrap())
    }

    fn comes_from(&self, url: &str) {
        self.git(&["remote", "set-url", "origin", url]);
    }

    fn command(&self, words: &str) -> Command {
        let words: Vec<&str> = words.split_whitespace().collect();
        let mut command = Pintle::in_repo(&self.shop.repo).command(&words);
        command.current_dir(self.folder.path());
        command
    }

    fn says(&self, words: &str) -> String {
        self.said(&mut self.command(words))
    }

    fn said(&self, command: &mut Command) -> String {
        self.normal(&Pintle::in_repo(&self.shop.repo).said(command.output().unwrap()))
    }

    /// Runs `pintle`, and outlines what it prints.
    fn outline(&self, words: &str) -> String {
        self.outlined(&mut self.command(words))
    }

    /// The same of a command.
    fn outlined(&self, command: &mut Command) -> String {
        let output = command.args(["--output", "json"]).output().unwrap();
        self.normal(&outline(&Pintle::in_repo(&self.shop.repo).said(output), &self.shop.repo))
    }

    fn normal(&self, said: &impl Display) -> String {
        self.shop.normal(said).replace(self.folder.path().to_str().unwrap(), "CLONE")
    }

    /// All that is not the history: where everything is, what is checked out, and what is under work.
    fn state(&self) -> [String; 4] {
        let asked = ["for-each-ref", "symbolic-ref HEAD", "reflog show --all", "status --short --branch"];
        asked.map(|words| self.git(&words.split(' ').collect::<Vec<_>>()))
    }

    /// Whether it begins late, and that what was received is whole and git may tidy it up.
    fn is_cut(&self) -> bool {
        self.git(&["fsck", "--strict"]);
        let packs = std::fs::read_dir(self.folder.path().join(".git/objects/pack")).unwrap();
        let names = packs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<String> = names.filter(|name| [".keep", ".tmp"].iter().any(|part| name.contains(part))).collect();
        assert!(left.is_empty(), "{left:?}");
        self.git(&["rev-parse", "--is-shallow-repository"]) == "true"
    }

    fn source(&self, access: &Access) -> Source {
        Source::open(&RepositoryLocation::Path(self.folder.path().to_owned()), access).unwrap()
    }
}

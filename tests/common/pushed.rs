//! Two services in a clone whose upstream takes pushes.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::git::{TestRepo, git, hermetic, text};
use super::git_http::GitServer;
use super::outline::outline;
use super::pintle::Pintle;

/// Two services. The repository has a bare one as its upstream, which takes pushes over http too.
pub(crate) struct PinsClone {
    pub repo: TestRepo,
    pub root: TempDir,
}

impl PinsClone {
    pub(crate) fn new() -> Self {
        let repo = TestRepo::new();
        repo.pin("payments", "2.0.3", "").pin("checkout", "1.8.2", "dependsOn: {payments: \"^2\"}\n");
        repo.write("README.md", "Pins\n").commit("Start");
        let shop = Self { repo, root: tempfile::tempdir().unwrap() };
        let bare = shop.bare().to_str().unwrap().to_owned();
        shop.repo.git(&["clone", "--quiet", "--bare", ".", &bare]);
        shop.in_bare(&["config", "http.receivepack", "true"]);
        shop.repo.git(&["remote", "add", "origin", &bare]);
        shop.repo.git(&["fetch", "--quiet", "origin"]);
        shop.repo.git(&["branch", "--quiet", "--set-upstream-to", "origin/main"]);
        shop
    }

    pub(crate) fn bare(&self) -> PathBuf {
        self.root.path().join("pins.git")
    }

    pub(crate) fn in_bare(&self, args: &[&str]) -> String {
        text(git(&self.bare()).args(args).output().unwrap())
    }

    pub(crate) fn at_remote(&self) -> String {
        self.in_bare(&["rev-parse", "main"])
    }

    /// A hook of the bare repository.
    pub(crate) fn hook(&self, name: &str, script: &str) {
        let hook = self.bare().join("hooks").join(name);
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&hook, mode).unwrap();
    }

    /// Runs `pintle`; ids of commits, which hold the time, are replaced, and what is said where the machine is slow is
    /// left out.
    pub(crate) fn says(&self, words: &str) -> String {
        self.normal(&Pintle::in_repo(&self.repo).says(words))
    }

    /// Runs `pintle`, and outlines what it prints.
    pub(crate) fn outline(&self, words: &str) -> String {
        self.normal(&Pintle::in_repo(&self.repo).outline(words))
    }

    pub(crate) fn normal(&self, said: &impl Display) -> String {
        let heads = [self.repo.git(&["rev-parse", "HEAD"]), self.at_remote()];
        let root = self.root.path().to_str().unwrap();
        let said = said.to_string().replace(root, "ROOT");
        let said: String = said.split_inclusive('\n').filter(|line| !line.ends_with(" …\n")).collect();
        heads.iter().fold(said, |text, head| text.replace(head.as_str(), "COMMIT").replace(&head[..8], "COMMIT"))
    }

    /// The last commit, as git shows it; and that nothing is left over.
    pub(crate) fn shown(&self) -> String {
        assert_eq!(self.repo.git(&["status", "--short"]), "", "the clone is clean");
        self.repo.git(&["fsck", "--strict"]);
        let message = self.repo.git(&["log", "-1", "--format=%an <%ae>, %cn%n%B"]);
        let message: Vec<&str> = message.lines().filter(|line| !line.starts_with("Pintle-Id: ")).collect();
        format!("{}\n{}", message.join("\n"), self.repo.git(&["diff", "HEAD~1", "--unified=0", "--no-prefix"]))
    }

    /// What the last commit changed, by whom and for which services; and that nothing is left over.
    pub(crate) fn change(&self) -> String {
        let shown = self.shown();
        let (message, diff) = shown.split_at(shown.find("diff --git").unwrap_or(shown.len()));
        let typed = ["Ada ", "Pintle-", "This reverts commit "];
        let lines = message.lines().filter(|line| typed.iter().any(|start| line.starts_with(start)));
        lines.chain(diff.lines()).map(|line| line.to_owned() + "\n").collect()
    }

    /// The commits at the remote, newest first: those of `pintle` by their services, others by their subjects.
    pub(crate) fn commits(&self) -> String {
        let format = "--format=%(trailers:key=Pintle-Services,separator=)%x00%s";
        let log = self.in_bare(&["log", format, "main"]);
        let names = |line: &str| {
            let (services, subject) = line.split_once('\0').unwrap();
            format!("{}\n", if services.is_empty() { subject } else { services })
        };
        log.lines().map(names).collect()
    }

    /// Runs `pintle`, which must commit.
    pub(crate) fn commits_with(&self, words: &str) {
        let before = self.repo.head();
        let said = self.says(words);
        assert_ne!(self.repo.head(), before, "{said}");
    }

    /// The upgrade of both, with a comment, in one commit; upstream has it.
    pub(crate) fn upgraded() -> Self {
        let shop = Self::new();
        let payments = "# refunds\nversion: '2.1.0'   # new API\nimage: ghcr.io/acme/payments\n";
        shop.repo.write("services/payments.yaml", payments);
        shop.repo.pin("checkout", "1.9.0", "dependsOn:\n  # the new API\n  payments: ^2.1\n").commit("Upgrade both");
        shop.repo.git(&["push", "--quiet"]);
        shop
    }

    /// Runs `pintle` without a clone; with a home of its own, as on another machine.
    pub(crate) fn remotely(&self, server: &GitServer, words: &str) -> (String, Option<i32>) {
        let url = server.url("pins.git");
        let words: Vec<&str> = words.split_whitespace().collect();
        let args = [&["--repo", &url, "--dangerous-plain-http"], &*words].concat();
        let said = Pintle::in_repo(&self.repo).run(&args);
        (self.normal(&said).replace(&url, "URL"), said.code)
    }

    /// The same, outlined.
    pub(crate) fn outline_remotely(&self, server: &GitServer, words: &str) -> String {
        let url = server.url("pins.git");
        let words: Vec<&str> = words.split_whitespace().collect();
        let args = [&["--repo", &url, "--dangerous-plain-http"], &*words, &["--output", "json"]].concat();
        self.normal(&outline(&Pintle::in_repo(&self.repo).run(&args), &self.repo)).replace(&url, "URL")
    }
}

/// Somebody else edits, commits and pushes, from a clone of their own.
pub(crate) fn human(bare: &Path, edit: &str) {
    let clone = tempfile::tempdir().unwrap();
    let script = format!(
        "git clone --quiet {} . && {edit} && git commit --quiet --all -m Human && git push --quiet",
        bare.display()
    );
    let mut sh = std::process::Command::new("sh");
    text(hermetic(&mut sh).current_dir(clone.path()).args(["-c", &script]).output().unwrap());
}

//! Real repositories, made by the system's `git` in a temp folder: no configuration of the user, fixed names, and a
//! clock that goes one minute forward with each commit.

use std::borrow::Borrow;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use pintle_core::git::CommitId;
use tempfile::TempDir;

/// 2026-01-01T00:00:00Z, where the clock of every repository starts.
const START: i64 = 1_767_225_600;

/// A `pintle.yaml` that leaves everything open.
pub(crate) const SETTINGS: &str = "apiVersion: pintle.dev/v1alpha1\n";

/// A repository with a working tree and the branch `main`; it vanishes with the value.
pub(crate) struct TestRepo {
    dir: TempDir,
    clock: Cell<i64>,
}

impl TestRepo {
    /// An empty repository: no commit yet.
    pub(crate) fn new() -> Self {
        let repo = Self { dir: tempfile::tempdir().unwrap(), clock: Cell::new(START) };
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// A repository with [`SETTINGS`], ready for pins: no commit yet.
    pub(crate) fn for_pins() -> Self {
        let repo = Self::new();
        repo.write("pintle.yaml", SETTINGS);
        repo
    }

    /// A repository with one commit that holds these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let repo = Self::new();
        for (path, text) in files {
            repo.write(path, text);
        }
        repo.commit("Start");
        repo
    }

    /// The working tree.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The path as text, for the places where a user would type it.
    pub(crate) fn location(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    /// Writes a file of the working tree, and its folders.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let file = self.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self
    }

    /// Writes `services/NAME.yaml`: a pin, and further lines.
    pub(crate) fn pin(&self, name: &str, version: &str, rest: &str) -> &Self {
        let text = format!("version: \"{version}\"\nimage: ghcr.io/acme/{name}\n{rest}");
        self.write(&format!("services/{name}.yaml"), text)
    }

    /// Removes a file of the working tree.
    pub(crate) fn remove(&self, path: &str) -> &Self {
        std::fs::remove_file(self.path().join(path)).unwrap();
        self
    }

    /// Commits the working tree as it is, even where nothing changed.
    pub(crate) fn commit(&self, message: &str) -> CommitId {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--allow-empty-message", "--no-verify", "-m", message]);
        self.head()
    }

    /// Writes one file and commits it.
    pub(crate) fn save(&self, path: &str, text: impl AsRef<[u8]>) -> CommitId {
        self.write(path, text).commit(&format!("Change {path}"))
    }

    /// Undoes a commit with `git revert`.
    pub(crate) fn revert(&self, id: CommitId) -> CommitId {
        self.git(&["revert", "--no-edit", &id.to_hex()]);
        self.head()
    }

    /// Starts a branch here and goes to it.
    pub(crate) fn branch(&self, name: &str) -> &Self {
        self.git(&["checkout", "--quiet", "-b", name]);
        self
    }

    /// Goes to a branch or commit.
    pub(crate) fn checkout(&self, name: &str) -> &Self {
        self.git(&["checkout", "--quiet", name]);
        self
    }

    /// Merges a branch with a merge commit, never fast-forward.
    pub(crate) fn merge(&self, branch: &str) -> CommitId {
        self.git(&["merge", "--quiet", "--no-ff", "--no-edit", branch]);
        self.head()
    }

    /// The commit at HEAD.
    pub(crate) fn head(&self) -> CommitId {
        self.git(&["rev-parse", "HEAD"]).try_into().unwrap()
    }

    /// Lets time pass before the next commit.
    pub(crate) fn wait(&self, seconds: i64) -> &Self {
        self.clock.set(self.clock.get() + seconds);
        self
    }

    /// Sets the clock to the time of the machine, which is the control plane's too.
    pub(crate) fn wait_for_today(&self) -> &Self {
        self.clock.set(jiff::Timestamp::now().as_second());
        self
    }

    /// Runs git here; its output, trimmed. It must succeed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.wait(60);
        let date = format!("{} +0000", self.clock.get());
        let mut git = git(self.path());
        text(git.args(args).env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date).output().unwrap())
    }

    /// A bare copy, as a server has it, in a folder beside the working tree's `.git`.
    pub(crate) fn bare(&self) -> PathBuf {
        let bare = self.path().join(".git/bare.git");
        self.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
        bare
    }
}

/// Real data for replays, where it is there; its folder is `$PINTLE_TEST_DATA`, else `../shared/data` beside the project.
pub(crate) fn replay(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    std::env::var_os("PINTLE_TEST_DATA").map_or_else(beside, PathBuf::from).join(name).canonicalize().ok()
}

/// git in a folder, cut off from the user's and the system's configuration.
pub(crate) fn git(folder: &Path) -> Command {
    // A program without a path would be started by a copy of this whole process: half of the time of all tests.
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let path = || std::env::var_os("PATH").unwrap();
    let found = || std::env::split_paths(&path()).map(|it| it.join("git")).find(|it| it.is_file());
    let mut git = Command::new(PROGRAM.get_or_init(|| found().unwrap()));
    hermetic(&mut git);
    git.current_dir(folder);
    git
}

/// Cuts a program off from the user's and the system's configuration of git.
pub(crate) fn hermetic(program: &mut Command) -> &mut Command {
    program
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.com")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@example.com")
}

/// What a program printed; it must have succeeded.
pub(crate) fn text(output: impl Borrow<Output>) -> String {
    let output = output.borrow();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// The helper itself: a test that fails here explains the others.
#[cfg(test)]
mod tests {
    use super::TestRepo;

    #[test]
    fn repositories_are_reproducible() {
        let make = || {
            let repo = TestRepo::with(&[("a", "1"), ("b/c", "2")]);
            let second = repo.save("a", "2");
            repo.wait(3600).branch("topic").remove("b/c").commit("Remove b/c");
            repo.checkout("main").save("d", "4");
            repo.merge("topic");
            repo.revert(second);
            assert!(repo.bare().join("HEAD").exists());
            (repo.location(), repo.head())
        };
        let (one, two) = (make(), make());
        assert_ne!(one.0, two.0);
        assert_eq!(one.1, two.1);
    }
}

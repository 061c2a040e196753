//! A temporary folder that goes when this process ends, however it ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub(crate) struct Folder {
    path: PathBuf,
    sweeper: Child,
}

impl Folder {
    /// The harness drops no statics, and nothing drops after `kill -9`. So a shell waits for the end of its input, which
    /// the kernel closes with this process, and removes the folder; again while the dying servers still write.
    pub(crate) fn new(prefix: &str) -> Self {
        let path = tempfile::Builder::new().prefix(prefix).tempdir().unwrap().keep();
        let sweeper = Command::new("sh")
            .args(["-c", r#"trap "" HUP INT TERM; read -r _; until rm -rf "$0"; do sleep 1; done"#])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { path, sweeper }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.sweeper.stdin.take());
        self.sweeper.wait().unwrap();
    }
}

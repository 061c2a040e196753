//! A shop: a namespace with running services, and the repository that pins them.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use pintle::source::CommitId;
use tempfile::TempDir;

use super::control_plane::ControlPlane;
use super::git::{TestRepo, hermetic};
use super::namespace::{Namespace, rolled_out};

/// A shop of which the first commit pins what runs.
pub struct Shop {
    pub repo: TestRepo,
    pub ns: Namespace,
    kubeconfig: std::path::PathBuf,
    home: TempDir,
}

/// What a run of `pintle` printed.
pub struct Printed {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl Shop {
    /// Runs a Deployment of two replicas for each service, `name version`, waits for them, and pins them.
    pub async fn open(services: &[&str]) -> Self {
        Self::open_on(ControlPlane::shared(), services).await
    }

    pub async fn open_on(cp: &ControlPlane, services: &[&str]) -> Self {
        let ns = cp.namespace("shop").await;
        let repo = TestRepo::new();
        repo.write("pintle.yaml", format!("apiVersion: pintle.dev/v1alpha1\nnamespace: {}\n", ns.name));
        for service in services {
            let (name, version) = service.split_once(' ').unwrap();
            ns.run(&format!("deployment/{name}"), &format!("ghcr.io/acme/{name}:{version}"), 2).await;
            repo.write(&file(name), text(name, version, ""));
        }
        repo.commit("Pin what runs");
        for service in services {
            let (name, _) = service.split_once(' ').unwrap();
            ns.wait(&format!("deployment/{name}"), "rolled out", rolled_out).await;
        }
        Self { repo, ns, kubeconfig: cp.kubeconfig(), home: tempfile::tempdir().unwrap() }
    }

    /// Writes the file of a service: `rest` are the lines after version and image.
    pub fn pin(&self, name: &str, version: &str, rest: &str) -> &Self {
        self.repo.write(&file(name), text(name, version, rest));
        self
    }

    pub fn commit(&self, message: &str) -> CommitId {
        self.repo.commit(message)
    }

    /// `pintle`, to be run in the repository.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut pintle = Command::new(env!("CARGO_BIN_EXE_pintle"));
        hermetic(&mut pintle).env("HOME", self.home.path()).env("KUBECONFIG", &self.kubeconfig);
        pintle.current_dir(self.repo.path()).args(args).stdin(Stdio::null());
        pintle
    }

    /// Runs `pintle` to its end.
    pub async fn pintle(&self, args: &[&str]) -> Printed {
        let mut command = self.command(args);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        Printed::from(output)
    }

    /// Applies, which must end in sync.
    pub async fn apply(&self) -> Printed {
        let printed = self.pintle(&["apply", "--yes"]).await;
        assert_eq!(printed.code, Some(0), "{}\n{}", printed.err, printed.out);
        printed
    }

    /// The version that a Deployment's specification names.
    pub async fn version(&self, name: &str) -> String {
        let image = self.ns.image(&format!("deployment/{name}")).await;
        image.rsplit_once(':').unwrap().1.to_owned()
    }
}

impl From<Output> for Printed {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }
}

impl Printed {
    /// The place of a line that contains all of these; which must exist.
    pub fn line(&self, parts: &[&str]) -> usize {
        let found = self.err.lines().position(|line| parts.iter().all(|part| line.contains(part)));
        found.unwrap_or_else(|| panic!("no line with {parts:?} in\n{}\n{}", self.err, self.out))
    }
}

fn file(name: &str) -> String {
    Path::new("services").join(format!("{name}.yaml")).to_string_lossy().into_owned()
}

fn text(name: &str, version: &str, rest: &str) -> String {
    format!("version: \"{version}\"\nimage: ghcr.io/acme/{name}\n{rest}")
}

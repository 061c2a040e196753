//! A shop: a namespace with running services, and the repository that pins them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use pintle_core::git::CommitId;
use serde_json::Value;
use tempfile::TempDir;

use super::control_plane::ControlPlane;
use super::git::{TestRepo, hermetic};
use super::limit::EMERGENCY;
use super::namespace::{Namespace, rolled_out, workload};
use super::promise::Promise;
use super::recorder::{Recorder, Recording};
use super::running::Running;

/// A shop of which the first commit pins what runs.
pub(crate) struct Shop {
    pub repo: TestRepo,
    pub ns: Namespace,
    kubeconfig: PathBuf,
    home: TempDir,
    /// The workload of each service.
    workloads: BTreeMap<String, String>,
}

/// What a run of `pintle` printed.
pub(crate) struct Printed {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl Shop {
    /// Runs a workload of two replicas for each service, waits for them, and pins them. Services are given as
    /// `payments 2.0.3`, with a kind as `statefulset/db 1.0`, with a word for their pods as `payments 2.0.3 linger`.
    pub(crate) async fn open(services: &[&str]) -> Self {
        let shop = Self::found(ControlPlane::shared(), services, |_, _| ()).await;
        shop.settle().await;
        shop
    }

    /// The same on any control plane, with each manifest bent, and not waited for.
    pub(crate) async fn found(cp: &ControlPlane, services: &[&str], bend: impl Fn(&str, &mut Value)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (ns, repo) = (cp.namespace("shop").await, TestRepo::new());
        let mut shop = Self { repo, ns, kubeconfig: cp.kubeconfig(), home, workloads: BTreeMap::new() };
        shop.settings("");
        for service in services {
            let (object, version) = service.split_once(' ').unwrap();
            let object = if object.contains('/') { object.to_owned() } else { format!("deployment/{object}") };
            let name = object.split_once('/').unwrap().1.to_owned();
            let mut manifest = workload(&object, &image(&name, version), 2);
            bend(&name, &mut manifest);
            shop.ns.create_as_is(&object, manifest).await;
            shop.workloads.insert(name.clone(), object);
            shop.pin(&name, version, "");
        }
        shop.commit("Pin what runs");
        shop
    }

    /// Waits until every workload is rolled out.
    pub(crate) async fn settle(&self) {
        for object in self.workloads.values() {
            self.ns.wait(object, "rolled out", rolled_out).await;
        }
    }

    /// Writes `pintle.yaml`: these lines, and where services run.
    pub(crate) fn settings(&self, lines: &str) -> &Self {
        let text = format!("apiVersion: pintle.dev/v1alpha1\nnamespace: {}\n{lines}", self.ns.name);
        self.repo.write("pintle.yaml", text);
        self
    }

    /// Writes the file of a service: `version` may be followed by a word for its pods, `rest` are further lines.
    pub(crate) fn pin(&self, name: &str, version: &str, rest: &str) -> &Self {
        let (version, word) = version.split_once(' ').unwrap_or((version, ""));
        let tag = if word.is_empty() { String::new() } else { format!("tag: \"{{version}}-{word}\"\n") };
        let object = self.workloads.get(name).filter(|object| !object.starts_with("deployment/"));
        let workloads = object.map(|object| format!("workloads: [{object}]\n")).unwrap_or_default();
        self.repo.pin(name, version, &format!("{tag}{workloads}{rest}"));
        self
    }

    pub(crate) fn commit(&self, message: &str) -> CommitId {
        self.repo.commit(message)
    }

    /// Talks to the cluster by another kubeconfig from now on.
    pub(crate) fn connect(&mut self, kubeconfig: &str) {
        self.kubeconfig = self.home.path().join("kubeconfig");
        std::fs::write(&self.kubeconfig, kubeconfig).unwrap();
    }

    /// Where `pintle` keeps what it has fetched.
    pub(crate) fn cache(&self) -> PathBuf {
        self.home.path().join(".cache/pintle")
    }

    /// `pintle`, to be run in the repository.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut pintle = Command::new(env!("CARGO_BIN_EXE_pintle"));
        hermetic(&mut pintle).env("HOME", self.home.path()).env("KUBECONFIG", &self.kubeconfig);
        pintle.current_dir(self.repo.path()).args(args).stdin(Stdio::null());
        pintle
    }

    /// Runs `pintle` to its end.
    pub(crate) async fn pintle(&self, args: &[&str]) -> Printed {
        self.start(args).end().await
    }

    /// What `pintle` prints as JSON.
    pub(crate) async fn json(&self, args: &[&str]) -> Value {
        self.pintle(&[args, &["--output", "json"]].concat()).await.json()
    }

    /// Asks for the status until `holds` of it, and gives it.
    pub(crate) async fn status_once(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + EMERGENCY;
        loop {
            let status = self.json(&["status"]).await;
            if holds(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "not \"{what}\": {status:#}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Starts `pintle`.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running::start(self.command(args))
    }

    /// Starts to apply.
    pub(crate) fn start_apply(&self) -> Running {
        self.start(&["apply", "--yes"])
    }

    /// Applies, which must end in sync.
    pub(crate) async fn apply(&self) -> Printed {
        self.apply_ends(0).await
    }

    /// Applies, which must end with an exit code.
    pub(crate) async fn apply_ends(&self, code: i32) -> Printed {
        self.pintle(&["apply", "--yes"]).await.ended(code)
    }

    pub(crate) async fn record(&self) -> Recorder {
        Recorder::start(&self.ns).await
    }

    /// Ends a recording, in which no two versions may have existed at once that the pins forbid.
    pub(crate) async fn kept(&self, recorder: Recorder) -> Recording {
        let recording = recorder.finish().await;
        let broken = Promise::of(&self.repo).broken_in(&recording);
        assert!(broken.is_empty(), "{broken:#?}");
        recording
    }

    /// The version that a workload's specification names, with the word for its pods.
    pub(crate) async fn version(&self, name: &str) -> String {
        let image = self.ns.image(&self.workloads[name]).await;
        image.rsplit_once(':').unwrap().1.to_owned()
    }

    /// All of these, as one line.
    pub(crate) async fn versions(&self, names: &[&str]) -> String {
        let mut versions = Vec::new();
        for name in names {
            versions.push(self.version(name).await);
        }
        versions.join(" ")
    }
}

impl From<Output> for Printed {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }
}

impl Printed {
    /// It must have ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.err, self.out);
        self
    }

    /// Stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}\n{}", self.err, self.out))
    }

    /// The place of the first line on stderr that contains all of these; which must exist.
    #[track_caller]
    pub(crate) fn line(&self, parts: &[&str]) -> usize {
        self.find(&self.err, parts)
    }

    /// The same on stdout: of the result.
    #[track_caller]
    pub(crate) fn result(&self, parts: &[&str]) -> usize {
        self.find(&self.out, parts)
    }

    #[track_caller]
    fn find(&self, text: &str, parts: &[&str]) -> usize {
        let found = text.lines().position(|line| parts.iter().all(|part| line.contains(part)));
        found.unwrap_or_else(|| panic!("no line with {parts:?} in\n{}\n{}", self.err, self.out))
    }

    /// No line on either contains this.
    #[track_caller]
    pub(crate) fn never(&self, part: &str) {
        assert!(!self.err.contains(part) && !self.out.contains(part), "{part:?} in\n{}\n{}", self.err, self.out);
    }
}

/// The image of a service: `2.1.0 broken` becomes the tag `2.1.0-broken`.
pub(crate) fn image(name: &str, version: &str) -> String {
    format!("ghcr.io/acme/{name}:{}", version.replace(' ', "-"))
}

//! What plan, apply and status begin with: the pins of a revision, and the cluster they are compared with.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use pintle_core::desired::DesiredState;
use pintle_core::git::{Commit, CommitId};
use pintle_core::history::History;
use pintle_core::pins::{Pins, Runtime};

use super::exit::{CommandError, CommandExit};
use super::host::open_local_runtime;
use super::load::LoadedRevision;
use super::output::Output;
use super::progress::ProgressNote;
use crate::cli::config::CliConfig;
use crate::cluster::kube::{ConnectOptions, KubeCluster};
use crate::cluster::{Cluster, ClusterError, LeaseName, LocalRuntime};
use crate::controller::{Desired, Snapshot, check_history, take_snapshot, written_commits};

/// A command that looks at the cluster, whichever that is.
pub(super) trait ClusterCommand {
    /// Whether it changes something there, and then what others are told who would at the same time.
    const CHANGES: Option<&'static str>;

    /// Opens the local runtime, to change something where the command does. Where another process has locked it, that is
    /// an error, unless the command knows better.
    async fn open_host(&self, open: impl OpenHost, _output: &mut Output) -> Result<LocalRuntime, CommandError> {
        Ok(open(Self::CHANGES)?)
    }

    /// Carries it out.
    async fn run_on<C: Cluster>(
        &self,
        config: &CliConfig,
        session: Session<C>,
        output: &mut Output,
    ) -> Result<CommandExit, CommandError>;
}

/// Opens the local runtime; what is done, where something is changed.
pub(super) trait OpenHost: Fn(Option<&str>) -> Result<LocalRuntime, ClusterError> {}

impl<T: Fn(Option<&str>) -> Result<LocalRuntime, ClusterError>> OpenHost for T {}

/// Carries a command out where a revision says that its services run. Where the remote could not be reached,
/// `loaded.stale` says so, and nothing may be written.
pub(super) fn run<T: ClusterCommand>(
    command: &T,
    config: &CliConfig,
    loaded: LoadedRevision,
    output: &mut Output,
) -> Result<CommandExit, CommandError> {
    let commit = loaded.revision.commit.clone().ok_or_else(|| CommandError::error("a revision is needed"))?;
    let (id, pins, history) = (commit.id, loaded.revision.pins(config), Arc::clone(&loaded.history));
    let running = async {
        match pins.settings.runtime {
            Runtime::Kubernetes => {
                let connecting = ProgressNote::of("connecting to the cluster");
                let (desired, cluster) = connect(config, id, pins, history).await?;
                drop(connecting);
                let server = cluster.server().to_owned();
                command.run_on(config, Session { commit, desired, cluster, server, loaded, host: None }, output).await
            }
            Runtime::Local => {
                let desired = Desired::from(DesiredState::new(id, pins, history, String::new()));
                let host = command
                    .open_host(|changes: Option<&str>| open_local_runtime(config, &desired, changes), output)
                    .await?;
                let (cluster, server) = (host.clone(), host.server().to_owned());
                let session = Session { commit, desired, cluster, server, loaded, host: Some(host.clone()) };
                let done = command.run_on(config, session, output).await;
                host.wait_until_done().await;
                done
            }
        }
    };
    block_on(running).flatten()
}

/// The pins of a revision beside the cluster.
pub(super) struct Session<C> {
    /// The revision.
    pub commit: Arc<Commit>,
    /// What is wanted.
    pub desired: Desired,
    /// What is there.
    pub cluster: C,
    /// Its name in messages.
    pub server: String,
    /// Where the pins come from.
    pub loaded: LoadedRevision,
    /// The local runtime, which must be told what another revision says is run.
    pub host: Option<LocalRuntime>,
}

/// Runs what talks to the cluster.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    Ok(runtime.map_err(|error| CommandError::error(format!("no threads: {error}")))?.block_on(future))
}

/// Connects to the cluster in which these pins run, and watches their workloads.
pub(super) async fn connect(
    config: &CliConfig,
    commit: CommitId,
    pins: Pins,
    history: Arc<History>,
) -> Result<(Desired, KubeCluster), ClusterError> {
    let to = ConnectOptions {
        context: config.context.clone(),
        namespace: config.namespace.clone(),
        ..ConnectOptions::default()
    };
    let cluster = KubeCluster::connect(&to).await?;
    let desired = Desired::from(DesiredState::new(commit, pins, history, cluster.namespace().to_owned()));
    cluster.watch_workloads(&desired.all_workloads());
    Ok((desired, cluster))
}

impl<C: Cluster> Session<C> {
    /// The lease of the one writer of these pins.
    pub(super) fn lease(&self) -> LeaseName {
        let settings = &self.desired.pins.settings;
        let namespace = settings.namespace.clone().unwrap_or_else(|| self.desired.namespace.clone());
        LeaseName { namespace, instance: settings.instance.clone() }
    }

    /// A picture in which the pods of everything unsettled are known.
    pub(super) async fn see(&self) -> Result<Snapshot, CommandError> {
        let _looking = ProgressNote::of(format!("looking at {}", self.server));
        Ok(take_snapshot(&self.cluster, &self.desired).await?)
    }

    /// Returns the commits that `accepted` abandons, or refuses to go on: the history was rewritten, or this clone is
    /// behind (design, I2 and I10).
    pub(super) fn guard_history(
        &self,
        snapshot: &Snapshot,
        accepted: Option<&str>,
    ) -> Result<BTreeSet<CommitId>, CommandError> {
        let written = written_commits(&self.desired, &snapshot.observed);
        Ok(check_history(&self.loaded.source, self.commit.id, &written, accepted)?)
    }
}

impl From<ClusterError> for CommandError {
    fn from(error: ClusterError) -> Self {
        let hint = match &error {
            ClusterError::NoCluster(_) => Some("name one in KUBECONFIG; `pintle plan --from REV` needs no cluster"),
            ClusterError::Kubeconfig { .. } => {
                Some("name one that is there in KUBECONFIG, or unset it; `pintle plan --from REV` needs no cluster")
            }
            ClusterError::Unreachable(_) => Some("is this the right one, and does kubectl reach it? --context NAME"),
            _ => None,
        };
        Self { hint: hint.map(str::to_owned), ..Self::error(error.to_string()) }
    }
}

//! What plan, apply and status begin with: the pins of a revision, and the cluster they are compared with.
#![expect(clippy::disallowed_methods, reason = "this room waits for the cluster")]

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::exit::{Exit, Failure};
use super::host::host;
use super::load::Loaded;
use super::output::Output;
use super::progress::Progress;
use crate::cluster::kube::{Connect, Kube};
use crate::cluster::{Cluster, ClusterError, Observation};
use crate::config::Config;
use crate::pins::{Pins, Runtime};
use crate::reconcile::{Desired, Look, look};
use crate::source::{Commit, CommitId, History, Relation};

/// How long a command waits for a complete picture of the cluster.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command that looks at the cluster, whichever that is.
pub trait OnSite {
    /// Whether it changes something there, and then what others are told who would at the same time.
    const CHANGES: Option<&'static str>;

    /// Carries it out.
    async fn run_on<C: Cluster>(&self, config: &Config, site: Site<C>, output: &mut Output) -> Result<Exit, Failure>;
}

/// Carries a command out where a revision says that its services run. Where the remote could not be reached,
/// `loaded.stale` says so, and nothing may be written.
pub fn run<T: OnSite>(command: &T, config: &Config, loaded: Loaded, output: &mut Output) -> Result<Exit, Failure> {
    let commit = loaded.at.commit.clone().ok_or_else(|| Failure::error("a revision is needed"))?;
    let (id, pins, history) = (commit.id, loaded.at.pins(config), Arc::clone(&loaded.history));
    let on_site = async {
        match pins.settings.runtime {
            Runtime::Kubernetes => {
                let connecting = Progress::of("connecting to the cluster");
                let (desired, cluster) = connect(config, id, pins, history).await?;
                drop(connecting);
                let server = cluster.server().to_owned();
                command.run_on(config, Site { commit, desired, cluster, server, loaded }, output).await
            }
            Runtime::Local => {
                let desired = Desired::new(id, pins, history, String::new());
                let host = host(config, &desired, T::CHANGES)?;
                let (cluster, server) = (host.clone(), host.server().to_owned());
                let done = command.run_on(config, Site { commit, desired, cluster, server, loaded }, output).await;
                host.finish().await;
                done
            }
        }
    };
    block_on(on_site).flatten()
}

/// The pins of a revision beside the cluster.
pub struct Site<C> {
    /// The revision.
    pub commit: Arc<Commit>,
    /// What is wanted.
    pub desired: Desired,
    /// What is there.
    pub cluster: C,
    /// Its name in messages.
    pub server: String,
    /// Where the pins come from.
    pub loaded: Loaded,
}

/// A complete picture of the cluster.
pub struct Sight {
    /// As observed.
    pub observed: Observation,
    /// What it means.
    pub look: Look,
}

/// Runs what talks to the cluster.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    Ok(runtime.map_err(|error| Failure::error(format!("no threads: {error}")))?.block_on(future))
}

/// Connects to the cluster in which these pins run, and watches their workloads.
pub async fn connect(
    config: &Config,
    commit: CommitId,
    pins: Pins,
    history: Arc<History>,
) -> Result<(Desired, Kube), ClusterError> {
    let to = Connect { context: config.context.clone(), namespace: config.namespace.clone(), ..Connect::default() };
    let cluster = Kube::connect(&to).await?;
    let desired = Desired::new(commit, pins, history, cluster.namespace().to_owned());
    cluster.scope(&desired.all_workloads());
    Ok((desired, cluster))
}

impl<C: Cluster> Site<C> {
    /// A picture in which the pods of everything unsettled are known.
    pub async fn see(&self) -> Result<Sight, Failure> {
        let _looking = Progress::of(format!("looking at {}", self.server));
        let begun = Instant::now();
        loop {
            let observed = self.cluster.observe().await?;
            let look = look(&self.desired, &observed, Timestamp::now());
            if look.unseen.is_empty() || begun.elapsed() > PATIENCE {
                return Ok(Sight { observed, look });
            }
            self.cluster.changed(PATIENCE).await?;
        }
    }

    /// Refuses to go on where workloads were written at a commit that the branch does not go on from: its history was
    /// rewritten, or this clone is behind (design, I2 and I10). Returns the commits that `accepted`, an OLD..NEW, lets go:
    /// OLD, and those that led to it.
    pub fn guard_history(&self, sight: &Sight, accepted: Option<&str>) -> Result<BTreeSet<CommitId>, Failure> {
        let written = self.written(sight);
        let accepted = accepted.map(|range| self.accepted(range, &written)).transpose()?;
        let (mut let_go, mut newest) = (BTreeSet::new(), None);
        for old in written {
            if self.leads_to(old, self.commit.id)? {
                continue;
            }
            if accepted == Some(old) || accepted.map_or(Ok(false), |accepted| self.leads_to(old, accepted))? {
                let_go.insert(old);
            } else if newest.map_or(Ok(true), |newest| self.leads_to(newest, old))? {
                newest = Some(old);
            }
        }
        newest.map_or(Ok(()), |old| self.guard_commit(old))?;
        Ok(let_go)
    }

    /// The commits that the workloads of the pins were written at.
    fn written(&self, sight: &Sight) -> BTreeSet<CommitId> {
        let instance = &self.desired.pins.settings.instance;
        let pinned = self.desired.all_workloads();
        let workloads = sight.observed.workloads.iter().filter(|(id, _)| pinned.contains(id));
        let states = workloads.filter_map(|(_, workload)| workload.state.as_ref());
        states.filter(|state| state.instance == *instance).map(|state| state.commit).collect()
    }

    fn leads_to(&self, old: CommitId, new: CommitId) -> Result<bool, Failure> {
        let source = &self.loaded.source;
        Ok(source.knows(old) && source.knows(new) && source.is_ancestor(old, new)?)
    }

    fn guard_commit(&self, old: CommitId) -> Result<(), Failure> {
        let new = self.commit.id;
        let go_on = format!("look at both, then go on with --accept-rewrite {}..{}", old.short(), new.short());
        match self.loaded.source.relation(old, new)? {
            Relation::Same | Relation::Forward { .. } => Ok(()),
            Relation::Rewritten { merge_base: Some(base) } if base == new => Err(Failure::refused(format!(
                "{} is older than {}, which the cluster was last written at: nothing is done",
                new.short(),
                old.short()
            ))
            .hint(format!("git pull, or revert with a commit; if the branch was really set back, {go_on}"))),
            Relation::Rewritten { .. } => Err(Failure::refused(format!(
                "the branch was rewritten: the cluster was last written at {}, which {} does not go on from; nothing is done",
                old.short(),
                new.short()
            ))
            .hint(go_on)),
            Relation::Unknown => Err(Failure::refused(format!(
                "the cluster was last written at {}, a commit that is not in {}; nothing is done",
                old.short(),
                self.loaded.source.location()
            ))
            .hint(format!("git pull or fetch it; if the branch was rewritten, {go_on}"))),
        }
    }

    /// The OLD of an OLD..NEW whose NEW is the tip.
    fn accepted(&self, range: &str, written: &BTreeSet<CommitId>) -> Result<CommitId, Failure> {
        let usage = || Failure::usage(format!("--accept-rewrite {range:?} is not OLD..NEW"));
        let (old, new) = range.split_once("..").filter(|(old, new)| is_hex(old) && is_hex(new)).ok_or_else(usage)?;
        if !self.commit.id.to_hex().starts_with(new) {
            let tip = self.commit.id.short();
            return Err(Failure::refused(format!("--accept-rewrite names {new}, but the branch is at {tip} by now"))
                .hint("look again at what it would do: pintle plan"));
        }
        let found = written.iter().find(|id| id.to_hex().starts_with(old)).copied();
        found.ok_or_else(|| Failure::usage(format!("--accept-rewrite names {old}, which no workload was written at")))
    }
}

fn is_hex(text: &str) -> bool {
    (7..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        Self::error(error.to_string())
    }
}

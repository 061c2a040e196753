//! What the cluster at hand shows, for commands to which that is an addition: where there is no cluster, or none that
//! answers at once, they go on without.
#![expect(clippy::disallowed_methods, reason = "this room waits for the cluster")]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use pintle_core::desired::DesiredState;
use pintle_core::git::CommitId;
use pintle_core::history::History;
use pintle_core::pins::{Pins, Runtime};

use super::exit::CommandError;
use super::host::open_local_runtime;
use super::session::{block_on, connect};
use crate::cli::config::CliConfig;
use crate::cluster::{Cluster, ClusterError, Observation};
use crate::controller::Desired;

/// Nobody waits longer for an addition.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a cluster shows.
pub(super) struct BestEffortSnapshot {
    /// Its name in messages.
    pub server: String,
    /// What is wanted there.
    pub desired: Arc<Desired>,
    /// What is there.
    pub observed: Observation,
}

/// A picture, and whether it is whole.
type Answer = Result<(BestEffortSnapshot, bool), ClusterError>;

/// Looks at the cluster in which these pins run; none where there is none. A picture that is not `whole` is looked at
/// again for as long as there is time.
///
/// # Errors
/// Why there is no answer, in words.
pub(super) fn best_effort_snapshot(
    config: &CliConfig,
    (commit, pins, history): (CommitId, Pins, Arc<History>),
    whole: impl Fn(&Desired, &Observation) -> bool + Send + 'static,
) -> Result<Option<BestEffortSnapshot>, String> {
    let config = config.clone();
    let (tell, answers) = channel();
    // Credential plugins and name servers may block: the thread is left behind then, and ends with the program.
    std::thread::spawn(move || {
        let looked = block_on(async {
            match pins.settings.runtime {
                Runtime::Kubernetes => {
                    let (desired, cluster) = connect(&config, commit, pins, history).await?;
                    look(&cluster, cluster.server(), desired, (&whole, &tell)).await
                }
                Runtime::Local => {
                    let desired = Desired::from(DesiredState::new(commit, pins, history, String::new()));
                    let host = open_local_runtime(&config, &desired, None)?;
                    look(&host, host.server(), desired, (&whole, &tell)).await
                }
            }
        });
        let looked = looked.unwrap_or_else(|CommandError { message, .. }| Err(ClusterError::ConnectionConfig(message)));
        if let Err(error) = looked {
            // Nobody listens any more where it took too long.
            let _ = tell.send(Err(error));
        }
    });
    newest(&answers)
}

async fn look(
    cluster: &impl Cluster,
    server: &str,
    desired: Desired,
    (whole, tell): (&impl Fn(&Desired, &Observation) -> bool, &Sender<Answer>),
) -> Result<(), ClusterError> {
    let desired = Arc::new(desired);
    loop {
        let observed = cluster.observe().await?;
        let is_whole = whole(&desired, &observed);
        let snapshot = BestEffortSnapshot { server: server.to_owned(), desired: Arc::clone(&desired), observed };
        if tell.send(Ok((snapshot, is_whole))).is_err() || is_whole {
            return Ok(());
        }
        cluster.wait_for_change(PATIENCE).await?;
    }
}

/// The whole picture, or the newest there is in time.
fn newest(answers: &Receiver<Answer>) -> Result<Option<BestEffortSnapshot>, String> {
    let begun = Instant::now();
    let mut newest = None;
    loop {
        let why = match answers.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
            Ok(Ok((snapshot, true))) => return Ok(Some(snapshot)),
            Ok(Ok((snapshot, false))) => {
                newest = Some(snapshot);
                continue;
            }
            Ok(Err(ClusterError::NoCluster(_))) => return Ok(None),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the cluster does not answer within {PATIENCE:?}"),
        };
        return newest.map(Some).ok_or(why);
    }
}

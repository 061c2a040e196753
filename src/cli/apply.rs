//! `pintle apply`: the plan, carried out.

mod summary;

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use pintle_core::git::CommitId;
use pintle_core::graph::Id;
use serde::Serialize;
use tokio::sync::watch;

use self::summary::final_summary;
use super::describe::PlanReport;
use super::exit::{Exit, Failure, help};
use super::live::Live;
use super::load::{Loaded, load_fresh};
use super::output::{Output, Printing, counted};
use super::plan::{report, text};
use super::progress::Progress;
use super::session::{self, ClusterCommand, OpenHost, Session};
use super::words::{named, span};
use crate::cli::config::Config;
use crate::cluster::{Cluster, ClusterError, Lead, LocalHost};
use crate::controller::{
    self, ControllerState, Desired, RolloutArgs, RolloutOutcome, RolloutResult, Snapshot, drop_unselected, end_graces,
    other_writer, run_until_settled, targets,
};

/// Carry the plan out to its end, then stop
///
/// What somebody chose to leave as it is (a hold, a pause, a policy for drift) is told and is no failure: the exit code is 0,
/// and `pintle status --exit-code` gives 2. What the pins cannot say, or must not do (a broken file, versions that do not
/// fit, no safe order), is 4.
#[derive(Debug, Args)]
#[command(after_help = help("pintle apply\npintle apply payments\npintle apply --yes --timeout 30m", &[Exit::Ok, Exit::Error, Exit::Unhealthy, Exit::Refused, Exit::Usage]))]
pub(super) struct Apply {
    /// Only these services; their drift is corrected at once, whatever policy and grace say
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Go on although the branch was rewritten from OLD to NEW
    #[arg(long, value_name = "OLD..NEW")]
    pub accept_rewrite: Option<String>,
    /// Stop waiting when nothing has happened for so long
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = patience)]
    pub timeout: Duration,
    #[command(flatten)]
    printing: Printing,
}

/// How an apply ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ended {
    /// Everything runs what is pinned; beside a `run`, everything that was asked for.
    in_sync: bool,
    /// Somebody stopped it.
    stopped: bool,
    /// Services changed.
    verified: usize,
    /// The tip of the branch, where that has moved on meanwhile.
    moved_on_to: Option<CommitId>,
    /// What is left, as a plan.
    #[serde(flatten)]
    left: PlanReport,
}

/// Where nothing was typed.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

fn patience(text: &str) -> Result<Duration, String> {
    span(text, ["1s", "24h"])
}

impl ClusterCommand for Apply {
    const CHANGES: Option<&'static str> = Some("pintle apply");

    async fn open_host(&self, open: impl OpenHost, _output: &mut Output) -> Result<LocalHost, Failure> {
        match open(Self::CHANGES) {
            // It does what is to be done, and is looked at.
            Err(ClusterError::Locked(holder)) if holder.starts_with("`pintle run`") => Ok(open(None)?),
            opened => Ok(opened?),
        }
    }

    async fn run_on<C: Cluster>(
        &self,
        config: &Config,
        mut session: Session<C>,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        session.desired.options.selected = self.asked(&session.desired)?;
        let mut snapshot = session.see().await?;
        session.desired.options.abandoned_commits = session.guard_history(&snapshot, self.accept_rewrite.as_deref())?;
        let mut state = ControllerState::default();
        state.survey(&session.cluster, &session.desired, &snapshot.look).await?;
        let plan = report(&session, &mut snapshot, &mut state);
        output.note(text::table(&session.commit, &session.server, &plan));
        let to_record = snapshot.look.services.iter().any(|it| it.to_record)
            || !session.desired.options.abandoned_commits.is_empty();
        let moves = plan.changes() > 0 || !plan.under_way.is_empty() || to_record;
        if moves && !self.agreed(&plan, output)? {
            return Err(Failure::error("nothing was changed"));
        }
        if !moves {
            return self.tell(&session, &still(&session, snapshot), None, output);
        }
        let outcome = self.carry_out(&session, state, &config.user, output).await?;
        let newer = moved_on(&mut session, config);
        self.tell(&session, &outcome, newer.as_ref(), output)
    }
}

impl Apply {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        session::run(self, config, fresh(config, output)?, output)
    }

    /// One that was agreed to already.
    pub(super) fn agreed_to(printing: Printing) -> Self {
        Self { services: Vec::new(), yes: true, accept_rewrite: None, timeout: PATIENCE, printing }
    }

    /// The services that were named; none where none were.
    fn asked(&self, desired: &Desired) -> Result<Option<BTreeSet<Id>>, Failure> {
        let ids = named(&desired.graph, &self.services)?;
        Ok((!ids.is_empty()).then(|| ids.into_iter().collect()))
    }

    /// Asks, unless that was answered by a flag.
    fn agreed(&self, plan: &PlanReport, output: &mut Output) -> Result<bool, Failure> {
        if self.yes || plan.changes() == 0 {
            return Ok(true);
        }
        output.agreed("plan")
    }

    async fn carry_out(
        &self,
        session: &Session<impl Cluster>,
        state: ControllerState,
        user: &str,
        output: &mut Output,
    ) -> Result<RolloutOutcome, Failure> {
        let stop = stopped();
        let mut lead = session.cluster.lead(&session.lease(), "apply");
        if let Some(holder) = others(&mut lead).await? {
            output.note(format_args!("{holder} is the one writer: it carries this out, and this follows what it does"));
            end_graces(&session.cluster, &session.desired, user).await?;
        }
        let args = RolloutArgs { stop, lead: lead.state.clone(), patience: self.timeout, state };
        let outcome = shown(session, args, output).await;
        lead.release().await;
        Ok(outcome?)
    }

    /// How everything stands, and the exit code of it.
    pub(super) fn tell(
        &self,
        session: &Session<impl Cluster>,
        outcome: &RolloutOutcome,
        moved: Option<&MovedOn>,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        let pass = &outcome.last;
        let mut plan = controller::plan(&session.desired, &pass.look, &pass.wanted);
        if outcome.looked_on {
            drop_unselected(&session.desired, &mut plan);
        }
        let result = RolloutResult::of(outcome, &plan);
        let left = PlanReport::of(&session.desired, &pass.look, &plan, Vec::new());
        let words = final_summary(session, &left, (outcome, result), moved);
        let RolloutOutcome { stopped, verified, .. } = *outcome;
        let moved_on_to = moved.map(|moved| moved.to);
        let ended = Ended { in_sync: left.is_empty(), stopped, verified, moved_on_to, left };
        output.result(self.printing.output, &ended, |output| output.line(words))?;
        Ok(exit(result))
    }
}

/// Follows a run to its end, and shows how it goes.
pub(super) async fn shown<C: Cluster>(
    session: &Session<C>,
    args: RolloutArgs,
    output: &mut Output,
) -> Result<RolloutOutcome, ClusterError> {
    let mut live = Live::new(output);
    run_until_settled(&session.cluster, &session.desired, args, |pass, events| {
        live.show(&session.desired, pass, events);
    })
    .await
}

/// Becomes true when somebody types Ctrl-C.
pub(super) fn stopped() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            // Nobody listens any more where the run has ended by itself.
            let _ = stop.send(true);
        }
    });
    stopped
}

/// The process that writes instead of this one; none where this one does.
async fn others(lead: &mut Lead) -> Result<Option<String>, Failure> {
    let no_lease = |why| {
        Failure::error(format!("nothing is written without the lease: {why}"))
            .hint("it takes the rights to get, create and update leases.coordination.k8s.io there")
    };
    other_writer(lead).await.map_err(no_lease)
}

/// The newest revision, if anything of it can be used.
pub(super) fn fresh(config: &Config, output: &mut Output) -> Result<Loaded, Failure> {
    let loaded = load_fresh(config, "nothing is written from")?;
    loaded.say_uncommitted(output)?;
    if loaded.at.errors() > 0 {
        let errors = counted(loaded.at.errors(), "error");
        output.warn(format_args!("the pins have {errors}: pintle check shows them"));
    }
    Ok(loaded)
}

/// The branch is elsewhere than when the plan was made.
pub(super) struct MovedOn {
    pub(super) branch: String,
    pub(super) to: CommitId,
}

/// Looks at the branch once more; nothing where that cannot be done.
pub(super) fn moved_on(session: &mut Session<impl Cluster>, config: &Config) -> Option<MovedOn> {
    let source = &mut session.loaded.source;
    let _fetching = Progress::of(format!("fetching {}", config.location));
    let branch = config.branch.clone().or_else(|| source.default_branch().ok())?;
    let to = source.fetch(Some(&branch)).ok()?.id;
    (to != session.commit.id).then_some(MovedOn { branch, to })
}

/// Nothing was to be done.
fn still(session: &Session<impl Cluster>, snapshot: Snapshot) -> RolloutOutcome {
    let wanted = targets(&session.desired, &snapshot.look);
    RolloutOutcome::still(&session.desired, snapshot.look, wanted)
}

fn exit(result: RolloutResult) -> Exit {
    match result {
        RolloutResult::Complete => Exit::Ok,
        RolloutResult::Stopped => Exit::Error,
        RolloutResult::Unhealthy => Exit::Unhealthy,
        RolloutResult::Refused => Exit::Refused,
    }
}

//! `pintle apply`: the plan, carried out.

mod summary;

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use pintle_core::git::CommitId;
use pintle_core::graph::ServiceId;
use serde::Serialize;
use tokio::sync::watch;

use self::summary::final_summary;
use super::describe::PlanReport;
use super::exit::{CommandError, CommandExit, help};
use super::live::LiveView;
use super::load::{LoadedRevision, load_fresh};
use super::output::{Output, OutputArgs, counted};
use super::plan::{plan_with_ownership, text};
use super::progress::ProgressNote;
use super::session::{self, ClusterCommand, OpenHost, Session};
use super::words::{parse_duration, service_ids};
use crate::cli::config::CliConfig;
use crate::cluster::{Cluster, ClusterError, LeaderElection, LocalRuntime};
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
#[command(after_help = help("pintle apply\npintle apply payments\npintle apply --yes --timeout 30m", &[CommandExit::Ok, CommandExit::Error, CommandExit::Unhealthy, CommandExit::Refused, CommandExit::Usage]))]
pub(super) struct ApplyCommand {
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
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = parse_timeout)]
    pub timeout: Duration,
    #[command(flatten)]
    printing: OutputArgs,
}

/// How an apply ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ApplyJson {
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
const DEFAULT_APPLY_TIMEOUT: Duration = Duration::from_secs(15 * 60);

fn parse_timeout(text: &str) -> Result<Duration, String> {
    parse_duration(text, ["1s", "24h"])
}

impl ClusterCommand for ApplyCommand {
    const CHANGES: Option<&'static str> = Some("pintle apply");

    async fn open_host(&self, open: impl OpenHost, _output: &mut Output) -> Result<LocalRuntime, CommandError> {
        match open(Self::CHANGES) {
            // It does what is to be done, and is looked at.
            Err(ClusterError::Locked(holder)) if holder.starts_with("`pintle run`") => Ok(open(None)?),
            opened => Ok(opened?),
        }
    }

    async fn run_on<C: Cluster>(
        &self,
        config: &CliConfig,
        mut session: Session<C>,
        output: &mut Output,
    ) -> Result<CommandExit, CommandError> {
        session.desired.options.selected = self.asked(&session.desired)?;
        let mut snapshot = session.see().await?;
        session.desired.options.abandoned_commits = session.guard_history(&snapshot, self.accept_rewrite.as_deref())?;
        let mut state = ControllerState::default();
        state.survey(&session.cluster, &session.desired, &snapshot.look).await?;
        let plan = plan_with_ownership(&session, &mut snapshot, &mut state);
        output.note(text::table(&session.commit, &session.server, &plan));
        let to_record = snapshot.look.services.iter().any(|it| it.to_record)
            || !session.desired.options.abandoned_commits.is_empty();
        let moves = plan.changes() > 0 || !plan.under_way.is_empty() || to_record;
        if moves && !self.agreed(&plan, output)? {
            return Err(CommandError::error("nothing was changed"));
        }
        if !moves {
            return self.print_outcome(&session, &outcome_without_changes(&session, snapshot), None, output);
        }
        let outcome = self.carry_out(&session, state, &config.user, output).await?;
        let newer = moved_tip(&mut session, config);
        self.print_outcome(&session, &outcome, newer.as_ref(), output)
    }
}

impl ApplyCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        session::run(self, config, load_for_apply(config, output)?, output)
    }

    /// One that was agreed to already.
    pub(super) fn already_confirmed(printing: OutputArgs) -> Self {
        Self { services: Vec::new(), yes: true, accept_rewrite: None, timeout: DEFAULT_APPLY_TIMEOUT, printing }
    }

    /// The services that were named; none where none were.
    fn asked(&self, desired: &Desired) -> Result<Option<BTreeSet<ServiceId>>, CommandError> {
        let ids = service_ids(&desired.graph, &self.services)?;
        Ok((!ids.is_empty()).then(|| ids.into_iter().collect()))
    }

    /// Asks, unless that was answered by a flag.
    fn agreed(&self, plan: &PlanReport, output: &mut Output) -> Result<bool, CommandError> {
        if self.yes || plan.changes() == 0 {
            return Ok(true);
        }
        output.confirm("plan")
    }

    async fn carry_out(
        &self,
        session: &Session<impl Cluster>,
        state: ControllerState,
        user: &str,
        output: &mut Output,
    ) -> Result<RolloutOutcome, CommandError> {
        let stop = stop_on_ctrl_c();
        let mut lead = session.cluster.campaign(&session.lease(), "apply");
        if let Some(holder) = current_writer(&mut lead).await? {
            output.note(format_args!("{holder} is the one writer: it carries this out, and this follows what it does"));
            end_graces(&session.cluster, &session.desired, user).await?;
        }
        let args = RolloutArgs { stop, lead: lead.leadership.clone(), patience: self.timeout, state };
        let outcome = run_with_live_view(session, args, output).await;
        lead.release().await;
        Ok(outcome?)
    }

    /// How everything stands, and the exit code of it.
    pub(super) fn print_outcome(
        &self,
        session: &Session<impl Cluster>,
        outcome: &RolloutOutcome,
        moved: Option<&MovedTip>,
        output: &mut Output,
    ) -> Result<CommandExit, CommandError> {
        let pass = &outcome.last;
        let mut plan = controller::simulate_plan(&session.desired, &pass.live_state, &pass.wanted);
        if outcome.looked_on {
            drop_unselected(&session.desired, &mut plan);
        }
        let result = RolloutResult::of(outcome, &plan);
        let left = PlanReport::of(&session.desired, &pass.live_state, &plan, Vec::new());
        let words = final_summary(session, &left, (outcome, result), moved);
        let RolloutOutcome { stopped, verified, .. } = *outcome;
        let moved_on_to = moved.map(|moved| moved.to);
        let ended = ApplyJson { in_sync: left.is_empty(), stopped, verified, moved_on_to, left };
        output.result(self.printing.output, &ended, |output| output.line(words))?;
        Ok(exit(result))
    }
}

/// Follows a run to its end, and shows how it goes.
pub(super) async fn run_with_live_view<C: Cluster>(
    session: &Session<C>,
    args: RolloutArgs,
    output: &mut Output,
) -> Result<RolloutOutcome, ClusterError> {
    let mut live = LiveView::new(output);
    run_until_settled(&session.cluster, &session.desired, args, |pass, events| {
        live.show(&session.desired, pass, events);
    })
    .await
}

/// Becomes true when somebody types Ctrl-C.
pub(super) fn stop_on_ctrl_c() -> watch::Receiver<bool> {
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
async fn current_writer(lead: &mut LeaderElection) -> Result<Option<String>, CommandError> {
    let no_lease = |why| {
        CommandError::error(format!("nothing is written without the lease: {why}"))
            .hint("it takes the rights to get, create and update leases.coordination.k8s.io there")
    };
    other_writer(lead).await.map_err(no_lease)
}

/// The newest revision, if anything of it can be used.
pub(super) fn load_for_apply(config: &CliConfig, output: &mut Output) -> Result<LoadedRevision, CommandError> {
    let loaded = load_fresh(config, "nothing is written from")?;
    loaded.warn_of_uncommitted(output)?;
    if loaded.revision.error_count() > 0 {
        let errors = counted(loaded.revision.error_count(), "error");
        output.warn(format_args!("the pins have {errors}: pintle check shows them"));
    }
    Ok(loaded)
}

/// The branch is elsewhere than when the plan was made.
pub(super) struct MovedTip {
    pub(super) branch: String,
    pub(super) to: CommitId,
}

/// Looks at the branch once more; nothing where that cannot be done.
pub(super) fn moved_tip(session: &mut Session<impl Cluster>, config: &CliConfig) -> Option<MovedTip> {
    let source = &mut session.loaded.source;
    let _fetching = ProgressNote::of(format!("fetching {}", config.location));
    let branch = config.branch.clone().or_else(|| source.default_branch().ok())?;
    let to = source.fetch(Some(&branch)).ok()?.id;
    (to != session.commit.id).then_some(MovedTip { branch, to })
}

/// Nothing was to be done.
fn outcome_without_changes(session: &Session<impl Cluster>, snapshot: Snapshot) -> RolloutOutcome {
    let wanted = targets(&session.desired, &snapshot.look);
    RolloutOutcome::still(&session.desired, snapshot.look, wanted)
}

fn exit(result: RolloutResult) -> CommandExit {
    match result {
        RolloutResult::Complete => CommandExit::Ok,
        RolloutResult::Stopped => CommandExit::Error,
        RolloutResult::Unhealthy => CommandExit::Unhealthy,
        RolloutResult::Refused => CommandExit::Refused,
    }
}

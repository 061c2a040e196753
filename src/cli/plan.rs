//! `pintle plan`: what would be done, in which order, and why.

pub(super) mod text;

use clap::{Args, ValueEnum};
use pintle_core::desired::DesiredState;
use pintle_core::git::Commit;
use serde::Serialize;

use super::describe::{PlanReport, Standing};
use super::exit::{CommandError, CommandExit, help};
use super::load::{LoadedRevision, Revision, load, warn_if_stale};
use super::output::{Output, OutputFormat};
use super::session::{self, ClusterCommand, Session};
use crate::cli::config::CliConfig;
use crate::cluster::Cluster;
use crate::controller::{
    self, ControllerState, Desired, LiveState, Snapshot, assess_pins, pinned_no_more, released, targets,
};

/// Show what would be done, in which order, and why
#[derive(Debug, Args)]
#[command(after_help = help("pintle plan\npintle plan --rev fix/payments --exit-code\npintle plan --from origin/main --output markdown", &[CommandExit::Ok, CommandExit::Error, CommandExit::Changes, CommandExit::Refused, CommandExit::Usage]))]
pub(super) struct PlanCommand {
    /// Plan this revision instead of the tip of the branch
    #[arg(long)]
    pub rev: Option<String>,
    /// Take the pins at this revision as what runs; needs no cluster
    #[arg(long, value_name = "REV")]
    pub from: Option<String>,
    /// Exit with 2 where there are changes; what somebody chose to hold is none
    #[arg(long)]
    pub exit_code: bool,
    /// How the plan is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: PlanFormat,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For both.
    Yaml,
    /// For a pull request.
    Markdown,
}

/// A plan, and what it is a plan of.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanJson<'a> {
    /// The revision.
    pub revision: &'a Commit,
    /// What it was compared with.
    pub against: String,
    /// The plan.
    #[serde(flatten)]
    pub report: PlanReport,
}

impl ClusterCommand for PlanCommand {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(
        &self,
        _: &CliConfig,
        session: Session<C>,
        output: &mut Output,
    ) -> Result<CommandExit, CommandError> {
        let mut snapshot = session.see().await?;
        if self.rev.is_none() {
            session.guard_history(&snapshot, None)?;
        }
        let mut state = ControllerState::default();
        state.survey(&session.cluster, &session.desired, &snapshot.look).await?;
        if let Some(why) = state.forget_forbidden() {
            output.warn(format_args!("who owns the images could not be asked: {why}"));
        }
        let report = plan_with_ownership(&session, &mut snapshot, &mut state);
        let exit =
            self.print(&PlanJson { revision: &session.commit, against: session.server.clone(), report }, output)?;
        session.loaded.revision.refuse_if_broken().map(|()| exit)
    }
}

impl PlanCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        match &self.from {
            Some(from) => self.run_offline(config, from, output),
            None => session::run(self, config, self.load(config, output)?, output),
        }
    }

    /// The revision, if anything of it can be used.
    fn load(&self, config: &CliConfig, output: &mut Output) -> Result<LoadedRevision, CommandError> {
        let loaded = load(config, self.rev.as_deref())?;
        warn_if_stale(loaded.fetch_error.as_ref(), output);
        if self.rev.is_none() {
            loaded.warn_of_uncommitted(output)?;
        }
        loaded.revision.refuse_if_unusable().map(|()| loaded)
    }

    /// Takes the pins at one revision as what runs while those at another are wanted.
    fn run_offline(&self, config: &CliConfig, from: &str, output: &mut Output) -> Result<CommandExit, CommandError> {
        let loaded = self.load(config, output)?;
        let commit = loaded.revision.commit.clone().ok_or_else(|| CommandError::error("a revision is needed"))?;
        let from = std::sync::Arc::new(loaded.source.resolve(from)?);
        let before = Revision::read(&loaded.source, &config.pin_folder, Some(from.clone()))?;
        before.warn_if_unusable(output);
        let before = before.pins(config);
        let desired = Desired::from(DesiredState::new(
            commit.id,
            loaded.revision.pins(config),
            loaded.history.clone(),
            String::new(),
        ));
        let look = assess_pins(&desired, &before);
        let earlier = Desired::from(DesiredState::new(from.id, before, loaded.history.clone(), String::new()));
        let released = pinned_no_more(&desired, &earlier.all_workloads());
        let report = plan_of(&desired, &look, released);
        let against = format!("the pins at {}", text::described(&from));
        let exit = self.print(&PlanJson { revision: &commit, against, report }, output)?;
        loaded.revision.refuse_if_broken().map(|()| exit)
    }

    fn print(&self, printed: &PlanJson<'_>, output: &mut Output) -> Result<CommandExit, CommandError> {
        let report = &printed.report;
        let PlanJson { revision, against, .. } = printed;
        match self.output {
            PlanFormat::Table => output.write(format_args!("{}", text::table(revision, against, report))),
            PlanFormat::Markdown => output.write(format_args!("{}", text::markdown(revision, against, report))),
            PlanFormat::Json => output.result(OutputFormat::Json, printed, |_| ())?,
            PlanFormat::Yaml => output.result(OutputFormat::Yaml, printed, |_| ())?,
        }
        let mut left = report.rest.iter().filter(|it| !it.by_choice).peekable();
        let has_changes = report.changes() > 0 || !report.under_way.is_empty() || left.peek().is_some();
        let refused = left.any(|it| matches!(it.standing, Standing::Refused | Standing::Held));
        Ok(match () {
            () if refused => CommandExit::Refused,
            () if self.exit_code && has_changes => CommandExit::Changes,
            () => CommandExit::Ok,
        })
    }
}

/// What would be done, as far as is known of owners and rights.
pub(super) fn plan_with_ownership(
    session: &Session<impl Cluster>,
    snapshot: &mut Snapshot,
    state: &mut ControllerState,
) -> PlanReport {
    state.correct(&mut snapshot.look);
    plan_of(&session.desired, &snapshot.look, released(&session.desired, &snapshot.observed))
}

fn plan_of(desired: &Desired, look: &LiveState, released: Vec<String>) -> PlanReport {
    let wanted = targets(desired, look);
    let plan = controller::simulate_plan(desired, look, &wanted);
    PlanReport::of(desired, look, &plan, released)
}

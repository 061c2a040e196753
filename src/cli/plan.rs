//! `pintle plan`: what would be done, in which order, and why.

pub(super) mod text;

use clap::{Args, ValueEnum};
use pintle_core::desired::DesiredState;
use pintle_core::git::Commit;
use serde::Serialize;

use super::describe::{PlanReport, Standing};
use super::exit::{Exit, Failure, help};
use super::load::{Loaded, Revision, load, say_stale};
use super::output::{Format, Output};
use super::session::{self, ClusterCommand, Session};
use crate::cli::config::Config;
use crate::cluster::Cluster;
use crate::controller::{
    self, ControllerState, Desired, LiveState, Snapshot, assess_pins, pinned_no_more, released, targets,
};

/// Show what would be done, in which order, and why
#[derive(Debug, Args)]
#[command(after_help = help("pintle plan\npintle plan --rev fix/payments --exit-code\npintle plan --from origin/main --output markdown", &[Exit::Ok, Exit::Error, Exit::Changes, Exit::Refused, Exit::Usage]))]
pub(super) struct Plan {
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
pub(super) struct Printed<'a> {
    /// The revision.
    pub revision: &'a Commit,
    /// What it was compared with.
    pub against: String,
    /// The plan.
    #[serde(flatten)]
    pub report: PlanReport,
}

impl ClusterCommand for Plan {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(&self, _: &Config, session: Session<C>, output: &mut Output) -> Result<Exit, Failure> {
        let mut snapshot = session.see().await?;
        if self.rev.is_none() {
            session.guard_history(&snapshot, None)?;
        }
        let mut state = ControllerState::default();
        state.survey(&session.cluster, &session.desired, &snapshot.look).await?;
        if let Some(why) = state.forget_forbidden() {
            output.warn(format_args!("who owns the images could not be asked: {why}"));
        }
        let report = report(&session, &mut snapshot, &mut state);
        let exit =
            self.print(&Printed { revision: &session.commit, against: session.server.clone(), report }, output)?;
        session.loaded.at.sound().map(|()| exit)
    }
}

impl Plan {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        match &self.from {
            Some(from) => self.run_offline(config, from, output),
            None => session::run(self, config, self.load(config, output)?, output),
        }
    }

    /// The revision, if anything of it can be used.
    fn load(&self, config: &Config, output: &mut Output) -> Result<Loaded, Failure> {
        let loaded = load(config, self.rev.as_deref())?;
        say_stale(loaded.stale.as_ref(), output);
        if self.rev.is_none() {
            loaded.say_uncommitted(output)?;
        }
        loaded.at.usable().map(|()| loaded)
    }

    /// Takes the pins at one revision as what runs while those at another are wanted.
    fn run_offline(&self, config: &Config, from: &str, output: &mut Output) -> Result<Exit, Failure> {
        let loaded = self.load(config, output)?;
        let commit = loaded.at.commit.clone().ok_or_else(|| Failure::error("a revision is needed"))?;
        let from = std::sync::Arc::new(loaded.source.resolve(from)?);
        let before = Revision::read(&loaded.source, &config.root, Some(from.clone()))?;
        before.warn(output);
        let before = before.pins(config);
        let desired =
            Desired::from(DesiredState::new(commit.id, loaded.at.pins(config), loaded.history.clone(), String::new()));
        let look = assess_pins(&desired, &before);
        let earlier = Desired::from(DesiredState::new(from.id, before, loaded.history.clone(), String::new()));
        let released = pinned_no_more(&desired, &earlier.all_workloads());
        let report = plan_of(&desired, &look, released);
        let against = format!("the pins at {}", text::described(&from));
        let exit = self.print(&Printed { revision: &commit, against, report }, output)?;
        loaded.at.sound().map(|()| exit)
    }

    fn print(&self, printed: &Printed<'_>, output: &mut Output) -> Result<Exit, Failure> {
        let report = &printed.report;
        let Printed { revision, against, .. } = printed;
        match self.output {
            PlanFormat::Table => output.write(format_args!("{}", text::table(revision, against, report))),
            PlanFormat::Markdown => output.write(format_args!("{}", text::markdown(revision, against, report))),
            PlanFormat::Json => output.result(Format::Json, printed, |_| ())?,
            PlanFormat::Yaml => output.result(Format::Yaml, printed, |_| ())?,
        }
        let mut left = report.rest.iter().filter(|it| !it.by_choice).peekable();
        let has_changes = report.changes() > 0 || !report.under_way.is_empty() || left.peek().is_some();
        let refused = left.any(|it| matches!(it.standing, Standing::Refused | Standing::Held));
        Ok(match () {
            () if refused => Exit::Refused,
            () if self.exit_code && has_changes => Exit::Changes,
            () => Exit::Ok,
        })
    }
}

/// What would be done, as far as is known of owners and rights.
pub(super) fn report(
    session: &Session<impl Cluster>,
    snapshot: &mut Snapshot,
    state: &mut ControllerState,
) -> PlanReport {
    state.correct(&mut snapshot.look);
    plan_of(&session.desired, &snapshot.look, released(&session.desired, &snapshot.observed))
}

fn plan_of(desired: &Desired, look: &LiveState, released: Vec<String>) -> PlanReport {
    let wanted = targets(desired, look);
    let plan = controller::plan(desired, look, &wanted);
    PlanReport::of(desired, look, &plan, released)
}

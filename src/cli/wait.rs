//! What comes after a commit has landed: nothing, its rollout from here, or the rollout that somebody else carries out.

use clap::Args;
use tokio::sync::watch;

use super::apply::{ApplyCommand, load_for_apply, moved_tip, run_with_live_view, stop_on_ctrl_c};
use super::exit::{CommandError, CommandExit};
use super::land::{CommitOutcome, Land};
use super::output::Output;
use super::progress::ProgressNote;
use super::session::{self, ClusterCommand, Session};
use crate::cli::config::CliConfig;
use crate::cluster::{Cluster, Leadership};
use crate::controller::{ControllerState, RolloutArgs, wait_for_writer};

/// What comes after the commit.
#[derive(Debug, Args)]
pub(super) struct AfterCommitArgs {
    /// Follow the rollout to its end, by whoever is the one writer, and exit by its outcome
    #[arg(long, conflicts_with_all = ["propose", "patch"])]
    wait: bool,
    /// Roll it out from here, as `pintle apply --yes` does
    #[arg(long, conflicts_with_all = ["wait", "propose", "patch"])]
    apply: bool,
}

impl AfterCommitArgs {
    /// Goes on from what has landed.
    pub(super) fn follow_up(
        &self,
        config: &CliConfig,
        land: &Land,
        done: &CommitOutcome,
        output: &mut Output,
    ) -> Result<CommandExit, CommandError> {
        if !self.wait && !self.apply {
            return land.tell(done, output);
        }
        done.words().into_iter().for_each(|words| output.note(words));
        let apply = ApplyCommand::already_confirmed(land.printing());
        if self.apply {
            return apply.run(config, output);
        }
        session::run(&FollowRollout(apply), config, load_for_apply(config, output)?, output)
    }
}

/// An apply that writes nothing, and looks at what the one writer does.
struct FollowRollout(ApplyCommand);

impl ClusterCommand for FollowRollout {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(
        &self,
        config: &CliConfig,
        mut session: Session<C>,
        output: &mut Output,
    ) -> Result<CommandExit, CommandError> {
        let holder = writer(&session, output).await?;
        output.note(format_args!("{holder} is the one writer: this follows what it does"));
        let sight = session.see().await?;
        let mut state = ControllerState::default();
        state.survey(&session.cluster, &session.desired, &sight.look).await?;
        // Nothing is led here: whoever is that writer, or the next one, goes on writing.
        let (_others, lead) = watch::channel(Leadership::Theirs(holder));
        let args = RolloutArgs { stop: stop_on_ctrl_c(), lead, patience: self.0.timeout, state };
        let outcome = run_with_live_view(&session, args, output).await?;
        let newer = moved_tip(&mut session, config);
        self.0.print_outcome(&session, &outcome, newer.as_ref(), output)
    }
}

/// Who is the one writer: somebody who has given a sign of life.
async fn writer(session: &Session<impl Cluster>, output: &mut Output) -> Result<String, CommandError> {
    let lease = session.lease();
    let _looking = ProgressNote::of("looking who rolls it out");
    let on_absent = || {
        output.note("Nobody rolls it out yet: start pintle run, or type: pintle apply. This waits for a minute.");
    };
    let instance = &lease.instance;
    let nobody = || {
        let words = "nobody rolls it out: for a minute no `pintle run` of the instance";
        CommandError::error(format!("{words} `{instance}` was at work")).hint("roll it out from here: pintle apply")
    };
    wait_for_writer(&session.cluster, &lease, on_absent).await?.ok_or_else(nobody)
}

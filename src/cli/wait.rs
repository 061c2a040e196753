//! What comes after a commit has landed: nothing, its rollout from here, or the rollout that somebody else carries out.

use clap::Args;
use tokio::sync::watch;

use super::apply::{Apply, fresh, moved_on, shown, stopped};
use super::exit::{Exit, Failure};
use super::land::{CommitOutcome, Land};
use super::output::Output;
use super::progress::Progress;
use super::session::{self, ClusterCommand, Session};
use crate::cli::config::Config;
use crate::cluster::{Cluster, Leadership};
use crate::controller::{ControllerState, RolloutArgs, wait_for_writer};

/// What comes after the commit.
#[derive(Debug, Args)]
pub(super) struct After {
    /// Follow the rollout to its end, by whoever is the one writer, and exit by its outcome
    #[arg(long, conflicts_with_all = ["propose", "patch"])]
    wait: bool,
    /// Roll it out from here, as `pintle apply --yes` does
    #[arg(long, conflicts_with_all = ["wait", "propose", "patch"])]
    apply: bool,
}

impl After {
    /// Goes on from what has landed.
    pub(super) fn run(
        &self,
        config: &Config,
        land: &Land,
        done: &CommitOutcome,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        if !self.wait && !self.apply {
            return land.tell(done, output);
        }
        done.words().into_iter().for_each(|words| output.note(words));
        let apply = Apply::agreed_to(land.printing());
        if self.apply {
            return apply.run(config, output);
        }
        session::run(&Wait(apply), config, fresh(config, output)?, output)
    }
}

/// An apply that writes nothing, and looks at what the one writer does.
struct Wait(Apply);

impl ClusterCommand for Wait {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(
        &self,
        config: &Config,
        mut session: Session<C>,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        let holder = writer(&session, output).await?;
        output.note(format_args!("{holder} is the one writer: this follows what it does"));
        let sight = session.see().await?;
        let mut state = ControllerState::default();
        state.survey(&session.cluster, &session.desired, &sight.look).await?;
        // Nothing is led here: whoever is that writer, or the next one, goes on writing.
        let (_others, lead) = watch::channel(Leadership::Theirs(holder));
        let args = RolloutArgs { stop: stopped(), lead, patience: self.0.timeout, state };
        let outcome = shown(&session, args, output).await?;
        let newer = moved_on(&mut session, config);
        self.0.tell(&session, &outcome, newer.as_ref(), output)
    }
}

/// Who is the one writer: somebody who has given a sign of life.
async fn writer(session: &Session<impl Cluster>, output: &mut Output) -> Result<String, Failure> {
    let lease = session.lease();
    let _looking = Progress::of("looking who rolls it out");
    let on_absent = || {
        output.note("Nobody rolls it out yet: start pintle run, or type: pintle apply. This waits for a minute.");
    };
    let instance = &lease.instance;
    let nobody = || {
        let words = "nobody rolls it out: for a minute no `pintle run` of the instance";
        Failure::error(format!("{words} `{instance}` was at work")).hint("roll it out from here: pintle apply")
    };
    wait_for_writer(&session.cluster, &lease, on_absent).await?.ok_or_else(nobody)
}

//! What comes after a commit has landed: nothing, its rollout from here, or the rollout that somebody else carries out.
#![expect(clippy::disallowed_methods, reason = "this room waits for the cluster")]

use std::time::{Duration, Instant};

use clap::Args;
use jiff::Timestamp;
use tokio::sync::watch;

use super::apply::{Apply, fresh, moved_on, shown, stopped};
use super::exit::{Exit, Failure};
use super::land::{CommitOutcome, Land};
use super::output::Output;
use super::progress::Progress;
use super::site::{self, OnSite, Site};
use crate::cli::config::Config;
use crate::cluster::{Cluster, Leader, Leadership};
use crate::controller::{Memory, Run};

/// So long somebody may take to be the one writer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked who that is.
const TICK: Duration = Duration::from_secs(1);

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
        site::run(&Wait(apply), config, fresh(config, output)?, output)
    }
}

/// An apply that writes nothing, and looks at what the one writer does.
struct Wait(Apply);

impl OnSite for Wait {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(
        &self,
        config: &Config,
        mut site: Site<C>,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        let holder = writer(&site, output).await?;
        output.note(format_args!("{holder} is the one writer: this follows what it does"));
        let sight = site.see().await?;
        let mut memory = Memory::default();
        memory.survey(&site.cluster, &site.desired, &sight.look).await?;
        // Nothing is led here: whoever is that writer, or the next one, goes on writing.
        let (_others, lead) = watch::channel(Leadership::Theirs(holder));
        let run = Run { stop: stopped(), lead, patience: self.0.timeout, memory };
        let outcome = shown(&site, run, output).await?;
        let newer = moved_on(&mut site, config);
        self.0.tell(&site, &outcome, newer.as_ref(), output)
    }
}

/// Who is the one writer: somebody who has given a sign of life.
async fn writer(site: &Site<impl Cluster>, output: &mut Output) -> Result<String, Failure> {
    let (begun, lease) = (Instant::now(), site.lease());
    let mut first = site.cluster.leader(&lease).await?;
    if first.as_ref().is_none_or(|leader| leader.silent_since(Timestamp::now()).is_some()) {
        output.note("Nobody rolls it out yet: start pintle run, or type: pintle apply. This waits for a minute.");
    }
    let _looking = Progress::of("looking who rolls it out");
    while begun.elapsed() < PATIENCE {
        match (site.cluster.leader(&lease).await?, &first) {
            // A process of this host is seen to live.
            (Some(Leader { holder, renewed: None, .. }), _) => return Ok(holder),
            (Some(now), Some(before)) if now.holder != before.holder || now.renewed != before.renewed => {
                return Ok(now.holder);
            }
            (now, None) => first = now,
            (_, Some(_)) => {}
        }
        tokio::time::sleep(TICK).await;
    }
    let instance = &lease.instance;
    let failure = Failure::error(format!(
        "nobody rolls it out: for a minute no `pintle run` of the instance `{instance}` was at work"
    ));
    Err(failure.hint("roll it out from here: pintle apply"))
}

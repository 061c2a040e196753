//! `pintle apply`: the plan, carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args;
use pintle_core::git::CommitId;
use pintle_core::graph::Id;
use pintle_core::pins::ServiceName;
use pintle_core::problem::display_safe;
use serde::Serialize;
use tokio::sync::watch;

use super::describe::{PlanReport, RestReport, Standing};
use super::exit::{Exit, Failure, help};
use super::live::Live;
use super::load::{Loaded, load_fresh};
use super::output::{Output, Printing, counted};
use super::pause::call_back;
use super::plan::{report, text};
use super::progress::Progress;
use super::site::{self, OnSite, OpenHost, Sight, Site};
use super::words::{named, span};
use crate::cli::config::Config;
use crate::cluster::{Cluster, ClusterError, Lead, Leadership, LocalHost};
use crate::controller::{self, Desired, Memory, Outcome, Run, follow, want};

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

impl OnSite for Apply {
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
        mut site: Site<C>,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        site.desired.only = self.asked(&site.desired)?;
        let mut sight = site.see().await?;
        site.desired.let_go = site.guard_history(&sight, self.accept_rewrite.as_deref())?;
        let mut memory = Memory::default();
        memory.survey(&site.cluster, &site.desired, &sight.look).await?;
        let plan = report(&site, &mut sight, &mut memory);
        output.note(text::table(&site.commit, &site.server, &plan));
        let to_record = sight.look.services.iter().any(|it| it.to_record) || !site.desired.let_go.is_empty();
        let moves = plan.changes() > 0 || !plan.under_way.is_empty() || to_record;
        if moves && !self.agreed(&plan, output)? {
            return Err(Failure::error("nothing was changed"));
        }
        if !moves {
            return self.tell(&site, &still(&site, sight), None, output);
        }
        let outcome = self.carry_out(&site, memory, &config.user, output).await?;
        let newer = moved_on(&mut site, config);
        self.tell(&site, &outcome, newer.as_ref(), output)
    }
}

impl Apply {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        site::run(self, config, fresh(config, output)?, output)
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
        site: &Site<impl Cluster>,
        memory: Memory,
        user: &str,
        output: &mut Output,
    ) -> Result<Outcome, Failure> {
        let stop = stopped();
        let mut lead = site.cluster.lead(&site.lease(), "apply");
        if let Some(holder) = others(&mut lead).await? {
            output.note(format_args!("{holder} is the one writer: it carries this out, and this follows what it does"));
            call_back(site, user).await?;
        }
        let run = Run { stop, lead: lead.state.clone(), patience: self.timeout, memory };
        let outcome = shown(site, run, output).await;
        lead.release().await;
        Ok(outcome?)
    }

    /// How everything stands, and the exit code of it.
    pub(super) fn tell(
        &self,
        site: &Site<impl Cluster>,
        outcome: &Outcome,
        moved: Option<&MovedOn>,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        let pass = &outcome.last;
        let plan = controller::plan(&site.desired, &pass.look, &pass.wanted);
        let mut left = PlanReport::of(&site.desired, &pass.look, &plan, Vec::new());
        if outcome.looked_on {
            drop_others(&site.desired, &mut left);
        }
        let exit = exit(&left, outcome);
        let words = closing(site, &left, outcome, moved);
        let Outcome { stopped, verified, .. } = *outcome;
        let moved_on_to = moved.map(|moved| moved.to);
        let ended = Ended { in_sync: left.is_empty(), stopped, verified, moved_on_to, left };
        output.result(self.printing.output, &ended, |output| output.line(words))?;
        Ok(exit)
    }
}

/// Follows a run to its end, and shows how it goes.
pub(super) async fn shown<C: Cluster>(site: &Site<C>, run: Run, output: &mut Output) -> Result<Outcome, ClusterError> {
    let mut live = Live::new(output);
    follow(&site.cluster, &site.desired, run, |pass, events| live.show(&site.desired, pass, events)).await
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

/// Who is the one writer instead of this process; none where nobody is.
async fn others(lead: &mut Lead) -> Result<Option<String>, Failure> {
    let known = lead.state.wait_for(|state| *state != Leadership::Unknown(None)).await;
    match known.map(|state| state.clone()) {
        Ok(Leadership::Theirs(holder)) => Ok(Some(holder)),
        Ok(Leadership::Unknown(Some(why))) => {
            Err(Failure::error(format!("nothing is written without the lease: {why}"))
                .hint("it takes the rights to get, create and update leases.coordination.k8s.io there"))
        }
        Ok(_) | Err(_) => Ok(None),
    }
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
    branch: String,
    to: CommitId,
}

/// Looks at the branch once more; nothing where that cannot be done.
pub(super) fn moved_on(site: &mut Site<impl Cluster>, config: &Config) -> Option<MovedOn> {
    let source = &mut site.loaded.source;
    let _fetching = Progress::of(format!("fetching {}", config.location));
    let branch = config.branch.clone().or_else(|| source.default_branch().ok())?;
    let to = source.fetch(Some(&branch)).ok()?.id;
    (to != site.commit.id).then_some(MovedOn { branch, to })
}

/// What nobody asked for here is the one writer's, who may be at it.
fn drop_others(desired: &Desired, left: &mut PlanReport) {
    let Some(only) = &desired.only else { return };
    let asked: BTreeSet<&str> = only.iter().map(|id| desired.graph.name(*id).as_str()).collect();
    left.rest.retain(|it| asked.contains(it.service.as_str()));
    left.under_way.retain(|it| asked.contains(it.service.as_str()));
}

/// Nothing was to be done.
fn still(site: &Site<impl Cluster>, sight: Sight) -> Outcome {
    let wanted = want(&site.desired, &sight.look);
    Outcome::still(&site.desired, sight.look, wanted)
}

fn exit(left: &PlanReport, outcome: &Outcome) -> Exit {
    let any = |standing| left.rest.iter().any(|it| it.standing == standing && !it.by_choice);
    match () {
        () if outcome.stopped => Exit::Error,
        () if any(Standing::Failed) || outcome.out_of_patience || !left.under_way.is_empty() => Exit::Unhealthy,
        () if any(Standing::Refused) || any(Standing::Held) || any(Standing::Waiting) => Exit::Refused,
        () => Exit::Ok,
    }
}

/// The last words: how everything stands, and what to type next.
fn closing(site: &Site<impl Cluster>, left: &PlanReport, outcome: &Outcome, moved: Option<&MovedOn>) -> String {
    let only = site.desired.only.is_some();
    let mut text = String::new();
    let mut line = |words: String| text.push_str(&(words + "\n"));
    if outcome.stopped {
        line("Stopped: nothing more starts. What runs now is compatible; `pintle apply` goes on from here.".to_owned());
    }
    if outcome.out_of_patience {
        line("Nothing has happened for too long.".to_owned());
    }
    for it in &left.under_way {
        let command = it.command.as_ref().map(|command| format!("; type: {command}")).unwrap_or_default();
        line(format!("Under way: {} {}: {}{command}", it.service, it.to, it.why.brief));
    }
    for (words, standing) in [("Failed", Standing::Failed), ("Refused", Standing::Refused), ("Held", Standing::Held)] {
        for (alike, why) in text::told_once(&left.rest, standing) {
            let name = |it: &&RestReport| match &it.pinned {
                Some(version) => format!("{} {version}", it.service),
                None => it.service.clone(),
            };
            let names: Vec<String> = alike.iter().map(name).collect();
            line(format!("{words}: {}: {}", names.join(", "), why));
        }
    }
    for circle in &left.circles {
        let mut words = String::new();
        text::circle_text(&mut words, circle);
        line(words.trim().to_owned());
    }
    let waiting: Vec<&str> =
        left.rest.iter().filter(|it| it.standing == Standing::Waiting).map(|it| it.service.as_str()).collect();
    let unstarted: Vec<&str> = left.stages.iter().flatten().map(|it| it.service.as_str()).chain(waiting).collect();
    if !unstarted.is_empty() {
        line(format!("Not started: {}", unstarted.join(", ")));
    }
    next(site, left, outcome).into_iter().for_each(&mut line);
    let is_chosen = exit(left, outcome) == Exit::Ok && !left.rest.is_empty();
    if is_chosen {
        let (verified, what) = (outcome.verified, if only { "all that was asked for" } else { "everything" });
        line(format!(
            "But for what is held by choice {what} runs what is pinned ({verified} changed); \
             pintle status --exit-code gives 2 for that"
        ));
    }
    if left.is_empty() {
        let at = moved.map(|_| format!(" at {}", site.commit.id.short())).unwrap_or_default();
        let what = if only { "what was asked for" } else { "everything" };
        line(format!("In sync: {what} runs what is pinned{at} ({} changed).", outcome.verified));
    }
    if let Some(MovedOn { branch, to }) = moved {
        line(format!("{branch} has moved on to {} meanwhile: pintle apply", to.short()));
    }
    text.trim_end().to_owned()
}

/// What to type where something has failed.
fn next(site: &Site<impl Cluster>, left: &PlanReport, outcome: &Outcome) -> Vec<String> {
    let mut mends = Vec::new();
    let mut moved: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for it in left.rest.iter().filter(|it| it.standing == Standing::Failed) {
        match moved_by(site, outcome, it) {
            Some(commit) => moved.entry(commit).or_default().push(&it.service),
            // A rollback of what ran before, or of what is the first pin, mends nothing.
            None => mends.push(format!("Next: mend what keeps {} from running; then: pintle apply", it.service)),
        }
    }
    let back = moved.into_iter().map(|(commit, services)| {
        format!(
            "Next: pintle rollback {}, which also holds what failed; or git revert {commit}, or pin a version that is fixed; \
             then: pintle apply",
            services.join(" ")
        )
    });
    back.chain(mends).collect()
}

/// The commit that moved the pin of a service which has failed, from a pin that it can go back to.
fn moved_by(site: &Site<impl Cluster>, outcome: &Outcome, it: &RestReport) -> Option<String> {
    let name = ServiceName::new(&it.service).ok()?;
    let [.., before, record] = site.desired.history.records(&name) else { return None };
    let (_, pin) = (before.pin.as_ref()?, record.pin.as_ref()?);
    let seen = &outcome.last.look.services[site.desired.graph.id(&name)?.index()];
    let states = seen.workloads.iter().filter_map(|it| it.workload.as_deref()?.state.as_ref());
    let ran = states.flat_map(|state| &state.proven).any(|proven| proven.version == pin.version);
    (!ran).then(|| format!("{} ({})", record.commit.id.short(), display_safe(&record.commit.subject, 50)))
}

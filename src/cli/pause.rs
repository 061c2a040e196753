//! `pintle pause` and `pintle resume`: services that nobody writes for a while, as it is kept on their workloads.
#![expect(clippy::disallowed_methods, reason = "a pause begins now")]

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use pintle_core::graph::Id;
use pintle_core::problem::display_safe;
use pintle_core::workload::{self, WorkloadId};
use serde::Serialize;

use super::describe::clock;
use super::exit::{Exit, Failure, help};
use super::load::{load, say_stale};
use super::output::{Output, Printing};
use super::site::{self, OnSite, Site};
use super::words::{named, span};
use crate::cli::config::Config;
use crate::cluster::{Cluster, ClusterError};

/// So often is tried again what has changed meanwhile.
const TRIES: usize = 10;

/// The longest reason.
const REASON: usize = 500;

/// Leave services as they are for a while: neither drift nor a new pin is written
///
/// Kept on the workload, shown by status and plan, over by itself. `kubectl rollout undo` drops it from a Deployment; a
/// running Pintle that saw it writes it back.
#[derive(Debug, Args)]
#[command(after_help = help("pintle pause payments --for 2h --reason \"we look at its memory\"\npintle pause --all --for 30m", &[Exit::Ok, Exit::Error, Exit::Usage]))]
pub(super) struct Pause {
    #[command(flatten)]
    which: Which,
    /// How long
    #[arg(long = "for", value_name = "DURATION", value_parser = pause_length)]
    length: Duration,
    /// Why, for everybody who wonders
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
    #[command(flatten)]
    printing: Printing,
}

/// End the pause of services
#[derive(Debug, Args)]
#[command(after_help = help("pintle resume payments\npintle resume --all", &[Exit::Ok, Exit::Error, Exit::Usage]))]
pub(super) struct Resume {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    printing: Printing,
}

/// Which services.
#[derive(Debug, Args)]
struct Which {
    /// These services
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// All services
    #[arg(long, conflicts_with = "services")]
    all: bool,
}

/// What became of a service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    service: String,
    /// Until when it is paused; none where it is not.
    paused_until: Option<Timestamp>,
    /// A pause held until now.
    #[serde(skip)]
    was_paused: bool,
    /// Why nothing was done.
    error: Option<String>,
}

fn pause_length(text: &str) -> Result<Duration, String> {
    span(text, ["1m", "720h"])
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.len() <= REASON { Ok(text.to_owned()) } else { Err(format!("it is longer than {REASON} bytes")) }
}

impl OnSite for Pause {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(&self, config: &Config, site: Site<C>, output: &mut Output) -> Result<Exit, Failure> {
        let at = Timestamp::now();
        let until = at.checked_add(self.length).map_err(|_| Failure::usage("--for is too long"))?;
        let reason = self.reason.clone().filter(|reason| !reason.is_empty());
        // The name that a hold would have; who has told git none is known by the account.
        let who = site.loaded.source.identity().ok();
        let by = who.map_or_else(|| config.user.clone(), |who| who.name().to_owned());
        let pause = workload::Pause { schema: workload::Pause::SCHEMA, until, reason, by, at };
        let done = set(&site, &self.which, Some(&pause)).await?;
        let until = clock(until, at);
        tell(&done, self.printing, output, |Done { service, .. }| {
            format!("{service} is paused until {until}. End it: pintle resume {service}")
        })
    }
}

impl OnSite for Resume {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(&self, _: &Config, site: Site<C>, output: &mut Output) -> Result<Exit, Failure> {
        let done = set(&site, &self.which, None).await?;
        tell(&done, self.printing, output, |it| {
            format!("{} {}", it.service, if it.was_paused { "is no longer paused" } else { "was not paused" })
        })
    }
}

impl Pause {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        run(self, (&self.which, "pintle pause --all --for 30m"), config, output)
    }
}

impl Resume {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        run(self, (&self.which, "pintle resume --all"), config, output)
    }
}

fn run<T: OnSite>(
    command: &T,
    (which, of_all): (&Which, &str),
    config: &Config,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if which.services.is_empty() && !which.all {
        return Err(Failure::usage("no SERVICE is named").hint(format!("name some, or all of them: {of_all}")));
    }
    let loaded = load(config, None)?;
    say_stale(loaded.stale.as_ref(), output);
    loaded.at.usable()?;
    site::run(command, config, loaded, output)
}

/// Pauses the services, or ends their pauses; all are tried.
async fn set(site: &Site<impl Cluster>, which: &Which, pause: Option<&workload::Pause>) -> Result<Vec<Done>, Failure> {
    let desired = &site.desired;
    let all = || desired.graph.ids().filter(|&id| desired.service(id).is_some_and(|it| !it.external)).collect();
    let ids: Vec<Id> = if which.all { all() } else { named(&desired.graph, &which.services)? };
    let mut done = Vec::new();
    for id in ids {
        let set = set_one(site, id, pause).await;
        let paused_until = pause.filter(|_| set.is_ok()).map(|pause| pause.until);
        let (was_paused, error) = set.map_or_else(|error| (false, Some(error)), |was_paused| (was_paused, None));
        done.push(Done { service: desired.graph.name(id).to_string(), paused_until, was_paused, error });
    }
    Ok(done)
}

/// Whether it was paused until now.
async fn set_one(site: &Site<impl Cluster>, id: Id, pause: Option<&workload::Pause>) -> Result<bool, String> {
    let service = site.desired.service(id).ok_or("its file has errors: pintle check shows them")?;
    if service.external {
        return Err("it is deployed elsewhere (`external: true`), and never written".to_owned());
    }
    let mut was_paused = false;
    for workload in site.desired.workloads(service) {
        let before = set_pause(&site.cluster, &workload, pause).await.map_err(|error| error.to_string())?;
        was_paused |= before.is_some_and(|before| before.holds(Timestamp::now()));
    }
    Ok(was_paused)
}

/// Pauses a workload, or ends its pause; again where it has changed meanwhile. Returns the pause that was there.
pub(super) async fn set_pause(
    cluster: &impl Cluster,
    id: &WorkloadId,
    pause: Option<&workload::Pause>,
) -> Result<Option<workload::Pause>, ClusterError> {
    let mut stale = ClusterError::Stale(id.clone());
    for _ in 0..TRIES {
        let observed = cluster.observe().await?;
        if let Some(why) = observed.unknown.get(id) {
            return Err(why.clone());
        }
        let seen = observed.workloads.get(id).ok_or_else(|| ClusterError::Missing(id.clone()))?;
        if pause.is_none() && seen.pause.is_none() {
            return Ok(None);
        }
        match cluster.pause(id, seen, pause).await {
            Err(error @ ClusterError::Stale(_)) => stale = error,
            answered => return answered.map(|()| seen.pause.clone()),
        }
        cluster.changed_but_for_pods(Duration::from_secs(1)).await?;
    }
    Err(stale)
}

/// Tells the one writer that grace and policy are ended for the services that were named, where somebody has moved them.
pub(super) async fn call_back(site: &Site<impl Cluster>, user: &str) -> Result<(), Failure> {
    let named: Vec<Id> = site.desired.only.iter().flatten().copied().collect();
    for id in named {
        let sight = site.see().await?;
        let seen = &sight.look.services[id.index()];
        for it in seen.workloads.iter().filter(|_| seen.pause.is_none()) {
            let moved = it.hand.as_ref().map(|hand| hand.at.unwrap_or_default().max(Timestamp::now()));
            let Some(at) = moved else { continue };
            set_pause(&site.cluster, &it.id, Some(&workload::Pause::ended(user.to_owned(), at))).await?;
        }
    }
    Ok(())
}

fn tell(
    done: &[Done],
    printing: Printing,
    output: &mut Output,
    words: impl Fn(&Done) -> String,
) -> Result<Exit, Failure> {
    output.result(printing.output, &done, |output| {
        for it in done {
            match &it.error {
                None => output.line(words(it)),
                Some(why) => {
                    output.line(format_args!("{}: nothing was changed: {}", it.service, display_safe(why, usize::MAX)));
                }
            }
        }
    })?;
    Ok(if done.iter().any(|it| it.error.is_some()) { Exit::Error } else { Exit::Ok })
}

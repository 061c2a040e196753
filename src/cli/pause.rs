//! `pintle pause` and `pintle resume`: services that nobody writes for a while, as it is kept on their workloads.
#![expect(clippy::disallowed_methods, reason = "a pause begins now")]

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use pintle_core::problem::display_safe;
use pintle_core::workload;
use serde::Serialize;

use super::describe::clock;
use super::exit::{CommandError, CommandExit, help};
use super::load::{load, warn_if_stale};
use super::output::{Output, OutputArgs};
use super::session::{self, ClusterCommand, Session};
use super::words::{parse_duration, service_ids};
use crate::cli::config::CliConfig;
use crate::cluster::Cluster;
use crate::controller::{PauseError, pausable_services, pause_service};

/// The longest reason.
const MAX_REASON_CHARS: usize = 500;

/// Leave services as they are for a while: neither drift nor a new pin is written
///
/// Kept on the workload, shown by status and plan, over by itself. `kubectl rollout undo` drops it from a Deployment; a
/// running Pintle that saw it writes it back.
#[derive(Debug, Args)]
#[command(after_help = help("pintle pause payments --for 2h --reason \"we look at its memory\"\npintle pause --all --for 30m", &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage]))]
pub(super) struct PauseCommand {
    #[command(flatten)]
    which: ServiceSelectionArgs,
    /// How long
    #[arg(long = "for", value_name = "DURATION", value_parser = pause_length)]
    length: Duration,
    /// Why, for everybody who wonders
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
    #[command(flatten)]
    printing: OutputArgs,
}

/// End the pause of services
#[derive(Debug, Args)]
#[command(after_help = help("pintle resume payments\npintle resume --all", &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage]))]
pub(super) struct ResumeCommand {
    #[command(flatten)]
    which: ServiceSelectionArgs,
    #[command(flatten)]
    printing: OutputArgs,
}

/// Which services.
#[derive(Debug, Args)]
struct ServiceSelectionArgs {
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
struct PauseResultJson {
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
    parse_duration(text, ["1m", "720h"])
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.len() <= MAX_REASON_CHARS {
        Ok(text.to_owned())
    } else {
        Err(format!("it is longer than {MAX_REASON_CHARS} bytes"))
    }
}

impl ClusterCommand for PauseCommand {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(
        &self,
        config: &CliConfig,
        session: Session<C>,
        output: &mut Output,
    ) -> Result<CommandExit, CommandError> {
        let at = Timestamp::now();
        let until = at.checked_add(self.length).map_err(|_| CommandError::usage("--for is too long"))?;
        let reason = self.reason.clone().filter(|reason| !reason.is_empty());
        // The name that a hold would have; who has told git none is known by the account.
        let who = session.loaded.source.identity().ok();
        let by = who.map_or_else(|| config.user.clone(), |who| who.name().to_owned());
        let pause = workload::PauseAnnotation { schema: workload::PauseAnnotation::SCHEMA, until, reason, by, at };
        let done = set(&session, &self.which, Some(&pause)).await?;
        let until = clock(until, at);
        tell(&done, self.printing, output, |PauseResultJson { service, .. }| {
            format!("{service} is paused until {until}. End it: pintle resume {service}")
        })
    }
}

impl ClusterCommand for ResumeCommand {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(
        &self,
        _: &CliConfig,
        session: Session<C>,
        output: &mut Output,
    ) -> Result<CommandExit, CommandError> {
        let done = set(&session, &self.which, None).await?;
        tell(&done, self.printing, output, |it| {
            format!("{} {}", it.service, if it.was_paused { "is no longer paused" } else { "was not paused" })
        })
    }
}

impl PauseCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        run_on_services(self, (&self.which, "pintle pause --all --for 30m"), config, output)
    }
}

impl ResumeCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        run_on_services(self, (&self.which, "pintle resume --all"), config, output)
    }
}

fn run_on_services<T: ClusterCommand>(
    command: &T,
    (which, of_all): (&ServiceSelectionArgs, &str),
    config: &CliConfig,
    output: &mut Output,
) -> Result<CommandExit, CommandError> {
    if which.services.is_empty() && !which.all {
        return Err(CommandError::usage("no SERVICE is named").hint(format!("name some, or all of them: {of_all}")));
    }
    let loaded = load(config, None)?;
    warn_if_stale(loaded.fetch_error.as_ref(), output);
    loaded.revision.refuse_if_unusable()?;
    session::run(command, config, loaded, output)
}

/// Pauses the services, or ends their pauses; all are tried.
async fn set(
    session: &Session<impl Cluster>,
    which: &ServiceSelectionArgs,
    pause: Option<&workload::PauseAnnotation>,
) -> Result<Vec<PauseResultJson>, CommandError> {
    let desired = &session.desired;
    let ids = if which.all { pausable_services(desired) } else { service_ids(&desired.graph, &which.services)? };
    let mut done = Vec::new();
    for id in ids {
        let set = pause_service(&session.cluster, desired, id, pause).await;
        let paused_until = pause.filter(|_| set.is_ok()).map(|pause| pause.until);
        let (was_paused, error) = set.map_or_else(|error| (false, Some(described(&error))), |was| (was, None));
        done.push(PauseResultJson { service: desired.graph.name(id).to_string(), paused_until, was_paused, error });
    }
    Ok(done)
}

fn described(error: &PauseError) -> String {
    match error {
        PauseError::Broken => "its file has errors: pintle check shows them".to_owned(),
        PauseError::External => "it is deployed elsewhere (`external: true`), and never written".to_owned(),
        PauseError::Cluster(error) => error.to_string(),
    }
}

fn tell(
    done: &[PauseResultJson],
    printing: OutputArgs,
    output: &mut Output,
    words: impl Fn(&PauseResultJson) -> String,
) -> Result<CommandExit, CommandError> {
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
    Ok(if done.iter().any(|it| it.error.is_some()) { CommandExit::Error } else { CommandExit::Ok })
}

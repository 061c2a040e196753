//! `pintle run`: what is pinned, kept so.
#![expect(clippy::disallowed_methods, reason = "a run waits, until it is told to end")]

mod branch;
mod end;
mod log;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Args;
use pintle_core::desired::DesiredState;
use tokio::sync::{mpsc, watch};

use self::branch::describe;
use self::end::ShutdownSignal;
use self::log::{LogFormat, RunLog};
use super::exit::{CommandError, CommandExit, help};
use super::load::load;
use super::output::Output;
use super::refused_history::in_one_line;
use super::session::{self, ClusterCommand, OpenHost, Session};
use crate::cli::config::CliConfig;
use crate::cluster::{Cluster, ClusterError, HolderStatus, LeaderElection, Leadership, LocalRuntime, Observation};
use crate::controller::event::Event;
use crate::controller::{
    BranchFollower, BranchFollowerArgs, BranchState, ControllerArgs, ControllerStatus, CronSchedule, FollowerOutputs,
    HistoryGuard, PassReport, PollTrigger, RepositoryEvent, local_services, run_controller,
};

/// How long it is waited until something can be begun with, where nothing can.
const START_RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Keep what is pinned: follow commits, correct drift, for ever
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle run\npintle run --repo https://git.example.com/acme/pins.git --interval 30s\npintle run --schedule '0 6 * * MON-FRI Europe/Berlin'",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage],
))]
pub(super) struct RunArgs {
    /// Ask a remote so often where the branch is; a repository on this disk is followed at once
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_interval)]
    interval: Duration,
    /// Look at everything anew at these times, and correct the drift of services whose policy is `schedule`: a cron
    /// expression and a time zone
    #[arg(long, value_name = "CRON ZONE", value_parser = CronSchedule::parse)]
    schedule: Option<CronSchedule>,
    /// Go on although the branch was rewritten from OLD to NEW
    #[arg(long, value_name = "OLD..NEW")]
    accept_rewrite: Option<String>,
    /// Log lines for people, or JSON [default: for people on a terminal]
    #[arg(long, value_name = "FORMAT")]
    log: Option<LogFormat>,
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let signed: jiff::SignedDuration = text.parse().map_err(|_| "durations look like 30s, 5m, 1h".to_owned())?;
    let span = Duration::try_from(signed).map_err(|_| "it is below zero".to_owned())?;
    let allowed = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);
    if allowed.contains(&span) { Ok(span) } else { Err("it is not between 1s and 24h".to_owned()) }
}

/// A run, until it is told to end.
struct RunCommand<'r> {
    run: &'r RunArgs,
    end: ShutdownSignal,
}

impl ClusterCommand for RunCommand<'_> {
    const CHANGES: Option<&'static str> = Some("pintle run");

    async fn open_host(&self, open: impl OpenHost, output: &mut Output) -> Result<LocalRuntime, CommandError> {
        let mut told = false;
        loop {
            match open(Self::CHANGES) {
                Err(ClusterError::Locked(holder)) => {
                    if !std::mem::replace(&mut told, true) {
                        let why = format!("{holder} is the one writer");
                        RunLog::new(output, self.run.log).tell(None, &Event::StandingBy { why });
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                opened => return Ok(opened?),
            }
        }
    }

    async fn run_on<C: Cluster>(
        &self,
        config: &CliConfig,
        session: Session<C>,
        output: &mut Output,
    ) -> Result<CommandExit, CommandError> {
        let Self { run, end } = self;
        let _at_work = end.at_work();
        let log = Mutex::new(RunLog::new(output, run.log));
        let lead = session.cluster.campaign(&session.lease(), "run");
        let (told, repository) = mpsc::unbounded_channel();
        let branch = watch::Sender::new(first_state(&session));
        let follower = follower(config, &session)?;
        let time = watch::Sender::new(0);
        let mut wanted = branch.subscribe();
        wanted.mark_changed();
        let source = Arc::new(Mutex::new(session.loaded.source.clone()));
        let mut guard = HistoryGuard::new(Arc::clone(&source), run.accept_rewrite.clone());
        let outputs = FollowerOutputs { branch, says: lead.status.clone(), source, events: told };
        let spawned = follower.spawn(run.interval, outputs);
        let trigger = spawned.map_err(|error| CommandError::error(format!("no thread: {error}")))?;
        let args = ControllerArgs {
            branch: wanted,
            stop: end.told(),
            lead: lead.leadership.clone(),
            times: time.subscribe(),
            scope: |desired: &DesiredState| {
                session.cluster.watch_workloads(&desired.all_workloads());
                session.host.iter().for_each(|host| host.set_services(local_services(desired)));
            },
            guard: move |desired: &DesiredState, observed: &Observation| {
                guard.check(desired, observed).map_err(|refusal| in_one_line(&refusal))
            },
        };
        tokio::select! {
            () = run_controller(&session.cluster, args, |report| tell(&log, &lead, &report)) => {}
            never = report_side_events(&log, repository, lead.leadership.clone()) => match never {},
            never = run.on_schedule(&trigger, &time) => match never {},
        }
        locked(&log).tell(None, &Event::Stopping);
        lead.release().await;
        Ok(CommandExit::Ok)
    }
}

impl RunArgs {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let (mut told, until) = (None, RunCommand { run: self, end: ShutdownSignal::listen()? });
        loop {
            let begun = load(config, None).and_then(|loaded| loaded.revision.refuse_if_unusable().map(|()| loaded));
            let done = begun.and_then(|loaded| session::run(&until, config, loaded, output));
            match done {
                // What failed was about to end.
                Err(_) if *until.end.told().borrow() => return Ok(CommandExit::Ok),
                Err(failure) if failure.exit == CommandExit::Error => {
                    let why = failure.in_one_line();
                    if told.as_ref() != Some(&why) {
                        RunLog::new(output, self.log).tell(None, &Event::HeldAll { why: why.clone() });
                        told = Some(why);
                    }
                    std::thread::sleep(START_RETRY_INTERVAL);
                }
                done => return done,
            }
        }
    }

    /// Looks at everything anew, when it is time.
    async fn on_schedule(&self, trigger: &PollTrigger, time: &watch::Sender<u64>) -> std::convert::Infallible {
        loop {
            let next = self.schedule.as_ref().and_then(|schedule| schedule.until_next(jiff::Timestamp::now()));
            match next {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
            trigger.poll_now();
            time.send_modify(|times| *times += 1);
        }
    }
}

/// What is kept until the repository says more; what was fetched at some time before is not known to be pinned still.
fn first_state<C>(session: &Session<C>) -> BranchState {
    match &session.loaded.fetch_error {
        None => BranchState::Pins(Arc::new(session.desired.clone())),
        Some(error) => BranchState::Held(format!("{error}; nothing is done until it answers")),
    }
}

/// Follows the branch from what was loaded.
fn follower<C>(config: &CliConfig, session: &Session<C>) -> Result<BranchFollower, CommandError> {
    let args = BranchFollowerArgs {
        source: session.loaded.source.clone(),
        branch: config.branch.clone(),
        root: config.pin_folder.clone(),
        namespace: config.namespace.clone(),
        known: session.loaded.revision.known.clone(),
        is_stale: session.loaded.fetch_error.is_some(),
        describe,
    };
    Ok(BranchFollower::new(args, &session.desired)?)
}

fn locked<'l, 'o>(log: &'l Mutex<RunLog<'o>>) -> MutexGuard<'l, RunLog<'o>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs what a pass showed, and says on the lease how everything stands.
fn tell(log: &Mutex<RunLog<'_>>, lead: &LeaderElection, report: &PassReport<'_>) {
    let revision = report.desired.map(|desired| desired.commit);
    for event in report.events {
        locked(log).tell(report.desired, event);
    }
    lead.status.send_if_modified(|says| {
        let before = says.clone();
        let says = says.get_or_insert_with(HolderStatus::default);
        says.revision = revision;
        says.held = if let ControllerStatus::Held(why) = report.status { Some(why.to_owned()) } else { None };
        says.refused = report.refused.iter().map(|(name, why)| (name.to_string(), why.clone())).collect();
        before.as_ref() != Some(says)
    });
}

/// Logs what does not come from passes: the repository, and who else is the one writer.
async fn report_side_events(
    log: &Mutex<RunLog<'_>>,
    mut repository: mpsc::UnboundedReceiver<RepositoryEvent>,
    mut lead: watch::Receiver<Leadership>,
) -> std::convert::Infallible {
    loop {
        tokio::select! {
            Some(told) = repository.recv() => match told {
                RepositoryEvent::Silent(why) => locked(log).tell(None, &Event::GitUnreachable { why }),
                RepositoryEvent::Answers => locked(log).tell(None, &Event::GitReachable),
            },
            Ok(()) = lead.changed() => {
                let event = match lead.borrow_and_update().clone() {
                    Leadership::Theirs(why) => Event::StandingBy { why: format!("{why} is the one writer") },
                    Leadership::Unknown(Some(why)) => Event::StandingBy { why },
                    Leadership::Ours | Leadership::Unknown(None) => continue,
                };
                locked(log).tell(None, &event);
            }
            else => std::future::pending().await,
        }
    }
}

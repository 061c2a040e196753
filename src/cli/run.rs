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
use self::end::End;
use self::log::{Format, Log};
use super::exit::{Exit, Failure, help};
use super::load::load;
use super::output::Output;
use super::refused_history::in_one_line;
use super::session::{self, ClusterCommand, OpenHost, Session};
use crate::cli::config::Config;
use crate::cluster::{Cluster, ClusterError, Lead, Leadership, LocalHost, Observation, Says};
use crate::controller::event::Event;
use crate::controller::{
    BranchFollower, BranchFollowerArgs, BranchState, ControllerArgs, ControllerStatus, FollowerOutputs, HistoryGuard,
    PassReport, PollTrigger, RepositoryEvent, Schedule, local_services, run_controller,
};

/// How long it is waited until something can be begun with, where nothing can.
const AGAIN: Duration = Duration::from_secs(5);

/// Keep what is pinned: follow commits, correct drift, for ever
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle run\npintle run --repo https://git.example.com/acme/pins.git --interval 30s\npintle run --schedule '0 6 * * MON-FRI Europe/Berlin'",
    &[Exit::Ok, Exit::Error, Exit::Usage],
))]
pub(super) struct Run {
    /// Ask a remote so often where the branch is; a repository on this disk is followed at once
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = interval)]
    interval: Duration,
    /// Look at everything anew at these times, and correct the drift of services whose policy is `schedule`: a cron
    /// expression and a time zone
    #[arg(long, value_name = "CRON ZONE", value_parser = Schedule::parse)]
    schedule: Option<Schedule>,
    /// Go on although the branch was rewritten from OLD to NEW
    #[arg(long, value_name = "OLD..NEW")]
    accept_rewrite: Option<String>,
    /// Log lines for people, or JSON [default: for people on a terminal]
    #[arg(long, value_name = "FORMAT")]
    log: Option<Format>,
}

fn interval(text: &str) -> Result<Duration, String> {
    let signed: jiff::SignedDuration = text.parse().map_err(|_| "durations look like 30s, 5m, 1h".to_owned())?;
    let span = Duration::try_from(signed).map_err(|_| "it is below zero".to_owned())?;
    let allowed = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);
    if allowed.contains(&span) { Ok(span) } else { Err("it is not between 1s and 24h".to_owned()) }
}

/// A run, until it is told to end.
struct RunCommand<'r> {
    run: &'r Run,
    end: End,
}

impl ClusterCommand for RunCommand<'_> {
    const CHANGES: Option<&'static str> = Some("pintle run");

    async fn open_host(&self, open: impl OpenHost, output: &mut Output) -> Result<LocalHost, Failure> {
        let mut told = false;
        loop {
            match open(Self::CHANGES) {
                Err(ClusterError::Locked(holder)) => {
                    if !std::mem::replace(&mut told, true) {
                        let why = format!("{holder} is the one writer");
                        Log::new(output, self.run.log).tell(None, &Event::StandsBy { why });
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                opened => return Ok(opened?),
            }
        }
    }

    async fn run_on<C: Cluster>(
        &self,
        config: &Config,
        session: Session<C>,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        let Self { run, end } = self;
        let _at_work = end.at_work();
        let log = Mutex::new(Log::new(output, run.log));
        let lead = session.cluster.lead(&session.lease(), "run");
        let (told, repository) = mpsc::unbounded_channel();
        let branch = watch::Sender::new(first_state(&session));
        let follower = follower(config, &session)?;
        let time = watch::Sender::new(0);
        let mut wanted = branch.subscribe();
        wanted.mark_changed();
        let source = Arc::new(Mutex::new(session.loaded.source.clone()));
        let mut guard = HistoryGuard::new(Arc::clone(&source), run.accept_rewrite.clone());
        let outputs = FollowerOutputs { branch, says: lead.says.clone(), source, events: told };
        let spawned = follower.spawn(run.interval, outputs);
        let trigger = spawned.map_err(|error| Failure::error(format!("no thread: {error}")))?;
        let args = ControllerArgs {
            branch: wanted,
            stop: end.told(),
            lead: lead.state.clone(),
            times: time.subscribe(),
            scope: |desired: &DesiredState| {
                session.cluster.scope(&desired.all_workloads());
                session.host.iter().for_each(|host| host.serve(local_services(desired)));
            },
            guard: move |desired: &DesiredState, observed: &Observation| {
                guard.check(desired, observed).map_err(|refusal| in_one_line(&refusal))
            },
        };
        tokio::select! {
            () = run_controller(&session.cluster, args, |report| tell(&log, &lead, &report)) => {}
            never = beside(&log, repository, lead.state.clone()) => match never {},
            never = run.on_schedule(&trigger, &time) => match never {},
        }
        locked(&log).tell(None, &Event::Stopping);
        lead.release().await;
        Ok(Exit::Ok)
    }
}

impl Run {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let (mut told, until) = (None, RunCommand { run: self, end: End::listen()? });
        loop {
            let begun = load(config, None).and_then(|loaded| loaded.at.usable().map(|()| loaded));
            let done = begun.and_then(|loaded| session::run(&until, config, loaded, output));
            match done {
                // What failed was about to end.
                Err(_) if *until.end.told().borrow() => return Ok(Exit::Ok),
                Err(failure) if failure.exit == Exit::Error => {
                    let why = failure.in_one_line();
                    if told.as_ref() != Some(&why) {
                        Log::new(output, self.log).tell(None, &Event::HeldAll { why: why.clone() });
                        told = Some(why);
                    }
                    std::thread::sleep(AGAIN);
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
    match &session.loaded.stale {
        None => BranchState::Pins(Arc::new(session.desired.clone())),
        Some(error) => BranchState::Held(format!("{error}; nothing is done until it answers")),
    }
}

/// Follows the branch from what was loaded.
fn follower<C>(config: &Config, session: &Session<C>) -> Result<BranchFollower, Failure> {
    let args = BranchFollowerArgs {
        source: session.loaded.source.clone(),
        branch: config.branch.clone(),
        root: config.root.clone(),
        namespace: config.namespace.clone(),
        known: session.loaded.at.known.clone(),
        is_stale: session.loaded.stale.is_some(),
        describe,
    };
    Ok(BranchFollower::new(args, &session.desired)?)
}

fn locked<'l, 'o>(log: &'l Mutex<Log<'o>>) -> MutexGuard<'l, Log<'o>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs what a pass showed, and says on the lease how everything stands.
fn tell(log: &Mutex<Log<'_>>, lead: &Lead, report: &PassReport<'_>) {
    let revision = report.desired.map(|desired| desired.commit);
    for event in report.events {
        locked(log).tell(report.desired, event);
    }
    lead.says.send_if_modified(|says| {
        let before = says.clone();
        let says = says.get_or_insert_with(Says::default);
        says.revision = revision;
        says.held = if let ControllerStatus::Held(why) = report.status { Some(why.to_owned()) } else { None };
        says.refused = report.refused.iter().map(|(name, why)| (name.to_string(), why.clone())).collect();
        before.as_ref() != Some(says)
    });
}

/// Logs what does not come from passes: the repository, and who else is the one writer.
async fn beside(
    log: &Mutex<Log<'_>>,
    mut repository: mpsc::UnboundedReceiver<RepositoryEvent>,
    mut lead: watch::Receiver<Leadership>,
) -> std::convert::Infallible {
    loop {
        tokio::select! {
            Some(told) = repository.recv() => match told {
                RepositoryEvent::Silent(why) => locked(log).tell(None, &Event::NoGit { why }),
                RepositoryEvent::Answers => locked(log).tell(None, &Event::Git),
            },
            Ok(()) = lead.changed() => {
                let event = match lead.borrow_and_update().clone() {
                    Leadership::Theirs(why) => Event::StandsBy { why: format!("{why} is the one writer") },
                    Leadership::Unknown(Some(why)) => Event::StandsBy { why },
                    Leadership::Ours | Leadership::Unknown(None) => continue,
                };
                locked(log).tell(None, &event);
            }
            else => std::future::pending().await,
        }
    }
}

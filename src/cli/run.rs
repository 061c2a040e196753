//! `pintle run`: what is pinned, kept so.
#![expect(clippy::disallowed_methods, reason = "a run waits, until it is told to end")]

mod end;
mod git;
mod log;
mod schedule;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Args;
use pintle_core::git::CommitId;
use tokio::sync::{mpsc, watch};

use self::end::End;
use self::git::{Git, Poke, Told};
use self::log::{Format, Log};
use self::schedule::Schedule;
use super::exit::{Exit, Failure, help};
use super::host::all_served;
use super::load::load;
use super::output::Output;
use super::site::{self, OnSite, OpenHost, Site};
use crate::cli::config::Config;
use crate::cluster::{Cluster, ClusterError, Lead, Leadership, LocalHost, Observation, Says};
use crate::controller::event::Event;
use crate::controller::{Desired, Goal, Keep, Kept, News, keep};
use crate::source::Source;

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
struct UntilTold<'r> {
    run: &'r Run,
    end: End,
}

impl OnSite for UntilTold<'_> {
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

    async fn run_on<C: Cluster>(&self, config: &Config, site: Site<C>, output: &mut Output) -> Result<Exit, Failure> {
        let Self { run, end } = self;
        let _at_work = end.at_work();
        let log = Mutex::new(Log::new(output, run.log));
        let lead = site.cluster.lead(&site.lease(), "run");
        let (told, news) = mpsc::unbounded_channel();
        let goals = watch::Sender::new(first_goal(&site));
        let git = Git::after(config, &site.loaded, &site.desired)?;
        let time = watch::Sender::new(0);
        let mut wanted = goals.subscribe();
        wanted.mark_changed();
        let source = Arc::new(Mutex::new(site.loaded.source.clone()));
        let to = git::To { goals, says: lead.says.clone(), source: Arc::clone(&source), told };
        let poke = git.follow(run.interval, to)?;
        let with = Keep {
            goals: wanted,
            stop: end.told(),
            lead: lead.state.clone(),
            times: time.subscribe(),
            scope: |desired: &Desired| {
                site.cluster.scope(&desired.all_workloads());
                site.host.iter().for_each(|host| host.serve(all_served(desired)));
            },
            guard: guard(&source, run.accept_rewrite.as_deref()),
        };
        tokio::select! {
            () = keep(&site.cluster, with, |news| tell(&log, &lead, &news)) => {}
            never = beside(&log, news, lead.state.clone()) => match never {},
            never = run.on_schedule(&poke, &time) => match never {},
        }
        locked(&log).tell(None, &Event::Stopping);
        lead.release().await;
        Ok(Exit::Ok)
    }
}

impl Run {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let (mut told, until) = (None, UntilTold { run: self, end: End::listen()? });
        loop {
            let begun = load(config, None).and_then(|loaded| loaded.at.usable().map(|()| loaded));
            let done = begun.and_then(|loaded| site::run(&until, config, loaded, output));
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
    async fn on_schedule(&self, poke: &Poke, time: &watch::Sender<u64>) -> std::convert::Infallible {
        loop {
            let next = self.schedule.as_ref().and_then(|schedule| schedule.until_next(jiff::Timestamp::now()));
            match next {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
            poke.now();
            time.send_modify(|times| *times += 1);
        }
    }
}

/// What is kept until the repository says more; what was fetched at some time before is not known to be pinned still.
fn first_goal<C>(site: &Site<C>) -> Goal {
    match &site.loaded.stale {
        None => Goal::Pins(Arc::new(site.desired.clone())),
        Some(error) => Goal::Held(format!("{error}; nothing is done until it answers")),
    }
}

/// The commits that a rewritten history lets go, or why nothing may be written.
type Answer = Result<BTreeSet<CommitId>, String>;

/// What history was asked last.
struct Asked {
    tip: CommitId,
    written: BTreeSet<CommitId>,
    answer: Answer,
}

/// Whether what was observed may be written over: asked anew only when the revision or the commits that workloads name
/// are other ones.
fn guard(source: &Mutex<Source>, accepted: Option<&str>) -> impl FnMut(&Desired, &Observation) -> Answer {
    let mut last: Option<Asked> = None;
    move |desired, observed| {
        let (tip, written) = (desired.commit, site::written(desired, observed));
        if let Some(last) = last.as_ref().filter(|last| last.tip == tip && last.written == written) {
            return last.answer.clone();
        }
        let source = source.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ask = |written: &BTreeSet<CommitId>| site::guard(&source, tip, written, accepted);
        // What led to the tip before leads to all that this leads to: a commit costs the walk back to it.
        let before = last.as_ref().filter(|last| last.answer == Ok(BTreeSet::new()));
        let new = before.map(|last| written.difference(&last.written).copied().chain([last.tip]).collect());
        let goes_on = new.is_some_and(|new| ask(&new).is_ok_and(|let_go| let_go.is_empty()));
        let answer = if goes_on { Ok(BTreeSet::new()) } else { ask(&written).map_err(Failure::in_one_line) };
        last = Some(Asked { tip, written, answer: answer.clone() });
        answer
    }
}

fn locked<'l, 'o>(log: &'l Mutex<Log<'o>>) -> MutexGuard<'l, Log<'o>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs what a pass showed, and says on the lease how everything stands.
fn tell(log: &Mutex<Log<'_>>, lead: &Lead, news: &News<'_>) {
    let revision = news.desired.map(|desired| desired.commit);
    for event in news.events {
        locked(log).tell(news.desired, event);
    }
    lead.says.send_if_modified(|says| {
        let before = says.clone();
        let says = says.get_or_insert_with(Says::default);
        says.revision = revision;
        says.held = if let Kept::Held(why) = news.kept { Some(why.to_owned()) } else { None };
        says.refused = news.refused.iter().map(|(name, why)| (name.to_string(), why.clone())).collect();
        before.as_ref() != Some(says)
    });
}

/// Logs what does not come from passes: the repository, and who else is the one writer.
async fn beside(
    log: &Mutex<Log<'_>>,
    mut news: mpsc::UnboundedReceiver<Told>,
    mut lead: watch::Receiver<Leadership>,
) -> std::convert::Infallible {
    loop {
        tokio::select! {
            Some(told) = news.recv() => match told {
                Told::Silent(why) => locked(log).tell(None, &Event::NoGit { why }),
                Told::Answers => locked(log).tell(None, &Event::Git),
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

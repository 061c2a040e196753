//! Follows the branch: at once where the repository is on this disk and says what changes, else by asking.
#![expect(clippy::disallowed_methods, reason = "the time of an answer, and the waiting for the next one")]

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use pintle_core::desired::DesiredState;
use pintle_core::git::{Commit, CommitId};
use pintle_core::pins::{Known, Settings};
use tokio::sync::watch;

use crate::cli::config::Config;
use crate::cli::exit::Failure;
use crate::cli::load::{Loaded, Revision};
use crate::cluster::Says;
use crate::controller::{Desired, Goal};
use crate::source::{Below, Index, Location, Source, SourceError};

/// A repository that has not answered for so long, and for three intervals, holds everything: who knows what it says.
const SILENT: Duration = Duration::from_secs(300);

/// What is told of the repository beside what it pins.
#[derive(Debug)]
pub(super) enum Told {
    /// It does not answer.
    Silent(String),
    /// It answers again.
    Answers,
}

/// Follows one branch.
pub(super) struct Git {
    config: Config,
    source: Source,
    /// The revision that was read last.
    read: (CommitId, Known),
    index: Index,
    /// The index holds more than what is kept of it.
    unkept: bool,
    tip: Option<CommitId>,
    /// The settings that this process was started with: who the instance is cannot change under way.
    settings: Settings,
    namespace: String,
    answered: Instant,
    silent: bool,
    last: Goal,
}

/// Where what was found goes.
pub(super) struct To {
    /// What is to be kept.
    pub goals: watch::Sender<Goal>,
    /// What the lease says.
    pub says: watch::Sender<Option<Says>>,
    /// The repository as it is now.
    pub source: Arc<Mutex<Source>>,
    /// What is told.
    pub told: tokio::sync::mpsc::UnboundedSender<Told>,
}

/// Asks now, whatever the interval says.
#[derive(Debug, Clone)]
pub(super) struct Poke(Sender<()>);

impl Poke {
    /// Asks now.
    pub(super) fn now(&self) {
        // Whoever listened is gone at the end.
        let _ = self.0.send(());
    }
}

impl Git {
    /// Goes on from what was loaded.
    pub(super) fn after(config: &Config, loaded: &Loaded, desired: &Desired) -> Result<Self, Failure> {
        let (source, known) = (loaded.source.clone(), loaded.at.known.clone());
        let branch = config.branch.clone().map_or_else(|| source.default_branch(), Ok)?;
        Ok(Self {
            index: Index::load(&source, &branch, &known.layout),
            unkept: false,
            config: config.clone(),
            source,
            read: (desired.commit, known),
            tip: Some(desired.commit),
            settings: desired.pins.settings.clone(),
            namespace: desired.namespace.clone(),
            answered: Instant::now(),
            silent: loaded.stale.is_some(),
            last: Goal::Pins(Arc::new(desired.clone())),
        })
    }

    /// Follows the branch in a thread of its own, because all of it blocks, until nobody listens any more.
    pub(super) fn follow(mut self, interval: Duration, to: To) -> Result<Poke, Failure> {
        let (poke, poked) = channel();
        let watcher = self.watch(poke.clone());
        let follow = move || {
            let _watcher = watcher;
            while !to.goals.is_closed() {
                let began = Instant::now();
                self.look(interval, &to);
                // Whoever takes long to answer is left alone for half of it at least.
                if !wait(&poked, interval.saturating_sub(began.elapsed()).max(interval / 2)) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("git".to_owned()).spawn(follow);
        thread.map(|_| Poke(poke)).map_err(|error| Failure::error(format!("no thread: {error}")))
    }

    /// Hears what changes in a repository of this disk; where that cannot be, it is asked in intervals alone.
    fn watch(&self, poke: Sender<()>) -> Option<RecommendedWatcher> {
        let folders = self.source.folders_of_refs();
        let hear = move |event: notify::Result<notify::Event>| {
            // Reading is heard too, and is done at every look.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                let _ = poke.send(());
            }
        };
        let mut watcher = notify::recommended_watcher(hear).ok()?;
        for (folder, below) in &folders {
            let mode = if *below == Below::Too { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            if let Err(error) = watcher.watch(folder, mode) {
                tracing::info!("{} is not watched: {error}", folder.display());
            }
        }
        (!folders.is_empty()).then_some(watcher)
    }

    fn look(&mut self, interval: Duration, to: &To) {
        match self.source.fetch(self.config.branch.as_deref()) {
            Ok(tip) => {
                self.answered = Instant::now();
                *to.source.lock().unwrap_or_else(PoisonError::into_inner) = self.source.clone();
                to.says.send_modify(|says| {
                    let says = says.get_or_insert_default();
                    (says.asked, says.silent) = (Some(Timestamp::now()), None);
                });
                let answers_again = std::mem::take(&mut self.silent);
                if answers_again {
                    let _ = to.told.send(Told::Answers);
                }
                if self.tip != Some(tip.id) {
                    self.take(&Arc::new(tip), to);
                } else if answers_again {
                    let _ = to.goals.send(self.last.clone());
                }
            }
            // It says that it has nothing: that is no reason to remove anything.
            Err(error) if !error.retryable() && !self.is_of_the_cache(&error) => self.hold(error, to),
            Err(error) => self.without_answer(error, SILENT.max(interval * 3), to),
        }
    }

    /// What keeps a remote's mirror from being written says nothing of the remote.
    fn is_of_the_cache(&self, error: &SourceError) -> bool {
        let is_url = matches!(self.source.location(), Location::Url(_));
        is_url && matches!(error, SourceError::File { .. } | SourceError::Open { .. })
    }

    /// Keeps what is known, for a while.
    fn without_answer(&mut self, error: SourceError, patience: Duration, to: &To) {
        let why = if self.is_of_the_cache(&error) {
            format!("the cache cannot be used: {}", Failure::from(error).in_one_line())
        } else {
            error.to_string()
        };
        to.says.send_modify(|says| says.get_or_insert_default().silent = Some(why.clone()));
        if !std::mem::replace(&mut self.silent, true) {
            let _ = to.told.send(Told::Silent(why.clone()));
        }
        if self.answered.elapsed() > patience {
            let patience = patience.as_secs() / 60;
            let why = format!("the repository has not answered for more than {patience} minutes: {why}");
            let _ = to.goals.send(Goal::Held(why));
        }
    }

    fn hold(&mut self, error: SourceError, to: &To) {
        self.silent = true;
        let _ = to.goals.send(Goal::Held(Failure::from(error).in_one_line()));
    }

    /// Takes up another revision.
    fn take(&mut self, tip: &Arc<Commit>, to: &To) {
        match self.read(tip) {
            Ok(goal) => {
                self.tip = Some(tip.id);
                self.last = goal.clone();
                let _ = to.goals.send(goal);
                // Nobody waits for that.
                self.keep_index();
            }
            Err(failure) => {
                // It is read anew at the next look.
                let goal = Goal::Held(format!("{} cannot be read: {}", tip.id.short(), failure.message));
                let _ = to.goals.send(goal);
                self.tip = None;
            }
        }
    }

    fn read(&mut self, tip: &Arc<Commit>) -> Result<Goal, Failure> {
        let (before, known) = (self.read.0, &self.read.1);
        let at = Revision::read_after(&self.source, &self.config.root, Arc::clone(tip), (before, known))
            // What was known may be gone from a repository that was rewritten.
            .or_else(|_| Revision::read(&self.source, &self.config.root, Some(Arc::clone(tip))))?;
        if let Err(failure) = at.usable() {
            return Ok(Goal::Held(format!("{}: {}", tip.id.short(), failure.in_one_line())));
        }
        if self.read.1.layout.fingerprint() != at.known.layout.fingerprint() {
            let branch = self.config.branch.clone().map_or_else(|| self.source.default_branch(), Ok)?;
            self.index = Index::load(&self.source, &branch, &at.known.layout);
        }
        self.read = (tip.id, at.known.clone());
        self.unkept |= self.index.extend(&self.source, tip.id, &at.known.layout)? > 0;
        let pins = at.pins(&self.config);
        let (was, is) = (&self.settings, &pins.settings);
        if (&was.instance, was.runtime, &was.namespace) != (&is.instance, is.runtime, &is.namespace) {
            return Ok(Goal::Held(format!(
                "{}: instance, runtime or namespace of pintle.yaml have changed; start pintle run anew",
                tip.id.short()
            )));
        }
        let history = at.renamed(self.index.history());
        Ok(Goal::Pins(Arc::new(Desired::from(DesiredState::new(tip.id, pins, history, self.namespace.clone())))))
    }

    fn keep_index(&mut self) {
        if std::mem::take(&mut self.unkept)
            && let Err(error) = self.index.save()
        {
            tracing::info!("the index is not kept: {error}");
        }
    }
}

/// Until somebody pokes or the interval is over; false where nobody can poke any more.
fn wait(poked: &Receiver<()>, interval: Duration) -> bool {
    match poked.recv_timeout(interval) {
        Ok(()) => {
            while poked.try_recv().is_ok() {}
            true
        }
        Err(RecvTimeoutError::Timeout) => true,
        Err(RecvTimeoutError::Disconnected) => false,
    }
}

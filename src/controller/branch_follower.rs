//! Follows a branch in a thread of its own, and hands each revision to the loop, or the reason to hold what runs.

mod poll;
mod problem;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pintle_core::desired::DesiredState;
use pintle_core::git::{Commit, CommitId};
use pintle_core::pins::{FragmentCache, Pins, Settings};
use tokio::sync::{mpsc, watch};

pub use self::poll::PollTrigger;
use self::poll::{wait_for_poll, watch_refs};
pub use self::problem::BranchProblem;
use self::problem::Outage;
use super::{BranchState, Desired};
use crate::cluster::HolderStatus;
use crate::source::{HistoryIndex, RepositoryLocation, Source, SourceError};

/// After so long without an answer, and three intervals at least, nothing new starts (design, I10).
const SILENCE_BEFORE_HOLD: Duration = Duration::from_secs(300);

/// What a follower begins with.
pub struct BranchFollowerArgs {
    /// The repository, fetched.
    pub source: Source,
    /// The branch; none for the one that HEAD is on.
    pub branch: Option<String>,
    /// The folder of the pins in the repository.
    pub root: String,
    /// The namespace that was typed; it goes before the one of the settings.
    pub namespace: Option<String>,
    /// The files of the revision that was read first.
    pub known: FragmentCache,
    /// The remote did not answer when that revision was read.
    pub is_stale: bool,
    /// Makes sentences of problems.
    pub describe: fn(&BranchProblem) -> String,
}

/// Where a follower puts what it finds.
pub struct FollowerOutputs {
    /// What the loop is to keep.
    pub branch: watch::Sender<BranchState>,
    /// What the holder of the lease says of itself.
    pub says: watch::Sender<Option<HolderStatus>>,
    /// The newest state of the repository.
    pub source: Arc<Mutex<Source>>,
    /// Whether the repository answers.
    pub events: mpsc::UnboundedSender<RepositoryEvent>,
}

/// A change of whether the repository answers.
#[derive(Debug)]
pub enum RepositoryEvent {
    /// It does not answer any more; why.
    Silent(String),
    /// It answers again.
    Answers,
}

/// Follows one branch.
pub struct BranchFollower {
    args: BranchFollowerArgs,
    /// The revision that was read last; its files stand in `args.known`.
    read: CommitId,
    index: HistoryIndex,
    /// The index on disk lacks some of what this one holds.
    is_index_dirty: bool,
    /// The revision that the loop was given; none where reading the newest one failed.
    tip: Option<CommitId>,
    /// The settings at the start: instance, runtime and namespace may not change under way.
    settings: Settings,
    context_namespace: String,
    answered: Instant,
    is_silent: bool,
    last: BranchState,
}

impl BranchFollower {
    /// Goes on from the revision that was read first.
    ///
    /// # Errors
    /// The repository has no default branch, and none was named.
    pub fn new(args: BranchFollowerArgs, desired: &Desired) -> Result<Self, SourceError> {
        let branch = branch_name(&args)?;
        Ok(Self {
            index: HistoryIndex::load(&args.source, &branch, &args.known.layout),
            is_index_dirty: false,
            read: desired.commit,
            tip: Some(desired.commit),
            settings: desired.pins.settings.clone(),
            context_namespace: desired.namespace.clone(),
            answered: now(),
            is_silent: args.is_stale,
            last: BranchState::Pins(Arc::new(desired.clone())),
            args,
        })
    }

    /// Polls in a thread of its own, because Git blocks, until nobody receives its results any more.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn spawn(mut self, interval: Duration, outputs: FollowerOutputs) -> std::io::Result<PollTrigger> {
        let (trigger, polls) = PollTrigger::new();
        let watcher = watch_refs(&self.args.source, trigger.clone());
        let follow = move || {
            let _watcher = watcher;
            while !outputs.branch.is_closed() {
                let began = now();
                self.poll(interval, &outputs);
                // A slow repository gets a pause of half an interval at least.
                if !wait_for_poll(&polls, interval.saturating_sub(began.elapsed()).max(interval / 2)) {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("git".to_owned()).spawn(follow).map(|_| trigger)
    }

    fn poll(&mut self, interval: Duration, outputs: &FollowerOutputs) {
        match self.args.source.fetch(self.args.branch.as_deref()) {
            Ok(tip) => self.note_answer(&tip, outputs),
            // An empty repository is no reason to remove anything.
            Err(error) if !error.retryable() && !self.is_cache_error(&error) => {
                self.is_silent = true;
                self.hold(&BranchProblem::Source(error), outputs);
            }
            Err(error) => self.note_silence(error, SILENCE_BEFORE_HOLD.max(interval * 3), outputs),
        }
    }

    fn note_answer(&mut self, tip: &Commit, outputs: &FollowerOutputs) {
        self.answered = now();
        *outputs.source.lock().unwrap_or_else(PoisonError::into_inner) = self.args.source.clone();
        outputs.says.send_modify(|says| {
            let says = says.get_or_insert_default();
            (says.repository_answered_at, says.repository_error) = (Some(timestamp()), None);
        });
        let answers_again = std::mem::take(&mut self.is_silent);
        if answers_again {
            let _ = outputs.events.send(RepositoryEvent::Answers);
        }
        if self.tip != Some(tip.id) {
            self.take(tip, outputs);
        } else if answers_again {
            let _ = outputs.branch.send(self.last.clone());
        }
    }

    /// Goes on with the last revision; holds everything once `patience` is over.
    fn note_silence(&mut self, error: SourceError, patience: Duration, outputs: &FollowerOutputs) {
        let outage = Outage { is_cache: self.is_cache_error(&error), error };
        let why = outage.to_string();
        outputs.says.send_modify(|says| says.get_or_insert_default().repository_error = Some(why.clone()));
        if !std::mem::replace(&mut self.is_silent, true) {
            let _ = outputs.events.send(RepositoryEvent::Silent(why));
        }
        if self.answered.elapsed() > patience {
            self.hold(&BranchProblem::Silent { minutes: patience.as_secs() / 60, outage }, outputs);
        }
    }

    /// Whether a remote's mirror cannot be written, which says nothing of the remote.
    fn is_cache_error(&self, error: &SourceError) -> bool {
        let is_url = matches!(self.args.source.location(), RepositoryLocation::Url(_));
        is_url && matches!(error, SourceError::File { .. } | SourceError::Open { .. })
    }

    fn hold(&self, problem: &BranchProblem, outputs: &FollowerOutputs) {
        let _ = outputs.branch.send(self.held(problem));
    }

    fn held(&self, problem: &BranchProblem) -> BranchState {
        BranchState::Held((self.args.describe)(problem))
    }

    /// Takes up another revision.
    fn take(&mut self, tip: &Commit, outputs: &FollowerOutputs) {
        match self.read(tip) {
            Ok(branch) => {
                self.tip = Some(tip.id);
                self.last = branch.clone();
                let _ = outputs.branch.send(branch);
                // Nobody waits for that.
                self.save_index();
            }
            Err(error) => {
                self.hold(&BranchProblem::Unreadable { commit: tip.id, error }, outputs);
                // The next poll reads it anew.
                self.tip = None;
            }
        }
    }

    fn read(&mut self, tip: &Commit) -> Result<BranchState, SourceError> {
        let BranchFollowerArgs { source, root, known, .. } = &self.args;
        let at = source
            .contents_after(root, tip.id, (self.read, known))
            // A rewritten repository may hold the earlier revision no more.
            .or_else(|_| source.contents(root, Some(tip.id), None))?;
        if let Some(why) = at.reading.unusable {
            return Ok(self.held(&BranchProblem::Unusable { commit: tip.id, why }));
        }
        if known.layout.fingerprint() != at.fragments.layout.fingerprint() {
            self.index = HistoryIndex::load(source, &branch_name(&self.args)?, &at.fragments.layout);
        }
        self.is_index_dirty |= self.index.extend(source, tip.id, &at.fragments.layout)? > 0;
        (self.read, self.args.known) = (tip.id, at.fragments);
        Ok(self.branch_state(tip.id, at.reading.pins))
    }

    fn branch_state(&self, commit: CommitId, mut pins: Pins) -> BranchState {
        let history = self.index.history().with_renames(&pins);
        pins.settings.namespace = self.args.namespace.clone().or(pins.settings.namespace);
        let (was, is) = (&self.settings, &pins.settings);
        if (&was.instance, was.runtime, &was.namespace) != (&is.instance, is.runtime, &is.namespace) {
            return self.held(&BranchProblem::InstanceChanged { commit });
        }
        let state = DesiredState::new(commit, pins, history, self.context_namespace.clone());
        BranchState::Pins(Arc::new(Desired::from(state)))
    }

    fn save_index(&mut self) {
        if std::mem::take(&mut self.is_index_dirty)
            && let Err(error) = self.index.save()
        {
            tracing::info!("the index is not kept: {error}");
        }
    }
}

fn branch_name(args: &BranchFollowerArgs) -> Result<String, SourceError> {
    args.branch.clone().map_or_else(|| args.source.default_branch(), Ok)
}

#[expect(clippy::disallowed_methods, reason = "silence is measured from the last answer")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the lease names the time of the last answer")]
fn timestamp() -> Timestamp {
    Timestamp::now()
}

//! `pintle rollback`: what would go back, with whom and why, in which order, and what would be committed.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

mod ask;
mod shown;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::{ArgGroup, Args, ValueEnum};
use jiff::Timestamp;

use super::diff::{FileDiff, other_lines};
use super::exit::{Exit, Failure, help};
use super::glance::{Glance, glance};
use super::load::{Loaded, load};
use super::output::{Output, Printing};
use crate::cluster::{Observation, Proven};
use crate::config::Config;
use crate::pins::{self, Pins, ServiceName};
use crate::plan::Wanted;
use crate::reconcile::{self, Desired, Look, Report, look, look_at_pins, want};
use crate::rollback::{Holding, Inverse, Known, Left, Message, Request, Revert, Unseen, inverse, revert, unseen};
use crate::source::{Commit, Scope};
use shown::Shown;

/// Show what would go back, with whom, why, and in which order
///
/// A service goes back to an earlier pin of its own: without --to the newest one that is proven in the cluster at hand and
/// not held, else the one before. What does not fit beside it any more goes back with it: the smallest set of services
/// that fits, crosses no `rollbackFloor`, uses no held version, and can be rolled out in an order in which all that runs
/// is compatible. A cluster that does not answer within two seconds is done without.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["services", "all", "revert"]))]
#[command(after_help = help(
    "pintle rollback payments --dry-run\npintle rollback payments --to 2.0.3 --dry-run\npintle rollback --all --to 2h --dry-run\npintle rollback --revert HEAD~3..HEAD --dry-run",
    &[Exit::Ok, Exit::Error, Exit::Refused, Exit::Usage],
))]
pub struct Rollback {
    /// The services that shall go back
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// The whole system: without --to, to the newest revision that is proven as a whole
    #[arg(long)]
    all: bool,
    /// What these commits moved: one, or those after the first up to the second
    #[arg(long, value_name = "COMMIT[..COMMIT]", conflicts_with_all = ["to", "steps"])]
    revert: Option<String>,
    /// How far back: a version, a revision, or a time (2h ago, 2026-11-20T10:00 in UTC)
    #[arg(long, value_name = "VERSION|REVISION|TIME", conflicts_with = "steps")]
    to: Option<String>,
    /// How many pins back; with --all, how many commits that moved pins
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Which versions of the services named here are held from then on
    #[arg(long, value_name = "WHICH", default_value = "above")]
    hold: Hold,
    /// Why; it stands in the commit
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    printing: Printing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Hold {
    /// All above the target.
    Above,
    /// The version that is left.
    Version,
    /// None.
    None,
}

/// A rollback, and all that is told of it.
struct Told {
    revert: Revert,
    tip: Arc<Commit>,
    desired: Desired,
    /// The cluster that was asked; none where there is none.
    cluster: Option<String>,
    /// The plan from what runs, or from the pins at the tip, to the pins as they will be.
    plan: Report,
    /// Pairs that were never seen together.
    unseen: Vec<Unseen>,
    message: Message,
    /// Other lines that the reverted commits changed: they stay as they are.
    files: Vec<FileDiff>,
}

impl Rollback {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        if !self.dry_run {
            let failure = Failure::error("this version of Pintle does not commit a rollback yet, it shows it");
            return Err(failure.hint("add --dry-run"));
        }
        let loaded = load(config, None)?;
        loaded.warn(output);
        loaded.at.usable()?;
        loaded.say_uncommitted(output)?;
        let request = ask::request(self, &loaded, Timestamp::now())?;
        let told = self.tell(config, &loaded, &request, output)?;
        if !told.revert.complete {
            output.warn("the search was stopped at its limit: a smaller set than this may exist");
        }
        output.result(self.printing.output, &Shown::of(&told), |output| text::print(&told, output))?;
        let all_refused = told.revert.is_empty() && told.revert.left.iter().any(Left::is_by_rule);
        Ok(if all_refused { Exit::Refused } else { Exit::Ok })
    }

    fn tell(&self, config: &Config, loaded: &Loaded, request: &Request, output: &mut Output) -> Result<Told, Failure> {
        let tip = loaded.at.commit.clone().ok_or_else(|| Failure::error("a revision is needed"))?;
        let pins = loaded.at.pins(config);
        let seen = Seen::now(config, &tip, (&pins, loaded), output);
        let revert = seen.revert(request, self.hold.into())?;
        let (desired, look) = seen.after(&revert);
        let wanted = want(&desired, &look);
        let plan = reconcile::plan(&desired, &look, &wanted);
        let plan = Report::of(&desired, &look, &plan, Vec::new());
        let inverse = inverse(&revert, &loaded.history).filter(|Inverse(commit)| is_all_of(config, loaded, commit));
        let instance = &desired.pins.settings.instance;
        let message = Message::of(&revert, &loaded.history, instance, self.reason.as_deref(), inverse.as_ref());
        let ends = self.revert.as_ref().map(|typed| ask::ends(typed, loaded)).transpose()?.flatten();
        let files = ends.map_or_else(|| Ok(Vec::new()), |ends| lines(config, loaded, &ends))?;
        let unseen = seen.unseen(&revert);
        let cluster = seen.server;
        Ok(Told { revert, tip, desired, cluster, plan, unseen, message, files })
    }
}

/// What a rollback is decided by.
struct Seen {
    /// What is wanted at the tip.
    desired: Arc<Desired>,
    /// What runs; without a cluster, what is pinned at the tip.
    look: Look,
    /// What was observed, if it was whole.
    observed: Option<Observation>,
    proven: BTreeMap<ServiceName, Vec<Proven>>,
    /// The cluster that answered.
    server: Option<String>,
}

impl Seen {
    /// Asks the cluster at hand. Says why where there is one that does not answer.
    fn now(config: &Config, tip: &Commit, (pins, loaded): (&Pins, &Loaded), output: &mut Output) -> Self {
        let whole =
            |desired: &Desired, observed: &Observation| look(desired, observed, Timestamp::now()).unseen.is_empty();
        let glanced = glance(config, (tip.id, pins.clone(), Arc::clone(&loaded.history)), whole);
        let proven = |glance: Glance| {
            let proven = glance.proven().map_err(|error| error.to_string())?;
            Ok((glance, proven))
        };
        let seen = glanced.and_then(|glance| glance.map(proven).transpose()).unwrap_or_else(|why: String| {
            output.warn(format_args!("targets from Git alone: {why}"));
            None
        });
        let Some((Glance { server, desired, observed }, proven)) = seen else {
            let desired = Desired::new(tip.id, pins.clone(), Arc::clone(&loaded.history), String::new());
            let look = look_at_pins(&desired, pins);
            return Self { desired: Arc::new(desired), look, observed: None, proven: BTreeMap::new(), server: None };
        };
        let looked = look(&desired, &observed, Timestamp::now());
        let is_whole = looked.unseen.is_empty();
        let look = if is_whole { looked } else { look_at_pins(&desired, pins) };
        Self { desired, look, observed: is_whole.then_some(observed), proven, server: Some(server) }
    }

    fn known<'a>(&'a self, wanted: &'a [Wanted]) -> Known<'a> {
        let Desired { pins, history, graph, lockstep, .. } = &*self.desired;
        let (live, proven) = (&self.look.live, &self.proven);
        Known { pins, history, graph, lockstep, wanted, live, proven }
    }

    fn revert(&self, request: &Request, holding: Holding) -> Result<Revert, Failure> {
        let wanted = want(&self.desired, &self.look);
        revert(self.known(&wanted), request, holding).map_err(|refusal| {
            let exit = if refusal.is_by_rule() { Exit::Refused } else { Exit::Error };
            Failure { exit, message: refusal.to_string(), hint: refusal.hint() }
        })
    }

    /// The pairs that were never seen together, where the settings want that told.
    fn unseen(&self, revert: &Revert) -> Vec<Unseen> {
        let settings = &self.desired.pins.settings;
        match settings.unseen {
            pins::Unseen::Ignore => Vec::new(),
            pins::Unseen::Warn | pins::Unseen::Refuse => {
                unseen(self.known(&[]), revert, settings.soak, Timestamp::now())
            }
        }
    }

    /// What will be wanted after the commit, and what runs as that sees it.
    fn after(&self, revert: &Revert) -> (Desired, Look) {
        let Desired { commit, pins, history, namespace, .. } = &*self.desired;
        let desired = Desired::new(*commit, revert.pins(pins), Arc::clone(history), namespace.clone());
        let look = match &self.observed {
            Some(observed) => look(&desired, observed, Timestamp::now()),
            None => look_at_pins(&desired, pins),
        };
        (desired, look)
    }
}

impl From<Hold> for Holding {
    fn from(hold: Hold) -> Self {
        match hold {
            Hold::Above => Self::Above,
            Hold::Version => Self::Version,
            Hold::None => Self::None,
        }
    }
}

/// Whether the moves of pins are all that a commit changed, in whatever file.
fn is_all_of(config: &Config, loaded: &Loaded, commit: &Arc<Commit>) -> bool {
    let whole = || -> Result<bool, Failure> {
        let before = Arc::new(loaded.source.resolve(&format!("{}~1", commit.id))?);
        let changes = loaded.source.changed(before.id, commit.id, Scope::All)?;
        let is_pins =
            changes.gone.is_empty() && changes.now.files.iter().all(|file| loaded.at.known.layout.wants(&file.path));
        Ok(is_pins && lines(config, loaded, &[before, Arc::clone(commit)])?.is_empty())
    };
    whole().unwrap_or(false)
}

fn lines(config: &Config, loaded: &Loaded, ends: &[Arc<Commit>; 2]) -> Result<Vec<FileDiff>, Failure> {
    other_lines(&loaded.source, &config.root, ends, &loaded.at, &loaded.history)
}

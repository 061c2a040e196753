//! `pintle rollback`: what goes back, with whom and why, in which order, and the commit that takes it back.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

mod ask;
mod edits;
mod inverse;
mod shown;
mod text;
mod undo;

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::{ArgGroup, Args, ValueEnum};
use jiff::Timestamp;

use super::diff::{FileDiff, other_lines};
use super::exit::{Exit, Failure, help};
use super::glance::{Glance, glance};
use super::land::{Land, Proposal, Review};
use super::load::{Loaded, load};
use super::output::Output;
use super::plan::text::described;
use super::wait::After;
use crate::cluster::{Observation, Proven};
use crate::config::Config;
use crate::pins::{self, Pins, ServiceName};
use crate::plan::Wanted;
use crate::reconcile::{self, Desired, Look, Report, look, look_at_pins, want};
use crate::rollback::{
    self, Aim, Holding, Inverse, Known, Left, Message, Request, Revert, Unseen, inverse, revert, unseen,
};
use crate::source::{self, Commit, CommitId};
use inverse::takes_back;
use shown::Shown;
pub(super) use undo::Undone;

/// Take services back: one commit on the tip, which is rolled out like any other
///
/// A service goes back to an earlier pin of its own: without --to the newest one that is proven in the cluster at hand and
/// not held, else the one before. What does not fit beside it any more goes back with it: the smallest set of services
/// that fits, crosses no `rollbackFloor`, uses no held version, and can be rolled out in an order in which all that runs
/// is compatible. A cluster that does not answer within two seconds is done without.
///
/// What goes back, why, and in which order is shown and asked about. Then it is committed on the tip and pushed, never
/// forced; services that were named are held from then on, until `pintle release`, or the way back: `pintle reapply`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["services", "all", "revert"]))]
#[command(after_help = help(
    "pintle rollback payments --dry-run\npintle rollback payments --to 2.0.3 --reason 'INC-47: refunds are booked twice'\npintle rollback --all --to 2h --yes --reason INC-47 --wait\npintle rollback --revert HEAD~3..HEAD",
    &[Exit::Ok, Exit::Error, Exit::Unhealthy, Exit::Refused, Exit::Usage],
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
    /// Why; it stands in the commit and in the holds. Asked for on a terminal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Show it, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    land: Land,
    #[command(flatten)]
    after: After,
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
pub(super) struct Told {
    kind: Kind,
    pub(super) revert: Revert,
    tip: Arc<Commit>,
    desired: Desired,
    /// The cluster that was asked; none where there is none.
    cluster: Option<String>,
    /// The plan from what runs, or from the pins at the tip, to the pins as they will be.
    plan: Report,
    /// Pairs that were never seen together.
    unseen: Vec<Unseen>,
    pub(super) message: Message,
    /// Other lines that the reverted commits changed: they stay as they are.
    files: Vec<FileDiff>,
}

impl Rollback {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        if self.dry_run { self.show(config, output) } else { self.land(config, output) }
    }

    fn show(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let loaded = load(config, None)?;
        loaded.warn(output);
        loaded.at.usable()?;
        loaded.say_uncommitted(output)?;
        let question = self.question(config, &loaded, output)?;
        let told = Told::of(config, &loaded, question, output, |_| Ok(self.reason.clone()))?;
        output.result(self.land.printing().output, &Shown::of(&told), |output| text::print(&told, output))?;
        Ok(if told.is_refused() { Exit::Refused } else { Exit::Ok })
    }

    fn land(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let (mut why, mut refused) = (Reason::typed(self.reason.as_deref(), &self.land)?, false);
        let done = self.land.land(config, output, |loaded, output| {
            let question = self.question(config, loaded, output)?;
            let told = Told::of(config, loaded, question, output, |output| why.get(output).map(Some))?;
            refused = told.is_refused();
            propose(config, loaded, told, why.said(), None)
        })?;
        if refused {
            return Ok(Exit::Refused);
        }
        self.after.run(config, &self.land, &done, output)
    }

    fn question(&self, config: &Config, loaded: &Loaded, output: &mut Output) -> Result<Question, Failure> {
        let mut request = ask::request(self, loaded, Timestamp::now())?;
        // Who types it twice, or beside somebody else, does not mean to go back twice.
        if let Request::Services(services, Aim::Good) = &mut request {
            services.retain(|service| !is_back(service, loaded, output));
        }
        let ends = self.revert.as_ref().map(|typed| ask::ends(typed, loaded)).transpose()?.flatten();
        Ok(Question { kind: Kind::Rollback, request, holding: self.hold.into(), pins: loaded.at.pins(config), ends })
    }
}

/// Whether the last thing that moved a service was a rollback; it says so.
fn is_back(service: &ServiceName, loaded: &Loaded, output: &mut Output) -> bool {
    let last = loaded.history.records(service).last().filter(|last| last.commit.subject.starts_with(REVERT));
    let Some((commit, pin)) = last.and_then(|last| Some((&last.commit, last.pin.as_ref()?))) else { return false };
    let by = described(commit);
    output.note(format_args!("{service} is back at {} already, by {by}; --steps 1 goes further", pin.version));
    true
}

/// What is asked, in the light of one revision.
pub(super) struct Question {
    pub(super) kind: Kind,
    pub(super) request: Request,
    pub(super) holding: Holding,
    /// The pins at the tip, with the holds that count.
    pub(super) pins: Pins,
    /// The revisions of which other lines are shown.
    pub(super) ends: Option<[Arc<Commit>; 2]>,
}

/// There, or back again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rollback,
    Reapply,
}

impl Kind {
    fn title(self) -> &'static str {
        match self {
            Self::Rollback => "Rollback",
            Self::Reapply => "Reapply",
        }
    }

    /// `revert-payments-2.0.3`, `reapply-payments-2.1.0-and-2-more`.
    fn stem(self, revert: &Revert) -> String {
        let what = match self {
            Self::Rollback => "revert",
            Self::Reapply => "reapply",
        };
        let [first, rest @ ..] = &*revert.members else { return what.to_owned() };
        let more = if rest.is_empty() { String::new() } else { format!("-and-{}-more", rest.len()) };
        format!("{what}-{}-{}{more}", first.service, first.to.version)
    }

    fn subject(self, of_rollback: String) -> String {
        match self {
            Self::Rollback => of_rollback,
            Self::Reapply => of_rollback.replacen(REVERT, "Reapply pins: ", 1),
        }
    }
}

/// Subjects of rollbacks begin with it.
pub(super) const REVERT: &str = "Revert pins: ";

/// Why, as was typed, or is asked once.
pub(super) struct Reason(Option<String>);

impl Reason {
    pub(super) fn typed(typed: Option<&str>, land: &Land) -> Result<Self, Failure> {
        match typed.map(str::trim) {
            Some("") => Err(Failure::usage("--reason is empty").hint("say why, for those who meet the commit")),
            None if land.yes() => {
                Err(Failure::usage("--yes needs a reason").hint("add --reason TEXT: it stands in the commit"))
            }
            typed => Ok(Self(typed.map(str::to_owned))),
        }
    }

    pub(super) fn get(&mut self, output: &mut Output) -> Result<String, Failure> {
        if let Some(reason) = &self.0 {
            return Ok(reason.clone());
        }
        let reason = output.asked_why("--reason TEXT and --yes")?;
        if reason.is_empty() {
            return Err(Failure::error("without a reason nothing was changed"));
        }
        self.0 = Some(reason.clone());
        Ok(reason)
    }

    pub(super) fn said(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// The edits and the message by which what is told lands.
pub(super) fn propose(
    config: &Config,
    loaded: &Loaded,
    mut told: Told,
    reason: &str,
    undone: Option<&Undone>,
) -> Result<Proposal, Failure> {
    let mut edits = edits::restores(config, loaded, &told.revert.members)?;
    let by = if told.revert.holds.is_empty() { None } else { Some(loaded.source.identity()?.name().to_owned()) };
    edits.extend(edits::holds(&told.revert.holds, reason, by.as_deref()));
    edits.extend(undone.into_iter().flat_map(Undone::edits));
    let inverse = undone.map(|undone| undone.inverse(config, loaded, &edits)).transpose()?.flatten();
    let reverts = inverse.map(|commit| format!("This reverts commit {commit}."));
    told.message.body.extend(reverts.filter(|reverts| !told.message.body.contains(reverts)));
    let (essence, released) = (edits::essence(&told.revert), undone.map(Undone::in_words).unwrap_or_default());
    let rollback::Message { subject, body, trailers } = told.message.clone();
    let message = source::Message { subject, body: body.join("\n\n"), trailers };
    let stem = told.kind.stem(&told.revert);
    let show = Box::new(move |output: &mut Output| {
        text::print(&told, output);
        for line in released {
            output.line(line);
        }
    });
    let review = Some(Review { essence, what: "plan", alone: true, show });
    Ok(Proposal { edits, message, stem, already: String::new(), review })
}

impl Told {
    pub(super) fn of(
        config: &Config,
        loaded: &Loaded,
        question: Question,
        output: &mut Output,
        reason: impl FnOnce(&mut Output) -> Result<Option<String>, Failure>,
    ) -> Result<Self, Failure> {
        let Question { kind, request, holding, pins, ends } = question;
        let tip = loaded.at.commit.clone().ok_or_else(|| Failure::error("a revision is needed"))?;
        let seen = Seen::now(config, &tip, (&pins, loaded), output);
        let revert = seen.revert(&request, holding)?;
        if !revert.complete {
            output.warn("the search was stopped at its limit: a smaller set than this may exist");
        }
        let reason = if revert.is_empty() { None } else { reason(output)? };
        let (desired, look) = seen.after(&revert);
        let wanted = want(&desired, &look);
        let plan = reconcile::plan(&desired, &look, &wanted);
        let plan = Report::of(&desired, &look, &plan, Vec::new());
        let restores = || edits::restores(config, loaded, &revert.members);
        let is_whole = |commit: CommitId| takes_back(config, loaded, commit, &restores()?);
        let inverse = inverse(&revert, &loaded.history).filter(|Inverse(commit)| is_whole(commit.id).unwrap_or(false));
        let instance = &desired.pins.settings.instance;
        let message = Message::of(&revert, &loaded.history, instance, reason.as_deref(), inverse.as_ref());
        let files = ends.map_or_else(|| Ok(Vec::new()), |ends| lines(config, loaded, &ends))?;
        let unseen = seen.unseen(&revert);
        let cluster = seen.server;
        let message = Message { subject: kind.subject(message.subject), ..message };
        Ok(Self { kind, revert, tip, desired, cluster, plan, unseen, message, files })
    }

    /// Rules keep all of it.
    pub(super) fn is_refused(&self) -> bool {
        self.revert.is_empty() && self.revert.left.iter().any(Left::is_by_rule)
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

fn lines(config: &Config, loaded: &Loaded, ends: &[Arc<Commit>; 2]) -> Result<Vec<FileDiff>, Failure> {
    other_lines(&loaded.source, &config.root, ends, &loaded.at, &loaded.history)
}

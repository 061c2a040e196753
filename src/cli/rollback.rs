//! `pintle rollback`: what goes back, with whom and why, in which order, and the commit that takes it back.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

mod ask;
mod config;
mod decided;
mod edits;
mod inverse;
mod shown;
mod text;
mod undo;

use std::sync::Arc;

use clap::{ArgGroup, Args, ValueEnum};
use jiff::Timestamp;

use super::deepen::deepening;
use super::diff::FileDiff;
use super::exit::{Exit, Failure, help};
use super::land::{Land, Proposal, Review};
use super::load::{Loaded, load};
use super::output::Output;
use super::plan::text::described;
use super::seen::Seen;
use super::wait::After;
use crate::change::{REAPPLY, REVERT};
use crate::config::Config;
use crate::edit::{Edit, Edited, edit};
use crate::evidence::Pair;
use crate::pins::{self, Pins, ServiceName};
use crate::problem::display_safe;
use crate::reconcile::{self, Desired, Report, want};
use crate::rollback::{self, Aim, Holding, Inverse, Left, Message, Request, Revert, inverse};
use crate::source::{self, Commit, CommitId, FileChange};
use ask::What;
use inverse::takes_back;
use shown::Shown;
pub(super) use undo::Undone;

/// Take services back: one commit on the tip, which is rolled out like any other
///
/// A service goes back to an earlier pin of its own: without --to the newest one that is proven in the cluster at hand and
/// not held, else the one before. What does not fit beside it any more goes back with it: the smallest set of services
/// that fits, crosses no `rollbackFloor`, uses no held version, and can be rolled out in an order in which all that runs
/// is compatible. A cluster that does not answer within two seconds is done without. A shallow clone whose history begins too
/// late for that receives the rest from its remote, with --dry-run too.
///
/// What goes back, why, and in which order is shown and asked about. Then it is committed on the tip and pushed, never
/// forced; services that were named are held from then on, until `pintle release`, or the way back: `pintle reapply`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["services", "all", "revert"]))]
#[command(after_help = help(
    "pintle rollback payments --dry-run\npintle rollback payments --to 2.0.3 --reason 'INC-47: refunds are booked twice'\npintle rollback --all --to 2h --yes --reason INC-47 --wait\npintle rollback --revert HEAD~3..HEAD\npintle rollback payments --adopt\npintle rollback payments --seen --dry-run",
    &[Exit::Ok, Exit::Error, Exit::Unhealthy, Exit::Refused, Exit::Usage],
))]
pub struct Rollback {
    #[command(flatten)]
    what: What,
    /// Only to where each two that need each other were seen together, or a range says that they fit
    #[arg(long)]
    seen: bool,
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
    /// Pairs that come together and were never seen so.
    unseen: Vec<Pair>,
    /// The nearest set of which all pairs were seen, where it is another one.
    seen: Option<Revert>,
    pub(super) message: Message,
    /// Other lines that go back with the pins.
    files: Vec<FileDiff>,
    /// Other lines that `--include-config` would take back too.
    not_taken: Vec<FileDiff>,
    /// The edits of the members, and what they make of the tip, where somebody had to know that already.
    restores: Option<(Vec<(ServiceName, Edit)>, Edited)>,
    /// The files of the tip in which they go back too; else they stay as they are.
    besides: Option<Vec<FileChange>>,
}

impl Rollback {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        if self.dry_run {
            deepening(config, output, |output| self.show(config, output))
        } else {
            self.land(config, output)
        }
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
        let done = deepening(config, output, |output| {
            self.land.land(config, output, |loaded, output| {
                let question = self.question(config, loaded, output)?;
                let told = Told::of(config, loaded, question, output, |output| why.get(output).map(Some))?;
                refused = told.is_refused();
                propose(config, loaded, told, why.said(), None)
            })
        })?;
        if refused {
            return Ok(Exit::Refused);
        }
        self.after.run(config, &self.land, &done, output)
    }

    fn question(&self, config: &Config, loaded: &Loaded, output: &mut Output) -> Result<Question, Failure> {
        let mut request = ask::request(&self.what, loaded, Timestamp::now())?;
        // Who types it twice, or beside somebody else, does not mean to go back twice.
        if let Request::Services(services, Aim::Good) = &mut request {
            services.retain(|service| !is_back(service, loaded, output));
        }
        let ends = self.what.revert.as_ref().map(|typed| ask::ends(typed, loaded)).transpose()?.flatten();
        let besides = ends.as_ref().filter(|_| self.what.include_config);
        let besides = besides.map(|ends| config::besides(config, loaded, ends)).transpose()?;
        let pins = besides.as_ref().map_or_else(|| loaded.at.pins(config), |besides| besides.pins.clone());
        let besides = besides.map(|besides| besides.files);
        let (kind, holding, seen) = (Kind::Rollback, self.hold.into(), self.seen);
        Ok(Question { kind, request, holding, pins, ends, besides, seen })
    }
}

/// Whether the last thing that moved a service was a rollback; it says so.
fn is_back(service: &ServiceName, loaded: &Loaded, output: &mut Output) -> bool {
    let last = loaded.history.records(service).last().filter(|last| loaded.is_rollback(last.commit.id));
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
    /// Files of the tip in which these lines go back too.
    pub(super) besides: Option<Vec<FileChange>>,
    /// Only pairs that were seen together shall come together.
    pub(super) seen: bool,
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

    fn way(self) -> &'static str {
        match self {
            Self::Rollback => "back",
            Self::Reapply => "forward",
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
            Self::Reapply => of_rollback.replacen(REVERT, REAPPLY, 1),
        }
    }
}

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
    let (mut edits, mut edited) = match told.restores.take() {
        Some((edits, edited)) => (edits, Some(edited)),
        None => (edits::restores(config, loaded, &told.revert.members)?, None),
    };
    let restored = edits.len();
    let by = if told.revert.holds.is_empty() { None } else { Some(loaded.source.identity()?.name().to_owned()) };
    edits.extend(edits::holds(loaded, &told.revert.holds, reason, by.as_deref()));
    edits.extend(undone.into_iter().flat_map(Undone::edits));
    edited = edited.filter(|_| edits.len() == restored);
    let mut inverse = None;
    if let Some(undone) = undone {
        edited = edited.or_else(|| edit(&loaded.at.said(&config.root), &edits).ok());
        inverse = edited.as_ref().map(|edited| undone.inverse(loaded, edited)).transpose()?.flatten();
    }
    let reverts = inverse.map(|commit| format!("This reverts commit {commit}."));
    told.message.body.extend(reverts.filter(|reverts| !told.message.body.contains(reverts)));
    let beneath = told.besides.clone().unwrap_or_default();
    let essence = edits::essence(&told.revert, &beneath);
    let mut besides = undone.map(Undone::in_words).unwrap_or_default();
    besides.extend(edits::muted(config, loaded, &edits));
    let rollback::Message { subject, body, trailers } = told.message.clone();
    let message = source::Message { subject, body: body.join("\n\n"), trailers };
    let stem = told.kind.stem(&told.revert);
    let shown = told.shown()?;
    let show = Box::new(move |output: &mut Output| {
        text::print(&told, output);
        for line in besides {
            output.line(line);
        }
    });
    let review = Some(Review { essence, what: "plan", alone: true, show });
    Ok(Proposal { beneath, edits, edited, message, stem, already: String::new(), review, told: Some(shown) })
}

impl Told {
    pub(super) fn of(
        config: &Config,
        loaded: &Loaded,
        question: Question,
        output: &mut Output,
        reason: impl FnOnce(&mut Output) -> Result<Option<String>, Failure>,
    ) -> Result<Self, Failure> {
        let Question { kind, request, holding, pins, ends, besides, seen: only_seen } = question;
        let tip = loaded.at.commit.clone().ok_or_else(|| Failure::error("a revision is needed"))?;
        let seen = Seen::now(config, &tip, (&pins, loaded), "targets from Git alone", output);
        if matches!(request, Request::Services(_, Aim::Running)) && seen.observed.is_none() {
            let failure = Failure::error("--adopt needs to see what runs, and there is no cluster that shows it");
            return Err(failure.hint("name the version: --to VERSION"));
        }
        let policy = seen.desired.pins.settings.unseen;
        let only_seen = only_seen || policy == pins::Unseen::Refuse;
        let revert = seen.revert(&request, holding, only_seen).map_err(|refusal| decided::refused(&refusal, loaded))?;
        if matches!(request, Request::Services(_, Aim::Good)) {
            seen.proven_here(&revert, loaded)?;
        }
        if !revert.complete {
            output.warn("the search was stopped at its limit: a smaller set than this may exist");
        }
        let reason = if revert.is_empty() { None } else { reason(output)? };
        let (desired, look) = seen.after(&revert);
        let wanted = want(&desired, &look);
        let plan = reconcile::plan(&desired, &look, &wanted);
        let plan = Report::of(&desired, &look, &plan, Vec::new());
        let inverse = inverse(&revert, &loaded.history);
        let besides = besides.filter(|_| !revert.is_empty());
        let ends = ends.filter(|_| !revert.is_empty());
        let is_told = ends.is_some();
        let edits =
            if is_told || inverse.is_some() { edits::restores(config, loaded, &revert.members)? } else { Vec::new() };
        let others = ends.filter(|_| besides.is_none());
        let others = others.map(|ends| config::besides(config, loaded, &ends)).and_then(|others| match others {
            Ok(others) => Some(others.files),
            Err(failure) => {
                output.note(format_args!("other lines are not taken back with these pins; {}", failure.message));
                None
            }
        });
        let beneath = [besides.as_deref().unwrap_or_default(), others.as_deref().unwrap_or_default()];
        let lines = is_told.then(|| config::lines(config, loaded, &edits, beneath)).transpose()?;
        let config::Lines { taken: files, left: not_taken } = lines.unwrap_or_default();
        let restores = inverse.as_ref().and_then(|_| {
            let edited = edit(&loaded.at.said(&config.root), &edits).ok()?;
            Some((edits, edited))
        });
        let is_whole = |commit: CommitId| takes_back(loaded, commit, &restores.as_ref()?.1).ok();
        let inverse = inverse.filter(|Inverse(commit)| is_whole(commit.id) == Some(true));
        let instance = &desired.pins.settings.instance;
        let message = Message::of(&revert, &loaded.history, instance, reason.as_deref(), inverse.as_ref());
        let unseen = seen.unseen(&revert);
        let nearest = (!unseen.is_empty()).then(|| seen.revert(&request, holding, true).ok()).flatten();
        let nearest = nearest.filter(|nearest| nearest.members != revert.members);
        let cluster = seen.server;
        let mut message = Message { subject: kind.subject(message.subject), ..message };
        message.body.extend(besides.as_deref().filter(|files| !files.is_empty()).map(other_lines_of));
        Ok(Self {
            kind,
            revert,
            tip,
            desired,
            cluster,
            plan,
            unseen,
            seen: nearest,
            message,
            files,
            not_taken,
            restores,
            besides,
        })
    }

    /// As programs are told it.
    fn shown(&self) -> Result<serde_json::Value, Failure> {
        let shown = serde_json::to_value(Shown::of(self));
        shown.map_err(|error| Failure::error(format!("the result cannot be printed: {error}")))
    }

    /// Rules keep all of it.
    pub(super) fn is_refused(&self) -> bool {
        self.revert.is_empty() && self.revert.left.iter().any(Left::is_by_rule)
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

fn other_lines_of(files: &[FileChange]) -> String {
    let names: Vec<String> = files.iter().map(|file| display_safe(&file.path, 200)).collect();
    format!("With other lines as they were before: {}", names.join(", "))
}

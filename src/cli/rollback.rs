//! `pintle rollback`: what goes back, with whom and why, in which order, and the commit that takes it back.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

mod ask;
mod config;
mod decided;
mod edits;
mod json;
mod preview;
mod text;
mod undo;

use std::sync::Arc;

use ask::What;
use clap::{ArgGroup, Args, ValueEnum};
use jiff::Timestamp;
use json::{RollbackJson, to_json};
use pintle_core::edit::apply_edits;
use pintle_core::git::{Commit, FileChange};
use pintle_core::pins::{Pins, ServiceName};
use pintle_core::rollback::{
    HoldPolicy, Request, Revert, RollbackMessage, RollbackTarget, UndoneRollback, taken_back_last,
};
pub(super) use preview::RollbackPreview;
pub(super) use undo::{lift, undone, why_none};

use super::deepen::retry_unshallowed;
use super::exit::{CommandError, CommandExit, help};
use super::land::{Land, Proposal, Review};
use super::load::{LoadedRevision, load};
use super::output::Output;
use super::plan::text::described;
use super::wait::AfterCommitArgs;
use crate::cli::config::CliConfig;
use crate::source;

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
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Unhealthy, CommandExit::Refused, CommandExit::Usage],
))]
pub(super) struct Rollback {
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
    after: AfterCommitArgs,
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

impl Rollback {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        if self.dry_run {
            retry_unshallowed(config, output, |output| self.show(config, output))
        } else {
            self.land(config, output)
        }
    }

    fn show(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let loaded = load(config, None)?;
        loaded.warn_if_outdated(output);
        loaded.revision.refuse_if_unusable()?;
        loaded.warn_of_uncommitted(output)?;
        let question = self.question(config, &loaded, output)?;
        let told = RollbackPreview::of(config, &loaded, question, output, |_| Ok(self.reason.clone()))?;
        output.result(self.land.printing().output, &RollbackJson::of(&told), |output| text::print(&told, output))?;
        Ok(if told.is_refused() { CommandExit::Refused } else { CommandExit::Ok })
    }

    fn land(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let (mut why, mut refused) = (Reason::typed(self.reason.as_deref(), &self.land)?, false);
        let done = retry_unshallowed(config, output, |output| {
            self.land.land(config, output, |loaded, output| {
                let question = self.question(config, loaded, output)?;
                let told = RollbackPreview::of(config, loaded, question, output, |output| why.get(output).map(Some))?;
                refused = told.is_refused();
                propose(config, loaded, told, why.said(), None)
            })
        })?;
        if refused {
            return Ok(CommandExit::Refused);
        }
        self.after.follow_up(config, &self.land, &done, output)
    }

    fn question(
        &self,
        config: &CliConfig,
        loaded: &LoadedRevision,
        output: &mut Output,
    ) -> Result<RollbackQuery, CommandError> {
        let mut request = ask::request(&self.what, loaded, Timestamp::now())?;
        // Who types it twice, or beside somebody else, does not mean to go back twice.
        if let Request::Services(services, RollbackTarget::Good) = &mut request {
            services.retain(|service| !is_back(service, loaded, output));
        }
        let ends = self.what.revert.as_ref().map(|typed| ask::ends(typed, loaded)).transpose()?.flatten();
        let besides = ends.as_ref().filter(|_| self.what.include_config);
        let besides = besides.map(|ends| config::besides(config, loaded, ends)).transpose()?;
        let pins = besides.as_ref().map_or_else(|| loaded.revision.pins(config), |besides| besides.pins.clone());
        let besides = besides.map(|besides| besides.files);
        let (kind, holding, seen) = (Kind::Rollback, self.hold.into(), self.seen);
        Ok(RollbackQuery { kind, request, holding, pins, ends, besides, seen })
    }
}

/// Whether the last thing that moved a service was a rollback; it says so.
fn is_back(service: &ServiceName, loaded: &LoadedRevision, output: &mut Output) -> bool {
    let is_rollback = |commit| loaded.source.is_rollback(commit);
    let Some((commit, pin)) = taken_back_last(&loaded.history, service, is_rollback) else { return false };
    let by = described(commit);
    output.note(format_args!("{service} is back at {} already, by {by}; --steps 1 goes further", pin.version));
    true
}

/// What is asked, in the light of one revision.
pub(super) struct RollbackQuery {
    pub(super) kind: Kind,
    pub(super) request: Request,
    pub(super) holding: HoldPolicy,
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

    fn message(self, message: RollbackMessage) -> RollbackMessage {
        match self {
            Self::Rollback => message,
            Self::Reapply => message.of_reapply(),
        }
    }
}

/// Why, as was typed, or is asked once.
pub(super) struct Reason(Option<String>);

impl Reason {
    pub(super) fn typed(typed: Option<&str>, land: &Land) -> Result<Self, CommandError> {
        match typed.map(str::trim) {
            Some("") => Err(CommandError::usage("--reason is empty").hint("say why, for those who meet the commit")),
            None if land.yes() => {
                Err(CommandError::usage("--yes needs a reason").hint("add --reason TEXT: it stands in the commit"))
            }
            typed => Ok(Self(typed.map(str::to_owned))),
        }
    }

    pub(super) fn get(&mut self, output: &mut Output) -> Result<String, CommandError> {
        if let Some(reason) = &self.0 {
            return Ok(reason.clone());
        }
        let reason = output.ask_reason("--reason TEXT and --yes")?;
        if reason.is_empty() {
            return Err(CommandError::error("without a reason nothing was changed"));
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
    config: &CliConfig,
    loaded: &LoadedRevision,
    mut told: RollbackPreview,
    reason: &str,
    undone: Option<&UndoneRollback>,
) -> Result<Proposal, CommandError> {
    let (mut edits, mut edited) = match told.restores.take() {
        Some((edits, edited)) => (edits, Some(edited)),
        None => (edits::restores(config, loaded, &told.revert.members)?, None),
    };
    let restored = edits.len();
    let by = if told.revert.holds.is_empty() { None } else { Some(loaded.source.identity()?.name().to_owned()) };
    edits.extend(told.revert.hold_edits(&loaded.revision.reading.pins, reason, by.as_deref()));
    edits.extend(undone.into_iter().flat_map(UndoneRollback::hold_edits));
    edited = edited.filter(|_| edits.len() == restored);
    if let Some(undone) = undone {
        edited = edited.or_else(|| apply_edits(&loaded.revision.revision_files(&config.pin_folder), &edits).ok());
        let commit = undone.commit.id;
        if let Some(edited) = &edited
            && loaded.source.undoes_exactly(&edited.files, commit)?
        {
            told.message = told.message.of_inverse(commit);
        }
    }
    let beneath = told.besides.clone().unwrap_or_default();
    let essence = told.revert.fingerprint(&beneath);
    let mut besides = undone.map(undo::in_words).unwrap_or_default();
    besides.extend(edits::muted(config, loaded, &edits));
    let RollbackMessage { subject, body, trailers } = told.message.clone();
    let message = source::CommitMessage { subject, body: body.join("\n\n"), trailers };
    let stem = told.kind.stem(&told.revert);
    let shown = Some(to_json(&told)?);
    let show = Box::new(move |output: &mut Output| {
        text::print(&told, output);
        for line in besides {
            output.line(line);
        }
    });
    let review = Some(Review { essence, what: "plan", alone: true, show });
    Ok(Proposal { beneath, edits, edited, review, told: shown, ..Proposal::of_edits(message, stem) })
}

impl From<Hold> for HoldPolicy {
    fn from(hold: Hold) -> Self {
        match hold {
            Hold::Above => Self::Above,
            Hold::Version => Self::Version,
            Hold::None => Self::None,
        }
    }
}

//! What commands that change pins share: the edit is shown, asked about, committed on the tip and pushed.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

mod destination;
mod outcome;

use std::collections::BTreeSet;

use clap::Args;
use destination::{DestinationArgs, announce, decide_anew};
use jiff::Timestamp;
pub(super) use outcome::CommitOutcome;
use pintle_core::check::{check_pins, unseen_pairs};
use pintle_core::edit::{Edit, Edited, edit_on, in_words, overlay};
use pintle_core::git::{CommitId, FileChange};
use pintle_core::graph::Graph;
use pintle_core::pins::{ParsedRevision, ServiceName, UnseenPolicy};
use pintle_core::problem::{Problem, Severity, one_line_message};

use super::describe::advised;
use super::diff::{FileDiff, diff_edited};
use super::exit::{CommandError, CommandExit};
use super::load::{LoadedRevision, load_fresh};
use super::output::{Output, OutputArgs};
use super::progress::ProgressNote;
use crate::cli::config::CliConfig;
use crate::source::{CommitMessage, Credentials, Destination, Landing, SentChanges, branch_name, change_id, race};

/// Whether to ask, and how far a commit goes.
#[derive(Debug, Args)]
pub(super) struct Land {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    route: DestinationArgs,
    #[command(flatten)]
    printing: OutputArgs,
}

/// What is to be committed.
pub(super) struct Proposal {
    /// Files of the tip that change otherwise than by edits, before these.
    pub beneath: Vec<FileChange>,
    /// The edits.
    pub edits: Vec<(ServiceName, Edit)>,
    /// What they make of the tip, where somebody had to know that already.
    pub edited: Option<Edited>,
    /// What the commit says.
    pub message: CommitMessage,
    /// What it does, as the name of a branch begins: `pin-web-1.2`.
    pub stem: String,
    /// What is said where all is so already.
    pub already: String,
    /// What is looked at in place of the diff.
    pub review: Option<Review>,
    /// What programs are told of it beside the commit.
    pub told: Option<serde_json::Value>,
}

/// What is looked at before it is agreed to.
pub(super) struct Review {
    /// What is agreed to. Where somebody was faster and it is another one then, it is asked again.
    pub essence: String,
    /// What it is called.
    pub what: &'static str,
    /// Whether --yes agrees to this one alone, and not to what becomes of it where somebody was faster.
    pub alone: bool,
    /// Shows it.
    pub show: Box<dyn FnOnce(&mut Output)>,
}

impl Land {
    /// Lands what `propose` makes of the tip. Where somebody is faster, it is asked again, with the new tip.
    pub(super) fn run(
        &self,
        config: &CliConfig,
        output: &mut Output,
        propose: impl FnMut(&LoadedRevision, &mut Output) -> Result<Proposal, CommandError>,
    ) -> Result<CommandExit, CommandError> {
        let done = self.land(config, output, propose)?;
        self.tell(&done, output)
    }

    /// [`Land::run`], save that the result is not printed yet.
    pub(super) fn land(
        &self,
        config: &CliConfig,
        output: &mut Output,
        mut propose: impl FnMut(&LoadedRevision, &mut Output) -> Result<Proposal, CommandError>,
    ) -> Result<CommitOutcome, CommandError> {
        let mut config = config.clone();
        config.access.credentials = Credentials::Helper;
        let (mut agreed, mut sent) = (None, SentChanges::default());
        race(|| self.once(&config, output, (&mut agreed, &mut sent), &mut propose))
    }

    /// Decides, shows, asks and lands; none where a remote has moved on meanwhile.
    fn once(
        &self,
        config: &CliConfig,
        output: &mut Output,
        (agreed, sent): (&mut Option<String>, &mut SentChanges),
        propose: &mut impl FnMut(&LoadedRevision, &mut Output) -> Result<Proposal, CommandError>,
    ) -> Result<Option<CommitOutcome>, CommandError> {
        let loaded = load_fresh(config, "nothing is committed on")?;
        let tip = tip(&loaded)?;
        let landing = loaded.source.landing(config.branch.as_deref())?;
        if let Some(commit) = sent.arrived(&loaded.source, tip)? {
            return Ok(Some(CommitOutcome::arrived(commit, &landing)));
        }
        let mut proposal = propose(&loaded, output)?;
        let Edited { files, reading } = match proposal.edited.take().filter(|_| proposal.beneath.is_empty()) {
            Some(edited) => edited,
            None => edited_by(config, &loaded, &proposal)?,
        };
        let Proposal { message, stem, already, review, told, .. } = proposal;
        let id = message.change_id().map_or_else(|| change_id(tip, &files), str::to_owned);
        let (message, way) = (message.with_change_id(&id), self.route.destination(&landing, &branch_name(&stem, &id))?);
        if files.is_empty() {
            match review {
                Some(review) => output.aside(review.show),
                None => output.note(&already),
            }
            return Ok(Some(CommitOutcome::nothing(&landing).with((told, Vec::new()), output)));
        }
        if let Err(error) = way.check(&landing, &files) {
            return decide_anew(&way, error, (&landing, tip), output);
        }
        let diff = |file: &FileChange| {
            diff_edited(&file.path, loaded.revision.content_of(&file.path), file.content.as_deref())
        };
        let diffs: Vec<FileDiff> = files.iter().map(diff).collect();
        let review = review.unwrap_or_else(|| Review::of(&diffs));
        if agreed.as_ref() != Some(&review.essence) {
            output.aside(review.show);
            foresee(&loaded, &landing, (&reading, &way), output)?;
            self.agree(review.what, review.alone && agreed.is_some(), output)?;
            *agreed = Some(review.essence);
        }
        sent.record(id, tip);
        let pushing = ProgressNote::of("pushing");
        let outcome = way.commit((&landing, tip), &files, &message);
        drop(pushing);
        match outcome {
            Ok(outcome) => Ok(Some(CommitOutcome::of(outcome, &landing).with((told, diffs), output))),
            Err(error) => decide_anew(&way, error, (&landing, tip), output),
        }
    }

    /// How results are printed.
    pub(super) fn printing(&self) -> OutputArgs {
        self.printing
    }

    /// Whether nobody is asked.
    pub(super) fn yes(&self) -> bool {
        self.yes
    }

    /// Asks, unless that was answered by a flag: but that was no answer to what has become another question.
    fn agree(&self, what: &str, again: bool, output: &mut Output) -> Result<(), CommandError> {
        if self.yes && again {
            let failure = CommandError::error(
                "the branch has moved on meanwhile, and this is not what it was: nothing was committed",
            );
            return Err(failure.hint("look at it, then type it again"));
        }
        if self.yes || self.route.patch || output.confirm(what)? {
            Ok(())
        } else {
            Err(CommandError::error("nothing was changed"))
        }
    }

    /// Prints the result.
    pub(super) fn tell(&self, done: &CommitOutcome, output: &mut Output) -> Result<CommandExit, CommandError> {
        done.print(self.printing.output, output)?;
        Ok(CommandExit::Ok)
    }
}

impl Proposal {
    /// One edit, which is looked at as a diff.
    pub(super) fn of_one(
        (service, edit): (ServiceName, Edit),
        message: CommitMessage,
        stem: String,
        already: String,
    ) -> Self {
        Self { edits: vec![(service, edit)], already, ..Self::of_edits(message, stem) }
    }

    /// Edits that are still to be added.
    pub(super) fn of_edits(message: CommitMessage, stem: String) -> Self {
        let (beneath, edits) = (Vec::new(), Vec::new());
        Self { beneath, edits, edited: None, message, stem, already: String::new(), review: None, told: None }
    }
}

impl Review {
    /// The diff.
    fn of(diffs: &[FileDiff]) -> Self {
        let lines: Vec<String> = diffs.iter().flat_map(FileDiff::lines).collect();
        let essence = lines.join("\n");
        Self {
            essence,
            what: "diff",
            alone: false,
            show: Box::new(move |output| lines.iter().for_each(|line| output.line(line))),
        }
    }
}

fn tip(loaded: &LoadedRevision) -> Result<CommitId, CommandError> {
    let tip = loaded.revision.commit.as_ref().map(|commit| commit.id);
    tip.ok_or_else(|| CommandError::error("there is no commit to go on from"))
}

fn edited_by(config: &CliConfig, loaded: &LoadedRevision, proposal: &Proposal) -> Result<Edited, CommandError> {
    let (tip, beneath) = (loaded.revision.revision_files(&config.pin_folder), &proposal.beneath);
    edit_on(&tip, beneath, &proposal.edits).map_err(|refusal| {
        let failure = CommandError::error(in_words(&refusal, &overlay(tip.files, beneath)));
        CommandError { hint: advised(*refusal).hint, ..failure }
    })
}

/// What would be wrong then, and where it goes.
fn foresee(
    loaded: &LoadedRevision,
    landing: &Landing<'_>,
    (after, way): (&ParsedRevision, &Destination<'_>),
    output: &mut Output,
) -> Result<(), CommandError> {
    let before: BTreeSet<String> = problems(loaded, &loaded.revision.reading).map(|problem| problem.message).collect();
    for problem in problems(loaded, after).filter(|problem| !before.contains(&problem.message)) {
        output.warn(one_line_message(&problem, loaded.revision.content_of(&problem.place.path).unwrap_or_default()));
    }
    // Who cannot commit is told before anything is asked.
    loaded.source.identity()?;
    announce(way, landing, output);
    Ok(())
}

/// The errors of a revision, in the light of its history.
fn problems(loaded: &LoadedRevision, reading: &ParsedRevision) -> impl Iterator<Item = Problem> {
    let (pins, history) = (&reading.pins, &loaded.history);
    let graph = Graph::from_pins(pins, history);
    let mut found = check_pins(pins, &graph, history, Timestamp::now());
    if pins.settings.unseen == UnseenPolicy::Refuse {
        found.extend(unseen_pairs(pins, &graph, history).into_iter().map(|pair| pair.problem));
    }
    found.into_iter().filter(|problem| problem.severity == Severity::Error)
}

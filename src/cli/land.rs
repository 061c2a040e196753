//! What commands that change pins share: the edit is shown, asked about, committed on the tip and pushed.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time, and waits")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::diff::{FileDiff, edited};
use super::exit::{Exit, Failure};
use super::load::{Loaded, load_fresh};
use super::output::{Output, Printing, counted};
use super::progress::Progress;
use crate::check::check;
use crate::config::Config;
use crate::edit::{self, Edit, Edited, Said};
use crate::graph::Graph;
use crate::pins::{Reading, ServiceName};
use crate::problem::{Problem, Severity, located};
use crate::source::{CommitId, Credentials, FileChange, LandError, Landed, Landing, Message, change_id};

/// Whether to ask, and how far a commit goes.
#[derive(Debug, Args)]
pub struct Land {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Push, and fail where there is nowhere to push to [default: push where the branch has an upstream]
    #[arg(long)]
    push: bool,
    /// Commit in this clone, and push nothing
    #[arg(long, conflicts_with = "push")]
    commit_only: bool,
    #[command(flatten)]
    printing: Printing,
}

/// What is to be committed.
pub struct Proposal {
    /// The edits.
    pub edits: Vec<(ServiceName, Edit)>,
    /// What the commit says.
    pub message: Message,
    /// What is said where all is so already.
    pub already: String,
    /// What is looked at in place of the diff.
    pub review: Option<Review>,
}

/// What is looked at before it is agreed to.
pub struct Review {
    /// What is agreed to. Where somebody was faster and it is another one then, it is asked again.
    pub essence: String,
    /// What it is called.
    pub what: &'static str,
    /// Whether --yes agrees to this one alone, and not to what becomes of it where somebody was faster.
    pub alone: bool,
    /// Shows it.
    pub show: Box<dyn FnOnce(&mut Output)>,
}

/// What has become of a proposal.
pub struct Done {
    report: Report,
    /// The last words; none where all was so already.
    words: Option<String>,
}

/// `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// None where all was so already.
    commit: Option<CommitId>,
    branch: String,
    pushed_to: Option<String>,
    /// Why the clone could not follow what was pushed.
    behind: Option<String>,
    files: Vec<FileDiff>,
}

/// What was said and tried before somebody was faster.
#[derive(Default)]
struct Before {
    /// What was agreed to.
    agreed: Option<String>,
    /// What the changes are known by that were sent, and the tip that each was first made on.
    sent: BTreeMap<String, CommitId>,
}

/// How often somebody else may be faster.
const RACES: u32 = 5;

impl Land {
    /// Lands what `propose` makes of the tip. Where somebody is faster, it is asked again, with the new tip.
    pub fn run(
        &self,
        config: &Config,
        output: &mut Output,
        propose: impl FnMut(&Loaded, &mut Output) -> Result<Proposal, Failure>,
    ) -> Result<Exit, Failure> {
        let done = self.land(config, output, propose)?;
        self.tell(&done, output)
    }

    /// [`Land::run`], save that the result is not printed yet.
    pub fn land(
        &self,
        config: &Config,
        output: &mut Output,
        mut propose: impl FnMut(&Loaded, &mut Output) -> Result<Proposal, Failure>,
    ) -> Result<Done, Failure> {
        let mut config = config.clone();
        config.access.credentials = Credentials::Helper;
        let mut before = Before::default();
        for race in 1..=RACES {
            match self.once(&config, output, &mut before, &mut propose)? {
                Some(done) => return Ok(done),
                None => std::thread::sleep(jitter(race)),
            }
        }
        Err(Failure::error(format!("somebody else was faster {RACES} times")).hint("type it again"))
    }

    /// Decides, shows, asks and lands; none where a remote has moved on meanwhile.
    fn once(
        &self,
        config: &Config,
        output: &mut Output,
        before: &mut Before,
        propose: &mut impl FnMut(&Loaded, &mut Output) -> Result<Proposal, Failure>,
    ) -> Result<Option<Done>, Failure> {
        let loaded = load_fresh(config, "nothing is committed on")?;
        let tip = tip(&loaded)?;
        let landing = loaded.source.landing(config.branch.as_deref())?;
        if let Some(commit) = before.arrived(&loaded, tip)? {
            return Ok(Some(Done::of(Some(arrived(commit, &landing)), &landing, Vec::new(), output)));
        }
        let proposal = propose(&loaded, output)?;
        let Edited { files, reading } = edited_by(config, &loaded, &proposal)?;
        let push = self.pushes(&landing)?;
        if files.is_empty() {
            match proposal.review {
                Some(review) => output.aside(review.show),
                None => output.note(&proposal.already),
            }
            return Ok(Some(Done::of(None, &landing, Vec::new(), output)));
        }
        landing.check(&files, push)?;
        let diff = |file: &FileChange| edited(&file.path, loaded.at.bytes(&file.path), file.content.as_deref());
        let diffs: Vec<FileDiff> = files.iter().map(diff).collect();
        let review = proposal.review.unwrap_or_else(|| Review::of(&diffs));
        if before.agreed.as_ref() != Some(&review.essence) {
            output.aside(review.show);
            foresee(&loaded, &landing, &reading, push, output)?;
            self.agree(review.what, review.alone && before.agreed.is_some(), output)?;
            before.agreed = Some(review.essence);
        }
        let id = proposal.message.id().map_or_else(|| change_id(tip, &files), str::to_owned);
        let message = proposal.message.of_change(&id).to_text();
        before.sent.entry(id).or_insert(tip);
        let pushing = Progress::of("pushing");
        let landed = landing.land(tip, &files, &message, push);
        drop(pushing);
        match landed {
            Ok(landed) => Ok(Some(Done::of(Some(landed), &landing, diffs, output))),
            // A clone is its user's: only the mirror of a remote goes on by itself.
            Err(LandError::Raced { remote, .. }) if !landing.is_clone() => {
                output.note(format_args!("{remote} has moved on meanwhile: deciding anew"));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// How results are printed.
    pub fn printing(&self) -> Printing {
        self.printing
    }

    /// Whether nobody is asked.
    pub fn yes(&self) -> bool {
        self.yes
    }

    /// Asks, unless that was answered by a flag: but that was no answer to what has become another question.
    fn agree(&self, what: &str, again: bool, output: &mut Output) -> Result<(), Failure> {
        if self.yes && again {
            let failure =
                Failure::error("the branch has moved on meanwhile, and this is not what it was: nothing was changed");
            return Err(failure.hint("look at it, then type it again"));
        }
        if self.yes || output.agreed(what)? { Ok(()) } else { Err(Failure::error("nothing was changed")) }
    }

    /// Whether the commit is pushed.
    fn pushes(&self, landing: &Landing<'_>) -> Result<bool, Failure> {
        match landing.upstream() {
            Some(_) if self.commit_only && !landing.is_clone() => {
                let failure = Failure::usage("--commit-only needs a clone of your own to commit in");
                Err(failure.hint("leave it out, or clone the repository and name it: --repo PATH"))
            }
            None if self.push => Err(LandError::NoUpstream { branch: landing.branch().to_owned() }.into()),
            upstream => Ok(upstream.is_some() && !self.commit_only),
        }
    }

    /// Prints the result.
    pub fn tell(&self, done: &Done, output: &mut Output) -> Result<Exit, Failure> {
        let Done { report, words } = done;
        output.result(self.printing.output, report, |output| words.iter().for_each(|words| output.line(words)))?;
        Ok(Exit::Ok)
    }
}

impl Done {
    fn of(landed: Option<Landed>, landing: &Landing<'_>, files: Vec<FileDiff>, output: &mut Output) -> Self {
        let words = landed.as_ref().map(|landed| closing(landed, landing));
        let (commit, pushed_to, behind) =
            landed.map_or((None, None, None), |it| (Some(it.commit), it.pushed_to, it.behind));
        if let Some(why) = &behind {
            output.warn(format_args!("the commit is pushed, and this clone could not follow: {why}; git pull"));
        }
        let report = Report { commit, branch: landing.branch().to_owned(), pushed_to, behind, files };
        Self { report, words }
    }

    /// The last words of what has landed; none where all was so already.
    pub fn words(&self) -> Option<&str> {
        self.words.as_deref()
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

impl Before {
    /// The commit of a change that was sent, and whose answer was lost; or of the very same change by somebody else.
    fn arrived(&self, loaded: &Loaded, tip: CommitId) -> Result<Option<CommitId>, Failure> {
        for (id, from) in &self.sent {
            if let Some(commit) = loaded.source.find_change(id, *from, tip)? {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }
}

/// A commit that is there already.
fn arrived(commit: CommitId, landing: &Landing<'_>) -> Landed {
    let pushed_to = landing.upstream().map(str::to_owned);
    Landed { commit, branch: landing.branch().to_owned(), pushed_to, behind: None }
}

fn tip(loaded: &Loaded) -> Result<CommitId, Failure> {
    let tip = loaded.at.commit.as_ref().map(|commit| commit.id);
    tip.ok_or_else(|| Failure::error("there is no commit to go on from"))
}

fn edited_by(config: &Config, loaded: &Loaded, proposal: &Proposal) -> Result<Edited, Failure> {
    let said = Said { root: &config.root, files: &loaded.at.files, reading: &loaded.at.reading };
    edit::edit(&said, &proposal.edits).map_err(|refusal| {
        let failure = Failure::error(edit::in_words(&refusal, &loaded.at.files));
        Failure { hint: refusal.hint, ..failure }
    })
}

/// What would be wrong then, and where it goes.
fn foresee(
    loaded: &Loaded,
    landing: &Landing<'_>,
    after: &Reading,
    push: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let before: BTreeSet<String> = problems(loaded, &loaded.at.reading).map(|problem| problem.message).collect();
    for problem in problems(loaded, after).filter(|problem| !before.contains(&problem.message)) {
        output.warn(located(&problem, loaded.at.bytes(&problem.place.path).unwrap_or_default()));
    }
    // Who cannot commit is told before anything is asked.
    loaded.source.identity()?;
    let (branch, unpushed) = (landing.branch(), landing.unpushed());
    match landing.upstream().filter(|_| push) {
        Some(upstream) => output.note(format_args!("commit on {branch}, and push to {upstream}")),
        None => output.note(format_args!("commit on {branch}, and push nothing")),
    }
    if push && unpushed > 0 {
        output.warn(format_args!("{} of {branch} not pushed yet will be pushed too", counted(unpushed, "commit")));
    }
    Ok(())
}

/// The errors of a revision, in the light of its history.
fn problems(loaded: &Loaded, reading: &Reading) -> impl Iterator<Item = Problem> {
    let (pins, history) = (&reading.pins, &loaded.history);
    let found = check(pins, &Graph::of(pins, history), history, Timestamp::now());
    found.into_iter().filter(|problem| problem.severity == Severity::Error)
}

fn closing(landed: &Landed, landing: &Landing<'_>) -> String {
    let (commit, branch) = (landed.commit.short(), &landed.branch);
    match (&landed.pushed_to, landing.upstream()) {
        (Some(remote), _) if landing.is_clone() => format!("Committed {commit} on {branch}, pushed to {remote}."),
        (Some(remote), _) => format!("Pushed {commit} to {remote}."),
        (None, Some(upstream)) => format!("Committed {commit} on {branch}, not pushed to {upstream}: git push"),
        (None, None) => format!("Committed {commit} on {branch}, which has no upstream to push to."),
    }
}

/// Two who have met are not to meet again: 50 ms to a second, by the clock.
fn jitter(race: u32) -> Duration {
    let odd = u64::from(Timestamp::now().subsec_nanosecond().unsigned_abs()) / 1000;
    Duration::from_millis(50 + odd % (u64::from(race) * 200))
}

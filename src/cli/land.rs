//! What commands that change pins share: the edit is shown, asked about, committed on the tip and pushed.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time, and waits")]

mod done;
mod way;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args;
pub(super) use done::Done;
use jiff::Timestamp;
use pintle_core::check::{check, joined};
use pintle_core::edit::{self, Edit, Edited, Said, overlay};
use pintle_core::git::{CommitId, FileChange};
use pintle_core::graph::Graph;
use pintle_core::pins::{Reading, ServiceName, Unseen, read};
use pintle_core::problem::{Problem, Severity, located};
use way::{Route, Way};

use super::diff::{FileDiff, edited};
use super::exit::{Exit, Failure};
use super::load::{Loaded, load_fresh};
use super::output::{Output, Printing};
use crate::cli::config::Config;
use crate::source::{Credentials, Landing, Message, change_id};

/// Whether to ask, and how far a commit goes.
#[derive(Debug, Args)]
pub(super) struct Land {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    route: Route,
    #[command(flatten)]
    printing: Printing,
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
    pub message: Message,
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

/// What was said and tried before somebody was faster.
#[derive(Default)]
struct Before {
    /// What was agreed to.
    agreed: Option<String>,
    /// What the changes are known by that were sent, and the tip that each was first made on.
    sent: BTreeMap<String, CommitId>,
}

/// Names of branches are typed and shown in lists.
const STEM: usize = 60;

/// How often somebody else may be faster.
const RACES: u32 = 5;

impl Land {
    /// Lands what `propose` makes of the tip. Where somebody is faster, it is asked again, with the new tip.
    pub(super) fn run(
        &self,
        config: &Config,
        output: &mut Output,
        propose: impl FnMut(&Loaded, &mut Output) -> Result<Proposal, Failure>,
    ) -> Result<Exit, Failure> {
        let done = self.land(config, output, propose)?;
        self.tell(&done, output)
    }

    /// [`Land::run`], save that the result is not printed yet.
    pub(super) fn land(
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
            return Ok(Some(Done::arrived(commit, &landing)));
        }
        let mut proposal = propose(&loaded, output)?;
        let Edited { files, reading } = match proposal.edited.take().filter(|_| proposal.beneath.is_empty()) {
            Some(edited) => edited,
            None => edited_by(config, &loaded, &proposal)?,
        };
        let Proposal { message, stem, already, review, told, .. } = proposal;
        let id = message.id().map_or_else(|| change_id(tip, &files), str::to_owned);
        let (message, way) = (message.of_change(&id), self.route.way(&landing, &branch_name(&stem, &id))?);
        if files.is_empty() {
            match review {
                Some(review) => output.aside(review.show),
                None => output.note(&already),
            }
            return Ok(Some(Done::nothing(&landing).with((told, Vec::new()), output)));
        }
        if let Err(error) = way.check(&landing, &files) {
            return way.overtaken(error, (&landing, tip), output);
        }
        let diff = |file: &FileChange| edited(&file.path, loaded.at.bytes(&file.path), file.content.as_deref());
        let diffs: Vec<FileDiff> = files.iter().map(diff).collect();
        let review = review.unwrap_or_else(|| Review::of(&diffs));
        if before.agreed.as_ref() != Some(&review.essence) {
            output.aside(review.show);
            foresee(&loaded, &landing, (&reading, &way), output)?;
            self.agree(review.what, review.alone && before.agreed.is_some(), output)?;
            before.agreed = Some(review.essence);
        }
        before.sent.entry(id).or_insert(tip);
        match way.take((&landing, tip), &files, &message) {
            Ok(done) => Ok(Some(done.with((told, diffs), output))),
            Err(error) => way.overtaken(error, (&landing, tip), output),
        }
    }

    /// How results are printed.
    pub(super) fn printing(&self) -> Printing {
        self.printing
    }

    /// Whether nobody is asked.
    pub(super) fn yes(&self) -> bool {
        self.yes
    }

    /// Asks, unless that was answered by a flag: but that was no answer to what has become another question.
    fn agree(&self, what: &str, again: bool, output: &mut Output) -> Result<(), Failure> {
        if self.yes && again {
            let failure =
                Failure::error("the branch has moved on meanwhile, and this is not what it was: nothing was committed");
            return Err(failure.hint("look at it, then type it again"));
        }
        if self.yes || self.route.patch || output.agreed(what)? {
            Ok(())
        } else {
            Err(Failure::error("nothing was changed"))
        }
    }

    /// Prints the result.
    pub(super) fn tell(&self, done: &Done, output: &mut Output) -> Result<Exit, Failure> {
        done.print(self.printing.output, output)?;
        Ok(Exit::Ok)
    }
}

impl Proposal {
    /// One edit, which is looked at as a diff.
    pub(super) fn of_one(
        (service, edit): (ServiceName, Edit),
        message: Message,
        stem: String,
        already: String,
    ) -> Self {
        let (beneath, edits) = (Vec::new(), vec![(service, edit)]);
        Self { beneath, edits, edited: None, message, stem, already, review: None, told: None }
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

fn tip(loaded: &Loaded) -> Result<CommitId, Failure> {
    let tip = loaded.at.commit.as_ref().map(|commit| commit.id);
    tip.ok_or_else(|| Failure::error("there is no commit to go on from"))
}

fn edited_by(config: &Config, loaded: &Loaded, proposal: &Proposal) -> Result<Edited, Failure> {
    let (root, beneath, tip) = (config.root.as_str(), &proposal.beneath, &loaded.at);
    let under = (!beneath.is_empty()).then(|| overlay(&tip.files, beneath));
    let under = under.map(|files| (read(root, &files), files));
    let said = match &under {
        Some((reading, files)) => Said { root, files, reading, known: None },
        None => tip.said(root),
    };
    let edited = edit::edit(&said, &proposal.edits).map_err(|refusal| {
        let failure = Failure::error(edit::in_words(&refusal, said.files));
        Failure { hint: refusal.hint, ..failure }
    })?;
    let Edited { files, reading } = edited;
    let is_edited = |path: &str| files.iter().any(|file| &*file.path == path);
    let beneath: Vec<FileChange> = beneath.iter().filter(|file| !is_edited(&file.path)).cloned().collect();
    let mut files: Vec<FileChange> = files.into_iter().chain(beneath).collect();
    files.retain(|file| tip.bytes(&file.path) != file.content.as_deref());
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Edited { files, reading })
}

/// What would be wrong then, and where it goes.
fn foresee(
    loaded: &Loaded,
    landing: &Landing<'_>,
    (after, way): (&Reading, &Way<'_>),
    output: &mut Output,
) -> Result<(), Failure> {
    let before: BTreeSet<String> = problems(loaded, &loaded.at.reading).map(|problem| problem.message).collect();
    for problem in problems(loaded, after).filter(|problem| !before.contains(&problem.message)) {
        output.warn(located(&problem, loaded.at.bytes(&problem.place.path).unwrap_or_default()));
    }
    // Who cannot commit is told before anything is asked.
    loaded.source.identity()?;
    way.foresee(landing, output);
    Ok(())
}

/// The errors of a revision, in the light of its history.
fn problems(loaded: &Loaded, reading: &Reading) -> impl Iterator<Item = Problem> {
    let (pins, history) = (&reading.pins, &loaded.history);
    let graph = Graph::of(pins, history);
    let mut found = check(pins, &graph, history, Timestamp::now());
    if pins.settings.unseen == Unseen::Refuse {
        found.extend(joined(pins, &graph, history).into_iter().map(|pair| pair.problem));
    }
    found.into_iter().filter(|problem| problem.severity == Severity::Error)
}

/// The name of a branch for a change: what it does, and what it is known by.
fn branch_name(stem: &str, id: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let stem: String = stem.chars().map(fine).take(STEM).collect();
    let stem = stem.split('.').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    format!("pintle/{}-{}", stem.trim_matches(['.', '-']), &id[..id.len().min(8)])
}

/// Two who have met are not to meet again: 50 ms to a second, by the clock.
fn jitter(race: u32) -> Duration {
    let odd = u64::from(Timestamp::now().subsec_nanosecond().unsigned_abs()) / 1000;
    Duration::from_millis(50 + odd % (u64::from(race) * 200))
}

//! What several commands begin with: a revision or the working tree, read, with the history of its pins.

use std::sync::Arc;

use pintle_core::edit::RevisionFiles;
use pintle_core::git::{Commit, CommitId, Content, File};
use pintle_core::history::History;
use pintle_core::pins::{Contents, Known, Pins, Reading, Settings};
use pintle_core::problem::{Severity, display_safe, show};

use super::exit::Failure;
use super::output::{Output, counted};
use super::progress::Progress;
use crate::cli::config::Config;
use crate::source::{Index, Scope, Source, SourceError};

/// So many files with changes are named at most.
const FILES: usize = 5;

/// A revision or the working tree, and what went before.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The repository, fetched.
    pub source: Source,
    /// What it says.
    pub at: Revision,
    /// The pins along first parents up to the revision; of a working tree, up to the tip. Renamed services go on with the
    /// history of their earlier names.
    pub history: Arc<History>,
    /// Set where the remote cannot be reached just now: this is what was fetched before.
    pub stale: Option<SourceError>,
}

/// What one revision, or the working tree, says.
#[derive(Debug)]
pub(super) struct Revision {
    /// The commit; none for the working tree.
    pub commit: Option<Arc<Commit>>,
    /// Which files hold pins, and what each says on its own.
    pub known: Known,
    /// The pins, and what is wrong with them.
    pub reading: Reading,
    /// The files that were read, by path; the settings too.
    pub files: Vec<File>,
}

/// A repository that is open, and as new as can be.
#[derive(Debug)]
pub(super) struct Opened {
    /// The repository.
    pub source: Source,
    /// The tip of the branch; none where nothing has been committed.
    pub tip: Option<Arc<Commit>>,
    /// Set where the remote cannot be reached just now.
    pub stale: Option<SourceError>,
}

/// Reads a revision, by default the tip of the branch, and the history up to it.
pub(super) fn load(config: &Config, rev: Option<&str>) -> Result<Loaded, Failure> {
    let opened = open(config)?;
    let commit = match rev {
        Some(rev) => Arc::new(opened.source.resolve(rev)?),
        None => opened.tip()?,
    };
    let at = Revision::read(&opened.source, &config.root, Some(commit))?;
    opened.with_history(config, at)
}

/// The newest revision of the branch, if anything of it can be used; `otherwise` says what is not done.
pub(super) fn load_fresh(config: &Config, otherwise: &str) -> Result<Loaded, Failure> {
    let loaded = load(config, None)?;
    if let Some(error) = &loaded.stale {
        return Err(Failure::error(format!("{error}; {otherwise} what was fetched before")));
    }
    loaded.at.usable()?;
    Ok(loaded)
}

/// Reads the working tree and the history up to the tip; where there is no working tree, the tip.
pub(super) fn load_worktree(config: &Config) -> Result<Loaded, Failure> {
    let opened = open(config)?;
    let commit = if opened.source.worktree().is_some() { None } else { Some(opened.tip()?) };
    let at = Revision::read(&opened.source, &config.root, commit)?;
    opened.with_history(config, at)
}

/// Opens the repository, and fetches where it is a remote.
pub(super) fn open(config: &Config) -> Result<Opened, Failure> {
    let mut source = Source::open(&config.location, &config.access)?;
    let fetching = Progress::of(format!("fetching {}", config.location));
    let fetched = source.fetch(config.branch.as_deref());
    drop(fetching);
    let (tip, stale) = match fetched {
        Ok(tip) => (Some(tip), None),
        Err(SourceError::Empty { .. }) => (None, None),
        Err(error) if error.retryable() => {
            let Ok(tip) = source.tip(config.branch.as_deref()) else { return Err(error.into()) };
            (Some(tip), Some(error))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Opened { source, tip: tip.map(Arc::new), stale })
}

impl Loaded {
    /// What there is not may lie before where a shallow clone begins.
    pub(super) fn as_far_as_known(&self, failure: Failure) -> Failure {
        if self.source.is_shallow() { failure.cut_off() } else { failure }
    }

    /// Refuses a commit with which a shallow clone begins: what it moved is not known.
    pub(super) fn knows_before(&self, commit: &Commit) -> Result<(), Failure> {
        if self.source.begins_late(commit.id)? != Some(commit.id) {
            return Ok(());
        }
        let described = format!("{} ({})", commit.id.short(), display_safe(&commit.subject, 80));
        Err(Failure::error(format!("what {described} moved is not known")).cut_off())
    }

    /// Says where this is not the newest there is, or nothing that can be used.
    pub(super) fn warn(&self, output: &mut Output) {
        say_stale(self.stale.as_ref(), output);
        self.at.warn(output);
    }

    /// Says what a commit would add to the tip: only commits count.
    pub(super) fn say_uncommitted(&self, output: &mut Output) -> Result<(), Failure> {
        if self.source.worktree().is_none() {
            return Ok(());
        }
        let files = self.source.dirty(Scope::Pins(&self.at.known.layout))?;
        if files.is_empty() {
            return Ok(());
        }
        let more = files.len().saturating_sub(FILES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named = files.iter().take(FILES).map(|file| show(file)).collect::<Vec<_>>().join(", ");
        output.warn(format_args!(
            "only commits count, and these files have changes that are not committed: {named}{more}"
        ));
        Ok(())
    }
}

/// Says that this is not the newest there is.
pub(super) fn say_stale(stale: Option<&SourceError>, output: &mut Output) {
    if let Some(error) = stale {
        output.warn(format_args!("{error}; this is what was fetched then"));
    }
}

impl Opened {
    /// The tip of the branch.
    pub(super) fn tip(&self) -> Result<Arc<Commit>, Failure> {
        let empty = || SourceError::Empty { location: self.source.location().to_string() };
        self.tip.clone().ok_or_else(|| empty().into())
    }

    /// Adds the history up to a revision.
    pub(super) fn with_history(self, config: &Config, at: Revision) -> Result<Loaded, Failure> {
        let commit = at.commit.as_ref().or(self.tip.as_ref()).map(|commit| commit.id);
        let pins = &at.reading.pins;
        // Without settings nobody knows where the pins are.
        let commit =
            commit.filter(|_| !(pins.services.is_empty() && pins.broken.is_empty()) || at.reading.unusable.is_none());
        let history = commit.map(|commit| self.history(config, commit, &at)).transpose()?.unwrap_or_default();
        Ok(Loaded { source: self.source, at, history, stale: self.stale })
    }

    /// The history up to a commit, by the layout of a revision.
    fn history(&self, config: &Config, commit: CommitId, at: &Revision) -> Result<Arc<History>, Failure> {
        let _reading = Progress::of("reading the history of the pins");
        let branch = config.branch.clone().map_or_else(|| self.source.default_branch(), Ok)?;
        let mut index = Index::load(&self.source, &branch, &at.known.layout);
        let read = index.extend(&self.source, commit, &at.known.layout)?;
        // Only the branch itself is kept: other revisions would push it out.
        if read > 0
            && self.tip.as_ref().is_some_and(|tip| tip.id == commit)
            && let Err(error) = index.save()
        {
            tracing::info!("the index is not kept: {error}");
        }
        Ok(index.history().with_renames(&at.reading.pins))
    }
}

impl Revision {
    /// Reads a commit, or the working tree.
    pub(super) fn read(source: &Source, root: &str, commit: Option<Arc<Commit>>) -> Result<Self, Failure> {
        Self::read_with(source, root, commit, None)
    }

    /// The same; without a `pintle.yaml` these settings hold, as they do for history, which is read as the tip is. Without
    /// any the defaults hold, unless there is a `pintle.yml`.
    pub(super) fn read_with(
        source: &Source,
        root: &str,
        commit: Option<Arc<Commit>>,
        without: Option<&Settings>,
    ) -> Result<Self, Failure> {
        let id = commit.as_ref().map(|commit| commit.id);
        let Contents { known, reading, files } = source.contents(root, id, without)?;
        Ok(Self { commit, known, reading, files })
    }

    /// Says where nothing of it can be used.
    pub(super) fn warn(&self, output: &mut Output) {
        if let Some(why) = &self.reading.unusable {
            let commit = self.commit.as_ref().map(|commit| format!(" (at {})", commit.id.short())).unwrap_or_default();
            output.warn(format_args!("{why}{commit}"));
        }
    }

    /// The pins, with what was typed in place of what is written.
    pub(super) fn pins(&self, config: &Config) -> Pins {
        let mut pins = self.reading.pins.clone();
        pins.settings.namespace = config.namespace.clone().or(pins.settings.namespace);
        pins
    }

    /// Refuses a revision of which nothing can be used: it holds everything (design, I10).
    pub(super) fn usable(&self) -> Result<(), Failure> {
        let commit = self.commit.as_ref().map(|commit| commit.id);
        self.reading.unusable.as_ref().map_or(Ok(()), |why| Err(unusable(why, commit)))
    }

    /// Refuses a revision with errors, which hold the services that they concern.
    pub(super) fn sound(&self) -> Result<(), Failure> {
        self.usable()?;
        match self.errors() {
            0 => Ok(()),
            errors => {
                let commit = self.commit.as_ref().map(|commit| commit.id);
                Err(broken(format!("the pins have {}", counted(errors, "error")), commit))
            }
        }
    }

    /// How many errors its files have.
    pub(super) fn errors(&self) -> usize {
        self.reading.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// Whether it has a `pintle.yaml`.
    pub(super) fn has_settings(&self) -> bool {
        self.files.iter().any(|file| file.path == self.reading.pins.settings.place.path)
    }

    /// What it says, to be edited; `root` is the folder of the pins.
    pub(super) fn said<'f>(&'f self, root: &'f str) -> RevisionFiles<'f> {
        RevisionFiles { root, files: &self.files, reading: &self.reading, known: Some(&self.known) }
    }

    /// The content of a file that was read.
    pub(super) fn bytes(&self, path: &str) -> Option<&[u8]> {
        let at = self.files.binary_search_by(|file| file.path.as_ref().cmp(path)).ok()?;
        if let Content::Bytes(bytes) = &self.files[at].content { Some(bytes) } else { None }
    }
}

/// Refuses a revision of which nothing can be used.
pub(super) fn unusable(why: &str, commit: Option<CommitId>) -> Failure {
    broken(format!("{why}; nothing is done"), commit)
}

/// Refuses a revision because of what its files say.
fn broken(message: String, commit: Option<CommitId>) -> Failure {
    let rev = commit.map(|commit| format!(" --rev {}", commit.short())).unwrap_or_default();
    Failure::error(message).hint(format!("pintle check{rev} shows all that is wrong"))
}

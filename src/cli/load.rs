//! What several commands begin with: a revision or the working tree, read, with the history of its pins.

use std::sync::Arc;

use pintle_core::edit::RevisionFiles;
use pintle_core::git::{Commit, CommitId, FileContent, RepoFile};
use pintle_core::history::History;
use pintle_core::pins::{FragmentCache, ParsedRevision, Pins, RevisionContents, Settings};
use pintle_core::problem::{Severity, display_safe, show};

use super::exit::CommandError;
use super::output::{Output, counted};
use super::progress::ProgressNote;
use crate::cli::config::CliConfig;
use crate::source::{FileScope, HistoryIndex, Source, SourceError};

/// So many files with changes are named at most.
const MAX_LISTED_FILES: usize = 5;

/// A revision or the working tree, and what went before.
#[derive(Debug)]
pub(super) struct LoadedRevision {
    /// The repository, fetched.
    pub source: Source,
    /// What it says.
    pub revision: Revision,
    /// The pins along first parents up to the revision; of a working tree, up to the tip. Renamed services go on with the
    /// history of their earlier names.
    pub history: Arc<History>,
    /// Set where the remote cannot be reached just now: this is what was fetched before.
    pub fetch_error: Option<SourceError>,
}

/// What one revision, or the working tree, says.
#[derive(Debug)]
pub(super) struct Revision {
    /// The commit; none for the working tree.
    pub commit: Option<Arc<Commit>>,
    /// Which files hold pins, and what each says on its own.
    pub known: FragmentCache,
    /// The pins, and what is wrong with them.
    pub reading: ParsedRevision,
    /// The files that were read, by path; the settings too.
    pub files: Vec<RepoFile>,
}

/// A repository that is open, and as new as can be.
#[derive(Debug)]
pub(super) struct OpenedRepository {
    /// The repository.
    pub source: Source,
    /// The tip of the branch; none where nothing has been committed.
    pub tip: Option<Arc<Commit>>,
    /// Set where the remote cannot be reached just now.
    pub fetch_error: Option<SourceError>,
}

/// Reads a revision, by default the tip of the branch, and the history up to it.
pub(super) fn load(config: &CliConfig, rev: Option<&str>) -> Result<LoadedRevision, CommandError> {
    let opened = open_repository(config)?;
    let commit = match rev {
        Some(rev) => Arc::new(opened.source.resolve(rev)?),
        None => opened.tip()?,
    };
    let at = Revision::read(&opened.source, &config.pin_folder, Some(commit))?;
    opened.with_history(config, at)
}

/// The newest revision of the branch, if anything of it can be used; `otherwise` says what is not done.
pub(super) fn load_fresh(config: &CliConfig, otherwise: &str) -> Result<LoadedRevision, CommandError> {
    let loaded = load(config, None)?;
    if let Some(error) = &loaded.fetch_error {
        return Err(CommandError::error(format!("{error}; {otherwise} what was fetched before")));
    }
    loaded.revision.refuse_if_unusable()?;
    Ok(loaded)
}

/// Reads the working tree and the history up to the tip; where there is no working tree, the tip.
pub(super) fn load_worktree(config: &CliConfig) -> Result<LoadedRevision, CommandError> {
    let opened = open_repository(config)?;
    let commit = if opened.source.worktree().is_some() { None } else { Some(opened.tip()?) };
    let at = Revision::read(&opened.source, &config.pin_folder, commit)?;
    opened.with_history(config, at)
}

/// Opens the repository, and fetches where it is a remote.
pub(super) fn open_repository(config: &CliConfig) -> Result<OpenedRepository, CommandError> {
    let mut source = Source::open(&config.location, &config.access)?;
    let fetching = ProgressNote::of(format!("fetching {}", config.location));
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
    Ok(OpenedRepository { source, tip: tip.map(Arc::new), fetch_error: stale })
}

impl LoadedRevision {
    /// What there is not may lie before where a shallow clone begins.
    pub(super) fn suspect_shallow_clone(&self, failure: CommandError) -> CommandError {
        if self.source.is_shallow() { failure.suspect_shallow_clone() } else { failure }
    }

    /// Refuses a commit with which a shallow clone begins: what it moved is not known.
    pub(super) fn refuse_shallow_boundary(&self, commit: &Commit) -> Result<(), CommandError> {
        if self.source.begins_late(commit.id)? != Some(commit.id) {
            return Ok(());
        }
        let described = format!("{} ({})", commit.id.short(), display_safe(&commit.subject, 80));
        Err(CommandError::error(format!("what {described} moved is not known")).suspect_shallow_clone())
    }

    /// Says where this is not the newest there is, or nothing that can be used.
    pub(super) fn warn_if_outdated(&self, output: &mut Output) {
        warn_if_stale(self.fetch_error.as_ref(), output);
        self.revision.warn_if_unusable(output);
    }

    /// Says what a commit would add to the tip: only commits count.
    pub(super) fn warn_of_uncommitted(&self, output: &mut Output) -> Result<(), CommandError> {
        if self.source.worktree().is_none() {
            return Ok(());
        }
        let files = self.source.dirty_paths(FileScope::Pins(&self.revision.known.layout))?;
        if files.is_empty() {
            return Ok(());
        }
        let more = files.len().saturating_sub(MAX_LISTED_FILES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named = files.iter().take(MAX_LISTED_FILES).map(|file| show(file)).collect::<Vec<_>>().join(", ");
        output.warn(format_args!(
            "only commits count, and these files have changes that are not committed: {named}{more}"
        ));
        Ok(())
    }
}

/// Says that this is not the newest there is.
pub(super) fn warn_if_stale(stale: Option<&SourceError>, output: &mut Output) {
    if let Some(error) = stale {
        output.warn(format_args!("{error}; this is what was fetched then"));
    }
}

impl OpenedRepository {
    /// The tip of the branch.
    pub(super) fn tip(&self) -> Result<Arc<Commit>, CommandError> {
        let empty = || SourceError::Empty { location: self.source.location().to_string() };
        self.tip.clone().ok_or_else(|| empty().into())
    }

    /// Adds the history up to a revision.
    pub(super) fn with_history(self, config: &CliConfig, at: Revision) -> Result<LoadedRevision, CommandError> {
        let commit = at.commit.as_ref().or(self.tip.as_ref()).map(|commit| commit.id);
        let pins = &at.reading.pins;
        // Without settings nobody knows where the pins are.
        let commit =
            commit.filter(|_| !(pins.services.is_empty() && pins.broken.is_empty()) || at.reading.unusable.is_none());
        let history = commit.map(|commit| self.history(config, commit, &at)).transpose()?.unwrap_or_default();
        Ok(LoadedRevision { source: self.source, revision: at, history, fetch_error: self.fetch_error })
    }

    /// The history up to a commit, by the layout of a revision.
    fn history(&self, config: &CliConfig, commit: CommitId, at: &Revision) -> Result<Arc<History>, CommandError> {
        let _reading = ProgressNote::of("reading the history of the pins");
        let branch = config.branch.clone().map_or_else(|| self.source.default_branch(), Ok)?;
        let mut index = HistoryIndex::load(&self.source, &branch, &at.known.layout);
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
    pub(super) fn read(source: &Source, root: &str, commit: Option<Arc<Commit>>) -> Result<Self, CommandError> {
        Self::read_with(source, root, commit, None)
    }

    /// The same; without a `pintle.yaml` these settings hold, as they do for history, which is read as the tip is. Without
    /// any the defaults hold, unless there is a `pintle.yml`.
    pub(super) fn read_with(
        source: &Source,
        root: &str,
        commit: Option<Arc<Commit>>,
        without: Option<&Settings>,
    ) -> Result<Self, CommandError> {
        let id = commit.as_ref().map(|commit| commit.id);
        let RevisionContents { fragments: known, reading, files } = source.contents(root, id, without)?;
        Ok(Self { commit, known, reading, files })
    }

    /// Says where nothing of it can be used.
    pub(super) fn warn_if_unusable(&self, output: &mut Output) {
        if let Some(why) = &self.reading.unusable {
            let commit = self.commit.as_ref().map(|commit| format!(" (at {})", commit.id.short())).unwrap_or_default();
            output.warn(format_args!("{why}{commit}"));
        }
    }

    /// The pins, with what was typed in place of what is written.
    pub(super) fn pins(&self, config: &CliConfig) -> Pins {
        let mut pins = self.reading.pins.clone();
        pins.settings.namespace = config.namespace.clone().or(pins.settings.namespace);
        pins
    }

    /// Refuses a revision of which nothing can be used: it holds everything (design, I10).
    pub(super) fn refuse_if_unusable(&self) -> Result<(), CommandError> {
        let commit = self.commit.as_ref().map(|commit| commit.id);
        self.reading.unusable.as_ref().map_or(Ok(()), |why| Err(unusable(why, commit)))
    }

    /// Refuses a revision with errors, which hold the services that they concern.
    pub(super) fn refuse_if_broken(&self) -> Result<(), CommandError> {
        self.refuse_if_unusable()?;
        match self.error_count() {
            0 => Ok(()),
            errors => {
                let commit = self.commit.as_ref().map(|commit| commit.id);
                Err(broken(format!("the pins have {}", counted(errors, "error")), commit))
            }
        }
    }

    /// How many errors its files have.
    pub(super) fn error_count(&self) -> usize {
        self.reading.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// Whether it has a `pintle.yaml`.
    pub(super) fn has_settings(&self) -> bool {
        self.files.iter().any(|file| file.path == self.reading.pins.settings.place.path)
    }

    /// What it says, to be edited; `root` is the folder of the pins.
    pub(super) fn revision_files<'f>(&'f self, root: &'f str) -> RevisionFiles<'f> {
        RevisionFiles { root, files: &self.files, reading: &self.reading, known: Some(&self.known) }
    }

    /// The content of a file that was read.
    pub(super) fn content_of(&self, path: &str) -> Option<&[u8]> {
        let at = self.files.binary_search_by(|file| file.path.as_ref().cmp(path)).ok()?;
        if let FileContent::Bytes(bytes) = &self.files[at].content { Some(bytes) } else { None }
    }
}

/// Refuses a revision of which nothing can be used.
pub(super) fn unusable(why: &str, commit: Option<CommitId>) -> CommandError {
    broken(format!("{why}; nothing is done"), commit)
}

/// Refuses a revision because of what its files say.
fn broken(message: String, commit: Option<CommitId>) -> CommandError {
    let rev = commit.map(|commit| format!(" --rev {}", commit.short())).unwrap_or_default();
    CommandError::error(message).hint(format!("pintle check{rev} shows all that is wrong"))
}

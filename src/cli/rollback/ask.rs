//! What was typed, as a request: which services, and how far back.

use std::ops::RangeInclusive;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use pintle_core::git::Commit;
use pintle_core::pins::{ServiceName, did_you_mean};
use pintle_core::problem::display_safe;
use pintle_core::rollback::{Request, RollbackTarget};
use pintle_core::version::Version;

use crate::cli::exit::CommandError;
use crate::cli::load::LoadedRevision;
use crate::cli::words::{TIME_FORMATS, known_service, parse_time, utc_minute};
use crate::source::SourceError;

/// What shall go back, and how far, as typed.
#[derive(Debug, Args)]
pub(super) struct What {
    /// The services that shall go back
    #[arg(value_name = "SERVICE")]
    pub(super) services: Vec<String>,
    /// The whole system: without --to, to the newest revision that is proven as a whole
    #[arg(long)]
    pub(super) all: bool,
    /// What these commits moved: one, or those after the first up to the second
    #[arg(long, value_name = "COMMIT[..COMMIT]", conflicts_with_all = ["to", "steps"])]
    pub(super) revert: Option<String>,
    /// Take the other lines back too that these commits have changed in the files of the pins
    #[arg(long, requires = "revert")]
    pub(super) include_config: bool,
    /// How far back: a version, a revision, or a time (2h, 2h ago, or 2026-11-20T10:00 in UTC)
    #[arg(long, value_name = "VERSION|REVISION|TIME", conflicts_with = "steps")]
    to: Option<String>,
    /// How many pins back; with --all, how many commits that moved pins
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// To what runs: a move by hand becomes the pin
    #[arg(long, requires = "services", conflicts_with_all = ["all", "revert", "to", "steps"])]
    adopt: bool,
}

/// Longer words are cut in messages.
const MAX_TYPED_CHARS: usize = 80;

pub(super) fn request(typed: &What, loaded: &LoadedRevision, now: Timestamp) -> Result<Request, CommandError> {
    if let Some(commits) = &typed.revert {
        return moved(commits, loaded).map(Request::Moved);
    }
    let pins = &loaded.revision.reading.pins;
    let names = || pins.services.keys().chain(pins.broken.keys());
    let mut services =
        typed.services.iter().map(|typed| known_service(typed, names())).collect::<Result<Vec<_>, _>>()?;
    services.sort();
    services.dedup();
    let aim = match (&typed.to, typed.steps) {
        (Some(to), _) => aim(to, &services, loaded, now)?,
        (None, Some(steps)) => RollbackTarget::Steps(usize::try_from(steps).unwrap_or(usize::MAX)),
        (None, None) if typed.adopt => RollbackTarget::Running,
        (None, None) => RollbackTarget::Good,
    };
    Ok(if typed.all { Request::All(aim) } else { Request::Services(services, aim) })
}

/// `--to`: a version that one of the services had, else a time, else a revision.
fn aim(
    to: &str,
    services: &[ServiceName],
    loaded: &LoadedRevision,
    now: Timestamp,
) -> Result<RollbackTarget, CommandError> {
    let history = &loaded.history;
    let had = |version: &Version| services.iter().any(|service| history.newest_record(service, version).is_some());
    if let Some(version) = Version::new(to).ok().filter(had) {
        return Ok(RollbackTarget::Version(version));
    }
    if let Some(time) = parse_time(to, now) {
        let place = history.moves().iter().rposition(|commit| commit.time <= time);
        let place = place.and_then(|place| u32::try_from(place).ok());
        let none = || CommandError::error(format!("nothing was pinned at {} UTC", utc_minute(time)));
        return place.map(RollbackTarget::At).ok_or_else(|| {
            loaded.suspect_shallow_clone(none().hint("pintle history shows the commits that moved pins"))
        });
    }
    match loaded.source.resolve(to) {
        Ok(commit) => place(loaded, &commit).map(RollbackTarget::At),
        Err(error) => {
            let unknown = unknown(to, services, loaded).map(|failure| loaded.suspect_shallow_clone(failure));
            Err(unknown.unwrap_or_else(|| no_revision(error)))
        }
    }
}

/// What was meant is none of the three; of one service the nearest of its versions is offered.
fn unknown(to: &str, services: &[ServiceName], loaded: &LoadedRevision) -> Option<CommandError> {
    let [service] = services else { return None };
    let records = loaded.history.records(service).iter().filter_map(|record| record.pin.as_ref());
    let near = did_you_mean(to, records.map(|pin| pin.version.as_str()));
    let word = display_safe(to, MAX_TYPED_CHARS);
    let failure = CommandError::error(format!(
        "--to {word:?}: {service} was never pinned at it, and it is no time and no revision"
    ));
    let hint = || format!("pintle history {service} shows its pins; a time is written {TIME_FORMATS}");
    Some(failure.hint(near.unwrap_or_else(hint)))
}

/// What no revision resembles may have been meant as a time.
fn no_revision(error: SourceError) -> CommandError {
    let is_unlike = matches!(&error, SourceError::Revision { similar, .. } if similar.is_empty());
    let failure = CommandError::from(error);
    let hint =
        failure.hint.clone().filter(|_| is_unlike).map(|hint| format!("{hint}; a time is written {TIME_FORMATS}"));
    CommandError { hint: hint.or(failure.hint), ..failure }
}

/// The place in history at which what a revision pins was pinned.
fn place(loaded: &LoadedRevision, commit: &Commit) -> Result<u32, CommandError> {
    let history = &loaded.history;
    if let Some(place) = history.position_of(commit.id) {
        return Ok(place);
    }
    let described = format!("{} ({})", commit.id.short(), display_safe(&commit.subject, MAX_TYPED_CHARS));
    let source = &loaded.source;
    let before = source.nearest_ancestor(commit.id, |id| history.position_of(id).is_some())?;
    let Some((before, place)) = before.and_then(|id| Some((id, history.position_of(id)?))) else {
        return Err(loaded.suspect_shallow_clone(CommandError::error(format!("nothing was pinned at {described}"))));
    };
    // It lies on the branch itself where the way back from the next commit that moved something leads over it.
    let after = history.moves().get(place as usize + 1).or(history.tip()).map(|commit| commit.id);
    let met = after.map(|after| source.nearest_ancestor(after, |id| id == commit.id || id == before)).transpose()?;
    if met.flatten() == Some(commit.id) {
        return Ok(place);
    }
    let failure = CommandError::error(format!("{described} is not a commit of the branch itself, by first parents"));
    Err(failure.hint("name the merge commit that brought it to the branch"))
}

/// The revisions before and after what `--revert` names; none where there is nothing before it.
pub(super) fn ends(typed: &str, loaded: &LoadedRevision) -> Result<Option<[Arc<Commit>; 2]>, CommandError> {
    let resolve = |revision: &str| loaded.source.resolve(revision).map(Arc::new);
    let (before, after) = match typed.split_once("..") {
        Some((from, to)) => {
            (resolve(from), if to.is_empty() { loaded.revision.commit.clone() } else { Some(resolve(to)?) })
        }
        None => (resolve(&format!("{typed}~1")), Some(resolve(typed)?)),
    };
    Ok(before.ok().zip(after).map(|(before, after)| [before, after]))
}

/// The places of the commits that `--revert` names.
fn moved(typed: &str, loaded: &LoadedRevision) -> Result<RangeInclusive<u32>, CommandError> {
    let resolve = |revision: &str| loaded.source.resolve(revision);
    let none = |what: String| CommandError::error(what).hint("pintle history shows the commits that moved pins");
    let Some((from, to)) = typed.split_once("..") else {
        let commit = resolve(typed)?;
        let place = place(loaded, &commit)?;
        loaded.refuse_shallow_boundary(&commit)?;
        let moved = loaded.history.position_of(commit.id).is_some();
        let described = format!("{} ({})", commit.id.short(), display_safe(&commit.subject, MAX_TYPED_CHARS));
        return moved.then_some(place..=place).ok_or_else(|| none(format!("{described} moved no pin")));
    };
    if from.is_empty() || to.starts_with('.') || to.contains("..") {
        let failure = CommandError::usage(format!("{typed:?} does not name a commit or two"));
        return Err(failure.hint("write --revert COMMIT, or --revert OLD..NEW for what came after OLD up to NEW"));
    }
    let end = match to {
        "" => u32::try_from(loaded.history.moves().len()).ok().and_then(|count| count.checked_sub(1)),
        to => Some(place(loaded, &resolve(to)?)?),
    };
    let first = place(loaded, &resolve(from)?)? + 1;
    end.filter(|end| first <= *end)
        .map(|end| first..=end)
        .ok_or_else(|| none(format!("no commit of {typed} moved a pin")))
}

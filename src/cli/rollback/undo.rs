//! A rollback that is undone: what is read for it, and what is said of it.

use std::sync::Arc;

use pintle_core::git::Commit;
use pintle_core::pins::{Hold, ServiceName};
use pintle_core::problem::display_safe;
use pintle_core::rollback::{Revert, Skipped, UndoneRollback, moved_by};

use super::RollbackPreview;
use super::edits::earlier;
use super::json::to_json;
use crate::cli::config::CliConfig;
use crate::cli::exit::CommandError;
use crate::cli::land::Proposal;
use crate::cli::load::LoadedRevision;
use crate::cli::output::{NAME_STYLE, styled};
use crate::cli::plan::text::described;
use crate::cli::words::held_text;
use crate::source::CommitMessage;

/// Reads what the commit moved and which holds it put on services.
pub(in crate::cli) fn undone(
    config: &CliConfig,
    loaded: &LoadedRevision,
    commit: Arc<Commit>,
) -> Result<UndoneRollback, CommandError> {
    let place = loaded.history.position_of(commit.id).ok_or_else(|| {
        let described = format!("{} ({})", commit.id.short(), display_safe(&commit.subject, 80));
        CommandError::error(format!("{described} moved no pin"))
            .hint("pintle history shows the commits that moved pins")
    })?;
    let before = loaded.source.resolve(&format!("{}~1", commit.id))?.id;
    let services = moved_by(place, &loaded.revision.reading.pins, &loaded.history);
    let read = |when| earlier(config, loaded, when, &services);
    let (before, after) = (read(before)?, read(commit.id)?);
    Ok(UndoneRollback::new(commit, place, &services, [&before, &after]))
}

/// The end of its holds alone, where nothing that it moved is left to go forward.
pub(in crate::cli) fn lift(
    undone: &UndoneRollback,
    loaded: &LoadedRevision,
    told: &RollbackPreview,
    reason: &str,
) -> Result<Proposal, CommandError> {
    let names = undone.lifted.iter().map(|(service, _)| service.to_string()).collect::<Vec<_>>();
    let services = &loaded.revision.reading.pins.services;
    let ends = |(service, before): &(ServiceName, Option<Hold>)| {
        let hold = services.get(service)?.hold.as_ref()?;
        let reason = hold.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let then = before.as_ref().map(|before| format!(", and is held {} again", held_text(&before.versions)));
        Some(format!("{service} was held {}{reason}{}", held_text(&hold.versions), then.unwrap_or_default()))
    };
    let ends = undone.lifted.iter().filter_map(ends).collect::<Vec<_>>().join("\n");
    let (why, stays) = why_none(undone, &told.revert);
    let more = if names.len() > 1 { format!("-and-{}-more", names.len() - 1) } else { String::new() };
    let stem = format!("lift-hold-of-{}{more}", names.first().map_or("", |first| first));
    let names = names.join(", ");
    let message = CommitMessage {
        subject: format!("Lift holds: {names}"),
        body: format!("{reason}\n\nWhat {why}.\n{stays}{ends}"),
        trailers: vec![("Pintle-Services", names)],
    };
    let told = Some(to_json(told)?);
    Ok(Proposal { edits: undone.hold_edits(), told, ..Proposal::of_edits(message, stem) })
}

/// Why nothing of it goes forward, in words that follow `what` or `What`; and what of it stays, in lines.
pub(in crate::cli) fn why_none(undone: &UndoneRollback, revert: &Revert) -> (String, String) {
    let since = if revert.skipped.is_empty() { "" } else { ", or was moved since" };
    let stays = |left: &Skipped| format!("{} {}\n", left.service, left.why);
    let stays = revert.skipped.iter().map(stays).collect::<Vec<_>>().concat();
    (format!("{} moved is pinned again{since}", described(&undone.commit)), stays)
}

/// Says what becomes of holds.
pub(super) fn in_words(undone: &UndoneRollback) -> Vec<String> {
    let words = |(service, before): &(ServiceName, Option<Hold>)| match before {
        None => format!("  and {} is no longer held", styled(NAME_STYLE, service)),
        Some(before) => {
            format!("  and {} is held {} again, as before", styled(NAME_STYLE, service), held_text(&before.versions))
        }
    };
    undone.lifted.iter().map(words).collect()
}

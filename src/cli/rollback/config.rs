//! The lines beside the pins that reverted commits have changed, taken back on the tip (`--include-config`).

use std::ops::RangeInclusive;
use std::sync::Arc;

use pintle_core::edit::{self, EarlierRevision, Edit, Edited, edit_on, overlay};
use pintle_core::git::{Commit, FileChange};
use pintle_core::pins::ServiceName;
use pintle_core::problem::display_safe;
use pintle_core::rollback::{ConfigRefusal, ConfigRevert, revert_config};

use crate::cli::config::CliConfig;
use crate::cli::diff::{self, FileDiff};
use crate::cli::exit::CommandError;
use crate::cli::load::{LoadedRevision, Revision};
use crate::source::three_way_merge;

/// The other lines that go back with these pins; and those of which `--include-config` would take back more, where it can.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) taken: Vec<FileDiff>,
    pub(super) left: Vec<FileDiff>,
}

/// Whatever these edits change beside pins, on the tip with other lines in it; and what these would that are not in it.
pub(super) fn lines(
    config: &CliConfig,
    loaded: &LoadedRevision,
    edits: &[(ServiceName, Edit)],
    [beneath, more]: [&[FileChange]; 2],
) -> Result<Lines, CommandError> {
    let tip = loaded.revision.revision_files(&config.pin_folder);
    let after = |beneath: &[FileChange]| {
        let words = |refusal| edit::in_words(&refusal, &overlay(tip.files, beneath));
        let Edited { files, reading } =
            edit_on(&tip, beneath, edits).map_err(|refusal| CommandError::error(words(*refusal)))?;
        Ok::<_, CommandError>((overlay(tip.files, &files), reading.pins))
    };
    let (files, pins) = after(beneath)?;
    let now = (&*files, &pins);
    let taken = diff::other_lines([(tip.files, &tip.reading.pins), now], &loaded.history);
    let left = if more.is_empty() {
        Vec::new()
    } else {
        let (files, pins) = after(more)?;
        diff::other_lines([now, (&files, &pins)], &loaded.history)
    };
    Ok(Lines { taken, left })
}

/// Takes back what the commits between these two have changed, but for pins.
pub(super) fn besides(
    config: &CliConfig,
    loaded: &LoadedRevision,
    ends: &[Arc<Commit>; 2],
) -> Result<ConfigRevert, CommandError> {
    let root = config.pin_folder.as_str();
    let earlier = |Revision { files, reading, .. }| Arc::new(EarlierRevision { root: root.to_owned(), files, reading });
    let [before, after] = diff::read_both(&loaded.source, root, ends, &loaded.revision)?.map(earlier);
    let mut reverted = revert_config(&loaded.revision.revision_files(root), [&before, &after], &three_way_merge)
        .map_err(|why| refused(&why))?;
    let settings = &mut reverted.pins.settings;
    settings.namespace = config.namespace.clone().or(settings.namespace.take());
    Ok(reverted)
}

fn refused(refusal: &ConfigRefusal) -> CommandError {
    let why = match refusal {
        ConfigRefusal::Edit(problem) => problem.clone(),
        ConfigRefusal::Unusable(why) => format!("with these lines as they were, {why}"),
        ConfigRefusal::Broken(name, why) => {
            format!("with these lines as they were, {name} would have an error: {why}")
        }
        ConfigRefusal::Conflict(path, lines) => {
            let lines = lines.iter().map(numbers).collect::<Vec<_>>().join(", ");
            format!("{}:{lines}: changed by the reverted commits, and otherwise since", display_safe(path, 200))
        }
    };
    CommandError::error(format!("--include-config: {why}"))
        .hint("leave out --include-config, and take these lines back by hand")
}

/// `7`, or `7-9`.
fn numbers(lines: &RangeInclusive<usize>) -> String {
    match (lines.start(), lines.end()) {
        (start, end) if start == end => start.to_string(),
        (start, end) => format!("{start}-{end}"),
    }
}

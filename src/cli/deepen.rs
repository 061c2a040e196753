//! Commands that look far back: where a shallow clone begins too late for them, it receives the rest of its history.

use super::exit::CommandError;
use super::load::{OpenedRepository, open_repository};
use super::output::Output;
use super::progress::ProgressNote;
use crate::cli::config::CliConfig;
use crate::source::Credentials;

/// Runs it; and once more where what it looks for may lie before the beginning of a shallow clone, which begins earlier by
/// then. Where it cannot, the failure stays.
pub(super) fn retry_unshallowed<T>(
    config: &CliConfig,
    output: &mut Output,
    mut run: impl FnMut(&mut Output) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    match run(output) {
        Err(failure) if failure.may_need_unshallow => match unshallow(config, output) {
            Ok(true) => run(output),
            Ok(false) => Err(failure),
            Err(why) => {
                output.warn(why.message);
                Err(failure)
            }
        },
        done => done,
    }
}

/// Whether there was something to receive it from.
fn unshallow(config: &CliConfig, output: &mut Output) -> Result<bool, CommandError> {
    let mut config = config.clone();
    config.access.credentials = Credentials::Helper;
    let OpenedRepository { source, tip, .. } = open_repository(&config)?;
    let begins = tip.map(|tip| source.begins_late(tip.id)).transpose()?.flatten();
    let (Some(begins), Some(origin)) = (begins, source.origin(config.branch.as_deref())?) else { return Ok(false) };
    let (before, from) = (begins.short(), &origin.name);
    output.note(format_args!("fetching the history before {before} from {from}: this clone is shallow"));
    let _fetching = ProgressNote::of(format!("fetching from {from}"));
    source.deepen(&origin)?;
    Ok(true)
}

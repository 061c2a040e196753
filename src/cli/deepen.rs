//! Commands that look far back: where a shallow clone begins too late for them, it receives the rest of its history.

use super::exit::Failure;
use super::load::{Opened, open};
use super::output::Output;
use super::progress::Progress;
use crate::cli::config::Config;
use crate::source::Credentials;

/// Runs it; and once more where what it looks for may lie before the beginning of a shallow clone, which begins earlier by
/// then. Where it cannot, the failure stays.
pub(super) fn deepening<T>(
    config: &Config,
    output: &mut Output,
    mut run: impl FnMut(&mut Output) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match run(output) {
        Err(failure) if failure.deeper => match deepen(config, output) {
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
fn deepen(config: &Config, output: &mut Output) -> Result<bool, Failure> {
    let mut config = config.clone();
    config.access.credentials = Credentials::Helper;
    let Opened { source, tip, .. } = open(&config)?;
    let begins = tip.map(|tip| source.begins_late(tip.id)).transpose()?.flatten();
    let (Some(begins), Some(origin)) = (begins, source.origin(config.branch.as_deref())?) else { return Ok(false) };
    let (before, from) = (begins.short(), &origin.name);
    output.note(format_args!("fetching the history before {before} from {from}: this clone is shallow"));
    let _fetching = Progress::of(format!("fetching from {from}"));
    source.deepen(&origin)?;
    Ok(true)
}

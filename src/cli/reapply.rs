//! `pintle reapply`: a rollback undone, and its holds lifted.

use std::sync::Arc;

use clap::Args;
use pintle_core::git::Commit;
use pintle_core::pins::ServiceName;
use pintle_core::rollback::{HoldPolicy, newest_rollback};

use super::deepen::retry_unshallowed;
use super::exit::{CommandError, CommandExit, help};
use super::land::Land;
use super::load::LoadedRevision;
use super::output::Output;
use super::rollback::{Kind, Reason, RollbackPreview, RollbackQuery, lift, propose, undone, why_none};
use super::wait::AfterCommitArgs;
use crate::cli::config::CliConfig;

/// Undo a rollback: its services go forward again, and its holds end
///
/// The same commit, review and push as of `pintle rollback`: each service that the rollback moved is pinned as it was
/// before, with what does not fit beside that, and what the rollback put on hold is held as it was before. Where all of
/// that is pinned again already, its holds alone end. What somebody has pinned otherwise since stays so.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle reapply\npintle reapply payments --reason 'refunds are mended'\npintle reapply 3f2a91c0 --yes --reason INC-47",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Unhealthy, CommandExit::Refused, CommandExit::Usage],
))]
pub(super) struct ReapplyCommand {
    /// The rollback, or the newest one that moved this service [default: the newest one of the branch]
    #[arg(value_name = "COMMIT|SERVICE")]
    which: Option<String>,
    /// Why; it stands in the commit. Asked for on a terminal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    land: Land,
    #[command(flatten)]
    after: AfterCommitArgs,
}

impl ReapplyCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let (mut why, mut refused) = (Reason::typed(self.reason.as_deref(), &self.land)?, false);
        let done = retry_unshallowed(config, output, |output| {
            self.land.land(config, output, |loaded, output| {
                let undone = undone(config, loaded, self.commit(loaded)?)?;
                let (request, pins) = (undone.request(), undone.without_holds(loaded.revision.pins(config)));
                let question = RollbackQuery {
                    kind: Kind::Reapply,
                    request,
                    holding: HoldPolicy::None,
                    pins,
                    ends: None,
                    besides: None,
                    seen: false,
                };
                let told = RollbackPreview::of(config, loaded, question, output, |output| why.get(output).map(Some))?;
                refused = told.is_refused();
                if undone.ends_holds_alone(&told.revert) {
                    let proposal = lift(&undone, loaded, &told, &why.get(output)?)?;
                    let (why, stays) = why_none(&undone, &told.revert);
                    output.note(format_args!("{stays}what {why}: its holds alone end"));
                    return Ok(proposal);
                }
                let undone = Some(&undone).filter(|_| !told.revert.is_empty());
                propose(config, loaded, told, why.said(), undone)
            })
        })?;
        if refused {
            return Ok(CommandExit::Refused);
        }
        self.after.follow_up(config, &self.land, &done, output)
    }

    /// The rollback that was named, else the newest one.
    fn commit(&self, loaded: &LoadedRevision) -> Result<Arc<Commit>, CommandError> {
        let typed = self.which.as_deref();
        let service = typed.and_then(|typed| ServiceName::new(typed).ok());
        let service = service.filter(|service| loaded.revision.reading.pins.services.contains_key(service));
        match typed.filter(|_| service.is_none()) {
            Some(revision) => Ok(Arc::new(loaded.source.resolve(revision)?)),
            None => newest(loaded, service.as_ref()),
        }
    }
}

/// The newest rollback, of a service where one is named.
fn newest(loaded: &LoadedRevision, service: Option<&ServiceName>) -> Result<Arc<Commit>, CommandError> {
    let found = newest_rollback(&loaded.history, service, |commit| loaded.source.is_rollback(commit)).cloned();
    found.ok_or_else(|| {
        let of = service.map(|service| format!(" of {service}")).unwrap_or_default();
        let failure = CommandError::error(format!("there is no rollback{of} on this branch"));
        loaded
            .suspect_shallow_clone(failure.hint("a commit by git revert is undone by its name: pintle reapply COMMIT"))
    })
}

//! What a rollback comes to, worked out once: for whoever looks at it, for programs, and for the commit.

use std::sync::Arc;

use pintle_core::edit::{Edit, Edited, apply_edits};
use pintle_core::evidence::VersionPair;
use pintle_core::git::{Commit, CommitId, FileChange};
use pintle_core::pins::{self, ServiceName};
use pintle_core::problem::display_safe;
use pintle_core::rollback::{
    Request, Revert, RevertedCommit, RollbackMessage, RollbackTarget, Skipped, exactly_reverted_commit,
};

use super::{Kind, RollbackQuery, config, decided, edits};
use crate::cli::config::CliConfig;
use crate::cli::describe::PlanReport;
use crate::cli::diff::FileDiff;
use crate::cli::evidence::ask_cluster;
use crate::cli::exit::CommandError;
use crate::cli::load::LoadedRevision;
use crate::cli::output::Output;
use crate::controller::{self, Desired, targets};

/// A rollback, and all that is told of it.
pub(in crate::cli) struct RollbackPreview {
    pub(super) kind: Kind,
    pub(in crate::cli) revert: Revert,
    pub(super) tip: Arc<Commit>,
    pub(super) desired: Desired,
    /// The cluster that was asked; none where there is none.
    pub(super) cluster: Option<String>,
    /// The plan from what runs, or from the pins at the tip, to the pins as they will be.
    pub(super) plan: PlanReport,
    /// Pairs that come together and were never seen so.
    pub(super) unseen: Vec<VersionPair>,
    /// The nearest set of which all pairs were seen, where it is another one.
    pub(super) seen: Option<Revert>,
    pub(in crate::cli) message: RollbackMessage,
    /// Other lines that go back with the pins.
    pub(super) files: Vec<FileDiff>,
    /// Other lines that `--include-config` would take back too.
    pub(super) not_taken: Vec<FileDiff>,
    /// The edits of the members, and what they make of the tip, where somebody had to know that already.
    pub(super) restores: Option<(Vec<(ServiceName, Edit)>, Edited)>,
    /// The files of the tip in which they go back too; else they stay as they are.
    pub(super) besides: Option<Vec<FileChange>>,
}

impl RollbackPreview {
    pub(in crate::cli) fn of(
        config: &CliConfig,
        loaded: &LoadedRevision,
        question: RollbackQuery,
        output: &mut Output,
        reason: impl FnOnce(&mut Output) -> Result<Option<String>, CommandError>,
    ) -> Result<Self, CommandError> {
        let RollbackQuery { kind, request, holding, pins, ends, besides, seen: only_seen } = question;
        let tip = loaded.revision.commit.clone().ok_or_else(|| CommandError::error("a revision is needed"))?;
        let seen = ask_cluster(config, &tip, (&pins, loaded), "targets from Git alone", output);
        if matches!(request, Request::Services(_, RollbackTarget::Running)) && seen.observed.is_none() {
            let failure = CommandError::error("--adopt needs to see what runs, and there is no cluster that shows it");
            return Err(failure.hint("name the version: --to VERSION"));
        }
        let policy = seen.desired.pins.settings.unseen;
        let only_seen = only_seen || policy == pins::UnseenPolicy::Refuse;
        let revert = seen.revert(&request, holding, only_seen).map_err(|refusal| decided::refused(&refusal, loaded))?;
        if matches!(request, Request::Services(_, RollbackTarget::Good)) {
            seen.proven_here(&revert, loaded)?;
        }
        if !revert.complete {
            output.warn("the search was stopped at its limit: a smaller set than this may exist");
        }
        let reason = if revert.is_empty() { None } else { reason(output)? };
        let (desired, look) = seen.after(&revert);
        let wanted = targets(&desired, &look);
        let plan = controller::simulate_plan(&desired, &look, &wanted);
        let plan = PlanReport::of(&desired, &look, &plan, Vec::new());
        let inverse = exactly_reverted_commit(&revert, &loaded.history);
        let besides = besides.filter(|_| !revert.is_empty());
        let ends = ends.filter(|_| !revert.is_empty());
        let is_told = ends.is_some();
        let edits =
            if is_told || inverse.is_some() { edits::restores(config, loaded, &revert.members)? } else { Vec::new() };
        let others = ends.filter(|_| besides.is_none());
        let others = others.map(|ends| config::besides(config, loaded, &ends)).and_then(|others| match others {
            Ok(others) => Some(others.files),
            Err(failure) => {
                output.note(format_args!("other lines are not taken back with these pins; {}", failure.message));
                None
            }
        });
        let beneath = [besides.as_deref().unwrap_or_default(), others.as_deref().unwrap_or_default()];
        let lines = is_told.then(|| config::lines(config, loaded, &edits, beneath)).transpose()?;
        let config::Lines { taken: files, left: not_taken } = lines.unwrap_or_default();
        let restores = inverse.as_ref().and_then(|_| {
            let edited = apply_edits(&loaded.revision.revision_files(&config.pin_folder), &edits).ok()?;
            Some((edits, edited))
        });
        let is_whole = |commit: CommitId| loaded.source.undoes_exactly(&restores.as_ref()?.1.files, commit).ok();
        let inverse = inverse.filter(|RevertedCommit(commit)| is_whole(commit.id) == Some(true));
        let instance = &desired.pins.settings.instance;
        let message =
            RollbackMessage::for_revert(&revert, &loaded.history, instance, reason.as_deref(), inverse.as_ref());
        let unseen = seen.unseen(&revert);
        let nearest = (!unseen.is_empty()).then(|| seen.revert(&request, holding, true).ok()).flatten();
        let nearest = nearest.filter(|nearest| nearest.members != revert.members);
        let cluster = seen.server;
        let mut message = kind.message(message);
        message.body.extend(besides.as_deref().filter(|files| !files.is_empty()).map(other_lines_of));
        Ok(Self {
            kind,
            revert,
            tip,
            desired,
            cluster,
            plan,
            unseen,
            seen: nearest,
            message,
            files,
            not_taken,
            restores,
            besides,
        })
    }

    /// Rules keep all of it.
    pub(in crate::cli) fn is_refused(&self) -> bool {
        self.revert.is_empty() && self.revert.skipped.iter().any(Skipped::is_by_rule)
    }
}

fn other_lines_of(files: &[FileChange]) -> String {
    let names: Vec<String> = files.iter().map(|file| display_safe(&file.path, 200)).collect();
    format!("With other lines as they were before: {}", names.join(", "))
}

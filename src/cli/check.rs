//! `pintle check`: everything that is wrong with the pins, for people and for the CI of the pin repository.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use jiff::Timestamp;
use pintle_core::check::{Findings, UnseenPair, findings};
use pintle_core::git::{CommitId, FileContent, RepoFile};
use pintle_core::pins::{Settings, UnseenPolicy, settings_path};
use pintle_core::problem::{self, FilePlace, Problem, Severity, line_col};
use pintle_core::remedy::Remedy;
use serde::Serialize;

use super::describe::advised;
use super::exit::{CommandError, CommandExit, help};
use super::load::{LoadedRevision, Revision, load, load_worktree, warn_if_stale};
use super::output::{BAD_STYLE, BUSY_STYLE, DIM_STYLE, GOOD_STYLE, Output, OutputArgs, counted, styled};
use crate::cli::config::CliConfig;

/// Report everything that is wrong with the pins
///
/// Reads the working tree as it is, committed or not, and names every problem at once. Beside mistakes in the files these
/// are pinned versions that do not fit each other, or, with `unseen: refuse`, were never seen together; versions that are
/// held or below their floor, and needs that changed while the version did not.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle check\npintle check --rev origin/main\npintle check --output json | jq '.problems[].message'",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage],
))]
pub(super) struct CheckCommand {
    /// Check this revision instead of the working tree
    #[arg(long)]
    rev: Option<String>,
    #[command(flatten)]
    printing: OutputArgs,
}

/// `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckJson {
    /// The commit; null for the working tree.
    commit: Option<String>,
    services: usize,
    errors: usize,
    warnings: usize,
    problems: Vec<ProblemJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemJson {
    severity: &'static str,
    service: Option<String>,
    #[serde(flatten)]
    at: PlaceJson,
    message: String,
    hint: Option<String>,
    /// The hint as a code and its parts, where it is a command.
    remedy: Option<Remedy>,
    also: Vec<RelatedPlaceJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PlaceJson {
    path: Arc<str>,
    line: Option<usize>,
    column: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RelatedPlaceJson {
    #[serde(flatten)]
    at: PlaceJson,
    label: String,
}

impl CheckCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let start = Instant::now();
        let loaded = match &self.rev {
            Some(rev) => load(config, Some(rev))?,
            None => load_worktree(config)?,
        };
        warn_if_stale(loaded.fetch_error.as_ref(), output);
        let problems = problems(config, &loaded)?;
        let report = report(&loaded.revision, &problems);
        let exit = if report.errors > 0 { CommandExit::Error } else { CommandExit::Ok };
        output.result(self.printing.output, &report, |output| {
            let lookup = |path: &str| loaded.revision.content_of(path);
            for problem in &problems {
                output.line(problem::render_problems(std::slice::from_ref(problem), &lookup, output.is_colored()));
            }
            if pins_nothing_yet(config, &loaded.revision) {
                output.line("To have the first files written: pintle init\n");
            }
            output.line(summary(&report, start));
        })?;
        Ok(exit)
    }
}

/// Whether the repository knows nothing of Pintle. Without `pintle.yaml` its path is the place of one problem only: 0 pins.
fn pins_nothing_yet(config: &CliConfig, at: &Revision) -> bool {
    let path = &at.reading.pins.settings.place.path;
    let has_none = at.reading.problems.iter().any(|problem| problem.place.path == *path);
    has_none && config.pin_folder.is_empty() && !at.has_settings()
}

/// What the files say wrong, then what does not fit, by path and place.
fn problems(config: &CliConfig, loaded: &LoadedRevision) -> Result<Vec<Problem>, CommandError> {
    let Findings { mut problems, unseen } =
        findings(&loaded.revision.revision_files(&config.pin_folder), &loaded.history, Timestamp::now());
    problems.extend(refused(config, loaded, unseen)?);
    problem::sort_problems(&mut problems);
    Ok(problems.into_iter().map(advised).collect())
}

/// The pairs that were refused when they were put together: what was let through then runs by now.
fn refused(config: &CliConfig, loaded: &LoadedRevision, pairs: Vec<UnseenPair>) -> Result<Vec<Problem>, CommandError> {
    let path = settings_path(&config.pin_folder);
    let mut refused_at: BTreeMap<CommitId, bool> = BTreeMap::new();
    let mut problems = Vec::new();
    for UnseenPair { problem, commit: by } in pairs {
        let is_refused = match by.map(|by| by.id) {
            None => true,
            Some(commit) => match refused_at.entry(commit) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => *new.insert(policy(loaded.source.file(commit, &path)?) == UnseenPolicy::Refuse),
            },
        };
        problems.extend(is_refused.then_some(problem));
    }
    Ok(problems)
}

/// What settings say of pairs that were never seen.
fn policy(settings: Option<RepoFile>) -> UnseenPolicy {
    let Some(RepoFile { path, content: FileContent::Bytes(bytes), .. }) = settings else {
        return Settings::default().unseen;
    };
    Settings::read(&path, &bytes).0.unwrap_or_default().unseen
}

fn report(at: &Revision, problems: &[Problem]) -> CheckJson {
    let place = |place: &FilePlace| {
        let start = place.span.as_ref().and_then(|span| Some(line_col(at.content_of(&place.path)?, span.start)));
        PlaceJson {
            path: Arc::clone(&place.path),
            line: start.map(|start| start.0),
            column: start.map(|start| start.1),
        }
    };
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let pins = &at.reading.pins;
    CheckJson {
        commit: at.commit.as_ref().map(|commit| commit.id.to_hex()),
        services: pins.services.len() + pins.broken.len(),
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        problems: problems
            .iter()
            .map(|problem| ProblemJson {
                severity: if problem.severity == Severity::Error { "error" } else { "warning" },
                service: problem.service.as_ref().map(ToString::to_string),
                at: place(&problem.place),
                message: problem.message.clone(),
                hint: problem.hint.clone(),
                remedy: problem.remedy.clone(),
                also: problem
                    .also
                    .iter()
                    .map(|(at, label)| RelatedPlaceJson { at: place(at), label: label.clone() })
                    .collect(),
            })
            .collect(),
    }
}

fn summary(report: &CheckJson, start: Instant) -> String {
    let (errors, warnings) = (counted(report.errors, "error"), counted(report.warnings, "warning"));
    let verdict = match (report.errors, report.warnings) {
        (0, 0) => styled(GOOD_STYLE, "no problems"),
        (0, _) => styled(BUSY_STYLE, warnings),
        (_, 0) => styled(BAD_STYLE, errors),
        (_, _) => format!("{}, {}", styled(BAD_STYLE, errors), styled(BUSY_STYLE, warnings)),
    };
    let took = styled(DIM_STYLE, format_args!("({} ms)", start.elapsed().as_millis()));
    format!("{}: {verdict} {took}", counted(report.services, "service"))
}

//! `pintle check`: everything that is wrong with the pins, for people and for the CI of the pin repository.
#![expect(clippy::disallowed_methods, reason = "the edge of the program tells the time")]

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use jiff::Timestamp;
use pintle_core::check::{Findings, Joined, findings};
use pintle_core::git::{CommitId, Content, File};
use pintle_core::pins::{Settings, Unseen, settings_path};
use pintle_core::problem::{self, Place, Problem, Severity, line_col};
use pintle_core::remedy::Remedy;
use serde::Serialize;

use super::describe::advised;
use super::exit::{Exit, Failure, help};
use super::load::{Loaded, Revision, load, load_worktree, say_stale};
use super::output::{BAD, BUSY, DIM, GOOD, Output, Printing, counted, styled};
use crate::cli::config::Config;

/// Report everything that is wrong with the pins
///
/// Reads the working tree as it is, committed or not, and names every problem at once. Beside mistakes in the files these
/// are pinned versions that do not fit each other, or, with `unseen: refuse`, were never seen together; versions that are
/// held or below their floor, and needs that changed while the version did not.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle check\npintle check --rev origin/main\npintle check --output json | jq '.problems[].message'",
    &[Exit::Ok, Exit::Error, Exit::Usage],
))]
pub(super) struct Check {
    /// Check this revision instead of the working tree
    #[arg(long)]
    rev: Option<String>,
    #[command(flatten)]
    printing: Printing,
}

/// `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
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
    at: At,
    message: String,
    hint: Option<String>,
    /// The hint as a code and its parts, where it is a command.
    remedy: Option<Remedy>,
    also: Vec<Also>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct At {
    path: Arc<str>,
    line: Option<usize>,
    column: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Also {
    #[serde(flatten)]
    at: At,
    label: String,
}

impl Check {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let start = Instant::now();
        let loaded = match &self.rev {
            Some(rev) => load(config, Some(rev))?,
            None => load_worktree(config)?,
        };
        say_stale(loaded.stale.as_ref(), output);
        let problems = problems(config, &loaded)?;
        let report = report(&loaded.at, &problems);
        let exit = if report.errors > 0 { Exit::Error } else { Exit::Ok };
        output.result(self.printing.output, &report, |output| {
            let lookup = |path: &str| loaded.at.bytes(path);
            for problem in &problems {
                output.line(problem::render(std::slice::from_ref(problem), &lookup, output.is_colored()));
            }
            if pins_nothing_yet(config, &loaded.at) {
                output.line("To have the first files written: pintle init\n");
            }
            output.line(summary(&report, start));
        })?;
        Ok(exit)
    }
}

/// Whether the repository knows nothing of Pintle. Without `pintle.yaml` its path is the place of one problem only: 0 pins.
fn pins_nothing_yet(config: &Config, at: &Revision) -> bool {
    let path = &at.reading.pins.settings.place.path;
    let has_none = at.reading.problems.iter().any(|problem| problem.place.path == *path);
    has_none && config.root.is_empty() && !at.has_settings()
}

/// What the files say wrong, then what does not fit, by path and place.
fn problems(config: &Config, loaded: &Loaded) -> Result<Vec<Problem>, Failure> {
    let Findings { mut problems, unseen } = findings(&loaded.at.said(&config.root), &loaded.history, Timestamp::now());
    problems.extend(refused(config, loaded, unseen)?);
    problem::sort(&mut problems);
    Ok(problems.into_iter().map(advised).collect())
}

/// The pairs that were refused when they were put together: what was let through then runs by now.
fn refused(config: &Config, loaded: &Loaded, pairs: Vec<Joined>) -> Result<Vec<Problem>, Failure> {
    let path = settings_path(&config.root);
    let mut refused_at: BTreeMap<CommitId, bool> = BTreeMap::new();
    let mut problems = Vec::new();
    for Joined { problem, by } in pairs {
        let is_refused = match by.map(|by| by.id) {
            None => true,
            Some(commit) => match refused_at.entry(commit) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => *new.insert(policy(loaded.source.file(commit, &path)?) == Unseen::Refuse),
            },
        };
        problems.extend(is_refused.then_some(problem));
    }
    Ok(problems)
}

/// What settings say of pairs that were never seen.
fn policy(settings: Option<File>) -> Unseen {
    let Some(File { path, content: Content::Bytes(bytes), .. }) = settings else { return Settings::default().unseen };
    Settings::read(&path, &bytes).0.unwrap_or_default().unseen
}

fn report(at: &Revision, problems: &[Problem]) -> Report {
    let place = |place: &Place| {
        let start = place.span.as_ref().and_then(|span| Some(line_col(at.bytes(&place.path)?, span.start)));
        At { path: Arc::clone(&place.path), line: start.map(|start| start.0), column: start.map(|start| start.1) }
    };
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let pins = &at.reading.pins;
    Report {
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
                also: problem.also.iter().map(|(at, label)| Also { at: place(at), label: label.clone() }).collect(),
            })
            .collect(),
    }
}

fn summary(report: &Report, start: Instant) -> String {
    let (errors, warnings) = (counted(report.errors, "error"), counted(report.warnings, "warning"));
    let verdict = match (report.errors, report.warnings) {
        (0, 0) => styled(GOOD, "no problems"),
        (0, _) => styled(BUSY, warnings),
        (_, 0) => styled(BAD, errors),
        (_, _) => format!("{}, {}", styled(BAD, errors), styled(BUSY, warnings)),
    };
    let took = styled(DIM, format_args!("({} ms)", start.elapsed().as_millis()));
    format!("{}: {verdict} {took}", counted(report.services, "service"))
}

//! The last words of an apply.

use std::collections::BTreeMap;

use pintle_core::git::Commit;
use pintle_core::problem::display_safe;

use super::MovedTip;
use crate::cli::describe::{PlanReport, RestReport, Standing};
use crate::cli::plan::text;
use crate::cli::session::Session;
use crate::cluster::Cluster;
use crate::controller::{RolloutOutcome, RolloutResult, commit_to_revert};

/// Returns how everything stands, and what to type next.
pub(super) fn final_summary(
    session: &Session<impl Cluster>,
    left: &PlanReport,
    (outcome, result): (&RolloutOutcome, RolloutResult),
    moved: Option<&MovedTip>,
) -> String {
    let mut lines = interruptions(outcome);
    lines.extend(under_way(left));
    lines.extend(not_reached(left));
    lines.extend(left.circles.iter().map(|circle| {
        let mut words = String::new();
        text::circle_text(&mut words, circle);
        words.trim().to_owned()
    }));
    lines.extend(not_started(left));
    lines.extend(next_commands(session, left, outcome));
    lines.extend(completion(session, left, (outcome, result), moved));
    lines.extend(
        moved.map(|MovedTip { branch, to }| format!("{branch} has moved on to {} meanwhile: pintle apply", to.short())),
    );
    lines.join("\n").trim_end().to_owned()
}

fn interruptions(outcome: &RolloutOutcome) -> Vec<String> {
    let stopped = "Stopped: nothing more starts. What runs now is compatible; `pintle apply` goes on from here.";
    let out_of_patience = "Nothing has happened for too long.";
    let lines = [(outcome.stopped, stopped), (outcome.out_of_patience, out_of_patience)];
    lines.into_iter().filter(|(is_so, _)| *is_so).map(|(_, line)| line.to_owned()).collect()
}

fn under_way(left: &PlanReport) -> impl Iterator<Item = String> {
    left.under_way.iter().map(|it| {
        let command = it.command.as_ref().map(|command| format!("; type: {command}")).unwrap_or_default();
        format!("Under way: {} {}: {}{command}", it.service, it.to, it.why.brief)
    })
}

fn not_reached(left: &PlanReport) -> Vec<String> {
    let name = |it: &&RestReport| match &it.pinned {
        Some(version) => format!("{} {version}", it.service),
        None => it.service.clone(),
    };
    let mut lines = Vec::new();
    for (words, standing) in [("Failed", Standing::Failed), ("Refused", Standing::Refused), ("Held", Standing::Held)] {
        for (alike, why) in text::told_once(&left.rest, standing) {
            let names: Vec<String> = alike.iter().map(name).collect();
            lines.push(format!("{words}: {}: {}", names.join(", "), why));
        }
    }
    lines
}

fn not_started(left: &PlanReport) -> Option<String> {
    let waiting = left.rest.iter().filter(|it| it.standing == Standing::Waiting).map(|it| it.service.as_str());
    let services: Vec<&str> = left.stages.iter().flatten().map(|it| it.service.as_str()).chain(waiting).collect();
    (!services.is_empty()).then(|| format!("Not started: {}", services.join(", ")))
}

/// What to type where something has failed.
fn next_commands(session: &Session<impl Cluster>, left: &PlanReport, outcome: &RolloutOutcome) -> Vec<String> {
    let mut mends = Vec::new();
    let mut moved: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for it in left.rest.iter().filter(|it| it.standing == Standing::Failed) {
        match commit_to_revert(&session.desired, outcome, &it.service).as_deref().map(named) {
            Some(commit) => moved.entry(commit).or_default().push(&it.service),
            None => mends.push(format!("Next: mend what keeps {} from running; then: pintle apply", it.service)),
        }
    }
    let back = moved.into_iter().map(|(commit, services)| {
        format!(
            "Next: pintle rollback {}, which also holds what failed; or git revert {commit}, or pin a version that is fixed; \
             then: pintle apply",
            services.join(" ")
        )
    });
    back.chain(mends).collect()
}

fn named(commit: &Commit) -> String {
    format!("{} ({})", commit.id.short(), display_safe(&commit.subject, 50))
}

fn completion(
    session: &Session<impl Cluster>,
    left: &PlanReport,
    (outcome, result): (&RolloutOutcome, RolloutResult),
    moved: Option<&MovedTip>,
) -> Option<String> {
    let (verified, is_selection) = (outcome.verified, session.desired.options.selected.is_some());
    if left.is_empty() {
        let at = moved.map(|_| format!(" at {}", session.commit.id.short())).unwrap_or_default();
        let what = if is_selection { "what was asked for" } else { "everything" };
        return Some(format!("In sync: {what} runs what is pinned{at} ({verified} changed)."));
    }
    let what = if is_selection { "all that was asked for" } else { "everything" };
    (result == RolloutResult::Complete && !left.rest.is_empty()).then(|| {
        format!(
            "But for what is held by choice {what} runs what is pinned ({verified} changed); \
             pintle status --exit-code gives 2 for that"
        )
    })
}

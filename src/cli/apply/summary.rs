//! The last words of an apply.

use std::collections::BTreeMap;

use pintle_core::git::Commit;
use pintle_core::problem::display_safe;

use super::MovedOn;
use crate::cli::brief::brief;
use crate::cli::plan::text;
use crate::cli::site::Site;
use crate::cluster::Cluster;
use crate::controller::{Outcome, Report, RestReport, RolloutResult, Standing, commit_to_revert};

/// The last words: how everything stands, and what to type next.
pub(super) fn final_summary(
    site: &Site<impl Cluster>,
    left: &Report,
    (outcome, result): (&Outcome, RolloutResult),
    moved: Option<&MovedOn>,
) -> String {
    let only = site.desired.options.selected.is_some();
    let mut text = String::new();
    let mut line = |words: String| text.push_str(&(words + "\n"));
    if outcome.stopped {
        line("Stopped: nothing more starts. What runs now is compatible; `pintle apply` goes on from here.".to_owned());
    }
    if outcome.out_of_patience {
        line("Nothing has happened for too long.".to_owned());
    }
    for it in &left.under_way {
        let command = it.command.as_ref().map(|command| format!("; type: {command}")).unwrap_or_default();
        line(format!("Under way: {} {}: {}{command}", it.service, it.to, brief(&it.why)));
    }
    for (words, standing) in [("Failed", Standing::Failed), ("Refused", Standing::Refused), ("Held", Standing::Held)] {
        for (alike, why) in text::told_once(&left.rest, standing) {
            let name = |it: &&RestReport| match &it.pinned {
                Some(version) => format!("{} {version}", it.service),
                None => it.service.clone(),
            };
            let names: Vec<String> = alike.iter().map(name).collect();
            line(format!("{words}: {}: {}", names.join(", "), brief(why)));
        }
    }
    for circle in &left.circles {
        let mut words = String::new();
        text::circle_text(&mut words, circle);
        line(words.trim().to_owned());
    }
    let waiting: Vec<&str> =
        left.rest.iter().filter(|it| it.standing == Standing::Waiting).map(|it| it.service.as_str()).collect();
    let unstarted: Vec<&str> = left.stages.iter().flatten().map(|it| it.service.as_str()).chain(waiting).collect();
    if !unstarted.is_empty() {
        line(format!("Not started: {}", unstarted.join(", ")));
    }
    next(site, left, outcome).into_iter().for_each(&mut line);
    let is_chosen = result == RolloutResult::Complete && !left.rest.is_empty();
    if is_chosen {
        let (verified, what) = (outcome.verified, if only { "all that was asked for" } else { "everything" });
        line(format!(
            "But for what is held by choice {what} runs what is pinned ({verified} changed); \
             pintle status --exit-code gives 2 for that"
        ));
    }
    if left.is_empty() {
        let at = moved.map(|_| format!(" at {}", site.commit.id.short())).unwrap_or_default();
        let what = if only { "what was asked for" } else { "everything" };
        line(format!("In sync: {what} runs what is pinned{at} ({} changed).", outcome.verified));
    }
    if let Some(MovedOn { branch, to }) = moved {
        line(format!("{branch} has moved on to {} meanwhile: pintle apply", to.short()));
    }
    text.trim_end().to_owned()
}

/// What to type where something has failed.
fn next(site: &Site<impl Cluster>, left: &Report, outcome: &Outcome) -> Vec<String> {
    let mut mends = Vec::new();
    let mut moved: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for it in left.rest.iter().filter(|it| it.standing == Standing::Failed) {
        match commit_to_revert(&site.desired, outcome, &it.service).as_deref().map(named) {
            Some(commit) => moved.entry(commit).or_default().push(&it.service),
            // A rollback of what ran before, or of what is the first pin, mends nothing.
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

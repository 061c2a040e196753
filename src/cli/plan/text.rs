//! A plan as text for a terminal and as Markdown for a pull request.

use std::fmt::Write as _;

use anstyle::Style;
use pintle_core::git::Commit;
use pintle_core::problem::display_safe;

use crate::cli::describe::{
    ChangeReport, CircleReport, EstimateReport, PlanReport, RestReport, Standing, UnderWayReport,
};
use crate::cli::output::{BAD_STYLE, BUSY_STYLE, DIM_STYLE, GOOD_STYLE, NAME_STYLE, counted, styled};
use crate::cli::words::seconds_text;

/// Where all of it runs, after what it is compared with.
fn namespace(report: &PlanReport) -> String {
    report.namespace.as_ref().map(|namespace| format!(", namespace {namespace}")).unwrap_or_default()
}

/// A commit in a line.
pub(crate) fn described(commit: &Commit) -> String {
    format!("{} ({})", commit.id.short(), display_safe(&commit.subject, 72))
}

/// The plan of a revision against what it was compared with, as text, styled.
pub(crate) fn table(revision: &Commit, against: &str, report: &PlanReport) -> String {
    format!("Plan for {}\n  against {against}{}\n{}", described(revision), namespace(report), body(report))
}

/// The plan alone: its stages, what is not reached, and what it comes to.
pub(crate) fn body(report: &PlanReport) -> String {
    let mut text = String::new();
    if !report.under_way.is_empty() {
        let _ = writeln!(text, "\nUnder way: {}", under_way(report));
    }
    let width = |text: fn(&ChangeReport) -> &str| {
        report.stages.iter().flatten().map(|it| text(it).len().min(MAX_COLUMN_CHARS)).max().unwrap_or(0)
    };
    let widths = [width(|it| &it.service), width(|it| &it.from), width(|it| &it.to)];
    for (stage, number) in report.stages.iter().zip(1..) {
        let starts = if number == 1 { "starts now" } else { "each starts when what it waits for has passed" };
        let _ = writeln!(text, "\nStage {number} {}", styled(DIM_STYLE, format_args!("({starts})")));
        for change in stage {
            change_text(&mut text, change, &place(report, change.namespace.as_deref()), widths);
        }
    }
    for (title, standing) in UNREACHED_TITLES {
        rest_text(&mut text, title, report, standing);
    }
    for circle in &report.circles {
        circle_text(&mut text, circle);
    }
    if !report.released.is_empty() {
        let _ = writeln!(
            text,
            "\nPinned no more (left running, nobody looks after them):\n  {}",
            report.released.join("\n  ")
        );
    }
    if !report.paused.is_empty() {
        let _ = writeln!(text, "\nPaused");
    }
    for it in &report.paused {
        let _ = writeln!(text, "  {}: {}", styled(NAME_STYLE, &it.service), it.why.brief);
    }
    unseen_text(&mut text, &report.unseen);
    let _ = write!(text, "\n{}", summary(report));
    text
}

/// ` in bank`, where not all services run in one namespace.
fn place(report: &PlanReport, namespace: Option<&str>) -> String {
    let named = namespace.filter(|_| report.namespace.is_none());
    named.map(|namespace| format!(" in {namespace}")).unwrap_or_default()
}

fn under_way(report: &PlanReport) -> String {
    let name = |it: &UnderWayReport| format!("{} {}{}", it.service, it.to, place(report, it.namespace.as_deref()));
    report.under_way.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Longer names and images do not push apart what stands in the other lines.
const MAX_COLUMN_CHARS: usize = 24;

const UNREACHED_TITLES: [(&str, Standing); 4] = [
    ("Failed", Standing::Failed),
    ("Refused", Standing::Refused),
    ("Held", Standing::Held),
    ("Waiting for one of these", Standing::Waiting),
];

fn change_text(text: &mut String, change: &ChangeReport, place: &str, [name, from, to]: [usize; 3]) {
    let ChangeReport { service, namespace: _, from: runs, to: target, kind, waits, wait_reasons: _, lockstep } = change;
    let service = styled(NAME_STYLE, format_args!("{service:name$}"));
    let arrow = styled(style_of(kind), format_args!("{runs:>from$} -> {target:to$}"));
    let _ = writeln!(text, "  ~ {service}  {arrow}  {kind}{}", styled(DIM_STYLE, place));
    for wait in waits {
        let _ = writeln!(text, "      waits {}", wait.brief);
    }
    if *lockstep {
        let _ = writeln!(
            text,
            "      {}",
            styled(BAD_STYLE, "starts together with its lockstep group: unsafe for a moment")
        );
    }
}

fn style_of(kind: &str) -> Style {
    if kind == "drift" { BAD_STYLE } else { BUSY_STYLE }
}

fn rest_text(text: &mut String, title: &str, report: &PlanReport, standing: Standing) {
    for (number, (alike, why)) in told_once(&report.rest, standing).into_iter().enumerate() {
        if number == 0 {
            let _ = writeln!(text, "\n{title}");
        }
        for it in alike {
            let pinned = it.pinned.as_ref().map(|version| format!("pinned {version}, ")).unwrap_or_default();
            let place = place(report, it.namespace.as_deref());
            let service = styled(NAME_STYLE, &it.service);
            let _ = writeln!(text, "  {} {service} ({pinned}runs {}{place})", styled(BAD_STYLE, "!"), it.runs);
        }
        let _ = writeln!(text, "      {why}");
    }
}

/// Those that stand so, with the reason: one that is the reason of several, as a namespace that does not exist is, once.
pub(crate) fn told_once(rest: &[RestReport], standing: Standing) -> Vec<(Vec<&RestReport>, &str)> {
    let mut told: Vec<(Vec<&RestReport>, &str)> = Vec::new();
    for it in rest.iter().filter(|it| it.standing == standing) {
        match told.iter_mut().find(|(_, why)| *why == it.why.brief) {
            Some((alike, _)) => alike.push(it),
            None => told.push((vec![it], &it.why.brief)),
        }
    }
    told
}

/// So many pairs are named; a program is told all.
const MAX_LISTED_PAIRS: usize = 5;

fn unseen_text(text: &mut String, pairs: &[String]) {
    if !pairs.is_empty() {
        let _ = writeln!(text, "\nOn the way, and never seen together");
    }
    for pair in pairs.iter().take(MAX_LISTED_PAIRS) {
        let _ = writeln!(text, "  {} {pair}", styled(BUSY_STYLE, "?"));
    }
    if pairs.len() > MAX_LISTED_PAIRS {
        let _ = writeln!(text, "    and {} more", pairs.len() - MAX_LISTED_PAIRS);
    }
}

/// A circle of waits: each on a line, then what breaks it.
pub(crate) fn circle_text(text: &mut String, circle: &CircleReport) {
    let _ = writeln!(text, "\nNo safe order for {}", styled(NAME_STYLE, circle.services.join(", ")));
    for wait in &circle.waits {
        let _ = writeln!(text, "      {wait}");
    }
    let _ = writeln!(text, "      {}", circle.way_out);
}

/// The last line: what the plan comes to.
pub(crate) fn summary(report: &PlanReport) -> String {
    if report.is_empty() {
        return styled(GOOD_STYLE, "Nothing to do: everything runs what is pinned.") + "\n";
    }
    let count = |standing| report.rest.iter().filter(|it| it.standing == standing).count();
    let mut parts = vec![match report.changes() {
        0 => "nothing to start".to_owned(),
        changes => format!("{} in {}", counted(changes, "change"), counted(report.stages.len(), "stage")),
    }];
    for (what, standing) in [
        ("failed", Standing::Failed),
        ("refused", Standing::Refused),
        ("held", Standing::Held),
        ("waiting", Standing::Waiting),
    ] {
        let number = count(standing);
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    let estimate = report.estimate.as_ref().map(estimate).unwrap_or_default();
    format!("Plan: {}.{estimate}\n", parts.join(", "))
}

fn estimate(it: &EstimateReport) -> String {
    let assumed = match it.assumed {
        0 => String::new(),
        all if all == it.services => ", 30s assumed for each".to_owned(),
        some => format!(", 30s assumed for {some} of them"),
    };
    let together = seconds_text(it.seconds);
    let one_by_one = seconds_text(it.one_by_one_seconds);
    let most = if it.extra_pods == 0 { "none".to_owned() } else { format!("at most {}", it.extra_pods) };
    format!(
        "\nTakes about {together} (one by one: {one_by_one}{assumed}); replaces {}, {most} above the usual number.",
        counted(usize::try_from(it.pods_replaced).unwrap_or(usize::MAX), "pod"),
    )
}

/// The same as Markdown.
pub(crate) fn markdown(revision: &Commit, against: &str, report: &PlanReport) -> String {
    let mut text = format!("### Plan for {}\n\nAgainst {against}{}\n", described(revision), namespace(report));
    if report.is_empty() {
        text.push_str("\nNothing to do.\n");
        return text;
    }
    if !report.under_way.is_empty() {
        let _ = writeln!(text, "\nUnder way: {}", under_way(report));
    }
    if report.changes() > 0 {
        text.push_str("\n| Stage | Service | From | To | | Waits |\n|---|---|---|---|---|---|\n");
    }
    for (stage, number) in report.stages.iter().zip(1..) {
        for it in stage {
            let lockstep = if it.lockstep { " (lockstep: unsafe for a moment)" } else { "" };
            let waits = cell(&it.waits.iter().map(|wait| wait.brief.as_str()).collect::<Vec<_>>().join("; "));
            let place = place(report, it.namespace.as_deref());
            let _ = writeln!(
                text,
                "| {number} | **{}**{place} | {} | {} | {}{lockstep} | {waits} |",
                cell(&it.service),
                cell(&it.from),
                cell(&it.to),
                it.kind
            );
        }
    }
    for (number, note) in notes(report).iter().enumerate() {
        let _ = writeln!(text, "{}- {note}", if number == 0 { "\n" } else { "" });
    }
    let _ = write!(text, "\n{}", anstream::adapter::strip_str(&summary(report)));
    text
}

/// What a table of changes does not show, in Markdown.
fn notes(report: &PlanReport) -> Vec<String> {
    let mut notes = Vec::new();
    for (title, standing) in UNREACHED_TITLES {
        for (alike, why) in told_once(&report.rest, standing) {
            let name = |it: &&RestReport| format!("**{}**{}", it.service, place(report, it.namespace.as_deref()));
            let names: Vec<String> = alike.iter().map(name).collect();
            notes.push(format!("{title}: {}: {}", names.join(", "), why));
        }
    }
    notes.extend(report.circles.iter().map(|it| format!("No safe order: {}. {}", it.waits.join("; "), it.way_out)));
    notes.extend(report.unseen.iter().map(|pair| format!("Never seen together: {pair}")));
    notes.extend(report.released.iter().map(|workload| format!("Pinned no more, left running: {workload}")));
    notes
}

/// Text that cannot leave its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

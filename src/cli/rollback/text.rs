//! A rollback for people.

use std::fmt::Write as _;

use pintle_core::pins::HeldVersions;
use pintle_core::rollback::{Member, Revert, Skipped};

use super::RollbackPreview;
use crate::cli::describe::remedy;
use crate::cli::diff::FileDiff;
use crate::cli::output::{BAD_STYLE, BUSY_STYLE, DIM_STYLE, NAME_STYLE, Output, styled};
use crate::cli::plan::text::{body, described};
use crate::cli::words::{seconds_text, short_duration, utc_minute};

/// So many nearer pins that were not taken are told of each service.
const MAX_LISTED_PASSED_OVER: usize = 3;

/// Longer versions do not push apart what stands in the other lines.
const MAX_VERSION_CHARS: usize = 24;

pub(super) fn print(told: &RollbackPreview, output: &mut Output) {
    let RollbackPreview {
        kind,
        revert,
        tip,
        desired: _,
        cluster,
        plan,
        unseen: _,
        seen,
        message,
        files,
        not_taken,
        restores: _,
        besides: _,
    } = told;
    let from = match cluster {
        Some(cluster) => format!("targets from Git, and from what is proven in {cluster}"),
        None => "targets from Git alone".to_owned(),
    };
    output.line(format_args!("{} at {}\n  {from}", kind.title(), described(tip)));
    if revert.is_empty() {
        rest(revert, output);
        let why = if revert.skipped.is_empty() { ": it is pinned so already" } else { "" };
        output.line(format_args!("\nNothing goes {}{why}.", kind.way()));
        if let Some(way_out) = revert.skipped.iter().find_map(Skipped::remedy) {
            output.line(format_args!("  hint: {}", remedy(&way_out)));
        }
        return;
    }
    output.line("");
    output.write(format_args!("{}", members(told)));
    rest(revert, output);
    output.write(format_args!("{}", body(plan)));
    if let Some(seen) = seen {
        output.line("\nThe nearest set of which all pairs were seen together, taken by --seen");
        let in_words = |it: &Member| format!("{} {} -> {}", it.service, it.from.version, it.to.version);
        let moves: Vec<String> = seen.members.iter().map(in_words).collect();
        output.line(format_args!("  {}", moves.join(", ")));
    }
    lines("Taken back with these pins", files, output);
    lines("Changed with these pins, and not taken back (--include-config takes it along)", not_taken, output);
    let message = message.to_string();
    let indented = message.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") });
    output.line("\nWould be committed as");
    output.write(format_args!("{}", indented.collect::<String>()));
    for (service, held) in &revert.holds {
        let versions = match held {
            HeldVersions::Above(limit) => format!("above {limit}"),
            HeldVersions::Versions(range) => range.in_words(),
        };
        output
            .line(format_args!("  and {} is held {versions} until somebody releases it", styled(NAME_STYLE, service)));
    }
}

fn lines(title: &str, files: &[FileDiff], output: &mut Output) {
    if !files.is_empty() {
        output.line(format_args!("\n{title}"));
    }
    for file in files {
        output.line("");
        file.print(output);
    }
}

fn members(told: &RollbackPreview) -> String {
    let mut text = String::new();
    let all = &told.revert.members;
    let width =
        |part: fn(&Member) -> &str| all.iter().map(|it| part(it).len().min(MAX_VERSION_CHARS)).max().unwrap_or(0);
    let (name, from, to) =
        (width(|it| it.service.as_str()), width(|it| it.from.version.as_str()), width(|it| it.to.version.as_str()));
    for it in all {
        let service = styled(NAME_STYLE, format_args!("{:name$}", it.service.as_str()));
        let [left, right] = [&it.from, &it.to].map(|pin| pin.version.as_str());
        let arrow = styled(BUSY_STYLE, format_args!("{left:>from$} -> {right:to$}"));
        let _ = writeln!(text, "  ~ {service}  {arrow}  {}", it.why);
        let _ = writeln!(text, "      {}", styled(DIM_STYLE, target(told, it)));
        if told.cluster.is_some() && it.proven.is_none() {
            let _ = writeln!(text, "      {}", styled(BUSY_STYLE, "not known to have been verified there"));
        }
        for (version, objection) in it.passed_over.iter().take(MAX_LISTED_PASSED_OVER) {
            let _ = writeln!(text, "      {}", styled(DIM_STYLE, format_args!("not {version}: it {objection}")));
        }
        let more = it.passed_over.len().saturating_sub(MAX_LISTED_PASSED_OVER);
        if more > 0 {
            let _ = writeln!(text, "      {}", styled(DIM_STYLE, format_args!("nor the {more} pins before that")));
        }
    }
    text
}

/// What is known of a target: when it was pinned, by which commit, how long it stood, and when it was verified.
fn target(told: &RollbackPreview, member: &Member) -> String {
    let commit = &member.target.commit;
    let records = told.desired.history.records(&member.service);
    let next = records.iter().find(|record| record.position > member.target.position);
    let stood = next.map(|next| next.commit.time.duration_since(commit.time));
    let stood =
        stood.filter(jiff::SignedDuration::is_positive).map(|stood| format!(", stood {}", short_duration(stood)));
    let proven = member.proven.as_ref().map(|proven| {
        format!(
            "; verified there {} UTC, in {}",
            utc_minute(proven.at),
            seconds_text(proven.rollout_duration().as_secs_f64())
        )
    });
    let [stood, proven] = [stood, proven].map(Option::unwrap_or_default);
    format!("pinned {} UTC by {}{stood}{proven}", utc_minute(commit.time), described(commit))
}

/// What does not go back, and what is not right besides.
fn rest(revert: &Revert, output: &mut Output) {
    if !revert.skipped.is_empty() {
        output.line("\nStays");
    }
    for it in &revert.skipped {
        output.line(format_args!("  {} {}: {}", styled(BAD_STYLE, "!"), styled(NAME_STYLE, &it.service), it.why));
    }
    if !revert.elsewhere.is_empty() {
        output.line("\nNot met at the tip, and not repaired by this");
    }
    for unmet in &revert.elsewhere {
        output.line(format_args!("  {} {unmet}", styled(BAD_STYLE, "!")));
    }
}

//! `pintle init` for people.

use std::collections::BTreeSet;

use pintle_core::init::{NewFile, Proposal};
use pintle_core::pins::{SETTINGS, ServiceName};
use pintle_core::problem::{display_safe, show};

use crate::cli::output::{BUSY, GOOD, NAME, Output, counted, styled};

/// The files, what is left, whose the images are, and the counts.
pub(super) fn tell(proposal: &Proposal, dry_run: bool, output: &mut Output) {
    let templates = match proposal.templates {
        0 => String::new(),
        count => format!(", passed over {}", counted(count, "template")),
    };
    let environment = proposal.environment.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
    let (read, services) = (counted(proposal.read, "YAML file"), counted(proposal.services.len(), "service"));
    output.line(format_args!("Read {read}{templates}: {services}{environment}."));
    for file in &proposal.files {
        let NewFile { path, text, exists } = file;
        match (exists, dry_run) {
            (false, false) if path.ends_with(SETTINGS) => {
                output.line(format_args!("  {} {path}{}", styled(GOOD, "wrote"), found(proposal)));
            }
            (false, false) => output.line(format_args!("  {} {path}", styled(GOOD, "wrote"))),
            (false, true) => {
                output.line(format_args!("\n{}", styled(NAME, format_args!("# {path}"))));
                output.write(format_args!("{text}"));
            }
            (true, _) if path.ends_with(SETTINGS) => {
                output.line(format_args!("  {} {path}", styled(BUSY, "left alone")));
            }
            (true, dry) => {
                if dry {
                    output.line("");
                }
                output.line(format_args!("  {} {path}; it could say:", styled(BUSY, "left alone")));
                text.lines().for_each(|line| output.line(format_args!("      {line}")));
            }
        }
    }
    tell_left(proposal, output);
    for owned in &proposal.owned {
        let services: Vec<&str> = owned.services.iter().map(ServiceName::as_str).collect();
        let title = styled(BUSY, format_args!("{} owns the images of", owned.manager));
        output.line(format_args!("\n{title} {}", listed(&services)));
        output.line(format_args!("  to let Pintle move them: {}", owned.way_out));
    }
    output.line("");
    if !dry_run && proposal.files.iter().any(|file| !file.exists) {
        output.line("Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'");
    }
    output.line(counts(proposal));
}

/// What the patterns find.
fn found(proposal: &Proposal) -> String {
    let services: usize = proposal.patterns.iter().map(|(_, services)| services).sum();
    let patterns = counted(proposal.patterns.len(), "pattern");
    if services == 0 { String::new() } else { format!(": {patterns} for {}", counted(services, "service")) }
}

/// `150 services, 87 edges between 61 of them; 89 have none: pintle graph`.
fn counts(proposal: &Proposal) -> String {
    let all = proposal.services.len();
    let edges = proposal.linked.len();
    let linked: BTreeSet<_> = proposal.linked.iter().flat_map(|(consumer, provider)| [consumer, provider]).collect();
    let none = match all - linked.len() {
        1 => "1 has none".to_owned(),
        none => format!("{none} have none"),
    };
    let between = if edges == 0 { String::new() } else { format!(" between {} of them", linked.len()) };
    format!("{}, {}{between}; {none}: pintle graph", counted(all, "service"), counted(edges, "edge"))
}

fn listed(names: &[&str]) -> String {
    /// More are counted.
    const MOST: usize = 8;
    match names.len().checked_sub(MOST) {
        Some(rest) if rest > 0 => format!("{} and {rest} more", names[..MOST].join(", ")),
        _ => names.join(", "),
    }
}

/// What is not pinned, and what was not read.
pub(super) fn tell_left(proposal: &Proposal, output: &mut Output) {
    let title = |output: &mut Output, text: &str| output.line(format_args!("\n{}", styled(BUSY, text)));
    if !proposal.left.is_empty() {
        title(output, "Not pinned");
        for left in &proposal.left {
            output.line(format_args!("  {}: {}", show(&left.what), display_safe(&left.why, 500)));
        }
    }
    if !proposal.unsupported.is_empty() {
        title(output, "Not moved by Pintle");
        for (object, path) in &proposal.unsupported {
            output.line(format_args!("  {} ({})", show(object), show(path)));
        }
    }
    if !proposal.skipped.is_empty() {
        title(output, "Not read");
        for skipped in &proposal.skipped {
            output.line(format_args!("  {skipped}"));
        }
    }
}

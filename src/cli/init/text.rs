//! `pintle init` for people.

use std::collections::BTreeSet;

use pintle_core::init::{InitProposal, ProposedFile};
use pintle_core::pins::{SETTINGS_FILE, ServiceName};
use pintle_core::problem::{display_safe, show};

use crate::cli::output::{BUSY_STYLE, GOOD_STYLE, NAME_STYLE, Output, counted, styled};

/// The files, what is left, whose the images are, and the counts.
pub(super) fn tell(proposal: &InitProposal, dry_run: bool, output: &mut Output) {
    let templates = match proposal.templates {
        0 => String::new(),
        count => format!(", passed over {}", counted(count, "template")),
    };
    let environment = proposal.environment.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
    let (read, services) = (counted(proposal.read, "YAML file"), counted(proposal.services.len(), "service"));
    output.line(format_args!("Read {read}{templates}: {services}{environment}."));
    for file in &proposal.files {
        let ProposedFile { path, text, exists } = file;
        match (exists, dry_run) {
            (false, false) if path.ends_with(SETTINGS_FILE) => {
                output.line(format_args!("  {} {path}{}", styled(GOOD_STYLE, "wrote"), found(proposal)));
            }
            (false, false) => output.line(format_args!("  {} {path}", styled(GOOD_STYLE, "wrote"))),
            (false, true) => {
                output.line(format_args!("\n{}", styled(NAME_STYLE, format_args!("# {path}"))));
                output.write(format_args!("{text}"));
            }
            (true, _) if path.ends_with(SETTINGS_FILE) => {
                output.line(format_args!("  {} {path}", styled(BUSY_STYLE, "left alone")));
            }
            (true, dry) => {
                if dry {
                    output.line("");
                }
                output.line(format_args!("  {} {path}; it could say:", styled(BUSY_STYLE, "left alone")));
                text.lines().for_each(|line| output.line(format_args!("      {line}")));
            }
        }
    }
    tell_left(proposal, output);
    for owned in &proposal.engine_ownership {
        let services: Vec<&str> = owned.services.iter().map(ServiceName::as_str).collect();
        let title = styled(BUSY_STYLE, format_args!("{} owns the images of", owned.manager));
        output.line(format_args!("\n{title} {}", listed(&services)));
        output.line(format_args!("  to let Pintle move them: {}", owned.remedy));
    }
    output.line("");
    if !dry_run && proposal.files.iter().any(|file| !file.exists) {
        output.line("Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'");
    }
    output.line(counts(proposal));
}

/// What the patterns find.
fn found(proposal: &InitProposal) -> String {
    let services: usize = proposal.patterns.iter().map(|(_, services)| services).sum();
    let patterns = counted(proposal.patterns.len(), "pattern");
    if services == 0 { String::new() } else { format!(": {patterns} for {}", counted(services, "service")) }
}

/// `150 services, 87 edges between 61 of them; 89 have none: pintle graph`.
fn counts(proposal: &InitProposal) -> String {
    let all = proposal.services.len();
    let edges = proposal.all_edges.len();
    let linked: BTreeSet<_> = proposal.all_edges.iter().flat_map(|(consumer, provider)| [consumer, provider]).collect();
    let none = match all - linked.len() {
        1 => "1 has none".to_owned(),
        none => format!("{none} have none"),
    };
    let between = if edges == 0 { String::new() } else { format!(" between {} of them", linked.len()) };
    format!("{}, {}{between}; {none}: pintle graph", counted(all, "service"), counted(edges, "edge"))
}

fn listed(names: &[&str]) -> String {
    /// More are counted.
    const MAX_LISTED_SERVICES: usize = 8;
    match names.len().checked_sub(MAX_LISTED_SERVICES) {
        Some(rest) if rest > 0 => format!("{} and {rest} more", names[..MAX_LISTED_SERVICES].join(", ")),
        _ => names.join(", "),
    }
}

/// What is not pinned, and what was not read.
pub(super) fn tell_left(proposal: &InitProposal, output: &mut Output) {
    let title = |output: &mut Output, text: &str| output.line(format_args!("\n{}", styled(BUSY_STYLE, text)));
    if !proposal.unpinned.is_empty() {
        title(output, "Not pinned");
        for left in &proposal.unpinned {
            output.line(format_args!("  {}: {}", show(&left.item), display_safe(&left.reason, 500)));
        }
    }
    if !proposal.unsupported.is_empty() {
        title(output, "Not moved by Pintle");
        for (object, path) in &proposal.unsupported {
            output.line(format_args!("  {} ({})", show(object), show(path)));
        }
    }
    if !proposal.unreadable_files.is_empty() {
        title(output, "Not read");
        for skipped in &proposal.unreadable_files {
            output.line(format_args!("  {skipped}"));
        }
    }
}

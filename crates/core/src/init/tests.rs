//! Proposals for whole repositories.

mod edges;
mod proposed;
mod read;

use std::fmt::Write as _;

use insta::assert_snapshot;
use proptest::collection::vec;
use proptest::prelude::*;

use super::patterns::file;
use super::*;
use crate::git::RepoFile;

/// Formats the proposal as text.
fn proposed(files: &[(&str, &str)]) -> String {
    proposed_for(files, &InitOptions::default())
}

fn proposed_for(files: &[(&str, &str)], wish: &InitOptions<'_>) -> String {
    let files: Vec<RepoFile> = files.iter().map(|(path, text)| file(path, text)).collect();
    let proposal = match propose(&files, wish) {
        Ok(proposal) => proposal,
        Err(choice) => return format!("which of {}?", choice.environments.join(", ")),
    };
    let mut text = String::new();
    for ProposedFile { path, text: said, exists } in &proposal.files {
        let _ = write!(text, "# {path}{}\n{said}", if *exists { " exists" } else { "" });
    }
    for UnpinnedItem { item: what, reason: why } in &proposal.unpinned {
        let _ = writeln!(text, "left {what}: {why}");
    }
    for skipped in &proposal.unreadable_files {
        let _ = writeln!(text, "skipped {skipped}");
    }
    for (object, path) in &proposal.unsupported {
        let _ = writeln!(text, "unsupported {object} in {path}");
    }
    let services: Vec<&str> = proposal.services.iter().map(ServiceName::as_str).collect();
    text + &format!("{} services: {}", services.len(), services.join(" "))
}

/// Renders a Deployment with one container of its own name.
fn deployment(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  template:\n    spec:\n      \
         containers:\n      - name: {name}\n        image: {image}\n"
    )
}

/// Renders a Deployment with environment variables.
fn with_env(name: &str, env: &[(&str, &str)]) -> String {
    let mut text = deployment(name, &format!("acme/{name}:1.0.0")) + "        env:\n";
    for (key, value) in env {
        let _ = writeln!(text, "        - {{name: {key}, value: {value:?}}}");
    }
    text
}

//! Reads the files of a repository, each according to its kind.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::node::text;
use super::seen::RepoScan;
use super::{compose, engines, helm, kustomize, manifest};
use crate::git::{FileContent, RepoFile};
use crate::pins::{SETTINGS_FILE, YamlValue, parse_file};
use crate::printable::show;
use crate::problem::one_line_message;

pub(super) fn scan_files(files: &[RepoFile]) -> RepoScan {
    let charts: BTreeSet<&str> = files.iter().filter_map(|file| file.path.strip_suffix("Chart.yaml")).collect();
    let mut seen = RepoScan::default();
    for file in files {
        let template = file.path.match_indices("templates/").any(|(at, _)| charts.contains(&file.path[..at]));
        let ours = file.path.rsplit('/').next() == Some(SETTINGS_FILE);
        if template {
            seen.templates += 1;
        } else if !ours {
            one(&mut seen, file);
        }
    }
    seen
}

fn one(seen: &mut RepoScan, file: &RepoFile) {
    let path = &file.path;
    let bytes = match &file.content {
        FileContent::Bytes(bytes) => bytes,
        FileContent::Symlink => {
            return seen.unreadable_files.push(format!("{}: a symbolic link, never followed", show(path)));
        }
        FileContent::TooLarge(size) => {
            return seen.unreadable_files.push(format!("{}: {size} bytes are too many", show(path)));
        }
        FileContent::Submodule => return,
    };
    seen.files += 1;
    let read = parse_file(path, bytes, |tree| tree.documents().for_each(|value| document(seen, path, value)));
    if let Err(problem) = read {
        // The file is a template, mostly of Helm: not YAML before it is rendered.
        if bytes.windows(2).any(|pair| pair == b"{{" || pair == b"{%") {
            seen.files -= 1;
            seen.templates += 1;
        } else {
            seen.unreadable_files.push(one_line_message(&problem, bytes));
        }
    }
}

fn document(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>) {
    let file = path.rsplit('/').next().unwrap_or_default();
    let group = text(value, &["apiVersion"]).map(|version| version.split('/').next().unwrap_or_default());
    match (group, text(value, &["kind"]).unwrap_or_default()) {
        (_, "HelmRelease") => helm::release(seen, path, value),
        (Some("argoproj.io"), "Application" | "ApplicationSet") => engines::application(seen, path, value),
        (Some("kustomize.toolkit.fluxcd.io"), "Kustomization") => engines::flux(seen, value),
        _ if kustomize::is_kustomization(file) => kustomize::file(seen, path, value),
        (Some(_), kind) if !kind.is_empty() => manifest::object(seen, path, value, ""),
        _ if compose::is_compose(file) => compose::file(seen, path, value),
        _ if helm::is_values(path) => helm::values(seen, path, value),
        _ => {}
    }
}

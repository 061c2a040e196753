//! Reads the files of a repository, each according to its kind.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::node::text;
use super::seen::Seen;
use super::{compose, engines, helm, kustomize, manifest};
use crate::git::{Content, File};
use crate::pins::{SETTINGS, Value, parse_file};
use crate::printable::show;
use crate::problem::located;

pub(super) fn read(files: &[File]) -> Seen {
    let charts: BTreeSet<&str> = files.iter().filter_map(|file| file.path.strip_suffix("Chart.yaml")).collect();
    let mut seen = Seen::default();
    for file in files {
        let template = file.path.match_indices("templates/").any(|(at, _)| charts.contains(&file.path[..at]));
        let ours = file.path.rsplit('/').next() == Some(SETTINGS);
        if template {
            seen.templates += 1;
        } else if !ours {
            one(&mut seen, file);
        }
    }
    seen
}

fn one(seen: &mut Seen, file: &File) {
    let path = &file.path;
    let bytes = match &file.content {
        Content::Bytes(bytes) => bytes,
        Content::Symlink => return seen.skipped.push(format!("{}: a symbolic link, never followed", show(path))),
        Content::TooLarge(size) => return seen.skipped.push(format!("{}: {size} bytes are too many", show(path))),
        Content::Submodule => return,
    };
    seen.files += 1;
    let read = parse_file(path, bytes, |tree| tree.documents().for_each(|value| document(seen, path, value)));
    if let Err(problem) = read {
        // The file is a template, mostly of Helm: not YAML before it is rendered.
        if bytes.windows(2).any(|pair| pair == b"{{" || pair == b"{%") {
            seen.files -= 1;
            seen.templates += 1;
        } else {
            seen.skipped.push(located(&problem, bytes));
        }
    }
}

fn document(seen: &mut Seen, path: &Arc<str>, value: Value<'_>) {
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

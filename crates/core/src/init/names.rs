//! Derives the name of a service that no object names, by a majority of workload, image and folders.

use super::environment;
use super::node::basename;
use super::seen::{ConfigFormat, ScannedWorkload, VersionLocation};

/// Folder names that are no names of services.
const GENERIC_FOLDERS: [&str; 26] = [
    "app",
    "apps",
    "application",
    "applications",
    "base",
    "bases",
    "chart",
    "charts",
    "config",
    "deploy",
    "deployment",
    "deployments",
    "gitops",
    "helm",
    "infra",
    "infrastructure",
    "k8s",
    "kubernetes",
    "kustomize",
    "manifests",
    "overlays",
    "releases",
    "services",
    "values",
    "clusters",
    "environments",
];

/// Derives the service name for a place. `path` is relative to the folder of the pins; `runs` are the workloads that
/// run its image.
pub(super) fn service_name_of(spot: &VersionLocation, path: &str, runs: &[&ScannedWorkload]) -> String {
    if let Some(name) = &spot.name {
        return name.clone();
    }
    let folders = folders(path);
    let image = spot.repository.as_deref().map(basename);
    if spot.layout == ConfigFormat::HelmValues {
        let named = of_file(path).or_else(|| folders.last().copied());
        let agreed = image.filter(|image| folders.contains(image));
        return agreed.or(named).or(image).unwrap_or(path).to_owned();
    }
    let mut candidates: Vec<&str> = runs.iter().map(|it| it.workload.name.as_str()).collect();
    candidates.sort_unstable();
    candidates.dedup();
    let several = candidates.len() > 1;
    let votes = |name: &str| {
        usize::from(image == Some(name))
            + usize::from(folders.contains(&name))
            + usize::from(candidates.contains(&name))
    };
    let ranked = candidates.iter().copied().chain(image).chain(folders.last().copied());
    let best = ranked.rev().max_by_key(|name| votes(name)).unwrap_or(path);
    // If several workloads run the image and none matches another source, the image gives the name.
    if several && votes(best) == 1 { image.unwrap_or(best).to_owned() } else { best.to_owned() }
}

/// Returns the folders of a path that may be names of services.
fn folders(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    let names = |part: &&str| {
        !GENERIC_FOLDERS.contains(part) && environment::environment_of_path(&format!("{part}/x")).is_none()
    };
    let mut above = "";
    let mut folders = Vec::new();
    for part in parts {
        let path = format!("{above}/{part}/x");
        if names(&part) && environment::environment_of_path(&path).is_none() {
            folders.push(part);
        }
        above = part;
    }
    folders
}

/// Returns the name of a values file without `values` and environment: `web` for `web-values.yaml`, `values-web.yaml`
/// and `values/web.yaml`.
fn of_file(path: &str) -> Option<&str> {
    let file = path.rsplit('/').next()?;
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    let rest = stem.strip_suffix("values").or_else(|| stem.strip_prefix("values")).unwrap_or(stem);
    let rest = rest.trim_matches(['-', '_', '.']);
    if environment::is_environment(rest) {
        return None;
    }
    let rest = match environment::environment_of_path(&format!("{rest}.yaml")) {
        Some(environment) => rest.trim_end_matches(environment.as_str()).trim_start_matches(environment.as_str()),
        None => rest,
    };
    Some(rest.trim_matches(['-', '_', '.'])).filter(|rest| !rest.is_empty())
}

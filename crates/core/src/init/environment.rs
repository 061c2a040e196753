//! Finds the environment of a file by its path, and chooses the environment to pin.

use std::collections::BTreeSet;

use super::seen::RepoScan;
use super::{AmbiguousEnvironment, InitOptions};

/// Folders whose subfolders are environments.
const ENVIRONMENT_PARENTS: [&str; 7] = ["overlays", "environments", "envs", "env", "clusters", "stages", "environment"];

/// Common names of environments.
const ENVIRONMENT_NAMES: [&str; 19] = [
    "dev",
    "development",
    "test",
    "testing",
    "qa",
    "uat",
    "int",
    "integration",
    "stage",
    "staging",
    "preprod",
    "preproduction",
    "prod",
    "production",
    "live",
    "sandbox",
    "demo",
    "preview",
    "local",
];

/// Qualifiers after such a name, if there are several environments of a kind.
const REGION_WORDS: [&str; 10] = ["eu", "us", "ap", "asia", "east", "west", "north", "south", "central", "global"];

/// Returns the environment in a path: `prod` for `apps/web/overlays/prod/kustomization.yaml` and `values-prod.yaml`.
pub(super) fn environment_of_path(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let file = parts.pop().unwrap_or_default();
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    // `values.prod.yaml`
    let second = file.split('.').nth(1).filter(|word| is_environment(word));
    let mut found: Vec<&str> = Vec::new();
    let mut above = "";
    for part in parts {
        if ENVIRONMENT_PARENTS.contains(&above) || is_environment(part) {
            found.push(part);
        }
        above = part;
    }
    let of_stem = stem
        .match_indices(['-', '_'])
        .map(|(at, _)| &stem[at + 1..])
        .find(|rest| is_environment(rest))
        .or_else(|| stem.match_indices(['-', '_']).map(|(at, _)| &stem[..at]).rfind(|rest| is_environment(rest)));
    // A service may be called `demo`, so a whole file name only counts below such a folder.
    let whole =
        (ENVIRONMENT_PARENTS.contains(&above) || above == "values").then_some(stem).filter(|stem| is_environment(stem));
    for name in second.into_iter().chain(of_stem).chain(whole) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    (!found.is_empty()).then(|| found.join("/"))
}

/// Returns whether a name is a common one for environments.
pub(super) fn is_environment(name: &str) -> bool {
    let mut words = name.split(['-', '_']);
    let is_region = |word: &str| REGION_WORDS.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit());
    words.clone().any(|word| ENVIRONMENT_NAMES.contains(&word))
        && words.all(|word| ENVIRONMENT_NAMES.contains(&word) || is_region(word))
}

/// Chooses the environment to pin; `None` if the repository has no environments.
///
/// # Errors
/// The requested environment does not exist; or there are several, and neither namespace nor GitOps objects decide.
pub(super) fn choose_environment(
    seen: &RepoScan,
    wish: &InitOptions<'_>,
) -> Result<Option<String>, AmbiguousEnvironment> {
    let spots = || seen.versions.iter().filter(|spot| spot.written.is_some());
    let below = spots().filter_map(|spot| Some((spot, environment_of_path(wish.inner(&spot.path)?)?)));
    let all: Vec<_> = below.collect();
    let names: BTreeSet<&str> = all.iter().map(|(_, name)| name.as_str()).collect();
    let choice = || AmbiguousEnvironment {
        requested: wish.environment.map(str::to_owned),
        environments: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    if let Some(wanted) = wish.environment {
        let fits = |name: &str| name == wanted || name.split('/').any(|part| part == wanted);
        let exact = names.iter().find(|name| **name == wanted).copied();
        let found = exact.or_else(|| single(names.iter().copied().filter(|name| fits(name))));
        return found.map(|name| Some(name.to_owned())).ok_or_else(choice);
    }
    if names.len() <= 1 {
        return Ok(names.first().map(|name| (*name).to_owned()));
    }
    let namespace = wish.namespace.or(wish.live.map(|live| live.namespace.as_str()));
    let by_namespace = || {
        let of_namespace = all.iter().filter(|(spot, _)| namespace.is_some() && spot.namespace.as_deref() == namespace);
        single(of_namespace.map(|(_, name)| name.as_str()))
    };
    let by_engine = || {
        let applied: BTreeSet<String> = seen
            .engines
            .iter()
            .filter_map(|engine| environment_of_path(&format!("{}/x.yaml", wish.inner(&engine.path)?)))
            .collect();
        single(names.iter().copied().filter(|name| applied.contains(*name)))
    };
    by_namespace().or_else(by_engine).map(|name| Some(name.to_owned())).ok_or_else(choice)
}

fn single<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let names: BTreeSet<&str> = names.collect();
    names.first().copied().filter(|_| names.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::environment_of_path;

    #[test]
    fn paths_name_environments() {
        for (path, environment) in [
            ("apps/web/overlays/prod/kustomization.yaml", Some("prod")),
            ("apps/web/overlays/blue/kustomization.yaml", Some("blue")),
            ("apps/web/values-prod.yaml", Some("prod")),
            ("apps/web/values.staging.yaml", Some("staging")),
            ("apps/web/values-prod-eu-1.yaml", Some("prod-eu-1")),
            ("clusters/eu/prod/web.yaml", Some("eu/prod")),
            ("overlays/prod/values-prod.yaml", Some("prod")),
            ("environments/prod.yaml", Some("prod")),
            ("prod-values.yaml", Some("prod")),
            ("k8s/demo.yaml", None),
            ("k8s/web-canary.yaml", None),
            ("apps/live-chat/deployment.yaml", None),
            ("apps/test-runner/values.yaml", None),
            ("apps/web/base/deployment.yaml", None),
            ("compose.yaml", None),
        ] {
            assert_eq!(environment_of_path(path).as_deref(), environment, "{path}");
        }
    }
}

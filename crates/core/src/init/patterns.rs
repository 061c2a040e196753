//! Finds a few patterns that cover all versions, with `{service}` in place of names in paths, keys and images. Each
//! pattern is verified by reading the repository with it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::InitOptions;
use super::files::{Proposed, pattern_line, settings};
use super::resolve::FoundService;
use crate::git::{FileContent, RepoFile, blob_id};
use crate::pins::{ParsedRevision, Pin, Service, ServiceName, ValueKind, parse_revision, settings_path};
use crate::problem::Severity;

/// Placeholder for the name of a service.
const SERVICE_PLACEHOLDER: &str = "{service}";

/// Most patterns that are tried. Services that none of them finds get a file of their own.
const MAX_ATTEMPTS: usize = 64;

/// Returns the patterns, each with the services it finds. `truth` has the services that must be found.
pub(super) fn propose_patterns(
    files: &[RepoFile],
    wish: &InitOptions<'_>,
    found: &[FoundService<'_>],
    truth: &BTreeMap<ServiceName, Service>,
) -> Vec<(Proposed, BTreeSet<ServiceName>)> {
    let mut candidates: BTreeMap<Proposed, (usize, BTreeSet<ServiceName>)> = BTreeMap::new();
    for service in found.iter().filter(|it| truth.contains_key(&it.name)) {
        for (rank, candidate) in of_one(service, wish) {
            let entry = candidates.entry(candidate).or_insert((rank, BTreeSet::new()));
            entry.0 = entry.0.min(rank);
            entry.1.insert(service.name.clone());
        }
    }
    let others = without_ours(files, wish);
    let mut open: BTreeSet<ServiceName> = truth.keys().cloned().collect();
    let mut patterns = Vec::new();
    for _ in 0..MAX_ATTEMPTS {
        let worth = |services: &BTreeSet<ServiceName>| services.intersection(&open).count();
        let best = candidates.iter().rev().max_by_key(|(_, (rank, services))| (worth(services), Reverse(*rank)));
        let Some(proposed) = best.filter(|(_, (_, services))| worth(services) > 0).map(|(it, _)| it.clone()) else {
            break;
        };
        candidates.remove(&proposed);
        if let Some(covered) = verified(&others, wish, &proposed, truth).filter(|it| it.is_subset(&open)) {
            open.retain(|service| !covered.contains(service));
            patterns.push((proposed, covered));
        }
    }
    patterns
}

/// Rank of the least preferred patterns, which match more files than they find services in.
const LOOSE_RANK: usize = 100;

/// Returns the patterns that might find a service, each with its rank; 0 is the best.
fn of_one(service: &FoundService<'_>, wish: &InitOptions<'_>) -> Vec<(usize, Proposed)> {
    // The name must be that in the files, as a pattern finds no other name.
    let name = service.name.as_str();
    let path = wish.inner(&service.spot.path).unwrap_or(&service.spot.path);
    let general_path = generalise_path(path, name);
    let image = service.image.as_ref().map(|image| match image.rsplit_once('/') {
        Some((before, last)) if last == name => format!("{before}/{{service}}"),
        _ => image.clone(),
    });
    let proposed = |files: &str, key: &str| Proposed {
        files: files.to_owned(),
        key: key.to_owned(),
        image: image.clone(),
        as_image: service.spot.value == ValueKind::Image,
    };
    let mut all = Vec::new();
    for (at, key) in service.spot.key_paths.iter().enumerate() {
        let general_key = generalise_key(key, name);
        if let Some(files) = &general_path {
            all.extend(general_key.as_ref().map(|key| (3 * at, proposed(files, key))));
            all.push((3 * at + 1, proposed(files, key)));
        }
        if let Some(key) = &general_key {
            all.push((3 * at + 2, proposed(path, key)));
            let any = general_path.as_ref().map(|files| files.replace(SERVICE_PLACEHOLDER, "*"));
            all.extend(any.map(|files| (LOOSE_RANK + at, proposed(&files, key))));
        }
    }
    all
}

/// Returns `apps/{service}/values.yaml` and the like; `None` if the name does not occur in the path.
///
/// Whole folders are replaced first, else words of folder names. Words of the file name are replaced in either case.
fn generalise_path(path: &str, name: &str) -> Option<String> {
    if path.contains(['{', '}', '*']) {
        return None;
    }
    let whole = |part: &str| if part == name { SERVICE_PLACEHOLDER.to_owned() } else { part.to_owned() };
    let words = |part: &str| {
        let (stem, end) = part.split_at(part.find('.').unwrap_or(part.len()));
        generalise(stem, name, "-_").unwrap_or_else(|| stem.to_owned()) + end
    };
    let (folders, file) = path.rsplit_once('/').map_or((None, path), |(folders, file)| (Some(folders), file));
    let join = |of: &dyn Fn(&str) -> String| {
        let folders = folders.map(|folders| folders.split('/').map(of).collect::<Vec<_>>().join("/") + "/");
        folders.unwrap_or_default() + &words(file)
    };
    [join(&whole), join(&words)].into_iter().find(|general| general.contains(SERVICE_PLACEHOLDER))
}

/// Replaces the last occurrence of the name as a whole step, or else as a word of a step.
fn generalise_key(key: &str, name: &str) -> Option<String> {
    generalise(key, name, "/=.[]\"").or_else(|| generalise(key, name, "/=.[]\"-_"))
}

/// Replaces the last occurrence of the name that is delimited by these signs, or by the ends of the text.
fn generalise(text: &str, name: &str, signs: &str) -> Option<String> {
    let ends = |sign: Option<char>| sign.is_none_or(|sign| signs.contains(sign));
    let whole = |at: &usize| ends(text[..*at].chars().next_back()) && ends(text[at + name.len()..].chars().next());
    let at = text.match_indices(name).map(|(at, _)| at).filter(whole).last()?;
    Some(format!("{}{SERVICE_PLACEHOLDER}{}", &text[..at], &text[at + name.len()..]))
}

/// Returns the services that a pattern finds, if it finds no wrong ones and causes few problems.
fn verified(
    others: &[RepoFile],
    wish: &InitOptions<'_>,
    proposed: &Proposed,
    truth: &BTreeMap<ServiceName, Service>,
) -> Option<BTreeSet<ServiceName>> {
    let mut files = others.to_vec();
    files.push(file(&settings_path(wish.root), &settings(None, &[pattern_line(proposed)])));
    let ParsedRevision { pins, problems, .. } = parse_revision(wish.root, &files);
    let errors = problems.iter().any(|problem| problem.severity == Severity::Error);
    let same = |service: &Service| {
        truth
            .get(&service.name)
            .is_some_and(|truth| agree(&truth.pin, &service.pin) && truth.version_at == service.version_at)
    };
    let right = !pins.services.is_empty() && pins.services.values().all(same);
    let quiet = problems.len() * 2 <= pins.services.len() || problems.iter().all(|it| it.service.is_some());
    (!errors && right && quiet).then(|| pins.services.into_keys().collect())
}

fn agree(one: &Pin, other: &Pin) -> bool {
    one.version == other.version && one.image == other.image
}

/// Returns all files but those that Pintle reads as its own.
fn without_ours(files: &[RepoFile], wish: &InitOptions<'_>) -> Vec<RepoFile> {
    let ours = |file: &RepoFile| {
        let inner = wish.inner(&file.path).unwrap_or_default();
        inner == crate::pins::SETTINGS_FILE || inner.strip_prefix("services/").is_some_and(|rest| !rest.contains('/'))
    };
    files.iter().filter(|file| !ours(file)).cloned().collect()
}

/// Creates a file that does not exist in the repository.
pub(super) fn file(path: &str, text: &str) -> RepoFile {
    let bytes: Arc<[u8]> = text.as_bytes().into();
    RepoFile { path: path.into(), blob: blob_id(&bytes), content: FileContent::Bytes(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_paths_become_the_service() {
        for (path, general) in [
            ("apps/web/overlays/prod/kustomization.yaml", Some("apps/{service}/overlays/prod/kustomization.yaml")),
            ("apps/web/web.yaml", Some("apps/{service}/{service}.yaml")),
            ("k8s/web-deployment.yaml", Some("k8s/{service}-deployment.yaml")),
            ("k8s/values-web.yaml", Some("k8s/values-{service}.yaml")),
            ("helm/values-web-prod.yaml", Some("helm/values-{service}-prod.yaml")),
            ("k8s/webhook.yaml", None),
            ("apps/web-api/values.yaml", Some("apps/{service}-api/values.yaml")),
        ] {
            assert_eq!(generalise_path(path, "web").as_deref(), general, "{path}");
        }
    }

    #[test]
    fn whole_names_in_keys_become_the_service() {
        for (key, general) in [
            ("images[name=ghcr.io/acme/web].newTag", Some("images[name=ghcr.io/acme/{service}].newTag")),
            ("services.web.image", Some("services.{service}.image")),
            (
                "spec.template.spec.containers[name=web].image",
                Some("spec.template.spec.containers[name={service}].image"),
            ),
            ("images[name=web/web].newTag", Some("images[name=web/{service}].newTag")),
            ("images[name=acme/web-api].newTag", Some("images[name=acme/{service}-api].newTag")),
            ("images[name=acme/webhook].newTag", None),
            ("image.tag", None),
        ] {
            assert_eq!(generalise_key(key, "web").as_deref(), general, "{key}");
        }
    }
}

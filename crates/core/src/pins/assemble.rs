//! Combines the fragments of a revision into pins.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::check::{self, DeclaredServices};
use super::idle::{self, FolderNames};
use super::layout::SERVICES_FOLDER;
use super::resolve::{Said, resolve_pin};
use super::suggest::nearest_candidate;
use super::{
    DriftPolicy, Fragment, Layout, Pin, Pins, Runtime, SETTINGS_FILE, Service, ServiceName, Settings, WorkloadKind,
    WorkloadRef,
};
use crate::git::RepoFile;
use crate::printable::show;
use crate::problem::{self, FilePlace, Problem, Severity, one_line_message};

/// The pins and the problems of a revision.
#[derive(Debug, Clone)]
pub struct ParsedRevision {
    pub pins: Pins,
    /// Services with complete declarations that an error from the checks between files breaks. Later checks still need
    /// them.
    pub faulty: BTreeMap<ServiceName, Service>,
    /// All problems, by path and place.
    pub problems: Vec<Problem>,
    /// The reason that nothing of this revision may be used. Everything that runs is held then. The settings have
    /// errors, or a file that may pin any service cannot be read, or nothing is pinned at all.
    pub unusable: Option<String>,
}

/// Reads files on as many threads as the machine has. The fragments are in the order of the files.
pub fn read_fragments<'f>(files: &[&'f RepoFile], layout: &Layout) -> Vec<Fragment> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len().div_ceil(64)).max(1);
    let read = |files: &[&'f RepoFile]| files.iter().map(|file| Fragment::read(file, layout)).collect::<Vec<_>>();
    let mut chunks = files.chunks(files.len().div_ceil(threads).max(1));
    let mine = chunks.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let start = |chunk| (chunk, std::thread::Builder::new().spawn_scoped(scope, move || read(chunk)).ok());
        let others: Vec<_> = chunks.map(start).collect();
        let mut fragments = read(mine);
        for (chunk, thread) in others {
            // If no thread could be started, the current one reads the chunk.
            fragments.extend(thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| read(chunk)));
        }
        fragments
    })
}

/// Combines the fragments of all files that the layout wants. `names` lists the files of a folder, for hints on
/// patterns that match nothing.
pub fn assemble_revision<'f>(
    settings: &Settings,
    fragments: impl IntoIterator<Item = &'f Fragment>,
    names: &FolderNames<'_>,
) -> ParsedRevision {
    let fragments: Vec<&Fragment> = fragments.into_iter().collect();
    let said = gather(&fragments);
    let mut problems: Vec<Problem> = fragments.iter().flat_map(|fragment| fragment.problems.iter().cloned()).collect();
    let mut services = BTreeMap::new();
    for (name, said) in said.iter().filter(|(_, said)| !said.broken) {
        match resolve_pin(name, said) {
            Ok((pin, version_at)) => {
                services.insert(name.clone(), assemble_service(name, settings, said, (pin, version_at)));
            }
            Err(why) => problems.push(check::unpinned_problem(settings, (name, said), why)),
        }
    }
    let declared = DeclaredServices { settings, said: &said, services: &services };
    problems.extend(check::cross_file_problems(&declared));
    problems.extend(idle::unmatched_pattern_problems(settings, &fragments, names));
    let nothing = (said.is_empty() && !settings.allow_empty).then(|| nothing_pinned(settings, names));
    let blinding = nothing.as_ref().or_else(|| fragments.iter().find_map(|fragment| fragment.hiding_problem()));
    let bytes: HashMap<&str, &[u8]> = if problems.is_empty() {
        HashMap::new()
    } else {
        fragments.iter().map(|fragment| (&*fragment.path, &*fragment.bytes)).collect()
    };
    let tell =
        |problem: &Problem| one_line_message(problem, bytes.get(&*problem.place.path).copied().unwrap_or_default());
    let unusable = blinding.map(tell);
    problems.extend(nothing);
    problem::sort_problems(&mut problems);
    let (mut broken, mut faulty) = (BTreeMap::new(), BTreeMap::new());
    for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
        if let Some(service) = &problem.service {
            faulty.extend(services.remove_entry(service));
            broken.entry(service.clone()).or_insert_with(|| tell(problem));
        }
    }
    problem::drop_mirrored(&mut problems);
    ParsedRevision { pins: Pins { settings: settings.clone(), services, broken }, faulty, problems, unusable }
}

/// Returns the pin of one service from the fragments that declare it, as history records it. None if the service is
/// absent or has an error.
pub fn assemble_pin<'f>(service: &ServiceName, fragments: impl IntoIterator<Item = &'f Fragment>) -> Option<Pin> {
    let mut said = Said::default();
    for fragment in fragments {
        let own = fragment.draft.as_ref().filter(|(name, _)| name == service);
        said.draft = said.draft.or(own.map(|(_, draft)| (&**draft, &fragment.path)));
        said.found.extend(fragment.found().filter(|found| found.service == *service));
        said.broken |= fragment.errors().any(|problem| problem.service.as_ref() == Some(service));
    }
    if said.broken { None } else { resolve_pin(service, &said).ok().map(|(pin, _)| pin) }
}

fn gather<'f>(fragments: &[&'f Fragment]) -> BTreeMap<ServiceName, Said<'f>> {
    let mut said: BTreeMap<ServiceName, Said<'f>> = BTreeMap::new();
    for fragment in fragments {
        if let Some((name, draft)) = &fragment.draft {
            said.entry(name.clone()).or_default().draft = Some((draft, &fragment.path));
        }
        for found in fragment.found() {
            said.entry(found.service.clone()).or_default().found.push(found);
        }
        for service in fragment.errors().filter_map(|problem| problem.service.as_ref()) {
            said.entry(service.clone()).or_default().broken = true;
        }
    }
    said
}

fn assemble_service(
    name: &ServiceName,
    settings: &Settings,
    said: &Said<'_>,
    (pin, version_at): (Pin, FilePlace),
) -> Service {
    let draft = said.draft().into_owned();
    // The local runtime has no workloads: the service is its own workload.
    let of_cluster = settings.runtime == Runtime::Kubernetes;
    let kind = if of_cluster { WorkloadKind::Deployment } else { WorkloadKind::Process };
    let default_workload = || vec![WorkloadRef { kind, name: name.to_string() }];
    let named = draft.workloads.filter(|_| of_cluster);
    let on_drift = draft.drift.map(|(policy, grace)| DriftPolicy {
        action: policy.unwrap_or(settings.drift.action),
        hand_grace: grace.unwrap_or(settings.drift.hand_grace),
    });
    Service {
        name: name.clone(),
        pin,
        workloads: named.map_or_else(default_workload, |(workloads, _)| workloads),
        containers: draft.containers.filter(|_| of_cluster),
        namespace: draft.namespace,
        versioning: draft.versioning,
        hold: draft.hold,
        rollback_floor: draft.rollback_floor,
        drift: on_drift,
        external: draft.external,
        formerly: draft.formerly.map(|(formerly, _)| formerly),
        version_at,
        needs_at: draft.needs.places.into_iter().collect(),
        rollback_floor_at: draft.rollback_floor_at,
    }
}

/// A revision without pins is more often an accident, such as a renamed folder or an emptied file, than intended.
fn nothing_pinned(settings: &Settings, names: &FolderNames<'_>) -> Problem {
    let place = FilePlace::whole_file(&Arc::clone(&settings.place.path));
    let here = names("");
    let has_settings = here.iter().any(|name| name == SETTINGS_FILE);
    let folder = settings.place.path.strip_suffix(SETTINGS_FILE).unwrap_or_default().trim_end_matches('/');
    let hint = match nearest_candidate(SERVICES_FOLDER, here.iter().map(String::as_str)) {
        Some(like) if like != SERVICES_FOLDER => {
            format!("service files stand in `{SERVICES_FOLDER}`, and here is a `{}`", show(like))
        }
        _ if here.is_empty() && !folder.is_empty() => {
            format!("there is nothing in `{}`: name the folder that holds {SETTINGS_FILE}", show(folder))
        }
        _ => format!("pin one in {SERVICES_FOLDER}/NAME.yaml"),
    };
    let on_purpose = if has_settings { "; if none is meant, write `allowEmpty: true` into pintle.yaml" } else { "" };
    Problem::error("0 pins: this revision pins no service", place).hint(hint + on_purpose)
}

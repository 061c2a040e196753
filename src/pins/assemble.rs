//! Puts the fragments of a revision together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::check::{self, Declared};
use super::resolve::{Said, resolve};
use super::{
    DriftPolicy, Fragment, Layout, Pin, Pins, Runtime, Service, ServiceName, Settings, WorkloadKind, WorkloadRef,
    settings_path,
};
use crate::problem::{Place, Problem, Severity, located};
use crate::source::{Content, File};

/// What a revision says, and all that is wrong with it.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The services that can be used, and those that cannot.
    pub pins: Pins,
    /// Services that are broken only because of what stands in other files: for what else is wrong with them.
    pub faulty: BTreeMap<ServiceName, Service>,
    /// By path and place.
    pub problems: Vec<Problem>,
    /// Set where nothing of this revision may be used, with the reason: the settings have errors, a file cannot be
    /// read that may pin any service, or nothing is pinned at all. What runs is held then.
    pub unusable: Option<String>,
}

/// Reads a revision whose files are in memory: settings, service files, then the files that their patterns name. Other
/// files may be among them.
pub fn read(root: &str, files: &[File]) -> Reading {
    let path = settings_path(root);
    let (settings, problems) = match files.iter().find(|file| *file.path == *path) {
        None => (Some(Settings::default()), Vec::new()),
        Some(File { path, content: Content::Bytes(bytes), .. }) => Settings::read(path, bytes),
        Some(File { path, .. }) => (None, vec![Problem::error("this is not a regular file", Place::file(path))]),
    };
    let defaults = Settings::default();
    let first = Layout::new(root, settings.as_ref().unwrap_or(&defaults), []);
    let (own, others): (Vec<_>, Vec<_>) = files.iter().partition(|file| first.service_file(&file.path).is_some());
    let mut fragments = read_all(&own, &first);
    let Some(settings) = settings else { return without_settings(problems, &fragments, files) };
    let layout = Layout::new(root, &settings, fragments.iter().flat_map(Fragment::patterns).cloned());
    for (fragment, file) in fragments.iter_mut().zip(&own) {
        // A `pin:` may name a service file too.
        if first.roles(&file.path).len() != layout.roles(&file.path).len() {
            *fragment = Fragment::read(file, &layout);
        }
    }
    let others: Vec<_> = others.into_iter().filter(|file| layout.wants(&file.path)).collect();
    fragments.extend(read_all(&others, &layout));
    let mut reading = assemble(&settings, &fragments);
    reading.problems.extend(problems);
    sort(&mut reading.problems);
    reading
}

/// Without settings nobody knows where the pins are: only what is wrong with each file on its own is told.
fn without_settings(mut problems: Vec<Problem>, fragments: &[Fragment], files: &[File]) -> Reading {
    let unusable = problems.first().map(|problem| {
        let file = files.iter().find(|file| file.path == problem.place.path);
        let bytes = file.and_then(|file| if let Content::Bytes(bytes) = &file.content { Some(bytes) } else { None });
        located(problem, bytes.map_or(&[], |bytes| bytes))
    });
    problems.extend(fragments.iter().flat_map(|fragment| fragment.problems.iter().cloned()));
    sort(&mut problems);
    let pins = Pins { settings: Settings::default(), services: BTreeMap::new(), broken: BTreeMap::new() };
    Reading { pins, faulty: BTreeMap::new(), problems, unusable }
}

/// Reads files on as many threads as the machine has; fragments in the order of the files.
pub fn read_all<'f>(files: &[&'f File], layout: &Layout) -> Vec<Fragment> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len().div_ceil(64)).max(1);
    let read = |files: &[&'f File]| files.iter().map(|file| Fragment::read(file, layout)).collect::<Vec<_>>();
    let mut chunks = files.chunks(files.len().div_ceil(threads).max(1));
    let mine = chunks.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let start = |chunk| (chunk, std::thread::Builder::new().spawn_scoped(scope, move || read(chunk)).ok());
        let others: Vec<_> = chunks.map(start).collect();
        let mut fragments = read(mine);
        for (chunk, thread) in others {
            // Where no thread could be started, this one reads.
            fragments.extend(thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| read(chunk)));
        }
        fragments
    })
}

/// Puts a revision together. The fragments are those of all files that the layout wants.
pub fn assemble<'f>(settings: &Settings, fragments: impl IntoIterator<Item = &'f Fragment>) -> Reading {
    let fragments: Vec<&Fragment> = fragments.into_iter().collect();
    let said = gather(&fragments);
    let mut problems: Vec<Problem> = fragments.iter().flat_map(|fragment| fragment.problems.iter().cloned()).collect();
    let mut services = BTreeMap::new();
    for (name, said) in said.iter().filter(|(_, said)| !said.broken) {
        match resolve(name, said) {
            Ok((pin, version_at)) => {
                services.insert(name.clone(), service(name, settings, said, (pin, version_at)));
            }
            Err(problem) => problems.push(*problem),
        }
    }
    let declared = Declared { settings, said: &said, services: &services };
    problems.extend(check::all(&declared));
    let nothing = (said.is_empty() && !settings.allow_empty).then(|| nothing_pinned(settings));
    let blinding = nothing.as_ref().or_else(|| fragments.iter().find_map(|fragment| fragment.blinding()));
    let bytes: HashMap<&str, &[u8]> = if problems.is_empty() {
        HashMap::new()
    } else {
        fragments.iter().map(|fragment| (&*fragment.path, &*fragment.bytes)).collect()
    };
    let tell = |problem: &Problem| located(problem, bytes.get(&*problem.place.path).copied().unwrap_or_default());
    let unusable = blinding.map(tell);
    problems.extend(nothing);
    sort(&mut problems);
    let (mut broken, mut faulty) = (BTreeMap::new(), BTreeMap::new());
    for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
        if let Some(service) = &problem.service {
            faulty.extend(services.remove_entry(service));
            broken.entry(service.clone()).or_insert_with(|| tell(problem));
        }
    }
    Reading { pins: Pins { settings: settings.clone(), services, broken }, faulty, problems, unusable }
}

/// The pin of one service from the fragments that speak of it, as history has it: none where the service is not there,
/// or cannot be used.
pub fn pin_of<'f>(service: &ServiceName, fragments: impl IntoIterator<Item = &'f Fragment>) -> Option<Pin> {
    let mut said = Said::default();
    for fragment in fragments {
        said.drafts.extend(fragment.draft.as_deref().filter(|draft| draft.name == *service));
        said.found.extend(fragment.found.iter().filter(|found| found.service == *service));
        said.broken |= fragment.errors().any(|problem| problem.service.as_ref() == Some(service));
    }
    if said.broken { None } else { resolve(service, &said).ok().map(|(pin, _)| pin) }
}

fn gather<'f>(fragments: &[&'f Fragment]) -> BTreeMap<ServiceName, Said<'f>> {
    let mut said: BTreeMap<ServiceName, Said<'f>> = BTreeMap::new();
    for fragment in fragments {
        if let Some(draft) = &fragment.draft {
            said.entry(draft.name.clone()).or_default().drafts.push(draft);
        }
        for found in &fragment.found {
            said.entry(found.service.clone()).or_default().found.push(found);
        }
        for service in fragment.errors().filter_map(|problem| problem.service.as_ref()) {
            said.entry(service.clone()).or_default().broken = true;
        }
    }
    said
}

fn service(name: &ServiceName, settings: &Settings, said: &Said<'_>, (pin, version_at): (Pin, Place)) -> Service {
    let draft = said.drafts.first().copied();
    // A service of the local runtime has no workloads: it is one.
    let kind = match settings.runtime {
        Runtime::Kubernetes => WorkloadKind::Deployment,
        Runtime::Local => WorkloadKind::Process,
    };
    let default_workload = || vec![WorkloadRef { kind, name: name.to_string() }];
    let of_cluster = draft.filter(|_| settings.runtime == Runtime::Kubernetes);
    let named = of_cluster.and_then(|draft| draft.workloads.as_ref());
    let on_drift = draft.and_then(|draft| draft.drift).map(|(policy, grace)| DriftPolicy {
        policy: policy.unwrap_or(settings.drift.policy),
        hand_grace: grace.unwrap_or(settings.drift.hand_grace),
    });
    Service {
        name: name.clone(),
        pin,
        workloads: named.map_or_else(default_workload, |(workloads, _)| workloads.clone()),
        containers: of_cluster.and_then(|draft| draft.containers.clone()),
        namespace: draft.and_then(|draft| draft.namespace.clone()),
        versioning: draft.and_then(|draft| draft.versioning),
        hold: draft.and_then(|draft| draft.hold.clone()),
        rollback_floor: draft.and_then(|draft| draft.rollback_floor.clone()),
        drift: on_drift,
        external: draft.is_some_and(|draft| draft.external),
        formerly: draft.and_then(|draft| Some(draft.formerly.as_ref()?.0.clone())),
        version_at,
        depends_on_at: draft.and_then(|draft| draft.needs.at.clone()),
        needs_at: draft.map(|draft| draft.needs.places.iter().cloned().collect()).unwrap_or_default(),
        hold_at: draft.and_then(|draft| draft.hold_at.clone()),
        rollback_floor_at: draft.and_then(|draft| draft.rollback_floor_at.clone()),
    }
}

/// Zero pins are an accident more often than a wish: a folder renamed, a file emptied.
fn nothing_pinned(settings: &Settings) -> Problem {
    let place = Place::file(&Arc::clone(&settings.place.path));
    Problem::error("0 pins: this revision pins no service", place)
        .hint("pin one in services/NAME.yaml; if none is meant, write `allowEmpty: true` into pintle.yaml")
}

fn sort(problems: &mut [Problem]) {
    let start = |problem: &Problem| problem.place.span.as_ref().map(|span| span.start);
    problems.sort_by(|one, two| (&one.place.path, start(one)).cmp(&(&two.place.path, start(two))));
}

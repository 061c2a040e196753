//! The steps from files to a proposal.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::{self, ProposedEdge};
use super::files::{Proposed, ProposedServiceFile, pattern_line, settings};
use super::patterns::{self, file};
use super::read::scan_files as look;
use super::resolve::{self, FoundService};
use super::{AmbiguousEnvironment, InitOptions, InitProposal, ProposedFile, UnpinnedItem, environment, live, owners};
use crate::git::RepoFile;
use crate::pins::{
    ParsedRevision, Service, ServiceName, ValueKind, WorkloadKind, WorkloadRef, parse_revision, settings_path,
};
use crate::problem::{Problem, Severity};

/// Proposes the files that pin the versions of a repository in the places where they already are.
///
/// # Errors
/// The repository has several environments, and none was chosen.
pub fn propose(files: &[RepoFile], wish: &InitOptions<'_>) -> Result<InitProposal, AmbiguousEnvironment> {
    // 1. Findings in the files. Services that are pinned already are left alone.
    let seen = look(files);
    let environment = environment::choose_environment(&seen, wish)?;
    let (found, mut left) = resolve::find_services(&seen, wish, environment.as_deref());
    let before = parse_revision(wish.root, files);
    let known = |name: &ServiceName| before.pins.services.contains_key(name) || before.faulty.contains_key(name);
    let new = found.iter().filter(|it| !known(&it.name) && !in_the_way(it, wish, &mut left)).cloned();
    let new: Vec<FoundService<'_>> = new.collect();
    // 2. Each version by its place, then all versions by few patterns; and versions that run but are nowhere in Git.
    let own = readable(files, wish, &new, &mut left);
    let has_settings = exists(files, &settings_path(wish.root));
    let truth = own.iter().map(|(name, (service, _))| (name.clone(), service.clone())).collect();
    let patterns = if has_settings { Vec::new() } else { patterns::propose_patterns(files, wish, &new, &truth) };
    let running = live::nowhere(&seen, wish, before.pins.services.values().chain(truth.values()));
    left.extend(running.unpinned);
    // 3. Edges between the pinned services.
    let there = before.pins.services.keys().chain(before.faulty.keys()).chain(truth.keys()).chain(running.pins.keys());
    let mut services: BTreeSet<ServiceName> = there.cloned().collect();
    let pinned: Vec<FoundService<'_>> = found.iter().filter(|it| services.contains(&it.name)).cloned().collect();
    let mut edges = edges::propose_edges(&seen, &pinned, &|path| resolve::belongs(wish, path, environment.as_deref()));
    edges.retain(|name, _| before.pins.services.get(name).is_none_or(|it| it.pin.depends_on.is_empty()));
    // 4. The files.
    let parts = ProposalParts { wish, own: &own, patterns: &patterns, running: &running.pins, edges: &edges };
    let written = parts.files(files, &pinned);
    left.extend(unsound(files, wish, &written));
    services.retain(|service| !left.iter().any(|it| it.item == service.as_str()));
    let mut linked = linked(files, wish, &before, &edges);
    linked.retain(|(consumer, provider)| services.contains(consumer) && services.contains(provider));
    Ok(InitProposal {
        environment: environment.clone(),
        namespace: parts.namespace(&pinned),
        engine_ownership: owners::engine_ownership(&seen, wish, &pinned, &running.pins),
        patterns: patterns.into_iter().map(|(pattern, services)| (pattern, services.len())).collect(),
        services,
        files: written,
        edges,
        all_edges: linked,
        unpinned: left,
        unreadable_files: seen.unreadable_files,
        unsupported: seen.unsupported,
        read: seen.files,
        templates: seen.templates,
    })
}

/// Each service as Pintle reads it in its place, and the `pin:` entry for that place.
type ReadableServices = BTreeMap<ServiceName, (Service, Proposed)>;

/// The input of the files to write.
struct ProposalParts<'p> {
    wish: &'p InitOptions<'p>,
    own: &'p ReadableServices,
    patterns: &'p [(Proposed, BTreeSet<ServiceName>)],
    running: &'p BTreeMap<ServiceName, live::RunningPin>,
    edges: &'p BTreeMap<ServiceName, Vec<ProposedEdge>>,
}

/// Reads each service in the place of its version. Unreadable ones are added to `left`, with the reason.
fn readable(
    files: &[RepoFile],
    wish: &InitOptions<'_>,
    new: &[FoundService<'_>],
    left: &mut Vec<UnpinnedItem>,
) -> ReadableServices {
    let mut own = ReadableServices::new();
    let mut open: Vec<&FoundService<'_>> = new.iter().collect();
    for attempt in 0.. {
        let tried: Vec<_> = open.iter().filter_map(|it| Some((*it, pin(it, wish, attempt)?))).collect();
        if tried.is_empty() {
            break;
        }
        let ParsedRevision { mut pins, problems, .. } = read_with(files, wish, &tried);
        for (found, pin) in tried {
            if let Some(service) = pins.services.remove(&found.name) {
                own.insert(found.name.clone(), (service, pin));
            } else if found.spot.key_paths.len() == attempt + 1 {
                left.push(unreadable(found, &problems));
            }
        }
        open.retain(|it| !own.contains_key(&it.name));
    }
    own
}

/// Reads the repository with a `pin:` entry for each of these services.
fn read_with(files: &[RepoFile], wish: &InitOptions<'_>, tried: &[(&FoundService<'_>, Proposed)]) -> ParsedRevision {
    let services: BTreeMap<String, RepoFile> = tried
        .iter()
        .map(|(found, pin)| {
            let path = wish.outer(&format!("services/{}.yaml", found.name));
            let text = ProposedServiceFile { pin: Some(pin.clone()), ..ProposedServiceFile::default() }.text();
            (path.clone(), file(&path, &text))
        })
        .collect();
    let others = files.iter().filter(|file| !services.contains_key(&*file.path)).cloned();
    parse_revision(wish.root, &others.chain(services.values().cloned()).collect::<Vec<_>>())
}

fn unreadable(found: &FoundService<'_>, problems: &[Problem]) -> UnpinnedItem {
    let mine =
        |problem: &&Problem| problem.service.as_ref() == Some(&found.name) && problem.severity == Severity::Error;
    let why = match problems.iter().find(mine) {
        Some(problem) if problem.message.ends_with("is pinned twice") => {
            "another container of its name stands in the same file: give each its own name, or a file of its own"
                .to_owned()
        }
        Some(problem) => problem.message.clone(),
        None => "its version cannot be read".to_owned(),
    };
    UnpinnedItem { item: found.name.to_string(), reason: format!("{}: {why}", found.spot.path) }
}

/// Returns whether the version is in a folder that Pintle reserves for its own files; if so, adds it to `left`.
fn in_the_way(found: &FoundService<'_>, wish: &InitOptions<'_>, left: &mut Vec<UnpinnedItem>) -> bool {
    let inner = wish.inner(&found.spot.path).and_then(|path| path.strip_prefix("services/"));
    let ours = inner.is_some_and(|rest| !rest.contains('/'));
    if ours {
        let path = &found.spot.path;
        let why = format!(
            "{path} stands where Pintle keeps a file for each service: move it, as in git mv services manifests"
        );
        left.push(UnpinnedItem { item: found.name.to_string(), reason: why });
    }
    ours
}

/// Builds the `pin:` entry of a service with one of the key paths to its version.
fn pin(found: &FoundService<'_>, wish: &InitOptions<'_>, attempt: usize) -> Option<Proposed> {
    Some(Proposed {
        files: wish.inner(&found.spot.path)?.to_owned(),
        key: found.spot.key_paths.get(attempt)?.clone(),
        image: found.image.clone(),
        as_image: found.spot.value == ValueKind::Image,
    })
}

impl ProposalParts<'_> {
    /// Returns `pintle.yaml`, and a file for each service with content of its own.
    fn files(&self, files: &[RepoFile], pinned: &[FoundService<'_>]) -> Vec<ProposedFile> {
        let namespace = self.namespace(pinned);
        let new = |path: String, text: String| ProposedFile { exists: exists(files, &path), path, text };
        let lines: Vec<String> = self.patterns.iter().map(|(pattern, _)| pattern_line(pattern)).collect();
        let mut all = Vec::new();
        if !(self.own.is_empty() && self.running.is_empty())
            || pinned.iter().any(|it| self.edges.contains_key(&it.name))
        {
            all.push(new(settings_path(self.wish.root), settings(namespace.as_deref(), &lines)));
        }
        let found = pinned.iter().map(|it| (&it.name, self.file(it, namespace.as_deref())));
        let running = self.running.iter().map(|(name, runs)| {
            let edges = self.edges.get(name).map_or(&[][..], Vec::as_slice);
            (
                name,
                ProposedServiceFile {
                    running_pin: Some(runs.pin.clone()),
                    workloads: runs.workloads.clone(),
                    edges,
                    ..ProposedServiceFile::default()
                },
            )
        });
        let services: BTreeMap<&ServiceName, ProposedServiceFile<'_>> = found.chain(running).collect();
        let said = services.into_iter().filter(|(_, service)| !service.is_empty());
        all.extend(said.map(|(name, it)| new(self.wish.outer(&format!("services/{name}.yaml")), it.text())));
        all
    }

    fn file<'f>(&'f self, found: &'f FoundService<'_>, namespace: Option<&str>) -> ProposedServiceFile<'f> {
        let edges = self.edges.get(&found.name).map_or(&[][..], Vec::as_slice);
        let Some((_, pin)) = self.own.get(&found.name) else {
            // The service is pinned already.
            return ProposedServiceFile { edges, ..ProposedServiceFile::default() };
        };
        let covered = self.patterns.iter().any(|(_, services)| services.contains(&found.name));
        ProposedServiceFile {
            pin: Some(pin.clone()).filter(|_| !covered),
            running_pin: None,
            workloads: self.workloads(found),
            namespace: found.namespace.as_deref().filter(|it| Some(*it) != namespace),
            edges,
        }
    }

    /// Returns the namespace of most services. The files of other services name their own.
    fn namespace(&self, pinned: &[FoundService<'_>]) -> Option<String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for namespace in pinned.iter().filter_map(|it| it.namespace.as_deref()) {
            *counts.entry(namespace).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count).map(|(namespace, _)| namespace);
        self.wish.namespace.or(most).map(str::to_owned)
    }

    /// Returns a service's workloads, from its manifests or else from the cluster. Empty for the expected one alone.
    fn workloads(&self, found: &FoundService<'_>) -> Vec<WorkloadRef> {
        let expected = WorkloadRef { kind: WorkloadKind::Deployment, name: found.name.to_string() };
        let image = self.own.get(&found.name).map(|(service, _)| service.pin.image.repository());
        let running = || live::running(self.wish, image.unwrap_or_default(), &expected);
        let all = if found.workloads.is_empty() { running() } else { found.workloads.clone() };
        if all == [expected] { Vec::new() } else { all }
    }
}

/// Returns all edges after the proposal. Existing files are not changed, so their edges stay as they are.
fn linked(
    files: &[RepoFile],
    wish: &InitOptions<'_>,
    before: &ParsedRevision,
    edges: &BTreeMap<ServiceName, Vec<ProposedEdge>>,
) -> BTreeSet<(ServiceName, ServiceName)> {
    let old = before.pins.services.values().flat_map(|it| it.pin.depends_on.keys().map(|name| (&it.name, name)));
    let written = edges.iter().filter(|(name, _)| !exists(files, &wish.outer(&format!("services/{name}.yaml"))));
    let new = written.flat_map(|(name, edges)| edges.iter().map(move |edge| (name, &edge.provider)));
    old.chain(new).map(|(consumer, provider)| (consumer.clone(), provider.clone())).collect()
}

fn exists(files: &[RepoFile], path: &str) -> bool {
    files.iter().any(|file| *file.path == *path)
}

/// Returns the errors that Pintle finds in the repository with the new files. There should be none.
fn unsound(files: &[RepoFile], wish: &InitOptions<'_>, written: &[ProposedFile]) -> Vec<UnpinnedItem> {
    let new = written.iter().filter(|it| !it.exists).map(|it| file(&it.path, &it.text));
    let problems = parse_revision(wish.root, &files.iter().cloned().chain(new).collect::<Vec<_>>()).problems;
    let errors = problems.into_iter().filter(|problem| problem.severity == Severity::Error && !written.is_empty());
    errors
        .map(|it| UnpinnedItem {
            item: it.service.map_or_else(|| it.place.path.to_string(), |name| name.to_string()),
            reason: it.message,
        })
        .collect()
}

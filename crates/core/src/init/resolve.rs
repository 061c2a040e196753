//! Resolves the findings to services: the name of each, and the one place of its version.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::environment;
use super::names;
use super::node::repository;
use super::seen::{ConfigFormat, RepoScan, ScannedWorkload, ServiceReference, VersionLocation};
use super::{InitOptions, UnpinnedItem};
use crate::image::Image;
use crate::pins::{ServiceName, ValueKind, WorkloadRef};

/// A service, and the place of its version.
#[derive(Debug, Clone)]
pub(super) struct FoundService<'s> {
    pub(super) name: ServiceName,
    pub(super) spot: &'s VersionLocation,
    /// The image repository, if it is not beside the version.
    pub(super) image: Option<String>,
    /// The workloads that run it, by its manifests.
    pub(super) workloads: Vec<WorkloadRef>,
    /// The manifests of those workloads.
    pub(super) manifests: Vec<&'s ScannedWorkload>,
    pub(super) namespace: Option<String>,
    /// The texts of its files that may name other services.
    pub(super) references: Vec<&'s ServiceReference>,
}

/// The findings, indexed for repeated lookups.
struct WorkloadIndex<'s> {
    seen: &'s RepoScan,
    wish: &'s InitOptions<'s>,
    /// The environment to pin.
    chosen: Option<&'s str>,
    by_name: HashMap<&'s str, Vec<&'s ScannedWorkload>>,
    /// Workloads by the repositories of all their containers.
    by_repository: HashMap<String, Vec<&'s ScannedWorkload>>,
}

/// Returns the services, and the names that could not be resolved to one.
pub(super) fn find_services<'s>(
    seen: &'s RepoScan,
    wish: &'s InitOptions<'s>,
    chosen: Option<&'s str>,
) -> (Vec<FoundService<'s>>, Vec<UnpinnedItem>) {
    let sight = WorkloadIndex::new(seen, wish, chosen);
    let mut groups: BTreeMap<String, Vec<&VersionLocation>> = BTreeMap::new();
    for spot in sight.spots() {
        let path = wish.inner(&spot.path).unwrap_or(&spot.path);
        let runs = spot.repository.as_deref().map_or(&[][..], |repository| sight.workloads_running(repository));
        groups.entry(names::service_name_of(spot, path, runs)).or_default().push(spot);
    }
    let (mut found, mut left) = (Vec::new(), sight.composed());
    for (name, group) in groups {
        match sight.service(&name, &group) {
            Ok(Some(service)) => found.push(service),
            Ok(None) => {}
            Err(why) => left.push(UnpinnedItem { item: name, reason: why }),
        }
    }
    (found, left)
}

/// Normalizes a repository for comparison.
pub(super) fn normal(repository: &str) -> Option<String> {
    repository.parse::<Image>().ok().map(|image| image.repository().to_owned())
}

impl<'s> WorkloadIndex<'s> {
    fn new(seen: &'s RepoScan, wish: &'s InitOptions<'s>, chosen: Option<&'s str>) -> Self {
        let mut sight = Self { seen, wish, chosen, by_name: HashMap::new(), by_repository: HashMap::new() };
        for workload in seen.workloads.iter().filter(|it| belongs(wish, &it.path, chosen)) {
            sight.by_name.entry(&workload.workload.name).or_default().push(workload);
            let repositories: BTreeSet<String> =
                workload.images.iter().filter_map(|image| normal(repository(image))).collect();
            for repository in repositories {
                sight.by_repository.entry(repository).or_default().push(workload);
            }
        }
        sight
    }

    /// Returns the workloads that run an image of this repository.
    fn workloads_running(&self, repository: &str) -> &[&'s ScannedWorkload] {
        let found = normal(repository).and_then(|repository| self.by_repository.get(&repository));
        found.map_or(&[], Vec::as_slice)
    }

    /// Returns the places that count in this environment. Compose files count only if nothing else pins a version.
    /// Manifests do not count for images that a kustomization sets.
    fn spots(&self) -> Vec<&'s VersionLocation> {
        let pinned = |spot: &&&VersionLocation| spot.written.is_some() && self.wish.inner(&spot.path).is_some();
        let all: Vec<&VersionLocation> =
            self.seen.versions.iter().filter(|spot| belongs(self.wish, &spot.path, self.chosen)).collect();
        let composed = all.iter().filter(pinned).all(|spot| spot.layout == ConfigFormat::Compose);
        let set = all.iter().filter(|spot| spot.layout == ConfigFormat::Kustomize && spot.written.is_some());
        let set: BTreeSet<String> = set.filter_map(|spot| normal(spot.repository.as_deref()?)).collect();
        let overridden = |spot: &VersionLocation| {
            let repository = spot.repository.as_deref().and_then(normal);
            spot.layout == ConfigFormat::Manifest && repository.is_some_and(|repository| set.contains(&repository))
        };
        all.into_iter().filter(|spot| (spot.layout != ConfigFormat::Compose || composed) && !overridden(spot)).collect()
    }

    /// Returns the Compose files that do not count.
    fn composed(&self) -> Vec<UnpinnedItem> {
        let spots =
            || self.seen.versions.iter().filter(|spot| spot.written.is_some() && self.wish.inner(&spot.path).is_some());
        let files: BTreeSet<&str> =
            spots().filter(|spot| spot.layout == ConfigFormat::Compose).map(|spot| &*spot.path).collect();
        let alone = spots().all(|spot| spot.layout == ConfigFormat::Compose);
        let why = "passed over, because other files say what Kubernetes runs".to_owned();
        files
            .into_iter()
            .filter(|_| !alone)
            .map(|path| UnpinnedItem { item: path.to_owned(), reason: why.clone() })
            .collect()
    }

    /// Builds the service from the places with its name; `None` if none of them has a version.
    fn service(&self, name: &str, group: &[&'s VersionLocation]) -> Result<Option<FoundService<'s>>, String> {
        let Some(spot) = self.place(name, group)? else { return Ok(None) };
        let image = if spot.has_repository_beside || spot.value == ValueKind::Image {
            None
        } else {
            let repository = group.iter().find_map(|spot| spot.repository.clone());
            let nowhere = || format!("{} has its tag, and nothing says its image", spot.path);
            Some(repository.ok_or_else(nowhere)?)
        };
        let service = service_name(name).ok_or_else(|| format!("`{name}` cannot be made the name of a service"))?;
        let manifests = self.manifests(spot, name);
        let mut workloads: Vec<WorkloadRef> = manifests.iter().map(|manifest| affixed(manifest, spot)).collect();
        workloads.sort();
        workloads.dedup();
        let of_manifests = || manifests.iter().find_map(|manifest| manifest.namespace.clone());
        let applied = || self.seen.engine_of(&spot.path).and_then(|engine| engine.namespace.clone());
        Ok(Some(FoundService {
            name: service,
            spot,
            image,
            workloads,
            namespace: spot.namespace.clone().or_else(of_manifests).or_else(applied).filter(|it| is_label(it)),
            references: group.iter().flat_map(|spot| &spot.references).collect(),
            manifests,
        }))
    }

    /// Returns the one place of the version. The first layout decides; within it, files of the environment precede
    /// common ones.
    fn place(&self, name: &str, group: &[&'s VersionLocation]) -> Result<Option<&'s VersionLocation>, String> {
        let pinned =
            || group.iter().filter(|spot| spot.written.is_some() && self.wish.inner(&spot.path).is_some()).copied();
        let Some(first) = pinned().map(|spot| spot.layout).min() else { return Ok(None) };
        let of_layout: Vec<&VersionLocation> = pinned().filter(|spot| spot.layout == first).collect();
        let of = |spot: &VersionLocation| environment::environment_of_path(self.wish.inner(&spot.path)?);
        let of_environment = |spot: &&&VersionLocation| self.chosen.is_some() && of(spot).as_deref() == self.chosen;
        let nearest: Vec<&VersionLocation> = of_layout.iter().filter(of_environment).copied().collect();
        let nearest = if nearest.is_empty() { of_layout } else { nearest };
        if let [spot] = nearest.as_slice() {
            return Ok(Some(spot));
        }
        let places: Vec<_> = nearest.iter().map(|spot| format!("{} ({})", spot.path, spot.key_paths[0])).collect();
        let say = format!("say which one in services/{name}.yaml: `pin: {{file: …, key: …}}`");
        Err(format!("its version stands in {} places: {}; {say}", places.len(), places.join(", ")))
    }

    /// Returns the manifests of a service: by its image for a kustomization, by its name for all other layouts.
    fn manifests(&self, spot: &VersionLocation, name: &str) -> Vec<&'s ScannedWorkload> {
        if spot.layout == ConfigFormat::Compose {
            return Vec::new();
        }
        if spot.layout != ConfigFormat::Kustomize {
            return self.by_name.get(name).cloned().unwrap_or_default();
        }
        // Patches are included, which need not name the image.
        let runs = self.workloads_running(spot.repository.as_deref().unwrap_or_default());
        let workloads: BTreeSet<&WorkloadRef> = runs.iter().map(|it| &it.workload).collect();
        let named = workloads.iter().filter_map(|it| self.by_name.get(it.name.as_str())).flatten();
        named.copied().filter(|it| workloads.contains(&it.workload)).collect()
    }
}

/// Returns whether a file belongs to the environment, or to all environments. Files outside the folder of the pins only
/// count if their environment is that of the folder.
pub(super) fn belongs(wish: &InitOptions<'_>, path: &str, chosen: Option<&str>) -> bool {
    match wish.inner(path) {
        Some(inner) => {
            environment::environment_of_path(inner).is_none_or(|it| chosen.is_none_or(|chosen| it == chosen))
        }
        None => environment::environment_of_path(path)
            .is_none_or(|it| environment::environment_of_path(&wish.outer("x")) == Some(it)),
    }
}

fn affixed(manifest: &ScannedWorkload, spot: &VersionLocation) -> WorkloadRef {
    let (before, after) = &spot.affixes;
    WorkloadRef { name: format!("{before}{}{after}", manifest.workload.name), ..manifest.workload.clone() }
}

/// Converts a name to that of a service: `Web_App` becomes `web-app`.
pub(super) fn service_name(name: &str) -> Option<ServiceName> {
    ServiceName::new(name).ok().or_else(|| ServiceName::new(&name.to_lowercase().replace(['.', '_', ' '], "-")).ok())
}

/// Returns whether a text is a DNS label, as namespaces and names of services are. Templates are not.
fn is_label(text: &str) -> bool {
    ServiceName::new(text).is_ok()
}

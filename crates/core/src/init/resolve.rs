//! From what was seen to services: what each is called, and the one place where its version lives.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::environment;
use super::names;
use super::node::repository;
use super::seen::{Layout, Seen, SeenWorkload, Spot, Text};
use super::{Left, Wish};
use crate::image::Image;
use crate::pins::{ServiceName, ValueKind, WorkloadRef};

/// A service, and where its version lives.
#[derive(Debug, Clone)]
pub(super) struct Found<'s> {
    pub(super) name: ServiceName,
    pub(super) spot: &'s Spot,
    /// The repository, where Pintle does not find it beside the version.
    pub(super) image: Option<String>,
    /// The workloads that run it, as manifests say.
    pub(super) workloads: Vec<WorkloadRef>,
    /// The manifests of those.
    pub(super) manifests: Vec<&'s SeenWorkload>,
    pub(super) namespace: Option<String>,
    /// What its files say of other services.
    pub(super) texts: Vec<&'s Text>,
}

/// What is asked for again and again, found once.
struct Sight<'s> {
    seen: &'s Seen,
    wish: &'s Wish<'s>,
    /// The environment that is meant.
    chosen: Option<&'s str>,
    by_name: HashMap<&'s str, Vec<&'s SeenWorkload>>,
    /// By the repositories of all their containers.
    by_repository: HashMap<String, Vec<&'s SeenWorkload>>,
}

/// The services, and what has none.
pub(super) fn services<'s>(seen: &'s Seen, wish: &'s Wish<'s>, chosen: Option<&'s str>) -> (Vec<Found<'s>>, Vec<Left>) {
    let sight = Sight::new(seen, wish, chosen);
    let mut groups: BTreeMap<String, Vec<&Spot>> = BTreeMap::new();
    for spot in sight.spots() {
        let path = wish.inner(&spot.path).unwrap_or(&spot.path);
        let runs = spot.repository.as_deref().map_or(&[][..], |repository| sight.runs(repository));
        groups.entry(names::of(spot, path, runs)).or_default().push(spot);
    }
    let (mut found, mut left) = (Vec::new(), sight.composed());
    for (name, group) in groups {
        match sight.service(&name, &group) {
            Ok(Some(service)) => found.push(service),
            Ok(None) => {}
            Err(why) => left.push(Left { what: name, why }),
        }
    }
    (found, left)
}

/// What is compared of a repository.
pub(super) fn normal(repository: &str) -> Option<String> {
    repository.parse::<Image>().ok().map(|image| image.repository().to_owned())
}

impl<'s> Sight<'s> {
    fn new(seen: &'s Seen, wish: &'s Wish<'s>, chosen: Option<&'s str>) -> Self {
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

    /// The workloads that run an image of this repository.
    fn runs(&self, repository: &str) -> &[&'s SeenWorkload] {
        let found = normal(repository).and_then(|repository| self.by_repository.get(&repository));
        found.map_or(&[], Vec::as_slice)
    }

    /// The places that count in this environment: what Compose has counts where nothing else is there, and what Kustomize
    /// sets is not read from the manifests below it.
    fn spots(&self) -> Vec<&'s Spot> {
        let pinned = |spot: &&&Spot| spot.text.is_some() && self.wish.inner(&spot.path).is_some();
        let all: Vec<&Spot> =
            self.seen.spots.iter().filter(|spot| belongs(self.wish, &spot.path, self.chosen)).collect();
        let composed = all.iter().filter(pinned).all(|spot| spot.layout == Layout::Compose);
        let set = all.iter().filter(|spot| spot.layout == Layout::Kustomize && spot.text.is_some());
        let set: BTreeSet<String> = set.filter_map(|spot| normal(spot.repository.as_deref()?)).collect();
        let overridden = |spot: &Spot| {
            let repository = spot.repository.as_deref().and_then(normal);
            spot.layout == Layout::Manifest && repository.is_some_and(|repository| set.contains(&repository))
        };
        all.into_iter().filter(|spot| (spot.layout != Layout::Compose || composed) && !overridden(spot)).collect()
    }

    /// The Compose files that do not count.
    fn composed(&self) -> Vec<Left> {
        let spots =
            || self.seen.spots.iter().filter(|spot| spot.text.is_some() && self.wish.inner(&spot.path).is_some());
        let files: BTreeSet<&str> =
            spots().filter(|spot| spot.layout == Layout::Compose).map(|spot| &*spot.path).collect();
        let alone = spots().all(|spot| spot.layout == Layout::Compose);
        let why = "passed over, because other files say what Kubernetes runs".to_owned();
        files.into_iter().filter(|_| !alone).map(|path| Left { what: path.to_owned(), why: why.clone() }).collect()
    }

    /// The service of places that have one name; none where no version stands in any of them.
    fn service(&self, name: &str, group: &[&'s Spot]) -> Result<Option<Found<'s>>, String> {
        let Some(spot) = self.place(name, group)? else { return Ok(None) };
        let image = if spot.beside || spot.value == ValueKind::Image {
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
        let applied = || self.seen.engine(&spot.path).and_then(|engine| engine.namespace.clone());
        Ok(Some(Found {
            name: service,
            spot,
            image,
            workloads,
            namespace: spot.namespace.clone().or_else(of_manifests).or_else(applied).filter(|it| is_label(it)),
            texts: group.iter().flat_map(|spot| &spot.texts).collect(),
            manifests,
        }))
    }

    /// The one place where the version lives: the layout that decides, and of that the file of the environment before
    /// the one for all.
    fn place(&self, name: &str, group: &[&'s Spot]) -> Result<Option<&'s Spot>, String> {
        let pinned =
            || group.iter().filter(|spot| spot.text.is_some() && self.wish.inner(&spot.path).is_some()).copied();
        let Some(first) = pinned().map(|spot| spot.layout).min() else { return Ok(None) };
        let of_layout: Vec<&Spot> = pinned().filter(|spot| spot.layout == first).collect();
        let of = |spot: &Spot| environment::of(self.wish.inner(&spot.path)?);
        let of_environment = |spot: &&&Spot| self.chosen.is_some() && of(spot).as_deref() == self.chosen;
        let nearest: Vec<&Spot> = of_layout.iter().filter(of_environment).copied().collect();
        let nearest = if nearest.is_empty() { of_layout } else { nearest };
        if let [spot] = nearest.as_slice() {
            return Ok(Some(spot));
        }
        let places: Vec<_> = nearest.iter().map(|spot| format!("{} ({})", spot.path, spot.keys[0])).collect();
        let say = format!("say which one in services/{name}.yaml: `pin: {{file: …, key: …}}`");
        Err(format!("its version stands in {} places: {}; {say}", places.len(), places.join(", ")))
    }

    /// The manifests that run the image of a place, by the image where it is Kustomize's, else by their name.
    fn manifests(&self, spot: &Spot, name: &str) -> Vec<&'s SeenWorkload> {
        if spot.layout == Layout::Compose {
            return Vec::new();
        }
        if spot.layout != Layout::Kustomize {
            return self.by_name.get(name).cloned().unwrap_or_default();
        }
        // Patches of a workload need not name its image.
        let runs = self.runs(spot.repository.as_deref().unwrap_or_default());
        let workloads: BTreeSet<&WorkloadRef> = runs.iter().map(|it| &it.workload).collect();
        let named = workloads.iter().filter_map(|it| self.by_name.get(it.name.as_str())).flatten();
        named.copied().filter(|it| workloads.contains(&it.workload)).collect()
    }
}

/// Whether a file is of the environment, or of all. Outside the folder of the pins those of other folders like it are not.
pub(super) fn belongs(wish: &Wish<'_>, path: &str, chosen: Option<&str>) -> bool {
    match wish.inner(path) {
        Some(inner) => environment::of(inner).is_none_or(|it| chosen.is_none_or(|chosen| it == chosen)),
        None => environment::of(path).is_none_or(|it| environment::of(&wish.outer("x")) == Some(it)),
    }
}

fn affixed(manifest: &SeenWorkload, spot: &Spot) -> WorkloadRef {
    let (before, after) = &spot.affixes;
    WorkloadRef { name: format!("{before}{}{after}", manifest.workload.name), ..manifest.workload.clone() }
}

/// The name of a service for a name of another tool: `Web_App` becomes `web-app`.
pub(super) fn service_name(name: &str) -> Option<ServiceName> {
    ServiceName::new(name).ok().or_else(|| ServiceName::new(&name.to_lowercase().replace(['.', '_', ' '], "-")).ok())
}

/// A namespace is a label, as the name of a service is; a template of one is neither.
fn is_label(text: &str) -> bool {
    ServiceName::new(text).is_ok()
}

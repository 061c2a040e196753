//! From what was seen to services: what each is called, and the one place where its version lives.

use std::collections::{BTreeMap, BTreeSet};

use super::environment;
use super::names;
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

/// The services, and what has none.
pub(super) fn services<'s>(seen: &'s Seen, wish: &Wish<'_>, environment: Option<&str>) -> (Vec<Found<'s>>, Vec<Left>) {
    let mut groups: BTreeMap<String, Vec<&Spot>> = BTreeMap::new();
    for spot in spots(seen, wish, environment) {
        groups.entry(names::of(spot, wish.inner(&spot.path).unwrap_or(&spot.path), seen)).or_default().push(spot);
    }
    let (mut found, mut left) = (Vec::new(), Vec::new());
    for (name, group) in groups {
        match one(seen, wish, (&name, &group), environment) {
            Ok(Some(service)) => found.push(service),
            Ok(None) => {}
            Err(why) => left.push(Left { what: name, why }),
        }
    }
    (found, left)
}

/// The places that count in this environment: what Compose has counts where nothing else is there, and what Kustomize
/// sets is not read from the manifests below it.
fn spots<'s>(seen: &'s Seen, wish: &Wish<'_>, chosen: Option<&str>) -> Vec<&'s Spot> {
    let here = |spot: &&Spot| belongs(wish, &spot.path, chosen);
    let pinned = |spot: &&&Spot| spot.text.is_some() && wish.inner(&spot.path).is_some();
    let all: Vec<&Spot> = seen.spots.iter().filter(here).collect();
    let composed = all.iter().filter(pinned).all(|spot| spot.layout == Layout::Compose);
    let set: BTreeSet<String> = all
        .iter()
        .filter(|spot| spot.layout == Layout::Kustomize && spot.text.is_some())
        .filter_map(|spot| normal(spot.repository.as_deref()?))
        .collect();
    let overridden = |spot: &Spot| {
        spot.layout == Layout::Manifest
            && spot.repository.as_deref().and_then(normal).is_some_and(|repository| set.contains(&repository))
    };
    all.into_iter().filter(|spot| (spot.layout != Layout::Compose || composed) && !overridden(spot)).collect()
}

/// Whether a file is of the environment, or of all.
fn belongs(wish: &Wish<'_>, path: &str, chosen: Option<&str>) -> bool {
    let of = environment::of(wish.inner(path).unwrap_or(path));
    of.is_none() || of.as_deref() == chosen || chosen.is_none()
}

/// What is compared of a repository.
pub(super) fn normal(repository: &str) -> Option<String> {
    repository.parse::<Image>().ok().map(|image| image.repository().to_owned())
}

fn one<'s>(
    seen: &'s Seen,
    wish: &Wish<'_>,
    (name, group): (&str, &[&'s Spot]),
    chosen: Option<&str>,
) -> Result<Option<Found<'s>>, String> {
    let pinned = || group.iter().filter(|spot| spot.text.is_some() && wish.inner(&spot.path).is_some()).copied();
    let Some(first) = pinned().map(|spot| spot.layout).min() else { return Ok(None) };
    let of_layout: Vec<&Spot> = pinned().filter(|spot| spot.layout == first).collect();
    let of_environment = |spot: &&&Spot| chosen.is_some() && environment::of(&spot.path).as_deref() == chosen;
    let nearest: Vec<&Spot> = of_layout.iter().filter(of_environment).copied().collect();
    let nearest = if nearest.is_empty() { of_layout } else { nearest };
    let [spot] = nearest.as_slice() else {
        let places: Vec<_> = nearest.iter().map(|spot| format!("{} ({})", spot.path, spot.keys[0])).collect();
        return Err(format!("its version stands in {} places: {}", places.len(), places.join(", ")));
    };
    let image = if spot.beside || spot.value == ValueKind::Image {
        None
    } else {
        let repository = group.iter().find_map(|spot| spot.repository.clone());
        let nowhere = || format!("{} has its tag, and nothing says its image", spot.path);
        Some(repository.ok_or_else(nowhere)?)
    };
    let service = service_name(name).ok_or_else(|| format!("`{name}` cannot be made the name of a service"))?;
    let manifests = manifests(seen, wish, spot, (name, chosen));
    let mut workloads: Vec<WorkloadRef> = manifests.iter().map(|manifest| affixed(manifest, spot)).collect();
    workloads.sort();
    workloads.dedup();
    let of_manifests = || manifests.iter().find_map(|manifest| manifest.namespace.clone());
    let applied = || seen.engine(&spot.path).and_then(|engine| engine.namespace.clone());
    Ok(Some(Found {
        name: service,
        spot,
        image,
        workloads,
        namespace: spot.namespace.clone().or_else(of_manifests).or_else(applied),
        texts: group.iter().flat_map(|spot| &spot.texts).collect(),
        manifests,
    }))
}

/// The manifests that run the image of a place, by the image where it is Kustomize's, else by their name.
fn manifests<'s>(
    seen: &'s Seen,
    wish: &Wish<'_>,
    spot: &Spot,
    (name, chosen): (&str, Option<&str>),
) -> Vec<&'s SeenWorkload> {
    if spot.layout == Layout::Compose {
        return Vec::new();
    }
    let repository = spot.repository.as_deref().and_then(normal).filter(|_| spot.layout == Layout::Kustomize);
    let all = || seen.workloads.iter().filter(|it| belongs(wish, &it.path, chosen));
    let runs = |it: &&SeenWorkload| match &repository {
        Some(repository) => {
            it.images.iter().any(|image| normal(super::node::repository(image)).as_ref() == Some(repository))
        }
        None => it.workload.name == name,
    };
    let names: BTreeSet<&WorkloadRef> = all().filter(runs).map(|it| &it.workload).collect();
    all().filter(|it| names.contains(&it.workload)).collect()
}

fn affixed(manifest: &SeenWorkload, spot: &Spot) -> WorkloadRef {
    let (before, after) = &spot.affixes;
    WorkloadRef { name: format!("{before}{}{after}", manifest.workload.name), ..manifest.workload.clone() }
}

/// The name of a service for a name of another tool: `Web_App` becomes `web-app`.
pub(super) fn service_name(name: &str) -> Option<ServiceName> {
    ServiceName::new(name).ok().or_else(|| ServiceName::new(&name.to_lowercase().replace(['.', '_', ' '], "-")).ok())
}

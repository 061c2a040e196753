//! What moved between the pins of two revisions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ChangeKind, End};
use crate::pins::{DependsOn, Need, Pins, Service, ServiceName};
use crate::version::{Order, Version};

/// A service whose pin, name or needs moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its name, the later one where it was renamed.
    pub name: ServiceName,
    /// Its earlier name, where it has another one now.
    pub renamed_from: Option<ServiceName>,
    /// What it was; none where it was not there.
    pub from: Option<Service>,
    /// What it is; none where it is not there any more.
    pub to: Option<Service>,
    /// How the pin moved; none where it did not.
    pub kind: Option<ChangeKind>,
    /// What it needs otherwise.
    pub needs: Vec<NeedMoved>,
}

/// A need that is new, gone or another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedMoved {
    /// Of whom.
    pub provider: ServiceName,
    /// What was needed.
    pub from: Option<Need>,
    /// What is needed now.
    pub to: Option<Need>,
}

/// The services whose pin or whose needs moved between two revisions, by name. `order` orders the versions of a service; `pinned_before` says whether a service
/// had the version before the earlier of the revisions. Services that a revision has with errors are left out: nothing
/// is known of how they moved.
pub fn between(
    old: &Pins,
    new: &Pins,
    order: impl Fn(&Service) -> Order,
    pinned_before: impl Fn(&ServiceName, &Version) -> bool,
) -> Vec<Moved> {
    let readable = |name: &&ServiceName| !old.broken.contains_key(*name) && !new.broken.contains_key(*name);
    let renamed: BTreeMap<&ServiceName, &ServiceName> = new
        .services
        .values()
        .filter_map(|service| Some((&service.name, service.formerly.as_ref()?)))
        .filter(|(name, formerly)| {
            !old.services.contains_key(*name)
                && old.services.contains_key(*formerly)
                && !new.services.contains_key(*formerly)
        })
        .collect();
    let gone = |name: &&ServiceName| !new.services.contains_key(*name) && !renamed.values().any(|old| old == name);
    let names = new.services.keys().chain(old.services.keys().filter(gone)).filter(readable);
    let mut moved: Vec<Moved> = names
        .filter_map(|name| {
            let renamed_from = renamed.get(name).copied();
            let (from, to) = (old.services.get(renamed_from.unwrap_or(name)), new.services.get(name));
            let before = to.is_some_and(|to| pinned_before(name, &to.pin.version));
            let kind = ChangeKind::of(
                from.map(|from| End::from(&from.pin)),
                to.map(|to| End::from(&to.pin)),
                &order(to.or(from)?),
                before,
            );
            let before = from.map(|from| Arc::clone(&from.pin.depends_on)).unwrap_or_default();
            let needs = to.map(|to| needs_between(&before, &to.pin.depends_on));
            Some(Moved {
                name: name.clone(),
                renamed_from: renamed_from.cloned(),
                from: from.cloned(),
                to: to.cloned(),
                kind,
                needs: needs.unwrap_or_default(),
            })
        })
        .filter(|moved| moved.kind.is_some() || moved.renamed_from.is_some() || !moved.needs.is_empty())
        .collect();
    moved.sort_by(|a, b| a.name.cmp(&b.name));
    moved
}

/// What is needed otherwise.
pub fn needs_between(old: &DependsOn, new: &DependsOn) -> Vec<NeedMoved> {
    let mut providers: Vec<&ServiceName> = old.keys().chain(new.keys()).collect();
    providers.sort();
    providers.dedup();
    let moved = providers.into_iter().filter(|provider| old.get(*provider) != new.get(*provider));
    moved
        .map(|provider| NeedMoved {
            provider: provider.clone(),
            from: old.get(provider).cloned(),
            to: new.get(provider).cloned(),
        })
        .collect()
}

//! The moves between the pins of two revisions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ChangeEnd, ChangeKind};
use crate::pins::{DependsOn, Need, Pins, Service, ServiceName};
use crate::version::{Version, VersionOrder};

/// A service whose pin, name or needs moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceChange {
    /// The name at the later revision, or the last name of a service that is gone.
    pub name: ServiceName,
    /// The name at the earlier revision, if it differs.
    pub renamed_from: Option<ServiceName>,
    /// The service at the earlier revision, if it was there.
    pub from: Option<Service>,
    /// The service at the later revision, if it is there.
    pub to: Option<Service>,
    /// `None` if the pin did not move.
    pub kind: Option<ChangeKind>,
    pub need_changes: Vec<NeedChange>,
}

/// A need that was added, removed or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedChange {
    pub provider: ServiceName,
    pub from: Option<Need>,
    pub to: Option<Need>,
}

/// Returns the services whose pin, name or needs moved between two revisions, by name.
///
/// `order` returns the version order of a service. `pinned_before` returns whether a service had a version before the
/// earlier revision. Services with errors at either revision are left out, as their moves are unknown.
pub fn changes_between(
    old: &Pins,
    new: &Pins,
    order: impl Fn(&Service) -> VersionOrder,
    pinned_before: impl Fn(&ServiceName, &Version) -> bool,
) -> Vec<ServiceChange> {
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
    let mut moved: Vec<ServiceChange> = names
        .filter_map(|name| {
            let renamed_from = renamed.get(name).copied();
            let (from, to) = (old.services.get(renamed_from.unwrap_or(name)), new.services.get(name));
            let before = to.is_some_and(|to| pinned_before(name, &to.pin.version));
            let kind = ChangeKind::between(
                from.map(|from| ChangeEnd::from(&from.pin)),
                to.map(|to| ChangeEnd::from(&to.pin)),
                &order(to.or(from)?),
                before,
            );
            let before = from.map(|from| Arc::clone(&from.pin.depends_on)).unwrap_or_default();
            let needs = to.map(|to| need_changes_between(&before, &to.pin.depends_on));
            Some(ServiceChange {
                name: name.clone(),
                renamed_from: renamed_from.cloned(),
                from: from.cloned(),
                to: to.cloned(),
                kind,
                need_changes: needs.unwrap_or_default(),
            })
        })
        .filter(|moved| moved.kind.is_some() || moved.renamed_from.is_some() || !moved.need_changes.is_empty())
        .collect();
    moved.sort_by(|a, b| a.name.cmp(&b.name));
    moved
}

/// Returns the needs that differ.
pub fn need_changes_between(old: &DependsOn, new: &DependsOn) -> Vec<NeedChange> {
    let mut providers: Vec<&ServiceName> = old.keys().chain(new.keys()).collect();
    providers.sort();
    providers.dedup();
    let moved = providers.into_iter().filter(|provider| old.get(*provider) != new.get(*provider));
    moved
        .map(|provider| NeedChange {
            provider: provider.clone(),
            from: old.get(provider).cloned(),
            to: new.get(provider).cloned(),
        })
        .collect()
}

//! Circles among who waits for whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::ServiceId;

/// All that is left when those who wait for nobody pass, again and again: circles, and what waits for them. Each pair
/// is one that waits, and whom it waits for.
pub(super) fn nodes_leading_to_cycles(pairs: &[(ServiceId, ServiceId)]) -> BTreeSet<ServiceId> {
    let mut waiting: BTreeMap<ServiceId, usize> = BTreeMap::new();
    let mut released_by: BTreeMap<ServiceId, Vec<ServiceId>> = BTreeMap::new();
    for &(id, on) in pairs {
        *waiting.entry(id).or_default() += 1;
        released_by.entry(on).or_default().push(id);
    }
    let mut passing: Vec<ServiceId> = released_by.keys().copied().filter(|on| !waiting.contains_key(on)).collect();
    while let Some(on) = passing.pop() {
        for id in released_by.remove(&on).unwrap_or_default() {
            let Some(count) = waiting.get_mut(&id) else { continue };
            *count -= 1;
            if *count == 0 {
                waiting.remove(&id);
                passing.push(id);
            }
        }
    }
    waiting.into_keys().collect()
}

/// The circles alone, with what lies between two of them.
pub(super) fn nodes_in_cycles(mut pairs: Vec<(ServiceId, ServiceId)>) -> BTreeSet<ServiceId> {
    let left = nodes_leading_to_cycles(&pairs);
    pairs.retain(|(id, on)| left.contains(id) && left.contains(on));
    for (id, on) in &mut pairs {
        std::mem::swap(id, on);
    }
    nodes_leading_to_cycles(&pairs)
}

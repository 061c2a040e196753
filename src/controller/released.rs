//! Workloads that no pin names any more: they keep running, and nobody looks after them.

use pintle_core::workload::WorkloadId;

use super::desired::Desired;
use crate::cluster::Observation;

/// Workloads that this instance wrote once and that no pin names any more.
pub fn released(desired: &Desired, observed: &Observation) -> Vec<String> {
    let instance = &desired.pins.settings.instance;
    let ours =
        observed.workloads.iter().filter(|(_, it)| it.state.as_ref().is_some_and(|state| state.instance == *instance));
    pinned_no_more(desired, ours.map(|(id, _)| id))
}

/// Of workloads that were pinned, those that no pin names any more.
pub fn pinned_no_more<'w>(desired: &Desired, before: impl IntoIterator<Item = &'w WorkloadId>) -> Vec<String> {
    let pinned = desired.all_workloads();
    // A service whose file cannot be read is pinned all the same; its workload mostly has its name.
    let broken = |id: &WorkloadId| desired.pins.broken.keys().any(|name| name.as_str() == id.workload.name);
    let gone = before.into_iter().filter(|id| !pinned.contains(id) && !broken(id));
    gone.map(|id| if id.namespace.is_empty() { id.workload.to_string() } else { id.to_string() }).collect()
}

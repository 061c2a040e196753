//! The templates that the pods of an unsettled workload can run, before the pods are listed. Pure.
//!
//! A watch reports every change of a workload. Its pods therefore run the template of the settled version or one of the
//! later templates. Listing the pods takes the API server a tenth of a second or two, during which drift would stay.

use std::collections::BTreeMap;

use pintle_core::verify::is_settled;
use pintle_core::workload::{Container, Workload, WorkloadId};

/// The templates of unsettled workloads since they were last settled.
#[derive(Debug, Default)]
pub(super) struct TemplateHistory(BTreeMap<WorkloadId, Vec<Container>>);

impl TemplateHistory {
    /// Returns the containers of all templates of a workload; none if they are unknown.
    pub(super) fn containers(&self, id: &WorkloadId) -> Option<&[Container]> {
        self.0.get(id).map(Vec::as_slice)
    }

    /// Records a change of a workload from `before` to `now`; `now` is none if it is settled or deleted.
    pub(super) fn track(&mut self, id: &WorkloadId, before: Option<&Workload>, now: Option<&Workload>) {
        let Some(now) = now else {
            self.0.remove(id);
            return;
        };
        let was_settled = |before: &&Workload| before.uid == now.uid && is_settled(id, before, None);
        if !self.0.contains_key(id)
            && let Some(before) = before.filter(was_settled)
        {
            self.0.insert(id.clone(), before.containers.clone());
        }
        if let Some(known) = self.0.get_mut(id) {
            let new: Vec<Container> = now.containers.iter().filter(|it| !known.contains(it)).cloned().collect();
            known.extend(new);
        }
    }

    /// Forgets all other workloads.
    pub(super) fn retain(&mut self, keep: impl Fn(&WorkloadId) -> bool) {
        self.0.retain(|id, _| keep(id));
    }
}

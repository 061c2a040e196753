//! What the pods of an unsettled workload can be of, before anybody has looked at them. Pure.
//!
//! A watch tells every change of a workload. So whatever its pods run since it was settled is the template that it had then,
//! or one that it had since; to list the pods takes the API server a tenth of a second or two, in which drift would stay.

use std::collections::BTreeMap;

use pintle_core::verify::settled;
use pintle_core::workload::{Container, Workload, WorkloadId};

/// The templates that unsettled workloads had since they were settled.
#[derive(Debug, Default)]
pub(super) struct Templates(BTreeMap<WorkloadId, Vec<Container>>);

impl Templates {
    /// The containers of all templates of a workload; none where that is not known.
    pub(super) fn of(&self, id: &WorkloadId) -> Option<&[Container]> {
        self.0.get(id).map(Vec::as_slice)
    }

    /// Takes in a change of a workload: as it was `before`, and as it is `now`; none where it is settled, or gone.
    pub(super) fn follow(&mut self, id: &WorkloadId, before: Option<&Workload>, now: Option<&Workload>) {
        let Some(now) = now else {
            self.0.remove(id);
            return;
        };
        let was_settled = |before: &&Workload| before.uid == now.uid && settled(id, before, None);
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

    /// Forgets what is known of others.
    pub(super) fn retain(&mut self, keep: impl Fn(&WorkloadId) -> bool) {
        self.0.retain(|id, _| keep(id));
    }
}

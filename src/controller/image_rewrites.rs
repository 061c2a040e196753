//! What answers to writes say of images that the server rewrites on the way in. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_core::workload::{ImageRewrite, WorkloadId};

use crate::cluster::{Observation, WorkloadWrite, WriteReceipt};

/// What the server made of images; kept on the workload with the next record.
#[derive(Debug, Default)]
pub(super) struct Rewrites(BTreeMap<WorkloadId, ImageRewrite>);

impl Rewrites {
    /// Takes in the answer to a write.
    pub(super) fn answered(&mut self, write: &WorkloadWrite, written: &WriteReceipt) {
        let there = |name: &String| written.images.iter().find(|(other, _)| other == name).map(|(_, image)| image);
        let rewritten = write.images.iter().find_map(|(name, _, from)| {
            let to = there(name).filter(|to| *to != from)?;
            Some(ImageRewrite { from: from.clone(), to: to.clone() })
        });
        if let Some(rewritten) = rewritten {
            self.0.insert(write.id.clone(), rewritten);
        }
    }

    /// Adds it to what was observed, as if it were kept there already.
    pub(super) fn add_to(&self, observed: &mut Observation) {
        for (id, rewritten) in &self.0 {
            let Some(workload) = observed.workloads.get_mut(id) else { continue };
            let differs = workload.state.as_ref().is_some_and(|state| state.image_rewrite.as_ref() != Some(rewritten));
            if let Some(state) = differs.then(|| Arc::make_mut(workload).state.as_mut()).flatten() {
                state.image_rewrite = Some(rewritten.clone());
            }
        }
    }
}

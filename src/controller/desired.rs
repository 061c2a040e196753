//! What a run keeps: the desired state of one revision, and how this run treats it.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use pintle_core::desired::DesiredState;
use pintle_core::git::CommitId;
use pintle_core::graph::Id;

/// The desired state of one revision, and how this run treats it.
#[derive(Debug, Clone)]
pub struct Desired {
    /// Shared, so that another treatment clones neither pins nor graph.
    pub state: Arc<DesiredState>,
    /// Commits of a history that was rewritten, as somebody has accepted: workloads that name one of them shall name the
    /// revision instead.
    pub let_go: BTreeSet<CommitId>,
    /// The services that somebody named: only they are written, and their drift at once, whatever policy and grace say;
    /// none where nobody named any.
    pub only: Option<BTreeSet<Id>>,
    /// Services whose schedule has come: their drift is corrected, as long as they stand here.
    pub due: BTreeSet<Id>,
}

impl From<DesiredState> for Desired {
    fn from(state: DesiredState) -> Self {
        Self { state: Arc::new(state), let_go: BTreeSet::new(), only: None, due: BTreeSet::new() }
    }
}

impl Deref for Desired {
    type Target = DesiredState;

    fn deref(&self) -> &DesiredState {
        &self.state
    }
}

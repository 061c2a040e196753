//! The desired state of one revision beside the options of the run that keeps it.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use pintle_core::desired::DesiredState;
use pintle_core::git::CommitId;
use pintle_core::graph::ServiceId;

/// The desired state of one revision, and the options of the run that keeps it.
#[derive(Debug, Clone)]
pub struct Desired {
    /// Shared: other options clone neither pins nor graph.
    pub state: Arc<DesiredState>,
    /// How this run treats the state.
    pub options: RunOptions,
}

/// How a run treats a desired state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Commits of a rewritten history that somebody has abandoned: workloads that name one adopt the revision instead.
    pub abandoned_commits: BTreeSet<CommitId>,
    /// The services that somebody named: only they are written, and their drift at once, whatever policy and grace say.
    /// None where nobody named any.
    pub selected: Option<BTreeSet<ServiceId>>,
    /// The services whose schedule has come: their drift is corrected.
    pub scheduled: BTreeSet<ServiceId>,
}

impl Desired {
    /// Returns the same state under other options.
    #[must_use]
    pub fn with_options(&self, options: RunOptions) -> Self {
        Self { state: Arc::clone(&self.state), options }
    }
}

impl From<DesiredState> for Desired {
    fn from(state: DesiredState) -> Self {
        Self { state: Arc::new(state), options: RunOptions::default() }
    }
}

impl Deref for Desired {
    type Target = DesiredState;

    fn deref(&self) -> &DesiredState {
        &self.state
    }
}

//! What is done next, and the plan: [`next`] is the one function that decides; a plan is `next` run ahead.
//!
//! Services are meant by their numbers in the [`Graph`]; all slices have an entry for each.

mod ahead;
mod circles;
mod engine;
mod hold;
mod neighbourhood;
mod next;
mod state;
mod stuck;
#[cfg(test)]
mod tests;
mod waits;

use std::time::Duration;

pub use ahead::{Estimate, Plan, PlannedChange, Stage};
pub use hold::{Correction, HoldReason, ManualChange, Obstacle, SuppressedBy, Suppression};
pub use neighbourhood::Neighbourhood;
pub use next::next;

use crate::evidence::Evidence;
use crate::graph::{EdgeId, Graph, ServiceId};
use crate::running::Running;
use crate::verify::HealthReason;

/// What is wanted of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceTarget {
    /// This is pinned.
    Run(Running),
    /// It is not to be written, and why; what is pinned, where that can be read.
    Held(Option<Running>, HoldReason),
}

/// What is known of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveService {
    /// The live set; never empty.
    pub running: Vec<Running>,
    /// What its workloads' specifications say: one, or several where they differ.
    pub spec: Vec<Running>,
    /// Whether what was written is on its way.
    pub progress: RolloutProgress,
    /// A pod of it is ready.
    pub ready: bool,
    /// Pods that a change replaces.
    pub replaced_pods: u32,
    /// Pods above these while it is replaced.
    pub surge_pods: u32,
    /// It ran its target, and was moved away from it by hand.
    pub is_drift: bool,
}

/// Whether what was written is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RolloutProgress {
    /// Nothing was written that is not verified, as far as is known.
    Still,
    /// Written, not yet verified, not failed.
    UnderWay,
    /// Failed for certain.
    Failed(HealthReason),
}

/// What [`next`] says of a service whose live set is not its target alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanStep {
    /// It starts now; with a number, together with the others of that lockstep group.
    Start(Option<usize>),
    /// It is written, and neither verified nor failed.
    UnderWay,
    /// It is written and has failed.
    Failed(HealthReason),
    /// It starts when all of these have passed.
    Waits(Vec<EdgeWait>),
    /// It is not written.
    Held(HoldReason),
    /// No order exists: the shortest cycle of waits through it, each on the one after it, the last on the first.
    Refused(Vec<(ServiceId, EdgeWait)>),
}

/// One thing that a service waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EdgeWait {
    /// Whom it waits for.
    pub on: ServiceId,
    /// By which edge.
    pub edge: EdgeId,
    /// Why.
    pub reason: WaitReason,
}

/// Why a service waits for a neighbour.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WaitReason {
    /// The neighbour still runs this, which does not fit the target (rule 2).
    Incompatible(Running),
    /// The neighbour is its provider and not yet verified (rule 3).
    Unverified,
    /// The neighbour is its provider and has failed on its target (rule 3).
    Failed(HealthReason),
    /// Both could start; the neighbour goes first (rule 5).
    Preference,
}

/// What is to be done now: an entry for each service that is not where it should be, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Next {
    /// The services and what is said of each.
    pub steps: Vec<(ServiceId, PlanStep)>,
}

/// All that [`next`] looks at.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// Who needs whom.
    pub graph: &'a Graph,
    /// What is wanted of each service.
    pub wanted: &'a [ServiceTarget],
    /// What is known of each service.
    pub live: &'a [LiveService],
    /// Groups that may start together where no safe order exists.
    pub lockstep: &'a [Vec<ServiceId>],
    /// What tells that targets were seen together, where only such ones fit.
    pub evidence: Option<Evidence<'a>>,
}

/// How long a change of a service took before; none where it is not known.
pub type PastDuration = Option<Duration>;

impl Next {
    /// The services that start now.
    pub fn starts(&self) -> impl Iterator<Item = ServiceId> + '_ {
        self.steps.iter().filter(|(_, step)| matches!(step, PlanStep::Start(_))).map(|&(id, _)| id)
    }

    /// What is said of a service; none where it is where it should be.
    pub fn step_of(&self, id: ServiceId) -> Option<&PlanStep> {
        let at = self.steps.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        Some(&self.steps[at].1)
    }

    /// Something is on its way: another look is worth while.
    pub fn is_moving(&self) -> bool {
        self.steps.iter().any(|(_, step)| matches!(step, PlanStep::Start(_) | PlanStep::UnderWay))
    }
}

impl ServiceTarget {
    /// What is pinned, held or not.
    pub fn target(&self) -> Option<&Running> {
        match self {
            Self::Run(target) => Some(target),
            Self::Held(target, _) => target.as_ref(),
        }
    }
}

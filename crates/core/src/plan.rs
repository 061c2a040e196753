//! What is done next, and the plan: [`next`] is the one function that decides; a plan is `next` run ahead.
//!
//! Services are meant by their numbers in the [`Graph`]; all slices have an entry for each.

mod ahead;
mod circles;
mod engine;
mod near;
mod next;
mod stuck;
#[cfg(test)]
mod tests;
mod waits;
mod world;

use std::time::Duration;

pub use ahead::{Change, Estimate, Plan, Stage};
pub use near::Near;
pub use next::next;

use crate::evidence::{Evidence, Pair};
use crate::graph::{EdgeId, Graph, Id, Label};
use crate::image::Image;
use crate::version::Version;

/// One member of a live set: something of which pods exist or may come to exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Running {
    /// Nothing: the workload is missing.
    Absent,
    /// An image, and the version it is the image of; none where it was never pinned.
    Image(Image, Option<Version>),
    /// Something whose name is no image reference, as it is written there.
    Unreadable(String),
}

/// What is wanted of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This is pinned.
    Target(Running),
    /// It is not to be written, in words why; what is pinned, where that can be read.
    Held(Option<Running>, String),
}

/// What is known of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The live set; never empty.
    pub running: Vec<Running>,
    /// What its workloads' specifications say: one, or several where they differ.
    pub spec: Vec<Running>,
    /// Whether what was written is on its way.
    pub motion: Motion,
    /// A pod of it is ready.
    pub ready: bool,
    /// Pods that a change replaces.
    pub pods: u32,
    /// Pods above these while it is replaced.
    pub surge: u32,
    /// It ran its target, and was moved away from it by hand.
    pub returns: bool,
}

/// Whether what was written is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Motion {
    /// Nothing was written that is not verified, as far as is known.
    Still,
    /// Written, not yet verified, not failed.
    UnderWay,
    /// Failed for certain, in the pod's own words.
    Failed(String),
}

/// What [`next`] says of a service whose live set is not its target alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It starts now; with a number, together with the others of that lockstep group.
    Start(Option<usize>),
    /// It is written, and neither verified nor failed.
    UnderWay,
    /// It is written and has failed, in the pod's own words.
    Failed(String),
    /// It starts when all of these have passed.
    Waits(Vec<Wait>),
    /// It is not written.
    Held(Why),
    /// No order exists: the shortest cycle of waits through it, each on the one after it, the last on the first.
    Refused(Vec<(Id, Wait)>),
}

/// One thing that a service waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wait {
    /// Whom it waits for.
    pub on: Id,
    /// By which edge.
    pub edge: EdgeId,
    /// Why.
    pub because: Because,
}

/// Why a service waits for a neighbour.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Because {
    /// The neighbour still runs this, which does not fit the target (rule 2).
    Incompatible(Running),
    /// The neighbour is its provider and not yet verified (rule 3).
    Unverified,
    /// The neighbour is its provider and has failed on its target (rule 3).
    Failed(String),
    /// Both could start; the neighbour goes first (rule 5).
    Preference,
}

/// Why a service is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// In words: a hold, a broken file, a missing workload.
    Said(String),
    /// The target of this neighbour does not fit its own (rule 1).
    Misfit(EdgeId),
    /// The targets of it and of a neighbour were never seen together, and must have been (rule 1).
    Unseen(Pair),
    /// This member of its lockstep group is held.
    Lockstep(Id),
}

/// What is to be done now: an entry for each service that is not where it should be, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Next {
    /// The services and what is said of each.
    pub steps: Vec<(Id, Step)>,
}

/// All that [`next`] looks at.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Who needs whom.
    pub graph: &'a Graph,
    /// What is wanted of each service.
    pub wanted: &'a [Wanted],
    /// What is known of each service.
    pub live: &'a [Live],
    /// Groups that may start together where no safe order exists.
    pub lockstep: &'a [Vec<Id>],
    /// What tells that targets were seen together, where only such ones fit.
    pub evidence: Option<Evidence<'a>>,
}

/// How long a change of a service took before; none where it is not known.
pub type Took = Option<Duration>;

impl Next {
    /// The services that start now.
    pub fn starts(&self) -> impl Iterator<Item = Id> + '_ {
        self.steps.iter().filter(|(_, step)| matches!(step, Step::Start(_))).map(|&(id, _)| id)
    }

    /// What is said of a service; none where it is where it should be.
    pub fn of(&self, id: Id) -> Option<&Step> {
        let at = self.steps.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        Some(&self.steps[at].1)
    }

    /// Something is on its way: another look is worth while.
    pub fn in_motion(&self) -> bool {
        self.steps.iter().any(|(_, step)| matches!(step, Step::Start(_) | Step::UnderWay))
    }
}

impl Running {
    /// What compatibility knows of it.
    pub fn label(&self) -> Label<'_> {
        match self {
            Self::Absent => Label::Absent,
            Self::Image(_, None) | Self::Unreadable(_) => Label::Unknown,
            Self::Image(_, Some(version)) => Label::Version(version),
        }
    }
}

impl Wanted {
    /// What is pinned, held or not.
    pub fn target(&self) -> Option<&Running> {
        match self {
            Self::Target(target) => Some(target),
            Self::Held(target, _) => target.as_ref(),
        }
    }
}

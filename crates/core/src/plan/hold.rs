//! Why a service is not written, as values.

use jiff::Timestamp;

use crate::evidence::VersionPair;
use crate::graph::{EdgeId, ServiceId};
use crate::pins::{Withheld, WorkloadRef};
use crate::running::Running;
use crate::verify::MissingContainer;
use crate::workload::{PauseAnnotation, WorkloadId};

/// Why a service is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldReason {
    /// Its own file withholds the pinned version.
    Withheld(Withheld),
    /// Its file has errors; the first problem, as text.
    BrokenFile(String),
    /// It is left as it is although it could be written.
    Suppressed(Suppression),
    /// It cannot be written.
    Obstacle(Obstacle),
    /// The target of this neighbour does not fit its own (rule 1).
    Misfit(EdgeId),
    /// The targets of it and of a neighbour were never seen together, and must have been (rule 1).
    Unseen(VersionPair),
    /// This member of its lockstep group is held.
    Lockstep(ServiceId),
}

/// Why a service is left as it is although it could be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    pub by: SuppressedBy,
    /// When it ends by the passing of time alone.
    pub until: Option<Timestamp>,
}

/// What leaves a service as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuppressedBy {
    /// Whoever asked named other services.
    NotSelected,
    /// Somebody has paused it.
    Pause(PauseAnnotation),
    /// Its drift is not corrected, or not yet.
    Drift {
        change: ManualChange,
        /// What its specifications say instead of the pin.
        moved: Vec<Running>,
        correction: Correction,
    },
    /// A field manager takes back what is corrected.
    Contention { manager: String, workload: WorkloadRef },
}

/// When drift is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Never: it is only reported.
    Never,
    /// At the next time of the schedule.
    AtSchedule,
    /// When the grace of a manual change ends.
    AfterGrace,
}

/// Who has moved a service away from its pin since Pintle wrote the pin there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualChange {
    /// The field manager: `kubectl-set`.
    pub manager: String,
    /// When it wrote, by the API server's clock, in whole seconds.
    pub at: Option<Timestamp>,
}

/// Why a service cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The workload does not exist.
    MissingWorkload(WorkloadId),
    /// The workload has no container of the service.
    NoContainer(MissingContainer),
    /// Another instance wrote the workload.
    OtherInstance { workload: WorkloadId, instance: String },
    /// The workload cannot be read, in the words of the cluster.
    Unreadable(String),
    /// The cluster refused a write, in its words.
    Refused(String),
}

impl HoldReason {
    /// Whether somebody chose so: that is no failure of an apply.
    pub fn is_by_choice(&self) -> bool {
        match self {
            Self::Withheld(withheld) => withheld.is_by_choice(),
            Self::Suppressed(suppression) => suppression.is_by_choice(),
            Self::BrokenFile(_) | Self::Obstacle(_) | Self::Misfit(_) | Self::Unseen(_) | Self::Lockstep(_) => false,
        }
    }
}

impl Suppression {
    /// Whether not even what is remembered of the service is written.
    pub fn writes_nothing(&self) -> bool {
        match self.by {
            SuppressedBy::NotSelected | SuppressedBy::Pause(_) => true,
            SuppressedBy::Drift { .. } | SuppressedBy::Contention { .. } => false,
        }
    }

    /// Whether somebody chose so.
    pub fn is_by_choice(&self) -> bool {
        !matches!(self.by, SuppressedBy::Contention { .. })
    }
}

impl From<PauseAnnotation> for Suppression {
    fn from(pause: PauseAnnotation) -> Self {
        Self { until: Some(pause.until), by: SuppressedBy::Pause(pause) }
    }
}

impl ManualChange {
    /// Whether a person at a terminal made it, as far as names can tell.
    pub fn is_human(&self) -> bool {
        self.manager.starts_with("kubectl")
    }
}

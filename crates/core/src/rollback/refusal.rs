//! Why nothing goes back, and what somebody can do about it.

use std::borrow::Cow;
use std::fmt;

use super::{Objection, SkipReason, Skipped, Unmet};
use crate::pins::ServiceName;
use crate::problem::show;
use crate::remedy::Remedy;
use crate::version::Version;

/// Why nothing goes back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    /// The service is not among the pins, or its file has errors.
    #[error("{service} cannot go back: {}", .why.as_deref().unwrap_or("it is not pinned"))]
    NotPinned {
        /// Which.
        service: ServiceName,
        /// What is wrong with its file.
        why: Option<String>,
    },
    /// There is no earlier pin.
    #[error("{service} has no older pin than {version} to go back to")]
    NoEarlierPin {
        /// Which.
        service: ServiceName,
        /// What is pinned.
        version: Version,
    },
    /// There are not so many earlier pins.
    #[error("{service} cannot go back by {steps} pins: it had {has} pins of other versions before the one at the tip")]
    TooFewPins {
        /// Which.
        service: ServiceName,
        /// How many were asked for.
        steps: usize,
        /// How many there are.
        has: usize,
    },
    /// There are not so many earlier revisions.
    #[error("there are not {steps} commits to go back by: {has} moved pins before the last one")]
    TooFewCommits {
        /// How many were asked for.
        steps: usize,
        /// How many there are.
        has: usize,
    },
    /// That version was never pinned.
    #[error("{service} was never pinned at {version}")]
    NeverPinned {
        /// Which.
        service: ServiceName,
        /// What was asked for.
        version: Version,
    },
    /// Nothing was pinned then.
    #[error("{service} was not pinned then")]
    NotPinnedThen {
        /// Which.
        service: ServiceName,
    },
    /// What runs cannot become the pin.
    #[error("what runs of {service} cannot become its pin: {why}")]
    NotAdoptable {
        /// Which.
        service: ServiceName,
        /// Why.
        why: NotAdoptable,
    },
    /// No revision is known to have been good as a whole.
    #[error("no earlier revision is known to have been good as a whole")]
    NothingProven,
    /// This speaks against the target.
    #[error("{service} cannot go back to {version}: it {objection}")]
    Objected {
        /// Which.
        service: ServiceName,
        /// Where to.
        version: Version,
        /// What speaks against it.
        objection: Objection,
    },
    /// The targets that were asked for do not fit each other.
    #[error("what was asked for does not fit together: {unmet}, and would go back to {}", found(.unmet))]
    IncompatibleTargets {
        /// The need between two targets that is not met.
        unmet: Unmet,
    },
    /// No set of moves fits.
    #[error("{0}")]
    Conflict(Box<ClosureConflict>),
    /// Sets fit, and for none of them there is an order.
    #[error("there is no safe order to go back in: {}", listed(.waits))]
    NoOrder {
        /// The waits, each for the next one.
        waits: Vec<OrderWait>,
    },
    /// Nothing was found in the time that there is.
    #[error(
        "no set of services that fits was found within the limit of the search, and it is not known that there is none"
    )]
    OutOfBudget,
}

/// A service that would have to go back too, and cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosureConflict {
    /// What was asked for, and where to.
    pub asked: Vec<(ServiceName, Version)>,
    /// The needs that lead from what was asked for to the service.
    pub unmet_needs: Vec<Unmet>,
    /// The service.
    pub stuck_service: ServiceName,
    /// The earlier pins of it, nearest first, and what speaks against each.
    pub objections: Vec<(Version, Objection)>,
    /// Which way it goes.
    pub direction: Direction,
}

/// Which way services go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Direction {
    /// Back.
    Back,
    /// Forward again, as a rollback is undone; and where the service would go itself, and what speaks against that.
    Forward(Option<(Version, Objection)>),
}

/// Why what runs cannot become the pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAdoptable {
    /// Nothing runs.
    Nothing,
    /// A rollout goes on: in the end it may be another version.
    UnderWay,
    /// Several, as they are called.
    Several(Vec<String>),
    /// An image that was never pinned.
    Unknown(String),
}

/// A service that cannot go back before another one has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderWait {
    /// The service that waits.
    pub service: ServiceName,
    /// The version that it would go back to; none where it does not move.
    pub to: Option<Version>,
    /// The service that it waits for.
    pub on: ServiceName,
    /// The version of the other service that must be gone first; none where the other must only have moved.
    pub gone: Option<Version>,
}

/// More are counted only.
const MAX_LISTED_OBJECTIONS: usize = 5;

fn listed(waits: &[OrderWait]) -> String {
    waits.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn found(unmet: &Unmet) -> String {
    unmet.found.as_ref().map_or_else(String::new, |found| format!("{} {found}", unmet.provider))
}

impl fmt::Display for ClosureConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (way, go) = match self.direction {
            Direction::Back => ("back", "go back"),
            Direction::Forward(_) => ("forward", "move"),
        };
        match &self.asked[..] {
            [(service, version)] => write!(f, "{service} cannot go {way} to {version}: ")?,
            all => write!(f, "these {} services cannot go {way}: ", all.len())?,
        }
        let links: Vec<String> = self.unmet_needs.iter().map(ToString::to_string).collect();
        let (links, service) = (links.join("; "), &self.stuck_service);
        if let Direction::Forward(Some((version, objection))) = &self.direction {
            write!(f, "{links}, and {service} cannot go forward to {version}: it {objection}")?;
            return objection.by().map_or(Ok(()), |by| write!(f, " (by {by})"));
        }
        write!(f, "{links}, so {service} would have to {go} too, and ")?;
        if self.objections.is_empty() {
            return f.write_str("has no earlier pin");
        }
        f.write_str("none of its earlier pins may run:")?;
        for (version, objection) in self.objections.iter().take(MAX_LISTED_OBJECTIONS) {
            write!(f, "\n    {version} {objection}")?;
        }
        let more = self.objections.len().saturating_sub(MAX_LISTED_OBJECTIONS);
        if more > 0 { write!(f, "\n    and {more} more") } else { Ok(()) }
    }
}

impl RollbackError {
    /// Returns what somebody can do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NotPinned { .. } => Remedy::ShowProblems,
            Self::NoEarlierPin { service, .. }
            | Self::TooFewPins { service, .. }
            | Self::NeverPinned { service, .. } => Remedy::ShowPins { service: service.clone() },
            Self::NotPinnedThen { service } => Remedy::ShowPinDates { service: service.clone() },
            Self::TooFewCommits { .. } => Remedy::ShowPinCommits,
            Self::NotAdoptable { service, why: NotAdoptable::Unknown(_) } => {
                Remedy::PinVersion { service: service.clone() }
            }
            Self::NotAdoptable { .. } => Remedy::AwaitOneVersion,
            Self::NothingProven => Remedy::NameTarget,
            Self::Objected { objection, .. } => objection.remedy(),
            Self::IncompatibleTargets { unmet } => Remedy::AskForOne { service: unmet.provider.clone() },
            Self::Conflict(conflict) => conflict.remedy(),
            Self::NoOrder { waits } => {
                Remedy::AllowLockstep { services: waits.iter().map(|wait| wait.service.clone()).collect() }
            }
            Self::OutOfBudget => Remedy::NameMoreServices,
        }
    }

    /// The same of a rollback that is undone, of which these do not go forward.
    pub(super) fn going_forward(mut self, skipped: &[Skipped]) -> Self {
        if let Self::Conflict(conflict) = &mut self {
            let own = skipped.iter().find(|it| it.service == conflict.stuck_service).map(|it| &it.why);
            conflict.direction = Direction::Forward(match own {
                Some(SkipReason::Objected { version, objection }) => Some((version.clone(), objection.clone())),
                _ => None,
            });
        }
        self
    }

    /// There is no such pin in the history: where that was cut off, there may be one.
    pub fn may_be_outside_history(&self) -> bool {
        match self {
            Self::NoEarlierPin { .. }
            | Self::TooFewPins { .. }
            | Self::TooFewCommits { .. }
            | Self::NeverPinned { .. }
            | Self::NotPinnedThen { .. }
            | Self::NothingProven
            | Self::Conflict(_) => true,
            Self::NotAdoptable { why, .. } => matches!(why, NotAdoptable::Unknown(_)),
            Self::NotPinned { .. }
            | Self::Objected { .. }
            | Self::IncompatibleTargets { .. }
            | Self::NoOrder { .. }
            | Self::OutOfBudget => false,
        }
    }

    /// A rule of the pins refuses it; else what was asked for does not exist.
    pub fn is_blocked_by_rule(&self) -> bool {
        matches!(
            self,
            Self::Objected { .. } | Self::IncompatibleTargets { .. } | Self::Conflict(_) | Self::NoOrder { .. }
        )
    }
}

impl ClosureConflict {
    fn remedy(&self) -> Remedy {
        if let Some(Unmet { consumer, version, provider, range: None, found: Some(found) }) = self.unmet_needs.last() {
            let [consumer, provider] = [consumer, provider].map(Clone::clone);
            return Remedy::StateNeed { consumer, version: version.clone(), provider, from: found.clone() };
        }
        let tried = || self.objections.iter().find(|(_, it)| !matches!(it, Objection::Unmet(_)));
        let service = &self.stuck_service;
        if let Direction::Forward(own) = &self.direction {
            return own.as_ref().or_else(tried).map_or_else(
                || Remedy::WidenRangeOrPin { service: service.clone() },
                |(_, objection)| objection.remedy_without_target(service),
            );
        }
        tried().map_or(Remedy::ChooseNearerTarget, |(_, objection)| objection.remedy())
    }
}

impl Skipped {
    /// Returns what somebody can do where a rule keeps the service.
    pub fn remedy(&self) -> Option<Remedy> {
        let SkipReason::Objected { objection, .. } = &self.why else { return None };
        Some(objection.remedy_without_target(&self.service))
    }
}

impl Objection {
    /// Returns who says so.
    fn by(&self) -> Option<Cow<'_, str>> {
        if let Self::Held(hold) = self { hold.by.as_deref().map(show) } else { None }
    }

    /// Returns the remedy where no other target can be chosen.
    fn remedy_without_target(&self, service: &ServiceName) -> Remedy {
        match self {
            Self::Held(_) => Remedy::Release { service: service.clone() },
            Self::Unmet(_) => Remedy::WidenRange,
            Self::Floor { .. } | Self::External => self.remedy(),
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Floor { .. } => Remedy::LowerFloor,
            Self::Held(_) => Remedy::ChooseTargetOrRelease,
            Self::External => Remedy::MoveElsewhere,
            Self::Unmet(Unmet { range: None, .. }) => Remedy::ChooseTargetOrWriteRange,
            Self::Unmet(_) => Remedy::ChooseTargetOrWidenRange,
        }
    }
}

impl fmt::Display for OrderWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, to, on, gone } = self;
        write!(f, "{service}")?;
        to.iter().try_for_each(|to| write!(f, " {to}"))?;
        match gone {
            Some(version) => write!(f, " waits until {on} {version} is gone"),
            None => write!(f, " waits until {on} has moved"),
        }
    }
}

impl fmt::Display for NotAdoptable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing of it runs"),
            Self::UnderWay => f.write_str("it is in the middle of a rollout"),
            Self::Several(all) => write!(f, "it runs {}", all.join(" and ")),
            Self::Unknown(image) => write!(f, "it runs {image}, which was never pinned"),
        }
    }
}

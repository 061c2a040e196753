//! The reasons: why a service goes back, why it stays, and what speaks against a version of it.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::git::Commit;
use crate::pins::{HeldVersions, Hold, ServiceName};
use crate::problem::display_safe;
use crate::version::{Version, VersionRange};

/// Longer subjects of commits are cut.
const SUBJECT: usize = 72;

/// Why a service goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "camelCase")]
pub enum MemberReason {
    /// Somebody asked for it.
    Asked,
    /// Of what is pinned and what goes back, one does not meet this need of the other.
    Unmet(Unmet),
}

/// A need that two versions do not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// Who needs.
    pub consumer: ServiceName,
    /// In which version.
    pub version: Version,
    /// Whom.
    pub provider: ServiceName,
    /// In which versions; none where no range speaks of it, and the two were never seen together.
    pub range: Option<VersionRange>,
    /// In which version it is there; none where that is not known.
    pub found: Option<Version>,
}

/// What speaks against a version of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "camelCase")]
pub enum Objection {
    /// It is older than this floor.
    Floor { floor: Version },
    /// This hold keeps it out.
    Held(Box<Hold>),
    /// The service is deployed elsewhere.
    External,
    /// A need is not met.
    Unmet(Unmet),
}

/// A service that was asked for and does not go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Which.
    pub service: ServiceName,
    /// Why.
    pub why: SkipReason,
}

/// Why a service does not go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "camelCase")]
pub enum SkipReason {
    /// It was not pinned then, and nothing is removed.
    New,
    /// It is not pinned any more, and nothing is added.
    Gone,
    /// Its file has errors.
    Broken,
    /// This speaks against the version that it was pinned at.
    Objected { version: Version, objection: Objection },
    /// Somebody has pinned it at this version since, by this commit.
    Since { version: Version, commit: Arc<Commit> },
    /// What was moved was moved back among the same commits, to this version.
    Cancelled { version: Version },
}

impl Skipped {
    /// A rule of the pins keeps it.
    pub fn is_by_rule(&self) -> bool {
        matches!(self.why, SkipReason::Objected { .. })
    }

    /// Somebody has moved it since.
    pub fn is_by_somebody(&self) -> bool {
        matches!(self.why, SkipReason::Since { .. })
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { consumer, version, provider, range, found } = self;
        match (range, found) {
            (Some(range), _) => write!(f, "{consumer} {version} needs {provider} {range}"),
            (None, Some(found)) => write!(f, "{consumer} {version} was never seen with {provider} {found}"),
            (None, None) => write!(f, "{consumer} {version} was never seen with {provider}"),
        }
    }
}

impl fmt::Display for MemberReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("asked for"),
            Self::Unmet(unmet) => unmet.fmt(f),
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Floor { floor } => write!(f, "is older than its `rollbackFloor` {floor}"),
            Self::Held(hold) => {
                match &hold.versions {
                    HeldVersions::Above(limit) => write!(f, "is on hold (above {limit})")?,
                    HeldVersions::Versions(range) => write!(f, "is on hold ({})", range.in_words())?,
                }
                hold.reason.iter().try_for_each(|reason| write!(f, ": {}", crate::problem::show(reason)))
            }
            Self::External => f.write_str("is deployed elsewhere (`external: true`)"),
            Self::Unmet(unmet) => write!(f, "does not fit: {unmet}"),
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("was not pinned before; nothing is removed"),
            Self::Gone => f.write_str("is not pinned any more; nothing is added"),
            Self::Broken => f.write_str("its file has errors"),
            Self::Objected { version, objection } => write!(f, "{version} {objection}"),
            Self::Cancelled { version } => {
                write!(f, "these commits cancel each other out: {version} before and after them")
            }
            Self::Since { version, commit } => {
                let subject = display_safe(&commit.subject, SUBJECT);
                write!(f, "stays at {version}: it was moved since by {} ({subject})", commit.id.short())
            }
        }
    }
}

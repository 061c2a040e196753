//! Why nothing goes back, in words, with the way out.

use std::borrow::Cow;
use std::fmt;

use super::{Left, Objection, Stays, Unfit, Unmet};
use crate::pins::ServiceName;
use crate::problem::show;
use crate::version::Version;

/// Why nothing goes back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
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
    First {
        /// Which.
        service: ServiceName,
        /// What is pinned.
        version: Version,
    },
    /// There are not so many earlier pins.
    #[error("{service} cannot go back by {steps} pins: it had {has} pins of other versions before the one at the tip")]
    TooFar {
        /// Which.
        service: ServiceName,
        /// How many were asked for.
        steps: usize,
        /// How many there are.
        has: usize,
    },
    /// There are not so many earlier revisions.
    #[error("there are not {steps} commits to go back by: {has} moved pins before the last one")]
    TooFarForAll {
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
    NotThen {
        /// Which.
        service: ServiceName,
    },
    /// What runs cannot become the pin.
    #[error("what runs of {service} cannot become its pin: {why}")]
    Unfit {
        /// Which.
        service: ServiceName,
        /// Why.
        why: Unfit,
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
    Clash {
        /// The need between two targets that is not met.
        unmet: Unmet,
    },
    /// No set of moves fits.
    #[error("{0}")]
    Conflict(Box<Conflict>),
    /// Sets fit, and for none of them there is an order.
    #[error("there is no safe order to go back in: {}", .waits.join("; "))]
    NoOrder {
        /// The services that would go back together.
        services: Vec<ServiceName>,
        /// Who waits for whom.
        waits: Vec<String>,
    },
    /// Nothing was found in the time that there is.
    #[error(
        "no set of services that fits was found within the limit of the search, and it is not known that there is none"
    )]
    OutOfBudget,
}

/// A service that would have to go back too, and cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What was asked for, and where to.
    pub asked: Vec<(ServiceName, Version)>,
    /// The needs that lead from what was asked for to the service.
    pub links: Vec<Unmet>,
    /// The service.
    pub service: ServiceName,
    /// The earlier pins of it, nearest first, and what speaks against each.
    pub tried: Vec<(Version, Objection)>,
    /// Which way it goes.
    pub way: Way,
}

/// Which way services go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Back.
    Back,
    /// Forward again, as a rollback is undone; and where the service would go itself, and what speaks against that.
    Forward(Option<(Version, Objection)>),
}

/// More are counted only.
const LISTED: usize = 5;

fn found(unmet: &Unmet) -> String {
    unmet.found.as_ref().map_or_else(String::new, |found| format!("{} {found}", unmet.provider))
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (way, go) = match self.way {
            Way::Back => ("back", "go back"),
            Way::Forward(_) => ("forward", "move"),
        };
        match &self.asked[..] {
            [(service, version)] => write!(f, "{service} cannot go {way} to {version}: ")?,
            all => write!(f, "these {} services cannot go {way}: ", all.len())?,
        }
        let links: Vec<String> = self.links.iter().map(ToString::to_string).collect();
        let (links, service) = (links.join("; "), &self.service);
        if let Way::Forward(Some((version, objection))) = &self.way {
            write!(f, "{links}, and {service} cannot go forward to {version}: it {objection}")?;
            return objection.by().map_or(Ok(()), |by| write!(f, " (by {by})"));
        }
        write!(f, "{links}, so {service} would have to {go} too, and ")?;
        if self.tried.is_empty() {
            return f.write_str("has no earlier pin");
        }
        f.write_str("none of its earlier pins may run:")?;
        for (version, objection) in self.tried.iter().take(LISTED) {
            write!(f, "\n    {version} {objection}")?;
        }
        let more = self.tried.len().saturating_sub(LISTED);
        if more > 0 { write!(f, "\n    and {more} more") } else { Ok(()) }
    }
}

impl Refusal {
    /// One way out.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotPinned { .. } => Some("pintle check shows what is wrong".to_owned()),
            Self::First { service, .. } | Self::TooFar { service, .. } | Self::NeverPinned { service, .. } => {
                Some(format!("pintle history {service} shows its pins"))
            }
            Self::NotThen { service } => Some(format!("pintle history {service} shows when it was pinned at what")),
            Self::TooFarForAll { .. } => Some("pintle history shows the commits that moved pins".to_owned()),
            Self::Unfit { service, why: Unfit::Unknown(_) } => Some(format!("pin it: pintle pin {service} VERSION")),
            Self::Unfit { .. } => {
                Some("pintle status shows what runs; type it again when that is one version".to_owned())
            }
            Self::NothingProven => Some("name one: --to TIME or --to REVISION".to_owned()),
            Self::Objected { objection, .. } => Some(objection.way_out()),
            Self::Clash { unmet } => {
                Some(format!("ask for {} alone: what has to go with it comes along", unmet.provider))
            }
            Self::Conflict(conflict) => Some(conflict.way_out()),
            Self::NoOrder { services, .. } => {
                let names: Vec<&str> = services.iter().map(ServiceName::as_str).collect();
                let names = names.join(", ");
                Some(format!("choose a target between (--to), or allow an unsafe moment: `lockstep: [[{names}]]`"))
            }
            Self::OutOfBudget => Some("name more of the services that shall go back, and how far (--to)".to_owned()),
        }
    }

    /// The same of a rollback that is undone, of which these do not go forward.
    pub(super) fn forward(mut self, left: &[Left]) -> Self {
        if let Self::Conflict(conflict) = &mut self {
            let own = left.iter().find(|left| left.service == conflict.service).map(|left| &left.why);
            conflict.way = Way::Forward(match own {
                Some(Stays::Objected(version, objection)) => Some((version.clone(), objection.clone())),
                _ => None,
            });
        }
        self
    }

    /// There is no such pin in the history: where that was cut off, there may be one.
    pub fn is_of_history(&self) -> bool {
        match self {
            Self::First { .. }
            | Self::TooFar { .. }
            | Self::TooFarForAll { .. }
            | Self::NeverPinned { .. }
            | Self::NotThen { .. }
            | Self::NothingProven
            | Self::Conflict(_) => true,
            Self::Unfit { why, .. } => matches!(why, Unfit::Unknown(_)),
            Self::NotPinned { .. }
            | Self::Objected { .. }
            | Self::Clash { .. }
            | Self::NoOrder { .. }
            | Self::OutOfBudget => false,
        }
    }

    /// A rule of the pins refuses it; else what was asked for does not exist.
    pub fn is_by_rule(&self) -> bool {
        matches!(self, Self::Objected { .. } | Self::Clash { .. } | Self::Conflict(_) | Self::NoOrder { .. })
    }
}

impl Conflict {
    fn way_out(&self) -> String {
        if let Some(Unmet { consumer, version, provider, range: None, found: Some(found) }) = self.links.last() {
            return format!("if they fit, say so: pintle pin {consumer} {version} --needs '{provider}=>={found}'");
        }
        let tried = || self.tried.iter().find(|(_, it)| !matches!(it, Objection::Unmet(_)));
        let service = &self.service;
        if let Way::Forward(own) = &self.way {
            return own.as_ref().or_else(tried).map_or_else(
                || format!("widen the range if it is wrong, or pin what fits: pintle pin {service} VERSION"),
                |(_, objection)| objection.way_out_of(service),
            );
        }
        tried().map_or_else(
            || "choose a nearer target (--to), or widen the range if it is wrong".to_owned(),
            |(_, objection)| objection.way_out(),
        )
    }
}

impl Objection {
    /// Who says so.
    fn by(&self) -> Option<Cow<'_, str>> {
        if let Self::Held(hold) = self { hold.by.as_deref().map(show) } else { None }
    }

    /// The way out where there is no other target to choose.
    pub(super) fn way_out_of(&self, service: &ServiceName) -> String {
        match self {
            Self::Held(_) => format!("release it: pintle release {service}"),
            Self::Unmet(_) => "widen the range if it is wrong".to_owned(),
            Self::Floor(_) | Self::External => self.way_out(),
        }
    }

    fn way_out(&self) -> String {
        match self {
            Self::Floor(_) => {
                "its data has moved on; if it can go back, lower `rollbackFloor` in a commit of its own first"
            }
            Self::Held(_) => "choose another target (--to), or release it: pintle release",
            Self::External => "take it back where it is deployed, then pin what runs",
            Self::Unmet(Unmet { range: None, .. }) => {
                "choose another target (--to), or write the range that the consumer needs if they fit"
            }
            Self::Unmet(_) => "choose another target (--to), or widen the range if it is wrong",
        }
        .to_owned()
    }
}

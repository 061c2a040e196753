//! What goes back, how far, with whom, and why. It decides; landing the commit is for others.
//!
//! A service goes back by a *move*: from what is pinned at the tip to an earlier pin of its own. Services are meant by
//! their numbers in the [`Graph`](crate::graph::Graph) inside, and by their names in what comes out.

mod closure;
mod earlier;
mod evidence;
mod message;
mod refusal;
mod running;
mod search;
mod targets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

pub use evidence::unseen;
pub use message::{Inverse, Message, inverse};
pub use refusal::{Conflict, Refusal, Way};
pub use running::Unfit;

use crate::evidence::Evidence;
use crate::git::Commit;
use crate::graph::{EdgeId, Graph, Id, Label, order_of};
use crate::history::{History, Record};
use crate::pins::{DependsOn, Held, Hold, Need, Pin, Pins, ServiceName};
use crate::plan::{Live, Wanted};
use crate::problem::display_safe;
use crate::version::{Range, Version};
use crate::workload::Proven;

/// Longer subjects of commits are cut.
const SUBJECT: usize = 72;

/// All that a rollback is decided by. Slices have an entry for each service of the graph.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The pins at the tip.
    pub pins: &'a Pins,
    /// Each service's pins up to the tip.
    pub history: &'a History,
    /// Who needs whom, in all versions.
    pub graph: &'a Graph,
    /// Groups that may start together where no safe order exists.
    pub lockstep: &'a [Vec<Id>],
    /// What is wanted of each service at the tip.
    pub wanted: &'a [Wanted],
    /// What runs of each service; where that is not known, what is pinned.
    pub live: &'a [Live],
    /// What each service is proven to run; nothing where no cluster was asked.
    pub proven: &'a BTreeMap<ServiceName, Vec<Proven>>,
    /// What tells that pairs were seen together, where nothing else shall come together.
    pub evidence: Option<Evidence<'a>>,
}

/// What somebody wants to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// These services.
    Services(Vec<ServiceName>, Aim),
    /// The whole system.
    All(Aim),
    /// What the commits at these places of [`History::moves`] moved.
    Moved(RangeInclusive<u32>),
    /// What the commit at this place moved, but for what was moved since: forward again.
    Undone(u32),
}

/// How far back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// To what was good: of a service its newest earlier pin that is proven and not held, else the one before; of the
    /// system the newest revision that is proven as a whole.
    Good,
    /// So many pins of each service, or so many commits of the system that moved pins.
    Steps(usize),
    /// To this version.
    Version(Version),
    /// To what was pinned at this place of [`History::moves`].
    At(u32),
    /// To what runs, which somebody has put there by hand.
    Running,
}

/// Which versions are held after a rollback, of the services that were asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// All above the target: the next build mostly has the same fault.
    Above,
    /// The version that is left.
    Version,
    /// None.
    None,
}

/// What goes back: the value that is shown, and landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    /// The moves: first those asked for, by name, then those that come along, each after the one that it comes along with.
    pub members: Vec<Member>,
    /// What was asked for and does not go back, and why.
    pub left: Vec<Left>,
    /// Needs that are not met at the tip, on edges that no move touches: told, not repaired.
    pub elsewhere: Vec<Unmet>,
    /// The holds that are put on members, with what those they have keep out.
    pub holds: Vec<(ServiceName, Held)>,
    /// Whether every set was considered; else a smaller one may exist.
    pub complete: bool,
}

/// One service goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub service: ServiceName,
    /// What is pinned at the tip.
    pub from: Pin,
    /// The newest record that pins the target: the files of its commit say how the version-bound keys were.
    pub target: Record,
    /// What the target pins: as the record says, save that a table of needs stays as it is at the tip.
    pub to: Pin,
    /// How many pins back that is; none for a target that is newer than what is pinned.
    pub back: Option<usize>,
    /// Why it goes back.
    pub why: Why,
    /// The proof that the target ran here.
    pub proven: Option<Proven>,
    /// The nearer pins that it did not take, and why.
    pub passed_over: Vec<(Version, Objection)>,
}

/// Why a service goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Somebody asked for it.
    Asked,
    /// Of what is pinned and what goes back, one does not meet this need of the other.
    Unmet(Unmet),
}

/// A need that two versions do not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// Who needs.
    pub consumer: ServiceName,
    /// In which version.
    pub version: Version,
    /// Whom.
    pub provider: ServiceName,
    /// In which versions; none where no range speaks of it, and the two were never seen together.
    pub range: Option<Range>,
    /// In which version it is there; none where that is not known.
    pub found: Option<Version>,
}

/// What speaks against a version of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// It is older than this floor.
    Floor(Version),
    /// This hold keeps it out.
    Held(Box<Hold>),
    /// The service is deployed elsewhere.
    External,
    /// A need is not met.
    Unmet(Unmet),
}

/// A service that was asked for and does not go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Which.
    pub service: ServiceName,
    /// Why.
    pub why: Stays,
}

/// Why a service does not go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// It was not pinned then, and nothing is removed.
    New,
    /// It is not pinned any more, and nothing is added.
    Gone,
    /// Its file has errors.
    Broken,
    /// This speaks against the version that it was pinned at.
    Objected(Version, Objection),
    /// Somebody has pinned it at this version since, by this commit.
    Since(Version, Arc<Commit>),
    /// What was moved was moved back among the same commits, to this version.
    Cancelled(Version),
}

/// Decides what goes back.
///
/// # Errors
/// Where a target does not exist or may not run, or no set of moves fits: what stands in the way.
pub fn revert(known: Known<'_>, request: &Request, holding: Holding) -> Result<Revert, Refusal> {
    // 1. What is asked for, and where to.
    let targets = targets::of(known, request)?;
    // 2. What has to go with it: the smallest set that fits and has an order.
    let closure = closure::of(known, &targets.moves).map_err(|refusal| match request {
        Request::Undone(_) => refusal.forward(&targets.left),
        Request::Services(..) | Request::All(_) | Request::Moved(_) => refusal,
    })?;
    // 3. What is held from then on.
    let holds = match request {
        Request::Services(..) => holds(known, &closure.members, holding),
        Request::All(_) | Request::Moved(_) | Request::Undone(_) => Vec::new(),
    };
    let closure::Closure { members, elsewhere, complete } = closure;
    // What was left where it is may have to come along.
    let stays = |left: &Left| members.iter().all(|member| member.service != left.service);
    let left = targets.left.into_iter().filter(stays).collect();
    Ok(Revert { members, left, elsewhere, holds, complete })
}

fn holds(known: Known<'_>, members: &[Member], holding: Holding) -> Vec<(ServiceName, Held)> {
    let hold = |member: &Member| {
        let held = match holding {
            Holding::Above => Held::Above(member.to.version.clone()),
            Holding::Version => Held::Versions(format!("={}", member.from.version).parse().ok()?),
            Holding::None => return None,
        };
        let service = known.pins.services.get(&member.service)?;
        let Some(has) = &service.hold else { return Some((member.service.clone(), held)) };
        let both = held.and(&has.versions, &order_of(service, known.history)).unwrap_or(held);
        (both != has.versions).then(|| (member.service.clone(), both))
    };
    members.iter().filter(|member| member.why == Why::Asked).filter_map(hold).collect()
}

impl Revert {
    /// Nothing goes back.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The pins as they will be, for the plan; places in files are those of the tip.
    pub fn pins(&self, tip: &Pins) -> Pins {
        let mut pins = tip.clone();
        for member in &self.members {
            if let Some(service) = pins.services.get_mut(&member.service) {
                service.pin = member.to.clone();
            }
        }
        pins
    }
}

impl Left {
    /// A rule of the pins keeps it.
    pub fn is_by_rule(&self) -> bool {
        matches!(self.why, Stays::Objected(..))
    }

    /// One way out, where a rule keeps it.
    pub fn hint(&self) -> Option<String> {
        if let Stays::Objected(_, objection) = &self.why { Some(objection.way_out_of(&self.service)) } else { None }
    }

    /// Somebody has moved it since.
    pub fn is_by_somebody(&self) -> bool {
        matches!(self.why, Stays::Since(..))
    }
}

impl Member {
    /// The pin of a record as it is restored: a table of needs speaks of all versions, and stays as it is at the tip.
    fn restored(record: &Pin, tip: &Pin) -> Pin {
        let is_table = |need: &Need| matches!(need, Need::Table(_));
        if !tip.depends_on.values().any(is_table) {
            return record.clone();
        }
        let mut needs = DependsOn::clone(&record.depends_on);
        let tables = tip.depends_on.iter().filter(|(_, need)| is_table(need));
        needs.extend(tables.map(|(provider, need)| (provider.clone(), need.clone())));
        Pin { depends_on: Arc::new(needs), ..record.clone() }
    }
}

impl<'a> Known<'a> {
    /// What each service is pinned at; where its file has errors, what it was pinned at last.
    fn pinned(&self) -> Vec<Label<'a>> {
        // Both are in the order of names.
        let mut services = self.pins.services.values().peekable();
        let label = |id: Id| match services.next_if(|service| service.name == *self.graph.name(id)) {
            Some(service) => Label::Version(&service.pin.version),
            None => self.pinned_last(self.graph.name(id)),
        };
        self.graph.ids().map(label).collect()
    }

    fn pinned_last(&self, name: &ServiceName) -> Label<'a> {
        self.history.last_pin(name).map_or(Label::Unknown, |pin| Label::Version(&pin.version))
    }

    fn proof(&self, service: &ServiceName, version: &Version) -> Option<&'a Proven> {
        self.proven.get(service)?.iter().find(|proven| proven.version == *version)
    }

    /// Whether these versions of the ends of an edge may come together.
    fn fits(&self, edge: EdgeId, x: Label<'_>, y: Label<'_>) -> bool {
        self.graph.ok(edge, x, y) && self.evidence.is_none_or(|it| it.lacks(self.graph, edge, x, y).is_none())
    }

    /// The need on an edge, where these versions do not meet it, or must have been seen together and were not.
    fn unmet(&self, edge: EdgeId, x: Label<'_>, y: Label<'_>) -> Option<Unmet> {
        let Label::Version(version) = x else { return None };
        let range = match self.graph.unmet(edge, x, y) {
            Some(range) => Some(range.clone()),
            None => self.evidence?.lacks(self.graph, edge, x, y).map(|_| None)?,
        };
        let ends = self.graph.edge(edge);
        let found = if let Label::Version(found) = y { Some(found.clone()) } else { None };
        let [consumer, provider] = [ends.consumer, ends.provider].map(|id| self.graph.name(id).clone());
        Some(Unmet { consumer, version: version.clone(), provider, range, found })
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

impl fmt::Display for Why {
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
            Self::Floor(floor) => write!(f, "is older than its `rollbackFloor` {floor}"),
            Self::Held(hold) => {
                match &hold.versions {
                    Held::Above(limit) => write!(f, "is on hold (above {limit})")?,
                    Held::Versions(range) => write!(f, "is on hold ({})", range.in_words())?,
                }
                hold.reason.iter().try_for_each(|reason| write!(f, ": {}", crate::problem::show(reason)))
            }
            Self::External => f.write_str("is deployed elsewhere (`external: true`)"),
            Self::Unmet(unmet) => write!(f, "does not fit: {unmet}"),
        }
    }
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("was not pinned before; nothing is removed"),
            Self::Gone => f.write_str("is not pinned any more; nothing is added"),
            Self::Broken => f.write_str("its file has errors"),
            Self::Objected(version, objection) => write!(f, "{version} {objection}"),
            Self::Cancelled(version) => {
                write!(f, "these commits cancel each other out: {version} before and after them")
            }
            Self::Since(version, commit) => {
                let subject = display_safe(&commit.subject, SUBJECT);
                write!(f, "stays at {version}: it was moved since by {} ({subject})", commit.id.short())
            }
        }
    }
}

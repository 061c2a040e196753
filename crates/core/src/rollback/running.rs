//! What runs, as a target: a move by hand becomes the pin.

use std::fmt;

use super::earlier::{Earlier, newest};
use super::{Known, Refusal};
use crate::pins::{Pin, Service};
use crate::plan::Motion;
use crate::running::Running;

/// Why what runs cannot become the pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// Nothing runs.
    Nothing,
    /// A rollout goes on: in the end it may be another version.
    UnderWay,
    /// Several, as they are called.
    Several(Vec<String>),
    /// An image that was never pinned.
    Unknown(String),
}

/// The earlier pin that runs.
pub(super) fn running<'a>(known: Known<'a>, service: &Service) -> Result<Earlier<'a>, Refusal> {
    let unfit = |why| Refusal::Unfit { service: service.name.clone(), why };
    let live = known.graph.id(&service.name).and_then(|id| known.live.get(id.index()));
    let (running, spec, motion) =
        live.map_or((&[][..], &[][..], &Motion::Still), |it| (&*it.running, &*it.spec, &it.motion));
    match (running, motion) {
        ([] | [Running::Absent], _) => Err(unfit(Unfit::Nothing)),
        (_, Motion::UnderWay) => Err(unfit(Unfit::UnderWay)),
        ([Running::Image(image, Some(version))], _) => {
            let records = known.history.records(&service.name).iter().rev();
            let is_it = |pin: &&Pin| pin.image == *image && pin.version == *version;
            let pinned = records.filter_map(|record| record.pin.as_deref()).find(is_it);
            let found = pinned.and_then(|pin| newest(known, service, pin));
            found.ok_or_else(|| unfit(Unfit::Unknown(image.to_string())))
        }
        ([only], _) => Err(unfit(Unfit::Unknown(called(only)))),
        // What its specifications say is one: the others are on their way out.
        (_, _) if spec.len() == 1 => Err(unfit(Unfit::UnderWay)),
        (several, _) => Err(unfit(Unfit::Several(several.iter().map(called).collect()))),
    }
}

fn called(running: &Running) -> String {
    match running {
        Running::Absent => "nothing".to_owned(),
        Running::Image(image, version) => version.as_ref().map_or_else(|| image.to_string(), ToString::to_string),
        Running::Unreadable(text) => crate::problem::show(text).into_owned(),
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing of it runs"),
            Self::UnderWay => f.write_str("it is in the middle of a rollout"),
            Self::Several(all) => write!(f, "it runs {}", all.join(" and ")),
            Self::Unknown(image) => write!(f, "it runs {image}, which was never pinned"),
        }
    }
}

//! What runs, as a target: a move by hand becomes the pin.

use super::earlier::{EarlierPin, newest_equal_pin};
use super::{NotAdoptable, RollbackError, RollbackInput};
use crate::pins::{Pin, Service};
use crate::plan::RolloutProgress;
use crate::running::Running;

/// The earlier pin that runs.
pub(super) fn running_pin<'a>(input: RollbackInput<'a>, service: &Service) -> Result<EarlierPin<'a>, RollbackError> {
    let unfit = |why| RollbackError::NotAdoptable { service: service.name.clone(), why };
    let live = input.graph.id(&service.name).and_then(|id| input.live.get(id.index()));
    let (running, spec, motion) =
        live.map_or((&[][..], &[][..], &RolloutProgress::Still), |it| (&*it.running, &*it.spec, &it.progress));
    match (running, motion) {
        ([] | [Running::Absent], _) => Err(unfit(NotAdoptable::Nothing)),
        (_, RolloutProgress::UnderWay) => Err(unfit(NotAdoptable::UnderWay)),
        ([Running::Image(image, Some(version))], _) => {
            let records = input.history.records(&service.name).iter().rev();
            let is_it = |pin: &&Pin| pin.image == *image && pin.version == *version;
            let pinned = records.filter_map(|record| record.pin.as_deref()).find(is_it);
            let found = pinned.and_then(|pin| newest_equal_pin(input, service, pin));
            found.ok_or_else(|| unfit(NotAdoptable::Unknown(image.to_string())))
        }
        ([only], _) => Err(unfit(NotAdoptable::Unknown(running_text(only)))),
        // What its specifications say is one: the others are on their way out.
        (_, _) if spec.len() == 1 => Err(unfit(NotAdoptable::UnderWay)),
        (several, _) => Err(unfit(NotAdoptable::Several(several.iter().map(running_text).collect()))),
    }
}

fn running_text(running: &Running) -> String {
    match running {
        Running::Absent => "nothing".to_owned(),
        Running::Image(image, version) => version.as_ref().map_or_else(|| image.to_string(), ToString::to_string),
        Running::Unreadable(text) => crate::problem::show(text).into_owned(),
    }
}

//! Whether somebody has moved a service away from its pin, who, and when: by who owns the image fields. Pure.

use jiff::Timestamp;
use pintle_core::image::Image;
use pintle_core::pins::{Pin, Service};
use pintle_core::plan::ManualChange;
use pintle_core::workload::{FIELD_MANAGER, FieldManager, Workload};

use super::desired::Desired;

/// The field manager of `kubectl rollout undo`, which puts back the annotations of the older replica set too.
pub(super) const UNDO: &str = "kubectl-rollout";

/// The newest move of somebody else's, where the pin has not moved since.
///
/// What an undo leaves of the state is that of an older write, or nothing: then times tell, that of the move and that of
/// the commit which moved the pin.
pub(super) fn manual_change(
    desired: &Desired,
    service: &Service,
    workload: &Workload,
    containers: &[String],
) -> Option<ManualChange> {
    if !workload.is_managed {
        return None;
    }
    let moved = workload.containers.iter().filter(|it| containers.contains(&it.name));
    let is_pinned = |image: &Image| workload.image_as_written(image) == service.pin.image;
    let moved = moved.filter(|it| !it.image.as_ref().is_some_and(is_pinned));
    let owners = moved.filter_map(|it| newest(workload, &it.name)).filter(|owner| owner.name != FIELD_MANAGER);
    let by = owners.max_by_key(|owner| owner.time)?;
    let since = || pinned_since(desired, service);
    let after_the_pin = || by.time.zip(since()).is_some_and(|(moved, pinned)| moved >= pinned);
    let stands = match &workload.state {
        Some(state) if state.version == service.pin.version => true,
        Some(_) if by.name != UNDO => false,
        Some(_) | None => after_the_pin(),
    };
    stands.then(|| ManualChange { manager: by.name.clone(), at: by.time })
}

/// The newest owner of a container's image.
fn newest<'w>(workload: &'w Workload, container: &String) -> Option<&'w FieldManager> {
    workload.image_managers.iter().find(|manager| manager.containers.contains(container))
}

/// When the pin became what it is.
fn pinned_since(desired: &Desired, service: &Service) -> Option<Timestamp> {
    let records = desired.history.records(&service.name).iter().rev();
    let is_it = |pin: &Pin| pin.is_same_release(&service.pin);
    records.take_while(|record| record.pin.as_deref().is_some_and(is_it)).last().map(|record| record.commit.time)
}

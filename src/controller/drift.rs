//! What is left as it is although it could be written, why, and until when: what nobody asked for, and drift, by policy
//! and with courtesy to people. Pure.

use jiff::{SignedDuration, Timestamp};
use pintle_core::graph::ServiceId;
use pintle_core::pins::{DriftAction, DriftPolicy, withheld};
use pintle_core::plan::{Correction, LiveService, ManualChange, SuppressedBy, Suppression};
use pintle_core::running::Running;

use super::desired::Desired;
use super::status::ServiceStatus;

/// Returns why a service is left as it is at this time; none where it is not.
pub(super) fn suppression(
    desired: &Desired,
    id: ServiceId,
    seen: &ServiceStatus,
    live: Option<&LiveService>,
    now: Timestamp,
) -> Option<Suppression> {
    let service = desired.service(id)?;
    if desired.options.selected.as_ref().is_some_and(|selected| !selected.contains(&id)) {
        return Some(Suppression { by: SuppressedBy::NotSelected, until: None });
    }
    if let Some(pause) = &seen.pause {
        return Some(pause.clone().into());
    }
    if desired.options.selected.is_some() {
        return None;
    }
    // Who does not write it at all corrects nothing either.
    let writable = seen.obstacle.is_none() && withheld(service, desired.graph.version_order(id)).is_none();
    let change = seen.manual_change.as_ref().filter(|_| seen.drifted && writable && !seen.is_called_back())?;
    let is_moved = |spec: &&Running| !matches!(spec, Running::Image(image, _) if *image == service.pin.image);
    let moved: Vec<Running> = live?.spec.iter().filter(is_moved).cloned().collect();
    let policy = service.drift.unwrap_or(desired.pins.settings.drift);
    let (correction, until) = match policy.action {
        DriftAction::Report => (Correction::Never, None),
        DriftAction::Schedule if !desired.options.scheduled.contains(&id) => (Correction::AtSchedule, None),
        DriftAction::Correct | DriftAction::Schedule => {
            let until = grace(policy, change, &moved).filter(|until| now < *until)?;
            (Correction::AfterGrace, Some(until))
        }
    };
    Some(Suppression { by: SuppressedBy::Drift { change: change.clone(), moved, correction }, until })
}

/// When the grace of a person's move to something that was pinned before ends.
fn grace(policy: DriftPolicy, change: &ManualChange, moved: &[Running]) -> Option<Timestamp> {
    let was_pinned = |running: &Running| matches!(running, Running::Image(_, Some(_)));
    if policy.hand_grace.is_zero() || !change.is_human() || !moved.iter().all(was_pinned) {
        return None;
    }
    change.at?.checked_add(SignedDuration::try_from(policy.hand_grace).ok()?).ok()
}

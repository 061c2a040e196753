//! Checks of a service's own limits: version order, hold and rollback floor.

use super::{Checked, has_no_place, never_pinned, says_nothing};
use crate::pins::{Held, Hold, Service};
use crate::printable::show;
use crate::problem::Problem;
use crate::version::{Order, Version};

pub(super) fn all(checked: &Checked<'_>, service: &Service, order: &Order) -> Vec<Problem> {
    let mut problems: Vec<Problem> = unordered(service, order).into_iter().collect();
    if let Some(hold) = &service.hold {
        problems.extend(held(service, order, hold));
        problems.extend(expired(checked, service, hold));
    }
    problems.extend(floor(service, order));
    problems
}

/// Reports a version that does not parse in the versioning that the file states.
fn unordered(service: &Service, order: &Order) -> Option<Problem> {
    let error = order.check(&service.pin.version).err()?;
    let problem = Problem::error(error.to_string(), service.version_at.clone()).of(&service.name);
    Some(Problem { hint: error.hint(), ..problem })
}

fn held(service: &Service, order: &Order, hold: &Hold) -> Option<Problem> {
    let (name, version) = (&service.name, &service.pin.version);
    let unknown = match &hold.versions {
        Held::Above(limit) => has_no_place(limit, order).then_some(limit),
        Held::Versions(range) => {
            if let Err(error) = range.fits(order).and_then(|()| range.accepts_some(order)) {
                let message = format!("`{range}` is no range for `{name}`: {}", error.message);
                return Some(Problem { hint: error.hint, ..Problem::error(message, hold.at.clone()).of(name) });
            }
            never_pinned(range, order)
        }
    };
    if hold.catches(version, order) {
        let why = hold.reason.as_ref().map(|reason| format!(": {}", show(reason))).unwrap_or_default();
        let message = format!("`{name}` {version} is pinned, but versions {} are held{why}", kept_out(hold));
        let hint = "pin a version that is not held, or remove `hold` in the same change";
        return Some(
            Problem::error(message, service.version_at.clone()).of(name).also(hold.at.clone(), "held here").hint(hint),
        );
    }
    unknown.map(|unknown| says_nothing(service, "`hold`", (name, unknown), &hold.at))
}

/// Formats the versions that a hold keeps out: "above 1.7.9".
pub(super) fn kept_out(hold: &Hold) -> String {
    match &hold.versions {
        Held::Above(limit) => format!("above {limit}"),
        Held::Versions(range) => format!("in {range}"),
    }
}

/// Warns about a hold past its end time. It stays in force until a commit removes it: the clock alone deploys nothing.
fn expired(checked: &Checked<'_>, service: &Service, hold: &Hold) -> Option<Problem> {
    let until = hold.until.filter(|until| *until < checked.now)?;
    let message = format!("the hold of `{}` was meant until {until:.0}, and still holds", service.name);
    Some(Problem::warning(message, hold.at.clone()).of(&service.name).hint("remove it, or give it a later `until`"))
}

/// Returns whether a service's own limits allow a version.
pub(super) fn allow(service: &Service, version: &Version, order: &Order) -> bool {
    let held = service.hold.as_ref().is_some_and(|hold| hold.catches(version, order));
    !held && service.floor_above(version, order).is_none() && order.check(version).is_ok()
}

fn floor(service: &Service, order: &Order) -> Option<Problem> {
    let (name, version, floor) = (&service.name, &service.pin.version, service.rollback_floor.as_ref()?);
    let at = service.rollback_floor_at.as_ref().unwrap_or(&service.version_at);
    if service.floor_above(version, order).is_some() {
        let message = format!("`{name}` {version} is pinned, but nothing older than {floor} may run");
        let problem =
            Problem::error(message, service.version_at.clone()).of(name).also(at.clone(), "the floor is here");
        return Some(
            problem
                .hint("its data has moved on; if it can go back, lower `rollbackFloor` in a commit of its own first"),
        );
    }
    has_no_place(floor, order).then(|| says_nothing(service, "`rollbackFloor`", (name, floor), at))
}
